//! Lines of services that do not exist, with trouble that the seed puts in: the same seed, the same lines.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// From one line to the next.
pub(super) const STEP: SignedDuration = SignedDuration::from_millis(50);

const SERVICES: [(&str, &str, f64); 3] =
    [("search", "/search", 45.0), ("cart", "/cart", 20.0), ("login", "/login", 80.0)];

/// The share of requests that the checkout is made to fail.
pub(super) fn share(seed: u64) -> f64 {
    0.3 + 0.3 * Rng::with_seed(seed).f64()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// One user fails to log in again and again.
    FailedLogins,
    /// Searches take ten times as long.
    SlowSearch,
    /// Half of the cart's requests fail.
    CartErrors,
}

/// What is wrong, between two lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    what: What,
    begin: u64,
    end: u64,
}

impl Trouble {
    pub(super) fn told(&self, begin: Timestamp) -> String {
        let at = |line: u64| begin + STEP * i32::try_from(line).unwrap_or(i32::MAX);
        let what = match self.what {
            What::FailedLogins => "login: one user fails to log in",
            What::SlowSearch => "search: ten times as slow",
            What::CartErrors => "cart: half of the requests fail",
        };
        format!("from {:.1} to {:.1} {what}", at(self.begin), at(self.end))
    }
}

pub(super) struct Made {
    rng: Rng,
    number: u64,
    troubles: Vec<Trouble>,
    user: u32,
}

impl Made {
    /// Trouble lies within so many lines.
    pub(super) fn new(seed: u64, lines: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut whats = [What::FailedLogins, What::SlowSearch, What::CartErrors];
        rng.shuffle(&mut whats);
        let part = lines / 4;
        let troubles = (1_u64..)
            .zip(whats)
            .map(|(number, what)| {
                let begin = part * number + rng.u64(..(part / 4).max(1));
                Trouble { what, begin, end: begin + (part / 2).max(1) }
            })
            .collect();
        let user = rng.u32(..500);
        Self { rng, number: 0, troubles, user }
    }

    pub(super) fn troubles(&self) -> &[Trouble] {
        &self.troubles
    }

    pub(super) fn line(&mut self, at: Timestamp) -> String {
        let is = |what| {
            let within = |one: &&Trouble| (one.begin..one.end).contains(&self.number);
            self.troubles.iter().find(within).is_some_and(|one| one.what == what)
        };
        let (logins, slow, errors) =
            (is(What::FailedLogins), is(What::SlowSearch), is(What::CartErrors));
        self.number += 1;
        let rng = &mut self.rng;
        if logins && rng.bool() {
            return json!({
                "time": at.to_string(), "level": "warn", "service": "login", "message": "login refused",
                "action": "login", "outcome": "failed", "status": 401,
                "user": format!("u{}", self.user), "address": "203.0.113.9",
            })
            .to_string();
        }
        let (service, path, usual) = rng.choice(SERVICES).unwrap_or(("search", "/search", 45.0));
        let factor = if slow && service == "search" { 10.0 } else { 1.0 };
        let fails = if errors && service == "cart" { rng.bool() } else { rng.u32(..500) == 0 };
        let latency = usual * factor * (0.7 + 0.6 * rng.f64());
        json!({
            "time": at.to_string(),
            "level": if fails { "error" } else { "info" },
            "service": service,
            "message": "request served",
            "path": path,
            "status": if fails { 500 } else { 200 },
            "latency_ms": (latency * 10.0).round() / 10.0,
            "user": format!("u{}", rng.u32(..500)),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_lines_with_each_trouble_in_them() {
        let lines = |seed| {
            let mut made = Made::new(seed, 2000);
            (0..2000).map(|_| made.line(Timestamp::UNIX_EPOCH)).collect::<Vec<_>>()
        };
        assert_eq!(lines(1), lines(1));
        assert_ne!(lines(1), lines(2));
        let count = |part: &str| lines(1).iter().filter(|line| line.contains(part)).count();
        assert!(count("\"outcome\":\"failed\"") > 80);
        assert!(count("\"level\":\"error\"") > 15);
    }
}
