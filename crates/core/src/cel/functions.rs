//! The functions that an expression may call: the standard ones, those on texts, and three of our own.

use std::sync::{Arc, OnceLock};

use cel::common::types::{CelBool, CelString};
use cel::{Env, ExecutionError};

use super::Kind;

/// One form of a function, for the type check and for help texts.
#[derive(Debug)]
pub struct Signature {
    pub name: &'static str,
    /// What it is called on; `None` for a free function.
    pub on: Option<Sort>,
    pub takes: &'static [Sort],
    pub gives: Sort,
    pub summary: &'static str,
}

/// A kind that can stand in a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Any,
    Bool,
    Number,
    Text,
    List,
    Texts,
}

impl Sort {
    pub(super) fn kind(self) -> Kind {
        match self {
            Sort::Any => Kind::Any,
            Sort::Bool => Kind::Bool,
            Sort::Number => Kind::Number,
            Sort::Text => Kind::Text,
            Sort::List => Kind::List(Box::new(Kind::Any)),
            Sort::Texts => Kind::List(Box::new(Kind::Text)),
        }
    }
}

const fn on(
    on: Sort,
    name: &'static str,
    takes: &'static [Sort],
    gives: Sort,
    summary: &'static str,
) -> Signature {
    Signature { name, on: Some(on), takes, gives, summary }
}

const fn free(
    name: &'static str,
    takes: &'static [Sort],
    gives: Sort,
    summary: &'static str,
) -> Signature {
    Signature { name, on: None, takes, gives, summary }
}

/// Every function that the type check knows; a call of another one is an error.
pub const FUNCTIONS: &[Signature] = &{
    use Sort::{Any, Bool, List, Number, Text, Texts};
    [
        on(
            Text,
            "arnPart",
            &[Text],
            Text,
            "a part of an ARN: `service`, `region`, `account`, `resource` or `id` (the resource without its type)",
        ),
        on(Text, "contains", &[Text], Bool, "whether it holds the other text"),
        on(Text, "endsWith", &[Text], Bool, "whether it ends so"),
        on(
            Text,
            "glob",
            &[Text],
            Bool,
            "whether it is of a form in which `*` stands for anything and `?` for one character",
        ),
        on(
            Text,
            "inCidr",
            &[Text],
            Bool,
            "whether it is an IP address within a network such as `10.0.0.0/8`",
        ),
        on(Text, "indexOf", &[Text], Number, "where the other text begins, or -1"),
        on(Text, "lastIndexOf", &[Text], Number, "where the other text begins last, or -1"),
        on(Text, "lowerAscii", &[], Text, "in small letters"),
        on(Text, "matches", &[Text], Bool, "whether a regular expression is found in it"),
        on(Text, "replace", &[Text, Text], Text, "with each first text put as the second"),
        on(Text, "size", &[], Number, "how many characters"),
        on(Text, "split", &[Text], Texts, "cut at each such text"),
        on(Text, "startsWith", &[Text], Bool, "whether it begins so"),
        on(Text, "substring", &[Number], Text, "from that character on"),
        on(Text, "substring", &[Number, Number], Text, "between two characters"),
        on(Text, "trim", &[], Text, "without white space around it"),
        on(Text, "upperAscii", &[], Text, "in capitals"),
        on(List, "join", &[Text], Text, "the texts of a list in one"),
        on(List, "size", &[], Number, "how many"),
        free("bool", &[Any], Bool, "as true or false"),
        free("double", &[Any], Number, "as a number with a fraction"),
        free("int", &[Any], Number, "as a whole number"),
        free("matches", &[Text, Text], Bool, "whether a regular expression is found in a text"),
        free("size", &[Any], Number, "how many characters, elements or keys"),
        free("string", &[Any], Text, "as a text"),
        free("type", &[Any], Any, "the type of a value"),
    ]
};

/// The environment that expressions are compiled and run in. Made once.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(made().expect("no function is declared twice")))
}

#[expect(elided_lifetimes_in_paths, reason = "the macros take types without lifetimes")]
fn made() -> Result<Env, cel::DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(cel::extensions::strings)?;
    cel::add_member_overload!(env, fn arn_part: (CelString, CelString) -> Result<CelString>)?;
    cel::add_member_overload!(env, fn glob: (CelString, CelString) -> CelBool)?;
    cel::add_member_overload!(env, fn in_cidr: (CelString, CelString) -> Result<CelBool>)?;
    Ok(env)
}

/// `arn:partition:service:region:account:resource`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
fn arn_part(
    arn: &CelString<'_>,
    part: &CelString<'_>,
) -> Result<CelString<'static>, ExecutionError> {
    let fault = |what: String| ExecutionError::function_error("arnPart", what);
    let parts: Vec<&str> = arn.inner().splitn(6, ':').collect();
    let ["arn", _, service, region, account, resource] = parts.as_slice() else {
        return Err(fault(format!("`{}` is not an ARN", arn.inner())));
    };
    let found = match part.inner() {
        "service" => service,
        "region" => region,
        "account" => account,
        "resource" => resource,
        "id" => resource.rsplit(['/', ':']).next().unwrap_or(resource),
        other => return Err(fault(format!("an ARN has no part `{other}`"))),
    };
    Ok(CelString::from((*found).to_owned()))
}

fn glob(text: &CelString<'_>, form: &CelString<'_>) -> CelBool {
    CelBool::from(has_form(text.inner(), form.inner()))
}

/// Whether `text` is of the form; goes back only to the latest `*`, so it takes at most length times length steps.
pub(crate) fn has_form(text: &str, form: &str) -> bool {
    let (text, form): (Vec<char>, Vec<char>) = (text.chars().collect(), form.chars().collect());
    let (mut at, mut in_form) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(at) {
        match form.get(in_form) {
            Some('*') => {
                star = Some((in_form, at));
                in_form += 1;
            }
            Some(wanted) if wanted == letter || *wanted == '?' => {
                at += 1;
                in_form += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = taken + 1;
                in_form = star_at + 1;
            }
        }
    }
    form.iter().skip(in_form).all(|letter| *letter == '*')
}

fn in_cidr(address: &CelString<'_>, network: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    let within = is_within(address.inner(), network.inner()).ok_or_else(|| {
        ExecutionError::function_error("inCidr", "an address or a network is malformed")
    })?;
    Ok(CelBool::from(within))
}

fn is_within(address: &str, network: &str) -> Option<bool> {
    use std::net::IpAddr;
    let address: IpAddr = address.parse().ok()?;
    let (base, length) = network.split_once('/')?;
    let base: IpAddr = base.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let ((one, width), (other, other_width)) = (bits(address), bits(base));
    if length > other_width {
        return None;
    }
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    Some(width == other_width && one & mask == other & mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms() {
        for (text, form, is) in [
            ("web-1", "web-*", true),
            ("web-", "web-*", true),
            ("db-1", "web-*", false),
            ("a/b/c", "*/c", true),
            ("abcabd", "*ab?", true),
            ("", "*", true),
            ("", "?", false),
            ("äö", "ä?", true),
        ] {
            assert_eq!(has_form(text, form), is, "{text} {form}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(is_within("10.2.3.4", "10.0.0.0/8"), Some(true));
        assert_eq!(is_within("11.2.3.4", "10.0.0.0/8"), Some(false));
        assert_eq!(is_within("10.2.3.4", "0.0.0.0/0"), Some(true));
        assert_eq!(is_within("::1", "10.0.0.0/8"), Some(false));
        assert_eq!(is_within("2001:db8::5", "2001:db8::/32"), Some(true));
        assert_eq!(is_within("10.2.3.4", "10.0.0.0/33"), None);
        assert_eq!(is_within("10.2.3.4", "10.0.0.0"), None);
    }

    proptest! {
        #[test]
        fn a_text_is_of_its_own_form_and_of_any(text in "[a-c]{0,8}", cut in 0usize..8) {
            prop_assert!(has_form(&text, &text));
            let at = cut.min(text.len());
            let form = format!("{}*", text.get(..at).unwrap());
            prop_assert!(has_form(&text, &form));
        }
    }
}
