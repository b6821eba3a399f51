//! The hands of `ec2.reboot`: what EC2 is asked and told for one instance.

mod outcome;
mod state;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::RequestId as _;
use aws_sdk_ec2::types::{Filter, Instance, InstanceStatus, Reservation};
use firebreak_core::evidence::{
    Circumstances, Evidence, Fact, Group, Health, Observation, Questions, Reading,
};
use firebreak_core::guards::RowPermit;
use firebreak_core::ledger::Row;
use firebreak_core::runbook::Step;
use firebreak_core::target::Target;
use firebreak_engine::ports::{ApplyError, Hands, ReadError};
use jiff::Timestamp;
use serde_json::json;

use crate::failure;
use state::tags;

/// What EC2 answers for an instance that it does not know.
const UNKNOWN_INSTANCE: &str = "InvalidInstanceID.NotFound";

/// So many ids may be named in one question for statuses.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html>
const MOST_STATUSES: usize = 100;

/// Reboots instances; needs the permissions that `ec2.reboot` declares.
#[derive(Debug, Clone)]
pub struct Ec2Reboot {
    client: Client,
}

impl Ec2Reboot {
    /// EC2 answers more slowly than other services: it gets longer than the shared configuration gives.
    pub fn new(config: &SdkConfig) -> Self {
        let patient = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(8))
            .operation_timeout(Duration::from_secs(20))
            .build();
        let builder = aws_sdk_ec2::config::Builder::from(config).timeout_config(patient);
        Self { client: Client::from_conf(builder.build()) }
    }

    async fn instance(&self, id: &str) -> Result<Option<Instance>, ReadError> {
        match self.client.describe_instances().instance_ids(id).send().await {
            Ok(answer) => Ok(answer
                .reservations
                .into_iter()
                .flatten()
                .filter_map(|r| r.instances)
                .flatten()
                .next()),
            Err(error) if failure::code(&error) == Some(UNKNOWN_INSTANCE) => Ok(None),
            Err(error) => Err(ReadError(failure::words(&error))),
        }
    }

    /// The instances that could serve, itself among them: those that run and carry the same value of the tag.
    async fn group(&self, tag: &str, value: &str, health: Health) -> Result<Group, ReadError> {
        let filter = |name: String, value: &str| Filter::builder().name(name).values(value).build();
        let mut pages = self
            .client
            .describe_instances()
            .filters(filter(format!("tag:{tag}"), value))
            .filters(filter("instance-state-name".to_owned(), "running"))
            .max_results(1000)
            .into_paginator()
            .send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError(failure::words(&error)))?;
            let instances = page.reservations().iter().flat_map(Reservation::instances);
            ids.extend(instances.filter_map(|instance| instance.instance_id().map(str::to_owned)));
        }
        let healthy = match health {
            Health::NotAsked => Fact::default(),
            Health::Asked => self.healthy(&ids).await,
        };
        let members = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(Group { key: format!("tag:{tag}={value}"), members, healthy })
    }

    /// Those of these whose status checks pass, until enough are found.
    async fn healthy(&self, ids: &[String]) -> Fact<BTreeSet<String>> {
        let mut healthy = BTreeSet::new();
        for some in ids.chunks(MOST_STATUSES) {
            let ids = Some(some.to_vec());
            let asked = self.client.describe_instance_status().set_instance_ids(ids).send().await;
            let statuses = match asked {
                Ok(answer) => answer.instance_statuses.unwrap_or_default(),
                Err(error) => return Fact::Unreadable(failure::words(&error)),
            };
            let good = statuses.iter().filter(|status| state::is_healthy(status));
            healthy.extend(good.filter_map(|status| status.instance_id().map(str::to_owned)));
            if healthy.len() >= Group::MOST_NAMED {
                break;
            }
        }
        Fact::Known(healthy.into_iter().take(Group::MOST_NAMED).collect())
    }

    /// What EC2 itself tells of what goes on around an instance; see the page on hands-off in the documentation.
    async fn circumstances(&self, instance: &Instance, health: Health) -> Circumstances {
        let healthy = match (health, instance.instance_id()) {
            (Health::Asked, Some(id)) => match self.status(id).await {
                Ok(status) => Fact::Known(status.as_ref().is_some_and(state::is_healthy)),
                Err(error) => Fact::Unreadable(error.to_string()),
            },
            (Health::Asked | Health::NotAsked, _) => Fact::default(),
        };
        let deployment = state::deployment(&tags(instance));
        Circumstances { changed: state::changed(instance), deployment, healthy }
    }

    /// One attempt and no retry of any kind: the call is not idempotent.
    async fn reboot(&self, id: &str) -> Result<String, ApplyError> {
        let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
        let sent = self
            .client
            .reboot_instances()
            .instance_ids(id)
            .customize()
            .config_override(once)
            .send()
            .await;
        match sent {
            Ok(answer) => Ok(format!("request {}", answer.request_id().unwrap_or("without an id"))),
            Err(error) if outcome::certainly_nothing(&error) => {
                Err(ApplyError::Refused(failure::words(&error)))
            }
            Err(error) => Err(ApplyError::Unknown(failure::words(&error))),
        }
    }

    async fn status(&self, id: &str) -> Result<Option<InstanceStatus>, ReadError> {
        let asked = self
            .client
            .describe_instance_status()
            .instance_ids(id)
            .include_all_instances(true)
            .send()
            .await;
        match asked {
            Ok(answer) => Ok(answer.instance_statuses.unwrap_or_default().into_iter().next()),
            Err(error) if failure::code(&error) == Some(UNKNOWN_INSTANCE) => Ok(None),
            Err(error) => Err(ReadError(failure::words(&error))),
        }
    }
}

#[async_trait]
impl Hands for Ec2Reboot {
    fn action(&self) -> &'static str {
        "ec2.reboot"
    }

    async fn observe(
        &self,
        target: &Target,
        asked: Questions<'_>,
    ) -> Result<Observation, ReadError> {
        let seen_at = Timestamp::now();
        let instance = self.instance(&target.id).await?;
        let Some(instance) = instance.filter(state::exists) else {
            return Ok(Observation {
                target: target.clone(),
                identity: None,
                tags: std::collections::BTreeMap::new(),
                group: None,
                circumstances: Circumstances::default(),
                captured: json!({"state": "gone"}),
                seen_at,
            });
        };
        let tags = tags(&instance);
        let tag = asked.group.and_then(|group| group.strip_prefix("tag:"));
        let group = match tag.and_then(|tag| tags.get(tag).map(|value| (tag, value))) {
            Some((tag, value)) => Some(self.group(tag, value, asked.health).await?),
            None => None,
        };
        Ok(Observation {
            target: target.clone(),
            identity: Some(state::identity(&instance)?),
            circumstances: self.circumstances(&instance, asked.health).await,
            group,
            captured: json!({"state": state::name(instance.state())}),
            tags,
            seen_at,
        })
    }

    async fn apply(&self, permit: &RowPermit) -> Result<String, ApplyError> {
        self.reboot(&permit.target().id).await
    }

    async fn check(&self, row: &Row, _step: &Step) -> Vec<Evidence> {
        let target = &row.planned.target;
        // Taken before the question: the answer is at least as new.
        let at = Timestamp::now();
        let (reading, detail) = match self.status(&target.id).await {
            Ok(status) => state::reading(status.as_ref()),
            Err(error) => (Reading::Unreadable, error.to_string()),
        };
        let signal = "ec2.status_ok".to_owned();
        vec![Evidence { signal, target: Some(target.clone()), reading, detail, at }]
    }

    async fn undo(&self, _row: &Row, _step: &Step) -> Result<String, ReadError> {
        Err(ReadError("a reboot cannot be undone".to_owned()))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
