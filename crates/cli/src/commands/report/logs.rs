//! Finds the logs that were named, and reads them while a bar shows how far it is.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, bail};
use firebreak_reports::{Input, Progress, Scan, Scanned};
use indicatif::{ProgressBar, ProgressStyle};

/// Folders within folders: year, month and day, and a few above.
const DEEPEST: usize = 16;

pub(super) async fn scan(named: &[PathBuf], how: Scan) -> anyhow::Result<Scanned> {
    let mut files = Vec::new();
    for path in named {
        find(path, &mut files)?;
    }
    let size = files.iter().filter_map(|path| Some(std::fs::metadata(path).ok()?.len())).sum();
    let inputs: Vec<Input> = files.into_iter().map(input).collect();
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let mut work =
        tokio::task::spawn_blocking(move || firebreak_reports::scan(inputs, &how, &watched));
    let bar = bar(size);
    loop {
        tokio::select! {
            scanned = &mut work => {
                bar.finish_and_clear();
                return scanned.context("the logs could not be read");
            }
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                bar.set_position(progress.bytes.load(Ordering::Relaxed));
            }
        }
    }
}

/// Files as they were named; of a folder all logs below it, in the order of their names.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.as_os_str() == "-" {
        found.push(path.to_owned());
        return Ok(());
    }
    let facts =
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !facts.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let before = found.len();
    below(path, 0, found)?;
    if found.len() == before {
        bail!("there is no file ending in .log or .gz below {}", path.display());
    }
    Ok(())
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if depth > DEEPEST {
        bail!("{} is too deep; does a link lead back?", folder.display());
    }
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            below(&path, depth + 1, found)?;
        } else if path.extension().is_some_and(|ending| ending == "log" || ending == "gz") {
            found.push(path);
        }
    }
    Ok(())
}

fn input(path: PathBuf) -> Input {
    Input::new(path.display().to_string(), move || {
        let reader: Box<dyn Read + Send> = if path.as_os_str() == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        Ok(reader)
    })
}

/// On a terminal only; of standard input nobody knows the end.
fn bar(size: u64) -> ProgressBar {
    if size == 0 {
        return ProgressBar::hidden();
    }
    let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(size).with_style(style).with_message("reading")
}
