//! The timeline: each event as one sentence, for the console, the command line and the demo.

use crate::counterfactual::Likely;
use crate::incident::Event;
use crate::proposal::Proposal;

/// What happened, in words that need no other event to be understood.
pub fn sentence(event: &Event) -> String {
    match event {
        Event::Opened { title, service, severity, .. } => {
            format!("{title} (service {service}, {})", severity.as_str())
        }
        Event::AlertFired { alert } => format!("{} says: {}", alert.source, alert.title),
        Event::AlertUpdated { alert } => format!("{} now says: {}", alert.source, alert.title),
        Event::AlertResolved { ends_at, .. } => format!("the sender says it ended at {ends_at}"),
        Event::AlertRecurred { before, .. } => format!("it was in {before} a short while ago"),
        Event::AlertFlapping { changes, until, .. } => {
            format!("it flaps: {changes} changes; quiet until it settles, {until} at the soonest")
        }
        Event::AlertCollapsed { targets, .. } => format!(
            "one fingerprint stands for more than {} things ({}); send a field that tells them apart",
            crate::incident::MOST_TARGETS,
            targets.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
        ),
        Event::Suppressed { muted } => match muted.until {
            Some(until) => format!("quiet until {until}: {}", muted.reason),
            None => format!("quiet: {}", muted.reason),
        },
        Event::Correlated { parent } => format!(
            "{}, which it depends on, is in trouble ({}): nothing is done here",
            parent.service, parent.incident
        ),
        Event::Considered { trace } => trace.decision.clone(),
        Event::RunStarted { runbook, trace, .. } => {
            format!("{}, owned by {}", trace.decision, runbook.owner)
        }
        Event::Proposed { proposal } => {
            let Proposal { by, reason, runbook } = &**proposal;
            format!("{by} proposes `{}`: {reason}", runbook.runbook)
        }
        Event::Observed { observations, .. } => {
            let seen: Vec<String> = observations
                .iter()
                .map(|seen| match seen.identity {
                    Some(_) => format!("{} holds {}", seen.target, seen.captured),
                    None => format!("{} does not exist", seen.target),
                })
                .collect();
            format!("read before acting: {}", seen.join("; "))
        }
        Event::Held { trace, .. } => format!("nothing is done: {}", trace.decision),
        Event::Planned { plan, .. } => plan
            .steps
            .iter()
            .map(|step| format!("{} {}: {}", step.action, step.target.id, step.effect))
            .collect::<Vec<_>>()
            .join("; "),
        Event::ApprovalRequested { expires_at, .. } => {
            format!("a person is asked, until {expires_at}")
        }
        Event::ApprovalGranted { by, .. } => format!("approved by {by}"),
        Event::ApprovalRejected { by, reason, .. } => format!("rejected by {by}: {reason}"),
        Event::ApprovalVoided { reason, .. } => format!("the approval is void: {reason}"),
        Event::StepClaimed { .. } => "the target is locked and the budget booked".to_owned(),
        Event::StepSent { .. } => "written down before the call".to_owned(),
        Event::StepConfirmed { receipt, .. } | Event::StepUndone { receipt, .. } => receipt.clone(),
        Event::StepUnknown { reason, .. } => {
            format!("nobody knows whether it took effect: {reason}")
        }
        Event::StepRefused { reason, .. } => format!("not done: {reason}"),
        Event::StepChecked { evidence, .. } => evidence
            .iter()
            .map(|reading| format!("{}: {}", reading.signal, reading.detail))
            .collect::<Vec<_>>()
            .join("; "),
        Event::StepVerified { verdict, .. } => match &verdict.counterfactual {
            Some(otherwise) => {
                let likely = match otherwise.likely {
                    Likely::Ours => "likely because of it",
                    Likely::ByItself => "it would likely have been over anyway",
                    Likely::Unknown => "whether it would have been over anyway is not known",
                };
                format!("helped: {}; {likely} ({})", verdict.reason, otherwise.because)
            }
            None => format!("helped: {}", verdict.reason),
        },
        Event::StepIneffective { verdict, .. } => format!("useless: {}", verdict.reason),
        Event::StepHarmful { verdict, .. } => format!("harmful: {}", verdict.reason),
        Event::StepStuck { reason, .. } => format!("could not be put back: {reason}"),
        Event::TrustLost { action, environment, from, to, reason, .. } => format!(
            "`{action}` goes from {} to {} in {environment}: {reason}",
            from.as_str(),
            to.as_str()
        ),
        Event::RunEnded { reason, .. }
        | Event::AlertExpired { reason, .. }
        | Event::Unmuted { reason }
        | Event::Resolved { reason } => reason.clone(),
        Event::Escalated { reason } | Event::Reopened { reason } | Event::Closed { reason } => {
            reason.clone()
        }
        Event::Acknowledged { by } => format!("{by} has it"),
        Event::Noted { by, text } => format!("{by}: {text}"),
        Event::Notified { channel, delivered: true, .. } => format!("{channel} was told"),
        Event::Notified { channel, detail, .. } => format!("{channel} could not be told: {detail}"),
    }
}
