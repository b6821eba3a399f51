//! The guide shows runbooks and policies that are taken as they stand.

use super::{Tested, inspect, lint, read, test};
use crate::examples::RUNBOOK;
use crate::policy;

#[test]
fn what_the_guide_shows_is_valid() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/RUNBOOKS.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut shown = Vec::new();
    for rest in text.split("```yaml\n").skip(1) {
        let block = rest.split("```").next().unwrap();
        let key = block.split(':').next().unwrap();
        shown.push(key);
        match key {
            "runbook" => {
                let draft = inspect(block).unwrap_or_else(|wrong| panic!("{wrong}"));
                let remarks = lint(&draft);
                assert!(remarks.is_empty(), "{remarks:?}");
                assert!(draft.runbook.tests.len() >= 2);
                for example in &draft.runbook.tests {
                    assert_eq!(test(&draft.runbook, example), Tested::AsExpected);
                }
            }
            "trust" => {
                let shown = policy::read(block).unwrap_or_else(|wrong| panic!("{wrong}"));
                assert_eq!(shown.trust, policy::Trust::default(), "the defaults are shown");
            }
            _ => {
                read(&format!("{RUNBOOK}{block}")).unwrap_or_else(|wrong| panic!("{wrong}"));
            }
        }
    }
    assert_eq!(shown, ["runbook", "notify", "approvals", "trust"]);
}
