//! `firebreak report alb`: reads access logs, shows or writes the report, and sends an alert for each spike.

mod logs;
mod terminal;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_engine::ports::{Clock as _, SystemClock};
use firebreak_reports::{Report, Scan, Settings, alerts, csv, html, markdown, pdf};
use serde_json::json;

use crate::args::{Report as Asked, ReportAlb, ReportFormat, Server};
use crate::client::{Client, webhook_token};
use crate::output::{DIM, WARN, paint};

pub(crate) async fn report(server: &Server, asked: Asked, json: bool) -> anyhow::Result<ExitCode> {
    let Asked::Alb(asked) = asked;
    let format = format(&asked, json)?;
    let settings = settings(asked.config.as_deref())?;
    let before = earlier(asked.before.as_deref())?;
    let week_before = earlier(asked.week_before.as_deref())?;
    let how = Scan {
        interval_minutes: settings.interval_minutes(),
        samples: usize::from(asked.samples),
        ..Scan::default()
    };
    let scanned = logs::scan(&asked.logs, how).await?;
    let read = scanned.summary();
    let Some(mut report) = Report::of(scanned, &settings) else {
        bail!("there is not one request to report: {read}");
    };
    if let Some(before) = &before {
        report.compare("the day before", before);
    }
    if let Some(before) = &week_before {
        report.compare("the same weekday", before);
    }
    let bytes = shown(&report, format)?;
    match &asked.output {
        Some(path) => {
            write(path, &bytes)?;
            tell(&paint(
                DIM,
                &format!("{} written: {}", path.display(), terminal::summary(&report)),
            ));
        }
        None => print(&bytes)?,
    }
    for damage in &report.read.damaged {
        tell(&paint(WARN, &format!("incomplete: {}: {}", damage.file, damage.reason)));
    }
    if let Some(url) = &asked.alert_to {
        send(server, url, &report).await?;
    }
    Ok(if report.read.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was asked for, else what the name of the output says, else a table.
fn format(asked: &ReportAlb, json: bool) -> anyhow::Result<ReportFormat> {
    let ending =
        asked.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
    let format = match (asked.format, json, ending) {
        (Some(format), ..) => format,
        (None, true, _) | (None, _, Some("json")) => ReportFormat::Json,
        (None, _, Some("pdf")) => ReportFormat::Pdf,
        (None, _, Some("html" | "htm")) => ReportFormat::Html,
        (None, _, Some("csv")) => ReportFormat::Csv,
        (None, _, Some("md")) => ReportFormat::Md,
        _ => ReportFormat::Table,
    };
    if format == ReportFormat::Pdf && asked.output.is_none() && std::io::stdout().is_terminal() {
        bail!("a terminal shows no PDF; name a file with --output report.pdf");
    }
    Ok(format)
}

fn settings(path: Option<&Path>) -> anyhow::Result<Settings> {
    let Some(path) = path else { return Ok(Settings::default()) };
    let yaml =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Settings::read(&yaml).with_context(|| path.display().to_string())
}

fn earlier(path: Option<&Path>) -> anyhow::Result<Option<Report>> {
    let Some(path) = path else { return Ok(None) };
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Report::read(&bytes).with_context(|| path.display().to_string()).map(Some)
}

fn shown(report: &Report, format: ReportFormat) -> anyhow::Result<Vec<u8>> {
    Ok(match format {
        ReportFormat::Table => terminal::text(report).into_bytes(),
        ReportFormat::Pdf => pdf::pdf(report, SystemClock.now())?,
        ReportFormat::Html => html::html(report).into_bytes(),
        ReportFormat::Csv => csv::csv(report).into_bytes(),
        ReportFormat::Json => serde_json::to_vec_pretty(report)?,
        ReportFormat::Md => markdown::markdown(report).into_bytes(),
    })
}

/// Whole or not at all: nobody finds half a report.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// As any new file: the umask takes away what it should.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot print"),
    }
}

/// What is no part of the report goes where it does not get into a pipe.
fn tell(line: &str) {
    anstream::eprintln!("{line}");
}

/// Each spike is an alert at the normal intake; one that is known already is a duplicate there.
async fn send(server: &Server, url: &str, report: &Report) -> anyhow::Result<()> {
    let alerts = alerts::of(report);
    if alerts.is_empty() {
        tell(&paint(DIM, "no spike: no alert was sent"));
        return Ok(());
    }
    let (address, path) = match url.split_once("/webhooks/") {
        Some((address, source)) => (address, format!("/webhooks/{source}")),
        None => (url, "/webhooks/generic".to_owned()),
    };
    let client = Client::new(address, webhook_token(server)?)?;
    let answer =
        client.post_bytes(&path, serde_json::to_vec(&json!({ "alerts": alerts }))?).await?;
    let list = |key: &str| {
        answer.get(key).and_then(serde_json::Value::as_array).cloned().unwrap_or_default()
    };
    for alert in list("accepted") {
        let text = |key: &str| {
            alert.get(key).and_then(serde_json::Value::as_str).unwrap_or("-").to_owned()
        };
        tell(&format!("alert {}: {}", text("outcome"), text("incident_id")));
    }
    let quarantined = list("quarantined");
    if let Some(first) = quarantined.first() {
        bail!("{} of {} alerts were not understood: {first}", quarantined.len(), alerts.len());
    }
    Ok(())
}
