//! The event bus: domain events go out in batches, and each entry's own answer counts.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::failure;

/// The source of every event of ours; rules and policies name the same.
pub const SOURCE: &str = "firebreak";

/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
const MOST_ENTRIES: usize = 10;

/// A request with several entries stays below this, the lower of the limits that are in force.
const MOST_BYTES: usize = 250_000;

/// Pauses before entries that were not taken are sent again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// One event for the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub detail_type: String,
    /// A JSON object.
    pub detail: String,
    pub at: Timestamp,
}

impl Entry {
    /// As EventBridge counts: 14 for the time, and the texts.
    fn bytes(&self) -> usize {
        14 + SOURCE.len() + self.detail_type.len() + self.detail.len()
    }
}

/// Entries were not taken. All before `first` were.
#[derive(Debug, thiserror::Error)]
#[error("the bus took the first {first} and not the next: {reason}")]
pub struct NotTaken {
    /// Position of the first entry that was not taken.
    pub first: usize,
    pub reason: String,
}

/// A bus by its name.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into() }
    }

    /// Sends in order, batch after batch, and stops at the first entry that is not taken. Entries behind it
    /// in its batch may have been taken: whoever sends again repeats those.
    pub async fn put(&self, entries: &[Entry]) -> Result<(), NotTaken> {
        let mut done = 0;
        for batch in batches(entries) {
            self.put_batch(batch)
                .await
                .map_err(|(first, reason)| NotTaken { first: done + first, reason })?;
            done += batch.len();
        }
        Ok(())
    }

    async fn put_batch(&self, batch: &[Entry]) -> Result<(), (usize, String)> {
        let mut open: Vec<(usize, &Entry)> = batch.iter().enumerate().collect();
        let mut pauses = PAUSES.iter();
        loop {
            let (left, reason) = self.send(&open).await;
            let Some((first, _)) = left.first() else { return Ok(()) };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err((*first, reason)),
            }
            open = left;
        }
    }

    /// The entries that were not taken, and the reason of the first.
    async fn send<'a>(&self, open: &[(usize, &'a Entry)]) -> (Vec<(usize, &'a Entry)>, String) {
        let entries = open.iter().map(|(_, entry)| self.request(entry)).collect();
        match self.client.put_events().set_entries(Some(entries)).send().await {
            Ok(answer) => not_taken(open, answer.entries()),
            Err(error) => (open.to_vec(), failure::words(&error)),
        }
    }

    fn request(&self, entry: &Entry) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(&entry.detail_type)
            .detail(&entry.detail)
            .time(DateTime::from_secs(entry.at.as_second()))
            .build()
    }
}

/// The answer has one result for each entry, in order. An entry without a result was not taken.
fn not_taken<'a>(
    open: &[(usize, &'a Entry)],
    results: &[PutEventsResultEntry],
) -> (Vec<(usize, &'a Entry)>, String) {
    let result = |position: usize| results.get(position);
    let taken =
        |position: usize| result(position).is_some_and(|result| result.error_code().is_none());
    let left: Vec<usize> = (0..open.len()).filter(|position| !taken(*position)).collect();
    let reason = left.first().map(|position| {
        let result = result(*position);
        let code = result.and_then(PutEventsResultEntry::error_code).unwrap_or("no answer");
        let message = result.and_then(PutEventsResultEntry::error_message).unwrap_or_default();
        format!("{code} {message}")
    });
    let left = left.into_iter().filter_map(|position| open.get(position).copied()).collect();
    (left, reason.unwrap_or_default())
}

/// Cuts into as few requests as the limits allow, in order. A single large entry goes alone.
fn batches(entries: &[Entry]) -> Vec<&[Entry]> {
    let mut batches = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest
            .iter()
            .take(MOST_ENTRIES)
            .take_while(|entry| {
                bytes += entry.bytes();
                bytes <= MOST_BYTES
            })
            .count();
        let (batch, behind) = rest.split_at(fitting.max(1));
        batches.push(batch);
        rest = behind;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> Entry {
        Entry {
            detail_type: "incident.opened".to_owned(),
            detail: "x".repeat(bytes),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn check(sizes: &[usize], expected: &[usize]) {
        let entries: Vec<Entry> = sizes.iter().map(|bytes| entry(*bytes)).collect();
        let cut: Vec<usize> = batches(&entries).iter().map(|batch| batch.len()).collect();
        assert_eq!(cut, expected, "{sizes:?}");
    }

    #[test]
    fn batches_keep_both_limits_and_lose_nothing() {
        check(&[], &[]);
        check(&[10; 10], &[10]);
        check(&[10; 23], &[10, 10, 3]);
        check(&[100_000, 100_000, 100_000], &[2, 1]);
        check(&[10, 390_000, 10], &[1, 1, 1]);
    }

    #[test]
    fn the_first_entry_without_a_yes_is_where_to_go_on() {
        let entries = [entry(1), entry(2), entry(3)];
        let open: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
        let yes = PutEventsResultEntry::builder().event_id("1").build();
        let no = PutEventsResultEntry::builder()
            .error_code("ThrottlingException")
            .error_message("slow down")
            .build();
        assert_eq!(not_taken(&open, &[yes.clone(), yes.clone(), yes.clone()]).0, []);
        let (left, reason) = not_taken(&open, &[yes.clone(), no, yes.clone()]);
        assert_eq!(left, [(1, &entries[1])]);
        assert_eq!(reason, "ThrottlingException slow down");
        let (left, reason) = not_taken(&open, &[yes]);
        assert_eq!(left, [(1, &entries[1]), (2, &entries[2])]);
        assert_eq!(reason.trim(), "no answer");
    }
}
