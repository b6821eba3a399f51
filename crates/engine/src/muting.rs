//! Reading what may mute an alert. What cannot be read is a fact for the decision, not a failure of the question.

use std::collections::BTreeSet;

use firebreak_core::alert::Alert;
use firebreak_core::book::BookKey;
use firebreak_core::muting::{Live, MuteFacts, Reading, needs_live};
use firebreak_core::policy::Policy;
use firebreak_core::self_inflicted::ExpectedEffect;
use firebreak_core::shared_cause::DomainKey;
use jiff::Timestamp;

use crate::ports::{IncidentStore, Silences, StoreError};
use crate::shared_cause::suspicions;

/// Reads what the mutes of these alerts depend on: the silences, the live incidents where a rule asks for them, and
/// what is suspected in these failure domains.
pub async fn read<'a, S: IncidentStore + Silences + ?Sized>(
    store: &S,
    policy: &'a Policy,
    alerts: impl IntoIterator<Item = &Alert>,
    domains: &BTreeSet<DomainKey>,
    now: Timestamp,
) -> MuteFacts<'a> {
    let live = if alerts.into_iter().any(|alert| needs_live(policy, alert)) {
        reading("the live incidents", store.live(Live::MOST).await)
    } else {
        Reading::Known(Live::default())
    };
    let silences = reading("the silences", store.silences(now).await);
    let suspected = reading("the failure domains", suspicions(store, domains).await);
    let effects = reading("what our actions may cause", effects(store).await);
    MuteFacts { policy, silences, live, suspected, effects }
}

/// What our own actions are expected to cause.
pub(crate) async fn effects<S: IncidentStore + ?Sized>(
    store: &S,
) -> Result<Vec<ExpectedEffect>, StoreError> {
    let key = BookKey::effects();
    let mut books = store.books(std::slice::from_ref(&key)).await?;
    Ok(books.remove(&key).map(|book| book.effects).unwrap_or_default())
}

fn reading<T>(what: &str, read: Result<T, StoreError>) -> Reading<T> {
    match read {
        Ok(known) => Reading::Known(known),
        Err(error) => {
            tracing::warn!(%error, "{what} cannot be read");
            Reading::Unreadable(error.to_string())
        }
    }
}
