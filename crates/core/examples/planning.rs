//! How long it takes to decide about one alert among many runbooks, and how much memory they need.
//!
//! `cargo run --release --package firebreak-core --example planning` prints one row for each number of runbooks.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock, prints and may stop"
)]

use std::sync::Arc;
use std::time::Instant;

use firebreak_core::alert::{Alert, AlertStatus, Draft, Severity};
use firebreak_core::book::Books;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::muting::{Live, MuteFacts, Reading};
use firebreak_core::policy::Policy;
use firebreak_core::run::{Directive, Facts, Takeover, advance};
use firebreak_core::runbook::{RunbookSet, read};
use firebreak_core::switch::{KillSwitch, SwitchReading};
use jiff::{SignedDuration, Timestamp};

/// A tenth of them ask for more than plain equality, as real ones do.
fn runbook(number: usize) -> String {
    let when = if number.is_multiple_of(10) {
        format!(
            "alert.source == \"sumologic\" && alert.labels.monitor == \"monitor-{number}\" && alert.severity in [\"critical\", \"error\"] && !alert.title.contains(\"test\")"
        )
    } else {
        format!("alert.source == \"sumologic\" && alert.labels.monitor == \"monitor-{number}\"")
    };
    format!(
        "runbook: restart-{number}\nowner: platform\nwhen: {}\nmode: auto\n\
         targets: {{ ec2.instance: alert.labels.instance_id }}\nsteps:\n  - action: ec2.reboot\n    \
         verify: {{ within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }}\n",
        serde_json::to_string(&when).unwrap()
    )
}

fn alert(monitor: usize) -> Alert {
    let text = |pairs: &[(&str, String)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    };
    Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), "one".into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("api".to_owned()),
        name: "slow".to_owned(),
        title: "responses are slow".to_owned(),
        labels: text(&[
            ("monitor", format!("monitor-{monitor}")),
            ("instance_id", "i-0abc12345".to_owned()),
            ("region", "eu-west-1".to_owned()),
        ]),
        annotations: text(&[("summary", "p99 above 3 s".to_owned())]),
        episode: None,
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: None,
        links: Vec::new(),
    }
    .seal()
}

fn incident(alert: &Alert) -> Incident {
    let id = IncidentId::try_from("inc_01J".to_owned()).unwrap();
    let at = Timestamp::UNIX_EPOCH;
    let opened = Event::Opened {
        group_key: alert.group_key(),
        service: alert.service.clone(),
        severity: alert.severity,
        title: alert.title.clone(),
    };
    let first = Recorded { incident: id.clone(), seq: 1, at, event: opened, prev: None };
    let fired = Event::AlertFired { alert: Arc::new(alert.clone()) };
    let second = Recorded { incident: id, seq: 2, at, event: fired, prev: None };
    Incident::open(&first).unwrap().apply(&second).unwrap()
}

/// Resident memory in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

fn main() {
    println!("runbooks   read ms   memory KiB     p50 us     p99 us   decision");
    for count in [10, 100, 1_000, 10_000] {
        let before = memory();
        let began = Instant::now();
        let runbooks: RunbookSet =
            (0..count).map(|number| read(&runbook(number)).unwrap()).collect();
        let read_in = began.elapsed();
        let incidents: Vec<Incident> =
            (0..64).map(|at| incident(&alert(at * count / 64))).collect();
        let books = Books::new();
        let switch = SwitchReading::Known(KillSwitch::default());
        let policy = Policy::default();
        let mutes = MuteFacts {
            policy: &policy,
            silences: Reading::Known(Vec::new()),
            live: Reading::Known(Live::default()),
            suspected: Reading::Known(std::collections::BTreeMap::new()),
            effects: Reading::Known(Vec::new()),
        };
        let facts = Facts {
            driver: "bench",
            takeover: Takeover::Respect,
            runbooks: &runbooks,
            books: &books,
            switch: &switch,
            mutes: &mutes,
            siblings: &[],
            reopen_within: SignedDuration::from_mins(10),
        };
        let mut times = Vec::new();
        let mut decided = 0;
        for _ in 0..40 {
            for incident in &incidents {
                let began = Instant::now();
                let advanced = advance(incident, &facts, Timestamp::UNIX_EPOCH);
                times.push(began.elapsed());
                decided += usize::from(matches!(advanced.directive, Directive::Act { .. }));
            }
        }
        times.sort_unstable();
        let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e6;
        println!(
            "{count:8} {:9.1} {:12} {:10.1} {:10.1}   {decided} of {} planned",
            read_in.as_secs_f64() * 1e3,
            memory().saturating_sub(before),
            at(50),
            at(99),
            times.len()
        );
    }
}
