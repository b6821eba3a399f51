//! Reading a runbook from YAML: everything that can be wrong is found here and named with its place.

use jiff::SignedDuration;

use super::{
    ALERT_RESOLVED, Expect, OnHarmful, Runbook, Step, Window, is_same, nearest, parameters,
};
use crate::actions::{self, Action, Reversal};
use crate::book::MEMORY;
use crate::cel::{ALERT, Expression, Wanted, reach};
use crate::policy::TimeInterval;
use crate::yaml::{Diagnostic, Document};

/// More looks than this would fill the history of an execution.
const MOST_LOOKS: f64 = 500.0;

/// Why a text is not a runbook: all that is wrong with it, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct BadRunbook(pub Vec<Diagnostic>);

/// A runbook that can be run, with the text that it was read from, for those who say more about it.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    pub runbook: Runbook,
    pub document: Document<'a>,
}

impl From<Runbook> for Draft<'static> {
    /// Without its text: what is said about it has no line.
    fn from(runbook: Runbook) -> Self {
        Self { runbook, document: Document::unwritten() }
    }
}

/// Reads one runbook. What it returns can be run; nothing about it has to be checked again.
pub fn read(yaml: &str) -> Result<Runbook, BadRunbook> {
    inspect(yaml).map(|draft| draft.runbook)
}

/// As [`read`], and keeps the places of the text.
pub fn inspect(yaml: &str) -> Result<Draft<'_>, BadRunbook> {
    let (runbook, document) =
        Document::read::<Runbook>(yaml).map_err(|wrong| BadRunbook(vec![*wrong]))?;
    let mut check = Check { document: &document, runbook: &runbook, wrong: Vec::new() };
    check.all();
    let mut wrong = check.wrong;
    wrong.sort_by_key(|wrong| wrong.at.start);
    if wrong.is_empty() { Ok(Draft { runbook, document }) } else { Err(BadRunbook(wrong)) }
}

struct Check<'a> {
    document: &'a Document<'a>,
    runbook: &'a Runbook,
    wrong: Vec<Diagnostic>,
}

impl Check<'_> {
    fn all(&mut self) {
        let runbook = self.runbook;
        if runbook.owner.trim().is_empty() {
            self.say("owner", "owner", "it names nobody", "name who answers for this runbook");
        }
        self.expression("when", &runbook.when, Wanted::Truth);
        if let Err(reason) = reach(&runbook.when, &ALERT) {
            self.say("never_holds", "when", "this can never hold", &reason);
        }
        if runbook.targets.len() != 1 {
            let message = format!("there are {} target kinds", runbook.targets.len());
            let help = "give exactly one, such as `ec2.instance: alert.labels.instance_id`";
            self.say("targets", "targets", &message, help);
        }
        for (kind, ids) in &runbook.targets {
            self.target(kind, ids);
        }
        if runbook.steps.is_empty() {
            self.say("steps", "steps", "there is no step", "give at least one");
        }
        for (place, duration) in [
            ("max_age", runbook.max_age),
            ("settle", runbook.settle),
            ("approve_within", runbook.approve_within),
        ] {
            self.not_negative(place, duration);
        }
        self.guards();
        self.approvals();
        for (index, step) in runbook.steps.iter().enumerate() {
            self.step(&format!("steps[{index}]"), step);
        }
    }

    fn say(&mut self, code: &'static str, place: &str, message: &str, help: &str) {
        self.wrong.push(self.document.error(code, place, message).help(help));
    }

    fn expression(&mut self, place: &str, expression: &Expression, wanted: Wanted) {
        for flaw in expression.check(&ALERT, wanted) {
            let part = (expression.as_str(), &flaw.at);
            let wrong = self.document.error_within("expression", place, part, flaw.message);
            self.wrong.push(wrong.help_if(flaw.help));
        }
    }

    fn target(&mut self, kind: &str, ids: &Expression) {
        let place = format!("targets.{kind}");
        let kinds: Vec<&str> = actions::ACTIONS.iter().map(|action| action.target_kind()).collect();
        if !kinds.contains(&kind) {
            let near = nearest(kind, kinds.iter().copied());
            let help = near.map_or_else(
                || format!("there are {}", unique(kinds)),
                |near| format!("did you mean `{near}`?"),
            );
            self.say(
                "target_kind",
                &place,
                &format!("no action has targets of the kind `{kind}`"),
                &help,
            );
        }
        self.expression(&place, ids, Wanted::Ids);
    }

    fn guards(&mut self) {
        let guards = &self.runbook.guards;
        for (place, window) in [
            ("guards.cooldown", guards.cooldown),
            ("guards.attempts.per", guards.attempts.per),
            ("guards.blast_radius.window", guards.blast_radius.window),
        ] {
            self.not_negative(place, window);
            if window > MEMORY {
                self.say(
                    "window",
                    place,
                    "actions are remembered for 7 days",
                    "use a shorter time",
                );
            }
        }
        self.hands_off();
        for (place, windows) in
            [("only_within", &guards.only_within), ("never_within", &guards.never_within)]
        {
            for (index, window) in windows.iter().enumerate() {
                self.window(&format!("guards.{place}[{index}]"), window);
            }
        }
        if guards.blast_radius.group.is_none() {
            self.without_a_group();
        }
        if guards.blast_radius.max_percent.is_some_and(|percent| percent > 100) {
            let place = "guards.blast_radius.max_percent";
            self.say(
                "percent",
                place,
                "this is more than all of them",
                "a percentage is at most 100",
            );
        }
        let group = guards.blast_radius.group.as_deref();
        if let Some(other) =
            group.filter(|group| group.strip_prefix("tag:").is_none_or(str::is_empty))
        {
            let place = "guards.blast_radius.group";
            self.say("group", place, &format!("`{other}` is no group"), "write `tag:<name>`");
        }
    }

    fn approvals(&mut self) {
        let approvals = &self.runbook.approvals;
        if approvals.of == 0 {
            let help = "ask at least one person, or use `mode: auto`";
            self.say("approvals", "approvals.of", "nobody is asked", help);
        }
        let from = &approvals.from;
        let twice = from.iter().enumerate().find_map(|(at, name)| {
            let earlier = from.iter().take(at).any(|other| is_same(other, name));
            (earlier || name.trim().is_empty()).then_some(at)
        });
        if let Some(at) = twice {
            let place = format!("approvals.from[{at}]");
            self.say("approvals", &place, "this names nobody new", "leave it out");
        } else if !from.is_empty() && from.len() < approvals.of as usize {
            let message = format!("{} of {} can never say yes", approvals.of, from.len());
            self.say("approvals", "approvals.of", &message, "ask fewer, or name more in `from`");
        }
    }

    fn hands_off(&mut self) {
        let Some(wait) = self.runbook.guards.hands_off.after_human_change else { return };
        let place = "guards.hands_off.after_human_change";
        if wait <= SignedDuration::ZERO {
            self.say("window", place, "this waits for nothing", "give a time, or leave it out");
        }
    }

    fn window(&mut self, place: &str, window: &Window) {
        match window {
            Window::Named(name) if name.trim().is_empty() => {
                self.say("time_window", place, "this names no time interval", "give its name");
            }
            Window::Named(_) => {}
            Window::Inline(interval) => {
                let empty: Vec<&str> = interval.empty_fields().collect();
                if !empty.is_empty() {
                    let message = format!("`{}` is empty, so this never holds", empty.join("`, `"));
                    self.say("time_window", place, &message, "take it out");
                }
                if **interval == TimeInterval::default() {
                    let help = "give `weekdays`, `times` or another field";
                    self.say("time_window", place, "this always holds", help);
                }
            }
        }
    }

    /// Shares and health are those of a group whose members can be counted.
    fn without_a_group(&mut self) {
        let guards = &self.runbook.guards;
        let help = "say of which: `guards.blast_radius.group: \"tag:service\"`";
        if guards.blast_radius.max_percent.is_some() {
            let place = "guards.blast_radius.max_percent";
            self.say("group", place, "this is a share of no group", help);
        }
        if guards.healthy_to_keep() > 0 {
            let place = "guards.keep_healthy";
            self.say("group", place, "these are members of no group", help);
        }
    }

    fn step(&mut self, place: &str, step: &Step) {
        let Some(action) = actions::find(step.action.as_str()) else {
            let names: Vec<&str> = actions::ACTIONS.iter().map(|action| action.name()).collect();
            let near = nearest(step.action.as_str(), names.iter().copied());
            let help = near.map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no action `{}`", step.action);
            self.say("action", &format!("{place}.action"), &message, &help);
            return;
        };
        let kind = self.runbook.target_kind();
        if action.target_kind() != kind {
            let message = format!(
                "{} acts on {}, the runbook targets {kind}",
                action.name(),
                action.target_kind()
            );
            let help =
                format!("give `targets: {{ {}: ... }}` or another action", action.target_kind());
            self.say("target_kind", &format!("{place}.action"), &message, &help);
        }
        self.parameters(place, step, action);
        self.verify(&format!("{place}.verify"), step, action);
        let irreversible = action.reversal() == Reversal::Irreversible;
        if step.undo_after.is_some() && irreversible {
            let message = format!("{} cannot be undone", action.name());
            self.say("undo", &format!("{place}.undo_after"), &message, "leave it out");
        }
        if step.on_harmful == OnHarmful::Keep && irreversible {
            let message = format!("{} cannot be undone, so it is kept anyway", action.name());
            self.say("undo", &format!("{place}.on_harmful"), &message, "leave it out");
        }
        if let Some(expect) = &step.expect {
            self.expect(&format!("{place}.expect"), expect);
        }
        if let Some(after) = step.undo_after {
            self.not_negative(&format!("{place}.undo_after"), after);
        }
    }

    fn expect(&mut self, place: &str, expect: &Expect) {
        let lasting = format!("{place}.for");
        self.not_negative(&lasting, expect.lasting);
        if expect.lasting > MEMORY {
            let message = "actions are remembered for 7 days";
            self.say("window", &lasting, message, "use a shorter time");
        }
        if let Some(index) = expect.alerts.iter().position(|name| name.trim().is_empty()) {
            let place = format!("{place}.alerts[{index}]");
            self.say("expect", &place, "this names no alert", "give the name of an alert");
        }
    }

    fn parameters(&mut self, place: &str, step: &Step, action: &dyn Action) {
        for (name, value) in &step.with {
            let place = format!("{place}.with.{name}");
            let Some(text) = value.as_str() else { continue };
            for flaw in parameters::flaws(text) {
                let wrong = self.document.error_within(
                    "expression",
                    &place,
                    (text, &flaw.at),
                    flaw.message,
                );
                self.wrong.push(wrong.help_if(flaw.help));
            }
        }
        // What waits for an alert is checked when it is there.
        let mut known = step.with.clone();
        known.retain(|name, value| {
            !parameters::is_filled(value)
                || !action.parameters().iter().any(|known| known.name == name)
        });
        let waits = |name: &str| step.with.get(name).is_some_and(parameters::is_filled);
        for parameter in action.parameters().iter().filter(|parameter| waits(parameter.name)) {
            known.insert(parameter.name.to_owned(), parameter.form.example());
        }
        if let Err(problem) = action.check_parameters(&known) {
            self.wrong.push(self.document.error("parameter", &format!("{place}.with"), problem));
        }
    }

    fn verify(&mut self, place: &str, step: &Step, action: &dyn Action) {
        let verify = &step.verify;
        if verify.all.is_empty() {
            let help = "name at least one; an action that cannot be verified is not taken";
            self.say("signal", &format!("{place}.all"), "there is no signal", help);
        }
        let signals: Vec<&str> = std::iter::once(ALERT_RESOLVED)
            .chain(action.signals().iter().map(|signal| signal.name))
            .collect();
        for (index, signal) in verify.all.iter().enumerate() {
            if signals.contains(&signal.as_str()) {
                continue;
            }
            let message = format!("{} has no signal `{signal}`", action.name());
            let help = nearest(signal, signals.iter().copied()).map_or_else(
                || format!("there are {}", signals.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.say("signal", &format!("{place}.all[{index}]"), &message, &help);
        }
        let within = format!("{place}.within");
        if verify.within <= SignedDuration::ZERO {
            self.say("within", &within, "this leaves the signals no time", "give them some");
        }
        let blind = verify.all.iter().map(|signal| verify.fresh_from(action, signal)).max();
        if let Some(blind) = blind.filter(|blind| *blind >= verify.within) {
            let message = format!(
                "readings count from {blind:#} after the action, so this can never succeed"
            );
            self.say("within", &within, &message, "allow more time");
        }
        self.not_negative(&format!("{place}.stable_for"), verify.stable_for);
        let every = format!("{place}.every");
        if verify.every.is_some_and(|every| every < SignedDuration::from_millis(100)) {
            self.say("every", &every, "this is more than ten looks a second", "look less often");
            return;
        }
        let looks =
            (verify.within + verify.stable_for).as_secs_f64() / verify.interval().as_secs_f64();
        if looks > MOST_LOOKS {
            let message = format!("that is {looks:.0} looks, at most {MOST_LOOKS} fit");
            self.say("every", &every, &message, "look less often");
        }
    }

    fn not_negative(&mut self, place: &str, duration: SignedDuration) {
        if duration.is_negative() {
            self.say("negative", place, "a duration cannot be negative", "leave out the sign");
        }
    }
}

fn unique(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples;

    fn problem(change: &str, to: &str) -> String {
        let text = examples::RUNBOOK.replace(change, to);
        let wrong = read(&text).unwrap_err();
        for wrong in &wrong.0 {
            assert!(text.get(wrong.at.clone()).is_some() && wrong.line >= 1);
        }
        wrong.to_string()
    }

    #[test]
    fn the_example_reads_with_units() {
        let runbook = read(examples::RUNBOOK).unwrap();
        assert_eq!(runbook.max_age, SignedDuration::from_mins(10));
        assert_eq!(runbook.guards.attempts.max, 2);
        assert_eq!(runbook.steps[0].action.as_str(), "ec2.reboot");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn no_text_makes_the_reader_panic(text in "[ -~\\n]{0,200}", cut in 0usize..600, with in "[ -~\\n]{0,8}") {
            drop(read(&text));
            let (head, tail) = examples::RUNBOOK.split_at(cut.min(examples::RUNBOOK.len()));
            drop(read(&format!("{head}{with}{tail}")));
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_place_and_a_remedy() {
        for (change, to, expected) in [
            (
                "owner:",
                "onwer:",
                "line 3 column 1: there is no key `onwer` here; did you mean `owner`?",
            ),
            (
                "cooldown: 15m",
                "cooldwn: 15m",
                "line 10 column 3: there is no key `cooldwn` here; did you mean `cooldown`?",
            ),
            ("cooldown: 15m", "cooldown: soon", "line 10"),
            (
                "cooldown: 15m",
                "cooldown: 720h",
                "guards.cooldown: actions are remembered for 7 days",
            ),
            (
                "ec2.reboot\n",
                "ec2.rebot\n",
                "line 15 column 13: steps[0].action: there is no action `ec2.rebot`; did you mean `ec2.reboot`?",
            ),
            (
                "ec2.status_ok",
                "ec2.statusok",
                "steps[0].verify.all[1]: ec2.reboot has no signal `ec2.statusok`; did you mean `ec2.status_ok`?",
            ),
            ("ec2.instance:", "http.flag:", "steps[0].action: ec2.reboot acts on ec2.instance"),
            ("ec2.instance:", "ec2.instanse:", "did you mean `ec2.instance`?"),
            ("group: \"tag:service\"", "group: service", "guards.blast_radius.group"),
            (
                "group: \"tag:service\", ",
                "",
                "guards.blast_radius.max_percent: this is a share of no group",
            ),
            (
                "  cooldown: 15m",
                "  hands_off: { after_human_chang: 30m }\n  cooldown: 15m",
                "did you mean `after_human_change`?",
            ),
            (
                "  cooldown: 15m",
                "  never_within: [{ weekdays: [] }]\n  cooldown: 15m",
                "guards.never_within[0]: `weekdays` is empty, so this never holds",
            ),
            (
                "  cooldown: 15m",
                "  only_within: [{}]\n  cooldown: 15m",
                "guards.only_within[0]: this always holds",
            ),
            (
                "ec2.reboot\n",
                "ec2.reboot\n    expect: { for: 200h }\n",
                "steps[0].expect.for: actions are remembered for 7 days",
            ),
            (
                "alert.labels.monitor",
                "alert.label.monitor",
                "line 4 column 44: when: `alert` has no `label`; did you mean `alert.labels`?",
            ),
            (
                "== \"sumologic\"",
                "== \"sumologc\"",
                "this can never hold; `alert.source` is never \"sumologc\"; did you mean \"sumologic\"?",
            ),
            ("mode: auto", "mode: automatic", "automatic"),
            (
                "settle: 30s",
                "approvals: { of: 3, from: [ann, bob] }",
                "line 7 column 18: approvals.of: 3 of 2 can never say yes",
            ),
            ("settle: 30s", "approvals: { from: [ann, Ann] }", "approvals.from[1]"),
            ("settle: 30s", "approvals: { of: 0 }", "approvals.of: nobody is asked"),
            (
                "alert.labels.instance_id",
                "size(alert.labels)",
                "this gives a number, not a text or a list of texts",
            ),
        ] {
            let text = problem(change, to);
            assert!(text.contains(expected), "{change} -> {to} said: {text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let text = examples::RUNBOOK
            .replace("ec2.reboot\n", "ec2.rebot\n")
            .replace("alert.source", "alert.sorce")
            .replace("owner: platform", "owner: ''");
        assert_eq!(read(&text).unwrap_err().0.len(), 3);
    }

    #[test]
    fn parameters_are_checked_before_and_after_there_is_an_alert() {
        let with = |value: &str| read(&examples::FLAG_RUNBOOK.replace("{ value: true }", value));
        assert!(with("{ value: '${alert.severity == \"critical\"}' }").is_ok());
        assert!(
            with("{ value: '${alert.nam}' }")
                .unwrap_err()
                .to_string()
                .contains("did you mean `alert.name`?")
        );
        assert!(with("{ value: [1] }").unwrap_err().to_string().contains("it takes true, false"));
        assert!(
            with("{ valu: '${alert.name}' }")
                .unwrap_err()
                .to_string()
                .contains("`value` is missing")
        );
    }
}
