//! The record as evidence: each event carries the hash of the one before it, so that no later change goes unseen.

mod anchor;
mod check;
mod copy;
mod hash;

pub use anchor::{Anchor, AnchorHash, Anchors, Head, Heads};
pub use check::{Broken, Report, Wrong};
pub use copy::{Copy, ExportEnd, HeadLine};
pub use hash::{EventHash, InvalidHash};

#[cfg(test)]
mod tests;
