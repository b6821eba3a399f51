//! Keeping what could not be understood, and taking it in once it can be.

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::shared_cause::OWN_SOURCE;
use firebreak_core::sources::{self, Delivery, Intake, Reject};
use jiff::Timestamp;
use serde::Serialize;

use crate::delivery::PackedBody;
use crate::ids;
use crate::ingest::{Accepted, Ingest, Kept, KeptBecause, late, place, read};
use crate::own_alerts::{end, raise};
use crate::ports::{KeptProblem, QuarantineQuery, Quarantined, Replayed, StoreError};

/// Keeps the delivery whole, and says for each part under which id. People are told once for each source.
pub(crate) async fn keep(
    ingest: Ingest<'_>,
    source: &str,
    delivery: &Delivery<'_>,
    rejects: Vec<Reject>,
) -> Result<Vec<Kept>, StoreError> {
    let (alone, parts): (Vec<Reject>, Vec<Reject>) =
        rejects.into_iter().partition(Reject::stands_alone);
    let mut said = Vec::new();
    for reject in alone {
        let as_json = Delivery {
            body: reject.raw.as_bytes(),
            content_type: Some("application/json"),
            ..*delivery
        };
        let problem = KeptProblem { index: None, ..problem(&reject) };
        let id = keep_one(ingest, source, &as_json, vec![problem]).await?;
        said.push(kept(id, reject));
    }
    if !parts.is_empty() {
        let problems = parts.iter().take(Quarantined::MOST_PROBLEMS).map(problem).collect();
        let id = keep_one(ingest, source, delivery, problems).await?;
        said.extend(parts.into_iter().map(|reject| kept(part_id(&id, reject.index), reject)));
    }
    said.sort_by_key(|kept| kept.index);
    let parts = said.len();
    // Counted by its words: terraform/wiring/quarantine.json.
    tracing::warn!(source, parts, "a delivery goes to quarantine");
    raise(ingest, unreadable(source, AlertStatus::Firing, delivery.received_at)).await?;
    Ok(said)
}

async fn keep_one(
    ingest: Ingest<'_>,
    source: &str,
    delivery: &Delivery<'_>,
    problems: Vec<KeptProblem>,
) -> Result<String, StoreError> {
    let one = Quarantined {
        id: ids::of(delivery.received_at, ingest.clock.chance()),
        version: 1,
        source: source.to_owned(),
        received_at: delivery.received_at,
        content_type: delivery.content_type.map(str::to_owned),
        headers: delivery.headers.to_vec(),
        problems,
    };
    ingest.store.keep(&one, &PackedBody::of(delivery.body)).await?;
    Ok(one.id)
}

fn kept(id: String, reject: Reject) -> Kept {
    let error =
        KeptBecause { code: reject.problem.code.to_owned(), message: reject.problem.message };
    Kept { id, index: reject.index, error }
}

fn problem(reject: &Reject) -> KeptProblem {
    KeptProblem {
        index: reject.index,
        code: reject.problem.code.to_owned(),
        message: clip(&reject.problem.message, Quarantined::MOST_MESSAGE),
        excerpt: clip(&reject.raw, Quarantined::MOST_EXCERPT),
        replayed: None,
    }
}

/// `most` bytes of JSON: what is written with an escape takes more than it is long, and a store has a limit.
fn clip(text: &str, most: usize) -> String {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        taken += written(c);
        if taken > most {
            return format!("{}…", text.get(..at).unwrap_or_default());
        }
    }
    text.to_owned()
}

/// The bytes that a character takes in JSON.
fn written(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..'\u{20}' => 6,
        _ => c.len_utf8(),
    }
}

/// `<id>` names a whole delivery, `<id>-<index>` one part of it.
pub fn part_id(id: &str, index: Option<usize>) -> String {
    index.map_or_else(|| id.to_owned(), |index| format!("{id}-{index}"))
}

fn parts_of(id: &str) -> (&str, Option<usize>) {
    let part = id.split_once('-').and_then(|(id, index)| Some((id, Some(index.parse().ok()?))));
    part.unwrap_or((id, None))
}

/// The alert that tells people that messages of a source wait in quarantine.
fn unreadable(source: &str, status: AlertStatus, at: Timestamp) -> Alert {
    Draft {
        source: OWN_SOURCE,
        identity: [("quarantine".to_owned(), source.into())].into(),
        status,
        severity: Severity::Warning,
        service: Some(OWN_SOURCE.to_owned()),
        name: "unreadable-alerts".to_owned(),
        title: format!("alerts from {source} could not be understood"),
        labels: [("source".to_owned(), source.to_owned())].into(),
        annotations: [(
            "remedy".to_owned(),
            "look at them with `firebreak quarantine list`, mend the sender's template, `quarantine replay` what is understood now"
                .to_owned(),
        )]
        .into(),
        episode: None,
        starts_at: at,
        ends_at: (status == AlertStatus::Resolved).then_some(at),
        links: Vec::new(),
    }
    .seal()
}

#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    #[error("there is no `{0}` in quarantine")]
    NotFound(String),
    /// Somebody else replays it at this moment.
    #[error("`{0}` was changed by somebody else meanwhile; ask again")]
    Contended(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One kept delivery, and what is understood of it today.
#[derive(Debug, Serialize)]
pub struct Shown {
    #[serde(flatten)]
    pub kept: Quarantined,
    /// The body as text; bytes that are none are replaced.
    pub raw: String,
    pub understood: Understood,
}

/// What the present parser makes of a kept delivery, or of one part.
#[derive(Debug, Default, Serialize)]
pub struct Understood {
    pub alerts: usize,
    pub problems: Vec<KeptProblem>,
}

/// A kept delivery, read by the present parser; limited to one part where the id names one.
struct Read {
    kept: Quarantined,
    part: Option<usize>,
    body: Vec<u8>,
    alerts: Vec<(usize, Alert)>,
    rejects: Vec<Reject>,
}

impl Read {
    async fn of(ingest: Ingest<'_>, id: &str) -> Result<Self, QuarantineError> {
        let (delivery_id, part) = parts_of(id);
        let found = ingest.store.quarantined(delivery_id).await?;
        let (kept, packed) = found.ok_or_else(|| QuarantineError::NotFound(id.to_owned()))?;
        let delivery = kept.delivery(packed);
        let body = delivery
            .body
            .unpack()
            .map_err(|error| StoreError::Corrupt(format!("quarantine {delivery_id}: {error}")))?;
        let intake = match sources::find(&kept.source) {
            Some(source) => read(ingest.policy, source, &delivery.delivery(&body)),
            None => Intake::default(),
        };
        let Intake { mut alerts, mut rejects, .. } = intake;
        if let Some(part) = part {
            alerts.retain(|(index, _)| *index == part);
            rejects.retain(|reject| reject.index.is_none_or(|index| index == part));
        }
        Ok(Self { kept, part, body, alerts, rejects })
    }
}

/// Shows a delivery, or the part that the id names.
pub async fn show(ingest: Ingest<'_>, id: &str) -> Result<Shown, QuarantineError> {
    let Read { mut kept, part, body, alerts, rejects } = Read::of(ingest, id).await?;
    if part.is_some() {
        kept.problems.retain(|problem| problem.index == part);
    }
    Ok(Shown {
        kept,
        raw: String::from_utf8_lossy(&body).into_owned(),
        understood: Understood {
            alerts: alerts.len(),
            problems: rejects.iter().map(problem).collect(),
        },
    })
}

/// What came of a replay.
#[derive(Debug, Serialize)]
pub struct Replay {
    pub accepted: Vec<Accepted>,
    /// What is not understood today either; it stays.
    pub still: Vec<Kept>,
}

/// How often it is done anew because somebody else replays the same.
const MOST_TRIES: u32 = 4;

/// Reads a kept delivery, or the part that the id names, with the present parser. What is understood now is taken in
/// and marked; the rest stays. Safe to repeat: what is known is recognised.
pub async fn replay(ingest: Ingest<'_>, id: &str, by: &str) -> Result<Replay, QuarantineError> {
    for _ in 0..MOST_TRIES {
        let Read { mut kept, part, alerts, mut rejects, .. } = Read::of(ingest, id).await?;
        let alerts = late(alerts, kept.received_at, ingest.clock.now());
        let (accepted, refused) = place(ingest, alerts).await?;
        rejects.extend(refused);
        let by = Replayed { at: ingest.clock.now(), by: by.to_owned() };
        let version = kept.version;
        settle(&mut kept, part, &rejects, &by);
        kept.version = version + 1;
        if ingest.store.amend(&kept).await? {
            if !kept.waits() {
                end_if_empty(ingest, &kept.source).await?;
            }
            let delivery_id = kept.id;
            let still = |reject: Reject| self::kept(part_id(&delivery_id, reject.index), reject);
            return Ok(Replay { accepted, still: rejects.into_iter().map(still).collect() });
        }
    }
    Err(QuarantineError::Contended(id.to_owned()))
}

/// What is said of the delivery after it was read anew: marks for what was understood, today's words for the rest.
fn settle(kept: &mut Quarantined, part: Option<usize>, rejects: &[Reject], by: &Replayed) {
    let of = |index: Option<usize>| {
        rejects.iter().find(|reject| reject.index == index || reject.index.is_none())
    };
    for known in &mut kept.problems {
        if known.replayed.is_some() || part.is_some_and(|_| known.index != part) {
            continue;
        }
        match of(known.index) {
            Some(reject) => *known = KeptProblem { index: known.index, ..problem(reject) },
            None => known.replayed = Some(by.clone()),
        }
    }
    let new = rejects.iter().filter(|reject| reject.index.is_some());
    for reject in new {
        let known = kept.problems.iter().any(|known| known.index == reject.index);
        if !known && kept.problems.len() < Quarantined::MOST_PROBLEMS {
            kept.problems.push(problem(reject));
        }
    }
}

/// Ends the alert about a source of which nothing waits any more, as far as one looks back.
async fn end_if_empty(ingest: Ingest<'_>, source: &str) -> Result<(), StoreError> {
    let query = QuarantineQuery { source: Some(source.to_owned()), limit: 200, before: None };
    if ingest.store.kept(&query).await?.iter().any(Quarantined::waits) {
        return Ok(());
    }
    end(ingest, unreadable(source, AlertStatus::Resolved, ingest.clock.now())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_part_is_bounded_as_it_is_written() {
        for text in ["\u{1}".repeat(600), "\"\\\n".repeat(400), "ä".repeat(600), "x".repeat(600)] {
            let clipped = clip(&text, 512);
            let json = serde_json::to_string(&clipped).unwrap();
            assert!(json.len() <= 512 + 2 + '…'.len_utf8() && json.len() > 500, "{json}");
        }
        assert_eq!(clip("\n\n", 4), "\n\n");
        let all =
            ['\0', '\u{8}', '\u{c}', '\n', '\r', '\t', '\u{1f}', '"', '\\', '/', '\u{7f}', '€'];
        for c in all {
            assert_eq!(serde_json::to_string(&c).unwrap().len() - 2, written(c), "{c:?}");
        }
    }
}
