//! IAM: API Gateway verified an AWS signature; here the principal must be a listed role, user or account.

use serde::{Deserialize, Serialize};

use super::Caller;
use crate::proof::Denied;

/// Whose signatures are let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Iam {
    principals: Vec<String>,
    accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// ARNs of roles and users.
    #[serde(default)]
    principals: Vec<String>,
    /// Account numbers, each for everybody in it.
    #[serde(default)]
    accounts: Vec<String>,
}

impl TryFrom<Written> for Iam {
    type Error = String;

    fn try_from(Written { principals, accounts }: Written) -> Result<Self, String> {
        if principals.is_empty() && accounts.is_empty() {
            return Err("`iam` lists nobody, so any AWS account would do; \
                        write `principals: [arn:aws:iam::111122223333:role/sender]` or `accounts: [...]`"
                .to_owned());
        }
        if let Some(bad) = principals.iter().find(|arn| principal(arn).is_none()) {
            return Err(format!(
                "`{bad}` under `iam` is no ARN of a role or a user, such as `arn:aws:iam::111122223333:role/sender`"
            ));
        }
        let number =
            |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(bad) = accounts.iter().find(|account| !number(account)) {
            return Err(format!(
                "`{bad}` under `iam` is no account number of twelve digits in quotes"
            ));
        }
        Ok(Self { principals, accounts })
    }
}

impl Iam {
    pub(in crate::proof) fn check(&self, caller: Option<&Caller>) -> Result<(), Denied> {
        let (arn, account) = match caller {
            Some(Caller::Iam { arn, account }) => (arn, account),
            Some(Caller::Jwt { .. }) | None => return Err(Denied::Missing),
        };
        let caller = principal(arn);
        let listed = caller.is_some() && self.principals.iter().any(|arn| principal(arn) == caller);
        if listed || self.accounts.contains(account) { Ok(()) } else { Err(Denied::NotAllowed) }
    }
}

/// Partition, account, and the name of the role or the path of the user. A session of a role shows the role's
/// name without its path, so a role is known by its name, which is unique in an account.
fn principal(arn: &str) -> Option<(&str, &str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next();
    let (Some("arn"), Some(partition), Some(service), Some(""), Some(account), Some(resource)) =
        (part(), part(), part(), part(), part(), part())
    else {
        return None;
    };
    let (kind, path) = resource.split_once('/')?;
    let (kind, name) = match (service, kind) {
        ("iam", "role") => ("role", path.rsplit('/').next()?),
        ("sts", "assumed-role") => ("role", path.split_once('/')?.0),
        ("iam", "user") => ("user", path),
        _ => return None,
    };
    let plain = |text: &str| !text.is_empty() && !text.contains('*');
    (plain(partition) && plain(account) && plain(name)).then_some((partition, account, kind, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(settings: serde_json::Value, arn: &str, account: &str) -> Result<(), Denied> {
        let rule: Iam = serde_json::from_value(settings).unwrap();
        rule.check(Some(&Caller::Iam { arn: arn.to_owned(), account: account.to_owned() }))
    }

    #[test]
    fn a_session_of_a_listed_role_is_let_in_and_no_other() {
        let rule = json!({"principals": ["arn:aws:iam::111122223333:role/senders/sumo"]});
        let good = "arn:aws:sts::111122223333:assumed-role/sumo/session-1";
        assert_eq!(check(rule.clone(), good, "111122223333"), Ok(()));
        for bad in [
            "arn:aws:sts::111122223333:assumed-role/other/sumo",
            "arn:aws:sts::111122223333:assumed-role/sumo",
            "arn:aws:sts::999922223333:assumed-role/sumo/s",
            "arn:aws-cn:sts::111122223333:assumed-role/sumo/s",
            "arn:aws:iam::111122223333:user/sumo",
            "arn:aws:iam::111122223333:root",
            "",
        ] {
            assert_eq!(check(rule.clone(), bad, "111122223333"), Err(Denied::NotAllowed), "{bad}");
        }
    }

    #[test]
    fn users_are_listed_with_their_path_and_accounts_by_number() {
        let rule = json!({"principals": ["arn:aws:iam::111122223333:user/a/ada"], "accounts": ["444455556666"]});
        let user = |path: &str| format!("arn:aws:iam::111122223333:user/{path}");
        assert_eq!(check(rule.clone(), &user("a/ada"), "111122223333"), Ok(()));
        assert_eq!(check(rule.clone(), &user("ada"), "111122223333"), Err(Denied::NotAllowed));
        assert_eq!(check(rule.clone(), "arn:aws:iam::444455556666:root", "444455556666"), Ok(()));
        let rule: Iam = serde_json::from_value(rule).unwrap();
        assert_eq!(rule.check(None), Err(Denied::Missing));
    }

    #[test]
    fn a_rule_that_is_too_wide_is_refused() {
        for bad in [
            json!({}),
            json!({"principals": ["*"]}),
            json!({"principals": ["arn:aws:iam::111122223333:role/*"]}),
            json!({"principals": ["arn:aws:iam::*:role/sumo"]}),
            json!({"principals": ["sumo"]}),
            json!({"accounts": ["1234"]}),
            json!({"account": ["111122223333"]}),
        ] {
            assert!(serde_json::from_value::<Iam>(bad.clone()).is_err(), "{bad}");
        }
    }
}
