//! Cases made of plain data: what the examples of the guards, and their tests, are told with.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Case, Judgement, judge};
use crate::alert::{Alert, AlertStatus, Draft, Mute, Severity};
use crate::book::{Book, BookKey, Books, Entry, Lock, RunRef};
use crate::evidence::{Circumstances, Fact, Group, Observation};
use crate::ids::IncidentId;
use crate::incident::{Event, Incident, Recorded};
use crate::matcher::Matchers;
use crate::muting::{Live, MuteFacts, Reading, Silence, SilenceDraft};
use crate::plan::Plan;
use crate::policy::{self, Policy, SharedCause};
use crate::runbook::{self, Runbook};
use crate::self_inflicted::ExpectedEffect;
use crate::shared_cause::{Suspected, Suspicion, Suspicions, domains_of};
use crate::switch::{KillSwitch, SwitchReading};
use crate::target::Target;
use crate::trust::{self, Lesson, Place, TrustRecord, learn};

const RUNBOOK: &str = r#"
runbook: restart-slow-api
owner: platform
when: alert.source == "sumologic" && alert.labels.monitor == "slow-api-data"
mode: auto
max_age: 10m
targets: { ec2.instance: alert.labels.instance_id }
guards:
  cooldown: 15m
  attempts: { max: 2, per: 24h }
  blast_radius: { group: "tag:service", max: 1, max_percent: 50, window: 1h }
  require_tag: { firebreak: allow }
  forbid_tag: { env: frozen }
  hands_off: { after_human_change: 30m, during_deployment: true }
steps:
  - action: ec2.reboot
    verify: { within: 5m, stable_for: 1m, all: [alert_resolved, ec2.status_ok] }
"#;

const POLICY: &str = "
inhibit_rules:
  - source_matchers: [alertname=power-cut]
    target_matchers: [alertname=slow-api-data]
services: { api: { depends_on: [db] } }
flapping: { window: 1h, start: 4, stop: 1 }
";

const GROUP: &str = "tag:service=api";
const MONITOR: &str = "slow-api-data";
const SOUND: &str = "the examples are sound";

/// A case and the one that differs from it in nothing but what the guard looks at.
#[derive(Debug, Clone)]
pub struct Example {
    /// The guard holds, and it alone.
    pub holds: Scene,
    /// Every guard passes.
    pub passes: Scene,
}

/// All that a case refers to, owned; as it is made, every guard passes.
#[derive(Debug, Clone)]
pub struct Scene {
    pub incident: Incident,
    pub runbook: Runbook,
    pub run: RunRef,
    pub observations: Vec<Observation>,
    pub plan: Option<Plan>,
    pub books: Books,
    pub switch: SwitchReading,
    pub policy: Policy,
    pub silences: Reading<Vec<Silence>>,
    pub live: Reading<Live>,
    pub suspected: Reading<Suspicions>,
    pub effects: Reading<Vec<ExpectedEffect>>,
    pub now: Timestamp,
}

impl Scene {
    /// The instance that the alert is about, and two others of its group.
    pub const ONE: &str = "i-0abc12345";
    pub const TWO: &str = "i-0def12345";
    pub const THREE: &str = "i-0fff12345";

    /// An alert fires, a runbook is for it, and nothing stands in the way.
    pub fn calm() -> Self {
        let run = run_of("inc_1", 1);
        let scene = Self {
            incident: opened(&run.incident, "api"),
            runbook: runbook::read(RUNBOOK).expect(SOUND),
            run,
            observations: vec![Self::seen(Self::ONE)],
            plan: None,
            books: Books::new(),
            switch: SwitchReading::Known(KillSwitch::default()),
            policy: policy::read(POLICY).expect(SOUND),
            silences: Reading::Known(Vec::new()),
            live: Reading::Known(Live::default()),
            suspected: Reading::Known(Suspicions::new()),
            effects: Reading::Known(Vec::new()),
            now: Self::time(0),
        };
        scene.firing(alert(Self::ONE).seal())
    }

    /// Seconds since the alert began.
    pub fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000).expect(SOUND) + SignedDuration::from_secs(seconds)
    }

    /// A run of another incident.
    pub fn other() -> RunRef {
        run_of("inc_2", 1)
    }

    pub fn third() -> RunRef {
        run_of("inc_3", 1)
    }

    /// An instance of the group as it is read when all is well with it.
    pub fn seen(id: &str) -> Observation {
        let ids = [Self::ONE, Self::TWO, Self::THREE];
        Observation {
            target: target(id),
            identity: Some("launched-1".to_owned()),
            tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
            group: Some(Group {
                key: GROUP.to_owned(),
                members: 4,
                healthy: Fact::Known(ids.iter().map(|id| (*id).to_owned()).collect()),
            }),
            circumstances: Circumstances {
                changed: Fact::Known(None),
                deployment: Fact::Known(None),
                healthy: Fact::Known(true),
            },
            captured: serde_json::Value::Null,
            seen_at: Self::time(0),
        }
    }

    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        self.now = Self::time(seconds);
        self
    }

    /// Every target is seen with this difference.
    #[must_use]
    pub fn observed(mut self, change: impl Fn(&mut Observation)) -> Self {
        self.observations.iter_mut().for_each(change);
        self
    }

    #[must_use]
    pub fn tagged(self, tag: &str, value: &str) -> Self {
        self.observed(|seen| drop(seen.tags.insert(tag.to_owned(), value.to_owned())))
    }

    #[must_use]
    pub fn around(self, change: impl Fn(&mut Circumstances)) -> Self {
        self.observed(|seen| change(&mut seen.circumstances))
    }

    #[must_use]
    pub fn group(self, change: impl Fn(&mut Group)) -> Self {
        self.observed(|seen| seen.group.iter_mut().for_each(&change))
    }

    #[must_use]
    pub fn record(mut self, event: Event) -> Self {
        let (incident, seq) = (self.incident.id.clone(), self.incident.version + 1);
        let recorded = Recorded { incident, seq, at: self.now, event, prev: None };
        self.incident = self.incident.apply(&recorded).expect(SOUND);
        self
    }

    #[must_use]
    pub fn firing(self, alert: Alert) -> Self {
        self.record(Event::AlertFired { alert: Arc::new(alert) })
    }

    #[must_use]
    pub fn fires_again(self, id: &str) -> Self {
        self.firing(alert(id).seal())
    }

    /// The alert of the instance is resolved.
    #[must_use]
    pub fn over(self, id: &str) -> Self {
        let ends_at = Self::time(0);
        let fingerprint = alert(id).seal().fingerprint;
        self.record(Event::AlertResolved { fingerprint, ends_at })
    }

    /// The sender mutes the alert.
    #[must_use]
    pub fn muted(self, until: Option<i64>) -> Self {
        let by = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm-mute-rule:release".to_owned();
        let mute = Mute { by, until: until.map(Self::time) };
        self.firing(alert(Self::ONE).seal().muted(mute))
    }

    /// The instance was acted on at `seconds`, by a run of this or another incident.
    #[must_use]
    pub fn acted(mut self, id: &str, by: &RunRef, seconds: i64) -> Self {
        let at = Self::time(seconds);
        let entry = Entry { target: target(id), action: reboot(), by: by.clone(), at };
        for key in [BookKey::target(&target(id)), BookKey::group(GROUP)] {
            let book = self.books.remove(&key).unwrap_or_default();
            self.books.insert(key, book.claimed(None, entry.clone(), at));
        }
        self
    }

    #[must_use]
    pub fn book(mut self, key: BookKey, book: Book) -> Self {
        self.books.insert(key, book);
        self
    }

    #[must_use]
    pub fn locked(self, holder: &RunRef, until: i64) -> Self {
        let lock = Some(Lock { holder: holder.clone(), until: Self::time(until) });
        self.book(BookKey::target(&target(Self::ONE)), Book { lock, ..Book::default() })
    }

    /// A run is under way in the group.
    #[must_use]
    pub fn running(self, holder: &RunRef, until: i64) -> Self {
        let running = vec![Lock { holder: holder.clone(), until: Self::time(until) }];
        self.book(BookKey::group(GROUP), Book { running, ..Book::default() })
    }

    /// A reboot of the instance, a little before the alert, is expected to cause alerts.
    #[must_use]
    pub fn expecting(mut self, id: &str, until: i64) -> Self {
        self.effects = Reading::Known(vec![ExpectedEffect {
            target: target(id),
            service: "another".to_owned(),
            action: reboot(),
            by: Self::other(),
            at: Self::time(-10),
            until: Self::time(until),
            alerts: Vec::new(),
        }]);
        self
    }

    /// Another incident is live, with one firing alert.
    #[must_use]
    pub fn beside(mut self, name: &str, service: &str) -> Self {
        let mut draft = alert(Self::TWO);
        name.clone_into(&mut draft.name);
        draft.service = Some(service.to_owned());
        let id = Self::other().incident;
        let event = Event::AlertFired { alert: Arc::new(draft.seal()) };
        let fired = Recorded { incident: id.clone(), seq: 2, at: Self::time(0), event, prev: None };
        let incident = opened(&id, service).apply(&fired).expect(SOUND);
        self.live = Reading::Known(Live { incidents: vec![incident], more_than: None });
        self
    }

    /// The service is being worked on.
    #[must_use]
    pub fn maintained(mut self, service: &str) -> Self {
        let yaml = format!(
            "maintenance: [{{name: move, owner: dba, reason: new disks, services: [{service}], \
             from: 2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z}}]"
        );
        self.policy = policy::read(&yaml).expect(SOUND);
        self
    }

    /// A person asked for quiet about the service.
    #[must_use]
    pub fn silenced(mut self, until: i64) -> Self {
        let draft = SilenceDraft {
            owner: "ana".to_owned(),
            reason: "known".to_owned(),
            matchers: Matchers::read("service=api").expect(SOUND),
            starts_at: None,
            ends_at: Self::time(until),
            replaces: None,
        };
        let id = "sil_1".to_owned().try_into().expect(SOUND);
        let silence = Silence::new(draft, id, Self::time(-60)).expect(SOUND);
        self.silences = Reading::Known(vec![silence]);
        self
    }

    /// One cause is suspected for the domains of the alert, and nobody was told of it yet.
    #[must_use]
    pub fn suspected(mut self) -> Self {
        let of = |domain| {
            let severity = Severity::Critical;
            let suspected = Suspected { since: Self::time(0), targets: 21, groups: 2, severity };
            (domain, Suspicion { suspected, parent: None })
        };
        let domains = domains_of(&alert(Self::ONE).seal(), &SharedCause::default());
        self.suspected = Reading::Known(domains.into_iter().map(of).collect());
        self
    }

    /// The action of the runbook did harm a while ago.
    #[must_use]
    pub fn harmed(self) -> Self {
        let environment = trust::DEFAULT.to_owned();
        let place = Place { action: reboot(), environment };
        let harm = (&Self::other().incident, Lesson::Harmful);
        let (rules, at) = (&self.policy.trust, Self::time(-100));
        let none = TrustRecord::default();
        let (record, _) = learn(&none, &place, harm, self.runbook.mode, rules, at);
        let key = BookKey::trust(&self.runbook.runbook);
        self.book(key, Book { trust: Some(record), ..Book::default() })
    }

    pub fn mutes(&self) -> MuteFacts<'_> {
        MuteFacts {
            policy: &self.policy,
            silences: self.silences.clone(),
            live: self.live.clone(),
            suspected: self.suspected.clone(),
            effects: self.effects.clone(),
        }
    }

    /// What every guard says of it.
    pub fn judge(&self) -> Judgement {
        self.asked(judge)
    }

    pub(super) fn asked<T>(&self, ask: impl FnOnce(&Case<'_>) -> T) -> T {
        ask(&Case {
            incident: &self.incident,
            runbook: &self.runbook,
            run: &self.run,
            observations: &self.observations,
            plan: self.plan.as_ref(),
            books: &self.books,
            switch: &self.switch,
            mutes: &self.mutes(),
            now: self.now,
        })
    }
}

pub(super) fn target(id: &str) -> Target {
    Target { kind: "ec2.instance".to_owned(), id: id.to_owned() }
}

pub(super) fn run_of(incident: &str, run: u32) -> RunRef {
    RunRef { incident: IncidentId::try_from(incident.to_owned()).expect(SOUND), run }
}

fn reboot() -> crate::ids::ActionName {
    "ec2.reboot".to_owned().try_into().expect(SOUND)
}

fn opened(id: &IncidentId, service: &str) -> Incident {
    let event = Event::Opened {
        group_key: "group".to_owned(),
        service: service.to_owned(),
        severity: Severity::Critical,
        title: "slow".to_owned(),
    };
    let at = Scene::time(0);
    Incident::open(&Recorded { incident: id.clone(), seq: 1, at, event, prev: None }).expect(SOUND)
}

fn alert(id: &str) -> Draft {
    let pairs = [("monitor", MONITOR), ("instance_id", id)];
    Draft {
        source: "sumologic",
        identity: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("api".to_owned()),
        name: MONITOR.to_owned(),
        title: format!("{MONITOR} on {id}"),
        labels: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        annotations: std::collections::BTreeMap::new(),
        episode: None,
        starts_at: Scene::time(0),
        ends_at: None,
        links: Vec::new(),
    }
}
