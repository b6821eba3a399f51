//! The one write path: an append is one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as Failure;
use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use firebreak_core::book::BookWrite;
use firebreak_core::fingerprint::digest;
use firebreak_core::incident::{Incident, Recorded};
use firebreak_engine::ports::{Append, AppendError, Conflict, SlotWrite, StoreError};

use super::conflict::{Meaning, meaning};
use super::keys::{self, Attributes, Item, Key, number};
use super::slots::pointer;
use super::{DynamoStore, unavailable};

/// Pauses after a transaction met another one. The losers of a race decide anew, so this stays short.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(70),
    Duration::from_millis(150),
];

impl DynamoStore {
    /// Repeats within ten minutes carry the same token and succeed without a second effect; later ones
    /// meet their own version.
    pub(super) async fn transact(&self, append: &Append) -> Result<(), AppendError> {
        let (seq, actions) = actions(append)?;
        self.carry_out(&actions, Some(token(append, seq))).await
    }

    /// Books alone. A repeat whose answer was lost meets its own version, which is a conflict.
    pub(super) async fn transact_books(&self, books: &[BookWrite]) -> Result<(), AppendError> {
        let actions: Vec<Action<'_>> = books.iter().map(Action::Book).collect();
        self.carry_out(&actions, None).await
    }

    async fn carry_out(
        &self,
        actions: &[Action<'_>],
        token: Option<String>,
    ) -> Result<(), AppendError> {
        let writes: Vec<TransactWriteItem> =
            actions.iter().map(|action| action.write(&self.table)).collect();
        let mut pauses = PAUSES.iter();
        loop {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .set_client_request_token(token.clone())
                .send()
                .await;
            let Err(error) = sent else { return Ok(()) };
            let busy = match read(&error, actions) {
                Meaning::Conflict(conflict) => return Err(AppendError::Conflict(conflict)),
                Meaning::Failed(error) => return Err(error.into()),
                Meaning::Busy(words) => words,
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(StoreError::Unavailable(busy).into()),
            }
        }
    }
}

/// One write of a transaction, with what its failed condition means.
pub(super) enum Action<'a> {
    Snapshot { incident: &'a Incident, before: u64 },
    Event { recorded: &'a Recorded, incident: &'a Incident },
    Slot(&'a SlotWrite),
    Book(&'a BookWrite),
}

/// The writes in the order of their importance: the first condition that fails is the one reported.
fn actions(append: &Append) -> Result<(u64, Vec<Action<'_>>), StoreError> {
    let Append { incident, events, slots, books } = append;
    let first = events.first().map_or(0, |event| event.seq);
    let numbered = events.iter().zip(first..).all(|(event, seq)| event.seq == seq);
    let last = events.last().map_or(0, |event| event.seq);
    if first == 0 || !numbered || last != incident.version {
        return Err(StoreError::Corrupt(format!(
            "an append to {} with events {first} to {last} does not lead to version {}",
            incident.id, incident.version
        )));
    }
    let mut actions = vec![Action::Snapshot { incident, before: first - 1 }];
    actions.extend(events.iter().map(|recorded| Action::Event { recorded, incident }));
    actions.extend(slots.iter().map(Action::Slot));
    actions.extend(books.iter().map(Action::Book));
    // <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    if actions.len() > Append::MOST_WRITES {
        return Err(StoreError::Corrupt(format!(
            "an append to {} of {} writes; one transaction takes {}",
            incident.id,
            actions.len(),
            Append::MOST_WRITES
        )));
    }
    Ok((first, actions))
}

impl Action<'_> {
    fn write(&self, table: &str) -> TransactWriteItem {
        let put = |item: Item| Put::builder().table_name(table).set_item(Some(item));
        let built = match self {
            Action::Snapshot { incident, before } => {
                let put = put(snapshot(incident));
                unmoved(put, *before)
                    .return_values_on_condition_check_failure(OnFailure::AllOld)
                    .build()
                    .map(|put| TransactWriteItem::builder().put(put))
            }
            Action::Event { recorded, incident } => put(event(recorded, incident))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map(|put| TransactWriteItem::builder().put(put)),
            Action::Slot(slot) => pointer(slot, table)
                .build()
                .map(|update| TransactWriteItem::builder().update(update)),
            Action::Book(write) => unmoved(put(book(write)), write.book.version.saturating_sub(1))
                .build()
                .map(|put| TransactWriteItem::builder().put(put)),
        };
        built.expect("table, key and expression are set above").build()
    }

    /// What it means that this action's condition failed on the item that was there.
    pub(super) fn conflict(&self, there: Option<&Item>) -> Result<Conflict, StoreError> {
        Ok(match self {
            Action::Snapshot { .. } | Action::Event { .. } => Conflict::Version,
            Action::Slot(slot) => Conflict::Slot {
                key: slot.key.clone(),
                held_by: there.map(keys::pointed_at).transpose()?.flatten(),
            },
            Action::Book(write) => Conflict::Book { key: write.key.clone() },
        })
    }
}

/// On condition that the stored version is still `before`; 0 means that nothing is stored.
fn unmoved(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
    before: u64,
) -> aws_sdk_dynamodb::types::builders::PutBuilder {
    if before == 0 {
        put.condition_expression("attribute_not_exists(pk)")
    } else {
        put.condition_expression("version = :before")
            .expression_attribute_values(":before", number(&before))
    }
}

fn snapshot(incident: &Incident) -> Item {
    Attributes::of(&Key::incident(&incident.id))
        .number("version", &incident.version)
        .text("status", incident.status.as_str())
        .text("service", &incident.service)
        .text("severity", incident.severity.as_str())
        .text("opened_at", incident.opened_at.to_string())
        .text("board_pk", keys::board(incident.status))
        .text("board_sk", keys::board_place(incident.opened_at, &incident.id))
        .json("body", incident)
        .done()
}

/// What the bus needs to route it stands beside the event itself.
fn event(recorded: &Recorded, incident: &Incident) -> Item {
    let item = Attributes::of(&Key::event(&recorded.incident, recorded.seq));
    let item = match &recorded.prev {
        Some(prev) => item.text("prev", prev.to_string()),
        None => item,
    };
    item.text("type", recorded.event.name())
        .text("at", recorded.at.to_string())
        .text("service", &incident.service)
        .text("severity", incident.severity.as_str())
        .text("title", &incident.title)
        .json("body", &recorded.event)
        .done()
}

fn book(write: &BookWrite) -> Item {
    Attributes::of(&Key::book(&write.key))
        .number("version", &write.book.version)
        .json("body", &write.book)
        .done()
}

/// The same for the same append and for no other. At most 36 characters.
fn token(append: &Append, seq: u64) -> String {
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    let events = json(serde_json::to_string(&append.events));
    let slots = format!("{:?}", append.slots);
    let books = format!("{:?}", append.books);
    let seq = seq.to_string();
    let mut token =
        digest("append:v1", [append.incident.id.as_str(), &seq, &events, &slots, &books]);
    token.truncate(36);
    token
}

fn read(error: &SdkError<Failure>, actions: &[Action<'_>]) -> Meaning {
    match error.as_service_error() {
        Some(Failure::TransactionCanceledException(cancelled)) => {
            meaning(cancelled.cancellation_reasons(), actions)
        }
        Some(Failure::TransactionInProgressException(_)) => {
            Meaning::Busy("the same append is being written".to_owned())
        }
        // The token was used for something else: whatever that was, this append was not written.
        Some(Failure::IdempotentParameterMismatchException(_)) => {
            Meaning::Conflict(Conflict::Version)
        }
        // The SDK tried these again already.
        Some(other) if other.code() == Some("TransactionConflictException") => {
            Meaning::Busy("another transaction is writing".to_owned())
        }
        _ => Meaning::Failed(unavailable(error)),
    }
}
