//! Talking to a running platform over its API.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::args::Server;

pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// With the API token from the option, or from the data folder.
    pub(crate) fn of_api(server: &Server) -> anyhow::Result<Self> {
        let token =
            token(server.api_token.as_deref(), &server.data, "api-token", "FIREBREAK_API_TOKEN")?;
        Self::new(&server.url, token)
    }

    /// With the token that senders use.
    pub(crate) fn of_sender(server: &Server) -> anyhow::Result<Self> {
        Self::new(&server.url, webhook_token(server)?)
    }

    pub(crate) fn new(url: &str, token: String) -> anyhow::Result<Self> {
        firebreak_http::install_crypto();
        let http =
            reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token })
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let mut url =
            reqwest::Url::parse(&format!("{}{path}", self.url)).context("--url is not a URL")?;
        url.query_pairs_mut().extend_pairs(query);
        self.answer(self.http.get(url)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.http.post(format!("{}{path}", self.url)).json(body)).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.url));
        self.answer(request.header("content-type", "application/json").body(body)).await
    }

    /// Proven by these headers, whatever token this client has.
    pub(crate) async fn post_signed(
        &self,
        path: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.read(request.header("content-type", "application/json")).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        self.read(request.bearer_auth(&self.token)).await
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = request.send().await.with_context(|| {
            format!("no platform answers at {}; start one with `firebreak serve`, or name it with --url", self.url)
        })?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        let message =
            body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
        bail!("{status}: {message}")
    }
}

/// The token that senders use: from the option, or from the data folder.
pub(crate) fn webhook_token(server: &Server) -> anyhow::Result<String> {
    token(server.webhook_token.as_deref(), &server.data, "webhook-token", "FIREBREAK_WEBHOOK_TOKEN")
}

/// The token of programs that read and propose.
#[cfg(feature = "mcp")]
pub(crate) fn agent_token(given: Option<&str>, server: &Server) -> anyhow::Result<String> {
    token(given, &server.data, "agent-token", "FIREBREAK_AGENT_TOKEN")
}

fn token(given: Option<&str>, data: &Path, file: &str, variable: &str) -> anyhow::Result<String> {
    if let Some(token) = given {
        return Ok(token.to_owned());
    }
    let path = data.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!(
            "no token: set {variable}, or name the data folder with --data ({})",
            path.display()
        )
    })?;
    Ok(text.trim().to_owned())
}

/// A part of an answer, moved out of it.
pub(crate) fn taken(answer: &mut Value, key: &str) -> Value {
    answer.get_mut(key).map(Value::take).unwrap_or_default()
}
