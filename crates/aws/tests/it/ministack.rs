//! Hands, secrets, topics and bus against an emulator: what works, and what errors become.

use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
use firebreak_aws::bus::{Bus, Entry};
use firebreak_aws::ec2::Ec2Reboot;
use firebreak_aws::secrets::ManagedSecrets;
use firebreak_aws::topics::TopicSender;
use firebreak_core::book::{Books, RunRef};
use firebreak_core::channels::{Reply, Request};
use firebreak_core::evidence::{Fact, Health, Questions, Reading};
use firebreak_core::ids::IncidentId;
use firebreak_core::ledger::Row;
use firebreak_core::plan::{Basis, Plan};
use firebreak_core::runbook::{self, Runbook};
use firebreak_core::target::Target;
use firebreak_engine::ids::sortable;
use firebreak_engine::ports::{Hands as _, SecretSource as _, Sender as _};
use jiff::Timestamp;

use crate::emulator;

pub(crate) const MINISTACK: &str = "FIREBREAK_TEST_MINISTACK";

const RUNBOOK: &str = "
runbook: restart
owner: platform
when: alert.labels.monitor == 'slow-api-data'
targets: { ec2.instance: alert.labels.instance_id }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
";

fn unique() -> String {
    sortable(Timestamp::now()).to_lowercase()
}

pub(crate) async fn launch(ec2: &aws_sdk_ec2::Client, tags: &[(&str, &str)]) -> Target {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build());
    let specification = TagSpecification::builder()
        .resource_type(ResourceType::Instance)
        .set_tags(Some(tags.collect()));
    let launched = ec2
        .run_instances()
        .image_id("ami-0abcdef1234567890")
        .instance_type(InstanceType::T3Micro)
        .min_count(1)
        .max_count(1)
        .tag_specifications(specification.build())
        .send()
        .await
        .unwrap();
    let id = launched.instances()[0].instance_id().unwrap().to_owned();
    Target { kind: "ec2.instance".to_owned(), id }
}

fn in_group(group: &str) -> Questions<'_> {
    Questions { group: Some(group), health: Health::Asked }
}

/// What a run would check after it acted on the target.
async fn check(hands: &Ec2Reboot, target: &Target) -> (Reading, String) {
    let runbook: Runbook = runbook::read(RUNBOOK).unwrap();
    let seen = hands.observe(target, Questions::default()).await.unwrap();
    let run = RunRef { incident: IncidentId::try_from("inc_1".to_owned()).unwrap(), run: 1 };
    let basis = Basis {
        runbook: &runbook,
        firing: &[],
        observations: &[seen],
        rulings: &[],
        books: &Books::new(),
        run: &run,
    };
    let planned = Plan::of(&basis).unwrap().steps.remove(0);
    let before = Timestamp::now();
    let mut evidence = hands.check(&Row::new(planned.clone()), &runbook.steps[0]).await;
    let evidence = evidence.remove(0);
    assert_eq!(evidence.signal, "ec2.status_ok");
    assert_eq!(evidence.target.as_ref(), Some(target));
    assert!(evidence.at >= before);
    assert!(hands.undo(&Row::new(planned), &runbook.steps[0]).await.is_err());
    (evidence.reading, evidence.detail)
}

#[tokio::test]
async fn an_instance_is_seen_as_it_is() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let (ec2, hands) = (aws_sdk_ec2::Client::new(&config), Ec2Reboot::new(&config));
    let service = format!("api-{}", unique());
    let tags = [("service", service.as_str()), ("firebreak", "allow")];
    let target = launch(&ec2, &tags).await;
    let stopped = launch(&ec2, &tags).await;
    launch(&ec2, &tags).await;
    ec2.stop_instances().instance_ids(&stopped.id).send().await.unwrap();

    let seen = hands.observe(&target, in_group("tag:service")).await.unwrap();
    assert_eq!(seen.target, target);
    assert!(seen.identity.as_ref().unwrap().starts_with(&format!("{}@20", target.id)));
    assert_eq!(seen.tags["firebreak"], "allow");
    assert_eq!(seen.captured["state"], "running");
    let group = seen.group.unwrap();
    assert_eq!((group.key, group.members), (format!("tag:service={service}"), 2));

    let Fact::Known(healthy) = group.healthy else { panic!("{:?}", group.healthy) };
    assert!(healthy.contains(&target.id) && !healthy.contains(&stopped.id), "{healthy:?}");
    assert_eq!(seen.circumstances.healthy, Fact::Known(true));

    let without = hands.observe(&target, Questions::default()).await.unwrap();
    assert_eq!((without.group, without.identity), (None, seen.identity));
    assert_eq!(hands.observe(&target, in_group("tag:absent")).await.unwrap().group, None);
    assert_eq!(check(&hands, &target).await.0, Reading::Good);
    let (reading, detail) = check(&hands, &stopped).await;
    assert_eq!(reading, Reading::Worse, "{detail}");
}

#[tokio::test]
async fn what_is_gone_has_no_identity() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let (ec2, hands) = (aws_sdk_ec2::Client::new(&config), Ec2Reboot::new(&config));
    let target = launch(&ec2, &[]).await;
    ec2.terminate_instances().instance_ids(&target.id).send().await.unwrap();
    let never = Target { id: "i-0123456789abcdef0".to_owned(), ..target.clone() };
    for gone in [target, never] {
        let seen = hands.observe(&gone, in_group("tag:service")).await.unwrap();
        assert_eq!((seen.identity, seen.group), (None, None), "{gone}");
        let (reading, detail) = check(&hands, &gone).await;
        assert_eq!(reading, Reading::Worse, "{detail}");
    }
}

#[tokio::test]
async fn a_topic_takes_a_message_or_says_why_not() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let sns = aws_sdk_sns::Client::new(&config);
    let topic = sns.create_topic().name(format!("oncall-{}", unique())).send().await.unwrap();
    let request = |arn: &str| Request::Topic {
        arn: arn.to_owned(),
        subject: "Größer\n".to_owned(),
        message: "inc_1 needs a person 🔥".to_owned(),
        attributes: [
            ("severity".to_owned(), "critical".to_owned()),
            ("empty".to_owned(), String::new()),
        ]
        .into(),
    };
    let sender = TopicSender::new(&config);
    let arn = topic.topic_arn().unwrap();
    let reply = sender.send(&request(arn)).await;
    assert!(
        matches!(&reply, Reply::Published { message_id } if !message_id.is_empty()),
        "{reply:?}"
    );
    let reply = sender.send(&request(&format!("{arn}-unknown"))).await;
    assert!(matches!(&reply, Reply::None { error } if error.contains("NotFound")), "{reply:?}");
}

#[tokio::test]
async fn secrets_are_read_by_name() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let name = format!("webhooks-{}", unique());
    let secret =
        r#"{"sources": {"sumologic": ["0123456789abcdef"]}, "channels": {"hook": "whsec_a"}}"#;
    let manager = aws_sdk_secretsmanager::Client::new(&config);
    manager.create_secret().name(&name).secret_string(secret).send().await.unwrap();
    let secrets = ManagedSecrets::new(&config, &name);
    secrets.warm().await.unwrap();
    assert!(secrets.of_source("sumologic").await.unwrap().is_some());
    assert!(secrets.of_source("alertmanager").await.unwrap().is_none());
    assert_eq!(secrets.of_channel("hook").await.unwrap().as_deref(), Some("whsec_a"));
    let error = ManagedSecrets::new(&config, "no-such-secret").warm().await.unwrap_err();
    assert!(error.to_string().contains("ResourceNotFoundException"), "{error}");
}

#[tokio::test]
async fn the_bus_takes_more_than_one_batch() {
    let Some(config) = emulator::config(MINISTACK).await else { return };
    let name = format!("bus-{}", unique());
    let events = aws_sdk_eventbridge::Client::new(&config);
    events.create_event_bus().name(&name).send().await.unwrap();
    let entry = |n: usize| Entry {
        detail_type: "incident.noted".to_owned(),
        detail: format!(r#"{{"n":{n}}}"#),
        at: Timestamp::now(),
    };
    let entries: Vec<Entry> = (0..23).map(entry).collect();
    let bus = Bus::new(&config, &name);
    bus.put(&entries).await.unwrap();
    bus.put(&[]).await.unwrap();
}
