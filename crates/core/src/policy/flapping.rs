//! `flapping`: an alert that changes its state too often is told once and not acted on until it settles.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Problem;

/// An alert flaps from its `start`-th change of state within `window` on, until `stop` changes or fewer are
/// left in it. Firing and resolving are one change each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flapping {
    pub window: SignedDuration,
    pub start: usize,
    pub stop: usize,
}

impl Default for Flapping {
    fn default() -> Self {
        Self { window: SignedDuration::from_hours(1), start: 6, stop: 2 }
    }
}

impl Flapping {
    /// The changes of one alert that are remembered; no rule may ask for more.
    pub const MOST_CHANGES: usize = 32;
    const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

    pub(super) fn problems(&self) -> Vec<Problem> {
        let problem = |field: &str, text: String| vec![(format!("flapping.{field}"), text)];
        if self.start < 2 || self.start > Self::MOST_CHANGES {
            return problem("start", format!("use 2 to {}", Self::MOST_CHANGES));
        }
        if self.stop >= self.start {
            let text = format!("must be below `start` ({}), or it would never settle", self.start);
            return problem("stop", text);
        }
        if self.window <= SignedDuration::ZERO || self.window > Self::LONGEST {
            return problem("window", "use a time of up to 168h, such as `1h`".to_owned());
        }
        Vec::new()
    }
}
