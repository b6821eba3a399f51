//! The policy from its file, with what is wrong named by file and place.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use firebreak_core::policy::{BadPolicy, Policy, read};

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub enum BadPolicyFile {
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{} is not a policy:\n{error}\ncheck it with `firebreak policy lint`", path.display())]
    Bad { path: PathBuf, error: BadPolicy },
}

/// Reads a file that holds nothing but the policy.
pub fn load(path: &Path) -> Result<Policy, BadPolicyFile> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| BadPolicyFile::Unreadable { path: path.to_path_buf(), error })?;
    read(&text).map_err(|error| BadPolicyFile::Bad { path: path.to_path_buf(), error })
}

/// As [`load`]; without a file every default holds.
pub fn load_if_there(path: &Path) -> Result<Policy, BadPolicyFile> {
    match load(path) {
        Err(BadPolicyFile::Unreadable { error, .. }) if error.kind() == ErrorKind::NotFound => {
            Ok(Policy::default())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_policy_that_is_not_there_is_the_default_and_a_bad_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        assert_eq!(load_if_there(&path).unwrap(), Policy::default());
        assert!(load(&path).is_err());
        fs::write(&path, "flapping: {start: 9}\n").unwrap();
        assert_eq!(load_if_there(&path).unwrap().flapping.start, 9);
        fs::write(&path, "flaping: {}\n").unwrap();
        let error = load_if_there(&path).unwrap_err().to_string();
        assert!(error.contains("policy.yaml") && error.contains("line 1"), "{error}");
    }
}
