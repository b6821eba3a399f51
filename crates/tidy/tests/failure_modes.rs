//! The page on failure modes is held to its word: thirty-two rows, files that are there, tests that exist and run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing helper should panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROWS: usize = 32;

struct Row {
    number: String,
    files: Vec<String>,
    tests: Vec<String>,
    is_open: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn rows() -> Vec<Row> {
    let page = std::fs::read_to_string(root().join("docs/FAILURE_MODES.md")).unwrap();
    let lines = page.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect());
    rows.filter(|cells: &Vec<&str>| cells.first().is_some_and(|cell| cell.parse::<u32>().is_ok()))
        .map(|cells| {
            let [number, _, defence, files, tests] = cells[..] else {
                panic!("this row has not five cells: {cells:?}");
            };
            Row {
                number: number.to_owned(),
                files: quoted(files),
                tests: quoted(tests),
                is_open: defence.contains("**Open**"),
            }
        })
        .collect()
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every test function with the attributes above it.
fn tests() -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    let mut found = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(path).unwrap();
        let mut attributes: Vec<String> = Vec::new();
        for line in text.lines().map(str::trim) {
            let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some(name) = name.and_then(|rest| rest.split(['(', '<']).next()) {
                if attributes.iter().any(|attribute| is_test(attribute)) {
                    found.insert(name.to_owned(), attributes.clone());
                }
                attributes.clear();
            } else if line.starts_with("#[") {
                attributes.push(line.to_owned());
            } else if !line.starts_with("//") {
                attributes.clear();
            }
        }
    }
    assert!(found.len() > 500, "the tests were not found");
    found
}

fn is_test(attribute: &str) -> bool {
    attribute == "#[test]" || attribute.starts_with("#[tokio::test")
}

#[test]
fn every_failure_mode_has_its_row() {
    let numbers: Vec<String> = rows().into_iter().map(|row| row.number).collect();
    let wanted: Vec<String> = (1..=ROWS).map(|number| number.to_string()).collect();
    assert_eq!(numbers, wanted);
}

#[test]
fn every_defence_is_where_the_page_says() {
    for row in rows() {
        assert!(!row.files.is_empty(), "row {} names no file", row.number);
        for file in row.files {
            assert!(root().join(&file).is_file(), "row {}: there is no {file}", row.number);
        }
    }
}

#[test]
fn every_proof_on_the_page_exists_and_runs() {
    let tests = tests();
    for row in rows() {
        let named: BTreeSet<&String> = row.tests.iter().collect();
        assert_eq!(named.len(), row.tests.len(), "row {} names a test twice", row.number);
        assert!(
            row.is_open || !named.is_empty(),
            "row {} has no proof and is not open",
            row.number
        );
        for test in named {
            let attributes = tests
                .get(test)
                .unwrap_or_else(|| panic!("row {}: there is no test {test}", row.number));
            let ignored = attributes.iter().any(|attribute| attribute.contains("ignore"));
            assert!(!ignored, "row {}: {test} is ignored", row.number);
        }
    }
}
