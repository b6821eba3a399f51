//! Secrets of the local platform: one's own per source, else a shared token that the first start makes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use firebreak_core::proof::{Secret, Secrets, UnfitSecret};
use firebreak_engine::ports::{SecretError, SecretSource};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    #[error("the token file {file} cannot be used: {error}")]
    File { file: PathBuf, error: std::io::Error },
    #[error("{origin}: {error}")]
    Unfit { origin: String, error: UnfitSecret },
}

/// A token, and where it came from: the path of a file, never the token itself.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub secrets: Secrets,
    /// The file that this start made, to be named in the log.
    pub made: Option<PathBuf>,
}

impl Tokens {
    /// The given token, else the file's, else a new one in the file (mode 0600).
    pub fn find(given: Option<&str>, file: &Path) -> Result<Self, NoToken> {
        if let Some(token) = given {
            return Ok(Self { secrets: fit(token, "the given token")?, made: None });
        }
        let in_file = |error| NoToken::File { file: file.to_owned(), error };
        match fs::read_to_string(file) {
            Ok(token) => {
                Ok(Self { secrets: fit(token.trim(), &file.display().to_string())?, made: None })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let token = random().map_err(in_file)?;
                write(file, &token).map_err(in_file)?;
                Ok(Self {
                    secrets: fit(&token, &file.display().to_string())?,
                    made: Some(file.to_owned()),
                })
            }
            Err(error) => Err(in_file(error)),
        }
    }
}

fn fit(token: &str, origin: &str) -> Result<Secrets, NoToken> {
    Secret::new(token.to_owned())
        .map(Secrets::from)
        .map_err(|error| NoToken::Unfit { origin: origin.to_owned(), error })
}

/// 256 bits from the operating system, in hexadecimal.
fn random() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    }))
}

/// Never over a file that another start made at the same moment.
fn write(file: &Path, token: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    writeln!(file, "{token}")?;
    file.sync_all()
}

/// All secrets that the local platform knows.
#[derive(Debug, Clone)]
pub struct LocalSecrets {
    /// For every source that has none of its own.
    pub shared: Secrets,
    pub sources: BTreeMap<String, Secrets>,
    pub channels: BTreeMap<String, String>,
}

#[async_trait]
impl SecretSource for LocalSecrets {
    async fn of_source(&self, source: &str) -> Result<Option<Secrets>, SecretError> {
        Ok(Some(self.sources.get(source).unwrap_or(&self.shared).clone()))
    }

    async fn of_channel(&self, channel: &str) -> Result<Option<String>, SecretError> {
        Ok(self.channels.get(channel).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_private_token_and_the_next_one_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webhook-token");
        let first = Tokens::find(None, &file).unwrap();
        assert_eq!(first.made.as_deref(), Some(file.as_path()));
        let second = Tokens::find(None, &file).unwrap();
        assert!(second.made.is_none());
        assert_eq!(first.secrets.current.reveal(), second.secrets.current.reveal());
        assert_eq!(first.secrets.current.reveal().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!format!("{first:?}").contains(first.secrets.current.reveal()));
    }
}
