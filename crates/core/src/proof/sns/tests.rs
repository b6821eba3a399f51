//! The canonical strings of the documentation, and whole messages against their certificates.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";

fn events(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/sns").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn published() -> Timestamp {
    "2026-11-21T04:00:20.123Z".parse().unwrap()
}

struct Post {
    body: Vec<u8>,
    kind: Option<&'static str>,
    raw: bool,
    now: Timestamp,
}

impl Post {
    fn of(name: &str) -> Self {
        let now = published() + SignedDuration::from_secs(2);
        Self { body: events(name), kind: Some("Notification"), raw: false, now }
    }

    fn with(self, field: &str, value: &str) -> Self {
        self.edited(|fields| {
            fields.insert(field.to_owned(), value.into());
        })
    }

    fn edited(
        mut self,
        edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Self {
        let mut fields = serde_json::from_slice(&self.body).unwrap();
        edit(&mut fields);
        self.body = serde_json::to_vec(&fields).unwrap();
        self
    }

    fn check(&self, topics: &[&str], certificate: &str) -> Result<Proven, Denied> {
        let topics = topics.iter().map(|arn| Topic::try_from((*arn).to_owned()).unwrap()).collect();
        let header = |name: &str| match name {
            "x-amz-sns-message-type" => self.kind,
            "x-amz-sns-rawdelivery" => self.raw.then_some("true"),
            _ => None,
        };
        let request = Request {
            source: "sns",
            header: &header,
            body: &self.body,
            caller: None,
            now: self.now,
        };
        let claim = Sns::of(topics).claim(&request)?;
        claim.verify(&events(&format!("certificates/{certificate}.pem")), &request)
    }
}

#[test]
fn both_versions_of_the_signature_are_verified() {
    for name in ["alarm_v1", "alarm_v2", "text_without_subject", "unsubscribed"] {
        let proven = Post::of(&format!("signed_{name}.json")).check(&[TOPIC], "good").unwrap();
        assert_eq!((proven.by, proven.confirms), ("sns", None), "{name}");
    }
    assert!(Post::of("signed_alarm_v1.json").check(&[TOPIC], "regional").is_ok());
}

#[test]
fn a_subscription_is_confirmed_where_the_topic_lives() {
    let proven = Post::of("signed_subscription.json").check(&[TOPIC], "good").unwrap();
    let confirms = proven.confirms.unwrap();
    assert_eq!(confirms.topic(), TOPIC);
    assert!(
        confirms
            .url()
            .starts_with("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription")
    );
    let elsewhere =
        Post::of("signed_subscription.json").with("SubscribeURL", "https://evil.example/");
    assert_eq!(elsewhere.check(&[TOPIC], "good"), Err(Denied::Wrong));
}

#[test]
fn the_topic_comes_before_everything_else() {
    let post = Post::of("signed_alarm_v2.json");
    assert_eq!(post.check(&[], "good"), Err(Denied::NoTopic));
    assert_eq!(
        post.check(&["arn:aws:sns:eu-west-1:111122223333:other"], "good"),
        Err(Denied::Topic)
    );
    let stranger = Post::of("signed_alarm_v2.json")
        .with("TopicArn", "arn:aws:sns:eu-west-1:999999999999:alarms");
    assert_eq!(stranger.check(&[TOPIC], "good"), Err(Denied::Topic));
    let elsewhere =
        Post::of("signed_alarm_v2.json").with("SigningCertURL", "https://evil.example/a.pem");
    assert_eq!(elsewhere.check(&[TOPIC], "good"), Err(Denied::Certificate));
}

#[test]
fn a_certificate_of_another_name_or_time_does_not_hold() {
    let post = Post::of("signed_alarm_v2.json");
    assert_eq!(post.check(&[TOPIC], "other_name"), Err(Denied::Certificate));
    assert_eq!(post.check(&[TOPIC], "expired"), Err(Denied::Certificate));
    let claim = |pem: &[u8]| {
        let topics = vec![Topic::try_from(TOPIC.to_owned()).unwrap()];
        let header = |name: &str| (name == "x-amz-sns-message-type").then_some("Notification");
        let request = Request {
            source: "sns",
            header: &header,
            body: &post.body,
            caller: None,
            now: post.now,
        };
        Sns::of(topics).claim(&request).unwrap().verify(pem, &request)
    };
    for pem in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        assert_eq!(claim(pem.as_bytes()), Err(Denied::Certificate), "{pem}");
    }
}

#[test]
fn messages_are_taken_for_as_long_as_sns_tries() {
    let at = |seconds: i64| {
        let now = published() + SignedDuration::from_secs(seconds);
        Post { now, ..Post::of("signed_alarm_v2.json") }.check(&[TOPIC], "good")
    };
    for good in [-299, 0, 3600, 4499] {
        let nonce = at(good).unwrap().nonce.unwrap();
        assert!(nonce.until > published() + MOST_AGE, "{good}");
    }
    for bad in [-301, 4501, 1_000_000] {
        assert_eq!(at(bad), Err(Denied::Stale), "{bad}");
    }
}

#[test]
fn what_is_not_signed_is_not_handed_on() {
    let good = Post::of("signed_alarm_v2.json").check(&[TOPIC], "good").unwrap();
    let smuggled = Post::of("signed_alarm_v2.json").edited(|fields| {
        fields.insert("Records".to_owned(), serde_json::json!([{"EventSource": "aws:sns"}]));
        fields
            .insert("MessageAttributes".to_owned(), serde_json::json!({"service": {"Value": "x"}}));
    });
    let smuggled = smuggled.check(&[TOPIC], "good").unwrap();
    assert_eq!(smuggled, good, "the same message, and the same nonce");
    let covered: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&good.covers.unwrap()).unwrap();
    let names: Vec<&str> = covered.keys().map(String::as_str).collect();
    assert_eq!(names, ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]);
}

#[test]
fn raw_twofold_and_unknown_messages_are_refused() {
    let post = || Post::of("signed_alarm_v2.json");
    assert_eq!(Post { raw: true, ..post() }.check(&[TOPIC], "good"), Err(Denied::RawDelivery));
    assert_eq!(Post { kind: None, ..post() }.check(&[TOPIC], "good"), Err(Denied::Missing));
    let mut twice = String::from_utf8(post().body).unwrap();
    twice.insert_str(1, r#""Message": "forged","#);
    let twice = Post { body: twice.into_bytes(), ..post() };
    assert_eq!(twice.check(&[TOPIC], "good"), Err(Denied::Malformed));
    for (field, value, denied) in [
        ("Type", "Other", Denied::Malformed),
        ("SignatureVersion", "3", Denied::Malformed),
        ("SignatureVersion", "1", Denied::Wrong),
        ("Signature", "!", Denied::Malformed),
        ("Signature", "AAAA", Denied::Wrong),
        ("Message", "forged", Denied::Wrong),
        ("Subject", "forged", Denied::Wrong),
        ("MessageId", "forged", Denied::Wrong),
        ("MessageId", "for\nged", Denied::Malformed),
        ("Subject", "for\nged", Denied::Malformed),
        ("Timestamp", "2026-11-21T04:00:20.124Z", Denied::Wrong),
        ("Timestamp", "yesterday", Denied::Malformed),
    ] {
        let edited = post().with(field, value);
        assert_eq!(edited.check(&[TOPIC], "good"), Err(denied), "{field} {value}");
    }
    let without = post().edited(|fields| drop(fields.remove("Subject")));
    assert_eq!(without.check(&[TOPIC], "good"), Err(Denied::Wrong));
}

/// The documentation's own examples, where they are beside the checkout.
#[test]
fn the_strings_to_sign_are_those_of_the_documentation() {
    let notification = r#"{"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Subject": "My First Message",
        "Message": "Hello world!", "Timestamp": "2012-05-02T00:54:06.655Z", "SignatureVersion": "1", "Signature": "",
        "SigningCertURL": "", "UnsubscribeURL": "u"}"#;
    let signed = Envelope::read(notification.as_bytes()).unwrap().string_to_sign().unwrap();
    assert_eq!(
        signed,
        "Message\nHello world!\nMessageId\nm\nSubject\nMy First Message\nTimestamp\n2012-05-02T00:54:06.655Z\n\
         TopicArn\nt\nType\nNotification\n"
    );
    let null = notification.replace("\"My First Message\"", "null");
    let signed = Envelope::read(null.as_bytes()).unwrap().string_to_sign().unwrap();
    assert!(signed.starts_with("Message\nHello world!\nMessageId\nm\nTimestamp\n"), "{signed}");

    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/sns");
    let Ok(entries) = fs::read_dir(recorded) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let envelope = Envelope::read(&fs::read(&path).unwrap()).unwrap();
        let signed = envelope.string_to_sign().unwrap();
        let lines: Vec<&str> = signed.lines().collect();
        println!("{}: {} lines", path.display(), lines.len());
        assert_eq!(lines.first(), Some(&"Message"));
        assert!(signed.ends_with(&format!("\nType\n{}\n", path_kind(&path))), "{signed}");
        assert_eq!(signed.contains("\nToken\n"), !signed.contains("\nSubject\n"));
        assert!(matches!(envelope.signature(), Some(Signature::Sha1(_))));
        let topic = Topic::try_from(envelope.topic_arn.clone()).unwrap();
        assert!(CertificateUrl::read(&envelope.signing_cert_url, &topic).is_some());
    }
}

fn path_kind(path: &Path) -> &'static str {
    match path.file_stem().unwrap().to_str().unwrap() {
        "docs_notification" => "Notification",
        "docs_subscription_confirmation" => "SubscriptionConfirmation",
        _ => "UnsubscribeConfirmation",
    }
}

proptest! {
    #[test]
    fn no_changed_byte_of_a_signed_message_passes(at in 0..2_000_usize, bit in 0..7_u8) {
        let mut post = Post::of("signed_alarm_v2.json");
        let at = at % post.body.len();
        post.body[at] ^= 1 << bit;
        // A byte outside of the signed values may change (a name of an unsigned field, a space), and what is handed
        // on is then the same.
        if let Ok(proven) = post.check(&[TOPIC], "good") {
            let good = Post::of("signed_alarm_v2.json").check(&[TOPIC], "good").unwrap();
            prop_assert_eq!(proven, good);
        }
    }

    #[test]
    fn no_bytes_break_the_reading(body in proptest::collection::vec(any::<u8>(), 0..200), pem in ".{0,100}") {
        let post = Post { body, ..Post::of("signed_alarm_v2.json") };
        prop_assert!(post.check(&[TOPIC], "good").is_err());
        let topic = Topic::try_from(TOPIC.to_owned()).unwrap();
        let signature = Signature::Sha256(vec![0; 256]);
        prop_assert!(certificate::verify(pem.as_bytes(), &topic, published(), b"", &signature).is_err());
    }
}
