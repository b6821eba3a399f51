//! A person's answer wakes the run at once.

use firebreak_core::incident::{Command, Event, Incident, Outcome};
use firebreak_core::run::Phase;
use firebreak_engine::command::command;
use firebreak_engine::ports::{IncidentStore, SystemClock};
use firebreak_local::SqliteStore;
use jiff::SignedDuration;

use crate::world::{CURED, World, alert, all, deliver, over, start_driver, thing, until};

const ASK: &str = r#"
runbook: ask
owner: tests
when: alert.labels.monitor == "ask"
mode: approve
targets: { ec2.instance: alert.labels.thing }
guards: { cooldown: 0s, blast_radius: { max: 1000 } }
steps:
  - action: ec2.reboot
    verify: { within: 2s, stable_for: 200ms, all: [alert_resolved, ec2.status_ok], every: 100ms, fresh_after: 0s }
"#;

fn asks(incident: &Incident) -> bool {
    incident.active_run().is_some_and(|run| matches!(run.phase, Phase::AwaitingApproval { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_acts_when_approved_and_never_when_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let (store, world) = (SqliteStore::open(folder.path()).unwrap(), World::new(folder.path()));
    let driver = start_driver(&store, world.hands(), &[ASK]);
    for number in 0..2 {
        deliver(&store, &alert("ask", &thing(CURED, number))).await;
    }
    until(&store, &world, asks).await;
    assert_eq!(world.count("call", &thing(CURED, 0)) + world.count("call", &thing(CURED, 1)), 0);

    let by = "ada".to_owned();
    for incident in all(&store).await {
        let plan_hash = incident.runs[0].plan.as_ref().unwrap().hash.clone();
        let answer = if incident.title.ends_with('0') {
            Command::Approve { by: by.clone(), plan_hash }
        } else {
            Command::Reject { by: by.clone(), plan_hash, reason: "not now".to_owned() }
        };
        command(&store, &SystemClock, &incident.id, &answer).await.unwrap();
    }
    until(&store, &world, over).await;
    driver.stop().await;
    for incident in all(&store).await {
        let (name, approved) =
            (incident.title.rsplit(' ').next().unwrap(), incident.title.ends_with('0'));
        assert_eq!(world.count("call", name), usize::from(approved), "{}", incident.title);
        let outcome = if approved { Outcome::Helped } else { Outcome::Held };
        assert_eq!(incident.runs[0].outcome(), Some(outcome), "{}", incident.title);
        let events = store.events(&incident.id).await.unwrap();
        let answered = events.iter().position(|event| is_answer(&event.event)).unwrap();
        let waited = events[answered + 1].at.duration_since(events[answered].at);
        assert!(waited < SignedDuration::from_secs(5), "the answer was looked at after {waited:#}");
    }
}

fn is_answer(event: &Event) -> bool {
    matches!(event, Event::ApprovalGranted { .. } | Event::ApprovalRejected { .. })
}
