//! Reports on access logs of Application Load Balancers: reading, counting, judging and typesetting. Pure but for the readers it is handed.
//!
//! [`scan`] reads any number of logs on all cores in bounded memory, [`Report::of`] judges what was counted, and [`csv`],
//! [`markdown`], [`html`] and [`pdf`] show it.

pub mod alerts;
mod anomalies;
mod apis;
mod blocks;
mod build;
mod chart;
mod compare;
pub mod csv;
mod entry;
mod fields;
mod health;
mod heavy;
pub mod html;
mod intervals;
pub mod markdown;
mod names;
mod numbers;
mod paths;
pub mod pdf;
mod report;
mod scan;
pub mod tables;
mod tally;

pub use apis::{Objectives, Settings, SettingsError};
pub use blocks::Input;
pub use compare::{Change, Comparison, NotAReport};
pub use numbers::{bytes, percent, thousands};
pub use report::{
    Anomaly, Api, Classes, Damage, FailingPath, Figures, Health, Interval, Kind, Latency, Measure,
    Period, Read, Report, Sample, Success, Unmatched,
};
pub use scan::{Progress, Scan, Scanned, scan};
