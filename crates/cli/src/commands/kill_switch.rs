//! `firebreak kill-switch`: stop every new action, or let them go on.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::args::{KillSwitch, Server};
use crate::client::Client;
use crate::output::{BAD, GOOD, paint, say, say_json};

pub(crate) async fn kill_switch(
    server: &Server,
    what: KillSwitch,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let path = "/api/kill-switch";
    let state = match what {
        KillSwitch::On { by, reason } => {
            client.post(path, &json!({"engage": {"by": by, "reason": reason}})).await?
        }
        KillSwitch::Off { by } => client.post(path, &json!({"release": {"by": by}})).await?,
        KillSwitch::Status => client.get(path, &[]).await?,
    };
    if as_json {
        say_json(&state)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |key: &str| {
        state.pointer(&format!("/engaged/{key}")).and_then(Value::as_str).unwrap_or_default()
    };
    if state.get("engaged").is_some_and(Value::is_object) {
        say(&format!(
            "{} by {} since {}: {}",
            paint(BAD, "engaged"),
            text("by"),
            text("at"),
            text("reason")
        ));
    } else {
        say(&format!("{}: actions may run", paint(GOOD, "off")));
    }
    Ok(ExitCode::SUCCESS)
}
