//! What was read and what was left out, so that nothing is lost without a word.

use serde::{Deserialize, Serialize};

use crate::line::Malformed;

/// So many malformed lines are kept as samples.
const MOST_SAMPLES: usize = 5;
/// So much of each.
const LONGEST_SAMPLE: usize = 120;

/// Counts since the beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub lines: u64,
    /// Lines that are events.
    pub events: u64,
    pub malformed: u64,
    pub samples: Vec<Sample>,
    /// Events that came later than is allowed and were left out.
    pub late: u64,
    /// Events that a rule is about and that lack a field of its key or a number that it looks at.
    pub incomplete: u64,
    /// Keys that were forgotten to make room, oldest first.
    pub evicted: u64,
    /// Events of new keys for which there was no room, because every key fires.
    pub refused: u64,
    /// Events that were let go before their time, because too many waited.
    pub hurried: u64,
    pub fired: u64,
    pub resolved: u64,
}

/// One malformed line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// From 1.
    pub line: u64,
    pub why: String,
    pub text: String,
}

impl Tally {
    pub(crate) fn malformed(&mut self, line: &str, why: Malformed) {
        self.malformed += 1;
        if self.samples.len() < MOST_SAMPLES {
            let text = line.trim();
            let end = text.floor_char_boundary(LONGEST_SAMPLE);
            let mut shown = text.get(..end).unwrap_or_default().to_owned();
            if end < text.len() {
                shown.push('…');
            }
            self.samples.push(Sample { line: self.lines, why: why.to_string(), text: shown });
        }
    }
}
