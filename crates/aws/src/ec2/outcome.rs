//! Whether a failed call certainly did nothing. In doubt it may have: then the provider is read, never called again.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Throttled before anything was done, though EC2 says it with a 503.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
const THROTTLED: [&str; 3] = ["RequestLimitExceeded", "Throttling", "ThrottlingException"];

pub(super) fn certainly_nothing<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().is_some_and(|error| never_connected(error))
        }
        // EC2 said no in its own words. An answer without a code may be somebody else's on the way.
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            answer.err().code().is_some_and(|code| {
                THROTTLED.contains(&code) || ((400..500).contains(&status) && status != 408)
            })
        }
        _ => false,
    }
}

/// No connection, no request: the name was not found, nobody listens, or TLS was not agreed on.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        cause = error.source();
    }
    false
}
