//! The working set of a batch: what was read, and what its alerts make of it before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firebreak_core::alert::Alert;
use firebreak_core::fingerprint::Fingerprint;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{
    Event, Growth, Incident, Intake, IntakeVerdict, MOST_SETTLED, Received, Seen, receive, settle,
    settle_mutes,
};
use firebreak_core::muting::{MuteFacts, needs_live};
use firebreak_core::routing::Routes;
use firebreak_core::shared_cause::DomainKey;
use jiff::Timestamp;

use super::Ingest;
use super::batch::Taken;
use crate::ids;
use crate::muting;
use crate::ports::{Append, Slot, SlotKey, SlotWrite, StoreError};
use crate::record::append_of_growth;
use crate::shared_cause::domains;

/// An alert with the keys under which its place is looked for.
pub(super) struct Keyed<'a> {
    pub(super) alert: &'a Arc<Alert>,
    own: SlotKey,
    group: String,
    /// The slot of the group.
    slot: SlotKey,
}

impl<'a> Keyed<'a> {
    pub(super) fn new(alert: &'a Arc<Alert>, routes: &Routes) -> Self {
        let group = routes.group_key(alert);
        Self {
            alert,
            own: SlotKey::Fingerprint(alert.fingerprint.clone()),
            slot: SlotKey::Group(group.clone()),
            group,
        }
    }
}

/// What one alert of the batch comes to.
pub(super) enum Placed {
    /// Nothing is to be written for it.
    Settled(Taken),
    /// Its answer is good once an append of this batch is written.
    Hanging,
    /// The append that it belongs to is full: its turn comes when that is written.
    Later,
}

/// An append in the making, with the alerts whose answers hang on it.
pub(super) struct Work {
    pub(super) append: Append,
    pub(super) hanging: Vec<(usize, Taken)>,
}

/// Incidents and slots as they were read, and as the alerts decided so far leave them.
pub(super) struct Working<'a> {
    ingest: Ingest<'a>,
    now: Timestamp,
    /// As they are stored.
    slots: BTreeMap<SlotKey, Slot>,
    /// What this batch would make of slots.
    moved: BTreeMap<SlotKey, Slot>,
    incidents: BTreeMap<IncidentId, Growth>,
    /// What may mute the alerts, read when the first of them changes anything.
    mutes: Option<MuteFacts<'a>>,
    /// The incidents in which something fires that changed anything.
    stirred: BTreeSet<IncidentId>,
    /// One of the alerts whose mutes depend on other incidents.
    depends: Option<&'a Alert>,
    /// The failure domains of the alerts that may be news.
    domains: BTreeSet<DomainKey>,
    /// The answers that are good once an incident's append is written.
    hanging: BTreeMap<IncidentId, Vec<(usize, Taken)>>,
}

impl<'a> Working<'a> {
    /// Reads in two steps whatever the alerts are likely to need: slots, then incidents.
    pub(super) async fn read(
        ingest: Ingest<'a>,
        alerts: impl Iterator<Item = &'a Keyed<'a>> + Clone,
    ) -> Result<Self, StoreError> {
        let firing = alerts.clone().filter(|keyed| keyed.alert.is_firing());
        let mut keys: Vec<SlotKey> = alerts.clone().map(|keyed| keyed.own.clone()).collect();
        keys.extend(firing.map(|keyed| keyed.slot.clone()));
        keys.sort_unstable();
        keys.dedup();
        let slots = ingest.store.find_all(&keys).await?;
        let depends = alerts
            .clone()
            .map(|keyed| &**keyed.alert)
            .find(|alert| alert.is_firing() && needs_live(ingest.policy, alert));
        let news = alerts.clone().filter(|keyed| {
            let own = slots.get(&keyed.own);
            keyed.alert.is_firing() && !own.is_some_and(|slot| is_repeat(slot, keyed.alert))
        });
        let domains = domains(ingest.policy, news.map(|keyed| &**keyed.alert));
        let likely = alerts.filter_map(|keyed| match slots.get(&keyed.own) {
            Some(slot) if is_repeat(slot, keyed.alert) => None,
            Some(slot) => Some(slot),
            None if keyed.alert.is_firing() => slots.get(&keyed.slot),
            None => None,
        });
        let mut wanted: Vec<IncidentId> = likely.map(|slot| slot.incident.clone()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let incidents = match ingest.store.load_all(&wanted).await {
            Ok(loaded) => loaded.into_iter().map(|(id, found)| (id, Growth::of(found))).collect(),
            // One of them cannot be read: those that can are read one by one as they are asked for.
            Err(StoreError::Corrupt(_)) => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let now = ingest.clock.now();
        Ok(Self {
            ingest,
            now,
            slots,
            moved: BTreeMap::new(),
            incidents,
            mutes: None,
            stirred: BTreeSet::new(),
            depends,
            domains,
            hanging: BTreeMap::new(),
        })
    }

    /// Decides about the alert at `index` as if all that was decided before were written.
    ///
    /// An alert is looked for by its own fingerprint first: a resolve may carry less than its firing did, so
    /// that its group would differ. Only an alert that has no place of its own is looked for by group.
    pub(super) async fn place(
        &mut self,
        index: usize,
        keyed: &Keyed<'_>,
    ) -> Result<Placed, StoreError> {
        let alert = keyed.alert;
        let own = self.slot(&keyed.own);
        let is_known = own.is_some_and(|slot| is_repeat(slot, alert));
        let own = own.map(|slot| slot.incident.clone());
        if is_known {
            let taken = Taken { incident_id: own, outcome: IntakeVerdict::Duplicate };
            return Ok(self.without_events(index, taken));
        }
        // What has no place of its own can only open or join one.
        if own.is_some() || !alert.is_firing() {
            let received = self.receive(own.as_ref(), keyed).await?;
            if !matches!(received, Received::Open { .. }) {
                return Ok(self.carry_out(index, keyed, own, received).await);
            }
        }
        let group = self.slot(&keyed.slot).map(|slot| slot.incident.clone());
        let received = self.receive(group.as_ref(), keyed).await?;
        Ok(self.carry_out(index, keyed, group, received).await)
    }

    /// Reads what may mute the alerts of this batch, once.
    async fn read_mutes(&mut self) {
        if self.mutes.is_none() {
            let (store, policy, now) = (self.ingest.store, self.ingest.policy, self.now);
            self.mutes = Some(muting::read(store, policy, self.depends, &self.domains, now).await);
        }
    }

    /// Everything that is to be written, with the alerts that each append answers.
    pub(super) fn into_works(mut self) -> Vec<Work> {
        let mut works = Vec::new();
        for (id, mut growth) in std::mem::take(&mut self.incidents) {
            if growth.events.is_empty() {
                continue;
            }
            self.settle_mutes(&mut growth);
            let mut append = append_of_growth(growth, |fingerprint| self.held(fingerprint));
            append.slots.extend(self.group_slots(&id));
            works.push(Work { append, hanging: self.hanging.remove(&id).unwrap_or_default() });
        }
        works
    }

    /// Once for all that fired in the incident since the last time.
    fn settle_mutes(&mut self, growth: &mut Growth) {
        if self.stirred.remove(&growth.incident.id)
            && let Some(mutes) = &self.mutes
        {
            settle_mutes(growth, mutes, self.now);
        }
    }

    fn slot(&self, key: &SlotKey) -> Option<&Slot> {
        self.moved.get(key).or_else(|| self.slots.get(key))
    }

    /// Where the stored slot of an alert points.
    fn held(&self, fingerprint: &Fingerprint) -> Option<IncidentId> {
        let key = SlotKey::Fingerprint(fingerprint.clone());
        self.slots.get(&key).map(|slot| slot.incident.clone())
    }

    /// The groups that lead to `id` from now on.
    fn group_slots(&self, id: &IncidentId) -> Vec<SlotWrite> {
        let groups = self
            .moved
            .iter()
            .filter(|(key, slot)| matches!(key, SlotKey::Group(_)) && slot.incident == *id);
        let write = |key: &SlotKey| SlotWrite {
            key: key.clone(),
            expected: self.slots.get(key).map(|slot| slot.incident.clone()),
            incident: id.clone(),
            seen: None,
        };
        groups.map(|(key, _)| write(key)).collect()
    }

    async fn receive(
        &mut self,
        id: Option<&IncidentId>,
        keyed: &Keyed<'_>,
    ) -> Result<Received, StoreError> {
        let (reopen_within, now) = (self.ingest.reopen_within, self.now);
        let incident = match id {
            Some(id) => self.incident(id).await?,
            None => None,
        };
        Ok(receive(incident, keyed.alert, &keyed.group, reopen_within, now))
    }

    /// An incident that cannot be read is no place for an alert: the alert opens a new one, and is not lost.
    async fn incident(&mut self, id: &IncidentId) -> Result<Option<&Incident>, StoreError> {
        if !self.incidents.contains_key(id) {
            match self.ingest.store.load(id).await {
                Ok(Some(found)) => {
                    self.incidents.insert(id.clone(), Growth::of(found));
                }
                Ok(None) => {}
                Err(StoreError::Corrupt(why)) => {
                    tracing::error!(incident = %id, why, "an incident cannot be read; its alerts go to a new one");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.incidents.get(id).map(|growth| &growth.incident))
    }

    /// `place` is where the alert was looked for.
    async fn carry_out(
        &mut self,
        index: usize,
        keyed: &Keyed<'_>,
        place: Option<IncidentId>,
        received: Received,
    ) -> Placed {
        let (growth, verdict, events) = match received {
            Received::Nothing { verdict: outcome } => {
                return self.without_events(index, Taken { incident_id: place, outcome });
            }
            Received::Append { verdict, events } => {
                let room = |growth: &Growth| has_room(growth, events.len());
                let Some(growth) = place.and_then(|id| self.take_out(&id, room)) else {
                    return Placed::Later;
                };
                (growth, verdict, events)
            }
            Received::Open { events } => {
                let id = ids::incident_id_of(self.now, self.ingest.clock.chance());
                let slot = Slot { incident: id.clone(), seen: None };
                self.moved.insert(keyed.slot.clone(), slot);
                (Growth::opened(id, events, self.now), IntakeVerdict::Opened, Vec::new())
            }
        };
        self.grow(index, keyed, growth, events, verdict).await
    }

    /// The incident out of the set, if it is as `wanted`.
    fn take_out(&mut self, id: &IncidentId, wanted: impl Fn(&Growth) -> bool) -> Option<Growth> {
        self.incidents.get(id).is_some_and(wanted).then(|| self.incidents.remove(id))?
    }

    async fn grow(
        &mut self,
        index: usize,
        keyed: &Keyed<'_>,
        mut growth: Growth,
        events: Vec<Event>,
        verdict: IntakeVerdict,
    ) -> Placed {
        let (alert, now) = (keyed.alert, self.now);
        let id = growth.incident.id.clone();
        let outcome = if alert.is_firing() {
            self.read_mutes().await;
            let own = self.slot(&keyed.own).and_then(|slot| self.incidents.get(&slot.incident));
            let own = own.map(|own| &own.incident);
            let unread = MuteFacts::unread(self.ingest.policy);
            let facts = self.mutes.as_ref().unwrap_or(&unread);
            let muted = settle(&mut growth, events, Intake { alert, own }, facts, now);
            self.stirred.insert(id.clone());
            if muted { IntakeVerdict::Suppressed } else { verdict }
        } else {
            // What was muted was so until this very resolve.
            self.settle_mutes(&mut growth);
            growth = growth.with(events, now);
            verdict
        };
        let seen = growth.incident.alerts.get(&alert.fingerprint).map(Seen::of);
        self.moved.insert(keyed.own.clone(), Slot { incident: id.clone(), seen });
        self.incidents.insert(id.clone(), growth);
        let taken = Taken { incident_id: Some(id.clone()), outcome };
        self.hanging.entry(id).or_default().push((index, taken));
        Placed::Hanging
    }

    /// An answer that changes nothing is good at once, unless it is about what this batch is going to write.
    fn without_events(&mut self, index: usize, taken: Taken) -> Placed {
        let growing = taken
            .incident_id
            .as_ref()
            .filter(|id| self.incidents.get(*id).is_some_and(|growth| !growth.events.is_empty()));
        match growing.cloned() {
            Some(id) => {
                self.hanging.entry(id).or_default().push((index, taken));
                Placed::Hanging
            }
            None => Placed::Settled(taken),
        }
    }
}

/// Whether an append can take so many more events; each of them may bring the write of a slot.
fn has_room(growth: &Growth, more: usize) -> bool {
    2 * (growth.events.len() + more + MOST_SETTLED) + 2 <= Append::MOST_WRITES
}

fn is_repeat(slot: &Slot, alert: &Alert) -> bool {
    slot.seen.as_ref().is_some_and(|seen| seen.is_repeated_by(alert))
}
