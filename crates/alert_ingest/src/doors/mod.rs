//! The doors of the function: each kind of invocation with its way in and the answer that its caller expects.

use axum::Router;
use axum::middleware::map_request;
use axum::response::Response;
use firebreak_core::sources::Source;
use firebreak_engine::ingest::Report;
use firebreak_web::webhooks::{Webhooks, router};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, LambdaEvent, Service as _};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::caller;
use crate::invocation::Invocation;
use crate::own_account::{OwnAccount, named};
use crate::queue::{self, Batch, Reply};

/// All doors of one process.
pub(crate) struct Doors {
    http: Adapter<'static, Response, Router>,
    account: OwnAccount,
}

/// What the function answers with.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer<H> {
    /// To API Gateway, in its own form.
    Http(H),
    /// Nobody but a person with a command line reads it.
    Event(Report),
    Queue(Reply),
}

impl Doors {
    pub(crate) fn of(intake: Webhooks) -> Self {
        Self {
            http: Adapter::from(router(intake.clone()).layer(map_request(caller::identify))),
            account: OwnAccount::of(intake),
        }
    }

    /// An error makes Lambda invoke again: what was stored by then is recognised.
    pub(crate) async fn answer(
        &self,
        invoked: LambdaEvent<Box<RawValue>>,
    ) -> Result<Answer<impl Serialize>, Error> {
        let LambdaEvent { payload, context } = invoked;
        let event = payload.get();
        let source = match Invocation::of(event) {
            Invocation::Http => {
                let request: LambdaRequest = serde_json::from_str(event)?;
                // The router is ready at any time.
                let mut http = self.http.clone();
                let answer = http.call(LambdaEvent { payload: request, context }).await;
                return Ok(Answer::Http(answer?));
            }
            Invocation::RestApi => {
                return Err("this is a REST API; use an HTTP API, whose payload is 2.0".into());
            }
            Invocation::Queue => {
                let batch: Batch = serde_json::from_str(event)?;
                return Ok(Answer::Queue(queue::take(&self.account, batch).await));
            }
            Invocation::Topic => named("sns"),
            Invocation::AlarmAction => named("cloudwatch"),
            Invocation::Rule | Invocation::Unknown => self.account.events(),
        };
        self.event(source, event).await.map(Answer::Event)
    }

    async fn event(&self, source: &'static dyn Source, event: &str) -> Result<Report, Error> {
        Ok(self.account.invoked(source, event).await?)
    }
}

#[cfg(test)]
mod tests;
