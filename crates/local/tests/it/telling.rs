//! Telling: a dead channel delays nobody, and what could not be told is told later, also after a restart.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use firebreak_core::channels::{ChannelSettings, Channels, Reply, Request};
use firebreak_core::policy;
use firebreak_core::routing::Routes;
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
    start_with(store, clock, post, Routes::default())
}

fn start_with(
    store: &SqliteStore,
    clock: &Arc<Moved>,
    post: &Arc<Post>,
    routes: Routes,
) -> Telling {
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
        routes: Arc::new(routes),
        policy: Arc::default(),
        secrets: Arc::new(LocalSecrets {
            shared: shared.secrets,
            sources: BTreeMap::new(),
            channels: BTreeMap::new(),
        }),
        sender: Arc::<Post>::clone(post),
        pace: Pace { rests: [Duration::from_millis(1); 2], patience: Duration::from_secs(1) },
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
    for number in 0..40 {
        deliver(&store, &alert("nobody", &format!("thing-{number}"))).await;
    }
    until("everything is told", || post.tried("good").len() == 40).await;

    // The backlog of the dead channel is due again, and a new page is not behind it.
    let given_up = || post.given_up.load(Ordering::SeqCst);
    until("everything is given up for now", || given_up() == 40).await;
    clock.on(SignedDuration::from_secs(20));
    until("the backlog is tried again", || post.tried("dead").len() > 40).await;
    deliver(&store, &alert("nobody", "the next")).await;
    until("the next is told", || post.tried("good").iter().any(|text| text.contains("the next")))
        .await;
    assert_eq!(given_up(), 40, "the next had to wait for the backlog");
    telling.stop().await;
    let mut good = post.tried("good");
    good.sort();
    good.dedup();
    assert_eq!((good.len(), post.tried("good").len()), (41, 41), "each message once");
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
async fn a_wait_goes_on_across_a_restart_and_its_end_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (clock, post) = (Arc::<Moved>::default(), Post::new(&[("oncall", Topic::Well)]));
    let routes = || Routes::of(&policy::read("route: { group_wait: 30s }").unwrap());
    let telling = start_with(&store, &clock, &post, routes());
    let mut young = alert("nobody", "i-1");
    young.starts_at = Timestamp::now();
    deliver(&store, &young).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    telling.stop().await;
    assert_eq!(post.tried("oncall").len(), 0, "the group is given time to fill");

    let telling = start_with(&store, &clock, &post, routes());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(post.tried("oncall").len(), 0, "a restart does not shorten it");
    clock.on(SignedDuration::from_secs(31));
    until("it is told", || post.tried("oncall").len() == 1).await;
    telling.stop().await;
}

#[test]
fn a_message_that_was_under_way_when_the_process_died_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, post) = (Arc::<Moved>::default(), Post::new(&[("oncall", Topic::Hangs)]));
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    };
    let dying = runtime();
    dying.block_on(async {
        let store = SqliteStore::open(folder.path()).unwrap();
        let _telling = start(&store, &clock, &post);
        deliver(&store, &alert("nobody", "i-1")).await;
        until("it is under way", || post.tried("oncall").len() == 1).await;
    });
    // Every task ends where it stands.
    dying.shutdown_timeout(Duration::from_secs(5));
    post.set("oncall", Topic::Well);
    runtime().block_on(async {
        let store = SqliteStore::open(folder.path()).unwrap();
        let telling = start(&store, &clock, &post);
        until("it is sent again", || post.tried("oncall").len() == 2).await;
        telling.stop().await;
    });
    let sent = post.tried("oncall");
    let id = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(id(&sent[0]), id(&sent[1]), "its receiver can tell that it is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_was_added_hears_of_what_fires() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (clock, post) = (Arc::<Moved>::default(), Post::new(&[("oncall", Topic::Well)]));
    let telling = start(&store, &clock, &post);
    deliver(&store, &alert("nobody", "i-1")).await;
    until("it is told", || post.tried("oncall").len() == 1).await;
    telling.stop().await;

    post.set("new", Topic::Well);
    let telling = start(&store, &clock, &post);
    until("the new one is told", || post.tried("new").len() == 1).await;
    telling.stop().await;
    assert_eq!(post.tried("oncall").len(), 1);
}
