//! Changes that keep the structure: fields of other kinds, missing, renamed, moved, nested and repeated.

use fastrand::Rng;
use serde_json::{Map, Number, Value, json};

use super::ODD;

/// One to four changes to a seed that is JSON, or YAML that says the same as some JSON.
pub(super) fn changed(seed: &[u8], seeds: &[Vec<u8>], dice: &mut Rng) -> Option<Vec<u8>> {
    let mut value = read(seed)?;
    for _ in 0..dice.usize(1..=4) {
        let nodes = count(&value);
        let at = dice.usize(0..nodes);
        if let Some(node) = find(&mut value, at) {
            change(node, seeds, dice);
        }
    }
    let mut text = value.to_string();
    if dice.u8(0..8) == 0 {
        // The same name twice, which no map can hold.
        text = twice(&text, dice).unwrap_or(text);
    }
    Some(text.into_bytes())
}

fn read(seed: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(seed).ok().or_else(|| {
        let text = std::str::from_utf8(seed).ok()?;
        serde_saphyr::from_str(text).ok()
    })?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The n-th node, counted from the outside in.
fn find(value: &mut Value, at: usize) -> Option<&mut Value> {
    if at == 0 {
        return Some(value);
    }
    let mut left = at - 1;
    let children: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for child in children {
        let size = count(child);
        if left < size {
            return find(child, left);
        }
        left -= size;
    }
    None
}

fn change(node: &mut Value, seeds: &[Vec<u8>], dice: &mut Rng) {
    match (dice.u8(0..10), &mut *node) {
        (0..=2, Value::Object(fields)) if !fields.is_empty() => in_object(fields, dice),
        (0..=2, Value::Array(items)) if !items.is_empty() => in_array(items, dice),
        (3, _) => *node = Value::Array(vec![node.take()]),
        (4, _) => *node = json!({ word(dice): node.take() }),
        (5, _) => {
            let other = dice.choice(seeds).and_then(|seed| read(seed));
            if let Some(mut other) = other {
                let at = dice.usize(0..count(&other));
                *node = find(&mut other, at).map(Value::take).unwrap_or_default();
            }
        }
        (6, _) => {
            // A text that is JSON, as templates paste it.
            *node = Value::String(node.to_string());
        }
        (7, _) => {
            for _ in 0..dice.usize(1..300) {
                *node = if dice.bool() { json!([node.take()]) } else { json!({"a": node.take()}) };
            }
        }
        _ => *node = odd(dice),
    }
}

fn in_object(fields: &mut Map<String, Value>, dice: &mut Rng) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let Some(name) = dice.choice(&names) else { return };
    match dice.u8(0..4) {
        0 => drop(fields.remove(name)),
        1 => {
            let value = fields.remove(name).unwrap_or_default();
            fields.insert(word(dice), value);
        }
        2 => {
            let value = fields.get(name).cloned().unwrap_or_default();
            let other = dice.choice(&names).cloned().unwrap_or_default();
            fields.insert(other, value);
        }
        _ => drop(fields.insert(word(dice), odd(dice))),
    }
}

fn in_array(items: &mut Vec<Value>, dice: &mut Rng) {
    let at = dice.usize(0..items.len());
    match dice.u8(0..4) {
        0 => drop(items.remove(at)),
        1 => items.clear(),
        2 => {
            let item = items.get(at).cloned().unwrap_or_default();
            let times = dice.usize(1..40);
            items.extend(std::iter::repeat_n(item, times));
        }
        _ => items.insert(at, odd(dice)),
    }
}

fn word(dice: &mut Rng) -> String {
    dice.choice(ODD).copied().unwrap_or_default().to_owned()
}

fn odd(dice: &mut Rng) -> Value {
    match dice.u8(0..12) {
        0 => Value::Null,
        1 => Value::Bool(dice.bool()),
        2 => json!(dice.i64(..)),
        3 => json!(dice.u64(..)),
        4 => Number::from_f64(dice.f64() * 1e300).map_or(Value::Null, Value::Number),
        5 => json!({}),
        6 => json!([]),
        7 => Value::String("x".repeat(dice.usize(0..5_000))),
        8 => json!(dice.i32(..).to_string()),
        _ => Value::String(word(dice)),
    }
}

fn twice(text: &str, dice: &mut Rng) -> Option<String> {
    let begins: Vec<usize> = text.match_indices('{').map(|(at, _)| at + 1).collect();
    let at = *dice.choice(&begins)?;
    let name = text.get(at..)?.split('"').nth(1)?;
    let mut made = text.to_owned();
    made.insert_str(at, &format!("\"{name}\":{},", odd(dice)));
    Some(made)
}
