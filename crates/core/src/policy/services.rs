//! `services`: which service depends on which, so that the failure of a parent explains its children.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Problem;

/// The services by name. Those that only others name need no entry of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceMap(pub BTreeMap<String, Service>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// The services that this one cannot work without.
    pub depends_on: BTreeSet<String>,
    pub while_parent_fires: WhileParentFires,
}

/// What becomes of a service's alerts while one that it depends on has a firing incident. Runbooks hold in
/// either case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhileParentFires {
    /// People are told, with the parent named.
    #[default]
    Tell,
    /// People are told when the parent is well and this one still fires.
    Mute,
}

impl ServiceMap {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the service depends on, also indirectly; the nearest first.
    pub fn parents(&self, service: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut level: Vec<&str> = vec![service];
        while !level.is_empty() {
            let mut next: Vec<&str> = Vec::new();
            for parent in
                level.iter().filter_map(|name| self.0.get(*name)).flat_map(|s| &s.depends_on)
            {
                if parent != service && !found.contains(&parent.as_str()) {
                    found.push(parent);
                    next.push(parent);
                }
            }
            level = next;
        }
        found
    }

    pub fn while_parent_fires(&self, service: &str) -> WhileParentFires {
        self.0.get(service).map(|service| service.while_parent_fires).unwrap_or_default()
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let Some(circle) = self.circle() else { return Vec::new() };
        let place = format!("services.{}.depends_on", circle.first().copied().unwrap_or_default());
        let problem = format!("goes in a circle ({}); take one of these out", circle.join(" -> "));
        vec![(place, problem)]
    }

    /// Services that depend on themselves, in order, the first again at the end.
    fn circle(&self) -> Option<Vec<&str>> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for start in self.0.keys() {
            // Depth first, with the way that led here and the parents that are still to be followed.
            let mut way: Vec<(&str, Vec<&str>)> = vec![(start, self.depends_on(start))];
            while let Some((name, parents)) = way.last_mut() {
                let Some(parent) = parents.pop() else {
                    done.insert(name);
                    way.pop();
                    continue;
                };
                if let Some(from) = way.iter().position(|(name, _)| *name == parent) {
                    let circle = way.iter().skip(from).map(|(name, _)| *name);
                    return Some(circle.chain(std::iter::once(parent)).collect());
                }
                if !done.contains(parent) {
                    way.push((parent, self.depends_on(parent)));
                }
            }
        }
        None
    }

    fn depends_on(&self, service: &str) -> Vec<&str> {
        self.0.get(service).into_iter().flat_map(|s| &s.depends_on).map(String::as_str).collect()
    }
}
