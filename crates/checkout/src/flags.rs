//! The knobs as flags that can be read and set while the service runs, each with a version that only rises.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::knobs::{BadKnob, ErrorRate, Knobs, LatencyMs};

/// One flag, as it is read and as a change of it is answered.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Flag {
    name: &'static str,
    pub(crate) value: Value,
    pub(crate) version: u64,
    /// Who changed it last, and when; nobody since the service began where these are null.
    changed_by: Option<String>,
    changed_at: Option<Timestamp>,
}

/// The body of a change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    value: Value,
    /// Change only if the flag still has this version.
    if_version: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FlagError {
    #[error("there is no flag `{name}`; the flags are {}", Name::ALL.map(Name::as_str).join(", "))]
    Unknown { name: String },
    #[error("`{}` is at version {}; read it again and decide anew", current.name, current.version)]
    Moved { current: Flag },
    #[error("the body must be {{\"value\": ...}}, with \"if_version\" to change that version only")]
    BadBody(#[source] serde_json::Error),
    #[error("`{name}` {problem}")]
    BadValue { name: &'static str, problem: BadKnob },
}

#[derive(Clone, Copy)]
enum Name {
    DegradedMode,
    ErrorRate,
    LatencyMs,
}

impl Name {
    const ALL: [Self; 3] = [Self::DegradedMode, Self::ErrorRate, Self::LatencyMs];

    fn parse(name: &str) -> Result<Self, FlagError> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == name);
        found.ok_or_else(|| FlagError::Unknown { name: name.to_owned() })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::DegradedMode => "degraded_mode",
            Self::ErrorRate => "error_rate",
            Self::LatencyMs => "latency_ms",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Flags(Mutex<State>);

#[derive(Debug)]
struct State {
    degraded_mode: Versioned<bool>,
    error_rate: Versioned<ErrorRate>,
    latency_ms: Versioned<LatencyMs>,
}

#[derive(Debug)]
struct Versioned<T> {
    value: T,
    version: u64,
    changed: Option<Changed>,
}

#[derive(Debug, Clone)]
struct Changed {
    by: String,
    at: Timestamp,
}

impl Flags {
    pub(crate) fn new(knobs: Knobs) -> Self {
        Self(Mutex::new(State {
            degraded_mode: Versioned::new(knobs.degraded_mode),
            error_rate: Versioned::new(knobs.error_rate),
            latency_ms: Versioned::new(knobs.latency_ms),
        }))
    }

    pub(crate) fn knobs(&self) -> Knobs {
        let state = self.state();
        Knobs {
            degraded_mode: state.degraded_mode.value,
            error_rate: state.error_rate.value,
            latency_ms: state.latency_ms.value,
        }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Flag, FlagError> {
        Ok(self.state().flag(Name::parse(name)?))
    }

    /// Sets the flag, raises its version and notes who did it, or changes nothing.
    pub(crate) fn set(
        &self,
        name: &str,
        change: &Change,
        (by, at): (&str, Timestamp),
    ) -> Result<Flag, FlagError> {
        let name = Name::parse(name)?;
        let mut state = self.state();
        let current = state.flag(name);
        if change.if_version.is_some_and(|version| version != current.version) {
            return Err(FlagError::Moved { current });
        }
        state
            .put(name, &change.value, &Changed { by: by.to_owned(), at })
            .map_err(|problem| FlagError::BadValue { name: name.as_str(), problem })?;
        Ok(state.flag(name))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn flag(&self, name: Name) -> Flag {
        match name {
            Name::DegradedMode => self.degraded_mode.flag(name),
            Name::ErrorRate => self.error_rate.flag(name),
            Name::LatencyMs => self.latency_ms.flag(name),
        }
    }

    fn put(&mut self, name: Name, value: &Value, changed: &Changed) -> Result<(), BadKnob> {
        match name {
            Name::DegradedMode => {
                self.degraded_mode.put(value.as_bool().ok_or(BadKnob::BOOLEAN)?, changed);
            }
            Name::ErrorRate => {
                self.error_rate
                    .put(value.as_f64().ok_or(BadKnob::ERROR_RATE)?.try_into()?, changed);
            }
            Name::LatencyMs => {
                self.latency_ms.put(value.as_u64().ok_or(BadKnob::LATENCY)?.try_into()?, changed);
            }
        }
        Ok(())
    }
}

impl<T: Copy + Serialize> Versioned<T> {
    fn new(value: T) -> Self {
        Self { value, version: 1, changed: None }
    }

    fn flag(&self, name: Name) -> Flag {
        let changed = self.changed.as_ref();
        Flag {
            name: name.as_str(),
            value: json!(self.value),
            version: self.version,
            changed_by: changed.map(|changed| changed.by.clone()),
            changed_at: changed.map(|changed| changed.at),
        }
    }

    fn put(&mut self, value: T, changed: &Changed) {
        self.value = value;
        self.changed = Some(changed.clone());
        self.version += 1;
    }
}
