//! What an alert would meet right now: reads what the core needs to say so, and writes nothing.

use firebreak_core::alert::Alert;
use firebreak_core::explain::{Outlook, Surroundings, books_of, outlook};
use firebreak_core::policy::Policy;
use firebreak_core::runbook::RunbookSet;
use firebreak_core::sources::{Delivery, Intake, Source};
use firebreak_core::switch::SwitchReading;

use crate::ports::{Clock, Store, StoreError};
use crate::{ingest, muting, shared_cause};

/// What explaining works with.
#[derive(Clone, Copy)]
pub struct Explain<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub runbooks: &'a RunbookSet,
    pub policy: &'a Policy,
}

impl Explain<'_> {
    /// The alerts of a delivery that was never sent, read and identified as intake would.
    pub fn read(self, source: &dyn Source, delivery: &Delivery<'_>) -> Intake {
        ingest::read(self.policy, source, delivery)
    }

    /// What would happen if the alert fired now, as the first of its incident.
    pub async fn alert(self, alert: &Alert) -> Result<Outlook, StoreError> {
        let now = self.clock.now();
        let books = self.store.books(&books_of(alert, self.runbooks)).await?;
        let switch = match self.store.kill_switch().await {
            Ok(switch) => SwitchReading::Known(switch),
            Err(error) => SwitchReading::Unreadable(error.to_string()),
        };
        let domains = shared_cause::domains(self.policy, std::iter::once(alert));
        let mutes =
            muting::read(self.store, self.policy, std::iter::once(alert), &domains, now).await;
        let with = Surroundings {
            runbooks: self.runbooks,
            books: &books,
            switch: &switch,
            mutes: &mutes,
            now,
        };
        Ok(outlook(alert, &with))
    }
}
