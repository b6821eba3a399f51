//! Events of the own account: led into the same intake as webhooks, without a token.

use firebreak_core::sources::{self, Delivery, Source};
use firebreak_engine::drain::take_spilled;
use firebreak_engine::fallback::Refused;
use firebreak_engine::ingest::Report;
use firebreak_engine::ports::{Spilled, StoreError};
use firebreak_engine::queue::NotTaken;
use firebreak_web::webhooks::Webhooks;
use jiff::Timestamp;

/// Intake as the rules, topics, alarms and queues of the own account reach it.
#[derive(Clone)]
pub(crate) struct OwnAccount {
    intake: Webhooks,
    events: &'static dyn Source,
}

impl OwnAccount {
    pub(crate) fn of(intake: Webhooks) -> Self {
        Self { intake, events: named("eventbridge") }
    }

    /// The source that picks the one of each event.
    pub(crate) fn events(&self) -> &'static dyn Source {
        self.events
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.intake.clock.now()
    }

    /// Takes in what Lambda was invoked with; while the store is down it waits in the spill, since Lambda itself invokes
    /// again only for some minutes.
    pub(crate) async fn invoked(
        &self,
        source: &'static dyn Source,
        event: &str,
    ) -> Result<Report, Refused> {
        let delivery = Delivery {
            body: event.as_bytes(),
            content_type: Some("application/json"),
            headers: &[],
            received_at: self.now(),
        };
        let taking = || self.take(source, &delivery);
        self.intake.fallback.take(source.name(), &delivery, taking).await
    }

    /// Takes in a delivery that waited in the spill.
    pub(crate) async fn spilled(&self, spilled: &Spilled) -> Result<Report, StoreError> {
        take_spilled(self.intake.queue.ingest(), spilled).await
    }

    /// An error means that a part may not be stored: whoever handed it over must do so again.
    pub(crate) async fn take(
        &self,
        source: &'static dyn Source,
        delivery: &Delivery<'_>,
    ) -> Result<Report, NotTaken> {
        let report = self.intake.queue.take(source, delivery).await?;
        for kept in &report.quarantined {
            tracing::warn!(
                source = source.name(),
                id = kept.id,
                error = kept.error.message,
                "kept aside"
            );
        }
        for finding in &report.findings {
            tracing::warn!(source = source.name(), finding, "a delivery was odd");
        }
        Ok(report)
    }
}

/// A source of the registry.
pub(crate) fn named(name: &str) -> &'static dyn Source {
    sources::find(name).expect("it is in the registry")
}
