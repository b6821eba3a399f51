//! `firebreak simulate logs`: lines of logs with seeded trouble, and the whole loop from a line to the verdict.

mod args;
mod made;
mod traffic;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use firebreak_checkout::Knobs;
use firebreak_detection::{Detector, Notice, State, rules};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::args::Serve;
use crate::client::Client;
use crate::demo;
use crate::output::{BAD, BOLD, DIM, GOOD, paint, say};
use crate::serve::Platform;
use crate::settings::Settings;

pub(crate) use args::SimulateLogs;
use made::Made;

const RULES: &str = include_str!("rules.yaml");
const RUNBOOK: &str = include_str!("runbook.yaml");

/// The rule whose alert the runbook is for, and the one that only people hear of.
const ERRORS: &str = "checkout-errors";
const LOGINS: &str = "failed-logins";
/// So many lines may wait for the detector.
const WAITING: usize = 1024;
const TICK: Duration = Duration::from_millis(200);
/// A line of the log is shown every so many.
const SHOW_EVERY: u64 = 40;

pub(crate) async fn logs(asked: SimulateLogs) -> anyhow::Result<ExitCode> {
    match asked.lines {
        Some(lines) => {
            print(asked.seed, lines);
            Ok(ExitCode::SUCCESS)
        }
        None => close_the_loop(&asked).await,
    }
}

/// A log that ends now, and what is wrong in it on standard error.
fn print(seed: u64, lines: u32) {
    let begin = Timestamp::now() - made::STEP * i32::try_from(lines).unwrap_or(i32::MAX);
    let mut made = Made::new(seed, u64::from(lines));
    for trouble in made.troubles() {
        anstream::eprintln!("{}", trouble.told(begin));
    }
    let mut at = begin;
    for _ in 0..lines {
        say(&made.line(at));
        at += made::STEP;
    }
}

async fn close_the_loop(asked: &SimulateLogs) -> anyhow::Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("firebreak-logs-").tempdir()?;
    let runbooks = folder.path().join("runbooks");
    std::fs::create_dir(&runbooks)?;
    std::fs::write(runbooks.join("degrade-checkout.yaml"), RUNBOOK)?;
    let checkout = firebreak_checkout::start("127.0.0.1:0".parse()?, Knobs::default()).await?;
    let settings = Settings {
        flag_origins: vec![format!("http://{}", checkout.addr())],
        ..Settings::default()
    };
    let serve = Serve {
        listen: demo::free(asked.listen).await?,
        runbooks,
        config: None,
        data: folder.path().join("data"),
        webhook_token: None,
        api_token: None,
    };
    let platform = Platform::start(&serve, settings).await?;
    say(&format!("{}    {}", paint(BOLD, "platform"), platform.login_url()));
    say(&format!(
        "{}        checkout logs what it really answers; search, cart and login are made up with seed {}",
        paint(BOLD, "logs"),
        asked.seed
    ));
    say(&format!(
        "{}       {ERRORS}: more than 10 % fail within 3 s; {LOGINS}: more than 5 of a user within 10 s\n",
        paint(BOLD, "rules")
    ));

    let (send, lines) = mpsc::channel(WAITING);
    let requests = traffic::start(checkout.addr(), send.clone());
    let background = background(asked.seed, send);
    let detecting = Detecting::start(&format!("http://{}", checkout.addr()), &platform, lines)?;
    let told = demo::story(&platform, checkout.addr(), made::share(asked.seed)).await;
    requests.abort();
    background.abort();
    let found = detecting.stop().await;
    platform.stop().await?;
    checkout.stop().await?;
    told?;
    if !found.iter().any(|notice| notice.rule == LOGINS && notice.state == State::Firing) {
        bail!("the burst of failed logins was not found");
    }
    say(&format!("{} also found, and left to people: {LOGINS}", paint(GOOD, "seen  ")));
    Ok(ExitCode::SUCCESS)
}

/// The other services, at the pace of the clock.
fn background(seed: u64, lines: mpsc::Sender<String>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut made = Made::new(seed, 160);
        let mut clock = tokio::time::interval(made::STEP.unsigned_abs());
        loop {
            clock.tick().await;
            if lines.send(made.line(Timestamp::now())).await.is_err() {
                return;
            }
        }
    })
}

/// The detector at work, in a task of its own until it is told to stop.
struct Detecting {
    task: JoinHandle<Vec<Notice>>,
    stop: mpsc::Sender<()>,
}

impl Detecting {
    fn start(
        checkout: &str,
        platform: &Platform,
        lines: mpsc::Receiver<String>,
    ) -> anyhow::Result<Self> {
        let mut rules = rules::read(RULES)?;
        for rule in &mut rules.rules {
            let flag = format!("{checkout}/admin/flags/degraded_mode");
            rule.annotations.insert("degraded_mode_flag".to_owned(), flag);
        }
        let (detector, client) = (Detector::new(rules), platform.sender_client()?);
        let (stop, stopped) = mpsc::channel(1);
        Ok(Self { task: tokio::spawn(detect(detector, client, lines, stopped)), stop })
    }

    /// What was found in all.
    async fn stop(self) -> Vec<Notice> {
        drop(self.stop);
        self.task.await.unwrap_or_default()
    }
}

async fn detect(
    mut detector: Detector,
    platform: Client,
    mut lines: mpsc::Receiver<String>,
    mut stopped: mpsc::Receiver<()>,
) -> Vec<Notice> {
    let (mut found, mut waiting) = (Vec::new(), Vec::<Value>::new());
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = stopped.recv() => return found,
            Some(line) = lines.recv() => {
                if let Err(why) = detector.read(&line, Timestamp::now()) {
                    tracing::warn!(%why, line, "a line is no event");
                }
                if detector.tally().lines % SHOW_EVERY == 1 {
                    say(&paint(DIM, &format!("         log                  {line}")));
                }
            }
            _ = ticks.tick() => detector.tick(Timestamp::now()),
        }
        for notice in detector.take() {
            tell(&notice);
            waiting.push(notice.cloud_event());
            found.push(notice);
        }
        if !waiting.is_empty() {
            // What is not taken goes again with the next line; twice is once.
            match platform.post("/webhooks/cloudevents", &Value::Array(waiting.clone())).await {
                Ok(_) => waiting.clear(),
                Err(error) => tracing::warn!(%error, "the alerts were not taken"),
            }
        }
    }
}

fn tell(notice: &Notice) {
    let word = match notice.state {
        State::Firing => paint(BAD, "detector firing     "),
        State::Resolved => paint(GOOD, "detector resolved   "),
    };
    let measure = notice.annotations.get("measure").map(String::as_str).unwrap_or_default();
    say(&format!("         {word} {} ({measure})", notice.title));
}
