//! The provider of a simulated world: instances that fall ill and hands that act on them, with every way in
//! which a provider can disappoint: lost answers, throttling, slowness, stale and untrue readings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use firebreak_core::evidence::{
    Circumstances, Evidence, Fact, Group, Observation, Questions, Reading,
};
use firebreak_core::guards::RowPermit;
use firebreak_core::ledger::Row;
use firebreak_core::runbook::Step;
use firebreak_core::target::Target;
use firebreak_engine::ports::{ApplyError, Clock as _, Hands, ReadError};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::kernel::{Kernel, Touch};
use crate::mutant::Mutant;
use crate::scenario::Provider as Temper;

/// What a reboot does to an instance that is ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    RebootHeals,
    /// Nothing that we can do helps.
    Deeper,
    /// It passes by itself at this time.
    PassesAt(Timestamp),
}

/// One instance, as it really is.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub ill: Option<Cause>,
    /// Grows when the instance is replaced by another of the same name.
    pub launch: u32,
    pub calls: u32,
    in_flight: u32,
}

/// Cheap to clone; all clones are one provider.
#[derive(Clone)]
pub(crate) struct Provider {
    kernel: Kernel,
    temper: Temper,
    mutant: Option<Mutant>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    instances: BTreeMap<String, Instance>,
    faults: Vec<String>,
}

impl Provider {
    pub(crate) fn new(
        kernel: Kernel,
        temper: Temper,
        mutant: Option<Mutant>,
        count: usize,
    ) -> Self {
        let instances = (0..count).map(|at| {
            let id = format!("i-{at:017x}");
            (id, Instance { ill: None, launch: 1, calls: 0, in_flight: 0 })
        });
        let state = State { instances: instances.collect(), faults: Vec::new() };
        Self { kernel, temper, mutant, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.state().instances.keys().cloned().collect()
    }

    /// Broken promises that only the provider can see.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    pub(crate) fn calls(&self, id: &str) -> u32 {
        self.state().instances.get(id).map_or(0, |instance| instance.calls)
    }

    /// Whether it is ill now; what passes by itself may have passed.
    pub(crate) fn is_ill(&self, id: &str) -> bool {
        let now = self.kernel.now();
        let mut state = self.state();
        let Some(instance) = state.instances.get_mut(id) else { return false };
        if matches!(instance.ill, Some(Cause::PassesAt(at)) if at <= now) {
            instance.ill = None;
        }
        instance.ill.is_some()
    }

    pub(crate) fn falls_ill(&self, id: &str, cause: Cause) {
        if let Some(instance) = self.state().instances.get_mut(id) {
            instance.ill = Some(cause);
        }
    }

    pub(crate) fn heals(&self, id: &str) {
        if let Some(instance) = self.state().instances.get_mut(id) {
            instance.ill = None;
        }
    }

    /// Another instance under the same name.
    pub(crate) fn is_replaced(&self, id: &str) {
        if let Some(instance) = self.state().instances.get_mut(id) {
            instance.launch += 1;
            instance.ill = None;
        }
    }

    async fn slow(&self) {
        if self.kernel.often(self.temper.slow) {
            self.kernel.sleep(self.kernel.up_to(SignedDuration::from_secs(40))).await;
        }
        self.kernel.step(Touch::Provider).await;
    }

    /// A call that nobody wrote down: only a mutant makes it.
    pub(crate) async fn reboot_unasked(&self, id: &str) {
        self.reboot(id).await;
    }

    /// One call as it goes over the wire. `true`: the answer came back.
    async fn reboot(&self, id: &str) -> bool {
        let under_way = UnderWay::begin(self, id);
        self.slow().await;
        if let Some(instance) = self.state().instances.get_mut(id) {
            instance.calls += 1;
            if instance.ill == Some(Cause::RebootHeals) {
                instance.ill = None;
            }
        }
        self.kernel.say(|| format!("  the provider reboots {id}"));
        self.slow().await;
        drop(under_way);
        !self.kernel.often(self.temper.lost_reply)
    }
}

/// A call that is under way; it ends when this is dropped, as when its worker dies.
struct UnderWay<'a> {
    provider: &'a Provider,
    id: String,
}

impl<'a> UnderWay<'a> {
    fn begin(provider: &'a Provider, id: &str) -> Self {
        let mut state = provider.state();
        let mut others = 0;
        if let Some(instance) = state.instances.get_mut(id) {
            others = instance.in_flight;
            instance.in_flight += 1;
        }
        if others > 0 {
            state.faults.push(format!("two actions at once on {id}"));
        }
        drop(state);
        Self { provider, id: id.to_owned() }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(instance) = self.provider.state().instances.get_mut(&self.id) {
            instance.in_flight = instance.in_flight.saturating_sub(1);
        }
    }
}

/// The hands of `ec2.reboot` in this world.
pub(crate) struct Reboot(pub Provider);

#[async_trait]
impl Hands for Reboot {
    fn action(&self) -> &'static str {
        "ec2.reboot"
    }

    async fn observe(
        &self,
        target: &Target,
        asked: Questions<'_>,
    ) -> Result<Observation, ReadError> {
        let provider = &self.0;
        provider.slow().await;
        if provider.kernel.often(provider.temper.throttled) {
            return Err(ReadError("throttled".to_owned()));
        }
        let state = provider.state();
        let members = u32::try_from(state.instances.len()).unwrap_or(u32::MAX);
        let is_well = |instance: &Instance| instance.ill.is_none() && instance.in_flight == 0;
        let healthy: BTreeSet<String> = state
            .instances
            .iter()
            .filter(|(_, instance)| is_well(instance))
            .map(|(id, _)| id.clone())
            .take(Group::MOST_NAMED)
            .collect();
        let circumstances = Circumstances {
            changed: Fact::Known(None),
            deployment: Fact::Known(None),
            healthy: Fact::Known(healthy.contains(&target.id)),
        };
        let launch =
            state.instances.get(&target.id).map(|instance| format!("launch-{}", instance.launch));
        Ok(Observation {
            target: target.clone(),
            identity: launch,
            tags: [("firebreak", "allow"), ("service", "api")]
                .map(|(tag, value)| (tag.to_owned(), value.to_owned()))
                .into(),
            group: asked.group.map(|group| Group {
                key: format!("{group}=api"),
                members,
                healthy: Fact::Known(healthy),
            }),
            circumstances,
            captured: json!(null),
            seen_at: provider.kernel.now(),
        })
    }

    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError> {
        let provider = &self.0;
        provider.slow().await;
        if provider.kernel.often(provider.temper.throttled) {
            return Err(ApplyError::Refused("throttled, nothing was done".to_owned()));
        }
        let id = &permit.target().id;
        if provider.reboot(id).await {
            return Ok("accepted".to_owned());
        }
        if provider.mutant == Some(Mutant::RetriesUnknown) && provider.reboot(id).await {
            return Ok("accepted at the second try".to_owned());
        }
        Err(ApplyError::Unknown("no answer".to_owned()))
    }

    async fn check(&self, row: &Row, step: &Step) -> Vec<Evidence> {
        let provider = &self.0;
        provider.slow().await;
        let id = &row.planned.target.id;
        let ill = provider.is_ill(id);
        let lies = provider.kernel.often(provider.temper.lies);
        let reading = if provider.kernel.often(provider.temper.throttled) {
            Reading::Unreadable
        } else if ill == lies {
            Reading::Good
        } else {
            Reading::Bad
        };
        step.spec()
            .signals()
            .iter()
            .map(|signal| Evidence {
                signal: signal.name.to_owned(),
                target: Some(row.planned.target.clone()),
                reading,
                detail: if ill { "impaired" } else { "ok" }.to_owned(),
                at: provider.kernel.now(),
            })
            .collect()
    }

    async fn undo(&self, _row: &Row, _step: &Step) -> Result<String, ReadError> {
        Err(ReadError("a reboot cannot be undone".to_owned()))
    }
}
