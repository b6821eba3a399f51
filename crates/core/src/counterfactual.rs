//! Would it have healed anyway? What an action that helped is weighed against before it is trusted for it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::book::{BookKey, Books};
use crate::healing::{Odds, cause_of, causes};
use crate::incident::{Incident, Member};
use crate::run::Run;
use crate::target::Target;

/// To whom the good end is most likely owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likely {
    Ours,
    ByItself,
    /// Too little is known, or what is known disagrees.
    Unknown,
}

/// What would have happened without the action, as far as history and siblings tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterfactual {
    pub likely: Likely,
    /// Earlier episodes of the cause that were left alone for as long: how many were over by themselves.
    pub history: Odds,
    /// Alerts of the same cause that fired at the time and that nobody touched: how many ended in the same time.
    pub siblings: Odds,
    /// Both in words.
    pub because: String,
}

/// Fewer earlier episodes say nothing.
const FEWEST: u32 = 4;

/// Compares what followed the action with what happens without one.
///
/// `others` are incidents of the same service, whichever could be read.
pub fn weigh(
    incident: &Incident,
    run: &Run,
    (sent_at, good_at): (Timestamp, Timestamp),
    books: &Books,
    others: &[Incident],
) -> Counterfactual {
    let began = incident.alerts.values().map(|member| member.fired_at).min().unwrap_or(sent_at);
    let after = sent_at.duration_since(began).max(SignedDuration::ZERO);
    let within = good_at.duration_since(sent_at).max(SignedDuration::ZERO);
    let history = causes(incident)
        .iter()
        .filter_map(|cause| books.get(&BookKey::cause(cause))?.healing.as_ref())
        .fold(Odds::default(), |odds, healing| odds.and(healing.odds(after, within)));
    let siblings = siblings(incident, run, (sent_at, good_at), others);
    let likely = match (by_history(history), by_siblings(siblings)) {
        (Some(one), Some(other)) if one == other => one,
        (Some(one), None) | (None, Some(one)) => one,
        (Some(_), Some(_)) | (None, None) => Likely::Unknown,
    };
    let words = |duration: SignedDuration| SignedDuration::from_secs(duration.as_secs());
    let because = format!(
        "of {} earlier episodes that went on for {:#} and were left alone, {} were over {:#} later; of {} siblings that nobody touched, {} ended in the same time",
        history.of,
        words(after),
        history.healed,
        words(within),
        siblings.of,
        siblings.healed
    );
    Counterfactual { likely, history, siblings, because }
}

fn by_history(odds: Odds) -> Option<Likely> {
    if odds.of < FEWEST {
        return None;
    }
    if odds.healed * 2 >= odds.of {
        return Some(Likely::ByItself);
    }
    (odds.healed * 4 <= odds.of).then_some(Likely::Ours)
}

fn by_siblings(odds: Odds) -> Option<Likely> {
    if odds.of == 0 {
        return None;
    }
    if odds.healed * 2 >= odds.of {
        return Some(Likely::ByItself);
    }
    (odds.healed == 0).then_some(Likely::Ours)
}

fn siblings(
    incident: &Incident,
    run: &Run,
    span: (Timestamp, Timestamp),
    others: &[Incident],
) -> Odds {
    let causes = causes(incident);
    let acted: Vec<&Target> = run
        .rows
        .iter()
        .filter(|row| row.sent_at.is_some())
        .map(|row| &row.planned.target)
        .collect();
    let own = incident.alerts.values().filter(|member| !is_about(run, member, &acted));
    let elsewhere = others
        .iter()
        .filter(|other| other.id != incident.id && is_untouched(other))
        .flat_map(|other| other.alerts.values());
    own.chain(elsewhere)
        .filter(|member| causes.contains(&cause_of(&member.alert)) && !member.expired)
        .filter(|member| fired_at(member, span.0))
        .fold(Odds::default(), |odds, member| {
            odds.count(!member.alert.is_firing() && member.news.at <= span.1)
        })
}

/// Whether the alert means one of the targets, whatever its state is by now.
fn is_about(run: &Run, member: &Member, targets: &[&Target]) -> bool {
    targets.iter().any(|target| {
        let ids = run.runbook.targets.get(&target.kind).map(|ids| ids.ids(&member.alert));
        ids.is_some_and(|ids| ids.is_ok_and(|ids| ids.contains(&target.id)))
    })
}

fn is_untouched(incident: &Incident) -> bool {
    incident.acknowledged.is_none()
        && incident.runs.iter().flat_map(|run| &run.rows).all(|row| row.sent_at.is_none())
}

fn fired_at(member: &Member, at: Timestamp) -> bool {
    member.fired_at <= at && (member.alert.is_firing() || member.news.at > at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_that_heal_by_themselves_are_no_merit_of_ours() {
        let odds = |healed, of| Odds { healed, of };
        assert_eq!(by_history(odds(3, 3)), None, "three are too few");
        assert_eq!(by_history(odds(2, 4)), Some(Likely::ByItself));
        assert_eq!(by_history(odds(1, 4)), Some(Likely::Ours));
        assert_eq!(by_history(odds(3, 8)), None);
        assert_eq!(by_siblings(odds(0, 0)), None);
        assert_eq!(by_siblings(odds(0, 1)), Some(Likely::Ours));
        assert_eq!(by_siblings(odds(1, 3)), None);
        assert_eq!(by_siblings(odds(2, 3)), Some(Likely::ByItself));
    }
}
