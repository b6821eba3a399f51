//! The console: pages to read what is happening. Everything that changes something goes through the API.

mod quarantine;
mod silences;
mod sources;
mod trust;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use firebreak_core::evidence::Reading;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::{Event, Incident, Recorded};
use firebreak_core::trace::{Ruling, Trace};
use firebreak_engine::ports::ListQuery;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use crate::answer::Failure;
use crate::api::Api;
use crate::entry::{COOKIE, holds_cookie, holds_token};

/// The pages. Each asks for the token once and remembers it in a cookie of the session.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/", get(board))
        .route("/incidents/{id}", get(incident))
        .route("/quarantine", get(quarantine::list))
        .route("/quarantine/{id}", get(quarantine::one))
        .route("/silences", get(silences::list))
        .route("/sources", get(sources::list))
        .route("/trust", get(trust::list))
        .route("/login", get(login_form).post(login))
        .with_state(api)
}

const STYLE: &str = include_str!("console.css");

fn page(title: &str, body: &Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Firebreak" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                a .skip href="#main" { "Skip to content" }
                header {
                    a .brand href="/" { "Firebreak" }
                    nav { a href="/trust" { "Trust" } " " a href="/sources" { "Sources" } " " a href="/silences" { "Silences" } " " a href="/quarantine" { "Quarantine" } }
                }
                main #main { (body) }
            }
        }
    };
    Html(markup.into_string())
}

fn may_read(api: &Api, headers: &HeaderMap) -> bool {
    holds_cookie(headers, &api.token) || holds_token(headers, &api.token)
}

#[derive(Deserialize)]
struct Login {
    token: Option<String>,
}

async fn login_form(State(api): State<Api>, Query(login): Query<Login>) -> Response {
    match login.token {
        Some(token) => enter(&api, &token),
        None => page("Log in", &login_body(false)).into_response(),
    }
}

async fn login(State(api): State<Api>, Form(login): Form<Login>) -> Response {
    enter(&api, login.token.as_deref().unwrap_or_default().trim())
}

fn login_body(failed: bool) -> Markup {
    html! {
        h1 { "Log in" }
        @if failed { p .bad role="alert" { "That is not the token." } }
        form method="post" action="/login" {
            label for="token" { "API token (in the file " code { "api-token" } " of the data folder)" }
            input #token name="token" type="password" autocomplete="current-password" required autofocus;
            button { "Log in" }
        }
    }
}

/// A right token becomes a cookie that scripts cannot read and other sites cannot send.
fn enter(api: &Api, token: &str) -> Response {
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        headers.insert(header::COOKIE, value.clone());
        if holds_cookie(&headers, &api.token) {
            return ([(header::SET_COOKIE, value)], Redirect::to("/")).into_response();
        }
    }
    (StatusCode::UNAUTHORIZED, page("Log in", &login_body(true))).into_response()
}

async fn board(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let list = api.store.list(&ListQuery { limit: 100, ..ListQuery::default() }).await?;
    let switch = api.store.kill_switch().await?;
    let breaker = firebreak_engine::breaker::standing(&*api.store).await?;
    let body = html! {
        h1 { "Incidents" }
        @if let Some(engaged) = &switch.engaged {
            p .bad role="alert" { "The kill switch is engaged by " (engaged.by) ": " (engaged.reason) }
        }
        @if let Some(tripped) = &breaker.tripped {
            p .bad role="alert" { "The breaker tripped: " (tripped.because) ". Nothing is acted on until somebody resets it with " code { "firebreak breaker reset" } "." }
        }
        @if list.incidents.is_empty() { p { "Nothing has happened yet." } }
        ul .board {
            @for incident in &list.incidents {
                li .{ "status-" (incident.status.as_str()) } {
                    a href={ "/incidents/" (incident.id) } { (incident.title) }
                    (badges(incident))
                    time datetime=(incident.opened_at) { (incident.opened_at.strftime("%Y-%m-%d %H:%M:%S")) " UTC" }
                }
            }
        }
    };
    Ok(page("Incidents", &body).into_response())
}

fn badges(incident: &Incident) -> Markup {
    html! {
        span .badge { (incident.status.as_str()) }
        span .badge { (incident.severity.as_str()) }
        span .badge { (incident.service) }
        @if let Some(taken) = &incident.acknowledged { span .badge { "with " (taken.by) } }
    }
}

async fn incident(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !may_read(&api, &headers) {
        return Ok(Redirect::to("/login").into_response());
    }
    let id = IncidentId::try_from(id).map_err(|bad| Failure::not_found(bad.to_string()))?;
    let Some(incident) = api.store.load(&id).await? else {
        return Err(Failure::not_found(format!("there is no incident {id}")));
    };
    let events = api.store.events(&id).await?;
    let body = html! {
        h1 { (incident.title) }
        p { (badges(&incident)) }
        @if let Some(reason) = &incident.escalated_because { p .bad { (reason) } }
        h2 { "Alerts" }
        ul { @for member in incident.alerts.values() {
            li { (member.alert.title) " " span .badge { (if member.alert.is_firing() { "firing" } else { "resolved" }) } }
        } }
        h2 { "Timeline" }
        ol .timeline { @for recorded in &events { (timeline_entry(&incident, recorded)) } }
    };
    Ok(page(&incident.title, &body).into_response())
}

fn timeline_entry(incident: &Incident, recorded: &Recorded) -> Markup {
    let since = recorded.at.duration_since(incident.opened_at).as_secs_f64();
    html! {
        li {
            span .when { "+" (format!("{since:.1}")) " s" }
            strong { (recorded.event.name()) }
            span { (firebreak_core::timeline::sentence(&recorded.event)) }
            @if let Some(trace) = recorded.event.trace() { (why(trace, recorded.at)) }
            @if let Event::StepVerified { verdict, .. } | Event::StepIneffective { verdict, .. } | Event::StepHarmful { verdict, .. } = &recorded.event {
                ul { @for evidence in &verdict.evidence {
                    li .{ @if evidence.reading == Reading::Good { "good" } @else { "bad" } } {
                        (evidence.signal) ": " (evidence.detail)
                    }
                } }
            }
        }
    }
}

/// The tree of a decision, folded: runbooks, guards with their values, and how little was missing.
fn why(trace: &Trace, at: jiff::Timestamp) -> Markup {
    let holding = trace.guards.iter().filter(|finding| finding.holds()).count();
    html! {
        @if let Some(miss) = trace.nearest_miss() { p .bad { "Nearest miss: " (miss.sentence(at)) } }
        @if !trace.guards.is_empty() || !trace.tried.is_empty() {
            details {
                summary {
                    "Why: " (trace.tried.len() + trace.others) " runbooks, " (trace.guards.len()) " guards"
                    @if holding > 0 { ", " (holding) " hold" }
                }
                ul { @for tried in &trace.tried {
                    li .{ @if tried.matched { "good" } } { (tried.runbook) ": " (tried.because) }
                } }
                ul { @for finding in &trace.guards {
                    @match &finding.ruling {
                        Ruling::Pass { because } => li .good { (finding.guard) ": " (because) },
                        Ruling::Hold { because, remedy, .. } => li .bad { (finding.guard) ": " (because) " (" (remedy) ")" },
                    }
                } }
            }
        }
    }
}
