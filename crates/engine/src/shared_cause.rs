//! Shared causes: counting what fires in each failure domain, opening the parent, and ending it.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use firebreak_core::alert::{Alert, AlertStatus};
use firebreak_core::book::{Book, BookKey, BookWrite, Books};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::muting::{self, Live, MuteFacts, MutedBy};
use firebreak_core::policy::Policy;
use firebreak_core::shared_cause::{
    Domain, DomainKey, Noted, Suspected, Suspicion, Suspicions, domains_of, parent, parent_over,
};
use jiff::{SignedDuration, Timestamp};

use crate::ingest::Ingest;
use crate::own_alerts::{end, raise};
use crate::ports::{AppendError, IncidentStore, SlotKey, StoreError};
use crate::record::{RecordError, pause, record};

/// How often a count is made anew because others counted in between.
const MOST_TRIES: u32 = 64;

/// A suspicion stands for so long at least: its members may still be on their way into the record.
const SHORTEST: SignedDuration = SignedDuration::from_secs(30);

/// The failure domains of alerts, each once.
pub fn domains<'a>(
    policy: &Policy,
    alerts: impl IntoIterator<Item = &'a Alert>,
) -> BTreeSet<DomainKey> {
    alerts.into_iter().flat_map(|alert| domains_of(alert, &policy.shared_cause)).collect()
}

/// The suspicions that stand in these domains, each with the incident in which people are told of it.
pub(crate) async fn suspicions(
    store: &(impl IncidentStore + ?Sized),
    domains: &BTreeSet<DomainKey>,
) -> Result<Suspicions, StoreError> {
    if domains.is_empty() {
        return Ok(Suspicions::new());
    }
    let keys: Vec<BookKey> = domains.iter().map(DomainKey::book).collect();
    let books = store.books(&keys).await?;
    let mut suspicions = Suspicions::new();
    for domain in domains {
        let Some(suspected) = suspected(&books, domain) else { continue };
        let told = told_in(store, domain, &suspected).await?;
        let parent = told.filter(|told| told.firing).map(|told| told.incident);
        suspicions.insert(domain.clone(), Suspicion { suspected, parent });
    }
    Ok(suspicions)
}

fn suspected(books: &Books, domain: &DomainKey) -> Option<Suspected> {
    books.get(&domain.book())?.domain.as_ref()?.suspected.clone()
}

struct Told {
    incident: IncidentId,
    firing: bool,
}

/// Where people are told of this very suspicion.
async fn told_in(
    store: &(impl IncidentStore + ?Sized),
    domain: &DomainKey,
    suspected: &Suspected,
) -> Result<Option<Told>, StoreError> {
    let key = SlotKey::Fingerprint(parent(domain, suspected).fingerprint);
    let slot = store.find_all(std::slice::from_ref(&key)).await?.remove(&key);
    Ok(slot.and_then(|slot| {
        let seen = slot.seen.filter(|seen| seen.starts_at >= suspected.since)?;
        Some(Told { incident: slot.incident, firing: seen.status == AlertStatus::Firing })
    }))
}

/// Counts the alerts that begin to fire, before they are recorded: so whatever is on record was counted, and counting
/// one again changes nothing. The domains in which a cause is suspected now, with the incidents of their members.
pub(crate) async fn count<'a>(
    ingest: Ingest<'_>,
    recorded: impl Iterator<Item = &'a Recorded> + Clone,
) -> Result<BTreeMap<DomainKey, BTreeSet<IncidentId>>, StoreError> {
    let fired = recorded.filter_map(|recorded| match &recorded.event {
        Event::AlertFired { alert } => Some((&**alert, &recorded.incident, recorded.at)),
        _ => None,
    });
    let all = domains(ingest.policy, fired.clone().map(|(alert, ..)| alert));
    let mut opened = BTreeMap::new();
    if all.is_empty() {
        return Ok(opened);
    }
    let mut keys: Vec<BookKey> = all.iter().map(DomainKey::book).collect();
    keys.push(BookKey::domains());
    for attempt in 0..MOST_TRIES {
        let books = ingest.store.books(&keys).await?;
        let (writes, crossed) = note(ingest, &books, fired.clone());
        opened = crossed;
        if writes.is_empty() {
            return Ok(opened);
        }
        match ingest.store.write_books(&writes).await {
            Ok(()) => return Ok(opened),
            Err(AppendError::Conflict(_)) => pause(ingest.clock, attempt).await,
            Err(AppendError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Unavailable("too many count in one failure domain at once".to_owned()))
}

type Opened = BTreeMap<DomainKey, BTreeSet<IncidentId>>;

/// The books as they are after these firings, in order.
fn note<'a>(
    ingest: Ingest<'_>,
    books: &Books,
    fired: impl Iterator<Item = (&'a Alert, &'a IncidentId, Timestamp)>,
) -> (Vec<BookWrite>, Opened) {
    let policy = &ingest.policy.shared_cause;
    let stored = |key: &BookKey| books.get(key).cloned().unwrap_or_default();
    let mut domains: BTreeMap<DomainKey, Domain> = BTreeMap::new();
    let mut changed: BTreeSet<DomainKey> = BTreeSet::new();
    let mut opened = Opened::new();
    for (alert, incident, at) in fired {
        let keys = domains_of(alert, policy);
        for key in &keys {
            let of = || stored(&key.book()).domain.unwrap_or_default();
            domains.entry(key.clone()).or_insert_with(of);
        }
        // What is explained by one domain is not counted in another.
        let member =
            keys.iter().find(|key| domains.get(*key).is_some_and(|of| of.suspected.is_some()));
        if let Some(key) = member {
            // Those that come later than the suspicion are muted as they are taken in.
            if let Some(of) = opened.get_mut(key) {
                of.insert(incident.clone());
            }
            continue;
        }
        for key in keys {
            let Some(domain) = domains.get(&key) else { continue };
            match domain.note(alert, incident, at, policy) {
                Noted::Member => {}
                Noted::Counted(next) => {
                    changed.insert(key.clone());
                    domains.insert(key, next);
                }
                Noted::Crossed(next) => {
                    let members = next.members().into_iter().cloned();
                    opened.entry(key.clone()).or_default().extend(members);
                    changed.insert(key.clone());
                    domains.insert(key, next);
                    break;
                }
            }
        }
    }
    let mut writes: Vec<BookWrite> = changed
        .iter()
        .filter_map(|key| Some(write(&stored(&key.book()), key.book(), domains.get(key)?.clone())))
        .collect();
    let index = stored(&BookKey::domains());
    let mut open = index.domain.clone().unwrap_or_default();
    let before = open.open.len();
    open.open.extend(changed.into_iter().filter(|key| opened.contains_key(key)));
    if open.open.len() > before {
        writes.push(write(&index, BookKey::domains(), open));
    }
    (writes, opened)
}

fn write(stored: &Book, key: BookKey, domain: Domain) -> BookWrite {
    BookWrite { key, book: stored.counted(domain) }
}

/// Tells people of the parents, and says on each member that it is part of one. What fails here is made good by
/// [`settle`].
pub(crate) async fn open(ingest: Ingest<'_>, opened: Opened) -> Result<(), StoreError> {
    for (domain, members) in opened {
        let books = ingest.store.books(&[domain.book()]).await?;
        let Some(suspected) = suspected(&books, &domain) else { continue };
        if told_in(ingest.store, &domain, &suspected).await?.is_none() {
            raise(ingest, parent(&domain, &suspected)).await?;
        }
        for member in members {
            regard(ingest, &member).await?;
        }
    }
    Ok(())
}

/// Says on an incident whether it is muted now.
async fn regard(ingest: Ingest<'_>, id: &IncidentId) -> Result<(), StoreError> {
    let Some(incident) = ingest.store.load(id).await? else { return Ok(()) };
    let of = domains(ingest.policy, incident.firing());
    let (policy, now) = (ingest.policy, ingest.clock.now());
    let facts = crate::muting::read(ingest.store, policy, incident.firing(), &of, now).await;
    let change = |incident: &Incident| -> Result<Vec<Event>, Infallible> {
        Ok(shared(incident, &facts, now).into_iter().collect())
    };
    match record(ingest.store, ingest.clock, id, change).await {
        Ok(_) | Err(RecordError::NotFound(_) | RecordError::Contended(_)) => Ok(()),
        Err(RecordError::Store(error)) => Err(error),
        Err(RecordError::Refused(never)) => match never {},
    }
}

/// The change of an incident that begins or ends to be part of a shared cause.
fn shared(incident: &Incident, facts: &MuteFacts<'_>, now: Timestamp) -> Option<Event> {
    let event = muting::change(incident, facts, now)?;
    let was = incident.muted.as_ref().or(incident.resting.as_ref());
    let muted = if let Event::Suppressed { muted } = &event { Some(muted) } else { was };
    muted.is_some_and(|muted| muted.by == MutedBy::SharedCause).then_some(event)
}

/// Looks after every suspicion: people are told of it, it ends when no member fires any more or a person resolved the
/// parent, and members that still fire are told of then. To be called again and again; twice at once does no harm.
pub async fn settle(ingest: Ingest<'_>) -> Result<(), StoreError> {
    let index = BookKey::domains();
    let books = ingest.store.books(std::slice::from_ref(&index)).await?;
    let open = books.get(&index).and_then(|book| book.domain.clone()).unwrap_or_default().open;
    if open.is_empty() {
        return Ok(());
    }
    let live = ingest.store.live(Live::MOST).await?;
    for domain in open {
        settle_one(ingest, &domain, &live).await?;
    }
    Ok(())
}

async fn settle_one(ingest: Ingest<'_>, domain: &DomainKey, live: &Live) -> Result<(), StoreError> {
    let books = ingest.store.books(&[domain.book()]).await?;
    let members = || {
        let policy = &ingest.policy.shared_cause;
        let is_member = |alert: &Alert| domains_of(alert, policy).contains(domain);
        live.incidents.iter().filter(move |incident| incident.firing().any(is_member))
    };
    if let Some(suspected) = suspected(&books, domain) {
        let now = ingest.clock.now();
        let told = told_in(ingest.store, domain, &suspected).await?;
        let over = match told {
            None => {
                raise(ingest, parent(domain, &suspected)).await?;
                false
            }
            // A person said that it is over.
            Some(Told { firing: false, .. }) => true,
            Some(_) => {
                let young = now.duration_since(suspected.since) < SHORTEST;
                !young && live.more_than.is_none() && members().next().is_none()
            }
        };
        if !over {
            for member in members().filter(|member| member.muted.is_none()) {
                regard(ingest, &member.id).await?;
            }
            return Ok(());
        }
        end(ingest, parent_over(domain, &suspected, now)).await?;
    }
    clear(ingest, domain).await?;
    for member in members() {
        regard(ingest, &member.id).await?;
    }
    Ok(())
}

/// Begins the count of a domain anew.
async fn clear(ingest: Ingest<'_>, domain: &DomainKey) -> Result<(), StoreError> {
    let keys = [domain.book(), BookKey::domains()];
    for attempt in 0..MOST_TRIES {
        let books = ingest.store.books(&keys).await?;
        let stored = |key: &BookKey| books.get(key).cloned().unwrap_or_default();
        let index = stored(&BookKey::domains());
        let mut open = index.domain.clone().unwrap_or_default();
        if !open.open.remove(domain) {
            return Ok(());
        }
        let writes = [
            write(&stored(&domain.book()), domain.book(), Domain::default()),
            write(&index, BookKey::domains(), open),
        ];
        match ingest.store.write_books(&writes).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Conflict(_)) => pause(ingest.clock, attempt).await,
            Err(AppendError::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Unavailable("too many count in one failure domain at once".to_owned()))
}
