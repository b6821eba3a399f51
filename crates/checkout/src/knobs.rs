//! How the service shall behave: the values that the environment, the command line and the flags set.

use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

/// What is wrong with a value, and what would be right.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be {wanted}")]
pub struct BadKnob {
    wanted: &'static str,
}

impl BadKnob {
    pub(crate) const BOOLEAN: Self = Self { wanted: "true or false" };
    pub(crate) const ERROR_RATE: Self = Self { wanted: "a number from 0 to 1, such as 0.3" };
    pub(crate) const LATENCY: Self =
        Self { wanted: "whole milliseconds from 0 to 60000, such as 250" };
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Knobs {
    /// Answer from a reduced path: quick, and not subject to the error rate.
    pub degraded_mode: bool,
    pub error_rate: ErrorRate,
    pub latency_ms: LatencyMs,
}

/// The share of requests that fail, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ErrorRate(f64);

impl ErrorRate {
    /// Parts in a million: whole numbers, so that any run of requests fails in the exact proportion.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rate is between 0 and 1"
    )]
    pub(crate) fn per_million(self) -> u32 {
        (self.0 * 1_000_000.0).round() as u32
    }
}

impl TryFrom<f64> for ErrorRate {
    type Error = BadKnob;

    fn try_from(share: f64) -> Result<Self, BadKnob> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(BadKnob::ERROR_RATE) }
    }
}

impl FromStr for ErrorRate {
    type Err = BadKnob;

    fn from_str(text: &str) -> Result<Self, BadKnob> {
        Self::try_from(text.parse::<f64>().map_err(|_| BadKnob::ERROR_RATE)?)
    }
}

/// How long a request waits before it is answered, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LatencyMs(u64);

impl LatencyMs {
    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl TryFrom<u64> for LatencyMs {
    type Error = BadKnob;

    fn try_from(milliseconds: u64) -> Result<Self, BadKnob> {
        if milliseconds <= 60_000 { Ok(Self(milliseconds)) } else { Err(BadKnob::LATENCY) }
    }
}

impl FromStr for LatencyMs {
    type Err = BadKnob;

    fn from_str(text: &str) -> Result<Self, BadKnob> {
        Self::try_from(text.parse::<u64>().map_err(|_| BadKnob::LATENCY)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_outside_of_zero_to_one_is_refused_with_the_remedy() {
        for text in ["1.01", "-0.1", "NaN", "inf", "30%"] {
            let error = text.parse::<ErrorRate>().unwrap_err();
            assert_eq!(error.to_string(), "must be a number from 0 to 1, such as 0.3", "{text}");
        }
    }

    #[test]
    fn a_latency_over_a_minute_is_refused() {
        assert_eq!("60000".parse(), Ok(LatencyMs(60_000)));
        assert_eq!("60001".parse::<LatencyMs>(), Err(BadKnob::LATENCY));
    }
}
