//! `inhibit_rules`, in the old and the new form.

use super::node::Node;
use super::{Work, matchers};
use crate::policy::InhibitRule;

const SOURCE: [&str; 3] = ["source_match", "source_match_re", "source_matchers"];
const TARGET: [&str; 3] = ["target_match", "target_match_re", "target_matchers"];

pub(super) fn carried(root: &Node, work: &mut Work) -> Vec<InhibitRule> {
    let Some(rules) = root.get("inhibit_rules") else { return Vec::new() };
    if !matches!(rules.value, Node::Null | Node::List(_)) {
        work.say(rules.line, "inhibit_rules", "left out: it is not a list", "write one");
    }
    let mut kept = Vec::new();
    for (index, (line, rule)) in rules.value.items().iter().enumerate() {
        match translated(rule) {
            Ok(rule) => kept.push(rule),
            Err(why) => work.say(
                *line,
                format!("inhibit_rules[{index}]"),
                format!("left out, it mutes nothing: {why}"),
                "write it by hand under `inhibit_rules`, with matchers on both sides",
            ),
        }
    }
    kept
}

/// A rule of which a part is not understood might mute more than was meant.
fn translated(rule: &Node) -> Result<InhibitRule, String> {
    let known = |key: &str| {
        SOURCE.contains(&key) || TARGET.contains(&key) || ["equal", "name"].contains(&key)
    };
    if let Some(entry) = rule.entries().iter().find(|entry| !known(&entry.key)) {
        return Err(format!("`{}` is not known here", entry.key));
    }
    let source_matchers = matchers::read(rule, SOURCE)?;
    let target_matchers = matchers::read(rule, TARGET)?;
    if source_matchers.is_empty() || target_matchers.is_empty() {
        return Err("a side without a matcher is every alert there is".to_owned());
    }
    let equal = match rule.get("equal") {
        None => Vec::new(),
        Some(entry) => entry.value.texts().ok_or("`equal` is not a list of labels")?,
    };
    let name = rule.get("name").and_then(|entry| entry.value.text()).map(str::to_owned);
    Ok(InhibitRule { name, source_matchers, target_matchers, equal })
}
