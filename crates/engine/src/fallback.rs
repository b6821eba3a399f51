//! Taking a delivery in, or having it wait where it is durable while the store is down; the sender learns which.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use firebreak_core::sources::Delivery;
use jiff::{SignedDuration, Timestamp};

use crate::ids;
use crate::ingest::{Report, Waits};
use crate::ports::{Backlog, Clock, Spill, SpillError, Spilled, StoreError};
use crate::queue::NotTaken;

/// Senders wait 10 seconds and more; what the store has not answered by then waits in the spill.
const PATIENCE: Duration = Duration::from_secs(6);

/// The rests before the store is tried again; a hiccup is no outage.
const RETRIES: [Duration; 2] = [Duration::from_millis(25), Duration::from_millis(100)];

/// After the store failed, so long nothing is tried on it: not every delivery must wait for what is known.
const REST: SignedDuration = SignedDuration::from_secs(1);

/// Shared by all deliveries of a process. Clones share what they know of the store.
#[derive(Clone)]
pub struct Fallback {
    spill: Option<Arc<dyn Spill>>,
    clock: Arc<dyn Clock>,
    /// In milliseconds since 1970; 0 while the store answers.
    down_until: Arc<AtomicI64>,
}

/// Neither the store nor the spill took the delivery: the sender must send it again.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The store is well, and more comes than it takes.
    #[error("too many alerts wait already")]
    Overloaded,
    /// The source sends more than its limit.
    #[error("the source sends more than its limit")]
    Limited { retry_after: SignedDuration },
    #[error("{store}; {}", .spill.as_ref().map_or_else(|| "there is no spill".to_owned(), ToString::to_string))]
    Down { store: StoreError, spill: Option<SpillError> },
}

impl Fallback {
    pub fn new(spill: Arc<dyn Spill>, clock: Arc<dyn Clock>) -> Self {
        Self { spill: Some(spill), clock, down_until: Arc::default() }
    }

    /// Without a spill: what the store does not take is refused.
    pub fn none(clock: Arc<dyn Clock>) -> Self {
        Self { spill: None, clock, down_until: Arc::default() }
    }

    pub fn has_spill(&self) -> bool {
        self.spill.is_some()
    }

    /// Whether the store did not take a delivery within `lately`, whatever else it does.
    pub fn failed_within(&self, lately: SignedDuration) -> bool {
        let until = Timestamp::from_millisecond(self.down_until.load(Ordering::Relaxed));
        until.is_ok_and(|until| self.clock.now() < until - REST + lately)
    }

    /// What waits in the spill, where that is known.
    pub fn backlog(&self) -> Option<Backlog> {
        self.spill.as_ref()?.backlog()
    }

    /// What `taking` says, or the delivery in the spill. `taking` is not asked while the store is known to be down.
    ///
    /// What was taken in part is taken in again from the spill, where it is recognised.
    pub async fn take<F>(
        &self,
        source: &str,
        delivery: &Delivery<'_>,
        taking: impl Fn() -> F,
    ) -> Result<Report, Refused>
    where
        F: Future<Output = Result<Report, NotTaken>>,
    {
        if self.spill.is_some() && self.is_down() {
            let known = StoreError::Unavailable("it failed a moment ago".to_owned());
            return self.put(source, delivery, known).await;
        }
        let taken = tokio::time::timeout(PATIENCE, self.try_hard(taking)).await;
        let error = match taken {
            Ok(Ok(report)) => return Ok(report),
            Ok(Err(NotTaken::Overloaded)) => return Err(Refused::Overloaded),
            Ok(Err(NotTaken::Limited { retry_after })) => {
                return Err(Refused::Limited { retry_after });
            }
            Ok(Err(NotTaken::Store(error))) => error,
            Err(_) => StoreError::Unavailable("it did not answer in time".to_owned()),
        };
        if matches!(error, StoreError::Unavailable(_)) && !self.is_down() {
            tracing::warn!(%error, "the store is down: deliveries wait in the spill");
            let until = self.clock.now() + REST;
            self.down_until.store(until.as_millisecond(), Ordering::Relaxed);
        }
        self.put(source, delivery, error).await
    }

    async fn try_hard<F>(&self, taking: impl Fn() -> F) -> Result<Report, NotTaken>
    where
        F: Future<Output = Result<Report, NotTaken>>,
    {
        for rest in RETRIES {
            match taking().await {
                Err(NotTaken::Store(StoreError::Unavailable(_))) => self.clock.rest(rest).await,
                taken => return taken,
            }
        }
        taking().await
    }

    async fn put(
        &self,
        source: &str,
        delivery: &Delivery<'_>,
        store: StoreError,
    ) -> Result<Report, Refused> {
        let Some(spill) = &self.spill else { return Err(Refused::Down { store, spill: None }) };
        let id = ids::of(delivery.received_at, self.clock.chance());
        match spill.put(&Spilled::of(id.clone(), source, delivery)).await {
            Ok(()) => Ok(Report { spilled: Some(Waits { id }), ..Report::default() }),
            Err(error) => {
                tracing::error!(source, %error, "a delivery could neither be stored nor spilled");
                Err(Refused::Down { store, spill: Some(error) })
            }
        }
    }

    fn is_down(&self) -> bool {
        self.clock.now().as_millisecond() < self.down_until.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    #[derive(Default)]
    struct Kept {
        spilled: Mutex<Vec<Spilled>>,
        full: bool,
    }

    #[async_trait]
    impl Spill for Kept {
        async fn put(&self, spilled: &Spilled) -> Result<(), SpillError> {
            if self.full {
                return Err(SpillError::Full { waiting: 9, most: 9 });
            }
            self.spilled.lock().unwrap().push(spilled.clone());
            Ok(())
        }
    }

    struct Hand(Mutex<Timestamp>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    struct Scene {
        kept: Arc<Kept>,
        clock: Arc<Hand>,
        fallback: Fallback,
    }

    impl Scene {
        fn new(full: bool) -> Self {
            let kept = Arc::new(Kept { full, ..Kept::default() });
            let clock = Arc::new(Hand(Mutex::new(at(0))));
            let fallback = Fallback::new(Arc::<Kept>::clone(&kept), Arc::<Hand>::clone(&clock));
            Self { kept, clock, fallback }
        }

        async fn take<F>(&self, taking: impl Fn() -> F) -> Result<Report, Refused>
        where
            F: Future<Output = Result<Report, NotTaken>>,
        {
            let delivery =
                Delivery { body: b"{}", content_type: None, headers: &[], received_at: at(0) };
            self.fallback.take("alertmanager", &delivery, taking).await
        }

        fn spilled(&self) -> usize {
            self.kept.spilled.lock().unwrap().len()
        }
    }

    fn down() -> Result<Report, NotTaken> {
        Err(NotTaken::Store(StoreError::Unavailable("no".to_owned())))
    }

    #[tokio::test]
    async fn what_the_store_takes_never_sees_the_spill() {
        let scene = Scene::new(false);
        let report = scene.take(async || Ok(Report::default())).await.unwrap();
        assert!(report.spilled.is_none());
        assert_eq!(scene.spilled(), 0);
    }

    #[tokio::test]
    async fn what_the_store_does_not_take_waits_and_the_sender_is_told_where() {
        let scene = Scene::new(false);
        let corrupt = || Err(NotTaken::Store(StoreError::Corrupt("odd".to_owned())));
        for failed in [corrupt, down] {
            let report = scene.take(async || failed()).await.unwrap();
            let id = report.spilled.unwrap().id;
            assert_eq!(scene.kept.spilled.lock().unwrap().last().unwrap().id, id);
        }
    }

    #[tokio::test]
    async fn while_the_store_is_known_to_be_down_it_is_left_alone() {
        let scene = Scene::new(false);
        scene.take(async || down()).await.unwrap();
        scene.take(async || panic!("the store was asked")).await.unwrap();
        *scene.clock.0.lock().unwrap() = at(1);
        scene.take(async || Ok(Report::default())).await.unwrap();
        assert_eq!(scene.spilled(), 2);
        scene.take(async || Ok(Report::default())).await.unwrap();
        assert_eq!(scene.spilled(), 2);
    }

    #[tokio::test]
    async fn a_hiccup_of_the_store_is_no_outage() {
        let scene = Scene::new(false);
        let tries = std::sync::atomic::AtomicU32::new(0);
        let hiccup = async || match tries.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => down(),
            _ => Ok(Report::default()),
        };
        assert!(scene.take(hiccup).await.unwrap().spilled.is_none());
        assert_eq!(scene.spilled(), 0);
    }

    #[tokio::test]
    async fn too_much_at_once_is_no_outage() {
        let scene = Scene::new(false);
        let refused = scene.take(async || Err(NotTaken::Overloaded)).await;
        assert!(matches!(refused, Err(Refused::Overloaded)));
        scene.take(async || Ok(Report::default())).await.unwrap();
        assert_eq!(scene.spilled(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_not_waited_for_long() {
        let scene = Scene::new(false);
        let report = scene.take(std::future::pending).await.unwrap();
        assert!(report.spilled.is_some());
    }

    #[tokio::test]
    async fn when_the_spill_fails_too_the_sender_must_send_it_again() {
        let scene = Scene::new(true);
        let refused = scene.take(async || down()).await.unwrap_err();
        assert!(refused.to_string().contains("full"), "{refused}");
        let none = Fallback::none(Arc::<Hand>::clone(&scene.clock));
        let delivery =
            Delivery { body: b"{}", content_type: None, headers: &[], received_at: at(0) };
        for _ in 0..2 {
            let refused = none.take("alertmanager", &delivery, async || down()).await.unwrap_err();
            let said = refused.to_string();
            assert_eq!(said, "the store is not available: no; there is no spill");
        }
    }
}
