//! An alert's way to a reboot, with the real store and the real hands: one call, and its answer on the record.

use firebreak_aws::ec2::Ec2Reboot;
use firebreak_core::evidence::Reading;
use firebreak_core::incident::Event;
use firebreak_core::ledger::RowState;
use firebreak_core::policy::Policy;
use firebreak_core::run::{Directive, Order, Takeover, Work};
use firebreak_core::runbook;
use firebreak_engine::contracts::examples;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ports::{HandsSet, IncidentStore as _, SystemClock};
use firebreak_engine::remediate::{ActReport, Remediation, act, advance};
use jiff::{SignedDuration, Timestamp};

use crate::emulator;
use crate::ministack::{MINISTACK, launch};

const RUNBOOK: &str = "
runbook: restart
owner: platform
when: alert.labels.monitor == 'slow-api-data'
mode: auto
targets: { ec2.instance: alert.labels.thing }
guards:
  require_tag: { firebreak: allow }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
";

#[tokio::test]
async fn a_planned_reboot_is_sent_once_and_checked() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let store = emulator::store(&config).await;
    let target = launch(&aws_sdk_ec2::Client::new(&config), &[("firebreak", "allow")]).await;
    let runbooks = [runbook::read(RUNBOOK).unwrap()].into_iter().collect();
    let hands = HandsSet::new(vec![Box::new(Ec2Reboot::new(&config))]);
    let with = Remediation {
        store: &store,
        clock: &SystemClock,
        runbooks: &runbooks,
        policy: &Policy::default(),
        hands: &hands,
        meter: &GuardMeter::default(),
        reopen_within: SignedDuration::from_mins(10),
    };
    let now = Timestamp::now();
    let mut draft = examples::draft("slow-api-data", &target.id);
    draft.starts_at = now;
    let opening = examples::opening(&draft.seal(), now);
    store.append(&opening).await.unwrap();
    let id = opening.incident.id;

    let mut applied: Option<Order> = None;
    for _ in 0..10 {
        match advance(with, &id, "test", Takeover::Respect).await.unwrap() {
            Directive::Act { family, order } => {
                assert_eq!(family, "ec2");
                assert_eq!(act(with, &id, &order).await.unwrap(), ActReport::Done);
                if matches!(order.work, Work::Apply { .. }) {
                    applied = Some(order);
                }
            }
            Directive::Wait { .. } => break,
            other => unreachable!("{other:?}"),
        }
    }
    let again = act(with, &id, &applied.expect("an order to apply")).await.unwrap();
    assert!(
        matches!(again, ActReport::Stale(_)),
        "the same order was carried out twice: {again:?}"
    );

    let incident = store.load(&id).await.unwrap().unwrap();
    let run = incident.active_run().unwrap();
    assert_eq!(run.rows[0].state, RowState::Confirmed);
    assert!(run.rows[0].receipt.as_ref().unwrap().starts_with("request "));
    let events = store.events(&id).await.unwrap();
    let sent = events.iter().filter(|event| matches!(event.event, Event::StepSent { .. }));
    assert_eq!(sent.count(), 1);
    let status = hands.of("ec2.reboot").unwrap().check(&run.rows[0], &run.runbook.steps[0]).await;
    assert_eq!(status[0].reading, Reading::Good);
}
