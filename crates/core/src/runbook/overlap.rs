//! Runbooks that may both be for one alert though nothing says which comes first.

use std::collections::BTreeMap;

use super::{Draft, Mode};
use crate::cel::{ALERT, Reach, reach};
use crate::yaml::Diagnostic;

/// For each pair a remark at the second one: `(position, remark)`. Runbooks with different `order` are in order.
pub fn overlaps(drafts: &[Draft<'_>]) -> Vec<(usize, Diagnostic)> {
    let reaches: Vec<Option<Reach>> =
        drafts.iter().map(|draft| reach(&draft.runbook.when, &ALERT).ok()).collect();
    let mut found = Vec::new();
    for (second, (draft, mine)) in drafts.iter().zip(&reaches).enumerate() {
        for (earlier, theirs) in drafts.iter().zip(&reaches).take(second) {
            let (Some(mine), Some(theirs)) = (mine, theirs) else { continue };
            let ordered = draft.runbook.order != earlier.runbook.order;
            let only_watching =
                [draft, earlier].iter().all(|draft| draft.runbook.mode == Mode::Shadow);
            if ordered || only_watching {
                continue;
            }
            let Some(both) = theirs.together(mine) else { continue };
            let name = &earlier.runbook.runbook;
            let message =
                format!("`{name}` may be for the same alert, and nothing says which comes first");
            let help = format!(
                "give one a lower `order`, or tell them apart: both are for {}",
                words(&both)
            );
            found.push((second, draft.document.warning("overlap", "when", message).help(help)));
        }
    }
    found
}

fn words(values: &BTreeMap<String, String>) -> String {
    if values.is_empty() {
        return "any alert".to_owned();
    }
    let words: Vec<String> =
        values.iter().map(|(path, value)| format!("alert.{path} == \"{value}\"")).collect();
    words.join(" && ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples;
    use crate::runbook::inspect;

    fn pair(one: &str, other: &str, order: u32) -> Vec<String> {
        let when = "alert.source == \"sumologic\" && alert.labels.monitor == \"slow-api-data\"";
        let first = examples::RUNBOOK.replace(when, one);
        let second = examples::RUNBOOK
            .replace("restart-slow-api", "another")
            .replace("mode: auto", &format!("mode: auto\norder: {order}"))
            .replace(when, other);
        let drafts = [inspect(&first).unwrap(), inspect(&second).unwrap()];
        overlaps(&drafts)
            .into_iter()
            .map(|(at, found)| format!("{at} {}", found.help.unwrap()))
            .collect()
    }

    #[test]
    fn only_what_may_meet_without_an_order_is_named() {
        let meets = pair("alert.name == \"a\"", "alert.labels.team == \"x\"", 100);
        assert_eq!(
            meets,
            [
                "1 give one a lower `order`, or tell them apart: both are for alert.labels.team == \"x\" && alert.name == \"a\""
            ]
        );
        assert!(pair("alert.name == \"a\"", "alert.labels.team == \"x\"", 50).is_empty());
        assert!(pair("alert.name == \"a\"", "alert.name == \"b\"", 100).is_empty());
    }
}
