//! What an alert says to people: its title, and the numbers behind it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::notice::{Notice, State};
use crate::rules::Rule;
use crate::watch::{Memory, Turn, Watch};

pub(crate) fn notice(watch: &Watch, key: &str, memory: &Memory, turn: Turn, at: i64) -> Notice {
    let rule = &watch.rule;
    let named = watch.named(key);
    let (state, since, measure) = match turn {
        Turn::Fired { since, measure } => (State::Firing, since, measure),
        Turn::Resolved { since, measure } => (State::Resolved, since, measure),
    };
    let mut annotations = rule.annotations.clone();
    annotations.insert("owner".to_owned(), rule.owner.clone());
    annotations.insert("measure".to_owned(), measured(rule, measure));
    if state == State::Firing {
        annotations.extend(found(rule, memory));
    }
    Notice {
        rule: rule.rule.clone(),
        state,
        severity: rule.severity.word(),
        service: rule.service.clone().or_else(|| named.get("service").cloned()),
        title: title(rule, &named),
        key: named,
        labels: rule.labels.clone(),
        annotations,
        starts_at: moment(since),
        ends_at: (state == State::Resolved).then(|| moment(at)),
    }
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn title(rule: &Rule, key: &BTreeMap<String, String>) -> String {
    let what = rule.title.clone().unwrap_or_else(|| looked_for(rule));
    if key.is_empty() {
        return what;
    }
    let key: Vec<String> = key.iter().map(|(name, value)| format!("{name} {value}")).collect();
    format!("{what}: {}", key.join(", "))
}

/// What the rule asks for, in words.
fn looked_for(rule: &Rule) -> String {
    let name = &rule.rule;
    if let Some(count) = &rule.count {
        return format!("{name}: more than {} within {:#}", count.more_than, count.within);
    }
    if let Some(ratio) = &rule.ratio {
        let percent = ratio.more_than * 100.0;
        return format!("{name}: more than {percent} % within {:#}", ratio.within);
    }
    if let Some(threshold) = &rule.threshold {
        let (word, limit) = match (threshold.above, threshold.below) {
            (Some(above), _) => ("above", above),
            (None, below) => ("below", below.unwrap_or_default()),
        };
        return format!("{name}: {} is {word} {limit}", threshold.value);
    }
    if let Some(absence) = &rule.absence {
        return format!("{name}: nothing for {:#}", absence.within);
    }
    format!("{name}: unlike what is usual")
}

fn measured(rule: &Rule, measure: f64) -> String {
    if rule.ratio.is_some() {
        return format!("{:.1} %", measure * 100.0);
    }
    if rule.absence.is_some() {
        return format!("silent for {measure} s");
    }
    if rule.threshold.is_some() { format!("{measure}") } else { format!("{measure} events") }
}

/// Of something unusual: how much, against which limit, and by which features.
fn found(rule: &Rule, memory: &Memory) -> Vec<(String, String)> {
    let (Memory::Unusual { learner, latest: Some(found), .. }, Some(unusual)) =
        (memory, &rule.unusual)
    else {
        return Vec::new();
    };
    let shares = learner.shares(&found.point);
    let mut features: Vec<(&String, f64, f32)> = unusual
        .features
        .keys()
        .zip(shares)
        .zip(found.point)
        .map(|((name, share), value)| (name, share, value))
        .collect();
    features.sort_by(|one, other| other.1.total_cmp(&one.1));
    let told = features
        .iter()
        .map(|(name, share, value)| format!("{name} {:.0} % (at {value})", share * 100.0))
        .collect::<Vec<_>>()
        .join(", ");
    let (score, limit) = (found.score.0, found.limit.0);
    vec![
        ("contributions".to_owned(), told),
        ("score".to_owned(), format!("{score:.3}, unusual from {limit:.3}")),
    ]
}
