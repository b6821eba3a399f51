//! The doctor: whether this platform could act, and tell, if it had to now; each doubt with its remedy.

use firebreak_core::channels::{self, Channels};
use firebreak_core::guards;
use firebreak_core::policy::Policy;
use firebreak_core::runbook::{Runbook, RunbookSet};
use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::breaker;
use crate::ports::{ListQuery, Store};

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Well,
    /// As somebody wished it, and good to know.
    Notice,
    Ill,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub what: String,
    pub health: Health,
    pub says: String,
    /// What to do about it; empty where all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

impl Finding {
    pub fn well(what: &str, says: impl Into<String>) -> Self {
        Self::of(what, Health::Well, says, "")
    }

    pub fn notice(what: &str, says: impl Into<String>, remedy: &str) -> Self {
        Self::of(what, Health::Notice, says, remedy)
    }

    pub fn ill(what: &str, says: impl Into<String>, remedy: &str) -> Self {
        Self::of(what, Health::Ill, says, remedy)
    }

    fn of(what: &str, health: Health, says: impl Into<String>, remedy: &str) -> Self {
        Self { what: what.to_owned(), health, says: says.into(), remedy: remedy.to_owned() }
    }
}

/// Whether every guard can block, in this very build.
pub fn guards_proved() -> Finding {
    match guards::self_test() {
        Ok(proved) => Finding::well("guards", format!("{} can block and let pass", proved.len())),
        Err(unproved) => {
            let why: Vec<String> = unproved.iter().map(ToString::to_string).collect();
            let remedy = "nothing is acted on; go back to the build before, and report this one";
            Finding::ill("guards", why.join("; "), remedy)
        }
    }
}

/// The time intervals that runbooks name and the policy does not have: their guard would hold for ever.
pub fn unknown_intervals(runbooks: &RunbookSet, policy: &Policy) -> Vec<String> {
    let of = |runbook: &Runbook| -> Vec<String> {
        let windows = runbook.guards.only_within.iter().chain(&runbook.guards.never_within);
        windows
            .filter_map(|window| window.name())
            .filter(|name| policy.time_intervals.get(name).is_none())
            .map(|name| format!("`{}` names the time interval `{name}`", runbook.runbook))
            .collect()
    };
    runbooks.iter().flat_map(of).collect()
}

/// Whether the runbooks that were read can be run beside the policy.
pub fn runbooks(runbooks: &RunbookSet, policy: &Policy) -> Finding {
    let unknown = unknown_intervals(runbooks, policy);
    if !unknown.is_empty() {
        let remedy = "add it to `time_intervals` of the policy, or correct the runbook";
        return Finding::ill(
            "runbooks",
            format!("{}, which is not there", unknown.join(", ")),
            remedy,
        );
    }
    match runbooks.len() {
        0 => Finding::notice(
            "runbooks",
            "there are none",
            "put some into the folder of `--runbooks`",
        ),
        count => Finding::well("runbooks", format!("{count} are valid")),
    }
}

/// What the record says: whether it can be written, what time it is there, and what stops actions now.
pub async fn record(store: &(impl Store + ?Sized), now: Timestamp) -> Vec<Finding> {
    vec![writable(store).await, clock(store, now).await, switch(store).await, tripped(store).await]
}

const REACH: &str = "look at the disk or the table, and at who may write there";

async fn writable(store: &(impl Store + ?Sized)) -> Finding {
    match store.count("doctor.looked").await {
        Ok(()) => Finding::well("store", "it can be written"),
        Err(error) => Finding::ill("store", error.to_string(), REACH),
    }
}

/// Clocks of machines that share a record may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

async fn clock(store: &(impl Store + ?Sized), now: Timestamp) -> Finding {
    let remedy = "set the clock (NTP): ages, cooldowns and windows are measured by it";
    let first = date(2026, 1, 1).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    if first.is_ok_and(|first| now < first) {
        return Finding::ill("clock", format!("it says {now}, before this build was made"), remedy);
    }
    let newest = ListQuery { limit: 1, ..ListQuery::default() };
    let last = match store.list(&newest).await {
        Ok(page) => page.incidents.first().map(|incident| incident.updated_at),
        Err(error) => return Finding::ill("clock", error.to_string(), REACH),
    };
    match last.filter(|last| *last > now + SKEW) {
        Some(last) => {
            Finding::ill("clock", format!("it says {now}, and the record reaches {last}"), remedy)
        }
        None => Finding::well("clock", format!("it says {now}")),
    }
}

async fn switch(store: &(impl Store + ?Sized)) -> Finding {
    match store.kill_switch().await {
        Ok(switch) => match switch.engaged {
            Some(engaged) => Finding::notice(
                "kill switch",
                format!("engaged by {} at {}: {}", engaged.by, engaged.at, engaged.reason),
                "release it with `firebreak kill-switch off`",
            ),
            None => Finding::well("kill switch", "off"),
        },
        Err(error) => Finding::ill("kill switch", error.to_string(), REACH),
    }
}

async fn tripped(store: &(impl Store + ?Sized)) -> Finding {
    match breaker::standing(store).await {
        Ok(breaker) => match breaker.tripped {
            Some(tripped) => Finding::ill(
                "breaker",
                format!("tripped at {}: {}", tripped.at, tripped.because),
                "look at those runs, then `firebreak breaker reset --reason ...`",
            ),
            None => Finding::well(
                "breaker",
                format!("{} bad outcomes are counted", breaker.failures.len()),
            ),
        },
        Err(error) => Finding::ill("breaker", error.to_string(), REACH),
    }
}

/// Whether people can be told: there are channels, they are set up right, and their secrets are there.
pub fn channels(channels: &Channels, has_secret: impl Fn(&str) -> bool) -> Vec<Finding> {
    let problems = channels::check(channels);
    let set_up = if channels.is_empty() {
        let remedy = "add one under `channels` of the settings: nobody is told of anything now";
        Finding::notice("channels", "there are none", remedy)
    } else if problems.is_empty() {
        Finding::well("channels", format!("{} are set up", channels.len()))
    } else {
        Finding::ill("channels", problems.join("; "), "correct the settings")
    };
    let needs = |kind: &str| channels::find(kind).is_some_and(channels::Channel::needs_secret);
    let missing: Vec<String> = channels
        .iter()
        .filter(|(name, settings)| needs(&settings.kind) && !has_secret(name))
        .map(|(name, _)| format!("`{name}` has none"))
        .collect();
    let kept = if missing.is_empty() {
        Finding::well("secrets", "every channel has the secret that it needs")
    } else {
        Finding::ill("secrets", missing.join(", "), "add it under `secrets.channels`")
    };
    vec![set_up, kept]
}
