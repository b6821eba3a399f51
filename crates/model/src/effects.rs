//! The provider of the model: a set of effects, under way or landed, and hands that make them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use firebreak_core::evidence::{
    Circumstances, Evidence, Fact, Group, Observation, Questions, Reading,
};
use firebreak_core::guards::RowPermit;
use firebreak_core::ledger::Row;
use firebreak_core::run::{Order, Work};
use firebreak_core::runbook::Step;
use firebreak_core::target::Target;
use firebreak_engine::ports::{ApplyError, Clock as _, Hands, ReadError};
use firebreak_simulator::{Kernel, Touch};
use jiff::Timestamp;
use serde_json::json;

/// One call that reached the provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Effect {
    pub target: String,
    /// Which incident, run and row it was made for.
    pub incident: usize,
    pub run: u32,
    pub row: usize,
    /// The fence of the order that it was made by.
    pub fence: u64,
    pub began: Timestamp,
    /// The worker that waits for its reply; none where that one died.
    pub worker: Option<usize>,
}

/// What the provider is at and what it has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Effects {
    pub under_way: Vec<Effect>,
    pub landed: Vec<Effect>,
    /// The next reply does not reach its caller.
    pub losing: bool,
}

impl Effects {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Effect> {
        self.landed.iter().chain(&self.under_way)
    }

    pub(crate) fn land(&mut self, at: usize) {
        let effect = self.under_way.remove(at);
        self.landed.push(effect);
    }
}

/// The hands of `ec2.reboot` as one worker has them for one operation.
#[derive(Clone)]
pub(crate) struct Reboot {
    pub kernel: Kernel,
    pub effects: Arc<Mutex<Effects>>,
    pub worker: usize,
    pub incident: usize,
    pub order: Option<Order>,
    /// How many members the group has.
    pub members: u32,
    /// Whether a lost reply is met by calling again: a bug.
    pub stubborn: bool,
}

impl Reboot {
    pub(crate) fn effects(&self) -> MutexGuard<'_, Effects> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reply came back.
    async fn call(&self, target: &Target) -> bool {
        self.kernel.step(Touch::Provider).await;
        let Some(Order { run, work: Work::Apply { row, fence } }) = self.order else {
            return false;
        };
        let effect = Effect {
            target: target.id.clone(),
            incident: self.incident,
            run,
            row,
            fence,
            began: self.kernel.now(),
            worker: Some(self.worker),
        };
        self.effects().under_way.push(effect.clone());
        self.kernel.step(Touch::Provider).await;
        let mut effects = self.effects();
        if let Some(at) = effects.under_way.iter().position(|other| *other == effect) {
            effects.land(at);
        }
        !effects.losing
    }
}

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
        Ok(Observation {
            target: target.clone(),
            identity: Some("launch-1".to_owned()),
            tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
            group: asked.group.map(|group| Group {
                key: group.to_owned(),
                members: self.members,
                healthy: Fact::default(),
            }),
            circumstances: Circumstances {
                healthy: Fact::Known(false),
                ..Circumstances::default()
            },
            captured: json!(null),
            seen_at: self.kernel.now(),
        })
    }

    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError> {
        let target = permit.target();
        if self.call(target).await || (self.stubborn && self.call(target).await) {
            return Ok("accepted".to_owned());
        }
        Err(ApplyError::Unknown("no reply".to_owned()))
    }

    /// It never helps: so every run goes all the way, and ends with a person.
    async fn check(&self, row: &Row, step: &Step) -> Vec<Evidence> {
        let signals = step.spec().signals().iter();
        let evidence = signals.map(|signal| Evidence {
            signal: signal.name.to_owned(),
            target: Some(row.planned.target.clone()),
            reading: Reading::Bad,
            detail: "impaired".to_owned(),
            at: self.kernel.now(),
        });
        evidence.collect()
    }

    async fn undo(&self, _row: &Row, _step: &Step) -> Result<String, ReadError> {
        Err(ReadError("a reboot cannot be undone".to_owned()))
    }
}
