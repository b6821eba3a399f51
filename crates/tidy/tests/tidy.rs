//! Rules of the tree that a compiler does not know: who may import whom, first lines, file sizes, wiring files.
#![expect(clippy::unwrap_used, reason = "a failing helper should panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which of our crates each of our crates may name, apart from tests.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("alert_ingest", &["firebreak-aws", "firebreak-core", "firebreak-engine", "firebreak-web"]),
    ("event_relay", &["firebreak-aws", "firebreak-core", "firebreak-engine"]),
    ("firebreak-aws", &["firebreak-core", "firebreak-engine"]),
    ("firebreak-checkout", &[]),
    (
        "firebreak-cli",
        &[
            "firebreak-checkout",
            "firebreak-core",
            "firebreak-detection",
            "firebreak-engine",
            "firebreak-http",
            "firebreak-local",
            "firebreak-reports",
            "firebreak-simulator",
            "firebreak-web",
        ],
    ),
    ("firebreak-core", &[]),
    ("firebreak-detection", &["firebreak-core"]),
    ("firebreak-engine", &["firebreak-core"]),
    ("firebreak-fuzz", &["firebreak-core", "firebreak-engine", "firebreak-reports"]),
    ("firebreak-http", &["firebreak-core", "firebreak-engine"]),
    ("firebreak-local", &["firebreak-core", "firebreak-engine"]),
    ("firebreak-model", &["firebreak-core", "firebreak-engine", "firebreak-simulator"]),
    ("firebreak-reports", &[]),
    ("firebreak-simulator", &["firebreak-core", "firebreak-engine"]),
    ("firebreak-web", &["firebreak-core", "firebreak-engine"]),
    ("notifier", &["firebreak-aws", "firebreak-core", "firebreak-engine", "firebreak-http"]),
    ("runbook_action", &["firebreak-aws", "firebreak-core", "firebreak-engine", "firebreak-http"]),
    ("tidy", &[]),
];

/// What the pure core may link: values, formats and mathematics, no runtime and no client.
const CORE_MAY_LINK: &[&str] = &[
    "base64",
    "cel",
    "jiff",
    "regex",
    "ring",
    "schemars",
    "serde",
    "serde-saphyr",
    "serde_json",
    "sha2",
    "standardwebhooks",
    "strsim",
    "subtle",
    "thiserror",
    "x509-cert",
];

/// No source file is longer; most are far shorter.
const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn packages() -> BTreeMap<String, Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let linked = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == cargo_metadata::DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), linked)
        })
        .collect()
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root().join("crates"), "rs", &mut found);
    assert!(found.len() > 50, "the tree was not found");
    found
}

#[test]
fn crates_import_in_one_direction() {
    let packages = packages();
    let ours: Vec<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    for (name, linked) in &packages {
        let (_, allowed) =
            MAY_IMPORT.iter().find(|(package, _)| package == name).unwrap_or_else(|| {
                panic!("`{name}` has no line in MAY_IMPORT: say what it may import")
            });
        for import in linked.iter().filter(|import| ours.contains(&import.as_str())) {
            assert!(allowed.contains(&import.as_str()), "`{name}` must not import `{import}`");
        }
    }
    assert_eq!(packages.len(), MAY_IMPORT.len());
}

#[test]
fn the_core_links_nothing_that_could_do_anything() {
    let packages = packages();
    for dependency in &packages["firebreak-core"] {
        assert!(
            CORE_MAY_LINK.contains(&dependency.as_str()),
            "the core must not link `{dependency}`"
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! ") && first.len() > 12,
            "{} begins without `//!`",
            path.display()
        );
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for path in rust_files() {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines; cut it by concept", path.display());
    }
}

#[test]
fn no_module_is_a_drawer() {
    let drawers = ["util", "utils", "common", "helpers", "misc", "types", "manager"];
    for path in rust_files() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        for name in [stem, folder] {
            assert!(!drawers.contains(&name.as_str()), "{} is a drawer", path.display());
        }
    }
}
