//! Storms: exact repeats of one alert that come so fast that they are counted together instead of one by one.
//!
//! Only the very words that the record holds are ever counted here: a resolve, another severity, another text or
//! another episode goes its usual way. What is counted and not yet handed out is lost when the process is killed;
//! counts are never part of a decision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::alert::Alert;
use crate::fingerprint::Fingerprint;
use crate::ids::IncidentId;
use crate::incident::Seen;

/// When a storm begins, when it is over, and how long its counts may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StormSettings {
    /// Repeats within a second that begin a storm.
    pub begins_at: u32,
    /// Fewer than this within each of five seconds end it.
    pub ends_below: u32,
    /// Counts are handed out this often.
    pub flush_every: SignedDuration,
    /// For so long the record is not asked again whether it still holds the same words.
    pub trusted_for: SignedDuration,
}

impl Default for StormSettings {
    fn default() -> Self {
        Self {
            begins_at: 50,
            ends_below: 10,
            flush_every: SignedDuration::from_secs(5),
            trusted_for: SignedDuration::from_secs(2),
        }
    }
}

/// Alerts whose rate is watched; more are not, and their repeats are counted one by one.
const MOST_WATCHED: usize = 8192;

/// Seconds below [`StormSettings::ends_below`] that end a storm.
const CALM_SECONDS: i64 = 5;

/// Exact repeats of one alert, to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats {
    pub fingerprint: Fingerprint,
    pub count: u64,
    /// When the last of them came.
    pub last: Timestamp,
}

/// Which alerts come how often.
#[derive(Debug)]
pub struct Storms {
    settings: StormSettings,
    calm: BTreeMap<Fingerprint, Rate>,
    raging: BTreeMap<Fingerprint, Storm>,
    swept: Timestamp,
    flushed: Timestamp,
}

/// Repeats within the present second.
#[derive(Debug, Clone, Copy)]
struct Rate {
    second: i64,
    count: u32,
}

#[derive(Debug)]
struct Storm {
    source: String,
    incident: IncidentId,
    seen: Seen,
    /// When the record last said so.
    confirmed: Timestamp,
    rate: Rate,
    calm_seconds: i64,
    waiting: u64,
    last: Timestamp,
}

impl Storms {
    pub fn new(settings: StormSettings, now: Timestamp) -> Self {
        let (calm, raging) = (BTreeMap::new(), BTreeMap::new());
        Self { settings, calm, raging, swept: now, flushed: now }
    }

    pub fn rages(&self, fingerprint: &Fingerprint) -> bool {
        self.raging.contains_key(fingerprint)
    }

    /// Counts the alert if it is a part of a storm, and says in which incident it is; nothing else is to be done
    /// for it.
    pub fn absorb(&mut self, alert: &Alert, now: Timestamp) -> Option<IncidentId> {
        let trusted_for = self.settings.trusted_for;
        let storm = self.raging.get_mut(&alert.fingerprint)?;
        let trusted = now.duration_since(storm.confirmed) < trusted_for;
        if !trusted || !storm.seen.is_said_again_by(alert) {
            return None;
        }
        storm.count(now, self.settings.ends_below);
        Some(storm.incident.clone())
    }

    /// Hears of an exact repeat that the record confirmed. `true`: it is a part of a storm and counted here.
    pub fn repeated(&mut self, alert: &Alert, incident: &IncidentId, now: Timestamp) -> bool {
        if !alert.is_firing() {
            return false;
        }
        if let Some(storm) = self.raging.get_mut(&alert.fingerprint) {
            storm.confirmed = now;
            storm.count(now, self.settings.ends_below);
            return true;
        }
        self.sweep(now);
        let room = self.calm.len() < MOST_WATCHED;
        let rate = match self.calm.get_mut(&alert.fingerprint) {
            Some(rate) => rate,
            None if room => self.calm.entry(alert.fingerprint.clone()).or_insert(Rate::new(now)),
            None => return false,
        };
        if rate.add(now) < self.settings.begins_at {
            return false;
        }
        self.calm.remove(&alert.fingerprint);
        let storm = Storm {
            source: alert.source.clone(),
            incident: incident.clone(),
            seen: Seen::said_by(alert),
            confirmed: now,
            rate: Rate::new(now),
            calm_seconds: 0,
            waiting: 0,
            last: now,
        };
        self.raging.insert(alert.fingerprint.clone(), storm);
        false
    }

    /// Hears of news of the alert: what was known of it holds no more. What was counted is handed out.
    pub fn changed(&mut self, fingerprint: &Fingerprint) -> Option<Repeats> {
        self.calm.remove(fingerprint);
        let storm = self.raging.remove(fingerprint)?;
        storm.repeats(fingerprint)
    }

    /// What is to be counted in the record now; ends the storms that are over.
    pub fn due(&mut self, now: Timestamp) -> Vec<Repeats> {
        if now.duration_since(self.flushed) < self.settings.flush_every {
            return Vec::new();
        }
        self.flushed = now;
        let ends_below = self.settings.ends_below;
        let waiting = self.all();
        self.raging.retain(|_, storm| {
            storm.pass(now, ends_below);
            storm.calm_seconds < CALM_SECONDS
        });
        waiting
    }

    /// Everything that is not counted in the record yet.
    pub fn all(&mut self) -> Vec<Repeats> {
        let waiting = self.raging.iter_mut().filter_map(|(fingerprint, storm)| {
            let repeats = storm.repeats(fingerprint)?;
            storm.waiting = 0;
            Some(repeats)
        });
        waiting.collect()
    }

    /// Takes back what could not be counted, as far as its storm still goes on.
    pub fn give_back(&mut self, repeats: &[Repeats]) {
        for repeated in repeats {
            if let Some(storm) = self.raging.get_mut(&repeated.fingerprint) {
                storm.waiting += repeated.count;
            }
        }
    }

    /// How many alerts storm, by source.
    pub fn by_source(&self) -> BTreeMap<String, usize> {
        let mut sources = BTreeMap::new();
        for storm in self.raging.values() {
            *sources.entry(storm.source.clone()).or_default() += 1;
        }
        sources
    }

    /// Forgets rates of seconds that are over, at most once a second.
    fn sweep(&mut self, now: Timestamp) {
        if self.calm.len() >= MOST_WATCHED && now.as_second() > self.swept.as_second() {
            self.swept = now;
            self.calm.retain(|_, rate| rate.second >= now.as_second());
        }
    }
}

impl Rate {
    fn new(now: Timestamp) -> Self {
        Self { second: now.as_second(), count: 0 }
    }

    /// One more; gives how many there are in this second.
    fn add(&mut self, now: Timestamp) -> u32 {
        if now.as_second() != self.second {
            *self = Self::new(now);
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

impl Storm {
    fn count(&mut self, now: Timestamp, ends_below: u32) {
        self.pass(now, ends_below);
        self.rate.add(now);
        self.waiting += 1;
        self.last = self.last.max(now);
    }

    /// Judges the seconds that are over.
    fn pass(&mut self, now: Timestamp, ends_below: u32) {
        let over = now.as_second() - self.rate.second;
        if over <= 0 {
            return;
        }
        let was_calm = self.rate.count < ends_below;
        self.calm_seconds = match (was_calm, over) {
            (true, _) => self.calm_seconds + over,
            (false, 1) => 0,
            (false, _) => over - 1,
        };
        self.rate = Rate::new(now);
    }

    fn repeats(&self, fingerprint: &Fingerprint) -> Option<Repeats> {
        (self.waiting > 0).then(|| Repeats {
            fingerprint: fingerprint.clone(),
            count: self.waiting,
            last: self.last,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::Severity;
    use crate::examples::{at, draft};

    fn alert(title: &str) -> Alert {
        let mut draft = draft("slow-api-data", "i-0abc12345");
        title.clone_into(&mut draft.title);
        draft.seal()
    }

    fn incident() -> IncidentId {
        IncidentId::try_from("inc_1".to_owned()).unwrap()
    }

    /// Delivers the alert as intake does: what is not absorbed is confirmed by the record. Gives how many
    /// counts intake had to write one by one.
    fn deliver(storms: &mut Storms, alert: &Alert, times: u32, now: Timestamp) -> u64 {
        let mut written = 0;
        for _ in 0..times {
            if storms.absorb(alert, now).is_none() && !storms.repeated(alert, &incident(), now) {
                written += 1;
            }
        }
        written
    }

    fn total(repeats: &[Repeats]) -> u64 {
        repeats.iter().map(|repeated| repeated.count).sum()
    }

    #[test]
    fn a_storm_is_counted_in_a_few_writes_and_none_is_lost() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        let slow = alert("slow");
        let (mut counted, mut writes) = (0, 0);
        for second in 0..100 {
            let one_by_one = deliver(&mut storms, &slow, 10_000, at(second));
            let due = storms.due(at(second));
            writes += one_by_one + u64::from(!due.is_empty());
            counted += one_by_one + total(&due);
        }
        counted += total(&storms.all());
        assert_eq!(counted, 1_000_000);
        assert!(writes < 100, "{writes} writes");
    }

    #[test]
    fn a_few_repeats_are_no_storm() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        for second in 0..20 {
            assert_eq!(deliver(&mut storms, &alert("slow"), 49, at(second)), 49);
        }
        assert!(storms.by_source().is_empty());
    }

    #[test]
    fn nothing_but_the_very_same_words_is_absorbed() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        let slow = alert("slow");
        deliver(&mut storms, &slow, 60, at(0));
        assert_eq!(storms.by_source(), [("sumologic".to_owned(), 1)].into());
        assert_eq!(storms.absorb(&slow, at(0)), Some(incident()));

        let mut over = draft("slow-api-data", "i-0abc12345");
        over.status = crate::alert::AlertStatus::Resolved;
        over.ends_at = Some(at(1));
        let mut worse = draft("slow-api-data", "i-0abc12345");
        worse.severity = Severity::Critical;
        let mut later = draft("slow-api-data", "i-0abc12345");
        later.starts_at = at(1);
        let other = draft("slow-api-data", "i-0def12345").seal();
        for news in [over.seal(), worse.seal(), later.seal(), alert("slower"), other] {
            assert_eq!(storms.absorb(&news, at(0)), None, "{}", news.title);
        }
    }

    #[test]
    fn the_record_is_asked_again_every_two_seconds() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        let slow = alert("slow");
        deliver(&mut storms, &slow, 60, at(0));
        assert!(storms.absorb(&slow, at(1)).is_some());
        assert!(storms.absorb(&slow, at(2)).is_none(), "trusted for too long");
        assert!(storms.repeated(&slow, &incident(), at(2)), "counted here all the same");
        assert!(storms.absorb(&slow, at(3)).is_some());
    }

    #[test]
    fn news_end_a_storm_and_hand_out_its_count() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        let slow = alert("slow");
        let one_by_one = deliver(&mut storms, &slow, 80, at(0));
        let handed = storms.changed(&slow.fingerprint);
        assert_eq!(one_by_one + total(handed.as_slice()), 80);
        assert!(storms.absorb(&slow, at(0)).is_none() && storms.all().is_empty());
    }

    #[test]
    fn a_storm_outlives_a_lull_and_ends_when_it_stays_calm() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        let slow = alert("slow");
        deliver(&mut storms, &slow, 100, at(0));
        deliver(&mut storms, &slow, 20, at(4));
        deliver(&mut storms, &slow, 20, at(5));
        assert_eq!(storms.due(at(6)).len(), 1);
        assert_eq!(storms.by_source().len(), 1, "a lull of three seconds");
        for second in 6..12 {
            deliver(&mut storms, &slow, 5, at(second));
        }
        assert_eq!(total(&storms.due(at(12))), 30);
        assert!(storms.by_source().is_empty(), "five calm seconds");
    }

    #[test]
    fn what_could_not_be_written_waits_on() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        deliver(&mut storms, &alert("slow"), 200, at(0));
        let due = storms.due(at(5));
        storms.give_back(&due);
        assert_eq!(storms.all(), due);
    }

    #[test]
    fn memory_is_bounded() {
        let mut storms = Storms::new(StormSettings::default(), at(0));
        for n in 0..2 * MOST_WATCHED {
            let alert = draft("slow-api-data", &format!("i-{n}")).seal();
            storms.repeated(&alert, &incident(), at(0));
        }
        assert_eq!(storms.calm.len(), MOST_WATCHED);
        storms.repeated(&alert("slow"), &incident(), at(1));
        assert_eq!(storms.calm.len(), 1);
    }

    proptest! {
        #[test]
        fn every_repeat_is_counted_once(steps in proptest::collection::vec((0_u32..120, 0_i64..4, 0_u8..3), 1..60)) {
            let mut storms = Storms::new(StormSettings::default(), at(0));
            let slow = alert("slow");
            let (mut sent, mut counted, mut now) = (0, 0, 0);
            for (times, pass, then) in steps {
                sent += u64::from(times);
                counted += deliver(&mut storms, &slow, times, at(now));
                now += pass;
                match then {
                    0 => counted += total(&storms.due(at(now))),
                    1 => counted += total(storms.changed(&slow.fingerprint).as_slice()),
                    _ => {
                        let due = storms.due(at(now));
                        let kept = storms.by_source().len() as u64;
                        storms.give_back(&due);
                        // What was handed out of a storm that is over cannot be taken back.
                        counted += total(&due) * (1 - kept);
                    }
                }
            }
            counted += total(&storms.all());
            prop_assert_eq!(counted, sent);
        }
    }
}
