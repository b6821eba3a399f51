//! Standard Webhooks 1.0: id, time and body signed with a shared key (`v1`) or with the sender's own (`v1a`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac::{Context, HMAC_SHA256, Key};
use ring::signature::{ED25519, UnparsedPublicKey};
use subtle::{Choice, ConstantTimeEq as _};

use super::replay::{seconds, window};
use super::{Denied, Nonce, Request, Secret, Secrets};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// More signatures in one header are not looked at.
const MOST_SIGNATURES: usize = 8;

pub(super) fn check(request: &Request<'_>, secrets: &Secrets) -> Result<Nonce, Denied> {
    let shown = (request.header)(SIGNATURE).ok_or(Denied::Missing)?;
    let header = |name| (request.header)(name).ok_or(Denied::Malformed);
    let (id, stamp) = (header(ID)?, header(TIMESTAMP)?);
    let stamped = seconds(stamp)?;
    if id.is_empty() {
        return Err(Denied::Malformed);
    }
    let signatures: Vec<(&str, Vec<u8>)> =
        shown.split_ascii_whitespace().filter_map(signature).take(MOST_SIGNATURES).collect();
    if signatures.is_empty() {
        return Err(Denied::Malformed);
    }
    let mut right = Choice::from(0);
    for secret in secrets.live() {
        if let Some(key) = secret.decoded_key() {
            let expected = shared(&key, id, stamp, request.body);
            for (_, shown) in signatures.iter().filter(|(version, _)| *version == "v1") {
                right |= expected.as_ref().ct_eq(shown);
            }
        }
        if let Some(key) = secret.public_key() {
            let key = UnparsedPublicKey::new(&ED25519, key);
            let signed = [format!("{id}.{stamp}.").as_bytes(), request.body].concat();
            for (_, shown) in signatures.iter().filter(|(version, _)| *version == "v1a") {
                right |= Choice::from(u8::from(key.verify(&signed, shown).is_ok()));
            }
        }
    }
    if !bool::from(right) {
        return Err(Denied::Wrong);
    }
    Ok(Nonce::of(request.source, &[id], request.body, window(stamped, request.now)?))
}

pub(super) fn sign(
    secret: &Secret,
    id: &str,
    body: &[u8],
    now: Timestamp,
) -> Option<Vec<(String, String)>> {
    let stamp = now.as_second().to_string();
    let signature = shared(&secret.decoded_key()?, id, &stamp, body);
    let signature = format!("v1,{}", STANDARD.encode(signature));
    let headers = [(ID, id.to_owned()), (TIMESTAMP, stamp), (SIGNATURE, signature)];
    Some(headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn shared(key: &[u8], id: &str, stamp: &str, body: &[u8]) -> ring::hmac::Tag {
    let mut context = Context::with_key(&Key::new(HMAC_SHA256, key));
    context.update(format!("{id}.{stamp}.").as_bytes());
    context.update(body);
    context.sign()
}

/// `v1,<base64 of 32 bytes>` or `v1a,<base64 of 64 bytes>`.
fn signature(one: &str) -> Option<(&str, Vec<u8>)> {
    let (version, encoded) = one.split_once(',')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    match (version, bytes.len()) {
        ("v1", 32) | ("v1a", 64) => Some((version, bytes)),
        _ => None,
    }
}
