//! Keyed hashes in a header: one implementation, and what each sender does differently as data.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac::{Context, HMAC_SHA256, Key};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq as _};

use super::replay::{hex, seconds, window};
use super::{Denied, Nonce, Request, Secret, Secrets};

/// More signatures in one header are not looked at; senders have two while they change a secret.
const MOST_SIGNATURES: usize = 8;

/// How one sender signs with HMAC-SHA256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// The lower-case name of the header with the signature, or several of them separated by commas.
    pub header: Cow<'static, str>,
    /// What stands before each signature, such as `v1=` or nothing.
    pub prefix: Cow<'static, str>,
    pub encoding: Encoding,
    /// What is signed: a text with `{body}` and, where there are such headers, `{timestamp}` and `{id}`.
    pub signs: Cow<'static, str>,
    pub stamp: Stamp,
    /// The lower-case name of the header with the id of the message.
    pub id_header: Option<Cow<'static, str>>,
    /// For a sender without a timestamp whose bodies hold the id of their event, so that none is sent twice but
    /// by a retry: how long each is remembered.
    pub once_for: Option<SignedDuration>,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// Where the time of the signature stands, in seconds since 1970, by the lower-case name of its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamp {
    None,
    /// Without the header the body alone is signed.
    Optional(Cow<'static, str>),
    Required(Cow<'static, str>),
}

impl Hmac {
    /// Grafana 12: <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>.
    /// The time is signed only where the contact point names a header for it; only then is there an end to replays.
    pub const GRAFANA: Self = Self {
        header: Cow::Borrowed("x-grafana-alerting-signature"),
        prefix: Cow::Borrowed(""),
        encoding: Encoding::Hex,
        signs: Cow::Borrowed("{timestamp}:{body}"),
        stamp: Stamp::Optional(Cow::Borrowed("x-grafana-alerting-timestamp")),
        id_header: None,
        once_for: None,
    };

    /// PagerDuty webhooks v3, which sign no time and try for two days: <https://developer.pagerduty.com/docs/verifying-signatures>.
    pub const PAGERDUTY: Self = Self {
        header: Cow::Borrowed("x-pagerduty-signature"),
        prefix: Cow::Borrowed("v1="),
        encoding: Encoding::Hex,
        signs: Cow::Borrowed("{body}"),
        stamp: Stamp::None,
        id_header: None,
        once_for: Some(SignedDuration::from_hours(72)),
    };

    /// Slack's v0: <https://api.slack.com/authentication/verifying-requests-from-slack>.
    pub const SLACK: Self = Self {
        header: Cow::Borrowed("x-slack-signature"),
        prefix: Cow::Borrowed("v0="),
        encoding: Encoding::Hex,
        signs: Cow::Borrowed("v0:{timestamp}:{body}"),
        stamp: Stamp::Required(Cow::Borrowed("x-slack-request-timestamp")),
        id_header: None,
        once_for: None,
    };

    pub(super) fn check(
        &self,
        request: &Request<'_>,
        secrets: &Secrets,
    ) -> Result<Option<Nonce>, Denied> {
        let shown = (request.header)(&self.header).ok_or(Denied::Missing)?;
        let stamp = match &self.stamp {
            Stamp::None => None,
            Stamp::Optional(name) => (request.header)(name),
            Stamp::Required(name) => Some((request.header)(name).ok_or(Denied::Malformed)?),
        };
        let id = match &self.id_header {
            Some(name) => Some((request.header)(name).ok_or(Denied::Malformed)?),
            None => None,
        };
        let stamped = stamp.map(seconds).transpose()?;
        if stamp.is_none() && self.passes_for_stamped(request.body) {
            return Err(Denied::Wrong);
        }
        let length = self.encoding.length();
        let candidates: Vec<&[u8]> = shown
            .split(',')
            .filter_map(|one| one.trim().strip_prefix(&*self.prefix))
            .map(str::as_bytes)
            .filter(|signature| signature.len() == length)
            .take(MOST_SIGNATURES)
            .collect();
        if candidates.is_empty() {
            return Err(Denied::Malformed);
        }
        let mut right = Choice::from(0);
        for key in secrets.live().filter_map(Secret::key) {
            let expected = self.signature(key, stamp, id, request.body);
            for candidate in &candidates {
                right |= expected.as_bytes().ct_eq(candidate);
            }
        }
        if !bool::from(right) {
            return Err(Denied::Wrong);
        }
        let parts = id.or(stamp);
        let until = match (stamped, self.once_for) {
            (Some(stamped), _) => Some(window(stamped, request.now)?),
            (None, Some(long)) => request.now.checked_add(long).ok(),
            (None, None) => None,
        };
        Ok(until.map(|until| Nonce::of(request.source, parts.as_slice(), request.body, until)))
    }

    pub(super) fn sign(
        &self,
        secret: &Secret,
        id: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Option<Vec<(String, String)>> {
        let key = secret.key()?;
        let seconds = now.as_second().to_string();
        let stamp = match &self.stamp {
            Stamp::None => None,
            Stamp::Optional(name) | Stamp::Required(name) => Some((name, seconds.as_str())),
        };
        let id = self.id_header.as_ref().map(|name| (name, id));
        let signature =
            self.signature(key, stamp.map(|(_, value)| value), id.map(|(_, value)| value), body);
        let signature = format!("{}{signature}", self.prefix);
        let headers = [Some((&self.header, signature.as_str())), stamp, id].into_iter().flatten();
        Some(headers.map(|(name, value)| (name.to_string(), value.to_owned())).collect())
    }

    fn signature(&self, key: &[u8], stamp: Option<&str>, id: Option<&str>, body: &[u8]) -> String {
        let signs = match (&self.stamp, stamp) {
            (Stamp::Optional(_), None) => "{body}",
            _ => &self.signs,
        };
        let (before, after) = signs.split_once("{body}").unwrap_or((signs, ""));
        let filled = |text: &str| {
            text.replace("{timestamp}", stamp.unwrap_or_default())
                .replace("{id}", id.unwrap_or_default())
        };
        let mut context = Context::with_key(&Key::new(HMAC_SHA256, key));
        context.update(filled(before).as_bytes());
        context.update(body);
        context.update(filled(after).as_bytes());
        self.encoding.write(context.sign().as_ref())
    }

    /// A signature over `<time>:<body>` is also one over a body that begins with a time. Shown without its header
    /// it would be good for ever, so no such body is taken; JSON never begins like that.
    fn passes_for_stamped(&self, body: &[u8]) -> bool {
        let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
        matches!(self.stamp, Stamp::Optional(_)) && digits > 0 && body.get(digits) == Some(&b':')
    }
}

impl Encoding {
    /// Of a written SHA-256.
    fn length(self) -> usize {
        match self {
            Encoding::Hex => 64,
            Encoding::Base64 => 44,
        }
    }

    fn write(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Hex => hex(bytes),
            Encoding::Base64 => STANDARD.encode(bytes),
        }
    }
}
