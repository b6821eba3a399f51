//! The hands against the real checkout service, and against servers that misbehave at the worst moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firebreak_checkout::{Knobs, Running};
use firebreak_core::alert::{AlertStatus, Draft, Severity};
use firebreak_core::book::{Books, RunRef};
use firebreak_core::evidence::Group;
use firebreak_core::guards::{Case, judge};
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded, replay};
use firebreak_core::muting::MuteFacts;
use firebreak_core::plan::{Basis, Plan};
use firebreak_core::policy::Policy;
use firebreak_core::runbook::{self, Runbook};
use firebreak_core::switch::{KillSwitch, SwitchReading};
use firebreak_engine::ports::SystemClock;
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::client::Timeouts;
use crate::testing::{Behaviour, Server};

/// Hands, one flag and the runbook that sets it.
struct Scene {
    hands: HttpSetFlag,
    target: Target,
    runbook: Runbook,
}

impl Scene {
    fn new(flag: &str, wanted: &Value) -> Self {
        let origin = Url::parse(flag).unwrap().origin().ascii_serialization();
        let timeouts =
            Timeouts { connect: Duration::from_secs(1), total: Duration::from_millis(300) };
        let client = Client::new(timeouts).unwrap();
        let hands = HttpSetFlag::new(client, origin.parse().unwrap(), Arc::new(SystemClock));
        let target = Target { kind: "http.flag".to_owned(), id: flag.to_owned() };
        let yaml = format!(
            "runbook: r\nowner: o\nmode: auto\nwhen: \"true\"\n\
             targets: {{ http.flag: alert.annotations.flag }}\n\
             steps:\n  - action: http.set_flag\n    with: {{ value: {wanted} }}\n    \
             verify: {{ within: 1m, all: [http.flag_set] }}\n"
        );
        Self { hands, target, runbook: runbook::read(&yaml).unwrap() }
    }

    fn step(&self) -> &Step {
        &self.runbook.steps[0]
    }

    /// Observes and plans: the row as the ledger would hold it, with the guards' permit for it.
    async fn planned(&self) -> (Row, RowPermit) {
        let mut seen = self.hands.observe(&self.target, Questions::default()).await.unwrap();
        seen.group =
            Some(Group { key: "kind:http.flag".to_owned(), members: 1, healthy: Fact::default() });
        let observations = [seen];
        let now = SystemClock.now();
        let incident = incident(&self.target.id, now);
        let basis = Basis {
            runbook: &self.runbook,
            firing: &[],
            observations: &observations,
            rulings: &[],
            books: &Books::new(),
            run: &RunRef { incident: incident.id.clone(), run: 1 },
        };
        let plan = Plan::of(&basis).unwrap();
        let row = Row::new(plan.steps[0].clone());
        let permit = judge(&Case {
            incident: &incident,
            runbook: &self.runbook,
            run: &RunRef { incident: incident.id.clone(), run: 1 },
            observations: &observations,
            plan: Some(&plan),
            books: &BTreeMap::new(),
            switch: &SwitchReading::Known(KillSwitch::default()),
            mutes: &MuteFacts::quiet(&Policy::default()),
            now,
        });
        let permit = permit.permit.expect("nothing holds");
        let permit = RowPermit::for_row(&permit, &row, &self.runbook).unwrap();
        (row, permit)
    }

    async fn set_to(&self, value: Value) {
        let url = Url::parse(&self.target.id).unwrap();
        let flag = read(&self.hands.client, &url).await.unwrap().unwrap();
        set(&self.hands.client, &url, &value, flag.version).await.unwrap();
    }

    async fn reads(&self) -> Value {
        let url = Url::parse(&self.target.id).unwrap();
        read(&self.hands.client, &url).await.unwrap().unwrap().value
    }

    async fn reading(&self, row: &Row) -> Reading {
        self.hands.check(row, self.step()).await[0].reading
    }

    async fn undo(&self, row: &Row) -> Result<String, String> {
        self.hands.undo(row, self.step()).await.map_err(|error| error.to_string())
    }
}

fn incident(flag: &str, now: Timestamp) -> Incident {
    let alert = Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), "m".into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("shop".to_owned()),
        name: "m".to_owned(),
        title: "errors".to_owned(),
        labels: BTreeMap::new(),
        annotations: [("flag".to_owned(), flag.to_owned())].into(),
        episode: None,
        starts_at: now,
        ends_at: None,
        links: Vec::new(),
    }
    .seal();
    let opened = Event::Opened {
        group_key: alert.group_key(),
        service: alert.service.clone(),
        severity: alert.severity,
        title: alert.title.clone(),
    };
    let id: IncidentId = "inc_01A".to_owned().try_into().unwrap();
    let events = [opened, Event::AlertFired { alert: Arc::new(alert) }];
    let events: Vec<Recorded> = (1..)
        .zip(events)
        .map(|(seq, event)| Recorded { incident: id.clone(), seq, at: now, event, prev: None })
        .collect();
    replay(&events).unwrap().unwrap()
}

async fn checkout() -> (Running, String) {
    let running =
        firebreak_checkout::start("127.0.0.1:0".parse().unwrap(), Knobs::default()).await.unwrap();
    let flags = format!("http://{}/admin/flags", running.addr());
    (running, flags)
}

#[tokio::test]
async fn a_flag_is_set_verified_and_put_back() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/degraded_mode"), &json!(true));
    let (mut row, permit) = scene.planned().await;
    assert_eq!(row.planned.identity, scene.target.id);
    assert_eq!(row.planned.undo, Some(json!({"value": false, "version": 1})));
    assert_eq!(scene.reading(&row).await, Reading::Bad);
    let receipt = scene.hands.apply(&permit).await.unwrap();
    assert_eq!(receipt, "degraded_mode set to true as version 2 (was false, version 1)");
    row.receipt = Some(receipt);
    assert_eq!(scene.reading(&row).await, Reading::Good);
    assert_eq!(scene.undo(&row).await.unwrap(), "put back to false as version 3");
    assert_eq!(scene.undo(&row).await.unwrap(), "it reads false at version 3, as before");
    assert_eq!(scene.reads().await, json!(false));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn numbers_are_equal_however_they_are_written() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/error_rate"), &json!(0));
    scene.set_to(json!(0.5)).await;
    let (row, permit) = scene.planned().await;
    scene.hands.apply(&permit).await.unwrap();
    assert_eq!(scene.reading(&row).await, Reading::Good);
    assert!(scene.undo(&row).await.unwrap().starts_with("put back to 0.5"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_set_already_is_not_set_again_and_not_taken_back() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/degraded_mode"), &json!(true));
    let (mut row, permit) = scene.planned().await;
    scene.set_to(json!(true)).await;
    let receipt = scene.hands.apply(&permit).await.unwrap();
    assert_eq!(receipt, "already true at version 2; nothing was sent");
    row.receipt = Some(receipt);
    assert!(scene.undo(&row).await.unwrap().starts_with("left as it is"));
    assert_eq!(scene.reads().await, json!(true));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_somebody_set_since_is_left_alone() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/latency_ms"), &json!(10));
    let (row, permit) = scene.planned().await;
    scene.hands.apply(&permit).await.unwrap();
    scene.set_to(json!(70)).await;
    let said = scene.undo(&row).await.unwrap();
    assert_eq!(said, "left as it is: somebody set it to 70 (version 3) since");
    assert_eq!(scene.reads().await, json!(70));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_flag_that_changed_since_the_plan_is_not_set() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/latency_ms"), &json!(10));
    let (_, permit) = scene.planned().await;
    scene.set_to(json!(70)).await;
    let said = scene.hands.apply(&permit).await.unwrap_err();
    assert!(matches!(said, ApplyError::Refused(_)));
    assert_eq!(said.to_string(), "it reads 70 now and read 0 when planned");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_value_that_the_service_does_not_take_is_refused_with_its_words() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/error_rate"), &json!(7));
    let (_, permit) = scene.planned().await;
    let said = scene.hands.apply(&permit).await.unwrap_err();
    assert!(matches!(said, ApplyError::Refused(_)));
    assert!(said.to_string().contains("a number from 0 to 1"), "{said}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_record_of_a_flag_tells_a_person_from_us() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/latency_ms"), &json!(10));
    let changed = async || {
        let seen = scene.hands.observe(&scene.target, Questions::default()).await.unwrap();
        seen.circumstances.changed
    };
    assert_eq!(changed().await, Fact::Known(None), "nobody changed it yet");
    let (_, permit) = scene.planned().await;
    scene.hands.apply(&permit).await.unwrap();
    assert_eq!(changed().await, Fact::Known(None), "we changed it");
    let before = SystemClock.now();
    let by_hand = reqwest::Client::new().put(&scene.target.id);
    by_hand.header("x-changed-by", "ana").json(&json!({"value": 70})).send().await.unwrap();
    let Fact::Known(Some(change)) = changed().await else { panic!("a person changed it") };
    assert!(change.by == "ana" && change.at >= before, "{change:?}");
    running.stop().await.unwrap();
}

#[test]
fn a_service_that_keeps_no_record_or_a_broken_one_is_unreadable() {
    let changed = |record: Value| {
        let mut flag = json!({"name": "f", "value": 1, "version": 1});
        flag.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
        serde_json::from_value::<Flag>(flag).unwrap().changed()
    };
    assert!(matches!(changed(json!({})), Fact::Unreadable(_)));
    assert!(matches!(changed(json!({"changed_by": "ana"})), Fact::Unreadable(_)));
    assert!(matches!(changed(json!({"changed_at": "soon"})), Fact::Unreadable(_)));
    assert!(matches!(changed(json!({"changed_at": 7})), Fact::Unreadable(_)));
    assert_eq!(changed(json!({"changed_at": null})), Fact::Known(None));
}

#[tokio::test]
async fn a_flag_that_does_not_exist_has_no_identity() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/no_such_flag"), &json!(true));
    let seen = scene.hands.observe(&scene.target, Questions::default()).await.unwrap();
    assert_eq!((seen.identity, seen.captured), (None, Value::Null));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn other_origins_and_other_pages_are_neither_read_nor_set() {
    let (running, flags) = checkout().await;
    let server = Server::start(Behaviour::Status(200)).await;
    let scene = Scene::new(&format!("{flags}/degraded_mode"), &json!(true));
    let foreign = Target { id: server.url("/admin/flags/f"), ..scene.target.clone() };
    let said = scene.hands.observe(&foreign, Questions::default()).await.unwrap_err().to_string();
    assert!(said.contains("not among the allowed origins"), "{said}");
    let page = Target { id: flags.replace("/admin/flags", "/healthz"), ..scene.target.clone() };
    let said = scene.hands.observe(&page, Questions::default()).await.unwrap_err().to_string();
    assert!(said.contains("not a flag"), "{said}");
    let scene = Scene::new(&server.url("/admin/flags/g"), &json!(true));
    let said =
        scene.hands.observe(&scene.target, Questions::default()).await.unwrap_err().to_string();
    assert_eq!(said, "it answers for the flag `f`");
    assert!(server.received().is_empty());
    running.stop().await.unwrap();
}

async fn applied(behaviour: Behaviour) -> (Scene, Server, Row, Result<String, ApplyError>) {
    let server = Server::start(behaviour).await;
    let scene = Scene::new(&server.url("/admin/flags/f"), &json!(true));
    let (row, permit) = scene.planned().await;
    let outcome = scene.hands.apply(&permit).await;
    assert!(server.received().len() <= 1, "a call that may have been sent is never repeated");
    (scene, server, row, outcome)
}

#[tokio::test]
async fn an_answer_that_says_neither_yes_nor_no_is_unknown_and_settled_by_reading() {
    use Behaviour::{AfterEffect, Chatty, Reset, Silent, Status};
    for behaviour in [Status(500), Status(503), Status(408), Silent, Reset, Chatty] {
        let (scene, _server, row, outcome) = applied(behaviour.clone()).await;
        assert!(matches!(outcome, Err(ApplyError::Unknown(_))), "{behaviour:?}: {outcome:?}");
        assert_eq!(scene.reading(&row).await, Reading::Bad, "{behaviour:?} without effect");
        let after = AfterEffect(Box::new(behaviour.clone()));
        let (scene, _server, row, outcome) = applied(after).await;
        assert!(matches!(outcome, Err(ApplyError::Unknown(_))), "{behaviour:?}: {outcome:?}");
        assert_eq!(scene.reading(&row).await, Reading::Good, "{behaviour:?} after its effect");
    }
}

#[tokio::test]
async fn a_no_is_a_refusal() {
    let elsewhere = Behaviour::Redirect("http://127.0.0.1:1/".to_owned());
    let no = [409, 400, 401, 403, 422, 429].map(Behaviour::Status);
    for behaviour in no.into_iter().chain([elsewhere]) {
        let (scene, _server, row, outcome) = applied(behaviour.clone()).await;
        assert!(matches!(outcome, Err(ApplyError::Refused(_))), "{behaviour:?}: {outcome:?}");
        assert_eq!(scene.reading(&row).await, Reading::Bad);
    }
}

#[tokio::test]
async fn a_service_that_is_gone_is_refused_before_anything_is_sent() {
    let server = Server::start(Behaviour::Status(200)).await;
    let scene = Scene::new(&server.url("/admin/flags/f"), &json!(true));
    let (row, permit) = scene.planned().await;
    server.gone().await;
    let outcome = scene.hands.apply(&permit).await;
    assert!(matches!(outcome, Err(ApplyError::Refused(_))), "{outcome:?}");
    assert_eq!(scene.reading(&row).await, Reading::Unreadable);
    assert!(scene.undo(&row).await.is_err());
}

#[tokio::test]
async fn an_undo_whose_answer_is_lost_looks_again() {
    let after = |then| Behaviour::AfterEffect(Box::new(then));
    let (scene, server, row, _) = applied(after(Behaviour::Status(500))).await;
    server.behave(after(Behaviour::Reset));
    assert!(scene.undo(&row).await.unwrap().ends_with("as before"));
    assert_eq!(scene.reads().await, json!(false));
    assert_eq!(server.received().len(), 2, "set once, put back once");
    let (scene, server, row, _) = applied(after(Behaviour::Status(500))).await;
    server.behave(Behaviour::Status(500));
    assert_eq!(scene.undo(&row).await.unwrap_err(), "the service answered 500");
    assert_eq!(scene.reads().await, json!(true));
}

#[tokio::test]
async fn an_undo_shuts_out_a_call_that_is_still_on_its_way() {
    let (running, flags) = checkout().await;
    let scene = Scene::new(&format!("{flags}/degraded_mode"), &json!(true));
    let (row, _) = scene.planned().await;
    assert_eq!(scene.undo(&row).await.unwrap(), "put back to false as version 2");
    let url = Url::parse(&scene.target.id).unwrap();
    let late = set(&scene.hands.client, &url, &json!(true), 1).await;
    assert!(matches!(late, Err(SetError::Moved)));
    assert_eq!(scene.undo(&row).await.unwrap(), "it reads false at version 2, as before");
    running.stop().await.unwrap();
}
