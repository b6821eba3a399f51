//! JWT: an authorizer of API Gateway verified the token; here its claims must be those of a listed sender.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Caller;
use crate::proof::Denied;

/// Whose tokens are let in. Every claim that is listed must have one of its values, and every scope must be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Jwt {
    claims: BTreeMap<String, Vec<String>>,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    claims: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl TryFrom<Written> for Jwt {
    type Error = &'static str;

    fn try_from(Written { claims, scopes }: Written) -> Result<Self, Self::Error> {
        if claims.is_empty() && scopes.is_empty() {
            return Err("`jwt` lists nobody, so any token of the issuer would do; \
                        write `claims: { client_id: [...] }` or `scopes: [...]`");
        }
        if claims.values().any(Vec::is_empty) {
            return Err(
                "a claim under `jwt` has no values, so that nobody is let in; list them or leave it out",
            );
        }
        Ok(Self { claims, scopes })
    }
}

impl Jwt {
    pub(in crate::proof) fn check(&self, caller: Option<&Caller>) -> Result<(), Denied> {
        let (claims, scopes) = match caller {
            Some(Caller::Jwt { claims, scopes }) => (claims, scopes),
            Some(Caller::Iam { .. }) | None => return Err(Denied::Missing),
        };
        let listed = self.claims.iter().all(|(name, values)| {
            claims.get(name).is_some_and(|value| values.iter().any(|one| one == value))
        });
        // One text, separated by spaces: https://www.rfc-editor.org/rfc/rfc8693#section-4.2
        let scope = claims.get("scope").map(String::as_str).unwrap_or_default();
        let granted = self.scopes.iter().all(|wanted| {
            scopes.contains(wanted) || scope.split_ascii_whitespace().any(|one| one == wanted)
        });
        if listed && granted { Ok(()) } else { Err(Denied::NotAllowed) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jwt(settings: serde_json::Value) -> Jwt {
        serde_json::from_value(settings).unwrap()
    }

    fn caller(claims: &[(&str, &str)], scopes: &[&str]) -> Caller {
        Caller::Jwt {
            claims: claims.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    #[test]
    fn every_listed_claim_and_scope_must_be_there() {
        let rule = jwt(json!({
            "claims": {"client_id": ["datadog-eu", "datadog-us"], "tenant": ["shop"]},
            "scopes": ["alerts/write"],
        }));
        let good = [("client_id", "datadog-us"), ("tenant", "shop"), ("scope", "a alerts/write")];
        assert_eq!(rule.check(Some(&caller(&good, &[]))), Ok(()));
        assert_eq!(rule.check(Some(&caller(&good[..2], &["alerts/write"]))), Ok(()));
        for bad in [
            caller(&good[..2], &[]),
            caller(&good[1..], &["alerts/write"]),
            caller(&[("client_id", "datadog"), ("tenant", "shop")], &["alerts/write"]),
            caller(
                &[("client_id", "datadog-us"), ("tenant", "shop"), ("scope", "alerts/writer")],
                &[],
            ),
        ] {
            assert_eq!(rule.check(Some(&bad)), Err(Denied::NotAllowed), "{bad:?}");
        }
        assert_eq!(rule.check(None), Err(Denied::Missing));
        let iam = Caller::Iam { arn: "arn".to_owned(), account: "1".to_owned() };
        assert_eq!(rule.check(Some(&iam)), Err(Denied::Missing));
    }

    #[test]
    fn a_rule_that_lists_nobody_is_refused() {
        for bad in
            [json!({}), json!({"claims": {}}), json!({"claims": {"sub": []}}), json!({"roles": []})]
        {
            assert!(serde_json::from_value::<Jwt>(bad.clone()).is_err(), "{bad}");
        }
    }
}
