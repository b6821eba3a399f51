//! What a cancelled transaction says: who wrote first, or that it is worth trying again.

use aws_sdk_dynamodb::types::CancellationReason;
use firebreak_engine::ports::{Conflict, StoreError};

use super::append::Action;

/// What a failed transaction means.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Somebody else wrote in between; nothing of this append was written.
    Conflict(Conflict),
    /// Another transaction was in the way, or there was no capacity; worth another try.
    Busy(String),
    Failed(StoreError),
}

/// The reasons come one for each action, in order. A failed condition counts before everything else.
pub(super) fn meaning(reasons: &[CancellationReason], actions: &[Action<'_>]) -> Meaning {
    let failed = |code: &str| reasons.iter().position(|reason| reason.code() == Some(code));
    if let Some(index) = failed("ConditionalCheckFailed") {
        let there = reasons.get(index).and_then(CancellationReason::item);
        return match actions.get(index).map(|action| action.conflict(there)) {
            Some(Ok(conflict)) => Meaning::Conflict(conflict),
            Some(Err(error)) => Meaning::Failed(error),
            None => Meaning::Failed(StoreError::Unavailable(
                "a transaction was cancelled for a write that it did not hold".to_owned(),
            )),
        };
    }
    let words = reasons.iter().filter(|reason| reason.code() != Some("None")).map(|reason| {
        let code = reason.code().unwrap_or("no code");
        reason.message().map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let busy = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if busy.into_iter().any(|code| failed(code).is_some()) {
        Meaning::Busy(words)
    } else if failed("ValidationError").is_some() {
        Meaning::Failed(StoreError::Corrupt(words))
    } else {
        Meaning::Failed(StoreError::Unavailable(words))
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use firebreak_core::book::{Book, BookKey, BookWrite};
    use firebreak_core::ids::IncidentId;
    use firebreak_engine::ports::{SlotKey, SlotWrite};

    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    fn check(reasons: &[CancellationReason], expected: &str) {
        let incident = |text: &str| IncidentId::try_from(format!("inc_{text}")).unwrap();
        let slot = SlotWrite {
            key: SlotKey::Group("g".to_owned()),
            expected: None,
            incident: incident("NEW"),
            seen: None,
        };
        let book = BookWrite { key: BookKey::group("shop"), book: Book::default() };
        let actions = [Action::Slot(&slot), Action::Book(&book)];
        let shown = format!("{:?}", meaning(reasons, &actions));
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn the_first_failed_condition_decides() {
        let failed = reason("ConditionalCheckFailed");
        let held = CancellationReason::builder()
            .code("ConditionalCheckFailed")
            .item("incident_id", AttributeValue::S("inc_OLD".to_owned()))
            .build();
        check(&[held, failed.clone()], r#"held_by: Some(IncidentId("inc_OLD"))"#);
        check(&[failed.clone(), reason("None")], "held_by: None");
        check(&[reason("None"), failed.clone()], r#"Book { key: BookKey("group:shop") }"#);
        check(&[reason("TransactionConflict"), failed], "Conflict(Book");
    }

    #[test]
    fn a_held_slot_that_cannot_be_read_is_corrupt() {
        let odd = CancellationReason::builder()
            .code("ConditionalCheckFailed")
            .item("incident_id", AttributeValue::S("not an id".to_owned()))
            .build();
        check(&[odd, reason("None")], "Failed(Corrupt");
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_cannot_is_not() {
        check(&[reason("None"), reason("TransactionConflict")], "Busy");
        check(&[reason("ThrottlingError"), reason("None")], "Busy");
        check(&[reason("ValidationError"), reason("None")], "Failed(Corrupt");
        check(&[reason("AccessDenied"), reason("None")], "Failed(Unavailable");
        check(&[], "Failed(Unavailable");
    }
}
