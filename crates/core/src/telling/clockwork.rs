//! When a group is looked at: after `group_wait`, and then every `group_interval`.

use jiff::{SignedDuration, Timestamp};

use crate::incident::{Episode, Member};

/// The first flush of the group that fires now: `group_wait` after the first of its alerts was heard of. At once,
/// where one had been firing for that long before we heard of it: it has waited elsewhere.
///
/// `members` are all alerts that were ever in such a group, of an incident that was opened at `opened`. One that is
/// over may have begun the group, and one that fires again within the wait does not begin it anew. A group in which
/// nothing fires at its flush is gone, with all that was over by that flush (`last`), and the next alert begins another.
pub(super) fn first(
    members: &[&Member],
    opened: Timestamp,
    last: Option<Timestamp>,
    wait: SignedDuration,
) -> Option<Timestamp> {
    let is_gone = |episode: &Episode| episode.until.is_some_and(|until| Some(until) <= last);
    let mut joins: Vec<(Episode, Timestamp)> = Vec::new();
    for member in members {
        let episodes = member.episodes().into_iter();
        for episode in episodes.filter(|one| one.from >= opened && !is_gone(one)) {
            let is_present = episode.from == member.fired_at;
            let waited = is_present && later(member.alert.starts_at, wait) <= episode.from;
            let own = if waited { episode.from } else { later(episode.from, wait) };
            joins.push((episode, own));
        }
    }
    joins.sort_by_key(|(episode, _)| episode.from);
    let mut flush: Option<Timestamp> = None;
    // When the last of those so far is over; the end of time while one fires.
    let mut over = Timestamp::MIN;
    for (episode, own) in joins {
        match flush {
            Some(at) if episode.from <= at || episode.from < over => flush = Some(at.min(own)),
            Some(_) | None => flush = Some(own),
        }
        over = over.max(episode.until.unwrap_or(Timestamp::MAX));
    }
    flush.filter(|_| members.iter().any(|member| member.alert.is_firing()))
}

/// The first tick at or after `change`, where ticks are one or more intervals after `anchor`.
pub(super) fn tick(anchor: Timestamp, interval: SignedDuration, change: Timestamp) -> Timestamp {
    let interval = interval.as_millis().max(1);
    let passed = change.duration_since(anchor);
    // Rounded up: half a millisecond past a tick belongs to the next one.
    let passed = passed.as_millis() + i128::from(passed.subsec_nanos() % 1_000_000 > 0);
    let ticks = passed.div_euclid(interval) + i128::from(passed.rem_euclid(interval) > 0);
    let ahead = i64::try_from(ticks.max(1).saturating_mul(interval)).unwrap_or(i64::MAX);
    later(anchor, SignedDuration::from_millis(ahead))
}

/// The end of time where the sum would be later.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::at;

    #[test]
    fn a_change_is_seen_at_the_next_tick_and_never_before_the_first() {
        let five = SignedDuration::from_secs(300);
        for (change, expected) in
            [(-50, 300), (0, 300), (1, 300), (300, 300), (301, 600), (900, 900), (5_999, 6_000)]
        {
            assert_eq!(tick(at(0), five, at(change)), at(expected), "{change}");
        }
        let nearly = at(300) + SignedDuration::from_nanos(1);
        assert_eq!(tick(at(0), five, nearly), at(600));
        assert_eq!(
            tick(at(0), SignedDuration::ZERO, at(0)),
            at(0) + SignedDuration::from_millis(1)
        );
        assert_eq!(tick(at(0), SignedDuration::MAX, at(1)), Timestamp::MAX);
    }
}
