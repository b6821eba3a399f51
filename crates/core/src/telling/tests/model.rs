//! Alertmanager's dispatcher and dedup stage in small, for one group and one receiver, to be compared with.

use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Model {
    wait: i64,
    interval: i64,
    repeat: i64,
    send_resolved: bool,
    group: Option<Group>,
    log: Option<Entry>,
    pub(super) told: Vec<String>,
}

struct Group {
    /// Name → when it ended, if it did.
    alerts: BTreeMap<String, Option<i64>>,
    timer: i64,
}

struct Entry {
    firing: BTreeSet<String>,
    at: i64,
}

impl Model {
    pub(super) fn new(wait: i64, interval: i64, repeat: i64, send_resolved: bool) -> Self {
        let (group, log) = (None, None);
        Self { wait, interval, repeat, send_resolved, group, log, told: Vec::new() }
    }

    /// An alert comes in: a new group waits, one that exists takes it along.
    pub(super) fn insert(&mut self, now: i64, name: &str, ended: Option<i64>) {
        if self.group.is_none() && ended.is_some() {
            // A resolve of what a flush has told of already.
            return;
        }
        let first = now + self.wait;
        let new = || Group { alerts: BTreeMap::new(), timer: first };
        self.group.get_or_insert_with(new).alerts.insert(name.to_owned(), ended);
    }

    pub(super) fn until(&mut self, now: i64) {
        while let Some(timer) = self.group.as_ref().map(|group| group.timer)
            && timer <= now
        {
            self.flush(timer);
        }
    }

    fn flush(&mut self, now: i64) {
        let Some(group) = self.group.as_mut() else { return };
        group.timer = now + self.interval;
        let is_firing = |ended: &&Option<i64>| ended.is_none_or(|ended| ended > now);
        let firing: BTreeSet<String> = group
            .alerts
            .iter()
            .filter(|(_, ended)| is_firing(ended))
            .map(|(name, _)| name.clone())
            .collect();
        let resolved: BTreeSet<String> =
            group.alerts.keys().filter(|name| !firing.contains(*name)).cloned().collect();
        if let Some(reason) = self.needs_update(&firing, &resolved, now) {
            let names = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(" ");
            self.told.push(format!("{now} {reason} {}", names(&firing)));
            self.log = Some(Entry { firing: firing.clone(), at: now });
        }
        // The flush succeeded: what is over is forgotten, and an empty group with it.
        if let Some(group) = self.group.as_mut() {
            group.alerts.retain(|name, _| firing.contains(name));
            if group.alerts.is_empty() {
                self.group = None;
            }
        }
    }

    fn needs_update(
        &self,
        firing: &BTreeSet<String>,
        resolved: &BTreeSet<String>,
        now: i64,
    ) -> Option<&'static str> {
        let Some(entry) = &self.log else { return (!firing.is_empty()).then_some("first") };
        if !firing.is_subset(&entry.firing) {
            return Some(if entry.firing.is_empty() { "first" } else { "new_alerts" });
        }
        if firing.is_empty() {
            let silent = if self.send_resolved { "all_resolved" } else { "silent all_resolved" };
            return (!entry.firing.is_empty()).then_some(silent);
        }
        // Ours: only of those that were told. Alertmanager compares with the resolved ones of the entry.
        if self.send_resolved && !resolved.is_disjoint(&entry.firing) {
            return Some("some_resolved");
        }
        (entry.at + self.repeat <= now).then_some("repeat")
    }
}
