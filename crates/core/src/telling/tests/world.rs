//! A virtual clock, one incident and a few channels: what is told, to whom, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::super::{Circumstances, Message, Mutes, Says, due};
use crate::alert::{Alert, Severity};
use crate::channels::Channels;
use crate::evidence::{Effect, Verdict};
use crate::examples::{FLAG_RUNBOOK, at, draft};
use crate::fingerprint::Fingerprint;
use crate::incident::{Event, Incident, Recorded};
use crate::policy;
use crate::routing::{Hush, Routes};
use crate::runbook;
use crate::trace::Trace;

/// What one channel was told, with the names of the alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) at: i64,
    pub(super) channel: String,
    /// A reason, or the name of an alarm.
    pub(super) why: String,
    pub(super) firing: String,
    pub(super) resolved: String,
    pub(super) id: String,
}

pub(super) struct World {
    pub(super) incident: Option<Incident>,
    now: i64,
    channels: Channels,
    routes: Routes,
    pub(super) mutes: Mutes,
    names: BTreeMap<Fingerprint, String>,
    timers: BTreeMap<String, Timestamp>,
    /// How many of the next sends to a channel fail.
    pub(super) failing: BTreeMap<String, u32>,
    /// What happens while the next message is under way.
    pub(super) meanwhile: Vec<(&'static str, Doing)>,
    pub(super) told: Vec<Told>,
    pub(super) attempts: usize,
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Fires,
    Resolves,
}

pub(super) const HOUR: i64 = 3600;

pub(super) const ONE_CHANNEL: &str = r#"{"chat": {"kind": "sns"}}"#;

impl World {
    pub(super) fn new(channels: &str, policy: &str) -> Self {
        let policy = policy::read(policy).unwrap_or_else(|bad| panic!("{bad}"));
        Self {
            incident: None,
            now: 0,
            channels: serde_json::from_str(channels).unwrap(),
            routes: Routes::of(&policy),
            mutes: Mutes::default(),
            names: BTreeMap::new(),
            timers: BTreeMap::new(),
            failing: BTreeMap::new(),
            meanwhile: Vec::new(),
            told: Vec::new(),
            attempts: 0,
            notes: Vec::new(),
        }
    }

    /// One channel, `group_wait` 30 s, `group_interval` 5 min, `repeat_interval` 4 h.
    pub(super) fn usual() -> Self {
        Self::new(ONE_CHANNEL, "route: {}")
    }

    pub(super) fn incident(&self) -> &Incident {
        self.incident.as_ref().expect("something fired")
    }

    pub(super) fn happens(&mut self, event: Event) {
        let incident = "inc_1".to_owned().try_into().unwrap();
        let seq = self.incident.as_ref().map_or(1, |incident| incident.version + 1);
        let recorded = Recorded { incident, seq, at: at(self.now), event, prev: None };
        self.incident = Some(match self.incident.take() {
            None => Incident::open(&recorded).unwrap(),
            Some(incident) => incident.apply(&recorded).unwrap(),
        });
    }

    pub(super) fn alert(&mut self, name: &str, severity: Severity) -> Alert {
        let mut draft = draft(name, name);
        draft.starts_at = at(self.now);
        draft.severity = severity;
        draft.labels.insert("name".to_owned(), name.to_owned());
        let alert = draft.seal();
        self.names.insert(alert.fingerprint.clone(), name.to_owned());
        alert
    }

    pub(super) fn fires(&mut self, name: &str) {
        let alert = self.alert(name, Severity::Warning);
        self.fires_as(alert);
    }

    pub(super) fn fires_as(&mut self, alert: Alert) {
        self.record_fired(alert);
        self.look_at_all();
    }

    fn record_fired(&mut self, alert: Alert) {
        match self.incident.as_ref().map(|incident| incident.status.is_live()) {
            None => self.happens(Event::Opened {
                group_key: "g".to_owned(),
                service: alert.service.clone(),
                severity: alert.severity,
                title: alert.title.clone(),
            }),
            Some(false) => self.happens(Event::Reopened { reason: "again".to_owned() }),
            Some(true) => {}
        }
        self.happens(Event::AlertFired { alert: Arc::new(alert) });
    }

    pub(super) fn resolves(&mut self, name: &str) {
        self.record_resolved(name);
        self.look_at_all();
    }

    fn record_resolved(&mut self, name: &str) {
        let fingerprint = self.fingerprint(name);
        self.happens(Event::AlertResolved { fingerprint, ends_at: at(self.now) });
        if !self.incident().is_firing() {
            self.happens(Event::Resolved { reason: "every alert is resolved".to_owned() });
        }
    }

    pub(super) fn fingerprint(&self, name: &str) -> Fingerprint {
        let known = self.names.iter().find(|(_, known)| *known == name);
        known.expect("it fired before").0.clone()
    }

    pub(super) fn mutes(&mut self, name: &str) {
        let hush = Hush { because: "a silence".to_owned(), until: None };
        self.mutes.muted.insert(self.fingerprint(name), hush);
    }

    pub(super) fn unmutes(&mut self, name: &str) {
        self.mutes.muted.remove(&self.fingerprint(name));
    }

    /// A runbook acts and does harm.
    pub(super) fn is_harmed(&mut self) {
        self.happens(Event::RunStarted {
            run: 1,
            runbook: Box::new(runbook::read(FLAG_RUNBOOK).unwrap()),
            driver: "d".to_owned(),
            settle_until: at(0),
            deadline: at(HOUR),
            trace: Trace::default(),
            requested_by: None,
            mode: None,
        });
        let verdict = Verdict {
            effect: Effect::Harmful,
            reason: "worse".to_owned(),
            evidence: Vec::new(),
            counterfactual: None,
        };
        self.happens(Event::StepHarmful { run: 1, step: 0, verdict });
        self.look_at_all();
    }

    pub(super) fn due(&self, channel: &str) -> super::super::Due {
        let with =
            Circumstances { channels: &self.channels, routes: &self.routes, mutes: &self.mutes };
        due(self.incident(), channel, with, at(self.now))
    }

    /// Tells every channel what is due now, in an order that must not matter.
    pub(super) fn look_at_all(&mut self) {
        let mut names: Vec<String> = self.channels.keys().cloned().collect();
        if self.incident().version.is_multiple_of(2) {
            names.reverse();
        }
        for name in names {
            self.look(&name);
        }
    }

    pub(super) fn look(&mut self, channel: &str) {
        for _ in 0..12 {
            let due = self.due(channel);
            let Some(message) = due.message else {
                match due.next_at {
                    Some(next) => self.timers.insert(channel.to_owned(), next),
                    None => self.timers.remove(channel),
                };
                return;
            };
            self.send(channel, &message);
        }
        panic!("{channel} is told without an end: {:#?}", self.told);
    }

    fn send(&mut self, channel: &str, message: &Message) {
        self.attempts += 1;
        for (name, doing) in std::mem::take(&mut self.meanwhile) {
            match doing {
                Doing::Fires => {
                    let alert = self.alert(name, Severity::Warning);
                    self.record_fired(alert);
                }
                Doing::Resolves => self.record_resolved(name),
            }
        }
        let fails = self.failing.get_mut(channel).filter(|left| **left > 0);
        let delivered = fails.map(|left| *left -= 1).is_none();
        let flush = match &message.says {
            Says::Alarm(_) => None,
            Says::Flush(flush) | Says::Silently(flush) => Some(Box::new(flush.clone())),
        };
        if delivered {
            self.told.push(self.transcript(channel, message));
            self.notes.extend(message.notes.clone());
        }
        self.happens(Event::Notified {
            channel: channel.to_owned(),
            about: message.about,
            delivered,
            detail: String::new(),
            refused: false,
            flush,
        });
    }

    fn transcript(&self, channel: &str, message: &Message) -> Told {
        let name = |of: &Fingerprint| self.names[of].clone();
        let (why, firing, resolved): (String, Vec<String>, Vec<String>) = match &message.says {
            Says::Alarm(urgent) => {
                let why = serde_json::to_value(&urgent.what).unwrap()["type"].clone();
                (why.as_str().unwrap().to_owned(), Vec::new(), Vec::new())
            }
            Says::Flush(flush) => (
                flush.because.as_str().to_owned(),
                flush.firing.keys().map(name).collect(),
                flush.resolved.iter().map(name).collect(),
            ),
            Says::Silently(flush) => {
                (format!("silent {}", flush.because.as_str()), Vec::new(), Vec::new())
            }
        };
        let sorted = |names: Vec<String>| {
            names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
        };
        Told {
            at: self.now,
            channel: channel.to_owned(),
            why,
            firing: sorted(firing),
            resolved: sorted(resolved),
            id: message.id.clone(),
        }
    }

    /// Lets time pass; every timer is kept on its second.
    pub(super) fn until(&mut self, seconds: i64) {
        loop {
            let next = self.timers.iter().min_by_key(|(_, next)| **next);
            let Some((channel, next)) = next.map(|(channel, next)| (channel.clone(), *next)) else {
                break;
            };
            if next > at(seconds) {
                break;
            }
            self.now = self.now.max(next.duration_since(at(0)).as_secs());
            self.look(&channel);
        }
        self.now = seconds;
    }

    /// As [`until`](Self::until), but nobody looks: the process is down. What is left of it is its record.
    pub(super) fn down_until(&mut self, seconds: i64) {
        let record = serde_json::to_string(self.incident()).unwrap();
        self.incident = Some(serde_json::from_str(&record).unwrap());
        self.timers.clear();
        self.now = seconds;
        self.look_at_all();
    }

    pub(super) fn timer(&self, channel: &str) -> Option<i64> {
        self.timers.get(channel).map(|next| next.duration_since(at(0)).as_secs())
    }

    /// `time reason firing/resolved` of each message.
    pub(super) fn story(&self) -> Vec<String> {
        self.told
            .iter()
            .map(|told| format!("{} {} {}/{}", told.at, told.why, told.firing, told.resolved))
            .collect()
    }
}
