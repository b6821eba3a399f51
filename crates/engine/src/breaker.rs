//! The breaker as people deal with it: how it stands, its reset, and an incident for as long as it is tripped.

use firebreak_core::book::{Book, BookKey, BookWrite};
use firebreak_core::breaker::{Breaker, NotReset};

use crate::ingest::Ingest;
use crate::own_alerts::{end, raise};
use crate::ports::{AppendError, IncidentStore, StoreError};
use crate::record::pause;

const MOST_TRIES: u32 = 16;

/// Why a breaker could not be reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    #[error(transparent)]
    Refused(#[from] NotReset),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How it stands; one that never counted anything is not tripped.
pub async fn standing<S: IncidentStore + ?Sized>(store: &S) -> Result<Breaker, StoreError> {
    Ok(book(store).await?.breaker.unwrap_or_default())
}

async fn book<S: IncidentStore + ?Sized>(store: &S) -> Result<Book, StoreError> {
    let key = BookKey::breaker();
    let mut books = store.books(std::slice::from_ref(&key)).await?;
    Ok(books.remove(&key).unwrap_or_default())
}

/// Lets actions go on, in the name of a person, and ends the incident about it. What was planned before stays undone.
pub async fn reset(with: Ingest<'_>, by: &str, reason: &str) -> Result<Breaker, ResetError> {
    for attempt in 0..MOST_TRIES {
        let stored = book(with.store).await?;
        let now = with.clock.now();
        let breaker = stored.breaker.clone().unwrap_or_default();
        let breaker = breaker.reset(by.to_owned(), reason.to_owned(), now)?;
        let write = BookWrite { key: BookKey::breaker(), book: stored.broken(breaker.clone()) };
        match with.store.write_books(&[write]).await {
            Ok(()) => {
                tracing::warn!(by, reason, "the breaker was reset");
                end(with, breaker.alert(now)).await?;
                return Ok(breaker);
            }
            Err(AppendError::Conflict(_)) => pause(with.clock, attempt).await,
            Err(AppendError::Store(error)) => return Err(error.into()),
        }
    }
    Err(StoreError::Unavailable("the breaker is being written to by too many at once".to_owned())
        .into())
}

/// Sees to it that people are told while it is tripped, and no longer. To be called again and again; twice at once
/// does no harm.
pub async fn watch(with: Ingest<'_>) -> Result<(), StoreError> {
    let breaker = standing(with.store).await?;
    let alert = breaker.alert(with.clock.now());
    if breaker.tripped.is_some() {
        return raise(with, alert).await.map(drop);
    }
    if breaker.reset.is_some() { end(with, alert).await } else { Ok(()) }
}
