//! `hands_off`: no person and no deployment is at the target.

use jiff::Timestamp;

use super::{Case, Example, Guard, Scene, hold, pass};
use crate::evidence::{Change, Circumstances, Fact, Observation};
use crate::runbook::HandsOff;
use crate::trace::Ruling;

pub(super) struct NobodyIsAtIt;

/// The tag by which a person keeps automation away for a while: a time such as `2026-11-25T18:00:00Z`.
pub const UNTIL_TAG: &str = "firebreak:hands-off-until";

impl Guard for NobodyIsAtIt {
    fn name(&self) -> &'static str {
        "hands_off"
    }

    fn summary(&self) -> &'static str {
        "No hands-off tag holds; nobody changed the target lately and nothing is rolled out to it, where that is asked."
    }

    fn judge(&self, case: &Case<'_>) -> Ruling {
        let asked = &case.runbook.guards.hands_off;
        for seen in case.observations {
            let why = tagged(seen, case.now)
                .or_else(|| changed(seen, asked, case.now))
                .or_else(|| deploying(seen, asked));
            if let Some(held) = why {
                return held;
            }
        }
        pass("nobody is at the targets, as far as it was asked")
    }

    fn example(&self, calm: &Scene) -> Example {
        let changed = |seconds| {
            calm.clone().around(|around: &mut Circumstances| {
                let at = Scene::time(seconds);
                around.changed = Fact::Known(Some(Change { by: "ana".to_owned(), at }));
            })
        };
        Example { holds: changed(-1799), passes: changed(-1800) }
    }
}

fn tagged(seen: &Observation, now: Timestamp) -> Option<Ruling> {
    let text = seen.tags.get(UNTIL_TAG)?;
    let Ok(until) = text.trim().parse::<Timestamp>() else {
        return Some(hold(
            format!("{} is tagged {UNTIL_TAG}=`{text}`, which is no time", seen.target),
            "write a time such as 2026-11-25T18:00:00Z, or take the tag away",
        ));
    };
    (now < until).then(|| {
        hold(
            format!("{} is tagged {UNTIL_TAG}={until}", seen.target),
            format!("wait until {until}, or take the tag away"),
        )
    })
}

fn changed(seen: &Observation, asked: &HandsOff, now: Timestamp) -> Option<Ruling> {
    let wait = asked.after_human_change?;
    match &seen.circumstances.changed {
        Fact::Unreadable(why) => Some(hold(
            format!("nobody knows who changed {} last: {why}", seen.target),
            "act by hand, or leave `after_human_change` out of the runbook",
        )),
        // A clock that runs ahead elsewhere makes it a fresh change, not an old one.
        Fact::Known(Some(Change { by, at })) if now.duration_since(*at) < wait => {
            let over = *at + wait;
            Some(hold(
                format!("{by} changed {} at {at}", seen.target),
                format!("wait until {over}"),
            ))
        }
        Fact::Known(_) => None,
    }
}

fn deploying(seen: &Observation, asked: &HandsOff) -> Option<Ruling> {
    if !asked.during_deployment {
        return None;
    }
    match &seen.circumstances.deployment {
        Fact::Unreadable(why) => Some(hold(
            format!("nobody knows whether {} is being deployed: {why}", seen.target),
            "act by hand, or leave `during_deployment` out of the runbook",
        )),
        Fact::Known(Some(what)) => Some(hold(
            format!("{what} is being rolled out to {}", seen.target),
            "wait for the deployment to end",
        )),
        Fact::Known(None) => None,
    }
}
