//! The runbooks of one process, in the order in which they are asked, with an index of what they ask for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Runbook;
use crate::alert::Alert;
use crate::cel::{ALERT, Alternative, reach};

/// Runbooks by `order`, then by name. An alert is shown only to those whose plain demands it meets: the
/// answer is the same as if all were asked, at the cost of a few.
#[derive(Debug, Clone, Default)]
pub struct RunbookSet {
    runbooks: Vec<Runbook>,
    /// Of each runbook, the ways in which its condition can become true.
    ways: Vec<Vec<Alternative>>,
    /// `path` → value → positions of runbooks that demand it.
    demands: BTreeMap<String, HashMap<String, Vec<usize>>>,
    /// Those of which nothing is known before they are asked.
    undemanding: Vec<usize>,
}

impl From<Vec<Runbook>> for RunbookSet {
    fn from(mut runbooks: Vec<Runbook>) -> Self {
        runbooks
            .sort_by(|one, other| (one.order, &one.runbook).cmp(&(other.order, &other.runbook)));
        let reaches: Vec<Vec<Alternative>> = runbooks
            .iter()
            .map(|runbook| {
                reach(&runbook.when, &ALERT).map(|reach| reach.alternatives).unwrap_or_default()
            })
            .collect();
        let common = frequency(&reaches);
        let mut set = Self { runbooks, ..Self::default() };
        for (at, alternatives) in reaches.iter().enumerate() {
            set.insert(at, alternatives, &common);
        }
        set.ways = reaches;
        set
    }
}

impl FromIterator<Runbook> for RunbookSet {
    fn from_iter<T: IntoIterator<Item = Runbook>>(runbooks: T) -> Self {
        runbooks.into_iter().collect::<Vec<_>>().into()
    }
}

/// How many runbooks demand each value.
fn frequency(reaches: &[Vec<Alternative>]) -> HashMap<(String, String), usize> {
    let mut common: HashMap<(String, String), usize> = HashMap::new();
    for alternative in reaches.iter().flatten() {
        for (path, values) in &alternative.is {
            for value in values {
                *common.entry((path.clone(), value.clone())).or_default() += 1;
            }
        }
    }
    common
}

impl RunbookSet {
    /// Under the rarest demand of each alternative; an alternative without any makes it undemanding.
    fn insert(
        &mut self,
        at: usize,
        alternatives: &[Alternative],
        common: &HashMap<(String, String), usize>,
    ) {
        let cost = |path: &String, values: &BTreeSet<String>| -> usize {
            values.iter().filter_map(|value| common.get(&(path.clone(), value.clone()))).sum()
        };
        let mut keys = Vec::new();
        for alternative in alternatives {
            let rarest = alternative.is.iter().min_by_key(|(path, values)| cost(path, values));
            let Some((path, values)) = rarest else {
                self.undemanding.push(at);
                return;
            };
            keys.extend(values.iter().map(|value| (path.clone(), value.clone())));
        }
        keys.sort();
        keys.dedup();
        for (path, value) in keys {
            self.demands.entry(path).or_default().entry(value).or_default().push(at);
        }
    }

    /// The positions of those that may be for the alert, in order.
    pub fn candidates(&self, alert: &Alert) -> Vec<usize> {
        let mut found = self.undemanding.clone();
        for (path, by_value) in &self.demands {
            if let Some(at) = field(alert, path).and_then(|value| by_value.get(value)) {
                found.extend(at);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The plain demands of the runbook at a position.
    pub(crate) fn ways(&self, at: usize) -> &[Alternative] {
        self.ways.get(at).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn named(&self, name: &str) -> Option<&Runbook> {
        self.runbooks.iter().find(|runbook| runbook.runbook.as_str() == name)
    }
}

impl std::ops::Deref for RunbookSet {
    type Target = [Runbook];

    fn deref(&self) -> &[Runbook] {
        &self.runbooks
    }
}

/// The value at a path of the alert, as expressions see it.
pub(crate) fn field<'a>(alert: &'a Alert, path: &str) -> Option<&'a str> {
    match path {
        "source" => Some(&alert.source),
        "name" => Some(&alert.name),
        "status" => Some(if alert.is_firing() { "firing" } else { "resolved" }),
        "severity" => Some(alert.severity.as_str()),
        "service" => Some(&alert.service),
        "title" => Some(&alert.title),
        _ => {
            let (map, key) = path.split_once('.')?;
            let map = match map {
                "labels" => &alert.labels,
                "annotations" => &alert.annotations,
                _ => return None,
            };
            map.get(key).map(String::as_str)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples;
    use crate::runbook::read;

    fn runbook(name: &str, order: u32, when: &str) -> Runbook {
        let text = examples::RUNBOOK
            .replace("restart-slow-api", name)
            .replace("mode: auto", &format!("mode: auto\norder: {order}"));
        let when_line = text.lines().find(|line| line.starts_with("when:")).unwrap();
        read(&text.replace(when_line, &format!("when: {}", serde_json::to_string(when).unwrap())))
            .unwrap()
    }

    #[test]
    fn the_order_is_by_number_and_then_by_name() {
        let set = RunbookSet::from(vec![
            runbook("a", 100, "alert.name == 'x'"),
            runbook("c", 1, "alert.name == 'x'"),
            runbook("b", 100, "alert.name == 'x'"),
        ]);
        let names: Vec<&str> = set.iter().map(|runbook| runbook.runbook.as_str()).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }

    #[test]
    fn few_of_many_are_asked() {
        let many = (0..1000)
            .map(|n| {
                runbook(
                    &format!("r{n:04}"),
                    100,
                    &format!("alert.source == 'sumologic' && alert.labels.monitor == 'm{n}'"),
                )
            })
            .collect::<Vec<_>>();
        let set = RunbookSet::from(many);
        assert_eq!(set.candidates(&examples::alert("m7", "i-0abc12345")).len(), 1);
        assert_eq!(set.candidates(&examples::alert("other", "i-0abc12345")).len(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        /// Whoever is for the alert is among the candidates.
        #[test]
        fn nobody_is_left_out(picks in prop::collection::vec((0usize..7, 0usize..3), 1..12), monitor in 0usize..3) {
            let word = |at: usize| ["m0", "m1", "m2"].get(at).copied().unwrap_or("m0");
            let runbooks: Vec<Runbook> = picks
                .iter()
                .enumerate()
                .map(|(n, (form, at))| {
                    let w = word(*at);
                    let when = match form {
                        0 => format!("alert.labels.monitor == '{w}'"),
                        1 => format!("alert.labels.monitor != '{w}'"),
                        2 => format!("alert.labels['monitor'] in ['{w}', 'z'] && alert.name == '{w}'"),
                        3 => format!("alert.name.startsWith('m') || alert.title == '{w}'"),
                        4 => format!("!(alert.name == '{w}' || alert.severity == 'info')"),
                        5 => format!("alert.name == '{w}' ? true : alert.severity == 'critical'"),
                        _ => format!("has(alert.labels.monitor) && alert.labels.monitor == '{w}'"),
                    };
                    runbook(&format!("r{n}"), 100, &when)
                })
                .collect();
            let alert = examples::alert(word(monitor), "i-0abc12345");
            let set = RunbookSet::from(runbooks);
            let candidates: Vec<&str> =
                set.candidates(&alert).into_iter().map(|at| set[at].runbook.as_str()).collect();
            for runbook in set.iter().filter(|runbook| runbook.when.holds(&alert).unwrap_or(false)) {
                prop_assert!(candidates.contains(&runbook.runbook.as_str()), "{}", runbook.when);
            }
        }
    }
}
