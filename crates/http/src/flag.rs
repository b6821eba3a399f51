//! The flag API of a service: `GET` reads a flag, `PUT` sets it if it still has the version that was read.

use firebreak_core::evidence::{Change, Fact};
use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::client::{CallError, Client, call};

/// A flag as its service tells it. The version rises with each change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Flag {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) version: u64,
    /// Who changed it last; there where the service keeps a record of it.
    #[serde(default)]
    pub(crate) changed_by: Option<String>,
    /// When; `null` where nobody did.
    #[serde(default, deserialize_with = "there")]
    pub(crate) changed_at: Option<Value>,
}

/// Tells a `null` from a key that is not there.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Flag {
    /// The latest change by anybody but us, as far as the service says.
    pub(crate) fn changed(&self) -> Fact<Option<Change>> {
        let unreadable = |why: &str| Fact::Unreadable(why.to_owned());
        match &self.changed_at {
            None => unreadable("the flag has no `changed_at`: its service keeps no record"),
            Some(Value::Null) => Fact::Known(None),
            Some(_) if self.changed_by.as_deref() == Some(OURSELVES) => Fact::Known(None),
            Some(at) => match at.as_str().and_then(|at| at.parse().ok()) {
                Some(at) => {
                    let by = self.changed_by.clone().unwrap_or_else(|| "somebody".to_owned());
                    Fact::Known(Some(Change { by, at }))
                }
                None => unreadable("the flag's `changed_at` is no time"),
            },
        }
    }
}

/// Under this name our changes stand in the record of a service that keeps one.
const OURSELVES: &str = "firebreak";
const CHANGED_BY: &str = "x-changed-by";

/// The part of a flag that an undo needs; stored as the before-picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Captured {
    pub(crate) value: Value,
    pub(crate) version: u64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SetError {
    /// Certainly not set.
    #[error("{0}")]
    Refused(String),
    /// Somebody else set it since it was read.
    #[error("the flag was changed in the same moment")]
    Moved,
    /// Perhaps set.
    #[error("{0}")]
    Unknown(String),
}

/// `None` where the service has no such flag.
pub(crate) async fn read(client: &Client, url: &Url) -> Result<Option<Flag>, String> {
    let answer = call(client.get(url.clone())).await.map_err(|error| error.to_string())?;
    match answer.status {
        200 => flag(url, &answer.body).map(Some),
        404 => Ok(None),
        status => Err(format!("the service answered {status}")),
    }
}

/// Sends one change. An answer that says neither yes nor no leaves it unknown.
pub(crate) async fn set(
    client: &Client,
    url: &Url,
    value: &Value,
    if_version: u64,
) -> Result<Flag, SetError> {
    let change = json!({ "value": value, "if_version": if_version });
    let answer =
        match call(client.put(url.clone()).header(CHANGED_BY, OURSELVES).json(&change)).await {
            Ok(answer) => answer,
            Err(CallError::NotSent(why)) => return Err(SetError::Refused(why)),
            Err(CallError::NoAnswer(why)) => return Err(SetError::Unknown(why)),
        };
    match answer.status {
        200..=299 => {
            let set = flag(url, &answer.body).map_err(SetError::Unknown)?;
            if same(&set.value, value) {
                return Ok(set);
            }
            Err(SetError::Unknown(format!("the service says that it is {} now", set.value)))
        }
        409 => Err(SetError::Moved),
        408 => Err(SetError::Unknown("the service answered 408".to_owned())),
        status @ 300..=499 => {
            let said: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
            Err(SetError::Refused(format!("the service answered {status}: {said}")))
        }
        status => Err(SetError::Unknown(format!("the service answered {status}"))),
    }
}

/// Whatever is not exactly this flag's answer is not believed: another page may have the same address.
fn flag(url: &Url, body: &[u8]) -> Result<Flag, String> {
    let flag: Flag = serde_json::from_slice(body)
        .map_err(|_| "what it answers is not a flag with name, value and version".to_owned())?;
    let name = url.path_segments().and_then(|mut segments| segments.next_back());
    if name == Some(flag.name.as_str()) {
        Ok(flag)
    } else {
        Err(format!("it answers for the flag `{}`", flag.name))
    }
}

/// Whether both are the same value; `0` and `0.0` are.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}
