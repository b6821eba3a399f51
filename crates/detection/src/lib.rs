//! Detection: structured logs in, alerts out, by rules over windows of event time and by what is unusual for a service.
//!
//! Pure: no clock, no I/O. Whoever reads the lines hands them over with the time it is, and sends what comes out.

mod bits;
mod condition;
mod detector;
pub mod evaluation;
mod event;
pub mod forest;
mod learner;
mod line;
mod notice;
mod order;
mod paths;
pub mod rules;
mod saved;
mod tally;
mod watch;
mod window;
mod words;
pub mod zscore;

pub use detector::{Detector, Times};
pub use learner::{Learner, LearnerSettings, Method, Unusual};
pub use line::Malformed;
pub use notice::{Notice, State};
pub use saved::{NotRestored, Restored, VERSION};
pub use tally::{Sample, Tally};
