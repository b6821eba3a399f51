//! The certificate of SNS: whose it is, when it holds, and whether a signature was made with its key.
//!
//! SNS serves the certificate alone and not the chain above it. That it is genuine rests on where it came from: over
//! TLS, from the endpoint of SNS, whose own chain the fetching client has verified.

use jiff::Timestamp;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::address::Topic;
use super::envelope::Signature;
use crate::proof::Denied;

/// `Certificate` says that it is not one of SNS or not valid now, `Wrong` that the signature is not by its key.
pub(super) fn verify(
    pem: &[u8],
    topic: &Topic,
    now: Timestamp,
    signed: &[u8],
    signature: &Signature,
) -> Result<(), Denied> {
    let chain = Certificate::load_pem_chain(pem).map_err(|_| Denied::Certificate)?;
    let certificate = chain.first().ok_or(Denied::Certificate)?.tbs_certificate();
    let validity = certificate.validity();
    let now = u64::try_from(now.as_second()).map_err(|_| Denied::Certificate)?;
    let valid = validity.not_before.to_unix_duration().as_secs() <= now
        && now <= validity.not_after.to_unix_duration().as_secs();
    if !valid || !is_of_sns(certificate, topic) {
        return Err(Denied::Certificate);
    }
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    let verified = match signature {
        Signature::Sha1(bytes) => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, key)
                .verify(signed, bytes)
        }
        Signature::Sha256(bytes) => {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(signed, bytes)
        }
    };
    verified.map_err(|_| Denied::Wrong)
}

fn is_of_sns(certificate: &x509_cert::TbsCertificate, topic: &Topic) -> bool {
    let Ok(Some((_, SubjectAltName(names)))) = certificate.get_extension::<SubjectAltName>() else {
        return false;
    };
    let expected = topic.certified_names();
    names.iter().any(|name| {
        matches!(name, GeneralName::DnsName(name) if expected.iter().any(|one| one == name.as_str()))
    })
}
