//! The corpus: good inputs of the repository, and odd ones that are kept because they once broke something.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The repository, from the folder of this crate.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder in which a target's odd inputs are kept.
fn kept(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// Every file below a folder that `wanted` takes, in the order of their paths.
pub fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    paths.sort();
    paths.retain(|path| wanted(path));
    paths.into_iter().filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, paths) } else { paths.push(path) }
    }
}

/// What is kept for a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    files(&kept(target), &|_| true).into_iter().map(|(_, bytes)| bytes).collect()
}

/// Keeps an input under a name that says what it broke.
pub fn keep(target: &str, why: &str, input: &[u8]) -> std::io::Result<PathBuf> {
    let words = why.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.take(6).collect::<Vec<_>>().join("_").to_ascii_lowercase();
    name.truncate(48);
    let digest = Sha256::digest(input);
    let tail = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let folder = kept(target);
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}_{}", tail.concat()));
    fs::write(&path, input)?;
    Ok(path)
}
