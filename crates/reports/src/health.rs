//! The health score of an API: 100, less what its errors and its latency are worse than their objectives.

use crate::apis::Objectives;
use crate::numbers::{milliseconds, percent};
use crate::report::{Figures, Health};

/// What each measure can cost at most; together they are 100.
const SERVER_ERRORS: f64 = 60.0;
const LATENCY: f64 = 25.0;
const CLIENT_ERRORS: f64 = 15.0;

pub(crate) fn health(figures: &Figures, objectives: &Objectives) -> Health {
    let mut measures = vec![
        (
            "server errors",
            SERVER_ERRORS,
            figures.server_errors_percent,
            objectives.server_errors_percent,
            percent as fn(f64) -> String,
        ),
        (
            "client errors",
            CLIENT_ERRORS,
            figures.client_errors_percent,
            objectives.client_errors_percent,
            percent,
        ),
    ];
    if let Some(latency) = &figures.latency {
        let p95 = crate::numbers::float(latency.p95_ms);
        measures.push(("p95 latency", LATENCY, p95, objectives.p95_ms, milliseconds));
    }
    let mut left = 100.0;
    let mut reasons = Vec::new();
    for (name, weight, value, objective, shown) in measures {
        let lost = lost(weight, value, objective);
        left -= lost;
        if lost >= 0.5 {
            reasons.push(format!(
                "−{lost:.0}: {name} {}, objective {}",
                shown(value),
                shown(objective)
            ));
        }
    }
    Health { score: score(left), reasons }
}

/// Nothing up to the objective, everything at ten times as much, by the logarithm in between.
fn lost(weight: f64, value: f64, objective: f64) -> f64 {
    if value <= objective { 0.0 } else { weight * (value / objective).log10().min(1.0) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 100"
)]
fn score(left: f64) -> u8 {
    left.clamp(0.0, 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::{Classes, Latency};

    fn figures(server_errors_percent: f64, client_errors_percent: f64, p95_ms: u64) -> Figures {
        let latency = Latency {
            measured: 1,
            mean_ms: 1.0,
            p50_ms: 1,
            p95_ms,
            p99_ms: p95_ms,
            max_ms: p95_ms,
        };
        Figures {
            requests: 1,
            elb: Classes::default(),
            target: Classes::default(),
            elb_codes: BTreeMap::new(),
            target_codes: BTreeMap::new(),
            successful: 1,
            success_percent: 100.0,
            server_errors_percent,
            client_errors_percent,
            latency: Some(latency),
            received_bytes: 0,
            sent_bytes: 0,
        }
    }

    fn score_of(figures: &Figures) -> u8 {
        health(figures, &Objectives::default()).score
    }

    #[test]
    fn within_its_objectives_an_api_is_perfect() {
        assert_eq!(score_of(&figures(0.5, 10.0, 1000)), 100);
    }

    #[test]
    fn each_measure_costs_its_share_and_says_so() {
        assert_eq!(score_of(&figures(5.0, 0.0, 0)), 40);
        assert_eq!(score_of(&figures(0.0, 100.0, 0)), 85);
        assert_eq!(score_of(&figures(0.0, 0.0, 10_000)), 75);
        assert_eq!(score_of(&figures(100.0, 100.0, 90_000)), 0);
        let health = health(&figures(5.0, 0.0, 0), &Objectives::default());
        assert_eq!(health.reasons, ["−60: server errors 5.00 %, objective 0.50 %"]);
    }

    #[test]
    fn worse_is_never_better() {
        let mut last = 100;
        for step in 0..100 {
            let score = score_of(&figures(f64::from(step) / 10.0, 0.0, 0));
            assert!(score <= last);
            last = score;
        }
    }
}
