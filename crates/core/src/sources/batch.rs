//! More alerts than one delivery may hold: the rest is kept aside by name, in bodies that can be replayed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Problem, Reject};

/// The alerts of one delivery that are taken in; each may cost a transaction, and the sender waits for all of them.
pub const MOST_ALERTS: usize = 2000;
/// The code of what is beyond the limit.
pub(super) const TOO_MANY: &str = "too_many";
/// Alerts that are kept aside together.
const MOST_TOGETHER: usize = 200;
/// Bytes that are kept aside together; the quarantine takes more.
const MOST_BYTES: usize = 128 * 1024;
/// Names that a message gives.
const MOST_NAMES: usize = 5;

/// The elements that are taken in. Those beyond the limit go to `rejects`, each part of them a list that the same
/// source reads; `name` finds what an element calls itself.
pub(super) fn within<'a>(
    elements: &'a [Value],
    name: fn(&Value) -> Option<&str>,
    rejects: &mut Vec<Reject>,
) -> &'a [Value] {
    let (taken, rest) = elements.split_at(elements.len().min(MOST_ALERTS));
    let mut part = Part::at(taken.len());
    for element in rest {
        let text = element.to_string();
        if part.count == MOST_TOGETHER || part.raw.len() + text.len() > MOST_BYTES {
            let next = Part::at(part.from + part.count);
            rejects.push(std::mem::replace(&mut part, next).close());
        }
        part.add(&text, name(element));
    }
    if part.count > 0 {
        rejects.push(part.close());
    }
    taken
}

struct Part {
    from: usize,
    count: usize,
    raw: String,
    names: BTreeSet<String>,
}

impl Part {
    fn at(from: usize) -> Self {
        Self { from, count: 0, raw: String::new(), names: BTreeSet::new() }
    }

    fn add(&mut self, element: &str, name: Option<&str>) {
        self.raw.push(if self.count == 0 { '[' } else { ',' });
        self.raw.push_str(element);
        self.names.extend(name.map(str::to_owned));
        self.count += 1;
    }

    fn close(self) -> Reject {
        let shown: Vec<&str> = self.names.iter().map(String::as_str).take(MOST_NAMES).collect();
        let mut shown = shown.join(", ");
        if self.names.len() > MOST_NAMES {
            shown = format!("{shown} and {} more names", self.names.len() - MOST_NAMES);
        }
        let last = self.from + self.count - 1;
        let message = format!(
            "`alerts[{}]` to `alerts[{last}]` ({shown}) are beyond the {MOST_ALERTS} alerts that one delivery may hold: \
             replay them, and let the sender group its alerts by more labels",
            self.from
        );
        Reject {
            index: Some(self.from),
            problem: Problem { code: TOO_MANY, message },
            raw: self.raw + "]",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn elements(count: usize) -> Vec<Value> {
        (0..count).map(|nth| json!({"name": format!("n{}", nth % 7), "nth": nth})).collect()
    }

    #[test]
    fn what_fits_is_taken_whole() {
        let (elements, mut rejects) = (elements(MOST_ALERTS), Vec::new());
        assert_eq!(within(&elements, |_| None, &mut rejects).len(), MOST_ALERTS);
        assert_eq!(rejects, []);
    }

    #[test]
    fn the_rest_is_kept_by_name_and_none_is_lost() {
        let (elements, mut rejects) = (elements(MOST_ALERTS + 450), Vec::new());
        let taken = within(&elements, |_| Some("HighCpu"), &mut rejects);
        let kept: Vec<Value> = rejects
            .iter()
            .flat_map(|reject| serde_json::from_str::<Vec<Value>>(&reject.raw).unwrap())
            .collect();
        assert_eq!([taken, &kept[..]].concat(), elements);
        assert_eq!(rejects.len(), 3);
        assert_eq!(rejects[1].index, Some(MOST_ALERTS + 200));
        let message = &rejects[0].problem.message;
        assert!(message.contains("alerts[2199]") && message.contains("HighCpu"), "{message}");
    }

    #[test]
    fn long_alerts_are_kept_in_smaller_parts() {
        let mut elements = elements(MOST_ALERTS);
        elements.extend((0..3).map(|_| json!("x".repeat(MOST_BYTES - 10))));
        let mut rejects = Vec::new();
        within(&elements, |_| None, &mut rejects);
        assert_eq!(rejects.len(), 3);
    }
}
