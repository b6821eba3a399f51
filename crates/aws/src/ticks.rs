//! Ticks of telling on AWS: a delay queue, and an item that remembers which tick of an incident is under way.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use firebreak_engine::notify::Tick;
use firebreak_engine::ports::StoreError;
use jiff::Timestamp;

use crate::failure;
use crate::store::DynamoStore;

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>: a message waits for
/// a quarter of an hour at most. A tick that is later hops: it comes early, and is sent again.
const LONGEST_DELAY: i64 = 900;

/// Where ticks wait.
#[derive(Debug, Clone)]
pub struct TickQueue {
    client: Client,
    url: String,
}

impl TickQueue {
    pub fn new(config: &SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(config), url: url.into() }
    }

    /// Sends the tick, unless one that comes no later is under way for the same news: two chains of ticks that a
    /// repeated delivery made become one again. Sent first and remembered then: a death in between costs a tick
    /// too many, never one too few.
    pub async fn set(
        &self,
        store: &DynamoStore,
        tick: &Tick,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(under_way) = store.tick(&tick.incident_id).await?
            && covers(&under_way, tick, now)
        {
            return Ok(());
        }
        self.hop(tick, now).await?;
        store.remember_tick(tick).await
    }

    /// Sends a tick on that came early.
    pub async fn hop(&self, tick: &Tick, now: Timestamp) -> Result<(), StoreError> {
        let body =
            serde_json::to_string(tick).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(delay(tick.at, now))
            .send()
            .await
            .map(drop)
            .map_err(|error| StoreError::Unavailable(failure::words(&error)))
    }
}

fn covers(under_way: &Tick, wanted: &Tick, now: Timestamp) -> bool {
    under_way.news == wanted.news && under_way.at > now && under_way.at <= wanted.at
}

/// Whole seconds, rounded up: a tick that comes a moment early would only be sent again.
fn delay(at: Timestamp, now: Timestamp) -> i32 {
    let seconds = (at.duration_since(now).as_millis().max(0) + 999) / 1000;
    i32::try_from(seconds.min(i128::from(LONGEST_DELAY))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    fn tick(news: u64, seconds: i64) -> Tick {
        Tick { incident_id: "inc_1".to_owned().try_into().unwrap(), news, at: at(seconds) }
    }

    #[test]
    fn a_delay_is_rounded_up_and_at_most_a_quarter_of_an_hour() {
        let half = at(1) + jiff::SignedDuration::from_millis(500);
        for (time, expected) in
            [(at(-5), 0), (at(0), 0), (half, 2), (at(30), 30), (at(900), 900), (at(14_400), 900)]
        {
            assert_eq!(delay(time, at(0)), expected, "{time}");
        }
    }

    #[test]
    fn a_tick_is_needed_unless_one_for_the_same_news_comes_in_time() {
        let wanted = tick(5, 100);
        assert!(covers(&tick(5, 100), &wanted, at(0)));
        assert!(covers(&tick(5, 50), &wanted, at(0)));
        assert!(!covers(&tick(5, 101), &wanted, at(0)), "too late");
        assert!(!covers(&tick(4, 100), &wanted, at(0)), "stale when it comes");
        assert!(!covers(&tick(5, 50), &wanted, at(50)), "it has come");
    }
}
