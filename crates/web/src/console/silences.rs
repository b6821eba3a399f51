//! The console's page on silences: who asked for quiet, why, until when, and what is quiet because of it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use firebreak_core::muting::SilenceState;
use firebreak_engine::silence::{self, Shown};
use jiff::SignedDuration;
use maud::{Markup, html};

use super::{may_read, page};
use crate::answer::Failure;
use crate::api::Api;

pub(super) async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let silences = silence::list(&*api.store, api.clock.now()).await?;
    let body = html! {
        h1 { "Silences" }
        @if silences.is_empty() { p { "Nothing is silenced." } }
        ul .board { @for shown in &silences { (line(shown)) } }
        p { "Add one with " code { "firebreak silence add" } ", end one with " code { "firebreak silence expire" } "." }
    };
    Ok(page("Silences", &body).into_response())
}

fn line(shown: &Shown) -> Markup {
    let silence = &shown.silence;
    let age = SignedDuration::from_secs(shown.age_seconds);
    let live = shown.state != SilenceState::Expired;
    html! {
        li .{ "silence-" (shown.state.as_str()) } {
            code { (silence.matchers) }
            span .badge { (shown.state.as_str()) }
            span .badge { (silence.owner) }
            " " (silence.reason)
            p {
                (format!("{age:#} old, "))
                @if live { "until " } @else { "ended " }
                time datetime=(silence.ends_at) { (silence.ends_at.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
                @if let Some(by) = &silence.expired_by { " by " (by) }
                " · " code { (silence.id) }
            }
            @if !shown.mutes.is_empty() {
                details {
                    summary { "mutes " (shown.mutes.len()) " alerts now" }
                    ul { @for muting in &shown.mutes {
                        li { a href={ "/incidents/" (muting.incident) } { (muting.alert) } " (" (muting.service) ")" }
                    } }
                }
            }
        }
    }
}
