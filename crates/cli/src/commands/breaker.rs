//! `firebreak breaker`: how many actions did no good lately, and letting actions go on after too many.

use std::process::ExitCode;

use firebreak_core::breaker::Breaker;
use serde_json::json;

use crate::args::{Breaker as What, Server};
use crate::client::Client;
use crate::output::{BAD, GOOD, paint, say, say_json};

pub(crate) async fn breaker(
    server: &Server,
    what: What,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let state = match what {
        What::Status => client.get("/api/breaker", &[]).await?,
        What::Reset { by, reason } => {
            client.post("/api/breaker/reset", &json!({"by": by, "reason": reason})).await?
        }
    };
    if as_json {
        say_json(&state)?;
        return Ok(ExitCode::SUCCESS);
    }
    let breaker: Breaker = serde_json::from_value(state)?;
    match &breaker.tripped {
        Some(tripped) => {
            say(&format!("{} since {}: {}", paint(BAD, "tripped"), tripped.at, tripped.because));
            say(
                "nothing is acted on; look at those runs, then `firebreak breaker reset --reason ...`",
            );
        }
        None => say(&format!(
            "{}: actions may run; {} bad outcomes are counted",
            paint(GOOD, "closed"),
            breaker.failures.len()
        )),
    }
    if let Some(reset) = &breaker.reset {
        say(&format!("last reset by {} at {}: {}", reset.by, reset.at, reset.reason));
    }
    Ok(ExitCode::SUCCESS)
}
