//! Remediation on the real store: what a dead driver leaves behind is ended, and nobody else's work.

use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Status};
use firebreak_core::policy::Policy;
use firebreak_core::run::{Directive, Takeover};
use firebreak_core::runbook::{self, RunbookSet};
use firebreak_engine::contracts::examples;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ids::incident_id;
use firebreak_engine::ports::{HandsSet, IncidentStore as _, Store, SystemClock};
use firebreak_engine::remediate::{RemediateError, Remediation, advance};
use firebreak_engine::takeover::driver_died;
use jiff::{SignedDuration, Timestamp};

use crate::emulator;

const EMULATOR: &str = "FIREBREAK_TEST_DYNAMODB_LOCAL";

/// Waits for its group to settle, so that no hands are needed.
const RUNBOOK: &str = "
runbook: restart
owner: platform
when: alert.labels.monitor == 'slow-api-data'
mode: auto
max_age: 24h
settle: 1h
targets: { ec2.instance: alert.labels.thing }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
";

async fn open(store: &dyn Store, monitor: &str) -> IncidentId {
    let now = Timestamp::now();
    let mut draft = examples::draft(monitor, "i-0123456789abcdef0");
    draft.starts_at = now;
    let opening = examples::opening(&draft.seal(), now);
    store.append(&opening).await.unwrap();
    opening.incident.id
}

async fn load(store: &dyn Store, id: &IncidentId) -> Incident {
    store.load(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_dead_driver_takes_its_run_and_no_other_with_it() {
    let Some(config) = emulator::config(EMULATOR).await else { return };
    let store = emulator::store(&config).await;
    let runbooks = [runbook::read(RUNBOOK).unwrap()].into_iter().collect();
    let hands = HandsSet::default();
    let with = Remediation {
        store: &store,
        clock: &SystemClock,
        runbooks: &runbooks,
        policy: &Policy::default(),
        hands: &hands,
        meter: &GuardMeter::default(),
        reopen_within: SignedDuration::from_mins(10),
    };
    let id = open(&store, "slow-api-data").await;
    let directive = advance(with, &id, "first", Takeover::Respect).await.unwrap();
    assert!(matches!(directive, Directive::Wait { .. }), "{directive:?}");

    driver_died(with, &id, "second", "ended as FAILED").await.unwrap();
    assert!(load(&store, &id).await.active_run().is_some(), "a stranger's run was ended");

    for _ in 0..2 {
        driver_died(with, &id, "first", "ended as ABORTED").await.unwrap();
        let incident = load(&store, &id).await;
        assert!(incident.active_run().is_none());
        assert_eq!(incident.status, Status::Escalated);
    }
    let events = store.events(&id).await.unwrap();
    let escalations = events.iter().filter(|event| matches!(event.event, Event::Escalated { .. }));
    assert_eq!(escalations.count(), 1);
}

#[tokio::test]
async fn a_driver_that_died_before_it_began_is_told_to_people() {
    let Some(config) = emulator::config(EMULATOR).await else { return };
    let store = emulator::store(&config).await;
    let hands = HandsSet::default();
    let runbooks = RunbookSet::default();
    let with = Remediation {
        store: &store,
        clock: &SystemClock,
        runbooks: &runbooks,
        policy: &Policy::default(),
        hands: &hands,
        meter: &GuardMeter::default(),
        reopen_within: SignedDuration::from_mins(10),
    };
    let id = open(&store, "other").await;
    driver_died(with, &id, "first", "ended as TIMED_OUT (execution first)").await.unwrap();
    let incident = load(&store, &id).await;
    assert_eq!(incident.status, Status::Escalated);
    let reason = incident.escalated_because.unwrap();
    assert_eq!(reason, "its remediation ended as TIMED_OUT (execution first)");

    let unknown = incident_id(Timestamp::now());
    let answer = driver_died(with, &unknown, "first", "ended").await;
    assert!(matches!(answer, Err(RemediateError::NotFound(_))), "{answer:?}");
}
