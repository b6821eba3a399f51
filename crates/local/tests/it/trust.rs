//! The ladder of trust on a real store: what nobody knows, what a person moves, and what stands afterwards.

use firebreak_core::policy::Trust;
use firebreak_core::runbook::{Mode, RunbookSet, read};
use firebreak_core::trust::{Misplaced, Wish};
use firebreak_engine::ports::SystemClock;
use firebreak_engine::trust::{Move, TrustError, move_to, standings};
use firebreak_local::SqliteStore;

const RUNBOOK: &str = r#"
runbook: cure
owner: tests
when: alert.labels.monitor == "cure"
mode: auto
targets: { ec2.instance: alert.labels.thing }
steps:
  - action: ec2.reboot
    verify: { within: 2m, all: [alert_resolved, ec2.status_ok], fresh_after: 0s }
"#;

fn wanted(to: Mode, anyway: bool) -> Move {
    let wish = Wish { to, by: "ann".to_owned(), reason: "as agreed".to_owned(), anyway };
    Move { runbook: "cure".to_owned(), action: None, environment: None, wish }
}

#[tokio::test]
async fn a_person_moves_an_action_down_at_once_and_up_when_it_is_earned() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (runbooks, rules) = (RunbookSet::from(vec![read(RUNBOOK).unwrap()]), Trust::default());
    let move_it =
        async |wanted: Move| move_to(&store, &SystemClock, (&runbooks, &rules), &wanted).await;
    let stands = async || standings(&store, &runbooks, &rules).await.unwrap().remove(0);
    assert_eq!((stands().await.rung, stands().await.standing.changes.len()), (Mode::Auto, 0));

    let moved = move_it(wanted(Mode::Suggest, false)).await.unwrap();
    assert_eq!((moved[0].1.from, moved[0].1.to), (Mode::Auto, Mode::Suggest));
    let now = stands().await;
    assert_eq!((now.rung, now.ceiling, now.proposed), (Mode::Suggest, Mode::Auto, None));
    assert!(now.missing[0].contains("watched 0 times of 10"), "{:?}", now.missing);

    let refused = move_it(wanted(Mode::Approve, false)).await.unwrap_err();
    assert!(matches!(refused, TrustError::Refused(Misplaced::NotEarned(_))), "{refused}");
    let refused = move_it(wanted(Mode::Suggest, false)).await.unwrap_err();
    assert!(matches!(refused, TrustError::Refused(Misplaced::Already(_))), "{refused}");
    move_it(wanted(Mode::Approve, true)).await.unwrap();
    drop(
        move_it(Move { runbook: "other".to_owned(), ..wanted(Mode::Auto, true) })
            .await
            .unwrap_err(),
    );

    let kept = stands().await;
    assert_eq!((kept.rung, kept.standing.changes.len()), (Mode::Approve, 2));
    assert!(kept.standing.changes.iter().all(|change| change.by == "ann"));
}
