//! The console's page on trust: how far each action goes by itself, what it has shown, and who moved it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use firebreak_engine::trust::{Rung, standings};
use maud::{Markup, html};

use super::{may_read, page};
use crate::answer::Failure;
use crate::api::Api;

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let rungs = standings(&*api.store, &api.runbooks, &api.policy.trust).await?;
    let body = html! {
        h1 { "Trust" }
        p { "What each action may do by itself: the lower of its runbook's mode and of what it has earned." }
        ul .board { @for rung in &rungs { (line(rung)) } }
    };
    Ok(page("Trust", &body).into_response())
}

fn line(rung: &Rung) -> Markup {
    let (standing, tally) = (&rung.standing, &rung.standing.tally);
    html! {
        li {
            code { (rung.runbook) " · " (standing.action) }
            span .badge { (standing.environment) }
            span .badge { (rung.rung.as_str()) }
            @if rung.rung < rung.ceiling { " of " (rung.ceiling.as_str()) }
            p {
                (tally.helped) " helped"
                @if tally.by_itself > 0 { " (" (tally.by_itself) " would likely have healed anyway)" }
                ", " (tally.useless) " useless, " (tally.harmful) " harmful, " (tally.unclear) " unclear; "
                (tally.would_act) " watched, of which " (tally.healed) " healed by themselves"
            }
            @match rung.proposed {
                Some(next) => p { "It has earned " strong { (next.as_str()) } ": "
                    code { "firebreak trust promote " (rung.runbook) " --to " (next.as_str()) } },
                None if !rung.missing.is_empty() => p { "For the next rung: " (rung.missing.join("; ")) },
                None => {}
            }
            @if !standing.changes.is_empty() {
                details {
                    summary { "moved " (standing.changes.len()) " times" }
                    ul { @for change in standing.changes.iter().rev() {
                        li {
                            time datetime=(change.at) { (change.at.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
                            " from " (change.from.as_str()) " to " (change.to.as_str()) " by " (change.by) ": " (change.reason)
                        }
                    } }
                }
            }
        }
    }
}
