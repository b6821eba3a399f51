//! Runbooks in a folder: all of them are good, or none is used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use firebreak_core::ids::RunbookName;
use firebreak_core::runbook::{BadRunbook, Runbook, RunbookSet, read};

/// What is wrong with one file; for a YAML error the text holds line and column.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    #[error("{}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: {error}", path.display())]
    Bad { path: PathBuf, error: BadRunbook },
    #[error("{}: the runbook `{name}` is also in {}", path.display(), first.display())]
    Twice { path: PathBuf, name: RunbookName, first: PathBuf },
}

/// Every problem of the folder, so that one look is enough.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct BadFolder(pub Vec<BadFile>);

/// The `*.yaml` and `*.yml` files of a folder, by name; folders inside it are not looked at.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, BadFile> {
    let unreadable = |error| BadFile::Unreadable { path: folder.to_path_buf(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let yaml =
            path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads one file.
pub fn load_file(path: &Path) -> Result<Runbook, BadFile> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| BadFile::Unreadable { path: path.to_path_buf(), error })?;
    read(&text).map_err(|error| BadFile::Bad { path: path.to_path_buf(), error })
}

/// Reads a folder. Its runbooks are asked by their `order`, then by name.
pub fn load_folder(folder: &Path) -> Result<RunbookSet, BadFolder> {
    let mut bad = Vec::new();
    let mut runbooks: Vec<Runbook> = Vec::new();
    let mut seen: BTreeMap<RunbookName, PathBuf> = BTreeMap::new();
    for path in files(folder).map_err(|error| BadFolder(vec![error]))? {
        match load_file(&path) {
            Err(error) => bad.push(error),
            Ok(runbook) => {
                if let Some(first) = seen.get(&runbook.runbook) {
                    let (name, first) = (runbook.runbook, first.clone());
                    bad.push(BadFile::Twice { path, name, first });
                } else {
                    seen.insert(runbook.runbook.clone(), path);
                    runbooks.push(runbook);
                }
            }
        }
    }
    if bad.is_empty() { Ok(runbooks.into()) } else { Err(BadFolder(bad)) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn runbook(name: &str) -> String {
        format!(
            "runbook: {name}\nowner: platform\nwhen: alert.source == 'sumologic'\n\
             targets: {{ ec2.instance: alert.labels.instance_id }}\nsteps:\n  - action: ec2.reboot\n    \
             verify: {{ within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }}\n"
        )
    }

    #[test]
    fn a_folder_is_read_into_the_order_of_its_runbooks() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in
            [("b.yaml", runbook("one")), ("a.yml", runbook("two")), ("c.md", "no".to_owned())]
        {
            fs::write(folder.path().join(file), text).unwrap();
        }
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let names: Vec<String> = load_folder(folder.path())
            .unwrap()
            .iter()
            .map(|runbook| runbook.runbook.to_string())
            .collect();
        assert_eq!(names, ["one", "two"]);
    }

    #[test]
    fn all_that_is_wrong_is_named_with_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let same = runbook("same");
        let typo = runbook("typo").replace("owner:", "ownr:");
        for (file, text) in [("a.yaml", &same), ("b.yaml", &same), ("c.yaml", &typo)] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let error = load_folder(folder.path()).unwrap_err();
        assert_eq!(error.0.len(), 2);
        let text = error.to_string();
        assert!(text.contains("b.yaml: the runbook `same` is also in") && text.contains("a.yaml"));
        assert!(text.contains("c.yaml") && text.contains("line 2"), "{text}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(load_folder(Path::new("/no/such/folder")).is_err());
    }
}
