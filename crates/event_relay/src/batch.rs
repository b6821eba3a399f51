//! A batch of records: what goes to the bus, and from where the mapping is to go on.

use firebreak_aws::bus::{Entry, NotTaken};
use serde::Serialize;

use crate::record::{Poison, Records, entry_of, sequence_number};

/// What can be sent of a batch: all that stands before the first record that cannot be read.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<Entry>,
    /// For each entry the position of its record, and what the mapping calls it.
    places: Vec<(usize, String)>,
    pub(crate) poison: Option<(usize, Poison)>,
    records: usize,
}

/// The mapping goes on from the named record; everything before it is done.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reply {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    sequence_number: String,
}

impl Reply {
    fn go_on_from(sequence_number: String) -> Self {
        Self { failures: vec![Failure { sequence_number }] }
    }
}

/// Nothing of the batch could be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    #[error("{poison} (at the head of {records})")]
    Poison { poison: Poison, records: usize },
    #[error("the bus takes nothing: {reason}")]
    Bus { reason: String },
}

impl Undelivered {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Undelivered::Poison { .. } => "PoisonRecord",
            Undelivered::Bus { .. } => "BusUnavailable",
        }
    }
}

pub(crate) fn read(records: &Records) -> Batch {
    let records = &records.records;
    let mut batch =
        Batch { entries: Vec::new(), places: Vec::new(), poison: None, records: records.len() };
    for (position, record) in records.iter().enumerate() {
        match entry_of(record) {
            Ok(Some(entry)) => {
                batch.entries.push(entry);
                batch.places.push((position, sequence_number(record).to_owned()));
            }
            Ok(None) => {}
            Err(poison) => {
                batch.poison = Some((position, poison));
                break;
            }
        }
    }
    batch
}

impl Batch {
    /// Where the head of the batch fails, the whole invocation fails: that makes the mapping halve the batch
    /// until a bad record stands alone and is put aside. Naming the head instead would bring the very same
    /// batch again, and at the end of all retries the good records behind it would be put aside as well.
    pub(crate) fn reply(&self, sent: Result<(), NotTaken>) -> Result<Reply, Undelivered> {
        if let Err(NotTaken { first, reason }) = sent {
            return match self.places.get(first) {
                Some((position, sequence_number)) if *position > 0 => {
                    Ok(Reply::go_on_from(sequence_number.clone()))
                }
                _ => Err(Undelivered::Bus { reason }),
            };
        }
        match &self.poison {
            None => Ok(Reply::default()),
            Some((0, poison)) => {
                Err(Undelivered::Poison { poison: poison.clone(), records: self.records })
            }
            Some((_, poison)) => Ok(Reply::go_on_from(poison.sequence_number.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(name: &str) -> Batch {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/event_relay");
        let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        read(&serde_json::from_str(&text).unwrap())
    }

    fn refused(first: usize) -> Result<(), NotTaken> {
        Err(NotTaken { first, reason: "throttled".to_owned() })
    }

    fn go_on_from(end: &str) -> Reply {
        Reply::go_on_from(format!("11110000000000000000{end}"))
    }

    #[test]
    fn a_good_batch_is_sent_whole() {
        assert_eq!(batch("batch").entries.len(), 3);
        let reply = batch("batch").reply(Ok(())).unwrap();
        assert_eq!(serde_json::to_string(&reply).unwrap(), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn a_poison_record_lets_out_what_stands_before_it_and_is_named() {
        assert_eq!(batch("poison").entries.len(), 1);
        assert_eq!(batch("poison").reply(Ok(())), Ok(go_on_from("2")));
        assert_eq!(
            serde_json::to_string(&batch("poison").reply(Ok(())).unwrap()).unwrap(),
            r#"{"batchItemFailures":[{"itemIdentifier":"111100000000000000002"}]}"#
        );
    }

    #[test]
    fn a_poison_record_at_the_head_fails_the_invocation() {
        let error = batch("poison_first").reply(Ok(())).unwrap_err();
        assert_eq!(error.kind(), "PoisonRecord");
        assert!(error.to_string().contains("111100000000000000002"), "{error}");
    }

    #[test]
    fn what_the_bus_does_not_take_comes_again() {
        assert_eq!(batch("batch").reply(refused(1)), Ok(go_on_from("2")));
        assert_eq!(batch("batch").reply(refused(0)).unwrap_err().kind(), "BusUnavailable");
        // The failure before the poison counts.
        assert_eq!(batch("poison").reply(refused(0)).unwrap_err().kind(), "BusUnavailable");
        // A record that is no event was done.
        assert_eq!(batch("not_an_event").reply(refused(0)), Ok(go_on_from("3")));
    }

    #[test]
    fn nothing_to_relay_is_fine() {
        let none = read(&Records { records: Vec::new() });
        assert_eq!(none.reply(Ok(())), Ok(Reply::default()));
    }
}
