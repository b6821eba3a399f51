//! Load for intake: posts batches of alerts over a few connections and says how fast they were accepted, as JSON.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Posts alerts as fast as they are accepted.
#[derive(Parser)]
struct Args {
    /// `host:port` of the server.
    server: String,
    /// Where alerts are posted, such as `/webhooks/alertmanager`.
    path: String,
    #[arg(long, value_enum)]
    form: Form,
    #[arg(long)]
    token: Option<String>,
    /// Alerts in one request.
    #[arg(long, default_value_t = 100)]
    batch: usize,
    /// Different alerts; with 1 all are the same.
    #[arg(long, default_value_t = 20_000)]
    distinct: usize,
    /// Alerts altogether.
    #[arg(long, default_value_t = 20_000)]
    total: usize,
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// What Alertmanager sends.
    Webhook,
    /// What Alertmanager takes: `POST /api/v2/alerts`.
    Alerts,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let requests: Arc<Vec<Vec<u8>>> = Arc::new(requests(&args));
    let wanted = args.total.div_ceil(args.batch);
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let senders = (0..args.connections).map(|_| {
        let (server, requests) = (args.server.clone(), Arc::clone(&requests));
        tokio::spawn(send(server, requests, Arc::clone(&next), wanted))
    });
    let (mut millis, mut refused) = (Vec::with_capacity(wanted), 0);
    for sender in senders.collect::<Vec<_>>() {
        let (took, bad) = sender.await??;
        millis.extend(took);
        refused += bad;
    }
    let seconds = began.elapsed().as_secs_f64();
    millis.sort_by(f64::total_cmp);
    let at = |percent: usize| millis.get(millis.len() * percent / 100).copied().unwrap_or_default();
    let accepted = u32::try_from((wanted - refused) * args.batch)?;
    let result = serde_json::json!({
        "alerts_s": f64::from(accepted) / seconds, "seconds": seconds, "refused": refused,
        "p50_ms": at(50), "p99_ms": at(99),
    });
    println!("{result}");
    Ok(())
}

/// One for each different body, ready to be written.
fn requests(args: &Args) -> Vec<Vec<u8>> {
    let now = jiff::Timestamp::now();
    let bodies = args.distinct.div_ceil(args.batch);
    (0..bodies)
        .map(|body| {
            let alerts: Vec<String> = (0..args.batch)
                .map(|n| alert((body * args.batch + n) % args.distinct, args.form, now))
                .collect();
            let alerts = alerts.join(",");
            let body = match args.form {
                Form::Alerts => format!("[{alerts}]"),
                Form::Webhook => format!(
                    r#"{{"version":"4","groupKey":"{{}}:{{}}","status":"firing","receiver":"firebreak","externalURL":"http://alertmanager:9093","truncatedAlerts":0,"alerts":[{alerts}]}}"#
                ),
            };
            let authorization = args
                .token
                .as_ref()
                .map(|token| format!("Authorization: Bearer {token}\r\n"))
                .unwrap_or_default();
            format!(
                "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{authorization}Content-Length: {}\r\n\r\n{body}",
                args.path, args.server, body.len()
            )
            .into_bytes()
        })
        .collect()
}

fn alert(n: usize, form: Form, now: jiff::Timestamp) -> String {
    let rule = n % 20;
    let common = format!(
        r#""labels":{{"alertname":"LoadTest{rule:02}","namespace":"shop","deployment":"checkout","pod":"checkout-{n:05}","instance":"10.0.{}.{}:8080","severity":"critical","service":"checkout","cluster":"eks-prod-1"}},"annotations":{{"summary":"checkout error ratio is 18.2%","runbook_url":"https://runbooks.example/checkout"}},"startsAt":"{now}","generatorURL":"http://prometheus:9090/graph?g0.expr=x""#,
        n / 250,
        n % 250
    );
    match form {
        Form::Alerts => {
            let ends = now + jiff::SignedDuration::from_hours(1);
            format!(r#"{{{common},"endsAt":"{ends}"}}"#)
        }
        Form::Webhook => format!(
            r#"{{"status":"firing",{common},"endsAt":"0001-01-01T00:00:00Z","fingerprint":"{n:016x}"}}"#
        ),
    }
}

/// Sends its share over one connection; gives what each request took in milliseconds, and how many were refused.
async fn send(
    server: String,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    wanted: usize,
) -> anyhow::Result<(Vec<f64>, usize)> {
    let stream = TcpStream::connect(&server).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading);
    let (mut took, mut refused) = (Vec::new(), 0);
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(turn % requests.len()).filter(|_| turn < wanted) else {
            return Ok((took, refused));
        };
        let began = Instant::now();
        writing.write_all(request).await?;
        let status = answer(&mut reading).await?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        refused += usize::from(!(200..300).contains(&status));
    }
}

async fn answer(reading: &mut BufReader<tokio::net::tcp::OwnedReadHalf>) -> anyhow::Result<u16> {
    let mut line = String::new();
    reading.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).context("no status")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        if reading.read_line(&mut line).await? == 0 {
            bail!("the connection was closed within an answer");
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reading.read_exact(&mut body).await?;
    Ok(status)
}
