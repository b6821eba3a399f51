//! Every guard passes and holds, at its very edge, and never passes what could not be read.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::trust::harmed;
use super::{Case, GUARDS, Judgement, judge};
use crate::alert::{Alert, Identity, Mute};
use crate::book::{Book, BookKey, Books, Entry, Lock, RunRef};
use crate::evidence::{Group, Observation};
use crate::examples::{RUNBOOK, alert, at, draft, resolved};
use crate::ids::IncidentId;
use crate::incident::{Acknowledgement, Event, Incident, Recorded};
use crate::muting::{Live, MuteFacts, Reading, Silence, SilenceDraft};
use crate::plan::{Basis, Plan};
use crate::policy::SharedCause;
use crate::policy::{self, Policy};
use crate::runbook::{self, Runbook};
use crate::shared_cause::{Suspected, Suspicion, Suspicions, domains_of};
use crate::switch::{Engaged, KillSwitch, SwitchReading};
use crate::target::Target;

const ONE: &str = "i-0abc12345";
const TWO: &str = "i-0def12345";
const THREE: &str = "i-0fff12345";
const GROUP: &str = "tag:service=api";

const POLICY: &str = "
inhibit_rules:
  - source_matchers: [alertname=power-cut]
    target_matchers: [alertname=slow-api-data]
services: { api: { depends_on: [db] } }
flapping: { window: 1h, start: 4, stop: 1 }
";

/// Everything that the guards look at; as it is made, all of them pass.
struct Scene {
    incident: Incident,
    runbook: Runbook,
    run: RunRef,
    observations: Vec<Observation>,
    plan: Option<Plan>,
    books: Books,
    switch: SwitchReading,
    policy: Policy,
    silences: Reading<Vec<Silence>>,
    live: Reading<Live>,
    suspected: Reading<Suspicions>,
    now: Timestamp,
}

fn target(id: &str) -> Target {
    Target { kind: "ec2.instance".to_owned(), id: id.to_owned() }
}

fn run_of(incident: &str, run: u32) -> RunRef {
    RunRef { incident: IncidentId::try_from(incident.to_owned()).unwrap(), run }
}

fn seen(id: &str) -> Observation {
    Observation {
        target: target(id),
        identity: Some("launched-1".to_owned()),
        tags: [("firebreak".to_owned(), "allow".to_owned())].into(),
        group: Some(Group { key: GROUP.to_owned(), members: 4 }),
        captured: serde_json::Value::Null,
        seen_at: at(0),
    }
}

impl Scene {
    fn new() -> Self {
        let run = run_of("inc_1", 1);
        let opened = Event::Opened {
            group_key: "group".to_owned(),
            service: "api".to_owned(),
            severity: crate::alert::Severity::Critical,
            title: "slow".to_owned(),
        };
        let (incident, _) = Incident::begin(run.incident.clone(), opened, at(0)).unwrap();
        let scene = Self {
            incident,
            runbook: runbook::read(RUNBOOK).unwrap(),
            run,
            observations: vec![seen(ONE)],
            plan: None,
            books: Books::new(),
            switch: SwitchReading::Known(KillSwitch::default()),
            policy: policy::read(POLICY).unwrap(),
            silences: Reading::Known(Vec::new()),
            live: Reading::Known(Live::default()),
            suspected: Reading::Known(Suspicions::new()),
            now: at(0),
        };
        scene.firing(alert("slow-api-data", ONE))
    }

    fn record(mut self, event: Event) -> Self {
        self.incident = self.incident.record(event, self.now).unwrap().0;
        self
    }

    fn firing(self, alert: Alert) -> Self {
        self.record(Event::AlertFired { alert: Box::new(alert) })
    }

    fn over(self, instance: &str) -> Self {
        let over = resolved("slow-api-data", instance, 0);
        let ends_at = over.ends_at.unwrap();
        self.record(Event::AlertResolved { fingerprint: over.fingerprint, ends_at })
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// `id` was acted on at `seconds`, by a run of this or another incident.
    fn acted(mut self, id: &str, by: &RunRef, seconds: i64) -> Self {
        let action = self.runbook.steps[0].action.clone();
        let entry = Entry { target: target(id), action, by: by.clone(), at: at(seconds) };
        for key in [BookKey::target(&target(id)), BookKey::group(GROUP)] {
            let book = self.books.remove(&key).unwrap_or_default();
            self.books.insert(key, book.claimed(None, entry.clone(), at(seconds)));
        }
        self
    }

    fn locked(mut self, holder: &RunRef, until: i64) -> Self {
        let lock = Some(Lock { holder: holder.clone(), until: at(until) });
        self.books.insert(BookKey::target(&target(ONE)), Book { lock, ..Book::default() });
        self
    }

    fn at(mut self, seconds: i64) -> Self {
        self.now = at(seconds);
        self
    }

    fn judge(&self) -> Judgement {
        judge(&Case {
            incident: &self.incident,
            runbook: &self.runbook,
            run: &self.run,
            observations: &self.observations,
            plan: self.plan.as_ref(),
            books: &self.books,
            switch: &self.switch,
            mutes: &MuteFacts {
                policy: &self.policy,
                silences: self.silences.clone(),
                live: self.live.clone(),
                suspected: self.suspected.clone(),
            },
            now: self.now,
        })
    }
}

#[track_caller]
fn passes(scene: &Scene) {
    let judgement = scene.judge();
    assert!(judgement.permit.is_some(), "{}", judgement.reason());
}

/// Only the named guard holds, and its reason says why.
#[track_caller]
fn holds(scene: &Scene, guard: &str, because: &str) {
    let judgement = scene.judge();
    assert!(judgement.permit.is_none(), "{guard} let it pass");
    let holding: Vec<&str> = judgement
        .findings
        .iter()
        .filter(|finding| finding.holds())
        .map(|finding| finding.guard.as_str())
        .collect();
    assert_eq!(holding, [guard], "{}", judgement.reason());
    assert!(judgement.reason().contains(because), "{}", judgement.reason());
}

fn other() -> RunRef {
    run_of("inc_2", 1)
}

fn muted(until: Option<i64>) -> Alert {
    let by = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm-mute-rule:release".to_owned();
    alert("slow-api-data", ONE).muted(Mute { by, until: until.map(at) })
}

/// Another live incident with one firing alert.
fn live(name: &str, service: &str) -> Reading<Live> {
    let mut draft = draft(name, TWO);
    draft.service = Some(service.to_owned());
    let run = run_of("inc_2", 1);
    let opened = Event::Opened {
        group_key: "other".to_owned(),
        service: service.to_owned(),
        severity: crate::alert::Severity::Critical,
        title: name.to_owned(),
    };
    let record =
        |seq, event| Recorded { incident: run.incident.clone(), seq, at: at(0), event, prev: None };
    let fired = Event::AlertFired { alert: Box::new(draft.seal()) };
    let incident = Incident::open(&record(1, opened)).unwrap().apply(&record(2, fired)).unwrap();
    Reading::Known(Live { incidents: vec![incident], more_than: None })
}

/// Fired four times, each but the last resolved at once.
fn flapping(scene: Scene) -> Scene {
    scene
        .over(ONE)
        .firing(alert("slow-api-data", ONE))
        .over(ONE)
        .firing(alert("slow-api-data", ONE))
}

fn maintained() -> Policy {
    let yaml = "maintenance: [{name: move, owner: dba, reason: new disks, services: [api], from: 2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z}]";
    policy::read(yaml).unwrap()
}

fn silenced(until: Timestamp) -> Reading<Vec<Silence>> {
    let draft = SilenceDraft {
        owner: "ana".to_owned(),
        reason: "known".to_owned(),
        matchers: crate::matcher::Matchers::read("service=api").unwrap(),
        starts_at: None,
        ends_at: until,
        replaces: None,
    };
    let id = "sil_1".to_owned().try_into().unwrap();
    Reading::Known(vec![Silence::new(draft, id, at(-60)).unwrap()])
}

/// For each guard of the registry, a scene in which it alone holds.
fn blocking() -> Vec<(&'static str, Scene)> {
    vec![
        (
            "attempts",
            Scene::new().acted(ONE, &other(), -2000).acted(ONE, &run_of("inc_3", 1), -1000),
        ),
        ("blast_radius", Scene::new().acted(TWO, &other(), -10)),
        ("cooldown", Scene::new().acted(ONE, &other(), -899)),
        ("dependency", Scene::new().with(|scene| scene.live = live("disk-full", "db"))),
        ("flapping", flapping(Scene::new())),
        ("identity", Scene::new().with(|scene| scene.observations[0].identity = None)),
        ("inhibited", Scene::new().with(|scene| scene.live = live("power-cut", "power"))),
        (
            "kill_switch",
            Scene::new().with(|scene| scene.switch = SwitchReading::Unreadable(String::new())),
        ),
        ("lock", Scene::new().locked(&other(), 1)),
        ("maintenance", Scene::new().with(|scene| scene.policy = maintained())),
        ("max_age", Scene::new().at(601)),
        ("require_tag", Scene::new().with(|scene| scene.observations[0].tags.clear())),
        ("sender_mute", Scene::new().firing(muted(None))),
        ("shared_cause", Scene::new().with(|scene| scene.suspected = suspected())),
        ("silenced", Scene::new().with(|scene| scene.silences = silenced(at(60)))),
        ("still_true", Scene::new().over(ONE)),
        ("trust", Scene::new().with(|scene| scene.books.extend(harmed()))),
    ]
}

#[test]
fn every_guard_of_the_registry_can_block() {
    let blocking = blocking();
    let tried: Vec<&str> = blocking.iter().map(|(guard, _)| *guard).collect();
    let registered: Vec<&str> = GUARDS.iter().map(|guard| guard.name()).collect();
    assert_eq!(tried, registered, "each guard needs a scene in which it alone holds");
    for (guard, scene) in &blocking {
        holds(scene, guard, "");
    }
}

#[test]
fn the_registry_is_sorted_and_says_what_each_guard_is_for() {
    let names: Vec<&str> = GUARDS.iter().map(|guard| guard.name()).collect();
    assert!(names.is_sorted());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(GUARDS.iter().all(|guard| guard.summary().ends_with('.')));
}

#[test]
fn all_guards_are_heard_even_when_one_holds() {
    let judgement = blocking().remove(0).1.judge();
    assert_eq!(judgement.findings.len(), GUARDS.len());
}

#[test]
fn nothing_in_the_way_is_a_permit() {
    passes(&Scene::new());
}

#[test]
fn without_any_observation_nothing_is_permitted() {
    let scene = Scene::new().with(|scene| scene.observations.clear());
    holds(&scene, "identity", "no target was read");
}

#[test]
fn a_kill_switch_that_is_engaged_or_unreadable_holds() {
    let by = Engaged { by: "ada".to_owned(), reason: "a drill".to_owned(), at: at(0) };
    let known = SwitchReading::Known(KillSwitch { engaged: Some(by) });
    holds(&Scene::new().with(|scene| scene.switch = known), "kill_switch", "ada");
    let unreadable = SwitchReading::Unreadable("timeout".to_owned());
    holds(&Scene::new().with(|scene| scene.switch = unreadable), "kill_switch", "timeout");
}

#[test]
fn the_cooldown_ends_exactly_when_it_says() {
    passes(&Scene::new().acted(ONE, &other(), -900));
    holds(&Scene::new().acted(ONE, &other(), -899), "cooldown", "inc_2");
    // A clock that runs ahead elsewhere is no way around it.
    holds(&Scene::new().acted(ONE, &other(), 5), "cooldown", "inc_2");
}

#[test]
fn an_earlier_run_of_the_same_incident_counts_for_the_cooldown() {
    let scene = Scene::new().with(|scene| scene.run = run_of("inc_1", 2));
    holds(&scene.acted(ONE, &run_of("inc_1", 1), -10), "cooldown", "inc_1");
}

#[test]
fn a_run_does_not_block_itself() {
    let own = run_of("inc_1", 1);
    passes(&Scene::new().acted(ONE, &own, -1).locked(&own, 100));
    passes(&Scene::new().acted(ONE, &own, -1).acted(ONE, &own, -1));
}

#[test]
fn the_attempts_are_counted_by_run_and_forgotten_exactly_after_the_window() {
    let day = 24 * 3600;
    let third = run_of("inc_3", 1);
    passes(&Scene::new().acted(ONE, &other(), -1000));
    passes(&Scene::new().acted(ONE, &other(), -2000).acted(ONE, &other(), -1000));
    passes(&Scene::new().acted(ONE, &other(), -day).acted(ONE, &third, -1000));
    let both = Scene::new().acted(ONE, &other(), 1 - day).acted(ONE, &third, -1000);
    holds(&both, "attempts", "2 runs");
    let none = Scene::new().with(|scene| scene.runbook.guards.attempts.max = 0);
    holds(&none, "attempts", "at most 0");
}

#[test]
fn a_lock_holds_until_it_lapses_and_never_its_holder() {
    holds(&Scene::new().locked(&other(), 1), "lock", "inc_2");
    passes(&Scene::new().locked(&other(), 0));
    passes(&Scene::new().locked(&run_of("inc_1", 1), 100));
    holds(&Scene::new().locked(&run_of("inc_1", 2), 1), "lock", "run 2");
}

#[test]
fn nothing_is_sent_at_or_after_the_deadline_of_the_run() {
    let started = |scene: Scene| {
        let event = Event::RunStarted {
            run: 1,
            runbook: Box::new(scene.runbook.clone()),
            driver: "A".to_owned(),
            settle_until: at(0),
            deadline: at(60),
            trace: crate::trace::Trace::default(),
            requested_by: None,
            mode: None,
        };
        scene.record(event)
    };
    passes(&started(Scene::new()).at(59));
    holds(&started(Scene::new()).at(60), "lock", "the time of the run");
}

#[test]
fn the_blast_radius_counts_what_is_planned_and_what_was_done_in_the_window() {
    let two = |scene: Scene| scene.with(|scene| scene.runbook.guards.blast_radius.max = 2);
    passes(&two(Scene::new()).acted(TWO, &other(), -10));
    let third = two(Scene::new()).acted(TWO, &other(), -10).acted(THREE, &other(), -5);
    holds(&third, "blast_radius", "3 of 4");
    passes(&Scene::new().acted(TWO, &other(), -3600));
    holds(&Scene::new().acted(TWO, &other(), -3599), "blast_radius", "2 of 4");
    let planned = || {
        Scene::new().firing(alert("slow-api-data", TWO)).with(|scene| {
            scene.observations.push(seen(TWO));
        })
    };
    holds(&planned(), "blast_radius", "2 of 4");
    passes(&two(planned()));
    // The same target twice is one target.
    passes(&two(planned()).acted(TWO, &run_of("inc_1", 1), -10));
}

#[test]
fn the_blast_radius_counts_earlier_targets_of_the_same_run() {
    let own = run_of("inc_1", 1);
    holds(&Scene::new().acted(TWO, &own, -10), "blast_radius", "2 of 4");
}

#[test]
fn the_smaller_of_both_limits_counts_and_a_part_of_a_member_is_none() {
    let of = |members: u32, max: u32, percent: u8| {
        Scene::new().with(|scene| {
            scene.runbook.guards.blast_radius.max = max;
            scene.runbook.guards.blast_radius.max_percent = Some(percent);
            scene.observations[0].group = Some(Group { key: GROUP.to_owned(), members });
        })
    };
    passes(&of(4, 5, 25));
    holds(&of(3, 5, 25), "blast_radius", "at most 0");
    holds(&of(100, 0, 100), "blast_radius", "at most 0");
    holds(&of(0, 5, 100), "blast_radius", "at most 0");
}

#[test]
fn a_target_without_a_group_is_not_touched() {
    let scene = Scene::new().with(|scene| scene.observations[0].group = None);
    holds(&scene, "blast_radius", "no group");
}

#[test]
fn a_target_that_does_not_exist_or_was_replaced_is_not_touched() {
    let gone = Scene::new().with(|scene| scene.observations[0].identity = None);
    holds(&gone, "identity", "does not exist");
    let planned = Scene::new().with(|scene| {
        let basis = Basis {
            runbook: &scene.runbook,
            firing: &[],
            observations: &scene.observations,
            rulings: &[],
            books: &scene.books,
            run: &scene.run,
        };
        scene.plan = Some(Plan::of(&basis).unwrap());
    });
    passes(&planned);
    let replaced = planned.with(|scene| {
        scene.observations[0].identity = Some("launched-2".to_owned());
    });
    holds(&replaced, "identity", "replaced");
}

#[test]
fn an_alert_without_identity_never_acts() {
    let mut weak = alert("slow-api-data", ONE);
    weak.identity = Identity::Weak;
    holds(&Scene::new().firing(weak), "identity", "nothing identifies");
}

#[test]
fn an_alert_is_young_enough_until_its_age_is_over_the_limit() {
    passes(&Scene::new().at(600));
    holds(&Scene::new().at(601), "max_age", "601 s");
    let mut waited = alert("slow-api-data", ONE);
    waited.received_at = Some(at(0) - SignedDuration::from_mins(9));
    passes(&Scene::new().firing(waited.clone()).at(60));
    holds(&Scene::new().firing(waited).at(61), "max_age", "601 s");
    passes(&Scene::new().at(500).firing(alert("slow-api-data", ONE)).at(1100));
    let news = |starts: i64| {
        let mut draft = draft("slow-api-data", ONE);
        draft.starts_at = at(starts);
        draft.title = "worse and worse".to_owned();
        let updated = Event::AlertUpdated { alert: Box::new(draft.seal()) };
        Scene::new().at(500).record(updated).at(1100)
    };
    holds(&news(0), "max_age", "1100 s");
    passes(&news(500));
}

#[test]
fn every_target_carries_every_tag_with_its_value() {
    let tagged = |value: &'static str| {
        Scene::new().with(|scene| {
            scene.observations[0].tags.insert("firebreak".to_owned(), value.to_owned());
        })
    };
    passes(&tagged("allow"));
    holds(&tagged("Allow"), "require_tag", "`Allow`");
    holds(
        &Scene::new().with(|scene| scene.observations[0].tags.clear()),
        "require_tag",
        "no such tag",
    );
    let second = Scene::new().firing(alert("slow-api-data", TWO)).with(|scene| {
        scene.runbook.guards.blast_radius.max = 2;
        scene.observations.push(Observation { tags: [].into(), ..seen(TWO) });
    });
    holds(&second, "require_tag", TWO);
}

#[test]
fn a_mute_of_the_sender_holds_until_it_ends() {
    holds(&Scene::new().firing(muted(Some(1))), "sender_mute", "until 2026-");
    passes(&Scene::new().firing(muted(Some(1))).at(1));
    passes(&Scene::new().firing(muted(None)).firing(alert("slow-api-data", ONE)));
}

#[test]
fn a_target_whose_own_alert_is_over_is_not_touched() {
    let both = || {
        let scene = Scene::new().firing(alert("slow-api-data", TWO));
        scene.with(|scene| scene.runbook.guards.blast_radius.max = 2)
    };
    passes(&both());
    holds(&both().over(ONE), "still_true", ONE);
    passes(&both().over(TWO));
    holds(&both().over(ONE).over(TWO), "still_true", "firing any more");
}

#[test]
fn another_alert_of_the_incident_is_no_reason_to_act() {
    let scene = Scene::new().over(ONE).firing(alert("another-monitor", ONE));
    holds(&scene, "still_true", "no alert that the runbook is for");
}

#[test]
fn a_person_who_took_over_is_left_alone() {
    let scene = Scene::new().with(|scene| {
        scene.incident.acknowledged = Some(Acknowledgement { by: "ada".to_owned(), at: at(0) });
    });
    holds(&scene, "still_true", "ada");
}

#[test]
fn a_window_of_no_length_forgets_at_once() {
    let scene = Scene::new().with(|scene| {
        scene.runbook.guards.cooldown = SignedDuration::ZERO;
    });
    passes(&scene.acted(ONE, &other(), 0));
}

/// One cause is suspected for the domain of the scene's alert, and nobody was told of it yet.
fn suspected() -> Reading<Suspicions> {
    let alert = alert("slow-api-data", ONE);
    let domains = domains_of(&alert, &SharedCause::default());
    let of = |domain| {
        let severity = crate::alert::Severity::Critical;
        let suspected = Suspected { since: at(0), targets: 21, groups: 2, severity };
        (domain, Suspicion { suspected, parent: None })
    };
    Reading::Known(domains.into_iter().map(of).collect())
}

#[test]
fn a_member_of_a_shared_cause_is_not_acted_on_and_nobody_acts_on_what_cannot_be_read() {
    let member = Scene::new().with(|scene| scene.suspected = suspected());
    holds(&member, "shared_cause", "21 targets");
    let blind = Reading::Unreadable("the store is away".to_owned());
    let blind = Scene::new().with(|scene| scene.suspected = blind);
    holds(&blind, "shared_cause", "the store is away");
    let off = Scene::new().with(|scene| {
        scene.suspected = suspected();
        scene.policy.shared_cause.domains.clear();
    });
    passes(&off);
}

#[test]
fn mutes_hold_what_they_cannot_read_and_only_then_call_somebody() {
    let unreadable = || "the store is away".to_owned();
    let blind = Scene::new().with(|scene| scene.silences = Reading::Unreadable(unreadable()));
    holds(&blind, "silenced", "the store is away");
    assert_eq!(blind.judge().muted, None);
    let quiet = Scene::new().with(|scene| scene.silences = silenced(at(60)));
    holds(&quiet, "silenced", "silenced by ana (sil_1): known");
    assert!(quiet.judge().trace().muted.is_some_and(|muted| muted.until == Some(at(60))));
    passes(&Scene::new().with(|scene| scene.silences = silenced(at(60))).at(60));

    let blind = Scene::new().with(|scene| scene.live = Reading::Unreadable(unreadable()));
    let judgement = blind.judge();
    let holding: Vec<_> = judgement.findings.iter().filter(|finding| finding.holds()).collect();
    assert_eq!(holding.len(), 2, "inhibition and dependency cannot be judged");
    assert!(judgement.permit.is_none() && judgement.muted.is_none());

    let many = Live { incidents: Vec::new(), more_than: Some(500) };
    let many = Scene::new().with(|scene| scene.live = Reading::Known(many));
    assert!(many.judge().permit.is_none() && many.judge().reason().contains("500"));
}

#[test]
fn a_mute_beside_another_reason_is_no_reason_to_be_quiet() {
    let both = Scene::new()
        .with(|scene| scene.silences = silenced(at(60)))
        .with(|scene| scene.observations[0].tags.clear());
    assert!(both.judge().permit.is_none());
    assert_eq!(both.judge().muted, None);
}

#[test]
fn the_mute_guards_are_guards_and_every_mute_has_one() {
    for (guard, _) in super::MUTE_GUARDS {
        assert!(GUARDS.iter().any(|known| known.name() == *guard), "{guard}");
    }
    let mut kinds: Vec<_> = super::MUTE_GUARDS.iter().map(|(_, kind)| *kind).collect();
    kinds.sort_unstable();
    let mut mutes: Vec<_> = crate::muting::MUTES.iter().map(|mute| mute.kind()).collect();
    mutes.sort_unstable();
    assert_eq!(kinds, mutes);
}
