//! The origins that flags may be set at: an allow-list, empty where nobody wrote one.

use std::str::FromStr;

use reqwest::Url;

/// Scheme, host and port of each service whose flags may be set, in their one normal spelling.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin; write scheme, host and port only, such as `https://flags.example.com`"
)]
pub struct BadOrigin(String);

impl Origins {
    pub fn allow(&self, url: &Url) -> bool {
        self.0.contains(&url.origin().ascii_serialization())
    }
}

impl FromStr for Origins {
    type Err = BadOrigin;

    /// Reads a list that is separated by commas.
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

fn origin(entry: &str) -> Result<String, BadOrigin> {
    let bad = || BadOrigin(entry.to_owned());
    let url = Url::parse(entry).map_err(|_| bad())?;
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.contains('*'));
    if plain { Ok(url.origin().ascii_serialization()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(origins: &str, url: &str) -> bool {
        origins.parse::<Origins>().unwrap().allow(&Url::parse(url).unwrap())
    }

    #[test]
    fn only_the_listed_scheme_host_and_port_are_allowed() {
        let list = "http://127.0.0.1:8090, https://flags.example.com/";
        for good in ["http://127.0.0.1:8090/a", "https://flags.example.com:443/a/b"] {
            assert!(allow(list, good), "{good}");
        }
        for bad in [
            "https://127.0.0.1:8090/a",
            "http://127.0.0.1:8091/a",
            "http://127.0.0.1/a",
            "https://flags.example.com.evil.example/a",
            "https://evil.example/?https://flags.example.com",
            "https://flags.example.com@evil.example/a",
        ] {
            assert!(!allow(list, bad), "{bad}");
        }
        assert!(!allow("", "http://127.0.0.1:8090/a"));
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for bad in [
            "flags.example.com",
            "https://flags.example.com/path",
            "https://user@flags.example.com",
            "https://*.example.com",
            "ftp://flags.example.com",
            "https://a?b",
            "*",
        ] {
            assert!(bad.parse::<Origins>().is_err(), "{bad}");
        }
    }
}
