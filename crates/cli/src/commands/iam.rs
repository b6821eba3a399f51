//! `firebreak iam`: the permissions of the actions, as `terraform/wiring/permissions.json` holds them.

use std::process::ExitCode;

use firebreak_core::actions;

use crate::output::say;

pub(crate) fn iam() -> anyhow::Result<ExitCode> {
    say(&serde_json::to_string_pretty(&actions::permissions_by_family())?);
    Ok(ExitCode::SUCCESS)
}
