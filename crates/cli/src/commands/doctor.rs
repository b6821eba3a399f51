//! `firebreak doctor`: whether the platform could act and tell if it had to now, and what to do where it could not.

use std::path::Path;
use std::process::ExitCode;

use firebreak_engine::doctor::{self, Finding, Health};
use firebreak_engine::ports::{Clock as _, SystemClock};
use firebreak_engine::runbooks::load_folder;
use firebreak_local::{SqliteStore, Tokens};
use serde_json::json;

use crate::args::{Doctor, Server};
use crate::client::{Client, taken};
use crate::output::{BAD, GOOD, WARN, paint, say, say_json, table};
use crate::settings::{self, Settings};

pub(crate) async fn doctor(
    server: &Server,
    asked: &Doctor,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let mut findings = vec![doctor::guards_proved()];
    let settings = match settings::read(asked.config.as_deref()) {
        Ok(settings) => {
            findings.push(Finding::well("settings", "they can be read"));
            settings
        }
        Err(error) => {
            findings.push(Finding::ill("settings", format!("{error:#}"), "correct the file"));
            Settings::default()
        }
    };
    findings.push(runbooks(&asked.runbooks, &settings));
    findings.extend(record(server).await);
    findings.push(tokens(server));
    let has_secret = |channel: &str| settings.secrets.channels.contains_key(channel);
    findings.extend(doctor::channels(&settings.channels, has_secret));
    let ill = findings.iter().any(|finding| finding.health == Health::Ill);
    if as_json {
        say_json(&json!({"ok": !ill, "findings": findings}))?;
    } else {
        print(&findings);
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(findings: &[Finding]) {
    let rows = findings.iter().map(|finding| {
        let health = match finding.health {
            Health::Well => paint(GOOD, "well"),
            Health::Notice => paint(WARN, "notice"),
            Health::Ill => paint(BAD, "ill"),
        };
        vec![finding.what.clone(), health, finding.says.clone(), finding.remedy.clone()]
    });
    say(&table(&["what", "", "says", "what to do"], rows.collect()));
}

fn runbooks(folder: &Path, settings: &Settings) -> Finding {
    if !folder.is_dir() {
        let says = format!("there is no folder {}", folder.display());
        return Finding::notice("runbooks", says, "name the folder with --runbooks");
    }
    match load_folder(folder) {
        Ok(runbooks) => doctor::runbooks(&runbooks, &settings.policy),
        Err(bad) => Finding::ill("runbooks", bad.to_string(), "see `firebreak runbook lint`"),
    }
}

/// From the running platform; where none runs, from the record in the data folder.
async fn record(server: &Server) -> Vec<Finding> {
    let running = match Client::of_api(server) {
        Ok(client) => client.get("/api/doctor", &[]).await,
        Err(error) => Err(error),
    };
    match running {
        Ok(mut answer) => {
            let mut findings =
                vec![Finding::well("platform", format!("it runs at {}", server.url))];
            let told: Vec<Finding> =
                serde_json::from_value(taken(&mut answer, "findings")).unwrap_or_default();
            // What stands in files was looked at here.
            let here = ["guards", "runbooks"];
            findings.extend(told.into_iter().filter(|one| !here.contains(&one.what.as_str())));
            findings
        }
        Err(error) => {
            let remedy = "start it with `firebreak serve`, or name it with --url";
            let mut findings = vec![Finding::notice("platform", format!("{error:#}"), remedy)];
            if !server.data.is_dir() {
                let says = format!("there is no data folder {} yet", server.data.display());
                findings.push(Finding::notice(
                    "store",
                    says,
                    "the first `firebreak serve` makes it",
                ));
                return findings;
            }
            match SqliteStore::open(&server.data) {
                Ok(store) => findings.extend(doctor::record(&store, SystemClock.now()).await),
                Err(error) => {
                    let remedy =
                        "look at the folder and its owner; a running platform has it locked";
                    findings.push(Finding::ill("store", error.to_string(), remedy));
                }
            }
            findings
        }
    }
}

/// The tokens of senders and of the API, which the first start makes.
fn tokens(server: &Server) -> Finding {
    let given = [
        (server.webhook_token.as_deref(), "webhook-token"),
        (server.api_token.as_deref(), "api-token"),
    ];
    for (given, name) in given {
        let file = server.data.join(name);
        if given.is_none() && !file.is_file() {
            let says = format!("there is no {} yet", file.display());
            return Finding::notice("tokens", says, "the first `firebreak serve` makes it");
        }
        if let Err(error) = Tokens::find(given, &file) {
            return Finding::ill("tokens", error.to_string(), "delete the file, or give a token");
        }
    }
    Finding::well("tokens", "those of senders and of the API are there")
}
