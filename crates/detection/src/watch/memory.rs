//! What a rule remembers of one key, and what it makes of it at a moment.

use serde::{Deserialize, Serialize};

use crate::bits::Exact;
use crate::forest::Point;
use crate::learner::{Learner, LearnerSettings, Unusual};
use crate::order::Sign;
use crate::rules::Rule;
use crate::window::Window;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Memory {
    Count(Window),
    Ratio(Window),
    /// The latest value and its time.
    Value(Option<(i64, Exact)>),
    /// When it was last seen, or began to be expected.
    Absence {
        seen: i64,
    },
    Unusual {
        learner: Box<Learner>,
        window: Window,
        latest: Option<Found>,
    },
}

/// An unusual point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) point: Point,
    pub(crate) score: Exact,
    pub(crate) limit: Exact,
}

/// Whether a sign can change what is thought of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    MayChange,
}

/// What is thought of a key at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judgement {
    /// What the rule looks for holds.
    pub(crate) holds: bool,
    /// It is far enough from holding that an alert may end.
    pub(crate) is_clear: bool,
    /// When it may change without an event.
    pub(crate) next: Option<i64>,
    /// Nothing of the key is worth remembering.
    pub(crate) is_idle: bool,
    /// For people: the count, the share or the value.
    pub(crate) measure: f64,
}

impl Memory {
    pub(crate) fn of(rule: &Rule, at: i64) -> Self {
        if rule.count.is_some() {
            return Self::Count(Window::default());
        }
        if rule.ratio.is_some() {
            return Self::Ratio(Window::default());
        }
        if rule.threshold.is_some() {
            return Self::Value(None);
        }
        let Some(unusual) = &rule.unusual else { return Self::Absence { seen: at } };
        let settings = LearnerSettings {
            method: unusual.method,
            features: unusual.features.len(),
            warm_up: usize::try_from(unusual.warm_up).unwrap_or(usize::MAX),
            sensitivity: unusual.sensitivity,
            seed: unusual.seed,
        };
        let learner = Box::new(Learner::new(settings));
        Self::Unusual { learner, window: Window::default(), latest: None }
    }

    /// Takes in a sign; times never go back.
    pub(crate) fn take(&mut self, at: i64, sign: Sign) -> Effect {
        match (self, sign) {
            (Self::Count(window) | Self::Ratio(window), Sign::Seen) => window.push(at, false),
            (Self::Ratio(window), Sign::Bad) => window.push(at, true),
            (Self::Value(value), Sign::Value(now)) => *value = Some((at, now)),
            (Self::Absence { seen }, Sign::Seen) => *seen = at,
            (Self::Unusual { learner, window, latest }, Sign::Point(point)) => {
                let Some(judged) = learner.observe(&point).filter(Unusual::is_unusual) else {
                    return Effect::None;
                };
                window.push(at, true);
                *latest =
                    Some(Found { point, score: Exact(judged.score), limit: Exact(judged.limit) });
            }
            // A sign of another kind: the rule was changed under the same name.
            _ => return Effect::None,
        }
        Effect::MayChange
    }

    pub(crate) fn judge(&mut self, rule: &Rule, at: i64) -> Judgement {
        match self {
            Self::Count(window) => {
                let Some(count) = &rule.count else { return Judgement::NOTHING };
                let (most, clear) = (count.more_than, count.clear.unwrap_or(count.more_than));
                counted(window, at, milliseconds(count.within), most, clear)
            }
            Self::Ratio(window) => {
                let Some(ratio) = &rule.ratio else { return Judgement::NOTHING };
                let length = milliseconds(ratio.within);
                window.slide(at, length);
                let share = share(window);
                let enough = window.events() >= u64::from(ratio.at_least);
                Judgement {
                    holds: enough && share > ratio.more_than,
                    is_clear: !enough || share <= ratio.clear.unwrap_or(ratio.more_than),
                    next: window.next_change(length),
                    is_idle: window.events() == 0,
                    measure: share,
                }
            }
            Self::Value(latest) => {
                let Some(threshold) = &rule.threshold else { return Judgement::NOTHING };
                let stale = milliseconds(threshold.stale_after);
                let Some((_, Exact(value))) = latest.filter(|(seen, _)| at < *seen + stale) else {
                    return Judgement { is_idle: true, ..Judgement::NOTHING };
                };
                let (holds, is_clear) = match (threshold.above, threshold.below) {
                    (Some(above), _) => (value > above, value <= threshold.clear.unwrap_or(above)),
                    (None, Some(below)) => {
                        (value < below, value >= threshold.clear.unwrap_or(below))
                    }
                    (None, None) => (false, true),
                };
                let next = latest.map(|(seen, _)| seen + stale);
                Judgement { holds, is_clear, next, is_idle: false, measure: value }
            }
            Self::Absence { seen } => {
                let Some(absence) = &rule.absence else { return Judgement::NOTHING };
                let (missed, forgotten) = (
                    *seen + milliseconds(absence.within),
                    *seen + milliseconds(absence.forget_after),
                );
                // Without a key there is one thing to expect, and it is never forgotten.
                let is_idle = !rule.per.is_empty() && at >= forgotten;
                let holds = at >= missed && !is_idle;
                let next = if at < missed { missed } else { forgotten };
                let next = (at < next && (at < missed || !rule.per.is_empty())).then_some(next);
                Judgement {
                    holds,
                    is_clear: !holds,
                    next,
                    is_idle,
                    measure: to_seconds(at - *seen),
                }
            }
            Self::Unusual { window, .. } => {
                let Some(unusual) = &rule.unusual else { return Judgement::NOTHING };
                let length = milliseconds(unusual.within);
                let mut judged = counted(window, at, length, unusual.more_than, 0);
                // What was learned is worth keeping.
                judged.is_idle = false;
                judged
            }
        }
    }
}

impl Judgement {
    pub(crate) const NOTHING: Self =
        Self { holds: false, is_clear: true, next: None, is_idle: true, measure: 0.0 };
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn counted(window: &mut Window, at: i64, length: i64, most: u32, clear: u32) -> Judgement {
    window.slide(at, length);
    let events = window.events();
    Judgement {
        holds: events > u64::from(most),
        is_clear: events <= u64::from(clear),
        next: window.next_change(length),
        is_idle: events == 0,
        measure: events as f64,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a window are small")]
fn share(window: &Window) -> f64 {
    if window.events() == 0 { 0.0 } else { window.bad() as f64 / window.events() as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn to_seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

pub(crate) fn milliseconds(span: jiff::SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4)
}
