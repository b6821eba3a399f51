//! The topic host: the endpoint of Amazon SNS, asked for certificates and told that a topic may deliver.

use async_trait::async_trait;
use firebreak_core::proof::{CertificateUrl, Confirmation};

/// Why the host did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TopicHostError {
    /// It answered that there is no such thing; asking again changes nothing.
    #[error("the endpoint of SNS answered {0}")]
    Refused(u16),
    /// It was not reached, or did not answer in time or not whole.
    #[error("the endpoint of SNS cannot be reached: {0}")]
    Unavailable(String),
}

#[async_trait]
pub trait TopicHost: Send + Sync {
    /// The certificate as PEM, over TLS whose chain was verified. Gives up after seconds and at
    /// [`MOST_CERTIFICATE`] bytes; follows no redirect.
    async fn certificate(&self, at: &CertificateUrl) -> Result<Vec<u8>, TopicHostError>;

    /// Says yes to a topic. Saying it twice is safe.
    async fn confirm(&self, confirmation: &Confirmation) -> Result<(), TopicHostError>;
}

/// A certificate of SNS has two kilobytes.
pub const MOST_CERTIFICATE: usize = 64 * 1024;
