//! `webhook`: a signed JSON message to any URL, by Standard Webhooks 1.0.

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook as Signer,
};

use super::{
    Channel, ChannelSettings, Delivery, HttpRequest, Reply, Request, only_settings, text_setting,
};
use crate::notification::Notification;

pub(super) struct Webhook;

impl Channel for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn summary(&self) -> &'static str {
        "Posts signed JSON to a URL (Standard Webhooks 1.0); receivers verify it with any of its libraries."
    }

    fn needs_secret(&self) -> bool {
        true
    }

    fn check(&self, settings: &ChannelSettings) -> Result<(), String> {
        only_settings(settings, &["url"])?;
        check_url(text_setting(settings, "url")?)
    }

    fn request(
        &self,
        settings: &ChannelSettings,
        secret: Option<&str>,
        notification: &Notification,
        now: Timestamp,
    ) -> Result<Request, String> {
        self.check(settings)?;
        let secret =
            secret.ok_or("there is no secret to sign with; make one of the form `whsec_...`")?;
        let message = Message {
            r#type: notification.occasion.event(),
            timestamp: notification.at,
            data: notification,
        };
        let body = serde_json::to_vec(&message).expect("a notification is plain data");
        let signature = sign(secret, &notification.event_id, now, &body)?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("user-agent", "firebreak".to_owned()),
            (HEADER_WEBHOOK_ID, notification.event_id.clone()),
            (HEADER_WEBHOOK_TIMESTAMP, now.as_second().to_string()),
            (HEADER_WEBHOOK_SIGNATURE, signature),
        ];
        Ok(Request::Http(HttpRequest {
            url: text_setting(settings, "url")?.to_owned(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body,
        }))
    }

    fn classify(&self, reply: &Reply) -> Delivery {
        let status = match reply {
            Reply::Http { status, .. } => *status,
            Reply::None { error } => return Delivery::Again { reason: error.clone() },
            Reply::Published { .. } => {
                return Delivery::Again { reason: "a web server answered like a topic".to_owned() };
            }
        };
        match status {
            200..=299 => Delivery::Delivered { detail: format!("answered {status}") },
            408 | 429 | 500..=599 => Delivery::Again { reason: format!("answered {status}") },
            410 => Delivery::Refused {
                reason: "answered 410: the receiver is gone for good; remove the channel"
                    .to_owned(),
            },
            300..=399 => Delivery::Refused {
                reason: format!(
                    "answered {status}: redirects are not followed; give the final `url`"
                ),
            },
            _ => Delivery::Refused { reason: format!("answered {status}") },
        }
    }
}

#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    /// When it happened; the header says when it was sent.
    timestamp: Timestamp,
    data: &'a Notification,
}

/// While a secret is changed there are two, separated by a space: each gives a signature.
fn sign(secrets: &str, id: &str, now: Timestamp, body: &[u8]) -> Result<String, String> {
    let mut signatures = Vec::new();
    for secret in secrets.split_ascii_whitespace() {
        let signer = signer(secret)?;
        let signature =
            signer.sign(id, now.as_second(), body).map_err(|error| error.to_string())?;
        signatures.push(signature);
    }
    if signatures.is_empty() { Err(UNFIT.to_owned()) } else { Ok(signatures.join(" ")) }
}

const UNFIT: &str = "the signing secret is not fit for use; it is `whsec_` and the base64 of 24 to 64 random bytes, \
                     such as from `echo whsec_$(openssl rand -base64 32)`";

fn signer(secret: &str) -> Result<Signer, String> {
    let key = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    let key = key.filter(|key| (24..=64).contains(&key.len())).ok_or(UNFIT)?;
    Signer::from_bytes(key).map_err(|_| UNFIT.to_owned())
}

/// HTTPS anywhere, plain HTTP only on this machine; nothing that two parsers could read in two ways.
fn check_url(url: &str) -> Result<(), String> {
    let wrong = |problem: &str| Err(format!("`url` {problem}"));
    if !url.chars().all(|c| c.is_ascii_graphic() && !r#"\"<>^`{|}"#.contains(c)) {
        return wrong("holds a character that must be percent-encoded");
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return wrong("is not a URL; give one such as `https://hooks.example.com/firebreak`");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return wrong("holds a user name; the message is signed instead");
    }
    if rest.contains('#') {
        return wrong("has a fragment, which is never sent; leave it out");
    }
    let Some(host) = host(authority) else {
        return wrong("has no usable host");
    };
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => wrong("is plain http to another machine; use https"),
        _ => wrong("must begin with https://"),
    }
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
    };
    let port_fits = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    (!host.is_empty() && port_fits).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    #[test]
    fn https_anywhere_and_http_only_to_this_machine() {
        for good in [
            "https://hooks.example.com/a?b=c",
            "https://hooks.example.com:8443",
            "http://127.0.0.1:9000/hook",
            "http://localhost/hook",
            "http://[::1]:9000/",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "hooks.example.com",
            "ftp://a/b",
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            r"http://127.0.0.1\@example.com/",
            "http://0177.0.0.1/",
            "https://user:pass@example.com/",
            "https:///path",
            "https://a:0/",
            "https://a:99999/",
            "https://a b/",
            "https://a/#b",
        ] {
            assert!(check_url(bad).unwrap_err().starts_with("`url` "), "{bad}");
        }
    }

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let at = Timestamp::from_second(1_649_367_553).unwrap();
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let signature = sign(SECRET, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", at, body).unwrap();
        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn two_secrets_give_two_signatures() {
        let at = Timestamp::from_second(1).unwrap();
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let both = sign(&format!("{SECRET} {other}"), "m", at, b"{}").unwrap();
        let one = |secret| sign(secret, "m", at, b"{}").unwrap();
        assert_eq!(both, format!("{} {}", one(SECRET), one(other)));
    }

    #[test]
    fn an_unfit_secret_is_refused_and_not_repeated() {
        for unfit in ["", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_%%%", "whsec_c2hvcnQ="] {
            let at = Timestamp::from_second(1).unwrap();
            let said = sign(unfit, "m", at, b"{}").unwrap_err();
            assert_eq!(said, UNFIT);
        }
    }

    #[test]
    fn replies_are_sorted_by_whether_another_try_can_help() {
        let of = |status| Webhook.classify(&Reply::Http { status, body: String::new() });
        for status in [200, 202, 204] {
            assert!(matches!(of(status), Delivery::Delivered { .. }), "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(of(status), Delivery::Again { .. }), "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 410, 413, 422] {
            assert!(matches!(of(status), Delivery::Refused { .. }), "{status}");
        }
        let none = Reply::None { error: "reset".to_owned() };
        assert!(matches!(Webhook.classify(&none), Delivery::Again { .. }));
    }
}
