//! The endpoint of Amazon SNS over HTTPS, whose chain must lead to a root that this system trusts.

use async_trait::async_trait;
use firebreak_core::proof::{CertificateUrl, Confirmation};
use firebreak_engine::ports::{TopicHost, TopicHostError};

use crate::client::{Answer, Client, call};

/// [`TopicHost`] on the one outbound client: short timeouts, no redirects, 64 kB at most.
#[derive(Debug, Clone)]
pub struct SnsEndpoint {
    client: Client,
}

impl SnsEndpoint {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn get(&self, url: &str) -> Result<Answer, TopicHostError> {
        let unavailable = |error: String| TopicHostError::Unavailable(error);
        let url = reqwest::Url::parse(url).map_err(|error| unavailable(error.to_string()))?;
        let answer = call(self.client.get(url)).await;
        let answer = answer.map_err(|error| unavailable(error.to_string()))?;
        match answer.status {
            200..=299 => Ok(answer),
            429 | 500.. => Err(unavailable(format!("it answered {}", answer.status))),
            refused => Err(TopicHostError::Refused(refused)),
        }
    }
}

#[async_trait]
impl TopicHost for SnsEndpoint {
    async fn certificate(&self, at: &CertificateUrl) -> Result<Vec<u8>, TopicHostError> {
        let Answer { body, .. } = self.get(at.as_str()).await?;
        let end = b"-----END CERTIFICATE-----";
        if body.windows(end.len()).any(|part| part == end) {
            Ok(body)
        } else {
            Err(TopicHostError::Unavailable("the certificate did not arrive whole".to_owned()))
        }
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<(), TopicHostError> {
        self.get(confirmation.url()).await.map(drop)
    }
}
