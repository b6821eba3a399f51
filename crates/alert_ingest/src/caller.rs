//! Who the authorizer of the route says the caller is: from the function's event, where no client can write.

use axum::extract::Request;
use firebreak_core::proof::Caller;
use lambda_http::request::RequestContext;

/// Puts the caller where the webhooks look for it.
pub(crate) async fn identify(mut request: Request) -> Request {
    let caller = request.extensions().get::<RequestContext>().and_then(caller);
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    request
}

fn caller(context: &RequestContext) -> Option<Caller> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    let authorizer = context.authorizer.as_ref()?;
    if let Some(jwt) = &authorizer.jwt {
        let claims = jwt.claims.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        return Some(Caller::Jwt { claims, scopes: jwt.scopes.clone().unwrap_or_default() });
    }
    let iam = authorizer.iam.as_ref()?;
    Some(Caller::Iam { arn: iam.user_arn.clone()?, account: iam.account_id.clone()? })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use lambda_http::RequestExt as _;

    use super::*;

    async fn identified(event: &str) -> Option<Caller> {
        let request = lambda_http::request::from_str(event).unwrap();
        assert!(request.request_context_ref().is_some());
        let request = request.map(|_| axum::body::Body::empty());
        identify(request).await.extensions().get::<Caller>().cloned()
    }

    async fn sample(name: &str) -> Option<Caller> {
        let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/alert_ingest");
        identified(&std::fs::read_to_string(events.join(name)).unwrap()).await
    }

    #[tokio::test]
    async fn the_authorizer_says_who_the_caller_is() {
        let claims = [
            ("client_id", "datadog-eu"),
            ("iss", "https://idp.example/eu"),
            ("scope", "alerts/write"),
            ("sub", "datadog-eu"),
        ];
        let claims: BTreeMap<String, String> =
            claims.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let scopes = vec!["alerts/write".to_owned()];
        assert_eq!(sample("authorized_by_jwt.json").await, Some(Caller::Jwt { claims, scopes }));
        assert_eq!(
            sample("authorized_by_iam.json").await,
            Some(Caller::Iam {
                arn: "arn:aws:sts::111122223333:assumed-role/sumo-sender/session".to_owned(),
                account: "111122223333".to_owned(),
            })
        );
    }

    /// The sample claims to be somebody in its headers and in its body.
    #[tokio::test]
    async fn a_route_without_such_an_authorizer_has_no_caller() {
        assert_eq!(sample("forged_caller.json").await, None);
        assert_eq!(sample("sumologic_critical.json").await, None);
    }

    #[tokio::test]
    async fn recorded_events_are_read() {
        let recorded =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples/apigateway");
        let Ok(entries) = std::fs::read_dir(recorded) else { return };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let Ok(event) = std::fs::read_to_string(&path) else { continue };
            if event.contains("\"identitySource\"") {
                continue; // what an authorizer is asked, not what the function gets
            }
            let caller = identified(&event).await;
            let name = path.file_name().unwrap().to_str().unwrap();
            println!("{name}: {caller:?}");
            assert_eq!(caller.is_some(), name == "apigw-v2-request-iam.json", "{name}");
        }
    }
}
