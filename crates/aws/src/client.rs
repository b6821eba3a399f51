//! One configuration for every AWS client: who is trusted, how long to wait, how often to try.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};

/// The configuration of this process: region, credentials and `AWS_ENDPOINT_URL` come from its environment.
pub async fn load() -> SdkConfig {
    loader().load().await
}

/// As [`load`], open to changes.
///
/// A client tries three times with short pauses, so that a caller waits seconds and not minutes; whoever
/// needs longer has a queue or a state machine for it.
pub fn loader() -> ConfigLoader {
    let retry = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(https())
        .retry_config(retry)
        .timeout_config(timeouts)
}

fn https() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(amazon())
        .build_https()
}

/// For requests to AWS that are none of an SDK.
pub(crate) fn connector(settings: HttpConnectorSettings) -> Connector {
    Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(amazon())
        .connector_settings(settings)
        .build()
}

fn amazon() -> TlsContext {
    TlsContext::builder()
        .with_trust_store(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS))
        .build()
        .expect("a trust store without settings is valid")
}

/// The roots behind every endpoint of AWS, and nobody else's; the build script picks them.
///
/// Reading all roots of the system instead would be a third of a cold start. Partitions with their own
/// authorities (China, the isolated ones) are not served.
const AMAZON_ROOTS: &str = include_str!(concat!(env!("OUT_DIR"), "/amazon_roots.pem"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_roots_are_trusted() {
        assert_eq!(AMAZON_ROOTS.matches("BEGIN CERTIFICATE").count(), 5);
    }

    #[test]
    fn the_roots_can_be_parsed() {
        // Building a connector parses them, and panics where one is broken.
        let _client = https();
    }
}
