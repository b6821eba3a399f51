//! Proposals: what somebody who may not act asks for is taken in, and the driver goes on from there.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Incident;
use firebreak_core::proposal::{NotProposed, Wish};
use firebreak_core::runbook::RunbookSet;

use crate::ports::{Clock, IncidentStore};
use crate::record::{RecordError, record};

/// Takes a wish in, on the latest state of the incident.
pub async fn propose(
    store: &dyn IncidentStore,
    clock: &dyn Clock,
    runbooks: &RunbookSet,
    id: &IncidentId,
    wish: &Wish,
) -> Result<Incident, RecordError<NotProposed>> {
    record(store, clock, id, |incident| wish.decide(incident, runbooks).map(|event| vec![event]))
        .await
}
