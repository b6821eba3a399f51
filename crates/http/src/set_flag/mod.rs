//! The hands of `http.set_flag`.

use std::sync::Arc;

use async_trait::async_trait;
use firebreak_core::evidence::{Circumstances, Evidence, Fact, Observation, Questions, Reading};
use firebreak_core::guards::RowPermit;
use firebreak_core::ledger::Row;
use firebreak_core::runbook::Step;
use firebreak_core::target::Target;
use firebreak_engine::ports::{ApplyError, Clock, Hands, ReadError};
use reqwest::Url;
use serde_json::Value;

use crate::client::Client;
use crate::flag::{Captured, Flag, SetError, read, same, set};
use crate::origins::Origins;

/// Begins the receipt of a row that had nothing to do, so that its undo takes nothing back.
const ALREADY: &str = "already ";

/// How often an undo looks again after somebody else wrote or the answer got lost.
const UNDO_TRIES: u32 = 3;

pub struct HttpSetFlag {
    client: Client,
    origins: Origins,
    clock: Arc<dyn Clock>,
}

impl HttpSetFlag {
    /// Flags at other origins are neither read nor set.
    pub fn new(client: Client, origins: Origins, clock: Arc<dyn Clock>) -> Self {
        Self { client, origins, clock }
    }

    fn url(&self, target: &Target) -> Result<Url, String> {
        let url = Url::parse(&target.id).map_err(|error| error.to_string())?;
        if self.origins.allow(&url) {
            return Ok(url);
        }
        let origin = url.origin().ascii_serialization();
        Err(format!("flags at {origin} may not be set: it is not among the allowed origins"))
    }

    async fn current(&self, url: &Url) -> Result<Flag, String> {
        read(&self.client, url).await?.ok_or_else(|| "there is no such flag".to_owned())
    }

    async fn check_one(&self, row: &Row, wanted: Option<&Value>) -> (Reading, String) {
        let Some(wanted) = wanted else {
            return (Reading::Unreadable, "the step names no value".to_owned());
        };
        let flag = match self.url(&row.planned.target) {
            Ok(url) => self.current(&url).await,
            Err(problem) => Err(problem),
        };
        match flag {
            Ok(flag) if same(&flag.value, wanted) => {
                (Reading::Good, format!("it reads {} at version {}", flag.value, flag.version))
            }
            Ok(flag) => {
                let Flag { value, version, .. } = flag;
                (Reading::Bad, format!("it reads {value} at version {version}, not {wanted}"))
            }
            Err(problem) => (Reading::Unreadable, problem),
        }
    }

    async fn put_back(&self, url: &Url, before: &Captured, ours: &Value) -> Result<String, String> {
        let mut problem = String::new();
        for _ in 0..UNDO_TRIES {
            let Flag { value, version, .. } = self.current(url).await?;
            let as_before = same(&value, &before.value);
            if as_before && version != before.version {
                return Ok(format!("it reads {value} at version {version}, as before"));
            }
            if !as_before && !same(&value, ours) {
                return Ok(format!(
                    "left as it is: somebody set it to {value} (version {version}) since"
                ));
            }
            // Also where nothing changed: a call that is still on its way then finds another version.
            match set(&self.client, url, &before.value, version).await {
                Ok(flag) => {
                    return Ok(format!("put back to {} as version {}", flag.value, flag.version));
                }
                Err(SetError::Refused(why)) => return Err(why),
                // The next look tells whether it was put back.
                Err(error @ (SetError::Moved | SetError::Unknown(_))) => {
                    problem = error.to_string();
                }
            }
        }
        Err(problem)
    }
}

#[async_trait]
impl Hands for HttpSetFlag {
    fn action(&self) -> &'static str {
        "http.set_flag"
    }

    /// A flag belongs to no group that can be counted, and no service says whether a flag is well or being rolled
    /// out: that stays unreadable.
    async fn observe(
        &self,
        target: &Target,
        _asked: Questions<'_>,
    ) -> Result<Observation, ReadError> {
        let url = self.url(target).map_err(ReadError)?;
        let flag = read(&self.client, &url).await.map_err(ReadError)?;
        let captured =
            flag.as_ref().map(|flag| Captured { value: flag.value.clone(), version: flag.version });
        let changed = flag.as_ref().map_or(Fact::Known(None), Flag::changed);
        Ok(Observation {
            target: target.clone(),
            circumstances: Circumstances { changed, ..Circumstances::default() },
            identity: flag.map(|_| url.to_string()),
            tags: std::collections::BTreeMap::new(),
            group: None,
            captured: serde_json::to_value(captured).expect("a captured flag is plain data"),
            seen_at: self.clock.now(),
        })
    }

    /// Sets the flag if it is still as it was planned for: an undo could not restore any other value.
    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError> {
        let refused = ApplyError::Refused;
        let wanted = permit.with().get("value");
        let wanted = wanted.ok_or_else(|| refused("the step names no value".to_owned()))?;
        let before = captured(permit.row()).map_err(refused)?;
        let url = self.url(permit.target()).map_err(refused)?;
        let Flag { name, value, version, .. } = self.current(&url).await.map_err(refused)?;
        if same(&value, wanted) {
            return Ok(format!("{ALREADY}{value} at version {version}; nothing was sent"));
        }
        if !same(&value, &before.value) {
            let planned = before.value;
            return Err(refused(format!("it reads {value} now and read {planned} when planned")));
        }
        match set(&self.client, &url, wanted, version).await {
            Ok(set) => Ok(format!(
                "{name} set to {} as version {} (was {value}, version {version})",
                set.value, set.version
            )),
            Err(error @ (SetError::Refused(_) | SetError::Moved)) => {
                Err(refused(error.to_string()))
            }
            Err(SetError::Unknown(why)) => Err(ApplyError::Unknown(why)),
        }
    }

    async fn check(&self, row: &Row, _step: &Step) -> Vec<Evidence> {
        let (reading, detail) = self.check_one(row, row.planned.with.get("value")).await;
        vec![Evidence {
            signal: "http.flag_set".to_owned(),
            target: Some(row.planned.target.clone()),
            reading,
            detail,
            at: self.clock.now(),
        }]
    }

    /// Leaves alone what somebody else set, before the action or after it.
    async fn undo(&self, row: &Row, _step: &Step) -> Result<String, ReadError> {
        if row.receipt.as_ref().is_some_and(|receipt| receipt.starts_with(ALREADY)) {
            return Ok("left as it is: it was set before this row came to it".to_owned());
        }
        let before = captured(row).map_err(ReadError)?;
        let url = self.url(&row.planned.target).map_err(ReadError)?;
        let ours = row
            .planned
            .with
            .get("value")
            .ok_or_else(|| ReadError("no value is named".to_owned()))?;
        self.put_back(&url, &before, ours).await.map_err(ReadError)
    }
}

fn captured(row: &Row) -> Result<Captured, String> {
    let picture = row.planned.undo.clone().unwrap_or_default();
    serde_json::from_value(picture).map_err(|_| "the plan holds no value to go back to".to_owned())
}

#[cfg(test)]
mod tests;
