//! `runbook_action`: without `ACTION_FAMILY` it decides what is next, with it it acts for that family alone.

mod ask;
mod fault;

use std::path::PathBuf;
use std::sync::Arc;

use ask::Ask;
use fault::Fault;
use firebreak_aws::lambda::{self, environment};
use firebreak_aws::store::DynamoStore;
use firebreak_aws::{client, ec2::Ec2Reboot};
use firebreak_core::guards;
use firebreak_core::ids::IncidentId;
use firebreak_core::incident::Command;
use firebreak_core::policy::Policy;
use firebreak_core::routing::Routes;
use firebreak_core::run::Takeover;
use firebreak_core::runbook::RunbookSet;
use firebreak_engine::breaker;
use firebreak_engine::command::command;
use firebreak_engine::guard_meter::GuardMeter;
use firebreak_engine::ingest::Ingest;
use firebreak_engine::ports::{Clock as _, Hands, HandsSet, Settings as _, SystemClock};
use firebreak_engine::remediate::{ActReport, Remediation, act, advance};
use firebreak_engine::rounds::round;
use firebreak_engine::{runbooks, silence, takeover::driver_died};
use firebreak_http::{Client, HttpSetFlag, Origins, Timeouts};
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

struct Function {
    /// `None`: decides and never acts.
    family: Option<String>,
    store: DynamoStore,
    runbooks: RunbookSet,
    policy: Policy,
    routes: Routes,
    hands: HandsSet,
    meter: GuardMeter,
    reopen_within: SignedDuration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_logging();
    let [table] = lambda::required(&environment, ["TABLE_NAME"])?;
    let family = environment("ACTION_FAMILY");
    // A build whose guards cannot be shown to block must not act: the execution fails, and people are told.
    if let Err(unproved) = guards::self_test() {
        let why: Vec<String> = unproved.iter().map(ToString::to_string).collect();
        tracing::error!(why = why.join("; "), "the guards are not proved: this build does not act");
        return Err(why.join("; ").into());
    }
    let config = client::load().await;
    let hands: Vec<Box<dyn Hands>> = match family.as_deref() {
        None => Vec::new(),
        Some("ec2") => vec![Box::new(Ec2Reboot::new(&config))],
        Some("http") => {
            let origins: Origins = environment("FLAG_ORIGINS").unwrap_or_default().parse()?;
            let client = Client::new(Timeouts::default())?;
            vec![Box::new(HttpSetFlag::new(client, origins, Arc::new(SystemClock)))]
        }
        Some(other) => {
            return Err(format!("ACTION_FAMILY: there are no hands for `{other}`").into());
        }
    };
    // Hands work from the runbook that the run began with; only decisions need those of today.
    let runbooks =
        if family.is_none() { runbooks::load_folder(&folder())? } else { RunbookSet::default() };
    let store = DynamoStore::new(&config, table);
    if let Err(error) = store.kill_switch().await {
        tracing::warn!(%error, "the connection is not warm");
    }
    let policy = lambda::policy(&environment)?;
    let function = Function {
        family,
        store,
        runbooks,
        routes: Routes::of(&policy),
        policy,
        hands: HandsSet::new(hands),
        meter: GuardMeter::default(),
        reopen_within: lambda::reopen_within(&environment)?,
    };
    run(service_fn(|event: LambdaEvent<Value>| function.answer(event.payload))).await
}

fn folder() -> PathBuf {
    let beside_the_binary = || PathBuf::from(environment("LAMBDA_TASK_ROOT").unwrap_or_default());
    environment("RUNBOOKS_DIR").map_or_else(|| beside_the_binary().join("runbooks"), PathBuf::from)
}

impl Function {
    /// A person's decision, on the record. The execution looks at it at its next poll.
    async fn decided(&self, id: &IncidentId, wish: Command) -> Result<Value, Fault> {
        let incident = command(&self.store, &SystemClock, id, &wish).await?;
        Ok(json!({"incident": incident.id, "status": incident.status}))
    }

    /// The incidents need not wait for the next round; the silence is stored whatever comes of this one.
    async fn take_effect(&self) {
        if let Err(error) = round(self.ingest()).await {
            tracing::warn!(%error, "a silence takes effect within a minute");
        }
    }

    fn ingest(&self) -> Ingest<'_> {
        Ingest {
            store: &self.store,
            clock: &SystemClock,
            routes: &self.routes,
            policy: &self.policy,
            reopen_within: self.reopen_within,
        }
    }

    async fn answer(&self, payload: Value) -> Result<Value, Fault> {
        let ask = ask::read(payload)?;
        ask.is_for(self.family.as_deref())?;
        let with = Remediation {
            store: &self.store,
            clock: &SystemClock,
            runbooks: &self.runbooks,
            policy: &self.policy,
            hands: &self.hands,
            meter: &self.meter,
            reopen_within: self.reopen_within,
        };
        tracing::info!(?ask, "asked");
        Ok(match ask {
            Ask::Advance { incident_id, driver } => {
                json!(advance(with, &incident_id, &driver, Takeover::Respect).await?)
            }
            Ask::Act { incident_id, order } => match act(with, &incident_id, &order).await? {
                ActReport::Done => json!({"acted": true}),
                ActReport::Stale(reason) => json!({"acted": false, "reason": reason}),
            },
            Ask::Approve { token, by } => {
                self.decided(&token.incident, Command::Approve { by, plan_hash: token.plan_hash })
                    .await?
            }
            Ask::Reject { token, by, reason } => {
                let no = Command::Reject { by, plan_hash: token.plan_hash, reason };
                self.decided(&token.incident, no).await?
            }
            Ask::Sweep {} => json!(round(self.ingest()).await?),
            Ask::SilenceAdd(draft) => {
                let silence = silence::add(&self.store, &SystemClock, draft).await?;
                self.take_effect().await;
                json!(silence)
            }
            Ask::SilenceList {} => {
                json!({"silences": silence::list(&self.store, SystemClock.now()).await?})
            }
            Ask::SilenceExpire { id, by } => {
                let silence = silence::expire(&self.store, &SystemClock, &id, &by).await?;
                self.take_effect().await;
                json!(silence)
            }
            Ask::BreakerStatus {} => json!(breaker::standing(&self.store).await?),
            Ask::BreakerReset { by, reason } => {
                json!(breaker::reset(self.ingest(), &by, &reason).await?)
            }
            Ask::Died { incident_id, driver, how } => {
                driver_died(with, &incident_id, &driver, &how).await?;
                Value::Null
            }
        })
    }
}
