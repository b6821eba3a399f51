//! The anchors of a data folder: one line a day, only ever added to.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use firebreak_core::audit::{Anchor, Anchors};
use jiff::Timestamp;

use super::{ExportError, RecordFile};
use crate::store::private_file;

/// `<data>/anchors.jsonl`, or a file on another disk.
#[derive(Debug, Clone)]
pub struct AnchorFile(PathBuf);

impl AnchorFile {
    pub fn of_folder(folder: &Path) -> Self {
        Self(folder.join("anchors.jsonl"))
    }

    pub fn at(file: PathBuf) -> Self {
        Self(file)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The anchors so far; none where there is no file.
    pub fn read(&self) -> std::io::Result<Anchors> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(Anchors::read(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Anchors::default()),
            Err(error) => Err(error),
        }
    }

    /// Adds how the record of `folder` stands now, durably. `None`: there was one for today already.
    pub fn add_if_due(&self, folder: &Path, now: Timestamp) -> Result<Option<Anchor>, ExportError> {
        self.add(folder, now, |latest| Anchor::is_due(latest, now))
    }

    /// Adds one, whether or not there is one for today.
    pub fn add_now(&self, folder: &Path, now: Timestamp) -> Result<Option<Anchor>, ExportError> {
        self.add(folder, now, |_| true)
    }

    fn add(
        &self,
        folder: &Path,
        now: Timestamp,
        due: impl FnOnce(Option<&Anchor>) -> bool,
    ) -> Result<Option<Anchor>, ExportError> {
        let mut file = private_file(&self.0)?;
        // Two that add at once would both follow the same one.
        file.lock()?;
        let text = fs::read_to_string(&self.0)?;
        let anchors = Anchors::read(&text);
        let latest = anchors.latest();
        if !due(latest) {
            return Ok(None);
        }
        let anchor = Anchor::of(latest, &RecordFile::open(folder)?.heads()?, now);
        let line = serde_json::to_string(&anchor).map_err(std::io::Error::from)?;
        // A line that was cut off when the power went stays a line of its own.
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        file.write_all(format!("{gap}{line}\n").as_bytes())?;
        file.sync_all()?;
        Ok(Some(anchor))
    }
}
