//! The endpoint of Amazon SNS, whose chain must lead to a root of Amazon.

use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use firebreak_core::proof::{CertificateUrl, Confirmation};
use firebreak_engine::ports::{MOST_CERTIFICATE, TopicHost, TopicHostError};

use crate::client;

/// From the first byte out to the last byte in. Senders wait for it.
const LONGEST: Duration = Duration::from_secs(5);

/// [`TopicHost`] on the HTTP client of the SDK, so that a function carries no second one.
#[derive(Debug, Default)]
pub struct SnsEndpoint {
    /// Made when it is first needed: most functions never need it.
    connector: OnceLock<Connector>,
}

impl SnsEndpoint {
    fn connector(&self) -> &Connector {
        self.connector.get_or_init(|| {
            let settings = HttpConnectorSettings::builder()
                .connect_timeout(Duration::from_secs(1))
                .read_timeout(Duration::from_secs(3))
                .build();
            client::connector(settings)
        })
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, TopicHostError> {
        let answered = tokio::time::timeout(LONGEST, self.exchange(url)).await;
        answered.unwrap_or_else(|_| Err(unavailable("it did not answer in time")))
    }

    async fn exchange(&self, url: &str) -> Result<Vec<u8>, TopicHostError> {
        let request = http_request(url)?;
        // The error may repeat the address, which may hold a token.
        let answer = self.connector().call(request).await.map_err(|error| {
            unavailable(if error.is_timeout() {
                "it did not answer in time"
            } else {
                "no connection"
            })
        })?;
        match answer.status().as_u16() {
            200..=299 => {}
            429 | 500.. => return Err(unavailable("it is overloaded or broken")),
            refused => return Err(TopicHostError::Refused(refused)),
        }
        let mut parts = ByteStream::new(answer.into_body());
        let mut body = Vec::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(|_| unavailable("its answer broke off"))?);
            if body.len() > MOST_CERTIFICATE {
                return Err(unavailable("its answer is too long"));
            }
        }
        Ok(body)
    }
}

fn unavailable(what: &str) -> TopicHostError {
    TopicHostError::Unavailable(what.to_owned())
}

fn http_request(url: &str) -> Result<HttpRequest, TopicHostError> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(url).map_err(|_| unavailable("its address is none"))?;
    request.headers_mut().insert("user-agent", "firebreak");
    Ok(request)
}

#[async_trait]
impl TopicHost for SnsEndpoint {
    async fn certificate(&self, at: &CertificateUrl) -> Result<Vec<u8>, TopicHostError> {
        self.get(at.as_str()).await
    }

    async fn confirm(&self, confirmation: &Confirmation) -> Result<(), TopicHostError> {
        self.get(confirmation.url()).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stub::{Answer, Stub};

    async fn get(answer: Answer) -> Result<Vec<u8>, TopicHostError> {
        let stub = Stub::start(vec![answer]).await;
        SnsEndpoint::default().get(&format!("{}/a.pem", stub.endpoint)).await
    }

    #[tokio::test]
    async fn what_the_endpoint_says_is_read_with_an_end() {
        assert_eq!(get(Answer::Http(200, "pem")).await.unwrap(), b"pem");
        assert!(matches!(get(Answer::Http(404, "")).await, Err(TopicHostError::Refused(404))));
        assert!(matches!(get(Answer::Http(301, "")).await, Err(TopicHostError::Refused(301))));
        for answer in [Answer::Http(503, ""), Answer::Close, Answer::Hang] {
            let said = get(answer).await;
            assert!(matches!(said, Err(TopicHostError::Unavailable(_))), "{said:?}");
        }
        let long: &'static str = "x".repeat(MOST_CERTIFICATE + 1).leak();
        assert!(matches!(get(Answer::Http(200, long)).await, Err(TopicHostError::Unavailable(_))));
    }
}
