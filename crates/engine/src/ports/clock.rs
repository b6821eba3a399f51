//! The clock, as a port: the core takes time as an argument, use cases ask for it here.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Time and chance. A simulation gives both from its seed, so that a run can be played again.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Any number, to make ids of and to keep retries out of step; never part of a decision.
    fn chance(&self) -> u128 {
        ulid::Ulid::generate().random()
    }

    /// Lets the time pass.
    async fn rest(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
