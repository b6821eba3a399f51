//! Properties: nothing that differs in one bit from what was signed gets in, and no clock stretches the window.

use std::slice::from_ref;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::tests::{BODY, CURRENT, PREVIOUS, Sent, now, secrets};
use super::{Denied, Encoding, Hmac, SHARED_TOKEN, Scheme, Stamp};

fn custom(encoding: Encoding) -> Scheme {
    Scheme::Hmac(Hmac {
        header: "x-signature".into(),
        prefix: "sha256=".into(),
        encoding,
        signs: "{id}.{timestamp}.{body}".into(),
        stamp: Stamp::Required("x-time".into()),
        id_header: Some("x-id".into()),
        once_for: None,
    })
}

/// Every scheme that is made with a secret.
fn schemes() -> Vec<Scheme> {
    vec![
        Scheme::Bearer,
        Scheme::Basic,
        Scheme::Hmac(Hmac::GRAFANA),
        Scheme::Hmac(Hmac::PAGERDUTY),
        Scheme::Hmac(Hmac::SLACK),
        custom(Encoding::Hex),
        custom(Encoding::Base64),
        Scheme::StandardWebhooks,
    ]
}

fn scheme() -> impl Strategy<Value = Scheme> {
    proptest::sample::select(schemes())
}

fn signs_body(scheme: &Scheme) -> bool {
    !SHARED_TOKEN.contains(scheme)
}

proptest! {
    #[test]
    fn only_the_secret_itself_opens(header in ".{0,60}") {
        prop_assume!(!header.contains(CURRENT));
        let sent = Sent::new(&[("authorization", &header)], BODY);
        prop_assert!(sent.check(SHARED_TOKEN, &secrets(&[CURRENT]), now()).is_err());
    }

    #[test]
    fn what_a_scheme_signs_it_accepts_under_both_live_secrets(scheme in scheme(), first: bool) {
        let signer = if first { CURRENT } else { PREVIOUS };
        let sent = Sent::signed(&scheme, signer, now());
        prop_assert!(sent.check(&[scheme], &secrets(&[CURRENT, PREVIOUS]), now()).is_ok());
    }

    #[test]
    fn no_headers_and_no_body_get_in_without_the_secret(
        scheme in scheme(),
        signer in "[a-zA-Z0-9]{16,40}",
        body in proptest::collection::vec(any::<u8>(), 0..40),
        values in proptest::collection::vec("[ -~]{0,80}", 6),
    ) {
        prop_assume!(signer != CURRENT);
        // Signed with another secret: of the right form, and wrong.
        let mut sent = Sent::signed(&scheme, &signer, now());
        sent.body.clone_from(&body);
        prop_assert!(sent.check(from_ref(&scheme), &secrets(&[CURRENT]), now()).is_err());
        // Anything in the headers that are looked at.
        for ((_, value), random) in sent.headers.iter_mut().zip(values) {
            *value = random;
        }
        prop_assert!(sent.check(&schemes(), &secrets(&[CURRENT]), now()).is_err());
    }

    #[test]
    fn a_changed_byte_of_the_body_is_noticed(scheme in scheme(), at in 0..BODY.len(), bit in 0..8_u8) {
        prop_assume!(signs_body(&scheme));
        let mut sent = Sent::signed(&scheme, CURRENT, now());
        sent.body[at] ^= 1 << bit;
        prop_assert_eq!(sent.check(&[scheme], &secrets(&[CURRENT]), now()), Err(Denied::Wrong));
    }

    #[test]
    fn a_cut_or_changed_proof_is_noticed(scheme in scheme(), which in 0..3_usize, at in 0..100_usize, cut: bool, bit in 0..7_u8) {
        let mut sent = Sent::signed(&scheme, CURRENT, now());
        let count = sent.headers.len();
        let value = &mut sent.headers[which % count].1;
        let at = at % value.len();
        if cut {
            value.truncate(at);
        } else {
            let mut bytes = std::mem::take(value).into_bytes();
            bytes[at] ^= 1 << bit;
            *value = String::from_utf8_lossy(&bytes).into_owned();
        }
        // The word `Bearer` and the user of `Basic` may differ and prove the same.
        if cut || signs_body(&scheme) {
            prop_assert!(sent.check(&[scheme], &secrets(&[CURRENT]), now()).is_err(), "{sent:?}");
        }
    }

    #[test]
    fn the_window_holds_for_every_clock(scheme in scheme(), skew in -4_000_i64..4_000) {
        let at = now() + SignedDuration::from_secs(skew);
        let sent = Sent::signed(&scheme, CURRENT, now());
        let proven = sent.check(from_ref(&scheme), &secrets(&[CURRENT]), at);
        let timed = signs_body(&scheme) && scheme != Scheme::Hmac(Hmac::PAGERDUTY);
        match proven {
            Ok(proven) => {
                prop_assert!(!timed || skew.abs() <= 300);
                prop_assert_eq!(proven.nonce.is_some(), signs_body(&scheme));
                // While it passes it is remembered.
                let nonce = proven.nonce.filter(|_| timed);
                if let Some(nonce) = nonce {
                    prop_assert_eq!(sent.check(&[scheme], &secrets(&[CURRENT]), nonce.until), Err(Denied::Stale));
                }
            }
            Err(denied) => {
                prop_assert!(timed && skew.abs() > 300);
                prop_assert_eq!(denied, Denied::Stale);
            }
        }
    }

    #[test]
    fn the_same_delivery_has_the_same_nonce_and_another_has_not(scheme in scheme(), other in "[a-z{}\"]{0,20}") {
        prop_assume!(signs_body(&scheme) && other.as_bytes() != BODY);
        let of = |body: &[u8]| {
            let secret = super::tests::secret(CURRENT);
            let headers = scheme.sign(&secret, "msg_1", body, now()).unwrap();
            let sent = Sent { headers, body: body.to_vec() };
            sent.check(from_ref(&scheme), &secrets(&[CURRENT]), now()).unwrap().nonce.unwrap()
        };
        prop_assert_eq!(of(BODY), of(BODY));
        prop_assert_ne!(of(BODY).key, of(other.as_bytes()).key);
    }
}
