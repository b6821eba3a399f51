//! `firebreak demo`: a shop is broken on purpose and healed; every part is real and speaks HTTP on loopback.

mod load;
mod prober;
mod watch;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use firebreak_checkout::Knobs;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::{Demo, Serve};
use crate::client::taken;
use crate::output::{BOLD, DIM, GOOD, paint, say};
use crate::serve::Platform;
use crate::settings::Settings;

use watch::{Watch, is_healed};

const RUNBOOK: &str = include_str!("runbook.yaml");

/// The share of requests that fail once the shop is broken.
const FAULT: f64 = 0.4;

/// Runs the story. The exit code says whether the loop closed.
pub(crate) async fn demo(demo: Demo) -> anyhow::Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("firebreak-demo-").tempdir()?;
    let runbooks = folder.path().join("runbooks");
    std::fs::create_dir(&runbooks)?;
    std::fs::write(runbooks.join("degrade-checkout.yaml"), RUNBOOK)?;

    let checkout = firebreak_checkout::start("127.0.0.1:0".parse()?, Knobs::default()).await?;
    let settings = Settings {
        flag_origins: vec![format!("http://{}", checkout.addr())],
        ..Settings::default()
    };
    let serve = Serve {
        listen: free(demo.listen).await?,
        runbooks,
        config: None,
        data: folder.path().join("data"),
        webhook_token: None,
        api_token: None,
    };
    let platform = Platform::start(&serve, settings).await?;
    introduce(&platform, checkout.addr());

    let load = load::start(checkout.addr());
    let prober = prober::start(checkout.addr(), platform.sender_client()?);
    let told = story(&platform, checkout.addr(), FAULT).await;
    if demo.keep && told.is_ok() {
        say(&format!(
            "\nstill running; look around at {}, end with Ctrl-C",
            paint(BOLD, &platform.login_url())
        ));
        tokio::signal::ctrl_c().await?;
    }
    prober.abort();
    load.abort();
    platform.stop().await?;
    checkout.stop().await?;
    told.map(|()| ExitCode::SUCCESS)
}

fn introduce(platform: &Platform, checkout: SocketAddr) {
    say(&format!("{}    {}", paint(BOLD, "platform"), platform.login_url()));
    say(&format!(
        "{}    http://{checkout}/checkout, 20 requests a second, metrics at /metrics",
        paint(BOLD, "checkout")
    ));
    say(&format!(
        "{}     degrade-checkout: errors above 10 % -> degraded mode, verified, later undone\n",
        paint(BOLD, "runbook")
    ));
}

/// The wished address, or any free one of the same host.
pub(crate) async fn free(wished: SocketAddr) -> anyhow::Result<SocketAddr> {
    match tokio::net::TcpListener::bind(wished).await {
        Ok(_) => Ok(wished),
        Err(error) => {
            say(&paint(DIM, &format!("{wished} is taken ({error}); using another port")));
            Ok(SocketAddr::new(wished.ip(), 0))
        }
    }
}

/// Breaks the checkout by so much, and follows its incident to the verdict. An error says that the loop did not close.
pub(crate) async fn story(
    platform: &Platform,
    checkout: SocketAddr,
    fault: f64,
) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let shop = Shop { http: reqwest::Client::new(), checkout };
    let broken_at = Timestamp::now();
    shop.set("error_rate", json!(fault)).await?;
    let percent = fault * 100.0;
    say(&format!("{} {percent:.0} % of the checkouts now fail", paint(DIM, "   0.0 s")));

    let mut watch = Watch::new(platform.api_client()?, broken_at);
    let verified = |incident: &firebreak_core::incident::Incident| incident.resolved_at.is_some();
    watch.until(Duration::from_secs(40), verified).await?;
    shop.set("error_rate", json!(0)).await?;
    say(&paint(DIM, "         someone ships the fix: the fault is gone"));
    let incident = watch
        .until(Duration::from_secs(20), |incident| {
            incident.active_run().is_none() && !incident.runs.is_empty()
        })
        .await?;

    if !is_healed(&incident) {
        bail!("the incident ended as {} and not as healed", incident.status.as_str());
    }
    if shop.get("degraded_mode").await? != json!(false) {
        bail!("the flag was not put back");
    }
    let stages = watch::summary(&watch).context("a stage is missing from the record")?;
    watch::print_summary(&stages);
    say(&format!(
        "\n{} detected, decided, acted, verified, put back: {}",
        paint(GOOD, "healed"),
        incident.id
    ));
    Ok(())
}

/// The knobs of the checkout service.
struct Shop {
    http: reqwest::Client,
    checkout: SocketAddr,
}

impl Shop {
    async fn set(&self, flag: &str, value: Value) -> anyhow::Result<()> {
        let url = format!("http://{}/admin/flags/{flag}", self.checkout);
        self.http.put(url).json(&json!({"value": value})).send().await?.error_for_status()?;
        Ok(())
    }

    async fn get(&self, flag: &str) -> anyhow::Result<Value> {
        let url = format!("http://{}/admin/flags/{flag}", self.checkout);
        let mut shown: Value = self.http.get(url).send().await?.error_for_status()?.json().await?;
        Ok(taken(&mut shown, "value"))
    }
}
