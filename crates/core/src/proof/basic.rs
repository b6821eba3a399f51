//! Basic: the secret as the password of any user, for senders that know no other way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Denied, Secret, Secrets, accept, credentials};

pub(super) fn check<'a>(
    header: &(dyn Fn(&str) -> Option<&'a str> + Sync),
    secrets: &Secrets,
) -> Result<(), Denied> {
    let decoded = STANDARD.decode(credentials(header, "basic")?).map_err(|_| Denied::Malformed)?;
    let colon = decoded.iter().position(|byte| *byte == b':');
    accept(secrets, colon.and_then(|at| decoded.get(at + 1..)).unwrap_or(&decoded))
}

pub(super) fn header(secret: &Secret) -> (String, String) {
    let credentials = STANDARD.encode(format!("firebreak:{}", secret.reveal()));
    ("authorization".to_owned(), format!("Basic {credentials}"))
}
