//! A plan: exact targets, parameters, expected effect and way back, under one hash that an approval signs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actions::Reversal;
use crate::alert::Alert;
use crate::book::{BookKey, Books, Entry, RunRef};
use crate::evidence::Observation;
use crate::fingerprint::digest;
use crate::ids::RunbookName;
use crate::runbook::{Runbook, resolve};
use crate::target::Target;
use crate::trace::GuardFinding;

/// One step on one target: a future row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Position in the runbook's `steps`.
    pub step: usize,
    pub action: String,
    pub target: Target,
    /// The immutable identity that the target had when the plan was made.
    pub identity: String,
    pub effect: String,
    /// The parameters, filled in from the alert.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub with: serde_json::Map<String, serde_json::Value>,
    /// What an undo would restore, or `None` when there is no way back.
    pub undo: Option<serde_json::Value>,
}

/// What a run will do, completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub runbook: RunbookName,
    pub steps: Vec<PlannedStep>,
    /// What the plan rests on, each with a digest of its value: `tags of ec2.instance/i-0abc`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// Covers everything above; an approval is for this hash and no other.
    pub hash: String,
}

/// What a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    pub runbook: &'a Runbook,
    pub firing: &'a [&'a Alert],
    pub observations: &'a [Observation],
    /// What each guard said. Its ruling counts, not its wording.
    pub rulings: &'a [GuardFinding],
    pub books: &'a Books,
    pub run: &'a RunRef,
}

impl Plan {
    /// Every step of the runbook on every observed target. Targets that do not exist were held before. An
    /// error says which parameter could not be filled in from the alert that means the target.
    pub fn of(basis: &Basis<'_>) -> Result<Self, String> {
        let runbook = basis.runbook;
        let mut steps = Vec::new();
        for (index, step) in runbook.steps.iter().enumerate() {
            for seen in basis.observations {
                let means = |alert: &&&Alert| runbook.means(alert, &seen.target);
                let with = match basis.firing.iter().find(means) {
                    Some(alert) => {
                        resolve(step, alert).map_err(|why| format!("steps[{index}].{why}"))?
                    }
                    None => step.with.clone(),
                };
                steps.push(PlannedStep {
                    step: index,
                    action: step.action.to_string(),
                    target: seen.target.clone(),
                    identity: seen.identity.clone().unwrap_or_default(),
                    effect: step.spec().effect(&seen.target, &with),
                    with,
                    undo: match step.spec().reversal() {
                        Reversal::Undo => Some(seen.captured.clone()),
                        Reversal::Irreversible => None,
                    },
                });
            }
        }
        let inputs = inputs(basis, &steps);
        let covered = inputs.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let hash = digest("plan:v2", std::iter::once(runbook.runbook.as_str()).chain(covered));
        Ok(Self { runbook: runbook.runbook.clone(), steps, inputs, hash: format!("plan2_{hash}") })
    }

    /// The lines that people and runbook tests read: `ec2.reboot i-0abc`.
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{} {}", step.action, step.target.id)).collect()
    }

    /// The inputs that are not what they were, by name.
    pub fn changes_from<'a>(&'a self, earlier: &'a Plan) -> Vec<&'a str> {
        let names = self.inputs.keys().chain(earlier.inputs.keys());
        let mut changed: Vec<&str> = names
            .filter(|name| self.inputs.get(*name) != earlier.inputs.get(*name))
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

/// Everything that an approver relies on. Times and wordings are left out: they differ at every look.
fn inputs(basis: &Basis<'_>, steps: &[PlannedStep]) -> BTreeMap<String, String> {
    let runbook = basis.runbook;
    let mut inputs = BTreeMap::new();
    let mut put = |name: String, value: String| {
        inputs.insert(name, digest("plan:input:v1", std::iter::once(value.as_str())));
    };
    put("steps".to_owned(), text(&steps));
    put("runbook".to_owned(), text(&(&runbook.steps, &runbook.guards, &runbook.approvals)));
    let rulings: Vec<(&str, bool)> =
        basis.rulings.iter().map(|found| (found.guard.as_str(), found.holds())).collect();
    put("guards".to_owned(), text(&rulings));
    for seen in basis.observations {
        let target = &seen.target;
        put(format!("identity of {target}"), text(&seen.identity));
        put(format!("tags of {target}"), text(&seen.tags));
        put(format!("state of {target}"), text(&seen.captured));
        // Who else is healthy is the guards' to judge; it differs at every look.
        let members = seen.group.as_ref().map(|group| (&group.key, group.members));
        put(format!("group of {target}"), text(&members));
        let group = seen.group.as_ref().map(|group| BookKey::group(&group.key));
        for key in std::iter::once(BookKey::target(target)).chain(group) {
            put(format!("actions on {}", key.as_str()), text(&history(basis, &key)));
        }
    }
    inputs
}

/// What others did there, as far as it is remembered: it changes when somebody acts, not when time passes.
fn history<'a>(basis: &Basis<'a>, key: &BookKey) -> Vec<(&'a RunRef, &'a Target)> {
    let others = |entry: &&Entry| entry.by != *basis.run;
    let entries = basis.books.get(key).map(|book| book.entries.as_slice()).unwrap_or_default();
    entries.iter().filter(others).map(|entry| (&entry.by, &entry.target)).collect()
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it is plain data")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::{Circumstances, Fact, Group};
    use crate::examples::{self, at};
    use crate::ids::IncidentId;
    use crate::trace::Ruling;

    fn run() -> RunRef {
        RunRef { incident: IncidentId::try_from("inc_1".to_owned()).unwrap(), run: 1 }
    }

    fn observation() -> Observation {
        Observation {
            target: Target { kind: "http.flag".to_owned(), id: "http://a/flag".to_owned() },
            identity: Some("launched-1".to_owned()),
            tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
            group: Some(Group {
                key: "tag:service=api".to_owned(),
                members: 4,
                healthy: Fact::default(),
            }),
            circumstances: Circumstances::default(),
            captured: serde_json::json!({"value": false}),
            seen_at: at(0),
        }
    }

    fn ruling(pass: bool, because: &str) -> GuardFinding {
        let because = because.to_owned();
        let ruling = if pass {
            Ruling::Pass { because }
        } else {
            Ruling::Hold { because, remedy: String::new(), until: None }
        };
        GuardFinding { guard: "cooldown".to_owned(), ruling }
    }

    fn plan(seen: &Observation, found: &GuardFinding, books: &Books, runbook: &Runbook) -> Plan {
        Plan::of(&Basis {
            runbook,
            firing: &[],
            observations: std::slice::from_ref(seen),
            rulings: std::slice::from_ref(found),
            books,
            run: &run(),
        })
        .unwrap()
    }

    fn entry(run: u32) -> Entry {
        let by = RunRef { run, ..self::run() };
        let action = crate::ids::ActionName::try_from("http.set_flag".to_owned()).unwrap();
        Entry { target: observation().target, action, by, at: at(0) }
    }

    #[test]
    fn the_hash_changes_with_every_input_and_names_it() {
        let runbook = crate::runbook::read(examples::FLAG_RUNBOOK).unwrap();
        let before = plan(&observation(), &ruling(true, "x"), &Books::new(), &runbook);
        let check = |expected: &str, after: &Plan| {
            assert_ne!(after.hash, before.hash, "{expected}");
            let changed = after.changes_from(&before);
            assert!(changed.iter().any(|name| name.contains(expected)), "{expected}: {changed:?}");
        };
        let seen = |change: fn(&mut Observation)| {
            let mut seen = observation();
            change(&mut seen);
            plan(&seen, &ruling(true, "x"), &Books::new(), &runbook)
        };
        check("identity of", &seen(|seen| seen.identity = Some("launched-2".to_owned())));
        check("tags of", &seen(|seen| seen.tags.clear()));
        check("state of", &seen(|seen| seen.captured = serde_json::json!({"value": true})));
        check("group of", &seen(|seen| seen.group.as_mut().unwrap().members = 3));
        check("steps", &seen(|seen| seen.target.id = "http://a/other".to_owned()));
        let holds = plan(&observation(), &ruling(false, "x"), &Books::new(), &runbook);
        check("guards", &holds);
        let mut book = crate::book::Book::default();
        book.entries.push(entry(2));
        let books = Books::from([(BookKey::group("tag:service=api"), book)]);
        let acted = plan(&observation(), &ruling(true, "x"), &books, &runbook);
        check("actions on group:tag:service=api", &acted);
        let mut other = runbook.clone();
        other.steps[0].with.insert("value".to_owned(), serde_json::json!("x"));
        let parameters = plan(&observation(), &ruling(true, "x"), &Books::new(), &other);
        check("steps", &parameters);
        let mut other = runbook.clone();
        other.guards.attempts.max = 9;
        check("runbook", &plan(&observation(), &ruling(true, "x"), &Books::new(), &other));
    }

    proptest! {
        #[test]
        fn neither_time_nor_wording_nor_own_entries_change_the_hash(seconds in 0i64..100_000, words in ".{0,12}", mine in 0usize..4) {
            let runbook = crate::runbook::read(examples::FLAG_RUNBOOK).unwrap();
            let before = plan(&observation(), &ruling(true, "x"), &Books::new(), &runbook);
            let seen = Observation { seen_at: at(seconds), ..observation() };
            let book = crate::book::Book { entries: vec![entry(1); mine], ..Default::default() };
            let books = Books::from([(BookKey::target(&seen.target), book)]);
            prop_assert_eq!(plan(&seen, &ruling(true, &words), &books, &runbook), before);
        }
    }
}
