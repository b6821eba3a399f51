//! The live timeline of the demo: every event of the incident as it is recorded.

use std::time::Duration;

use anyhow::bail;
use firebreak_core::incident::{Event, Incident, Outcome, Recorded, Status};
use firebreak_core::timeline::sentence;
use jiff::Timestamp;
use serde_json::Value;

use crate::client::{Client, taken};
use crate::output::{BAD, BOLD, DIM, GOOD, WARN, paint, say};

/// Follows the one incident of the demo.
pub(super) struct Watch {
    api: Client,
    /// What the times are counted from: the moment at which the fault was put in.
    since: Timestamp,
    shown: u64,
    pub(super) events: Vec<Recorded>,
}

impl Watch {
    pub(super) fn new(api: Client, since: Timestamp) -> Self {
        Self { api, since, shown: 0, events: Vec::new() }
    }

    /// Prints events until `enough` says so of the incident.
    pub(super) async fn until(
        &mut self,
        deadline: Duration,
        enough: impl Fn(&Incident) -> bool,
    ) -> anyhow::Result<Incident> {
        let give_up = tokio::time::Instant::now() + deadline;
        loop {
            if let Some(incident) = self.look().await?
                && enough(&incident)
            {
                return Ok(incident);
            }
            if tokio::time::Instant::now() > give_up {
                bail!("the loop did not close in time; the timeline above says how far it came");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn look(&mut self) -> anyhow::Result<Option<Incident>> {
        let page = self.api.get("/api/incidents", &[("service", "checkout".to_owned())]).await?;
        let Some(id) = page.pointer("/incidents/0/id").and_then(Value::as_str) else {
            return Ok(None);
        };
        let mut shown = self.api.get(&format!("/api/incidents/{id}"), &[]).await?;
        let incident: Incident = serde_json::from_value(taken(&mut shown, "incident"))?;
        self.events = serde_json::from_value(taken(&mut shown, "events"))?;
        for recorded in self.events.iter().filter(|recorded| recorded.seq > self.shown) {
            if self.says_something_new(&recorded.event) {
                line(self.since, recorded);
            }
        }
        // The events are read after the incident and may be ahead of it.
        self.shown = self.events.last().map_or(self.shown, |latest| latest.seq);
        Ok(Some(incident))
    }

    /// A look that saw what the one before saw is on the record, and not worth a line.
    fn says_something_new(&self, event: &Event) -> bool {
        let Event::StepChecked { .. } = event else { return true };
        let mut checks =
            self.events.iter().filter(|one| matches!(one.event, Event::StepChecked { .. }));
        let before = checks.by_ref().take_while(|one| one.event != *event).last();
        before.is_none_or(|before| sentence(&before.event) != sentence(event))
    }

    /// Seconds from the fault to the first event that `is`.
    pub(super) fn seconds_to(&self, is: impl Fn(&Event) -> bool) -> Option<f64> {
        let recorded = self.events.iter().find(|recorded| is(&recorded.event))?;
        Some(recorded.at.duration_since(self.since).as_secs_f64())
    }
}

fn line(since: Timestamp, recorded: &Recorded) {
    let style = match &recorded.event {
        Event::AlertFired { .. } | Event::Escalated { .. } | Event::Opened { .. } => BAD,
        Event::StepVerified { .. } | Event::Resolved { .. } | Event::StepUndone { .. } => GOOD,
        Event::StepSent { .. } | Event::StepConfirmed { .. } | Event::Planned { .. } => WARN,
        _ => DIM,
    };
    let seconds = recorded.at.duration_since(since).as_secs_f64();
    let name = paint(style, &format!("{:<20}", recorded.event.name()));
    say(&format!(
        "{} {name} {}",
        paint(DIM, &format!("{seconds:>6.1} s")),
        sentence(&recorded.event)
    ));
}

/// Whether the incident came to the good end, told apart from a mere end.
pub(super) fn is_healed(incident: &Incident) -> bool {
    matches!(incident.status, Status::Resolved | Status::Closed)
        && incident.runs.last().and_then(firebreak_core::run::Run::outcome) == Some(Outcome::Helped)
}

/// The time of each stage, and the whole.
pub(super) fn summary(watch: &Watch) -> Option<Vec<(&'static str, f64)>> {
    let opened = watch.seconds_to(|event| matches!(event, Event::Opened { .. }))?;
    let planned = watch.seconds_to(|event| matches!(event, Event::Planned { .. }))?;
    let confirmed = watch.seconds_to(|event| matches!(event, Event::StepConfirmed { .. }))?;
    let quiet = watch.seconds_to(|event| matches!(event, Event::AlertResolved { .. }))?;
    let resolved = watch.seconds_to(|event| matches!(event, Event::Resolved { .. }))?;
    Some(vec![
        ("detected", opened),
        ("decided", planned - opened),
        ("acted", confirmed - planned),
        ("errors gone", quiet - confirmed),
        ("verified", resolved - quiet),
        ("from fault to resolved", resolved),
    ])
}

pub(super) fn print_summary(stages: &[(&'static str, f64)]) {
    say("");
    for (stage, seconds) in stages {
        say(&format!("{} {stage}", paint(BOLD, &format!("{seconds:>6.1} s"))));
    }
}
