//! Which tick of an incident is under way.

use firebreak_core::ids::IncidentId;
use firebreak_engine::notify::Tick;
use firebreak_engine::ports::StoreError;
use jiff::{SignedDuration, Timestamp};

use super::DynamoStore;
use super::keys::{self, Attributes, Key};

/// After this the item is cleared away: the tick has long come.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(48);

impl DynamoStore {
    pub(crate) async fn tick(&self, id: &IncidentId) -> Result<Option<Tick>, StoreError> {
        let item = self.get(&Key::tick(id)).await?;
        item.map(|item| keys::json(&item, "body")).transpose()
    }

    pub(crate) async fn remember_tick(&self, tick: &Tick) -> Result<(), StoreError> {
        let expires_at = tick.at.saturating_add(KEPT_FOR).map_or(0, Timestamp::as_second);
        let item = Attributes::of(&Key::tick(&tick.incident_id))
            .json("body", tick)
            .number("expires_at", &expires_at);
        self.put(item.done()).await
    }
}
