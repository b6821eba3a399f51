//! Proposals: somebody who may not act asks for a plan. Guards, budgets, approvals and ledger decide as ever.
//!
//! What is proposed is data: names, ids and values. Nothing in it is an expression, and a run that comes of it never
//! goes further than to ask a person, who is somebody else than the proposer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::actions;
use crate::incident::{Event, Incident};
use crate::run::targets_of;
use crate::runbook::{Mode, Runbook, RunbookSet, nearest, read};
use crate::trace::Trace;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Who asks; the record keeps the name.
    pub by: String,
    /// Why; the person who approves reads it.
    pub reason: String,
    /// A runbook that is for an alert of the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// An action, in place of a runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What the action is done to: explicit ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The parameters of the action.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
}

/// A wish that was taken in, until a run begins of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    pub by: String,
    pub reason: String,
    /// What would be done; for an action it was made of the wish.
    pub runbook: Runbook,
}

/// Why a wish is not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProposed {
    /// The wish itself is wrong: the field and the remedy.
    #[error("{0}")]
    Wrong(String),
    /// The incident does not take one now.
    #[error("{0}")]
    NotNow(String),
}

/// More runs of one incident are a person's to begin.
const MOST_RUNS: usize = 16;
const MOST_NAME: usize = 64;
const MOST_REASON: usize = 500;

impl Wish {
    /// The event that takes it in.
    pub fn decide(&self, incident: &Incident, runbooks: &RunbookSet) -> Result<Event, NotProposed> {
        let wrong = |why: String| NotProposed::Wrong(why);
        line("by", &self.by, MOST_NAME).map_err(wrong)?;
        line("reason", &self.reason, MOST_REASON).map_err(wrong)?;
        let runbook = match (&self.runbook, &self.action) {
            (Some(name), None) => self.named(name, runbooks).map_err(wrong)?,
            (None, Some(action)) => self.made_of(action).map_err(wrong)?,
            _ => return Err(wrong("give either `runbook` or `action` with `targets`".to_owned())),
        };
        takes(incident).map_err(NotProposed::NotNow)?;
        targets_of(incident, &runbook).map_err(|why| match &self.runbook {
            Some(name) => {
                wrong(format!("`{name}` is for no firing alert of {}: {why}", incident.id))
            }
            None => wrong(format!("targets: {why}")),
        })?;
        let (by, reason) = (self.by.clone(), self.reason.clone());
        Ok(Event::Proposed { proposal: Box::new(Proposal { by, reason, runbook }) })
    }

    fn named(&self, name: &str, runbooks: &RunbookSet) -> Result<Runbook, String> {
        if !self.targets.is_empty() || !self.with.is_empty() {
            return Err(
                "a runbook has targets and parameters of its own: leave `targets` and `with` out"
                    .to_owned(),
            );
        }
        let found = runbooks.named(name).cloned().ok_or_else(|| {
            let names = runbooks.iter().map(|runbook| runbook.runbook.as_str());
            let hint = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
            format!("runbook: there is no `{name}`{}", hint.unwrap_or_default())
        })?;
        Ok(held_back(found))
    }

    /// A runbook for this one time. Its guards are those that hold where a runbook says nothing.
    fn made_of(&self, name: &str) -> Result<Runbook, String> {
        let action = actions::find(name).ok_or_else(|| {
            let names = actions::ACTIONS.iter().map(|action| action.name());
            let hint = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
            format!("action: there is no `{name}`{}", hint.unwrap_or_default())
        })?;
        if self.targets.is_empty() {
            return Err("targets: name at least one id".to_owned());
        }
        for id in &self.targets {
            action.check_target(id).map_err(|rule| format!("targets: {id:?}: {rule}"))?;
        }
        if self.with.values().any(is_template) {
            return Err("with: a proposal takes values, and no `${...}`".to_owned());
        }
        action.check_parameters(&self.with).map_err(|why| format!("with: {why}"))?;
        let signals = action.signals().iter().take(1).map(|signal| signal.name);
        let signals: Vec<&str> = std::iter::once("alert_resolved").chain(signals).collect();
        let ids = serde_json::to_string(&self.targets).expect("texts are plain data");
        let text = json!({
            "runbook": format!("proposed.{name}"),
            "owner": format!("proposed by {}", self.by),
            "when": "alert.status == 'firing'",
            "mode": Mode::Approve,
            "targets": {action.target_kind(): ids},
            "steps": [{
                "action": name,
                "with": self.with,
                "verify": {"within": "5m", "stable_for": "1m", "all": signals},
            }],
        });
        read(&text.to_string()).map(held_back).map_err(|bad| bad.to_string())
    }
}

/// Whatever the runbook says: never by itself, and never with the proposer's own yes.
fn held_back(mut runbook: Runbook) -> Runbook {
    runbook.mode = Mode::Approve;
    runbook.approvals.not_by_requester = true;
    runbook.settle = jiff::SignedDuration::ZERO;
    runbook
}

fn is_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(is_template),
        Value::Object(members) => members.values().any(is_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn line(field: &str, text: &str, most: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("{field}: it is empty"));
    }
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("{field}: one line of at most {most} characters"));
    }
    Ok(())
}

/// Whether a run may be asked for now.
fn takes(incident: &Incident) -> Result<(), String> {
    if !incident.status.is_live() || !incident.is_firing() {
        return Err(format!(
            "nothing fires in {}: it is {}",
            incident.id,
            incident.status.as_str()
        ));
    }
    if let Some(run) = incident.active_run() {
        return Err(format!("run {} is under way: wait for its end", run.number));
    }
    if let Some(waiting) = &incident.proposed {
        return Err(format!("a proposal of {} is being looked at", waiting.by));
    }
    if let Some(muted) = incident.muted.as_ref().or(incident.resting.as_ref()) {
        return Err(format!("it is muted: {}", muted.reason));
    }
    if incident.runs.len() >= MOST_RUNS {
        return Err(format!("{} runs were tried: this is for a person now", incident.runs.len()));
    }
    Ok(())
}

impl Proposal {
    /// The run that begins of it, driven by whoever asks.
    pub(crate) fn started(&self, incident: &Incident, driver: &str, now: Timestamp) -> Event {
        let decision = format!("proposed by {}: {}", self.by, self.reason);
        Event::RunStarted {
            run: u32::try_from(incident.runs.len()).unwrap_or(u32::MAX).saturating_add(1),
            runbook: Box::new(self.runbook.clone()),
            driver: driver.to_owned(),
            settle_until: now,
            deadline: now + self.runbook.longest(Mode::Approve),
            trace: Trace::of(decision),
            requested_by: Some(self.by.clone()),
            mode: Some(Mode::Approve),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{FLAG_RUNBOOK, RUNBOOK, alert, at};
    use crate::ids::IncidentId;

    fn incident(monitor: &str) -> Incident {
        let opened = Event::Opened {
            group_key: "g".to_owned(),
            service: "checkout".to_owned(),
            severity: crate::alert::Severity::Critical,
            title: "slow".to_owned(),
        };
        let id = IncidentId::try_from("inc_1".to_owned()).unwrap();
        let (incident, _) = Incident::begin(id, opened, at(0)).unwrap();
        let alert = std::sync::Arc::new(alert(monitor, "i-0abc12345"));
        incident.record(Event::AlertFired { alert }, at(1)).unwrap().0
    }

    fn runbooks() -> RunbookSet {
        [read(RUNBOOK).unwrap(), read(FLAG_RUNBOOK).unwrap()].into_iter().collect()
    }

    fn wish(fields: &Value) -> Wish {
        let mut all =
            json!({"by": "triage-bot", "reason": "it was slow before and a reboot helped"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    fn decided(fields: &Value) -> Result<Proposal, String> {
        match wish(fields).decide(&incident("slow-api-data"), &runbooks()) {
            Ok(Event::Proposed { proposal }) => Ok(*proposal),
            Ok(other) => panic!("{other:?}"),
            Err(why) => Err(why.to_string()),
        }
    }

    #[test]
    fn a_runbook_in_auto_mode_is_held_back_to_asking_somebody_else() {
        let proposal = decided(&json!({"runbook": "restart-slow-api"})).unwrap();
        assert_eq!(proposal.runbook.mode, Mode::Approve);
        assert!(proposal.runbook.approvals.hears("Triage-Bot", Some("triage-bot")).is_err());
    }

    #[test]
    fn an_action_becomes_a_runbook_with_the_guards_of_every_other() {
        let asked = json!({"action": "ec2.reboot", "targets": ["i-0abc12345"]});
        let proposal = decided(&asked).unwrap();
        let made = &proposal.runbook;
        assert_eq!((made.mode, made.runbook.as_str()), (Mode::Approve, "proposed.ec2.reboot"));
        let targets = targets_of(&incident("slow-api-data"), made).unwrap();
        assert_eq!(
            targets.iter().map(|target| target.id.as_str()).collect::<Vec<_>>(),
            ["i-0abc12345"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_field() {
        for (asked, expected) in [
            (json!({}), "give either `runbook` or `action`"),
            (json!({"runbook": "restart-slow-ap"}), "did you mean `restart-slow-api`?"),
            (json!({"runbook": "degrade-checkout"}), "is for no firing alert"),
            (json!({"runbook": "restart-slow-api", "targets": ["i-1"]}), "leave `targets`"),
            (
                json!({"action": "ec2.rebot", "targets": ["i-0abc12345"]}),
                "did you mean `ec2.reboot`?",
            ),
            (json!({"action": "ec2.reboot"}), "targets: name at least one id"),
            (json!({"action": "ec2.reboot", "targets": ["*"]}), "targets: \"*\""),
            (
                json!({"action": "ec2.reboot", "targets": ["i-0abc12345"], "with": {"force": true}}),
                "`force`",
            ),
            (json!({"by": " ", "runbook": "restart-slow-api"}), "by: it is empty"),
            (json!({"reason": "a\nb", "runbook": "restart-slow-api"}), "reason: one line"),
        ] {
            let said = decided(&asked).unwrap_err();
            assert!(said.contains(expected), "{asked}: {said}");
        }
    }

    #[test]
    fn text_that_looks_like_code_stays_text_or_is_refused() {
        let flag = "http://127.0.0.1:1/admin/flags/a";
        let asked = |value: &str| {
            decided(
                &json!({"action": "http.set_flag", "targets": [flag], "with": {"value": value}}),
            )
        };
        assert!(asked("${alert.title}").unwrap_err().contains("no `${...}`"));
        let proposal = asked("') || true //").unwrap();
        assert_eq!(proposal.runbook.steps[0].with["value"], "') || true //");
        let bad = decided(
            &json!({"action": "http.set_flag", "targets": ["http://a/\"] + [\"http://b/"], "with": {"value": true}}),
        );
        assert!(bad.is_err(), "{bad:?}");
    }

    #[test]
    fn one_at_a_time_and_only_while_it_fires() {
        let incident = incident("slow-api-data");
        let asked = wish(&json!({"runbook": "restart-slow-api"}));
        let event = asked.decide(&incident, &runbooks()).unwrap();
        let (proposed, _) = incident.clone().record(event, at(2)).unwrap();
        let again = asked.decide(&proposed, &runbooks()).unwrap_err();
        assert!(
            matches!(&again, NotProposed::NotNow(why) if why.contains("triage-bot")),
            "{again}"
        );
        let over = Event::Resolved { reason: "over".to_owned() };
        let fingerprint = incident.alerts.keys().next().unwrap().clone();
        let ended = Event::AlertResolved { fingerprint, ends_at: at(3) };
        let (over, _) = incident.record(ended, at(3)).unwrap().0.record(over, at(3)).unwrap();
        assert!(
            asked.decide(&over, &runbooks()).unwrap_err().to_string().contains("nothing fires")
        );
    }
}
