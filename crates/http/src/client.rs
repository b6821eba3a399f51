//! The one HTTP client: short timeouts, no redirects, and replies cut at a size that nobody needs to exceed.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, RequestBuilder, Response};

/// More of a reply is not read.
const MOST_BODY: usize = 64 * 1024;

#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the first byte out to the last byte in.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(10) }
    }
}

/// Shares its connections with its clones.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {0}")]
pub struct NoClient(String);

/// What came back. The body may be cut, or empty where the rest did not arrive.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Why nothing came back; the difference decides whether something may have been done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No connection was made, so no request was sent.
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    NoAnswer(String),
}

/// Names the provider of cryptography for every TLS client of this process; safe to repeat.
pub fn install_crypto() {
    // An error means that there is one already.
    rustls::crypto::ring::default_provider().install_default().ok();
}

impl Client {
    pub fn new(timeouts: Timeouts) -> Result<Self, NoClient> {
        Self::with(timeouts, |builder| builder)
    }

    /// With further settings, such as names that lead elsewhere and authorities of one's own.
    pub fn with(
        timeouts: Timeouts,
        settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, NoClient> {
        install_crypto();
        let builder = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .redirect(Policy::none())
            .user_agent("firebreak");
        settings(builder).build().map(Self).map_err(|error| NoClient(words(error)))
    }

    pub(crate) fn get(&self, url: reqwest::Url) -> RequestBuilder {
        self.0.get(url)
    }

    pub(crate) fn put(&self, url: reqwest::Url) -> RequestBuilder {
        self.0.put(url)
    }

    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.0.post(url)
    }
}

/// Sends once.
pub(crate) async fn call(request: RequestBuilder) -> Result<Answer, CallError> {
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            Ok(Answer { status, body: body(response).await })
        }
        Err(error) if error.is_connect() || error.is_builder() => {
            Err(CallError::NotSent(words(error)))
        }
        Err(error) => Err(CallError::NoAnswer(words(error))),
    }
}

/// The status has arrived and says what happened, so a body that breaks off is no failure of the call.
async fn body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MOST_BODY.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() >= room {
            break;
        }
    }
    body
}

/// The error with its causes and without the URL, which may hold a secret.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !words.ends_with(&said) {
            words = format!("{words}: {said}");
        }
        cause = error.source();
    }
    words
}
