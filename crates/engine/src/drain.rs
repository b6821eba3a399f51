//! Taking in what waited in the spill: by the same code, as of the time when it was received.

use firebreak_core::alert::Alert;
use firebreak_core::sources::{self, Delivery, Problem, Reject};
use jiff::Timestamp;

use crate::ingest::{Ingest, Kept, Report, ingest, late, place, read};
use crate::ports::{Spilled, StoreError};
use crate::quarantine::keep;

/// Alerts that are taken in together: as many as one delivery may have.
const MOST_TOGETHER: usize = 2000;

/// Takes in together those at the front that hold nothing but alerts, in their order; how many that were. With none,
/// or where something is odd, the first must be taken in alone.
pub async fn take_front(with: Ingest<'_>, waiting: &[&Spilled]) -> Result<usize, StoreError> {
    let (mut alerts, mut count) = (Vec::new(), 0);
    for spilled in waiting {
        let Some(more) = plain(with, spilled).filter(|_| alerts.len() < MOST_TOGETHER) else {
            break;
        };
        alerts.extend(more);
        count += 1;
    }
    if count < 2 {
        return Ok(0);
    }
    let (_, refused) = place(with, alerts).await?;
    Ok(if refused.is_empty() { count } else { 0 })
}

fn plain(with: Ingest<'_>, spilled: &Spilled) -> Option<Vec<(usize, Alert)>> {
    let kept = &spilled.delivery;
    let body = kept.body.unpack().ok()?;
    let source = sources::find(&kept.source)?;
    let intake = read(with.policy, source, &kept.delivery(&body));
    let plain =
        intake.rejects.is_empty() && intake.heartbeats.is_empty() && intake.controls.is_empty();
    plain.then(|| late(intake.alerts, kept.received_at, with.clock.now()))
}

/// Takes one spilled delivery in. What can never be taken in goes to quarantine, so that it does not hold up what
/// waits behind it. An error means that the store is still down: try it again later.
pub async fn take_spilled(with: Ingest<'_>, spilled: &Spilled) -> Result<Report, StoreError> {
    let kept = &spilled.delivery;
    let body = match kept.body.unpack() {
        Ok(body) => body,
        Err(damaged) => {
            let text = spilled.to_message();
            let received_at = kept.received_at;
            return poison(with, &kept.source, &text, received_at, damaged.to_string()).await;
        }
    };
    let delivery = kept.delivery(&body);
    let Some(source) = sources::find(&kept.source) else {
        let why = format!("there is no source `{}` any more", kept.source);
        return quarantined(with, &kept.source, &delivery, "source", why).await;
    };
    match ingest(with, source, &delivery).await {
        Err(StoreError::Corrupt(why)) => {
            let why = format!("the delivery cannot be recorded: {why}");
            quarantined(with, source.name(), &delivery, "record", why).await
        }
        taken => taken,
    }
}

/// Keeps what lay in the spill and is no delivery that this program knows.
pub async fn keep_unknown(with: Ingest<'_>, text: &str, why: String) -> Result<Report, StoreError> {
    let now = with.clock.now();
    poison(with, firebreak_core::shared_cause::OWN_SOURCE, text, now, why).await
}

/// Keeps a delivery whose reading broke this program.
pub async fn keep_crashing(with: Ingest<'_>, spilled: &Spilled) -> Result<Report, StoreError> {
    let kept = &spilled.delivery;
    let body = kept.body.unpack().unwrap_or_default();
    let why = "reading it ended in a fault of this program; report it".to_owned();
    quarantined(with, &kept.source, &kept.delivery(&body), "fault", why).await
}

async fn poison(
    with: Ingest<'_>,
    source: &str,
    text: &str,
    received_at: Timestamp,
    why: String,
) -> Result<Report, StoreError> {
    let body = text.as_bytes();
    let delivery = Delivery { body, content_type: None, headers: &[], received_at };
    quarantined(with, source, &delivery, "spill", why).await
}

async fn quarantined(
    with: Ingest<'_>,
    source: &str,
    delivery: &Delivery<'_>,
    code: &'static str,
    message: String,
) -> Result<Report, StoreError> {
    tracing::error!(source, code, message, "a spilled delivery goes to quarantine");
    let raw = String::from_utf8_lossy(delivery.body).into_owned();
    let reject = Reject { index: None, problem: Problem { code, message }, raw };
    let kept: Vec<Kept> = keep(with, source, delivery, vec![reject]).await?;
    Ok(Report { quarantined: kept, ..Report::default() })
}
