//! Label matchers with Alertmanager's semantics: `=`, `!=`, `=~`, `!~`, anchored, a missing label is empty.

mod read;

use std::fmt;

use regex::Regex;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use read::BadMatcher;

use crate::alert::{Alert, Severity};

/// How a label's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Matches,
    MatchesNot,
}

impl Comparison {
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "!=",
            Comparison::Matches => "=~",
            Comparison::MatchesNot => "!~",
        }
    }
}

/// One comparison of one label. Written as in Alertmanager: `service="checkout"`, `instance=~"i-.*"`.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    comparison: Comparison,
    value: String,
    /// There exactly for the two comparisons by expression.
    regex: Option<Regex>,
}

/// A compiled expression may take this much memory, so that no matcher can eat that of the process.
const MOST_COMPILED: usize = 1 << 20;
const MOST_EXPRESSION: usize = 1_000;
const MOST_NESTED: u32 = 50;
const MOST_TEXT: usize = 4 * 1024;

impl Matcher {
    /// The error says what is wrong with name, value or expression.
    pub fn new(name: &str, comparison: Comparison, value: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("the label's name is empty".to_owned());
        }
        if name.len() > MOST_TEXT || value.len() > MOST_TEXT {
            return Err(format!("names and values may have {MOST_TEXT} bytes"));
        }
        let regex = match comparison {
            Comparison::Equal | Comparison::NotEqual => None,
            Comparison::Matches | Comparison::MatchesNot => Some(compile(value)?),
        };
        Ok(Self { name: name.to_owned(), comparison, value: value.to_owned(), regex })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the value of the label fits; a label that is missing has the empty value.
    pub fn fits(&self, value: &str) -> bool {
        let by_regex = || self.regex.as_ref().is_some_and(|regex| regex.is_match(value));
        match self.comparison {
            Comparison::Equal => value == self.value,
            Comparison::NotEqual => value != self.value,
            Comparison::Matches => by_regex(),
            Comparison::MatchesNot => !by_regex(),
        }
    }
}

/// The expression must fit the whole value. `.` is any character but a line feed, as in Alertmanager.
fn compile(expression: &str) -> Result<Regex, String> {
    if expression.len() > MOST_EXPRESSION {
        return Err(format!("an expression may have {MOST_EXPRESSION} bytes; cut it in two rules"));
    }
    // Alone first: `a)(b` must not become right by what is put around it.
    let build = |text: &str| {
        regex::RegexBuilder::new(text)
            .size_limit(MOST_COMPILED)
            .dfa_size_limit(MOST_COMPILED)
            .nest_limit(MOST_NESTED)
            .build()
    };
    build(expression).and_then(|_| build(&format!("^(?:{expression})$"))).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{expression}` is not an expression: {reason}")
    })
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.comparison, &self.value) == (&other.name, other.comparison, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if read::is_plain_name(&self.name) {
            f.write_str(&self.name)?;
        } else {
            read::quote(f, &self.name)?;
        }
        f.write_str(self.comparison.as_str())?;
        read::quote(f, &self.value)
    }
}

/// Matchers that must all fit. None at all fit everything.
///
/// Read from Alertmanager's text (`{a="b", c=~"d"}`, the braces may be left out), from a list of such texts,
/// or from a list of the objects of its API (`{name, value, isRegex, isEqual}`). Written as a list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matchers(Vec<Matcher>);

/// More than this is a mistake, not a rule.
pub(crate) const MOST_MATCHERS: usize = 64;

impl Matchers {
    pub fn new(matchers: Vec<Matcher>) -> Self {
        Self(matchers)
    }

    /// Reads Alertmanager's text form.
    pub fn read(text: &str) -> Result<Self, BadMatcher> {
        read::matchers(text).map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter()
    }

    /// Whether all fit. `label` gives the value of a label, empty where there is none.
    pub fn fit<'a>(&self, label: impl Fn(&str) -> &'a str) -> bool {
        self.0.iter().all(|matcher| matcher.fits(label(&matcher.name)))
    }

    /// Whether all fit the alert, by [`Alert::label`].
    pub fn fit_alert(&self, alert: &Alert) -> bool {
        self.fit(|name| alert.label(name))
    }

    /// Whether they fit an alert without any label: then they single nothing out.
    pub fn fit_everything(&self) -> bool {
        self.fit(|_| "")
    }
}

impl fmt::Display for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, matcher) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{matcher}")?;
        }
        Ok(())
    }
}

impl Alert {
    /// The value that matchers, `equal` and `group_by` see: the sender's label; where it sent none of that name,
    /// `alertname`, `severity`, `service` and `source` are what the alert was understood as. Else empty.
    pub fn label(&self, name: &str) -> &str {
        if let Some(value) = self.labels.get(name) {
            return value;
        }
        match name {
            "alertname" => &self.name,
            "severity" => Severity::as_str(self.severity),
            "service" if self.service != "unknown" => &self.service,
            "source" => &self.source,
            _ => "",
        }
    }
}

impl Serialize for Matchers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for Matchers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchersVisitor).map(Self)
    }
}

struct MatchersVisitor;

impl<'de> Visitor<'de> for MatchersVisitor {
    type Value = Vec<Matcher>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("matchers such as `service=\"checkout\"`, or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        read::matchers(text).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut matchers = Vec::new();
        while let Some(Several(more)) = list.next_element()? {
            matchers.extend(more);
            if matchers.len() > MOST_MATCHERS {
                let problem = format!("more than {MOST_MATCHERS} matchers in one place");
                return Err(de::Error::custom(problem));
            }
        }
        Ok(matchers)
    }
}

/// One entry of the list form; a text may hold several matchers.
struct Several(Vec<Matcher>);

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeveralVisitor).map(Self)
    }
}

struct SeveralVisitor;

impl<'de> Visitor<'de> for SeveralVisitor {
    type Value = Vec<Matcher>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a matcher such as `service=\"checkout\"`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        read::matchers(text).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let comparison = match (parts.is_regex, parts.is_equal.unwrap_or(true)) {
            (false, true) => Comparison::Equal,
            (false, false) => Comparison::NotEqual,
            (true, true) => Comparison::Matches,
            (true, false) => Comparison::MatchesNot,
        };
        let matcher =
            Matcher::new(&parts.name, comparison, &parts.value).map_err(de::Error::custom)?;
        Ok(vec![matcher])
    }
}

/// A matcher in the form of Alertmanager's API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parts {
    name: String,
    value: String,
    #[serde(default)]
    is_regex: bool,
    is_equal: Option<bool>,
}

#[cfg(test)]
mod tests;
