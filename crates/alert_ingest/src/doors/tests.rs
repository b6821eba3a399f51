//! Each door against a real record: what comes in is stored, what cannot be stored comes again.

use std::path::Path;
use std::sync::Arc;

use firebreak_aws::topic_host::SnsEndpoint;
use firebreak_core::policy;
use firebreak_core::storm::StormSettings;
use firebreak_engine::fallback::Fallback;
use firebreak_engine::ports::{Clock, IncidentStore as _, ListQuery, SystemClock};
use firebreak_engine::prove::Certificates;
use firebreak_engine::queue::{Queue, QueueSettings};
use firebreak_local::{FileSpill, LocalSecrets, SqliteStore, Tokens};
use firebreak_web::metrics::Metrics;
use lambda_http::Context;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const TOKEN: &str = "example-token-of-sumologic";

/// What is left out is as the sources have it.
const POLICY: &str = "
sources:
  datadog: { proof: [jwt: { claims: { client_id: [datadog-eu] }, scopes: [alerts/write] }] }
  securityhub: { proof: [iam: { principals: ['arn:aws:iam::111122223333:role/sumo-sender'] }] }
";

struct Place {
    folder: TempDir,
    store: SqliteStore,
    doors: Doors,
}

impl Place {
    fn new() -> Self {
        Self::with(|clock, _| Fallback::none(clock))
    }

    fn with(fallback: impl FnOnce(Arc<dyn Clock>, &Path) -> Fallback) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let tokens = Tokens::find(Some(TOKEN), &folder.path().join("token")).unwrap();
        let secrets =
            LocalSecrets { shared: tokens.secrets, sources: [].into(), channels: [].into() };
        let clock = Arc::new(SystemClock);
        let (queue, _ends_with_the_queue) = Queue::start(QueueSettings {
            store: Arc::new(store.clone()),
            clock: Arc::<SystemClock>::clone(&clock),
            routes: Arc::default(),
            policy: Arc::default(),
            reopen_within: jiff::SignedDuration::from_mins(10),
            storms: StormSettings::default(),
        });
        let metrics = Metrics::of(queue.meter());
        let doors = Doors::of(Webhooks {
            queue,
            store: Arc::new(store.clone()),
            ears: Arc::default(),
            fallback: fallback(Arc::<SystemClock>::clone(&clock), folder.path()),
            clock,
            secrets: Arc::new(secrets),
            certificates: Arc::new(Certificates::of(Arc::new(SnsEndpoint::default()))),
            metrics,
            policy: Arc::new(policy::read(POLICY).unwrap()),
        });
        Self { folder, store, doors }
    }

    async fn invoke(&self, event: &str) -> Result<Value, String> {
        let payload = RawValue::from_string(event.to_owned()).unwrap();
        let invoked = LambdaEvent { payload, context: Context::default() };
        let answer = self.doors.answer(invoked).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// Titles of what is open, and whether it still fires.
    async fn board(&self) -> Vec<(String, bool)> {
        let query = ListQuery { limit: 50, ..ListQuery::default() };
        let page = self.store.list(&query).await.unwrap();
        let mut board: Vec<(String, bool)> = page
            .incidents
            .iter()
            .map(|incident| (incident.title.clone(), incident.is_firing()))
            .collect();
        board.sort();
        board
    }

    /// Nothing can be stored until it is mended.
    fn break_store(&self) {
        self.sql("ALTER TABLE events RENAME TO elsewhere");
    }

    fn mend_store(&self) {
        self.sql("ALTER TABLE elsewhere RENAME TO events");
    }

    fn sql(&self, text: &str) {
        let file = self.folder.path().join("firebreak.sqlite");
        rusqlite::Connection::open(file).unwrap().execute_batch(text).unwrap();
    }
}

fn event(file: &str) -> String {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    std::fs::read_to_string(events.join(file)).unwrap()
}

fn failures(reply: &Value) -> Vec<&str> {
    let failures = reply["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}

fn outcomes(report: &Value) -> Vec<&str> {
    let accepted = report["accepted"].as_array().unwrap();
    accepted.iter().map(|accepted| accepted["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn one_alarm_through_every_door_is_one_incident() {
    let place = Place::new();
    let mut opened = 0;
    for file in [
        "cloudwatch/firing.json",
        "cloudwatch/alarm_action.json",
        "sns/grouped.json",
        "alert_ingest/event_queue.json",
    ] {
        let answer = place.invoke(&event(file)).await.unwrap();
        opened += answer.to_string().matches("opened").count();
    }
    assert_eq!(opened, 1);
    let titles: Vec<String> = place.board().await.into_iter().map(|(title, _)| title).collect();
    let expected = [
        "alerts from eventbridge could not be understood",
        "checkout-cpu-high",
        "i-0123456789abcdef0 is stopped",
    ];
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn an_event_needs_no_token_and_a_request_does() {
    let place = Place::new();
    let report = place.invoke(&event("guardduty/firing.json")).await.unwrap();
    assert_eq!(outcomes(&report), ["opened"]);
    let again = place.invoke(&event("guardduty/firing.json")).await.unwrap();
    assert_eq!(outcomes(&again), ["duplicate"]);

    let request = event("alert_ingest/sumologic_critical.json");
    let answer = place.invoke(&request).await.unwrap();
    assert_eq!(answer["statusCode"], 202, "{answer}");
    let answer = place.invoke(&request.replace(TOKEN, "another-token-of-nobody")).await.unwrap();
    assert_eq!(answer["statusCode"], 401);
    let mut posted: Value = serde_json::from_str(&request).unwrap();
    posted["rawPath"] = json!("/webhooks/eventbridge");
    posted["headers"]["authorization"] = json!("Bearer another-token-of-nobody");
    posted["body"] = json!(event("alert_ingest/event_queue.json"));
    let answer = place.invoke(&posted.to_string()).await.unwrap();
    assert_eq!(answer["statusCode"], 401, "a body cannot choose another door");
}

#[tokio::test]
async fn a_caller_that_the_gateway_knows_needs_no_token_where_the_policy_lists_it() {
    let place = Place::new();
    for (file, source, status) in [
        ("authorized_by_jwt", "datadog", 202),
        ("authorized_by_iam", "securityhub", 202),
        ("authorized_by_jwt", "securityhub", 401),
        ("authorized_by_iam", "datadog", 401),
        ("authorized_by_jwt", "sumologic", 401),
        ("forged_caller", "datadog", 401),
        ("forged_caller", "securityhub", 401),
    ] {
        let mut request: Value =
            serde_json::from_str(&event(&format!("alert_ingest/{file}.json"))).unwrap();
        request["rawPath"] = json!(format!("/webhooks/{source}"));
        let answer = place.invoke(&request.to_string()).await.unwrap();
        assert_eq!(answer["statusCode"], status, "{file} {source}: {answer}");
    }
}

#[tokio::test]
async fn what_nobody_knows_is_kept_and_named() {
    let place = Place::new();
    for (file, code) in [
        ("eventbridge/unknown_event.json", "unknown_event"),
        ("eventbridge/transformed.json", "field"),
    ] {
        let report = place.invoke(&event(file)).await.unwrap();
        assert_eq!(report["quarantined"][0]["error"]["code"], code, "{report}");
    }
    let rest = place.invoke(r#"{"httpMethod":"POST","resource":"/webhooks/{source}"}"#).await;
    assert!(rest.unwrap_err().contains("HTTP API"));
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_fails_so_that_it_comes_again() {
    let place = Place::new();
    place.break_store();
    assert!(place.invoke(&event("ec2/firing.json")).await.is_err());
    place.mend_store();
    let report = place.invoke(&event("ec2/firing.json")).await.unwrap();
    assert_eq!(outcomes(&report), ["opened"]);
}

#[tokio::test]
async fn an_event_waits_in_the_spill_while_the_store_is_down_and_comes_back_by_the_queue() {
    let mut kept = None;
    let place = Place::with(|clock, folder| {
        let spill = kept.insert(FileSpill::open(folder).unwrap());
        Fallback::new(Arc::new(spill.clone()), clock)
    });
    let spill = kept.unwrap();
    place.break_store();
    let report = place.invoke(&event("sns/firing.json")).await;
    assert!(report.is_ok_and(|report| report["spilled"]["id"].is_string()));
    place.mend_store();
    let waiting = spill.oldest(10).await.unwrap().remove(0).spilled.unwrap();
    let message = json!({"Records": [{
        "eventSource": "aws:sqs", "messageId": "one", "body": waiting.to_message(),
        "attributes": {"MessageGroupId": "eventbridge"},
    }]});
    let reply = place.invoke(&message.to_string()).await.unwrap();
    assert_eq!(failures(&reply), [] as [&str; 0]);
    assert_eq!(place.board().await, [("checkout-cpu-high".to_owned(), true)]);
}

#[tokio::test]
async fn a_spilled_delivery_is_taken_in_as_if_it_had_just_come() {
    let place = Place::new();
    let reply = place.invoke(&event("alert_ingest/queue.json")).await.unwrap();
    assert_eq!(failures(&reply), [] as [&str; 0]);
    assert_eq!(place.board().await, [("slow-api-data".to_owned(), true)]);
    place.invoke(&event("alert_ingest/queue.json")).await.unwrap();
    assert_eq!(place.board().await.len(), 1);
}

#[tokio::test]
async fn only_the_messages_that_fail_come_again_and_their_group_waits_for_them() {
    let place = Place::new();
    let batch: Value = serde_json::from_str(&event("alert_ingest/queue.json")).unwrap();
    let spilled = |id: &str, group: &str, version: u32| {
        let mut message = batch["Records"][0].clone();
        let mut body: Value = serde_json::from_str(message["body"].as_str().unwrap()).unwrap();
        body["version"] = json!(version);
        message["body"] = json!(body.to_string());
        message["messageId"] = json!(id);
        message["attributes"]["MessageGroupId"] = json!(group);
        message
    };
    let newer = firebreak_engine::ports::Spilled::VERSION + 1;
    let batch = json!({"Records": [
        spilled("one", "sumologic", 1),
        spilled("two", "datadog", newer),
        spilled("three", "sumologic", 1),
        spilled("four", "datadog", 1),
    ]});
    let reply = place.invoke(&batch.to_string()).await.unwrap();
    assert_eq!(failures(&reply), ["two", "four"]);
}

#[tokio::test]
async fn a_queue_keeps_all_of_a_batch_while_nothing_can_be_stored() {
    let place = Place::new();
    place.break_store();
    let reply = place.invoke(&event("alert_ingest/event_queue.json")).await.unwrap();
    assert_eq!(failures(&reply).len(), 3);
    place.mend_store();
    let reply = place.invoke(&event("alert_ingest/event_queue.json")).await.unwrap();
    assert_eq!(failures(&reply).len(), 0);
    // Without names for its messages a batch can only fail as a whole.
    let nameless = r#"{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}"#;
    assert!(place.invoke(nameless).await.is_err());
}
