//! The settings that change at run time.

use async_trait::async_trait;
use firebreak_core::switch::KillSwitch;
use firebreak_engine::ports::{Settings, StoreError};

use super::DynamoStore;
use super::keys::{self, Attributes, Key};

#[async_trait]
impl Settings for DynamoStore {
    async fn kill_switch(&self) -> Result<KillSwitch, StoreError> {
        match self.get(&Key::kill_switch()).await? {
            Some(item) => keys::json(&item, "body"),
            None => Ok(KillSwitch::default()),
        }
    }

    async fn set_kill_switch(&self, switch: &KillSwitch) -> Result<(), StoreError> {
        self.put(Attributes::of(&Key::kill_switch()).json("body", switch).done()).await
    }
}
