//! The console's page on sources: who may send, who does, and who is silent.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use firebreak_core::heartbeat::{Expected, LifeState};
use firebreak_engine::sources::Standing;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::{may_read, page};
use crate::answer::Failure;
use crate::api::Api;
use crate::sources::look;

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let now = api.clock.now();
    let (used, idle): (Vec<Standing>, Vec<Standing>) =
        look(&api).await?.into_iter().partition(Standing::is_used);
    let body = html! {
        h1 { "Sources" }
        @if used.is_empty() { p { "No source was heard of yet. Send something: " code { "firebreak send alertmanager alert.json" } "." } }
        ul .board { @for source in &used { (line(source, now)) } }
        details .idle {
            summary { (idle.len()) " sources that were not heard of" }
            ul { @for source in &idle {
                li { code { (source.source) } " " (source.summary) @if !source.enabled { " " span .bad { "no secret is set up" } } }
            } }
        }
        p { "Counts are since this process started, but for what waits in quarantine." }
    };
    Ok(page("Sources", &body).into_response())
}

fn line(source: &Standing, now: Timestamp) -> Markup {
    let sent = &source.sent;
    let state = match (source.is_silent(), source.enabled) {
        (true, _) => "silent",
        (false, true) => "enabled",
        (false, false) => "disabled",
    };
    html! {
        li .{ "source-" (state) } {
            strong { (source.source) }
            span .badge { (state) }
            @match source.last_heard {
                Some(last) => time datetime=(last) { "heard " (age(now, last)) " ago" },
                None => time { "never heard" },
            }
            dl .counts {
                div { dt { "accepted" } dd { (sent.accepted) } }
                div { dt { "a second" } dd { (format!("{:.1}", sent.rate)) } }
                div { dt { "limited" } dd { (sent.limited) } }
                div { dt { "denied" } dd { (sent.denied) } }
                div { dt { "quarantined" } dd { (sent.quarantined) } }
                @if source.waiting > 0 { div { dt { "waiting" } dd { a href="/quarantine" { (source.waiting) } } } }
            }
            p {
                "proof " (source.proof.join(", "))
                @if let Some(limit) = source.limit { " · limit " (limit.rate) " a second, " (limit.burst) " at once" }
            }
            @if !source.expected.is_empty() {
                ul .signs { @for one in &source.expected { (sign(one, now)) } }
            }
        }
    }
}

fn sign(one: &Expected, now: Timestamp) -> Markup {
    let good = if one.state == LifeState::Silent { "bad" } else { "good" };
    html! {
        li .(good) {
            (one.name) ": " (one.state.as_str())
            @if let Some(last) = one.last { ", " (age(now, last)) " ago" }
        }
    }
}

fn age(now: Timestamp, then: Timestamp) -> String {
    format!("{:#}", SignedDuration::from_secs(now.duration_since(then).as_secs().max(0)))
}
