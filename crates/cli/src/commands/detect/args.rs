//! What `firebreak detect` takes, with the help that teaches it.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  firebreak detect example > rules.yaml                     every kind of rule, with its meaning
  firebreak detect lint rules.yaml                          what is wrong, where, and what to do about it
  firebreak detect app.log older.log.gz --rules rules.yaml  alerts of files, merged by the time of their lines
  firebreak detect app.log --follow --rules rules.yaml --to http://127.0.0.1:8080
  kubectl logs -f deploy/shop | firebreak detect - --follow --rules rules.yaml --json

A line is JSON or logfmt and has a time. A line that is none is counted and shown, and stops nothing.
An alert waits until no earlier line can come any more: `lateness` of the rules, ten seconds unless they say otherwise."
)]
pub(crate) struct Detect {
    #[command(subcommand)]
    pub(crate) what: Option<DetectWhat>,
    /// Logs, plain or gz; `-` or none reads standard input.
    pub(crate) files: Vec<PathBuf>,
    /// The rules; `firebreak detect example` prints some to begin with.
    #[arg(long)]
    pub(crate) rules: Option<PathBuf>,
    /// Go on as the files grow or are rotated, beginning at their end.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Where to keep what was learned and seen, to go on from there the next time.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// Deliver the alerts to the platform at this address too, with the webhook token.
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DetectWhat {
    /// Read rules; say what is wrong, where, and what to do about it.
    Lint {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print annotated rules with every kind.
    Example,
}
