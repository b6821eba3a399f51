//! The command line, with the help that teaches it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::commands::detect::Detect;
use crate::commands::trust::Trust;
use crate::log_loop::SimulateLogs;

/// Event-driven incident response: an alert becomes an incident, a guarded runbook acts, evidence decides
/// whether it helped, people are told, and every step is on the record.
#[derive(Debug, Parser)]
#[command(name = "firebreak", version, propagate_version = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  firebreak demo                                 watch an incident open, be acted on, verified and closed
  firebreak serve                                run the platform here: http://127.0.0.1:8080
  firebreak send sumologic alert.json            deliver an alert to it
  firebreak incidents list --status open
  firebreak why inc_01J...                       what was decided, and why
  firebreak runbook lint runbooks                check runbooks before they are used
  firebreak import alertmanager.yml --out firebreak.yaml
  firebreak detect app.log --rules rules.yaml    find trouble in structured logs

Exit codes: 0 ok, 1 failed, 2 wrong usage.";

/// Where the running platform is.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Server {
    /// The platform to talk to.
    #[arg(long, global = true, env = "FIREBREAK_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// The data folder; also where the tokens are looked up.
    #[arg(long, global = true, env = "FIREBREAK_DATA", default_value = "firebreak-data")]
    pub(crate) data: PathBuf,
    /// Token of the API; else the file `api-token` of the data folder.
    #[arg(long, global = true, env = "FIREBREAK_API_TOKEN", hide_env_values = true)]
    pub(crate) api_token: Option<String>,
    /// Token of the webhooks; else the file `webhook-token` of the data folder.
    #[arg(long, global = true, env = "FIREBREAK_WEBHOOK_TOKEN", hide_env_values = true)]
    pub(crate) webhook_token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the platform: webhooks, incidents, runbooks, console.
    Serve(Serve),
    /// Break a small shop on purpose and watch it being healed, in under a minute.
    Demo(Demo),
    /// Deliver a file to a webhook as an authenticated sender.
    Send(Send),
    /// List, read, acknowledge and resolve incidents.
    Incidents {
        #[command(subcommand)]
        what: Incidents,
    },
    /// Explain an incident or an alert: runbooks tried, guards asked with their values, the nearest miss.
    #[command(after_help = WHY_EXAMPLES)]
    Why(Why),
    /// Approve or reject a plan that waits for a person.
    Approve(Approve),
    /// Check, test and explain runbooks, without a running platform.
    Runbook {
        #[command(subcommand)]
        what: Runbook,
    },
    /// Check the policy: routes, mutes, maintenance, expiry.
    Policy {
        #[command(subcommand)]
        what: Policy,
    },
    /// Try the routes: which channels hear of an alert, as part of which group, and when.
    Routes {
        #[command(subcommand)]
        what: Routes,
    },
    /// Make a configuration out of an alertmanager.yml, and say what could not be carried over.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Import),
    /// Make a report for people: the state of all APIs behind a load balancer, from its access logs.
    Report {
        #[command(subcommand)]
        what: Report,
    },
    /// Find trouble in structured logs: by rules over windows of event time, and by what is unusual for a service.
    Detect(Detect),
    /// Say what runbooks would have done with recorded incidents; fails past a bound, to stop a change.
    Replay(Replay),
    /// Play the engine in made-up worlds full of faults, and check that it keeps its promises.
    Simulate(Simulate),
    /// Ask for quiet about some alerts for a while, and see who asked for it.
    Silence {
        #[command(subcommand)]
        what: Silence,
    },
    /// Which sources may send, what they sent, and which are silent.
    Sources {
        #[command(subcommand)]
        what: Option<Sources>,
    },
    /// How far each action may go by itself, what it has shown, and a person's word to move it.
    Trust {
        #[command(subcommand)]
        what: Option<Trust>,
    },
    /// Stop every new action, or let them go on.
    KillSwitch {
        #[command(subcommand)]
        what: KillSwitch,
    },
    /// See how many actions did no good lately, and let actions go on after too many.
    Breaker {
        #[command(subcommand)]
        what: Breaker,
    },
    /// Say whether the platform could act and tell if it had to now; fails where it could not.
    Doctor(Doctor),
    /// Read what could not be understood, and take it in once it can be.
    Quarantine {
        #[command(subcommand)]
        what: Quarantine,
    },
    /// Export the record, check that nobody changed it, anchor it.
    Audit {
        #[command(subcommand)]
        what: crate::commands::audit::Audit,
    },
    /// Offer incidents and proposals to an agent, as tools of the Model Context Protocol on stdin and stdout.
    #[cfg(feature = "mcp")]
    Mcp(crate::mcp::Mcp),
    /// Print the permissions that the actions need, as Terraform attaches them.
    Iam,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Why {
    /// An incident, the fingerprint of an alert or its beginning, or with `--source` a file (`-`: standard input).
    pub(crate) what: String,
    /// Read an alert as this source sends it, and say what would happen now. It is not delivered.
    #[arg(long)]
    pub(crate) source: Option<String>,
}

const WHY_EXAMPLES: &str = "\
Examples:
  firebreak why inc_01J...                          every decision of an incident
  firebreak why fp1_289f0e                          what would happen if this alert fired now
  firebreak why --source alertmanager alert.json    the same for an alert that was never sent";

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// Where to listen. Loopback unless told otherwise.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The folder with the runbooks.
    #[arg(long, default_value = "runbooks")]
    pub(crate) runbooks: PathBuf,
    /// Settings in YAML: channels, allowed flag origins, secrets per source, and the policy.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) data: PathBuf,
    #[arg(skip)]
    pub(crate) webhook_token: Option<String>,
    #[arg(skip)]
    pub(crate) api_token: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// Leave everything running at the end, until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Where the platform listens; another port is taken if this one is not free.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Send {
    /// The source to send as, such as `alertmanager` or `sumologic`.
    pub(crate) source: String,
    /// The body; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// Sign the body as this source's sender does, instead of sending the token.
    #[arg(long)]
    pub(crate) sign: bool,
    /// Sign with the secret in this file; else with the one under `secrets` in the settings, else with the token.
    #[arg(long, value_name = "SECRET-FILE")]
    pub(crate) sign_with: Option<PathBuf>,
    /// Settings as for `serve`, where they say how the source proves itself.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

impl Send {
    pub(crate) fn is_signed(&self) -> bool {
        self.sign || self.sign_with.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Incidents {
    /// Newest first.
    List {
        /// open, suppressed, remediating, verifying, escalated, resolved or closed.
        #[arg(long)]
        status: Option<String>,
        #[arg(long)]
        service: Option<String>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// One incident with its timeline.
    Show { id: String },
    /// Take it over: automation starts nothing new meanwhile.
    Ack {
        id: String,
        /// Who takes it over.
        #[arg(long, env = "USER")]
        by: String,
    },
    /// Say that it is over.
    Resolve {
        id: String,
        #[arg(long, env = "USER")]
        by: String,
        /// What ended it.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Approve {
    /// The token from the notification: `<incident>.<run>.<plan hash>`.
    pub(crate) token: String,
    #[arg(long, env = "USER")]
    pub(crate) by: String,
    /// Reject instead, with this reason.
    #[arg(long)]
    pub(crate) reject: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runbook {
    /// Read files or folders; say what is wrong, where, and what to do about it.
    Lint {
        paths: Vec<PathBuf>,
        /// Fail on warnings too.
        #[arg(long)]
        strict: bool,
    },
    /// Run the examples that stand in the runbooks.
    Test { paths: Vec<PathBuf> },
    /// Say in words what a runbook does.
    Explain { path: PathBuf },
    /// Print an annotated runbook with every key, the functions, actions and guards.
    Example,
    /// Print the JSON Schema of a runbook, for editors.
    Schema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Read files (`policy.yaml`, or what `serve --config` takes); say what is wrong and where.
    Lint {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Routes {
    /// Follow the way of an alert with these labels.
    Test(RoutesTest),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RoutesTest {
    /// The file that `serve --config` takes; without one every channel hears of every alert.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// The moment at which time intervals are looked at, such as 2026-11-21T03:00:00Z; now where it is left out.
    #[arg(long)]
    pub(crate) at: Option<jiff::Timestamp>,
    /// The channels that must be told, such as `chat,pager`; fails where others are.
    #[arg(long, value_delimiter = ',')]
    pub(crate) expect: Vec<String>,
    /// The labels of the alert: `severity=critical team=db`.
    #[arg(required = true, value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value =
                value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write a label as `name=value`".to_owned()),
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Import {
    /// The configuration of an Alertmanager; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// Where to write ours; a file that is there is not written over. Without it, it is printed.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 1 when anything is not as it was.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sources {
    /// Counts, limits, proof and signs of life of each source; the default.
    List {
        /// Also those that nobody sends by.
        #[arg(long)]
        all: bool,
    },
    /// Expect a sign of life no more; its incident ends.
    Forget {
        /// The source, such as `alertmanager`.
        source: String,
        /// The name of the sign, as the list shows it.
        name: String,
        /// Who says so.
        #[arg(long, env = "USER")]
        by: String,
    },
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  firebreak import alertmanager.yml --out firebreak.yaml
  firebreak import - < alertmanager.yml             print it; the remarks stand in it as comments
  firebreak policy lint firebreak.yaml
  firebreak routes test --config firebreak.yaml team=db severity=critical

Secrets, and addresses that may hold one, are never copied: the remarks say what to set up instead.";

#[derive(Debug, ClapArgs)]
pub(crate) struct Replay {
    /// An export: one event a line, from `firebreak audit export` or from DynamoDB.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// The folder with the runbooks to try.
    #[arg(long, default_value = "runbooks")]
    pub(crate) runbooks: PathBuf,
    /// The folder with the runbooks of before, to see the difference.
    #[arg(long)]
    pub(crate) against: Option<PathBuf>,
    /// Fail when a runbook would touch more targets than this within its window.
    #[arg(long)]
    pub(crate) most_targets: Option<usize>,
    /// Fail when more actions than this are added.
    #[arg(long, requires = "against")]
    pub(crate) most_added: Option<usize>,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Simulate {
    #[command(subcommand)]
    pub(crate) what: Option<SimulateWhat>,
    /// Names of scenarios that ship, or files; left out, all that ship.
    pub(crate) scenarios: Vec<String>,
    /// How many seeds of each scenario.
    #[arg(long, default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) first: u64,
    /// Play this one seed and print everything that happens in it.
    #[arg(long, conflicts_with_all = ["seeds", "first"])]
    pub(crate) seed: Option<u64>,
    /// Put a bug in on purpose; it must be noticed.
    #[arg(long)]
    pub(crate) mutant: Option<String>,
    /// Put each bug in, one after the other, and say which promise notices it.
    #[arg(long, conflicts_with_all = ["seed", "mutant"])]
    pub(crate) mutants: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimulateWhat {
    /// Close the loop from a line of a log to the verdict: real checkout, detector, intake, runbook; fails if it stays open.
    Logs(SimulateLogs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Silence {
    /// Mute the alerts that fit: nobody is told, no runbook acts; resolves of what was told are told all the same.
    Add(SilenceAdd),
    /// Pending and active silences, with their age and what each of them mutes right now.
    List {
        /// Also those that expired within the last days.
        #[arg(long)]
        all: bool,
    },
    /// End one now. What it muted and still fires is told.
    Expire {
        id: String,
        #[arg(long, env = "USER")]
        by: String,
    },
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  firebreak silence add 'service=\"checkout\"' --for 2h --owner ana --reason 'moving the database'
  firebreak silence add alertname=DiskFull 'instance=~\"db-.*\"' --until 2026-11-21T08:00:00Z --reason INC-42
  firebreak silence add 'service=\"checkout\"' --for 4h --reason 'takes longer' --replace sil_01J...")]
pub(crate) struct SilenceAdd {
    /// Label matchers, all of which must fit: `name=\"value\"`, `!=`, `=~` (whole value), `!~`.
    #[arg(required = true)]
    pub(crate) matchers: Vec<String>,
    /// Who answers for it.
    #[arg(long, env = "USER")]
    pub(crate) owner: String,
    /// Why; people will ask.
    #[arg(long)]
    pub(crate) reason: String,
    /// How long, such as `2h` or `90m`; 30 days at most.
    #[arg(long = "for", conflicts_with = "until")]
    pub(crate) duration: Option<String>,
    /// When it ends.
    #[arg(long)]
    pub(crate) until: Option<jiff::Timestamp>,
    /// When it begins; now where it is left out.
    #[arg(long)]
    pub(crate) from: Option<jiff::Timestamp>,
    /// Change this silence: a new end changes it in place, other matchers or another start make a new one.
    #[arg(long, value_name = "ID")]
    pub(crate) replace: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KillSwitch {
    /// Stop every new action. What puts things back still runs.
    On {
        #[arg(long, env = "USER")]
        by: String,
        #[arg(long)]
        reason: String,
    },
    /// Let actions go on. Nothing that was held is done late.
    Off {
        #[arg(long, env = "USER")]
        by: String,
    },
    Status,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Breaker {
    /// Whether it tripped, and why.
    Status,
    /// Let actions go on. What was planned before is dropped, never done late.
    Reset {
        /// Who answers for it.
        #[arg(long, env = "USER")]
        by: String,
        /// What was found.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// The folder with the runbooks.
    #[arg(long, default_value = "runbooks")]
    pub(crate) runbooks: PathBuf,
    /// Settings as for `serve`.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// What waits, newest first.
    List {
        #[arg(long)]
        source: Option<String>,
        /// Also what was replayed and taken in.
        #[arg(long)]
        all: bool,
        /// So many deliveries instead of all of them.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: Option<u16>,
    },
    /// One delivery or part as it came, and what is understood of it today.
    Show { id: String },
    /// Read deliveries again: what is understood now becomes alerts, the rest stays. Safe to repeat.
    Replay {
        /// A delivery, or one part of it, as `list` names them.
        #[arg(required_unless_present = "source", conflicts_with = "source")]
        ids: Vec<String>,
        /// Everything of this source that waits, oldest first.
        #[arg(long)]
        source: Option<String>,
        /// Who replays it; the record keeps the name.
        #[arg(long, env = "USER")]
        by: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Application Load Balancer access logs: status classes, latency, failing paths, health and anomalies of each API.
    Alb(ReportAlb),
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  firebreak report alb access.log.gz                              a table, here
  firebreak report alb logs/2026/11/20 --output report.pdf        every log below a folder, as PDF
  zcat *.gz | firebreak report alb - --format csv
  firebreak report alb today.log.gz --before yesterday.json --week-before last-week.json --output today.json
  firebreak report alb today.log.gz --alert-to http://127.0.0.1:8080     an incident for each spike

Settings (--config), all of which may be left out:
  title: Shop, production
  interval: 15m                      # in which anomalies are looked for; 1h otherwise
  objectives: { server_errors_percent: 0.5, client_errors_percent: 10, p95_ms: 1000 }
  apis:
    - name: Checkout
      target_groups: [checkout-blue, 'checkout-*', 'arn:aws:elasticloadbalancing:...:targetgroup/pay/73e2...']
      success: [2xx, 3xx]            # 2xx alone otherwise

Exit codes: 0 ok, 1 nothing to report, a log that is missing or damaged, or an alert that was not taken.")]
pub(crate) struct ReportAlb {
    /// Logs, plain or gzip, or folders with them; `-` reads standard input.
    #[arg(required = true)]
    pub(crate) logs: Vec<PathBuf>,
    /// How to show it; otherwise the ending of --output says it, and without that it is a table.
    #[arg(long, value_enum)]
    pub(crate) format: Option<ReportFormat>,
    /// Where to write it, instead of printing it.
    #[arg(long, short)]
    pub(crate) output: Option<PathBuf>,
    /// Which target groups are which API, and what is asked of each.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// The report of the day before, as JSON: show what changed.
    #[arg(long, value_name = "JSON")]
    pub(crate) before: Option<PathBuf>,
    /// The report of the same weekday a week before, as JSON.
    #[arg(long, value_name = "JSON")]
    pub(crate) week_before: Option<PathBuf>,
    /// Malformed lines that are shown.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) samples: u16,
    /// Send an alert for each spike to the platform at this address, with the token of the webhooks.
    #[arg(long, value_name = "URL")]
    pub(crate) alert_to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    Table,
    Pdf,
    Html,
    Csv,
    Json,
    Md,
}
