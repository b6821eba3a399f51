//! `proof`: which schemes a source accepts, as the policy writes them.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Encoding, Hmac, Iam, Jwt, Scheme, Sns, Stamp};

/// One entry: a word for what the sender does of itself, or a scheme with what it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Accepted {
    Word(Word),
    Form(Form),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Bearer,
    Basic,
    /// As the source signs.
    Hmac,
    StandardWebhooks,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As this form says, whatever the source.
    Hmac(HmacForm),
    Sns(Sns),
    Jwt(Jwt),
    Iam(Iam),
}

/// How a sender signs that is none of those known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacForm {
    pub header: String,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub encoding: Encoding,
    #[serde(default = "the_body")]
    pub signs: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_header: Option<String>,
}

fn the_body() -> String {
    "{body}".to_owned()
}

impl Accepted {
    /// The schemes behind the entries, for a source whose own are `own`; else what is wrong, with the remedy.
    pub fn schemes(entries: &[Self], own: &[Scheme]) -> Result<Vec<Scheme>, String> {
        let mut schemes = Vec::new();
        for entry in entries {
            match entry {
                Self::Word(Word::Bearer) => schemes.push(Scheme::Bearer),
                Self::Word(Word::Basic) => schemes.push(Scheme::Basic),
                Self::Word(Word::StandardWebhooks) => schemes.push(Scheme::StandardWebhooks),
                Self::Word(Word::Hmac) => schemes.push(own_hmac(own)?),
                Self::Form(Form::Hmac(form)) => schemes.push(Scheme::Hmac(form.hmac()?)),
                Self::Form(Form::Sns(sns)) if sns.lists_nothing() => {
                    return Err("`sns` lists no topic, so that none may deliver; name their ARNs under `topics`".to_owned());
                }
                Self::Form(Form::Sns(sns)) => schemes.push(Scheme::Sns(sns.clone())),
                Self::Form(Form::Jwt(jwt)) => schemes.push(Scheme::Jwt(jwt.clone())),
                Self::Form(Form::Iam(iam)) => schemes.push(Scheme::Iam(iam.clone())),
            }
        }
        if schemes.is_empty() {
            return Err("is empty, so that nobody could deliver; leave it out to accept what the source can do".to_owned());
        }
        let stamped = schemes.iter().any(|scheme| match scheme {
            Scheme::Hmac(hmac) => hmac.stamp != Stamp::None,
            Scheme::StandardWebhooks => true,
            Scheme::Bearer | Scheme::Basic | Scheme::Sns(_) | Scheme::Jwt(_) | Scheme::Iam(_) => {
                false
            }
        });
        let bare = schemes
            .iter()
            .any(|scheme| matches!(scheme, Scheme::Hmac(hmac) if hmac.stamp == Stamp::None));
        if stamped && bare {
            return Err("has a signature with a time beside one without: what was recorded of the first would pass \
                        for the second for ever; keep one of them"
                .to_owned());
        }
        Ok(schemes)
    }
}

fn own_hmac(own: &[Scheme]) -> Result<Scheme, String> {
    let hmac = own.iter().find(|scheme| matches!(scheme, Scheme::Hmac(_)));
    hmac.cloned().ok_or_else(|| {
        "this source has no signature of its own; write `hmac: { header: ..., signs: ... }`"
            .to_owned()
    })
}

impl HmacForm {
    fn hmac(&self) -> Result<Hmac, String> {
        let header = |name: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if !name.is_empty() && name.bytes().all(plain) {
                Ok(name.to_ascii_lowercase().into())
            } else {
                Err(format!("`{name}` under `hmac` is no name of a header"))
            }
        };
        let said = |placeholder: &str| self.signs.matches(placeholder).count();
        let braces = self.signs.matches(['{', '}']).count();
        if said("{body}") != 1 || braces != 2 * (1 + said("{timestamp}") + said("{id}")) {
            return Err(
                "`signs` under `hmac` has `{body}` once, beside it `{timestamp}` and `{id}`"
                    .to_owned(),
            );
        }
        for (placeholder, field, header) in [
            ("{timestamp}", "timestamp_header", &self.timestamp_header),
            ("{id}", "id_header", &self.id_header),
        ] {
            if (said(placeholder) > 0) != header.is_some() {
                return Err(format!(
                    "`{placeholder}` in `signs` and `{field}` under `hmac` go together"
                ));
            }
        }
        Ok(Hmac {
            header: header(&self.header)?,
            prefix: self.prefix.clone().into(),
            encoding: self.encoding,
            signs: self.signs.clone().into(),
            stamp: match &self.timestamp_header {
                Some(name) => Stamp::Required(header(name)?),
                None => Stamp::None,
            },
            id_header: self.id_header.as_deref().map(header).transpose()?,
            once_for: None,
        })
    }
}

impl<'de> Deserialize<'de> for Accepted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AcceptedVisitor)
    }
}

struct AcceptedVisitor;

const ENTRIES: &str = "`bearer`, `basic`, `hmac`, `standard_webhooks`, or `hmac:`, `sns:`, `jwt:`, `iam:` with their settings";

impl<'de> Visitor<'de> for AcceptedVisitor {
    type Value = Accepted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ENTRIES)
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Accepted, E> {
        match word {
            "bearer" => Ok(Accepted::Word(Word::Bearer)),
            "basic" => Ok(Accepted::Word(Word::Basic)),
            "hmac" => Ok(Accepted::Word(Word::Hmac)),
            "standard_webhooks" => Ok(Accepted::Word(Word::StandardWebhooks)),
            "sns" | "jwt" | "iam" => Err(E::custom(format!(
                "`{word}` must say who is let in; write `{word}: {{ ... }}`"
            ))),
            _ => Err(E::custom(format!("there is no proof `{word}`; there are {ENTRIES}"))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Accepted, A::Error> {
        Form::deserialize(MapAccessDeserializer::new(map))
            .map(Accepted::Form)
            .map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GRAFANA, SHARED_TOKEN};
    use super::*;

    fn read(yaml: &str, own: &[Scheme]) -> Result<Vec<Scheme>, String> {
        let entries: Vec<Accepted> =
            serde_saphyr::from_str(yaml).map_err(|error| error.to_string())?;
        let written = serde_json::to_string(&entries).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Accepted>>(&written).unwrap(), entries, "{written}");
        Accepted::schemes(&entries, own)
    }

    #[test]
    fn words_and_forms_become_schemes() {
        let own = read("[hmac, bearer]", GRAFANA).unwrap();
        assert_eq!(own, [Scheme::Hmac(Hmac::GRAFANA), Scheme::Bearer]);
        let yaml = "
- hmac: { header: X-Hub-Signature-256, prefix: sha256= }
- sns: { topics: ['arn:aws:sns:eu-west-1:111122223333:alarms'] }
- jwt: { claims: { client_id: [a] } }
- iam: { accounts: ['111122223333'] }
";
        let schemes = read(yaml, SHARED_TOKEN).unwrap();
        let words: Vec<&str> = schemes.iter().map(Scheme::word).collect();
        assert_eq!(words, ["hmac", "sns", "jwt", "iam"]);
        let Some(Scheme::Hmac(hmac)) = schemes.first() else { panic!("{schemes:?}") };
        assert_eq!((&*hmac.header, &*hmac.signs), ("x-hub-signature-256", "{body}"));
        let yaml = "[hmac: { header: X-S, signs: '{id}.{timestamp}.{body}', timestamp_header: X-T, id_header: X-I, encoding: base64 }]";
        assert!(read(yaml, SHARED_TOKEN).is_ok());
    }

    #[test]
    fn what_would_let_in_nobody_or_everybody_is_refused_with_the_remedy() {
        for (yaml, says) in [
            ("[]", "leave it out"),
            ("[hmac]", "no signature of its own"),
            ("[sns]", "must say who"),
            ("[iam]", "must say who"),
            ("[bearer, magic]", "there is no proof `magic`"),
            ("[sns: {}]", "topics"),
            ("[sns: { topics: [] }]", "lists no topic"),
            ("[sns: { topics: ['*'] }]", "is no ARN of a topic"),
            ("[jwt: {}]", "lists nobody"),
            ("[iam: { principals: ['*'] }]", "is no ARN of a role"),
            ("[hmac: { header: 'X S' }]", "no name of a header"),
            ("[hmac: { header: X-S, signs: '{timestamp}.{body}' }]", "go together"),
            ("[hmac: { header: X-S, timestamp_header: X-T }]", "go together"),
            ("[hmac: { header: X-S, signs: '{body}{body}' }]", "`{body}` once"),
            ("[hmac: { header: X-S, signs: '{time}{body}' }]", "`{body}` once"),
            ("[hmac: { header: X-S, secret: hunter2 }]", "unknown field `secret`"),
            ("[standard_webhooks, hmac: { header: X-S }]", "keep one of them"),
        ] {
            let error = read(yaml, SHARED_TOKEN).unwrap_err();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }
}
