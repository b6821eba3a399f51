//! What people do with silences.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Incident;
use firebreak_core::muting::{
    BadSilence, Change, Live, Silence, SilenceDraft, SilenceId, SilenceState,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::ids;
use crate::ports::{Clock, PutError, Store, StoreError};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SilenceError {
    #[error("there is no silence {0}; it may have been forgotten after it expired")]
    NotFound(SilenceId),
    #[error(transparent)]
    Refused(#[from] BadSilence),
    #[error(
        "{} silences are pending or active already; expire some, or write one rule for several",
        Silence::MOST
    )]
    TooMany,
    #[error("silence {0} is being changed by too many at once; try again")]
    Contended(SilenceId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

const MOST_TRIES: u32 = 16;

/// Makes a silence, or changes the one that the draft replaces. Answers with the silence that holds from now on.
pub async fn add(
    store: &dyn Store,
    clock: &dyn Clock,
    draft: SilenceDraft,
) -> Result<Silence, SilenceError> {
    let now = clock.now();
    match draft.replaces.clone() {
        None => {
            let silence = Silence::new(draft, ids::silence_id(now), now)?;
            make(store, &silence, now).await?;
            Ok(silence)
        }
        Some(old) => change(store, clock, &old, &draft).await,
    }
}

async fn make(store: &dyn Store, silence: &Silence, now: Timestamp) -> Result<(), SilenceError> {
    if store.silences(now).await?.len() >= Silence::MOST {
        return Err(SilenceError::TooMany);
    }
    // The id is new, so a conflict is our own write whose answer was lost.
    match store.put_silence(silence).await {
        Ok(()) | Err(PutError::Conflict) => Ok(()),
        Err(PutError::Store(error)) => Err(error.into()),
    }
}

async fn change(
    store: &dyn Store,
    clock: &dyn Clock,
    id: &SilenceId,
    draft: &SilenceDraft,
) -> Result<Silence, SilenceError> {
    for _ in 0..MOST_TRIES {
        let now = clock.now();
        let stored = found(store, id).await?;
        match stored.change(draft.clone(), ids::silence_id(now), now)? {
            Change::Amended(amended) => {
                if written(store, &amended).await? {
                    return Ok(*amended);
                }
            }
            Change::Replaced { new, old } => {
                // The new one first: whatever happens between, what was muted stays muted.
                make(store, &new, now).await?;
                if written(store, &old).await? {
                    return Ok(*new);
                }
                // Somebody else was faster: what we made is taken back, and all is decided anew.
                let taken_back = new.expire(&new.owner, now)?;
                written(store, &taken_back).await?;
            }
        }
    }
    Err(SilenceError::Contended(id.clone()))
}

/// Ends a silence now.
pub async fn expire(
    store: &dyn Store,
    clock: &dyn Clock,
    id: &SilenceId,
    by: &str,
) -> Result<Silence, SilenceError> {
    for _ in 0..MOST_TRIES {
        let over = found(store, id).await?.expire(by, clock.now())?;
        if written(store, &over).await? {
            return Ok(over);
        }
    }
    Err(SilenceError::Contended(id.clone()))
}

async fn found(store: &dyn Store, id: &SilenceId) -> Result<Silence, SilenceError> {
    store.silence(id).await?.ok_or_else(|| SilenceError::NotFound(id.clone()))
}

/// `false`: somebody else wrote first. Our own write whose answer was lost counts as written.
async fn written(store: &dyn Store, silence: &Silence) -> Result<bool, StoreError> {
    match store.put_silence(silence).await {
        Ok(()) => Ok(true),
        Err(PutError::Conflict) => Ok(store.silence(&silence.id).await?.as_ref() == Some(silence)),
        Err(PutError::Store(error)) => Err(error),
    }
}

/// A silence as people look at it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    pub silence: Silence,
    pub state: SilenceState,
    pub age_seconds: i64,
    /// What it mutes right now; empty for one that is not active.
    pub mutes: Vec<Muting>,
}

/// A firing alert that a silence mutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Muting {
    pub incident: IncidentId,
    pub alert: String,
    pub service: String,
}

/// All silences that are not forgotten, newest first, each with what it mutes of the newest live incidents.
pub async fn list(store: &dyn Store, now: Timestamp) -> Result<Vec<Shown>, StoreError> {
    let silences = store.silences(now - Silence::KEPT_FOR).await?;
    let active = silences.iter().any(|silence| silence.state(now) == SilenceState::Active);
    let live = if active { store.live(Live::MOST).await? } else { Live::default() };
    let shown = silences.into_iter().map(|silence| Shown {
        state: silence.state(now),
        age_seconds: silence.age(now).as_secs(),
        mutes: live.incidents.iter().flat_map(|incident| muted(&silence, incident, now)).collect(),
        silence,
    });
    Ok(shown.collect())
}

fn muted(silence: &Silence, incident: &Incident, now: Timestamp) -> impl Iterator<Item = Muting> {
    incident.firing().filter(move |alert| silence.mutes(alert, now)).map(|alert| Muting {
        incident: incident.id.clone(),
        alert: alert.title.clone(),
        service: alert.service.clone(),
    })
}
