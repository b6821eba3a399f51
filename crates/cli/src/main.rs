//! The `firebreak` command: the whole platform in one binary, and the hands of the person who runs it.

mod args;
mod client;
mod commands;
mod demo;
mod diagnostics;
mod log_loop;
#[cfg(feature = "mcp")]
mod mcp;
mod output;
mod serve;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command, SimulateWhat};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    init_tracing(&args.command);
    match run(args).await {
        Ok(code) => code,
        Err(error) => {
            anstream::eprintln!(
                "{}error:{} {error:#}",
                output::BAD.render(),
                output::BAD.render_reset()
            );
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let json = args.json;
    let server = args.server;
    match args.command {
        Command::Serve(mut serve) => {
            serve.data = server.data;
            serve.webhook_token = server.webhook_token;
            serve.api_token = server.api_token;
            serve::serve(serve).await
        }
        Command::Demo(demo) => demo::demo(demo).await,
        Command::Send(send) => commands::send::send(&server, &send, json).await,
        Command::Report { what } => commands::report::report(&server, what, json).await,
        Command::Detect(asked) => commands::detect::detect(&server, asked, json).await,
        Command::Replay(asked) => commands::replay::run(&asked, json),
        Command::Simulate(args::Simulate { what: Some(SimulateWhat::Logs(asked)), .. }) => {
            log_loop::logs(asked).await
        }
        Command::Simulate(asked) => commands::simulate::run(&asked, json),
        Command::Incidents { what } => commands::incidents::incidents(&server, what, json).await,
        Command::Why(asked) => commands::why::why(&server, &asked, json).await,
        Command::Approve(answer) => commands::approve::approve(&server, answer, json).await,
        Command::Runbook { what } => commands::runbook::runbook(what, json),
        Command::Routes { what } => commands::routes::routes(what, json),
        Command::Import(asked) => commands::import::import(&asked, json),
        Command::Policy { what } => commands::policy::policy(what, json),
        Command::KillSwitch { what } => {
            commands::kill_switch::kill_switch(&server, what, json).await
        }
        Command::Trust { what } => commands::trust::trust(&server, what, json).await,
        Command::Breaker { what } => commands::breaker::breaker(&server, what, json).await,
        Command::Doctor(asked) => commands::doctor::doctor(&server, &asked, json).await,
        Command::Silence { what } => commands::silence::silence(&server, what, json).await,
        Command::Sources { what } => commands::sources::sources(&server, what, json).await,
        Command::Quarantine { what } => commands::quarantine::quarantine(&server, what, json).await,
        Command::Audit { what } => commands::audit::audit(&server.data, &what, json),
        #[cfg(feature = "mcp")]
        Command::Mcp(asked) => mcp::mcp(&server, asked).await,
        Command::Iam => commands::iam::iam(),
    }
}

/// Logs go to standard error: what a command prints can be piped.
fn init_tracing(command: &Command) {
    let quiet = match command {
        Command::Serve(_) => "info",
        _ => "warn",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("FIREBREAK_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(quiet));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}
