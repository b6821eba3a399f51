//! The examples that stand in a runbook: what it plans for an alert, without a world.

use jiff::Timestamp;

use super::{ExampleAlert, Expectation, Runbook};
use crate::alert::{Alert, AlertStatus, Draft, Severity};

/// How an example came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tested {
    AsExpected,
    Otherwise { planned: Vec<String>, expected: Vec<String> },
}

/// Runs one example.
pub fn test(runbook: &Runbook, expectation: &Expectation) -> Tested {
    let planned = planned(runbook, &alert(&expectation.alert));
    let expected = expectation.expect.plan.clone();
    if planned == expected { Tested::AsExpected } else { Tested::Otherwise { planned, expected } }
}

/// The lines of the first step for one alert; a reason instead where there are none.
fn planned(runbook: &Runbook, alert: &Alert) -> Vec<String> {
    match runbook.when.holds(alert) {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(no_value) => return vec![format!("no plan: {no_value}")],
    }
    let Some(step) = runbook.steps.first() else { return Vec::new() };
    let mut lines = Vec::new();
    for expression in runbook.targets.values() {
        match expression.ids(alert) {
            Ok(ids) => {
                lines.extend(ids.into_iter().map(|id| match step.spec().check_target(&id) {
                    Ok(()) => format!("{} {id}", step.action),
                    Err(rule) => format!("no plan: `{id}` is not a target: {rule}"),
                }));
            }
            Err(no_value) => lines.push(format!("no plan: {no_value}")),
        }
    }
    lines
}

fn alert(example: &ExampleAlert) -> Alert {
    Draft {
        source: "example",
        identity: [("example".to_owned(), "alert".into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: example.service.clone(),
        name: example.name.clone(),
        title: example.name.clone(),
        labels: example.labels.clone(),
        annotations: example.annotations.clone(),
        episode: None,
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: None,
        links: Vec::new(),
    }
    .seal()
    .with_source(&example.source)
}

impl Alert {
    /// The same alert as if `source` had sent it.
    fn with_source(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source);
        self
    }
}
