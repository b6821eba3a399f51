//! What `firebreak simulate logs` takes.

use std::net::SocketAddr;

use clap::Args as ClapArgs;

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  firebreak simulate logs                             the whole loop with a live view, in under a minute
  firebreak simulate logs --lines 20000 > app.log     only a log; what is wrong in it is told on standard error
  firebreak detect app.log --rules rules.yaml")]
pub(crate) struct SimulateLogs {
    /// What goes wrong, how badly and when; the same seed, the same trouble.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print so many lines of made-up services that end now, and start nothing.
    #[arg(long)]
    pub(crate) lines: Option<u32>,
    /// Where the platform listens; another port is taken if this one is not free.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}
