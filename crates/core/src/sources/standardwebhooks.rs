//! The generic signed form: [plain alerts](super::plain), best proven by the headers of Standard Webhooks 1.0.
//!
//! The body is a plain alert, a list of them, or the envelope that the specification suggests, with the alert in `data`:
//! `{"type": "alert.resolved", "timestamp": "2026-03-01T12:00:00Z", "data": {...}}`. The end of `type` and the timestamp
//! stand for what the alert leaves open.

use serde_json::Value;

use super::fields::present;
use super::plain::{self, Around, Identity};
use super::times::{Time, time};
use super::{Delivery, Intake, Source, json};
use crate::alert::AlertStatus;
use crate::proof::{self, Scheme};

const NAME: &str = "standardwebhooks";
const REMEDY: &str = "send `firebreak.alert.v1`, see the page about sources";

pub(super) struct StandardWebhooks;

impl Source for StandardWebhooks {
    fn name(&self) -> &'static str {
        NAME
    }

    fn also_known_as(&self) -> &'static [&'static str] {
        &["generic"]
    }

    fn summary(&self) -> &'static str {
        "your own senders: `firebreak.alert.v1`, signed as Standard Webhooks 1.0"
    }

    fn identity(&self) -> &'static str {
        "`dedup_key`"
    }

    fn resolves(&self) -> &'static str {
        "`status: resolved` with the same `dedup_key`"
    }

    fn schemes(&self) -> &'static [Scheme] {
        proof::STANDARD_WEBHOOKS
    }

    fn parse(&self, delivery: &Delivery<'_>) -> Intake {
        json::intake(delivery, REMEDY, |body, intake| {
            let (message, kind, sent) = match (body.get("data"), body.get("type")) {
                (Some(data @ (Value::Object(_) | Value::Array(_))), Some(kind)) => {
                    (data, present(kind), body.get("timestamp"))
                }
                _ => (body, None, None),
            };
            let sent_at = match time(sent) {
                Time::At(at) => at,
                Time::Absent | Time::Unreadable => delivery.received_at,
            };
            let word = kind.as_deref().and_then(|kind| kind.rsplit(['.', '_', '/']).next());
            let around = Around {
                source: NAME,
                status: word.and_then(AlertStatus::from_word),
                sent_at,
                identity: Identity::default(),
                labels: std::collections::BTreeMap::new(),
            };
            if let Err(problem) = plain::read(message, &around, intake) {
                intake.reject_all(delivery, problem);
            }
        })
    }
}
