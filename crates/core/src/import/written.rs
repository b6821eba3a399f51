//! The result as a file: what a person must do stands in its head, and our own reader takes it.

use serde::Serialize;

use super::{NotImported, Work};
use crate::channels::{self, Channel, Channels};
use crate::policy::{self, InhibitRule, Policy, RouteSection, TimeIntervals};
use crate::routing::Routes;

/// The sections in the order in which one reads them.
#[derive(Serialize)]
struct Sections<'a> {
    #[serde(skip_serializing_if = "Channels::is_empty")]
    channels: &'a Channels,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a RouteSection>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    inhibit_rules: &'a [InhibitRule],
    #[serde(skip_serializing_if = "Option::is_none")]
    time_intervals: Option<&'a TimeIntervals>,
}

/// Writes it down and reads it back, as the platform will.
pub(super) fn down(policy: &Policy, work: &Work) -> Result<String, NotImported> {
    let refused = NotImported::Refused;
    let sections = Sections {
        channels: &work.channels,
        route: policy.route.as_ref(),
        inhibit_rules: &policy.inhibit_rules,
        time_intervals: Some(&policy.time_intervals).filter(|intervals| !intervals.0.is_empty()),
    };
    let body = serde_saphyr::to_string(&sections).map_err(|error| refused(error.to_string()))?;
    let yaml = format!("{}{body}", head(policy, work));
    let read = policy::read_beside(&yaml, &["channels"]).map_err(|bad| refused(bad.to_string()))?;
    if read != *policy {
        return Err(refused("it is read back as something else".to_owned()));
    }
    let mut problems = channels::check(&work.channels);
    let unknown = Routes::of(policy).unknown_channels(&work.channels);
    problems.extend(unknown.into_iter().map(|(place, problem)| format!("{place}: {problem}")));
    if problems.is_empty() { Ok(yaml) } else { Err(refused(problems.join("; "))) }
}

fn head(policy: &Policy, work: &Work) -> String {
    let mut lines = vec![
        "Made from an Alertmanager configuration by `firebreak import`.".to_owned(),
        "Look at it with `firebreak routes test --config THIS_FILE severity=critical`.".to_owned(),
    ];
    if policy.route.as_ref().is_some_and(|root| root.group_by == Some(Vec::new())) {
        lines.push("No `group_by`: as in Alertmanager all alerts of a route are one group, and so one incident.".to_owned());
        lines.push("Without the empty list there is one for each rule and service.".to_owned());
    }
    if !work.placeholders.is_empty() {
        lines.push("These channels reach nobody until you set them up:".to_owned());
        lines.extend(work.placeholders.iter().map(|name| format!("  {}", super::one_line(name))));
    }
    let signed: Vec<&String> = work
        .channels
        .iter()
        .filter(|(_, channel)| channels::find(&channel.kind).is_some_and(Channel::needs_secret))
        .map(|(name, _)| name)
        .collect();
    if !signed.is_empty() {
        lines.push("Each of these channels needs a signing secret, `whsec_` and `openssl rand -base64 32`,".to_owned());
        lines.push(
            "under `secrets.channels` here, or under `channels` in the secret of the stack:"
                .to_owned(),
        );
        lines.extend(signed.into_iter().map(|name| format!("  {}", super::one_line(name))));
    }
    if !work.remarks.is_empty() {
        lines.push("Not carried over as it was:".to_owned());
        lines.extend(work.remarks.iter().map(|remark| format!("  {remark}")));
    }
    lines.into_iter().flat_map(|line| ["# ".to_owned(), line, "\n".to_owned()]).collect()
}
