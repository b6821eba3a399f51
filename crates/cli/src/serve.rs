//! The whole platform in one process: what `firebreak serve` runs, and what the demo runs on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use firebreak_core::policy::Policy;
use firebreak_core::proof::Secrets;
use firebreak_core::routing::Routes;
use firebreak_core::runbook::RunbookSet;
use firebreak_core::storm::StormSettings;
use firebreak_engine::doctor::{Finding, Health, guards_proved, unknown_intervals};
use firebreak_engine::fallback::Fallback;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::notify::{Pace, check_channels};
use firebreak_engine::ports::{Clock, HandsSet, SystemClock};
use firebreak_engine::prove::Certificates;
use firebreak_engine::queue::{Queue, QueueSettings, QueueTask};
use firebreak_engine::runbooks::load_folder;
use firebreak_http::{Client as Outbound, HttpSender, HttpSetFlag, Origins, SnsEndpoint, Timeouts};
use firebreak_local::{
    Anchoring, Drain, DrainSettings, Driver, DriverSettings, FileSpill, ListenSettings, Listening,
    LocalSecrets, SqliteStore, SweepSettings, Sweeping, Telling, TellingSettings, Tokens,
};
use firebreak_web::api::{self, Api};
use firebreak_web::console;
use firebreak_web::metrics::Metrics;
use firebreak_web::webhooks::{self, Webhooks};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::Serve;
use crate::client::Client;
use crate::output::say;
use crate::settings::{self, Settings};

/// Runs until SIGTERM or Ctrl-C.
pub(crate) async fn serve(serve: Serve) -> anyhow::Result<ExitCode> {
    let settings = settings::read(serve.config.as_deref())?;
    let platform = Platform::start(&serve, settings).await?;
    say(&format!("listening on {}", platform.url()));
    wait_for_the_end().await?;
    platform.stop().await?;
    Ok(ExitCode::SUCCESS)
}

async fn wait_for_the_end() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            ended = tokio::signal::ctrl_c() => ended?,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// What channels, routes and runbooks say of each other; nothing is started on a name that leads nowhere.
fn must_fit(settings: &Settings, routes: &Routes, runbooks: &RunbookSet) -> anyhow::Result<()> {
    if let Err(problems) = check_channels(&settings.channels) {
        bail!("the channels are not set up right:\n{}", problems.join("\n"));
    }
    let unknown = routes.unknown_channels(&settings.channels);
    if !unknown.is_empty() {
        let lines: Vec<String> =
            unknown.iter().map(|(place, problem)| format!("{place}: {problem}")).collect();
        bail!("the routes lead nowhere:\n{}", lines.join("\n"));
    }
    let unknown = unknown_intervals(runbooks, &settings.policy);
    if !unknown.is_empty() {
        bail!("{}, which the policy does not have", unknown.join(", "));
    }
    Ok(())
}

/// A running platform.
pub(crate) struct Platform {
    addr: SocketAddr,
    webhook_token: Secrets,
    api_token: Secrets,
    /// `None` where the guards are not proved: alerts are taken in and told, and nothing is acted on.
    driver: Option<Driver>,
    telling: Telling,
    writing: QueueTask,
    keeping: Keeping,
    end: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Platform {
    pub(crate) async fn start(serve: &Serve, settings: Settings) -> anyhow::Result<Self> {
        let store = SqliteStore::open(&serve.data)?;
        let runbooks = Arc::new(runbooks(&serve.runbooks)?);
        let routes = Arc::new(Routes::of(&settings.policy));
        must_fit(&settings, &routes, &runbooks)?;
        let webhook_token = token(serve.webhook_token.as_deref(), &serve.data, "webhook-token")?;
        let api_token = token(serve.api_token.as_deref(), &serve.data, "api-token")?;

        // Before anything is driven: a platform that cannot listen does not act either.
        let listener = TcpListener::bind(serve.listen).await.with_context(|| {
            format!("cannot listen on {}; name another with --listen", serve.listen)
        })?;
        let addr = listener.local_addr()?;

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let outbound = Outbound::new(Timeouts::default())?;
        let origins: Origins = settings.flag_origins.join(",").parse().context("flag_origins")?;
        let set_flag = HttpSetFlag::new(outbound.clone(), origins, Arc::clone(&clock));
        let hands = Arc::new(HandsSet::new(vec![Box::new(set_flag)]));
        let secrets = Arc::new(LocalSecrets {
            shared: webhook_token.clone(),
            sources: settings.secrets.sources,
            channels: settings.secrets.channels,
        });

        let policy = Arc::new(settings.policy);
        let meter = Arc::new(GuardMeter::default());
        let driver = driver_if(&guards_proved(), || DriverSettings {
            store: store.clone(),
            clock: Arc::clone(&clock),
            runbooks: Arc::clone(&runbooks),
            policy: Arc::clone(&policy),
            hands,
            meter: Arc::clone(&meter),
            reopen_within: settings.reopen_within,
        });
        let telling = Telling::start(TellingSettings {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: Arc::new(settings.channels),
            routes: Arc::clone(&routes),
            policy: Arc::clone(&policy),
            secrets: Arc::<LocalSecrets>::clone(&secrets),
            sender: Arc::new(HttpSender::new(outbound.clone(), None)),
            pace: Pace::default(),
        });

        let (queue, writing) = Queue::start(QueueSettings {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            routes: Arc::clone(&routes),
            policy: Arc::clone(&policy),
            reopen_within: settings.reopen_within,
            storms: StormSettings::default(),
        });
        let metrics = Metrics::with_guards(queue.meter(), meter);
        let api = Api {
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            routes: Arc::clone(&routes),
            policy: Arc::clone(&policy),
            reopen_within: settings.reopen_within,
            runbooks,
            metrics: metrics.clone(),
            secrets: Arc::<LocalSecrets>::clone(&secrets),
            token: Arc::new(api_token.clone()),
            agent_token: Arc::new(token(None, &serve.data, "agent-token")?),
        };
        let spill = FileSpill::open(&serve.data)?;
        let keeping =
            Keeping::start(&serve.data, &spill, &store, &clock, settings.reopen_within, &policy);
        let webhooks = Webhooks {
            queue,
            fallback: Fallback::new(Arc::new(spill), Arc::clone(&clock)),
            ears: Arc::default(),
            store: Arc::new(store),
            clock,
            secrets,
            certificates: Arc::new(Certificates::of(Arc::new(SnsEndpoint::new(outbound)))),
            metrics,
            policy,
        };
        let faces =
            webhooks::router(webhooks).merge(api::router(api.clone())).merge(console::router(api));

        let (end, ended) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            axum::serve(listener, faces)
                .with_graceful_shutdown(async {
                    // Told to end, or the platform is gone: both mean stop.
                    ended.await.ok();
                })
                .await
        });
        Ok(Self { addr, webhook_token, api_token, driver, telling, writing, keeping, end, server })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where a person looks: the console, which asks for the token in this link once.
    pub(crate) fn login_url(&self) -> String {
        format!("{}/login?token={}", self.url(), self.api_token.current.reveal())
    }

    pub(crate) fn api_client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url(), self.api_token.current.reveal().to_owned())
    }

    pub(crate) fn sender_client(&self) -> anyhow::Result<Client> {
        Client::new(&self.url(), self.webhook_token.current.reveal().to_owned())
    }

    /// Answers what was asked, finishes what is under way, and stops.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.end.send(()).ok();
        if let Some(driver) = self.driver {
            driver.stop().await;
        }
        self.telling.stop().await;
        self.keeping.stop().await;
        // Idle connections of clients may keep the server waiting for ever.
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), self.server).await;
        self.writing.stop().await;
        match ended {
            Ok(ended) => Ok(ended??),
            Err(_) => Ok(()),
        }
    }
}

/// A driver, unless this build could not hold an action that must be held.
fn driver_if(proved: &Finding, settings: impl FnOnce() -> DriverSettings) -> Option<Driver> {
    if proved.health == Health::Ill {
        tracing::error!(
            why = proved.says,
            "the guards are not proved: alerts are taken in and told, and nothing is acted on"
        );
        return None;
    }
    Some(Driver::start(settings()))
}

/// What goes on beside the webhooks so that nothing is lost and no silence is missed.
struct Keeping {
    drain: Drain,
    listening: Listening,
    sweeping: Sweeping,
    anchoring: Anchoring,
}

impl Keeping {
    fn start(
        data: &Path,
        spill: &FileSpill,
        store: &SqliteStore,
        clock: &Arc<dyn Clock>,
        reopen_within: SignedDuration,
        policy: &Arc<Policy>,
    ) -> Self {
        let routes = Arc::new(Routes::of(policy));
        let drain = Drain::start(DrainSettings {
            spill: spill.clone(),
            store: Arc::new(store.clone()),
            clock: Arc::clone(clock),
            routes: Arc::clone(&routes),
            policy: Arc::clone(policy),
            reopen_within,
        });
        let listening = Listening::start(ListenSettings {
            store: Arc::new(store.clone()),
            clock: Arc::clone(clock),
            routes,
            reopen_within,
            policy: Arc::clone(policy),
        });
        let sweeping = Sweeping::start(SweepSettings {
            store: Arc::new(store.clone()),
            clock: Arc::clone(clock),
            policy: Arc::clone(policy),
            every: Sweeping::EVERY,
        });
        let anchoring = Anchoring::start(data.to_owned(), Arc::clone(clock));
        Self { drain, listening, sweeping, anchoring }
    }

    async fn stop(self) {
        self.drain.stop().await;
        self.listening.stop().await;
        self.sweeping.stop().await;
        self.anchoring.stop().await;
    }
}

fn runbooks(folder: &Path) -> anyhow::Result<RunbookSet> {
    if !folder.is_dir() {
        tracing::warn!(folder = %folder.display(), "there is no such folder: running without runbooks");
        return Ok(RunbookSet::default());
    }
    Ok(load_folder(folder)?)
}

/// The token; a new one is named in the log by its file, never by itself.
fn token(given: Option<&str>, data: &Path, file: &str) -> anyhow::Result<Secrets> {
    let found = Tokens::find(given, &data.join(file))?;
    if let Some(made) = found.made {
        tracing::info!(file = %made.display(), "made a new token");
    }
    Ok(found.secrets)
}
