//! The daily anchor: one digest over the heads of all incidents, chained to the day before and kept elsewhere.
//!
//! Whoever can write to the store can also write hashes that fit. An anchor that is out of their reach shows that an
//! event, the end of an incident or a whole incident is gone.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::EventHash;
use super::check::{Broken, Wrong};
use super::copy::Copy;
use super::hash::digest_of;
use crate::ids::IncidentId;

/// The last event of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub hash: EventHash,
    pub at: Timestamp,
}

/// The last events of all incidents.
pub type Heads = BTreeMap<IncidentId, Head>;

/// `an1_` and a SHA-256 over an anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnchorHash(String);

/// How all incidents stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The day, in UTC.
    pub date: Date,
    pub at: Timestamp,
    pub incidents: usize,
    pub events: u64,
    /// Over number and hash of the last event of every incident.
    pub root: String,
    /// The heads that are new since the anchor before, and some that are not.
    pub changed: BTreeMap<IncidentId, (u64, EventHash)>,
    /// The hash of the anchor before; the first one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<AnchorHash>,
}

/// A clock may be behind, and an event is written a moment after it got its time.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

impl Anchor {
    /// The anchor that follows `before`.
    pub fn of(before: Option<&Anchor>, heads: &Heads, now: Timestamp) -> Self {
        let since = before.map_or(Timestamp::MIN, |before| before.at - OVERLAP);
        let changed = heads.iter().filter(|(_, head)| head.at >= since);
        Self {
            date: TimeZone::UTC.to_datetime(now).date(),
            at: now,
            incidents: heads.len(),
            events: heads.values().map(|head| head.seq).sum(),
            root: root(heads.iter().map(|(id, head)| (id, head.seq, head.hash))),
            changed: changed.map(|(id, head)| (id.clone(), (head.seq, head.hash))).collect(),
            prev: before.map(Anchor::hash),
        }
    }

    /// Whether there should be a new one.
    pub fn is_due(latest: Option<&Anchor>, now: Timestamp) -> bool {
        latest.is_none_or(|latest| latest.date < TimeZone::UTC.to_datetime(now).date())
    }

    pub fn hash(&self) -> AnchorHash {
        let line = serde_json::to_value(self).expect("an anchor is plain data");
        AnchorHash(format!("an1_{}", hex(&digest_of(b"firebreak:anchor:1\n", &line))))
    }
}

fn root<'a>(heads: impl Iterator<Item = (&'a IncidentId, u64, EventHash)>) -> String {
    let mut all = Sha256::new();
    all.update(b"firebreak:heads:1\n");
    for (id, seq, hash) in heads {
        all.update(format!("{id} {seq} {hash}\n"));
    }
    hex(&all.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

/// Anchors as they were kept, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Anchors {
    kept: Vec<Result<Anchor, String>>,
}

impl Anchors {
    /// One anchor a line.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let read = |line| serde_json::from_str(line).map_err(|error| error.to_string());
        Self { kept: lines.map(read).collect() }
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The one that the next follows.
    pub fn latest(&self) -> Option<&Anchor> {
        self.kept.iter().rev().find_map(|kept| kept.as_ref().ok())
    }

    /// The first anchor that does not fit the one before, then all that the copy lacks.
    pub(super) fn broken(&self, copy: &Copy) -> Vec<Broken> {
        let mut known: BTreeMap<IncidentId, (u64, EventHash)> = BTreeMap::new();
        let mut before: Option<&Anchor> = None;
        let mut broken = Vec::new();
        for (index, kept) in self.kept.iter().enumerate() {
            let misfit = |wrong, why: &str| {
                Broken::of(wrong, format!("anchor {} of the file: {why}", index + 1))
            };
            let anchor = match kept {
                Ok(anchor) => anchor,
                Err(why) => {
                    broken.push(misfit(Wrong::Unreadable, why));
                    break;
                }
            };
            if anchor.prev != before.map(Anchor::hash) {
                broken.push(misfit(Wrong::Altered, "it does not follow the anchor before it"));
                break;
            }
            known.extend(anchor.changed.iter().map(|(id, head)| (id.clone(), *head)));
            let heads = known.iter().map(|(id, (seq, hash))| (id, *seq, *hash));
            if root(heads) != anchor.root || known.len() != anchor.incidents {
                broken.push(misfit(Wrong::Altered, "its digest is not that of its heads"));
                break;
            }
            broken.extend(
                anchor
                    .changed
                    .iter()
                    .filter_map(|(id, (seq, hash))| lacks(copy, id, *seq, *hash, anchor.date)),
            );
            before = Some(anchor);
        }
        // The anchors of many days may all miss the same.
        let mut said = std::collections::BTreeSet::new();
        broken.retain(|broken| broken.incident.is_none() || said.insert(broken.incident.clone()));
        broken
    }
}

fn lacks(copy: &Copy, id: &IncidentId, seq: u64, hash: EventHash, day: Date) -> Option<Broken> {
    let Some(chain) = copy.chains.get(id) else {
        let detail = format!("the whole incident is not there; on {day} it had {seq} events");
        return (!copy.is_partial()).then(|| Broken::of(Wrong::Missing, detail).at(id, 1));
    };
    match chain.entry(seq) {
        None => {
            let detail = format!("it was there on {day}");
            Some(Broken::of(Wrong::Missing, detail).at(id, seq))
        }
        Some(entry) if entry.hash != hash => {
            let detail = format!("its hash is {}, on {day} it was {hash}", entry.hash);
            Some(Broken {
                line: Some(entry.line),
                ..Broken::of(Wrong::Altered, detail).at(id, seq)
            })
        }
        Some(_) => None,
    }
}
