//! Picks the roots of AWS out of Mozilla's list, so that the binary carries five certificates and not all.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The roots behind every endpoint of AWS: <https://www.amazontrust.com/repository/>.
const AMAZON: [&str; 2] = ["Amazon Root CA ", "Starfield Services Root Certificate Authority - G2"];

/// A root names itself as its issuer before anything else that is long.
const ISSUER_ENDS_BY: usize = 256;

#[expect(clippy::disallowed_methods, reason = "Cargo tells a build script its folder in this way")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let roots = TLS_SERVER_ROOT_CERTS.iter().filter(|root| {
        let head = root.get(..ISSUER_ENDS_BY).unwrap_or(root);
        AMAZON.iter().any(|name| head.windows(name.len()).any(|part| part == name.as_bytes()))
    });
    let pem: Vec<String> = roots
        .map(|root| {
            let body = STANDARD.encode(root);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        })
        .collect();
    assert_eq!(pem.len(), 5, "AWS has five roots");
    let folder = std::env::var("OUT_DIR").expect("Cargo sets it");
    let file = Path::new(&folder).join("amazon_roots.pem");
    std::fs::write(file, pem.concat()).expect("the folder is ours");
}
