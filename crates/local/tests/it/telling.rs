//! Telling: a dead channel delays nobody, what could not be told is told later, and not for ever.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use firebreak_core::channels::{ChannelSettings, Channels, Reply, Request};
use firebreak_engine::notify::Pace;
use firebreak_engine::ports::{Clock, Sender};
use firebreak_local::{LocalSecrets, SqliteStore, Telling, TellingSettings, Tokens};
use jiff::{SignedDuration, Timestamp};

use crate::world::{alert, deliver};

/// The time of this machine, moved on by hand.
#[derive(Default)]
pub(crate) struct Moved(Mutex<SignedDuration>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::now() + *self.0.lock().unwrap()
    }
}

impl Moved {
    fn on(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

/// How a topic behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Well,
    Hangs,
    Unreachable,
}

pub(crate) struct Post {
    topics: Mutex<BTreeMap<&'static str, Topic>>,
    tried: Mutex<Vec<(String, String)>>,
    /// Calls that hung until nobody waited for them any more.
    given_up: Arc<AtomicUsize>,
}

/// Counts when it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Post {
    pub(crate) fn new(topics: &[(&'static str, Topic)]) -> Arc<Self> {
        let topics = Mutex::new(topics.iter().copied().collect());
        Arc::new(Self { topics, tried: Mutex::default(), given_up: Arc::default() })
    }

    fn set(&self, topic: &'static str, how: Topic) {
        self.topics.lock().unwrap().insert(topic, how);
    }

    /// The messages that were sent to the topic, repeats too.
    pub(crate) fn tried(&self, topic: &str) -> Vec<String> {
        let tried = self.tried.lock().unwrap();
        tried.iter().filter(|(to, _)| to == topic).map(|(_, message)| message.clone()).collect()
    }
}

#[async_trait]
impl Sender for Post {
    async fn send(&self, request: &Request) -> Reply {
        let Request::Topic { arn, message, .. } = request else { panic!("no such channel here") };
        let topic = arn.rsplit(':').next().unwrap();
        self.tried.lock().unwrap().push((topic.to_owned(), message.clone()));
        let how = self.topics.lock().unwrap()[topic];
        match how {
            Topic::Well => Reply::Published { message_id: "1".to_owned() },
            Topic::Unreachable => Reply::None { error: "refused".to_owned() },
            Topic::Hangs => {
                let _dropped = Dropped(Arc::clone(&self.given_up));
                std::future::pending().await
            }
        }
    }
}

pub(crate) fn start(store: &SqliteStore, clock: &Arc<Moved>, post: &Arc<Post>) -> Telling {
    let channel = |topic: &&'static str| {
        let arn = format!("arn:aws:sns:eu-west-1:111122223333:{topic}");
        let settings = serde_json::json!({ "kind": "sns", "topic_arn": arn });
        let settings: ChannelSettings = serde_json::from_value(settings).unwrap();
        ((*topic).to_owned(), settings)
    };
    let channels: Channels = post.topics.lock().unwrap().keys().map(channel).collect();
    let shared = Tokens::find(Some("0123456789abcdef"), std::path::Path::new("")).unwrap();
    Telling::start(TellingSettings {
        store: store.clone(),
        clock: Arc::<Moved>::clone(clock),
        channels: Arc::new(channels),
        secrets: Arc::new(LocalSecrets {
            shared: shared.secrets,
            sources: BTreeMap::new(),
            channels: BTreeMap::new(),
        }),
        sender: Arc::<Post>::clone(post),
        pace: Pace { rests: [Duration::from_millis(1); 2], patience: Duration::from_secs(3) },
    })
}

pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_channel_does_not_keep_the_other_from_hearing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (clock, post) =
        (Arc::default(), Post::new(&[("dead", Topic::Hangs), ("good", Topic::Well)]));
    let telling = start(&store, &clock, &post);
    for number in 0..70 {
        deliver(&store, &alert("nobody", &format!("thing-{number}"))).await;
    }
    until("everything is told", || post.tried("good").len() == 70).await;

    // The backlog of the dead channel is due again, and a new page is not behind it.
    let given_up = || post.given_up.load(Ordering::SeqCst);
    until("everything is given up for now", || given_up() == 70).await;
    clock.on(SignedDuration::from_secs(20));
    until("the backlog is tried again", || post.tried("dead").len() > 70).await;
    deliver(&store, &alert("nobody", "the next")).await;
    until("the next is told", || post.tried("good").iter().any(|text| text.contains("the next")))
        .await;
    assert_eq!(given_up(), 70, "the next had to wait for the backlog");
    telling.stop().await;
    let mut good = post.tried("good");
    good.sort();
    good.dedup();
    assert_eq!((good.len(), post.tried("good").len()), (71, 71), "each message once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_told_is_told_later_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (clock, post) = (Arc::<Moved>::default(), Post::new(&[("oncall", Topic::Unreachable)]));
    let telling = start(&store, &clock, &post);
    deliver(&store, &alert("nobody", "i-1")).await;
    until("three attempts", || post.tried("oncall").len() == 3).await;
    telling.stop().await;

    post.set("oncall", Topic::Well);
    clock.on(SignedDuration::from_secs(6));
    let telling = start(&store, &clock, &post);
    until("it is told", || post.tried("oncall").len() == 4).await;
    telling.stop().await;
    clock.on(SignedDuration::from_hours(1));
    let telling = start(&store, &clock, &post);
    deliver(&store, &alert("nobody", "i-2")).await;
    until("the next is told", || post.tried("oncall").len() == 5).await;
    telling.stop().await;
    assert_eq!(post.tried("oncall").len(), 5, "what was told is not told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_given_up_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (clock, post) = (Arc::<Moved>::default(), Post::new(&[("oncall", Topic::Unreachable)]));
    deliver(&store, &alert("nobody", "i-1")).await;
    for (round, hours) in [0, 23, 2].into_iter().enumerate() {
        clock.on(SignedDuration::from_hours(hours));
        let telling = start(&store, &clock, &post);
        until("three attempts more", || post.tried("oncall").len() == 3 * (round + 1)).await;
        telling.stop().await;
    }
    post.set("oncall", Topic::Well);
    clock.on(SignedDuration::from_hours(1));
    let telling = start(&store, &clock, &post);
    deliver(&store, &alert("nobody", "i-2")).await;
    until("the next is told", || post.tried("oncall").len() == 10).await;
    telling.stop().await;
    let late = post.tried("oncall").iter().filter(|text| text.contains("i-1")).count();
    assert_eq!(late, 9, "a day-old message was sent");
}
