//! The record as evidence: exported from the file also while the platform runs, and anchored once a day.

mod anchoring;
mod anchors;
mod export;

pub use anchoring::Anchoring;
pub use anchors::AnchorFile;
pub use export::{ExportError, RecordFile, Span};
