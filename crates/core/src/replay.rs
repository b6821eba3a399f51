//! Replay: what runbooks would have done with recorded incidents. Only decisions are made anew; nothing acts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ids::IncidentId;
use crate::incident::{Event, Incident, Recorded};
use crate::run::{choose, targets_of};
use crate::runbook::{Mode, Runbook, RunbookSet};

/// One moment at which a runbook would have begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub incident: IncidentId,
    pub at: Timestamp,
    pub title: String,
    pub runbook: String,
    pub mode: Mode,
    /// The action of the first step.
    pub action: String,
    /// Kind and id of each; empty where the expression gave none.
    pub targets: Vec<String>,
    /// Why nothing could have been done after all.
    pub problem: Option<String>,
    /// How long the alerts went on, where they ended without anybody acting on them.
    pub healed_itself_after: Option<SignedDuration>,
    /// For how long other targets of the same group would have had to wait.
    #[serde(skip)]
    window: SignedDuration,
}

/// What a set of runbooks would have done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Replayed {
    pub incidents: usize,
    /// In the order of their times.
    pub decisions: Vec<Decision>,
    /// Incidents whose events do not fit together, with what is wrong.
    pub unreadable: Vec<(IncidentId, String)>,
}

/// The most targets of one runbook within its own window, before any guard would have stopped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worst {
    pub runbook: String,
    pub at: Timestamp,
    pub targets: Vec<String>,
}

/// What changes when one set of runbooks takes the place of another.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Difference {
    pub added: Vec<Decision>,
    pub removed: Vec<Decision>,
    /// Before and after, where only the runbook, its mode, its action or its targets differ.
    pub changed: Vec<(Decision, Decision)>,
}

/// Plays recorded incidents against runbooks.
pub fn replay<'a>(
    incidents: impl IntoIterator<Item = (&'a IncidentId, &'a Vec<Recorded>)>,
    runbooks: &RunbookSet,
) -> Replayed {
    let mut replayed = Replayed::default();
    for (id, events) in incidents {
        replayed.incidents += 1;
        match decisions(events, runbooks) {
            Ok(decisions) => replayed.decisions.extend(decisions),
            Err(why) => replayed.unreadable.push((id.clone(), why)),
        }
    }
    replayed
        .decisions
        .sort_by(|one, other| (one.at, &one.incident).cmp(&(other.at, &other.incident)));
    replayed
}

/// One decision each time something began to fire, unless it is the one before again.
fn decisions(events: &[Recorded], runbooks: &RunbookSet) -> Result<Vec<Decision>, String> {
    let mut incident: Option<Incident> = None;
    let mut decisions: Vec<Decision> = Vec::new();
    for (index, recorded) in events.iter().enumerate() {
        let state = match incident.take() {
            None => Incident::open(recorded),
            Some(before) => before.apply(recorded),
        };
        let state = state.map_err(|illegal| illegal.to_string())?;
        if matches!(recorded.event, Event::AlertFired { .. })
            && let (Some(runbook), _, _) = choose(&state, runbooks)
        {
            let rest = events.get(index..).unwrap_or_default();
            let decision = decision(&state, runbook, recorded.at, rest);
            // What fires after a resolve is a new episode, even if it looks the same.
            let since = events
                .iter()
                .take(index)
                .rposition(|earlier| matches!(earlier.event, Event::Resolved { .. }));
            let episode = since.and_then(|at| events.get(at)).map(|resolved| resolved.at);
            let again = decisions.last().is_some_and(|last| {
                last.is_same_work(&decision) && episode.is_none_or(|over| last.at > over)
            });
            if !again {
                decisions.push(decision);
            }
        }
        incident = Some(state);
    }
    Ok(decisions)
}

fn decision(incident: &Incident, runbook: &Runbook, at: Timestamp, rest: &[Recorded]) -> Decision {
    let targets = targets_of(incident, runbook);
    let acted = rest.iter().position(|later| matches!(later.event, Event::StepSent { .. }));
    let over = rest.iter().position(|later| matches!(later.event, Event::Resolved { .. }));
    let healed = over.filter(|over| acted.is_none_or(|acted| acted > *over));
    Decision {
        incident: incident.id.clone(),
        at,
        title: incident.title.clone(),
        runbook: runbook.runbook.to_string(),
        mode: runbook.mode,
        action: runbook.steps.first().map(|step| step.action.to_string()).unwrap_or_default(),
        targets: targets
            .as_ref()
            .map(|targets| targets.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        problem: targets.err(),
        healed_itself_after: healed
            .and_then(|over| rest.get(over))
            .map(|resolved| resolved.at.duration_since(at)),
        window: runbook.guards.blast_radius.window,
    }
}

impl Decision {
    /// Whether a person would call both the same.
    fn is_same_work(&self, other: &Decision) -> bool {
        (&self.runbook, self.mode, &self.action, &self.targets, &self.problem)
            == (&other.runbook, other.mode, &other.action, &other.targets, &other.problem)
    }

    pub fn would_act(&self) -> bool {
        matches!(self.mode, Mode::Approve | Mode::Auto) && self.problem.is_none()
    }
}

impl Replayed {
    /// Per runbook the worst moment, the largest first. Modes do not matter: a shadow may be promoted.
    pub fn worst(&self) -> Vec<Worst> {
        let mut by_runbook: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
        for decision in self.decisions.iter().filter(|decision| decision.problem.is_none()) {
            by_runbook.entry(&decision.runbook).or_default().push(decision);
        }
        let mut worst: Vec<Worst> = by_runbook
            .into_iter()
            .filter_map(|(runbook, decisions)| {
                let moments = decisions.iter().enumerate().map(|(index, last)| {
                    let within = decisions.iter().take(index + 1).filter(|earlier| {
                        last.at.duration_since(earlier.at)
                            < last.window.max(SignedDuration::from_secs(1))
                    });
                    let targets: BTreeSet<&String> =
                        within.flat_map(|decision| &decision.targets).collect();
                    (last.at, targets)
                });
                let (at, targets) = moments.max_by_key(|(_, targets)| targets.len())?;
                Some(Worst {
                    runbook: runbook.to_owned(),
                    at,
                    targets: targets.into_iter().cloned().collect(),
                })
            })
            .collect();
        worst.sort_by_key(|worst| std::cmp::Reverse(worst.targets.len()));
        worst
    }

    /// What changes from `before` to this.
    pub fn against(&self, before: &Replayed) -> Difference {
        let key = |decision: &Decision| (decision.incident.clone(), decision.at);
        let old: BTreeMap<_, &Decision> =
            before.decisions.iter().map(|decision| (key(decision), decision)).collect();
        let new: BTreeMap<_, &Decision> =
            self.decisions.iter().map(|decision| (key(decision), decision)).collect();
        let mut difference = Difference::default();
        for (key, after) in &new {
            match old.get(key) {
                None => difference.added.push((*after).clone()),
                Some(before) if !before.is_same_work(after) => {
                    difference.changed.push(((*before).clone(), (*after).clone()));
                }
                Some(_) => {}
            }
        }
        for (key, before) in &old {
            if !new.contains_key(key) {
                difference.removed.push((*before).clone());
            }
        }
        difference
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::examples::{RUNBOOK, alert, at};
    use crate::runbook::read;

    fn story(
        id: &str,
        began: i64,
        instance: &str,
        resolved_after: i64,
    ) -> (IncidentId, Vec<Recorded>) {
        let incident = IncidentId::try_from(format!("inc_{id}")).unwrap();
        let alert = alert("slow-api-data", instance);
        let events = [
            (
                0,
                Event::Opened {
                    group_key: alert.group_key(),
                    service: "api".to_owned(),
                    severity: alert.severity,
                    title: alert.title.clone(),
                },
            ),
            (0, Event::AlertFired { alert: Arc::new(alert.clone()) }),
            (
                resolved_after,
                Event::AlertResolved {
                    fingerprint: alert.fingerprint,
                    ends_at: at(began + resolved_after),
                },
            ),
            (resolved_after, Event::Resolved { reason: "over".to_owned() }),
        ];
        let recorded = events
            .into_iter()
            .zip(1..)
            .map(|((after, event), seq)| Recorded {
                incident: incident.clone(),
                seq,
                at: at(began + after),
                event,
                prev: None,
            })
            .collect();
        (incident, recorded)
    }

    fn set(change: &str, to: &str) -> RunbookSet {
        [read(&RUNBOOK.replace(change, to)).unwrap()].into_iter().collect()
    }

    fn stories() -> Vec<(IncidentId, Vec<Recorded>)> {
        vec![
            story("A", 0, "i-0abc12345", 120),
            story("B", 600, "i-0def12345", 180),
            story("C", 90_000, "i-0abc12345", 60),
        ]
    }

    fn play(set: &RunbookSet) -> Replayed {
        let stories = stories();
        replay(stories.iter().map(|(id, events)| (id, events)), set)
    }

    #[test]
    fn what_would_have_been_done_is_listed_with_how_it_ended_by_itself() {
        let replayed = play(&set("", ""));
        assert_eq!(replayed.decisions.len(), 3);
        let first = &replayed.decisions[0];
        assert_eq!(
            (first.runbook.as_str(), first.action.as_str()),
            ("restart-slow-api", "ec2.reboot")
        );
        assert_eq!(first.targets, ["ec2.instance i-0abc12345"]);
        assert_eq!(first.healed_itself_after, Some(SignedDuration::from_secs(120)));
        assert!(first.would_act());
    }

    #[test]
    fn the_worst_moment_counts_distinct_targets_within_the_window() {
        let worst = play(&set("", "")).worst();
        assert_eq!(worst[0].targets.len(), 2);
        assert_eq!(play(&set("window: 1h", "window: 5m")).worst()[0].targets.len(), 1);
    }

    #[test]
    fn the_difference_names_what_is_added_removed_and_changed() {
        let all = play(&set("", ""));
        let none = play(&set("slow-api-data", "other-monitor"));
        assert_eq!(none.decisions.len(), 0);
        assert_eq!(all.against(&none).added.len(), 3);
        assert_eq!(none.against(&all).removed.len(), 3);
        let shadow = play(&set("mode: auto", "mode: shadow"));
        assert_eq!(shadow.against(&all).changed.len(), 3);
        assert!(all.against(&all).added.is_empty());
    }
}
