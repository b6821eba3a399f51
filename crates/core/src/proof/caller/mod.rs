//! Callers that API Gateway has identified before the function ran: by a token's claims, or by an AWS signature.

mod iam;
mod jwt;

use std::collections::BTreeMap;

pub use iam::Iam;
pub use jwt::Jwt;

/// Who the authorizer of the route says the caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A token that the JWT authorizer verified: signature, issuer, audience and expiry.
    Jwt { claims: BTreeMap<String, String>, scopes: Vec<String> },
    /// The principal of a request that was signed by AWS Signature Version 4.
    Iam { arn: String, account: String },
}
