//! Every source: a body of whatever kind loses nothing, and is read alike each time.

use std::sync::Arc;

use fastrand::Rng;
use firebreak_core::sources::{self, Delivery, Options, SOURCES, Source};
use jiff::Timestamp;

use super::Target;
use crate::corpus::{files, root};

const CONTENT_TYPES: &[Option<&str>] = &[
    Some("application/json"),
    Some("application/x-www-form-urlencoded"),
    Some("text/plain; charset=UTF-8"),
    Some("application/cloudevents+json"),
    Some("application/cloudevents-batch+json"),
    Some("multipart/form-data"),
    None,
];

type Headers = Vec<(String, String)>;

pub(super) fn targets() -> Vec<Target> {
    SOURCES.iter().map(|source| target(*source)).collect()
}

fn target(source: &'static dyn Source) -> Target {
    let folder = root().join("events").join(source.name());
    let ends = |path: &std::path::Path, end: &str| path.to_string_lossy().ends_with(end);
    let bodies = files(&folder, &|path| {
        (ends(path, ".json") || ends(path, ".txt")) && !ends(path, ".alert.json")
    });
    let headers = files(&folder, &|path| ends(path, ".headers"));
    let headers: Arc<Vec<Headers>> =
        Arc::new(headers.iter().map(|(_, text)| lines(text)).collect());
    let seeds = bodies.into_iter().map(|(_, body)| body).collect();
    Target::new(source.name(), seeds, move |input, dice| check(source, &headers, input, dice))
}

fn lines(text: &[u8]) -> Headers {
    let text = String::from_utf8_lossy(text);
    let pairs = text.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn check(source: &dyn Source, headers: &[Headers], input: &[u8], dice: &mut Rng) {
    let mut headers = dice.choice(headers).filter(|_| dice.bool()).cloned().unwrap_or_default();
    headers.retain(|(name, _)| source.reads_header(name));
    if let Some((_, value)) = dice.choice(&mut headers) {
        let at = value.char_indices().nth(dice.usize(0..8)).map_or(0, |(at, _)| at);
        value.insert(at, dice.char(..));
    }
    let delivery = Delivery {
        body: input,
        content_type: dice.choice(CONTENT_TYPES).copied().flatten(),
        headers: &headers,
        received_at: Timestamp::UNIX_EPOCH,
    };
    let intake = source.parse(&delivery);
    let said = intake.alerts.len()
        + intake.heartbeats.len()
        + intake.controls.len()
        + intake.rejects.len();
    assert!(said > 0, "nothing became of the body");
    assert_eq!(intake, source.parse(&delivery), "the same body became something else");
    let read = sources::read(source, &delivery, &Options::default());
    assert!(read.alerts.len() <= intake.alerts.len(), "alerts were added");
    for (_, alert) in read.alerts {
        let clipped = alert.clipped();
        let again = serde_json::to_vec(&clipped).and_then(|json| serde_json::from_slice(&json));
        assert!(
            again.is_ok_and(|again: firebreak_core::alert::Alert| again == clipped),
            "it is not kept as it is"
        );
    }
}
