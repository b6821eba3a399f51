//! Bearer: the secret itself, in the `Authorization` header.

use super::{Denied, Secret, Secrets, accept, credentials};

pub(super) fn check<'a>(
    header: &(dyn Fn(&str) -> Option<&'a str> + Sync),
    secrets: &Secrets,
) -> Result<(), Denied> {
    accept(secrets, credentials(header, "bearer")?.as_bytes())
}

pub(super) fn header(secret: &Secret) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {}", secret.reveal()))
}
