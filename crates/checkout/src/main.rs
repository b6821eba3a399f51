//! The `checkout` program: reads its settings, serves until it is told to stop.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::BoolishValueParser;
use firebreak_checkout::{ErrorRate, Knobs, LatencyMs};
use tokio::signal::unix::{SignalKind, signal};

/// A checkout service that can be made slow, faulty or degraded on purpose.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Settings {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,

    /// Share of checkouts that fail with a 500, from 0 to 1; errors come evenly, not at random
    #[arg(long, env = "ERROR_RATE", value_name = "SHARE", default_value = "0")]
    error_rate: ErrorRate,

    /// Time a checkout waits before it is answered, in milliseconds, up to 60000
    #[arg(long, env = "LATENCY_MS", value_name = "MS", default_value = "0")]
    latency_ms: LatencyMs,

    /// Answer from the reduced path: quick, marked "degraded", and never failing
    #[arg(
        long,
        env = "DEGRADED_MODE",
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    degraded_mode: bool,
}

const EXAMPLES: &str = r#"Examples:
  checkout --error-rate 0.3 --latency-ms 200
      three checkouts in ten fail, and all take at least 200 ms
  curl -X PUT 127.0.0.1:8090/admin/flags/degraded_mode -d '{"value": true}'
      switch to the reduced path while it runs; flags: degraded_mode, error_rate, latency_ms
  curl -X PUT 127.0.0.1:8090/admin/flags/error_rate -d '{"value": 0, "if_version": 3}'
      change a flag only if nobody else did since version 3

Paths: GET|POST /checkout, GET /healthz, GET /metrics (Prometheus), GET|PUT /admin/flags/NAME"#;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match serve(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Settings) -> io::Result<()> {
    let knobs = Knobs {
        degraded_mode: settings.degraded_mode,
        error_rate: settings.error_rate,
        latency_ms: settings.latency_ms,
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let listen = settings.listen;
    let running = firebreak_checkout::start(listen, knobs).await.map_err(|cause| {
        io::Error::other(format!(
            "cannot listen on {listen}: {cause}; --listen names another address"
        ))
    })?;
    writeln!(io::stdout(), "listening on http://{}", running.addr())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    running.stop().await
}
