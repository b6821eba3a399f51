//! The pages of the quarantine: what waits, and one delivery as it came.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use firebreak_engine::ports::QuarantineQuery;
use firebreak_engine::quarantine::show;
use maud::html;

use super::{may_read, page};
use crate::answer::Failure;
use crate::api::Api;
use crate::quarantine::parts;

/// Deliveries on the page; the command line lists all.
const MOST: usize = 100;

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let query = QuarantineQuery { limit: MOST, ..QuarantineQuery::default() };
    let parts = parts(api.store.kept(&query).await?, true);
    let body = html! {
        h1 { "Quarantine" }
        p { "What could not be understood, newest first. " code { "firebreak quarantine replay" } " reads it again." }
        @if parts.is_empty() { p { "Nothing was ever kept aside." } }
        ul .board {
            @for part in &parts {
                li {
                    a href={ "/quarantine/" (part.id) } { (part.message) }
                    span .badge { (part.source) }
                    span .badge { (part.code) }
                    @if part.replayed.is_some() { span .badge { "replayed" } }
                    time datetime=(part.at) { (part.at.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
                }
            }
        }
    };
    Ok(page("Quarantine", &body).into_response())
}

pub(super) async fn one(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let shown = show(api.ingest(), &id).await?;
    let body = html! {
        h1 { "From " (shown.kept.source) ", " (shown.kept.received_at.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
        ul { @for problem in &shown.kept.problems {
            li .{ @if problem.replayed.is_some() { "good" } @else { "bad" } } {
                @if let Some(index) = problem.index { "part " (index) ": " }
                (problem.message)
                @if let Some(replayed) = &problem.replayed { " (replayed by " (replayed.by) ")" }
            }
        } }
        p {
            "Read today: " (shown.understood.alerts) " alerts understood, "
            (shown.understood.problems.len()) " parts not. "
            code { "firebreak quarantine replay " (id) }
        }
        h2 { "As it came" }
        pre { (shown.raw) }
    };
    Ok(page("Quarantine", &body).into_response())
}
