//! Why an invocation fails, in the words that the state machine and the alarms see.

use firebreak_core::incident::Refusal;
use firebreak_engine::breaker::ResetError;
use firebreak_engine::ports::StoreError;
use firebreak_engine::record::RecordError;
use firebreak_engine::remediate::RemediateError;
use firebreak_engine::silence::SilenceError;
use lambda_runtime::Diagnostic;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the request cannot be read: {0}")]
    BadRequest(String),
    /// The wiring is wrong.
    #[error("{0}")]
    WrongFunction(String),
    #[error(transparent)]
    Remediate(#[from] RemediateError),
    /// What a person wished cannot be done; the text says what is the case instead.
    #[error(transparent)]
    Decide(#[from] RecordError<Refusal>),
    /// The same, of a silence.
    #[error(transparent)]
    Silence(#[from] SilenceError),
    #[error(transparent)]
    Reset(#[from] ResetError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault {
    /// Stable: retriers may match on it.
    fn kind(&self) -> &'static str {
        match self {
            Fault::BadRequest(_) => "BadRequest",
            Fault::WrongFunction(_) | Fault::Remediate(RemediateError::NoHands(_)) => {
                "WrongFunction"
            }
            Fault::Remediate(RemediateError::NotFound(_))
            | Fault::Decide(RecordError::NotFound(_)) => "IncidentNotFound",
            Fault::Remediate(RemediateError::Contended(_))
            | Fault::Decide(RecordError::Contended(_))
            | Fault::Silence(SilenceError::Contended(_)) => "Contended",
            Fault::Remediate(RemediateError::Store(error))
            | Fault::Decide(RecordError::Store(error))
            | Fault::Silence(SilenceError::Store(error))
            | Fault::Reset(ResetError::Store(error))
            | Fault::Store(error) => of_store(error),
            Fault::Decide(RecordError::Refused(_))
            | Fault::Reset(ResetError::Refused(_))
            | Fault::Silence(SilenceError::Refused(_) | SilenceError::TooMany) => "Refused",
            Fault::Silence(SilenceError::NotFound(_)) => "SilenceNotFound",
        }
    }
}

fn of_store(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "StoreUnavailable",
        StoreError::Corrupt(_) => "StoreCorrupt",
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        let error_type = fault.kind().to_owned();
        tracing::error!(error_type, %fault, "failed");
        Diagnostic { error_type, error_message: fault.to_string() }
    }
}

#[cfg(test)]
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.kind() == other.kind() && self.to_string() == other.to_string()
    }
}
