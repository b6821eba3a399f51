//! An incident as one channel is to see it now: what it may hear, what it knows, and when something is due.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::clockwork::{first, later, tick};
use super::table::Standing;
use super::{Circumstances, Message, Quiet, Says, WORTH_TELLING};
use crate::fingerprint::Fingerprint;
use crate::incident::{Failed, Flush, Incident, Mark, Member, Reason, Said};
use crate::routing::{Hush, Route, Times};

/// Where no route leads to the channel any more, what it is owed is told at once.
const UNROUTED: Times = Times { group_interval: SignedDuration::ZERO, ..Times::UNWRITTEN };

/// How often to look whether a mute has ended, unless the group itself is looked at less often.
const LOOK_AT_MUTES: SignedDuration = SignedDuration::from_mins(1);

pub(super) struct View<'a> {
    incident: &'a Incident,
    standing: Standing,
    /// Alerts that a route leads to the channel, firing or not, muted or not.
    routed: Vec<&'a Member>,
    pub(super) quiet: Vec<Quiet>,
    times: Times,
    last: Option<&'a Said>,
    alarmed: bool,
    pub(super) failed: Option<Failed>,
}

impl<'a> View<'a> {
    pub(super) fn of(
        incident: &'a Incident,
        channel: &str,
        with: Circumstances<'_>,
        now: Timestamp,
    ) -> Self {
        let heard = incident.heard.get(channel);
        let last = heard.and_then(|heard| heard.last.as_ref());
        let known = last.map(|last| last.flush.firing.clone()).unwrap_or_default();
        let is_over = |alert: &&Fingerprint| {
            incident.alerts.get(*alert).is_none_or(|member| !member.alert.is_firing())
        };
        let over = known.keys().filter(is_over).cloned().collect();
        let settings = with.channels.get(channel);
        let wants_resolves = settings.is_some_and(|settings| settings.send_resolved);
        let standing = Standing { known, audible: BTreeMap::new(), over, wants_resolves };
        let mut view = Self {
            incident,
            standing,
            routed: Vec::new(),
            quiet: Vec::new(),
            times: UNROUTED,
            last,
            alarmed: heard.is_some_and(|heard| heard.alarmed),
            failed: heard.and_then(|heard| heard.failed),
        };
        let mut times = None;
        for (fingerprint, member) in &incident.alerts {
            let mut routes = with.routes.taken_by(&member.alert);
            routes.retain(|route| route.leads_to(channel));
            for route in &routes {
                times = Some(times.map_or(route.times, |times: Times| times.sooner(route.times)));
            }
            if routes.is_empty() {
                continue;
            }
            view.routed.push(member);
            if member.alert.is_firing() {
                view.hear(fingerprint, member, hush(fingerprint, &routes, with, now));
            }
        }
        view.times = times.unwrap_or(UNROUTED);
        view
    }

    fn hear(&mut self, fingerprint: &Fingerprint, member: &Member, hush: Option<Hush>) {
        match hush {
            Some(hush) => self.quiet.push(Quiet { alert: fingerprint.clone(), hush }),
            None => {
                self.standing.audible.insert(fingerprint.clone(), member.alert.severity);
            }
        }
    }

    fn is_over(&self) -> bool {
        !self.incident.status.is_live()
    }

    /// Why the channel is to be told, were it time. The resolve of all waits for the incident itself: while a
    /// runbook verifies, and where the channel was alarmed about it.
    fn reason(&self) -> Option<Reason> {
        match self.standing.reason() {
            Some(Reason::AllResolved) => {
                let ended = self.is_over() || (self.incident.is_firing() && !self.alarmed);
                ended.then_some(Reason::AllResolved)
            }
            None if self.alarmed && self.is_over() => Some(Reason::AllResolved),
            reason => reason,
        }
    }

    /// Whether what is to be told next is that all is over.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.reason() == Some(Reason::AllResolved)
    }

    /// When the channel is to be told, should nothing happen until then.
    pub(super) fn pending(&self) -> Option<Timestamp> {
        match self.reason()? {
            Reason::First => {
                let last = self.last.map(|last| last.flush.at);
                first(&self.routed, self.incident.opened_at, last, self.times.group_wait)
            }
            Reason::AllResolved => self.resolve_at(),
            Reason::NewAlerts | Reason::SomeResolved | Reason::Repeat => {
                let last = self.last?;
                let over = self.standing.over.iter().filter(|_| self.standing.wants_resolves);
                let changed = self.standing.news().chain(over).filter_map(|of| self.mark(of));
                let ticks = changed
                    .map(|mark| tick(last.flush.at, self.times.group_interval, mark.at))
                    .chain(self.repeat_at(last));
                ticks.min()
            }
        }
    }

    fn resolve_at(&self) -> Option<Timestamp> {
        let ended = self.ended().at;
        let at = match self.last.filter(|last| !last.flush.firing.is_empty()) {
            Some(last) => tick(last.flush.at, self.times.group_interval, ended),
            None => ended,
        };
        Some(at).filter(|at| {
            let tried = self.failed.map_or(*at, |failed| failed.last);
            tried.duration_since(*at) <= WORTH_TELLING
        })
    }

    /// When the last thing ended that the channel knows of, or the incident with it.
    fn ended(&self) -> Mark {
        let last = self.standing.over.iter().filter_map(|of| self.mark(of));
        let last = last.max_by_key(|mark| mark.seq).unwrap_or_default();
        match self.incident.resolved_at.filter(|_| self.is_over()) {
            Some(at) => Mark { seq: self.incident.news, at: at.max(last.at) },
            None => last,
        }
    }

    /// Nobody who has taken the incident over is reminded of it.
    fn repeat_at(&self, last: &Said) -> Option<Timestamp> {
        let repeats = self.standing.can_be_repeated() && self.incident.acknowledged.is_none();
        let times = self.times;
        let due = later(last.flush.at, times.repeat_interval);
        repeats.then(|| tick(last.flush.at, times.group_interval, due))
    }

    fn mark(&self, alert: &Fingerprint) -> Option<Mark> {
        self.incident.alerts.get(alert).map(|member| member.news)
    }

    /// When to look whether something that is muted may be told; `None` where nothing waits for that.
    pub(super) fn look_again(&self, now: Timestamp) -> Option<Timestamp> {
        let rest = later(now, self.times.group_interval.max(LOOK_AT_MUTES));
        let looks = self.quiet.iter().filter_map(|quiet| {
            let end = quiet.hush.until.filter(|until| *until > now).unwrap_or(rest).min(rest);
            if !self.standing.known.contains_key(&quiet.alert) {
                return Some(end);
            }
            // It was told: there is nothing to add but a reminder.
            let reminded = self.last.filter(|_| self.incident.acknowledged.is_none())?;
            Some(end.max(later(reminded.flush.at, self.times.repeat_interval)))
        });
        looks.min()
    }

    /// What is told at this moment: where the group stands as a whole, whatever made it due.
    pub(super) fn message(&self, now: Timestamp) -> Option<Message> {
        let because = self.reason()?;
        let newest = |marks: Vec<Mark>| marks.into_iter().max_by_key(|mark| mark.seq);
        let over = self.standing.over.iter();
        let mark = match because {
            Reason::First | Reason::NewAlerts => {
                newest(self.standing.news().filter_map(|of| self.mark(of)).collect())?
            }
            Reason::SomeResolved => newest(over.clone().filter_map(|of| self.mark(of)).collect())?,
            Reason::AllResolved => self.ended(),
            Reason::Repeat => Mark { seq: self.last?.about, at: self.pending()? },
        };
        let which = match because {
            Reason::First | Reason::NewAlerts | Reason::SomeResolved => String::new(),
            Reason::AllResolved => ".resolved".to_owned(),
            Reason::Repeat => format!(".{}", self.last?.repeats + 1),
        };
        let id = format!("{}:{}{which}", self.incident.id, mark.seq);
        let mut flush =
            Flush { because, at: now, firing: BTreeMap::new(), resolved: over.cloned().collect() };
        if because != Reason::AllResolved {
            flush.firing = self.standing.still().map(|(of, how)| (of.clone(), *how)).collect();
            flush.firing.extend(self.standing.audible.clone());
        }
        if let Some(last) = self.last {
            flush.resolved.extend(last.flush.resolved.iter().cloned());
        }
        flush.resolved.retain(|of| !flush.firing.contains_key(of));
        let silent = because == Reason::AllResolved && !self.standing.wants_resolves;
        let says = if silent { Says::Silently(flush) } else { Says::Flush(flush) };
        Some(Message { id, about: mark.seq, at: mark.at, says, notes: Vec::new() })
    }
}

/// Why the alert is not told by any of the routes; one that is open is enough.
fn hush(
    alert: &Fingerprint,
    routes: &[&Route],
    with: Circumstances<'_>,
    now: Timestamp,
) -> Option<Hush> {
    if let Some(muted) = with.mutes.muted.get(alert) {
        return Some(muted.clone());
    }
    let mut hushed = None;
    for route in routes {
        hushed = Some(route.hush(now)?);
    }
    hushed
}
