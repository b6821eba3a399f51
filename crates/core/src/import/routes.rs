//! The route tree: receivers become channels, old forms of matchers the one form, defaults are written out.

use jiff::SignedDuration;

use super::node::{Entry, Node};
use super::receivers::Tells;
use super::{Work, duration, matchers};
use crate::policy::RouteSection;
use crate::policy::route::ALL_LABELS;
use crate::routing::Times;

/// What the first route cannot have: it takes every alert, at all times, and has no siblings.
const ONLY_BELOW: [&str; 6] =
    ["match", "match_re", "matchers", "continue", "mute_time_intervals", "active_time_intervals"];

pub(super) fn root(route: &Entry, work: &mut Work) -> RouteSection {
    let mut section = node(&route.value, route.line, "route", 0, work).unwrap_or_default();
    // Alertmanager's defaults, so that nobody has to know whether ours are the same.
    section.group_by.get_or_insert_default();
    section.group_wait.get_or_insert(Times::WRITTEN.group_wait);
    section.group_interval.get_or_insert(Times::WRITTEN.group_interval);
    section.repeat_interval.get_or_insert(Times::WRITTEN.repeat_interval);
    section
}

/// `None` where it cannot be said which alerts it takes: they go on to what comes after it.
fn node(route: &Node, line: u64, at: &str, depth: usize, work: &mut Work) -> Option<RouteSection> {
    let mut lost = |why: &str, remedy: &str| {
        let what = format!("left out with all below it, its alerts go on to the next: {why}");
        work.say(line, at, what, remedy);
        None
    };
    if !matches!(route, Node::Map(_)) {
        return lost("it is not a map of keys", "write it by hand");
    }
    let mut ours = RouteSection::default();
    if depth > 0 {
        ours.matchers = match matchers::read(route, ["match", "match_re", "matchers"]) {
            Ok(matchers) => matchers,
            Err(why) => return lost(&why, "write it by hand with matchers that can be read"),
        };
    }
    for entry in route.entries() {
        let at = format!("{at}.{}", entry.key);
        match entry.key.as_str() {
            key if depth == 0 && ONLY_BELOW.contains(&key) => not_at_the_root(entry, &at, work),
            "match" | "match_re" | "matchers" => {}
            "receiver" => ours.channels = channels(entry, &at, depth, work),
            "group_by" => ours.group_by = group_by(entry, &at, work),
            "group_wait" => ours.group_wait = time(entry, &at, SignedDuration::ZERO, work),
            "group_interval" => ours.group_interval = time(entry, &at, SECOND, work),
            "repeat_interval" => ours.repeat_interval = time(entry, &at, SECOND, work),
            "continue" => ours.goes_on = truth(entry, &at, work),
            "mute_time_intervals" => ours.mute_time_intervals = muted(entry, &at, work),
            "active_time_intervals" => ours.active_time_intervals = active(entry, &at, work),
            "routes" => ours.routes = below(entry, &at, depth, work),
            _ => work.say(entry.line, at, "left out: it is no key of a route", "nothing to do"),
        }
    }
    if depth == 0 && route.get("receiver").is_none() {
        let what = "the first route names no receiver: every channel is told";
        work.say(line, format!("{at}.receiver"), what, "name `channels` there");
    }
    Some(ours)
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn not_at_the_root(entry: &Entry, at: &str, work: &mut Work) {
    if !entry.value.is_empty() && entry.value.truth() != Some(false) {
        let what = "left out: the first route takes every alert, at all times";
        work.say(entry.line, at, what, "use a route below it");
    }
}

fn below(entry: &Entry, at: &str, depth: usize, work: &mut Work) -> Vec<RouteSection> {
    if !matches!(entry.value, Node::Null | Node::List(_)) {
        work.say(entry.line, at, "left out: it is not a list", "write one");
    }
    let routes = entry.value.items().iter().enumerate();
    routes
        .filter_map(|(index, (line, route))| {
            node(route, *line, &format!("{at}[{index}]"), depth + 1, work)
        })
        .collect()
}

/// Telling fails open: without a receiver of its own the channels of the route above hear of it.
fn channels(entry: &Entry, at: &str, depth: usize, work: &mut Work) -> Option<Vec<String>> {
    let name = entry.value.text().unwrap_or_default();
    let why = match work.receivers.get(name) {
        Some(Tells::Channels(channels)) => return Some(channels.clone()),
        Some(Tells::Firebreak) => "its receiver is Firebreak itself",
        None => "there is no such receiver",
    };
    let told = if depth == 0 { "every channel" } else { "the channels of the route above" };
    let remedy = "name in `channels` of this route who is to hear of it";
    work.say(entry.line, at, format!("{why}: {told} hear of its alerts"), remedy);
    None
}

/// An empty list below the first route means nothing in Alertmanager: it is as if it were left out.
fn group_by(entry: &Entry, at: &str, work: &mut Work) -> Option<Vec<String>> {
    let labels = work.texts(entry, at);
    if labels.iter().any(|label| label == ALL_LABELS) {
        if labels.len() > 1 {
            let what = format!("only `{ALL_LABELS}` is kept: it stands for all labels");
            work.say(entry.line, at, what, "take the others out");
        }
        return Some(vec![ALL_LABELS.to_owned()]);
    }
    let mut kept: Vec<String> = Vec::new();
    for label in labels {
        if label.is_empty() || kept.contains(&label) {
            let what = format!("one `{label}` is left out: it is empty or stands there twice");
            work.say(entry.line, at, what, "nothing to do");
        } else {
            kept.push(label);
        }
    }
    (!kept.is_empty()).then_some(kept)
}

fn time(entry: &Entry, at: &str, least: SignedDuration, work: &mut Work) -> Option<SignedDuration> {
    let remedy = "give a time such as `30s` or `5m`";
    let Some(time) = entry.value.text().and_then(duration::read) else {
        let what = "left out, the time of the route above holds: it is not a duration";
        work.say(entry.line, at, what, remedy);
        return None;
    };
    if time < least {
        work.say(entry.line, at, format!("it becomes {least:#}, the shortest possible"), remedy);
    }
    Some(time.max(least))
}

fn truth(entry: &Entry, at: &str, work: &mut Work) -> bool {
    entry.value.truth().unwrap_or_else(|| {
        let what = "left out: it is neither `true` nor `false`";
        work.say(entry.line, at, what, "write one of them");
        false
    })
}

const BY_HAND: &str = "write the interval by hand under `time_intervals`, and name it here again";

/// An interval that was not carried over mutes nothing.
fn muted(entry: &Entry, at: &str, work: &mut Work) -> Vec<String> {
    let (known, lost) = names(entry, at, work);
    if !lost.is_empty() {
        let what =
            format!("the route tells at the times of {}, which are not here", lost.join(", "));
        work.say(entry.line, at, what, BY_HAND);
    }
    known
}

/// Without one of its intervals the route would be quiet while it should tell: then it tells at all times.
fn active(entry: &Entry, at: &str, work: &mut Work) -> Vec<String> {
    let (known, lost) = names(entry, at, work);
    if lost.is_empty() {
        return known;
    }
    let what = format!("left out, the route tells at all times: {} is not here", lost.join(", "));
    work.say(entry.line, at, what, BY_HAND);
    Vec::new()
}

fn names(entry: &Entry, at: &str, work: &mut Work) -> (Vec<String>, Vec<String>) {
    let names = work.texts(entry, at).into_iter().map(|name| name.trim().to_owned());
    names.partition(|name| work.intervals.get(name).is_some())
}
