//! `firebreak routes test`: which way an alert with given labels takes, without a running platform.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::alert::Alert;
use firebreak_core::routing::{Route, Routes};
use firebreak_core::sources::{self, Delivery};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::{Routes as What, RoutesTest};
use crate::output::{BAD, BOLD, GOOD, WARN, paint, say, say_json};
use crate::settings;

pub(crate) fn routes(what: What, as_json: bool) -> anyhow::Result<ExitCode> {
    let What::Test(asked) = what;
    test(&asked, as_json)
}

fn test(asked: &RoutesTest, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = settings::read(asked.config.as_deref())?;
    let routes = Routes::of(&settings.policy);
    let unknown = routes.unknown_channels(&settings.channels);
    let alert = alert(&asked.labels)?;
    let at = asked.at.unwrap_or_else(Timestamp::now);
    let taken = routes.taken_by(&alert);
    let all: Vec<&str> = settings.channels.keys().map(String::as_str).collect();
    let mut told: Vec<&str> =
        all.iter().copied().filter(|name| taken.iter().any(|route| route.leads_to(name))).collect();
    told.sort_unstable();

    if as_json {
        let ways: Vec<Value> = taken.iter().map(|route| way(route, at)).collect();
        let group = taken.first().map(|route| group(route, &alert));
        say_json(&json!({"routes": ways, "group": group, "channels": told}))?;
    } else {
        for (index, route) in taken.iter().enumerate() {
            show(route, &alert, index == 0, at);
        }
        let told = if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
        say(&format!("{}  {told}", paint(BOLD, "told    ")));
        for (place, problem) in &unknown {
            say(&format!("{} {place}: {problem}", paint(BAD, "wrong")));
        }
    }
    let mut expected: Vec<&str> = asked.expect.iter().map(String::as_str).collect();
    expected.sort_unstable();
    let as_expected = asked.expect.is_empty() || expected == told;
    if !as_expected {
        let expected = expected.join(", ");
        bail!("expected {expected}, but told are {}", told.join(", "));
    }
    Ok(if unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The alert that Alertmanager would send with these labels.
fn alert(labels: &[(String, String)]) -> anyhow::Result<Alert> {
    let labels: BTreeMap<&String, &String> =
        labels.iter().map(|(name, value)| (name, value)).collect();
    let now = Timestamp::now();
    let body = json!({
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "firebreak",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
        "alerts": [{
            "status": "firing", "labels": labels, "annotations": {}, "generatorURL": "",
            "startsAt": now.to_string(), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "0000000000000001",
        }],
    });
    let body = serde_json::to_vec(&body)?;
    let delivery = Delivery { body: &body, content_type: None, headers: &[], received_at: now };
    let source = sources::find("alertmanager").context("there is no source `alertmanager`")?;
    let intake = source.parse(&delivery);
    if let Some((_, name)) = intake.heartbeats.first() {
        bail!("`{name}` is a sign of life: it opens no incident and takes no route");
    }
    let alert = intake.alerts.into_iter().next();
    let (_, alert) = alert.context("these labels make no alert")?;
    Ok(alert)
}

fn group<'a>(route: &'a Route, alert: &'a Alert) -> BTreeMap<&'a str, &'a str> {
    route.group_of(alert).into_iter().collect()
}

fn way(route: &Route, at: Timestamp) -> Value {
    json!({
        "route": route.id,
        "channels": route.channels,
        "group_wait": route.times.group_wait,
        "group_interval": route.times.group_interval,
        "repeat_interval": route.times.repeat_interval,
        "quiet": route.hush(at).map(|hush| hush.because),
    })
}

fn show(route: &Route, alert: &Alert, is_first: bool, at: Timestamp) {
    say(&format!("{}  {}", paint(BOLD, "route   "), route.id));
    let channels = match route.channels.as_deref() {
        None => "every channel".to_owned(),
        Some([]) => "no channel".to_owned(),
        Some(names) => names.join(", "),
    };
    say(&format!("  channels  {channels}"));
    if is_first {
        let labels: Vec<String> =
            group(route, alert).iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let labels =
            if labels.is_empty() { "all its alerts".to_owned() } else { labels.join(", ") };
        say(&format!("  group     {labels}"));
    }
    let times = route.times;
    say(&format!(
        "  times     first after {:#}, then every {:#}, again after {:#}",
        times.group_wait, times.group_interval, times.repeat_interval
    ));
    match route.hush(at) {
        Some(hush) => say(&format!("  {}     {}", paint(WARN, "quiet"), hush.because)),
        None => say(&format!("  {}      at {at:.0}", paint(GOOD, "open"))),
    }
}
