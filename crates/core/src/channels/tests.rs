//! What every channel must hold: each occasion becomes the request that its golden file says.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CHANNELS, Channels, Request, check, find};
use crate::alert::{Alert, Link};
use crate::book::{Books, RunRef};
use crate::evidence::{Effect, Evidence, Observation, Reading, Verdict};
use crate::examples::{RUNBOOK, alert, at};
use crate::incident::{Event, Incident, Outcome, Recorded};
use crate::notification::{Notification, notification};
use crate::plan::{Basis, Plan};
use crate::routing::Routes;
use crate::runbook::{self, Mode, Runbook};
use crate::target::Target;
use crate::telling::{Circumstances, Message, Mutes, Says, due};
use crate::trace::Trace;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn channels() -> Channels {
    let channels = json!({
        "oncall": {"kind": "sns", "topic_arn": "arn:aws:sns:eu-central-1:123456789012:oncall"},
        "hook": {"kind": "webhook", "url": "https://hooks.example.com/firebreak"},
    });
    serde_json::from_value(channels).unwrap()
}

/// One incident from its opening to its second one, and what people are told on the way.
struct Story {
    incident: Option<Incident>,
    seq: u64,
    told: Vec<Notification>,
}

impl Story {
    fn then(&mut self, seconds: i64, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.seq += 1;
            let incident = "inc_01KAK5R7T0EXAMPLE".to_owned().try_into().unwrap();
            let recorded = Recorded { incident, seq: self.seq, at: at(seconds), event, prev: None };
            self.incident = Some(match self.incident.take() {
                None => Incident::open(&recorded).unwrap(),
                Some(incident) => incident.apply(&recorded).unwrap(),
            });
        }
    }

    /// Tells everything that is due at that time.
    fn tell(&mut self, seconds: i64) {
        let channels = serde_json::from_value(json!({"oncall": {"kind": "sns"}})).unwrap();
        let (routes, mutes) = (Routes::default(), Mutes::default());
        let with = Circumstances { channels: &channels, routes: &routes, mutes: &mutes };
        while let Some(message) =
            due(self.incident.as_ref().unwrap(), "oncall", with, at(seconds)).message
        {
            self.told.push(notification(self.incident.as_ref().unwrap(), "oncall", &message));
            let flush = match message.says {
                Says::Alarm(_) => None,
                Says::Flush(flush) | Says::Silently(flush) => Some(Box::new(flush)),
            };
            let told = Event::Notified {
                channel: "oncall".to_owned(),
                about: message.about,
                delivered: true,
                detail: "message 1".to_owned(),
                refused: false,
                flush,
            };
            self.then(seconds, [told]);
        }
    }
}

fn story() -> Vec<Notification> {
    story_and_end().0
}

fn started(run: u32, runbook: &Runbook, settled: i64) -> Event {
    Event::RunStarted {
        run,
        runbook: Box::new(runbook.clone()),
        driver: "example".to_owned(),
        settle_until: at(settled),
        deadline: at(settled + 3000),
        trace: Trace::default(),
        requested_by: None,
        mode: None,
    }
}

fn plan_of(runbook: &Runbook, firing: &Alert, observations: &[Observation]) -> Plan {
    let run = RunRef { incident: "inc_1".to_owned().try_into().unwrap(), run: 1 };
    let (rulings, books) = (&[], &Books::new());
    Plan::of(&Basis { runbook, firing: &[firing], observations, rulings, books, run: &run })
        .unwrap()
}

fn seen(target: &Target) -> Observation {
    Observation {
        target: target.clone(),
        identity: Some("r-1 2026-11-01T00:00:00Z".to_owned()),
        tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
        group: None,
        circumstances: crate::evidence::Circumstances::default(),
        captured: Value::Null,
        seen_at: at(31),
    }
}

fn story_and_end() -> (Vec<Notification>, Incident) {
    let mut story = Story { incident: None, seq: 0, told: Vec::new() };
    let mut firing = alert("slow-api-data", "i-0abc");
    firing.links =
        vec![Link { title: "monitor".to_owned(), url: "https://sumo.example/m/1".to_owned() }];
    let mut runbook = runbook::read(RUNBOOK).unwrap();
    runbook.mode = Mode::Approve;
    runbook.notify = serde_json::from_value(json!({"started": ["oncall"], "helped": []})).unwrap();
    let target = Target { kind: "ec2.instance".to_owned(), id: "i-0abc".to_owned() };
    let observations = vec![seen(&target)];
    let plan = plan_of(&runbook, &firing, &observations);
    let (run, row, step, plan_hash) = (1, 0, 0, plan.hash.clone());
    let evidence = |signal: &str, reading, detail: &str| Evidence {
        signal: signal.to_owned(),
        target: (signal != "alert_resolved").then(|| target.clone()),
        reading,
        detail: detail.to_owned(),
        at: at(420),
    };
    let looked = vec![
        evidence("ec2.status_ok", Reading::Good, "both status checks are ok"),
        evidence("alert_resolved", Reading::Bad, "1 still firing"),
    ];
    let verdict = Verdict {
        effect: Effect::Useless,
        reason: "not good within 5m".to_owned(),
        evidence: looked.clone(),
        counterfactual: None,
    };
    let trace = Trace::default;
    let text = str::to_owned;
    let opened = Event::Opened {
        group_key: firing.group_key(),
        service: firing.service.clone(),
        severity: firing.severity,
        title: firing.title.clone(),
    };
    let fired = || Event::AlertFired { alert: Arc::new(firing.clone()) };
    let requested =
        Event::ApprovalRequested { run, plan_hash: plan_hash.clone(), expires_at: at(1831) };
    let reason = text("not good within 5m");
    let ended = Event::RunEnded { run, outcome: Outcome::Useless, reason: reason.clone() };
    let fingerprint = firing.fingerprint.clone();
    let mut other = alert("slow-api-data", "i-0def");
    other.links.clone_from(&firing.links);
    let harmed = Verdict {
        effect: Effect::Harmful,
        reason: text("errors rose"),
        evidence: Vec::new(),
        counterfactual: None,
    };
    let again = started(2, &runbook, 15_961);
    story.then(0, [opened, fired()]);
    story.tell(0);
    story.then(1, [started(run, &runbook, 31)]);
    let observed = || Event::Observed { run, observations: observations.clone() };
    let planned = || Event::Planned { run, plan: plan.clone(), trace: trace() };
    story.then(31, [observed()]);
    story.then(31, [planned(), requested]);
    story.tell(31);
    story.then(60, [Event::ApprovalGranted { run, plan_hash, by: text("ada") }]);
    story.then(61, [observed()]);
    story.then(61, [planned()]);
    story.then(61, [Event::StepClaimed { run, row, fence: 8, groups: Vec::new() }]);
    story.then(61, [Event::StepSent { run, row }]);
    story.tell(61);
    story.then(62, [Event::StepConfirmed { run, row, receipt: text("request 4f1c") }]);
    story.then(420, [Event::StepChecked { run, step, evidence: looked }]);
    story.then(420, [Event::StepIneffective { run, step, verdict }]);
    story.then(421, [ended, Event::Escalated { reason: format!("no action helped: {reason}") }]);
    story.tell(421);
    story.then(425, [Event::AlertFired { alert: Arc::new(other.clone()) }]);
    story.tell(430);
    story.tell(430 + 4 * 3600);
    story.then(14_900, [Event::Acknowledged { by: text("grace") }]);
    story.then(
        15_000,
        [Event::AlertResolved { fingerprint: other.fingerprint, ends_at: at(14_995) }],
    );
    story.tell(15_000);
    story.then(
        15_900,
        [
            Event::AlertResolved { fingerprint, ends_at: at(15_895) },
            Event::Resolved { reason: text("every alert is resolved") },
        ],
    );
    story.tell(15_910);
    let reason = text("slow-api-data on i-0abc fired again");
    story.then(15_960, [Event::Reopened { reason }, fired()]);
    story.tell(15_960);
    story.then(15_961, [again, Event::StepHarmful { run: 2, step, verdict: harmed }]);
    story.tell(15_961);
    (story.told, story.incident.unwrap())
}

/// The form that people review: the body of an HTTP request as the JSON that it is.
fn readable(request: &Request) -> Value {
    match request {
        Request::Http(http) => json!({
            "url": http.url,
            "headers": http.headers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "body": serde_json::from_slice::<Value>(&http.body).unwrap(),
        }),
        Request::Topic { arn, subject, message, attributes } => json!({
            "topic_arn": arn,
            "subject": subject,
            "message": message.lines().collect::<Vec<_>>(),
            "attributes": attributes,
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "rewriting golden files is asked for from outside")]
fn is_blessing() -> bool {
    std::env::var("FIREBREAK_BLESS").is_ok_and(|value| value == "1")
}

#[test]
fn occasions_become_the_requests_of_their_golden_files() {
    let now: Timestamp = "2026-11-18T12:00:00Z".parse().unwrap();
    for (name, settings) in channels() {
        let channel = find(&settings.kind).unwrap();
        let secret = channel.needs_secret().then_some(SECRET);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/channels");
        let folder = folder.join(channel.kind());
        for told in story() {
            let request = channel.request(&settings, secret, &told, now).unwrap();
            let golden = folder.join(format!("{}.json", told.occasion.as_str()));
            let actual = readable(&request);
            if is_blessing() {
                fs::create_dir_all(&folder).unwrap();
                let text = serde_json::to_string_pretty(&actual).unwrap() + "\n";
                fs::write(&golden, text).unwrap();
            }
            let expected = fs::read_to_string(&golden).unwrap_or_default();
            let expected: Value = serde_json::from_str(&expected).unwrap_or_default();
            assert!(
                actual == expected,
                "{name}: {} differs, see FIREBREAK_BLESS=1; now:\n{actual:#}",
                golden.display()
            );
        }
    }
}

#[test]
fn the_registry_is_sorted_and_each_kind_has_an_example_here() {
    let kinds: Vec<_> = CHANNELS.iter().map(|channel| channel.kind()).collect();
    assert!(kinds.is_sorted());
    let mut shown: Vec<_> = channels().into_values().map(|channel| channel.kind).collect();
    shown.sort();
    assert_eq!(kinds, shown);
    assert!(CHANNELS.iter().all(|channel| !channel.summary().is_empty()));
}

#[test]
fn a_request_is_the_same_for_the_same_event_and_keeps_its_id() {
    let channels = channels();
    let settings = &channels["hook"];
    let told = &story()[0];
    let request = || find("webhook").unwrap().request(settings, Some(SECRET), told, at(0)).unwrap();
    assert_eq!(request(), request());
    let Request::Http(http) = request() else { panic!("a webhook is HTTP") };
    let id = http.headers.iter().find(|(name, _)| name == "webhook-id").unwrap();
    assert_eq!(id.1, told.event_id);
    assert!(!format!("{http:?}").contains("v1,"), "a signature is never logged");
}

#[test]
fn every_occasion_is_in_the_story_once() {
    let told: Vec<&str> = story().iter().map(|told| told.occasion.as_str()).collect();
    let expected = [
        "opened",
        "approval_requested",
        "started",
        "escalated",
        "new_alerts",
        "still_firing",
        "some_resolved",
        "resolved",
        "reopened",
        "harmful",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_approval_is_asked_for_with_its_path() {
    let told = &story()[1];
    assert!(told.text.contains(&told.asked.as_ref().unwrap().path), "{}", told.text);
}

#[test]
fn a_title_is_one_short_line() {
    let (_, mut incident) = story_and_end();
    incident.title = format!("disk\r\n\u{1b}[31mfull {}", "é".repeat(300));
    let urgent = incident.urgent[2].clone();
    let message = Message {
        id: "inc_1:14".to_owned(),
        about: urgent.seq,
        at: urgent.at,
        says: Says::Alarm(urgent),
        notes: vec!["a\nb".to_owned()],
    };
    let told = notification(&incident, "oncall", &message);
    assert!(told.title.starts_with("Needs a person [api]: disk [31mfull éé"), "{}", told.title);
    assert_eq!(told.title.chars().count(), 160);
    assert_eq!(told.facts.last().map(|fact| fact.value.as_str()), Some("a b"));
}

#[test]
fn wrong_settings_are_named_with_their_remedy() {
    let wrong = json!({
        "a": {"kind": "slack", "url": "https://a/"},
        "b": {"kind": "webhook"},
        "c": {"kind": "webhook", "url": "http://example.com/"},
        "d": {"kind": "sns", "topic_arn": 5},
        "e": {"kind": "sns", "topic_arn": "arn:aws:sns:eu-central-1:1:t", "topic": "t"},
    });
    let problems = check(&serde_json::from_value(wrong).unwrap());
    let said = [
        "channel `a`: `kind` is `slack`; the kinds are sns, webhook",
        "channel `b`: `url` is missing",
        "channel `c`: `url` is plain http to another machine; use https",
        "channel `d`: `topic_arn` must be a text",
        "channel `e`: `topic` is not a setting of sns, which takes topic_arn",
    ];
    assert_eq!(problems, said);
    assert_eq!(check(&channels()), Vec::<String>::new());
}
