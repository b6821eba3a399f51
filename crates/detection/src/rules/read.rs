//! Reading a rules file: everything that can be wrong is found here and named with its place.

use firebreak_core::cel::{Expression, Wanted, reach};
use firebreak_core::yaml::{Diagnostic, Document};
use jiff::SignedDuration;

use super::{EVENT, Rule, Rules};
use crate::forest::MOST_FEATURES;

/// Longer windows are a matter for a store, not for memory.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
const LATEST: SignedDuration = SignedDuration::from_hours(1);
const MOST_KEYS: usize = 1_000_000;
const MOST_RULES: usize = 1000;
const KINDS: &str = "`count`, `ratio`, `threshold`, `absence` or `unusual`";

/// Why a text is no rules file: all that is wrong with it, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct BadRules(pub Vec<Diagnostic>);

/// Reads a rules file. What it returns need not be checked again.
pub fn read(yaml: &str) -> Result<Rules, BadRules> {
    let (rules, document) =
        Document::read::<Rules>(yaml).map_err(|wrong| BadRules(vec![*wrong]))?;
    let mut check = Check { document: &document, wrong: Vec::new() };
    check.all(&rules);
    let mut wrong = check.wrong;
    wrong.sort_by_key(|wrong| wrong.at.start);
    if wrong.is_empty() { Ok(rules) } else { Err(BadRules(wrong)) }
}

struct Check<'a> {
    document: &'a Document<'a>,
    wrong: Vec<Diagnostic>,
}

impl Check<'_> {
    fn all(&mut self, rules: &Rules) {
        self.span("lateness", rules.lateness, SignedDuration::ZERO, LATEST);
        if rules.keys == 0 || rules.keys > MOST_KEYS {
            self.say("keys", "keys", "this is no useful bound", "give 1 to 1000000");
        }
        if rules.log.time.is_empty() {
            self.say("log", "log.time", "an event without a time is nothing", "name a field");
        }
        if rules.rules.is_empty() || rules.rules.len() > MOST_RULES {
            self.say("rules", "rules", "there is nothing to look for", "give 1 to 1000 rules");
        }
        for (index, rule) in rules.rules.iter().enumerate() {
            let place = format!("rules[{index}]");
            if rules.rules.iter().take(index).any(|other| other.rule == rule.rule) {
                let message = format!("there is another rule `{}`", rule.rule);
                self.say("name", &format!("{place}.rule"), &message, "give each a name of its own");
            }
            self.rule(&place, rule);
        }
    }

    fn say(&mut self, code: &'static str, place: &str, message: &str, help: &str) {
        self.wrong.push(self.document.error(code, place, message).help(help));
    }

    fn rule(&mut self, place: &str, rule: &Rule) {
        let at = |key: &str| format!("{place}.{key}");
        if rule.rule.trim().is_empty() {
            self.say("name", &at("rule"), "it has no name", "name what is found, in a few words");
        }
        if rule.owner.trim().is_empty() {
            self.say("owner", &at("owner"), "it names nobody", "name who answers for this rule");
        }
        if let Some(when) = &rule.when {
            self.expression(&at("when"), when, Wanted::Truth);
            if let Err(reason) = reach(when, &EVENT) {
                self.say("never_holds", &at("when"), "this can never hold", &reason);
            }
        }
        for (name, key) in &rule.per {
            self.expression(&at(&format!("per.{name}")), key, Wanted::Value);
        }
        self.span(&at("for"), rule.hold, SignedDuration::ZERO, LONGEST);
        self.span(&at("keep_firing"), rule.keep_firing, SignedDuration::ZERO, LONGEST);
        self.kind(place, rule);
    }

    fn kind(&mut self, place: &str, rule: &Rule) {
        let at = |key: &str| format!("{place}.{key}");
        let short = SignedDuration::from_millis(1);
        let given = [
            rule.count.is_some(),
            rule.ratio.is_some(),
            rule.threshold.is_some(),
            rule.absence.is_some(),
            rule.unusual.is_some(),
        ];
        let given = given.iter().filter(|given| **given).count();
        if given != 1 {
            let message = format!("it looks for {given} things");
            self.say("kind", place, &message, &format!("give exactly one of {KINDS}"));
        }
        if let Some(count) = &rule.count {
            self.span(&at("count.within"), count.within, short, LONGEST);
            if count.clear.is_some_and(|clear| clear > count.more_than) {
                self.clear(&at("count.clear"), "at most `more_than`");
            }
        }
        if let Some(ratio) = &rule.ratio {
            self.expression(&at("ratio.of"), &ratio.of, Wanted::Truth);
            self.span(&at("ratio.within"), ratio.within, short, LONGEST);
            if !(0.0..1.0).contains(&ratio.more_than) {
                let place = at("ratio.more_than");
                self.say("share", &place, "this is no share", "write 5 % as 0.05");
            }
            if ratio.clear.is_some_and(|clear| clear > ratio.more_than || clear < 0.0) {
                self.clear(&at("ratio.clear"), "at most `more_than`");
            }
        }
        if let Some(threshold) = &rule.threshold {
            self.expression(&at("threshold.value"), &threshold.value, Wanted::Value);
            self.span(&at("threshold.stale_after"), threshold.stale_after, short, LONGEST);
            let clear = threshold.clear;
            match (threshold.above, threshold.below) {
                (Some(above), None) if clear.is_some_and(|clear| clear > above) => {
                    self.clear(&at("threshold.clear"), "at most `above`");
                }
                (None, Some(below)) if clear.is_some_and(|clear| clear < below) => {
                    self.clear(&at("threshold.clear"), "at least `below`");
                }
                (Some(_), None) | (None, Some(_)) => {}
                _ => {
                    let place = at("threshold");
                    self.say("limit", &place, "there must be one limit", "give `above` or `below`");
                }
            }
        }
        if let Some(absence) = &rule.absence {
            self.span(&at("absence.within"), absence.within, short, LONGEST);
            if absence.forget_after <= absence.within {
                let place = at("absence.forget_after");
                let help = "make it longer than `within`";
                self.say("forget", &place, "it is forgotten before it is missed", help);
            }
        }
        if let Some(unusual) = &rule.unusual {
            for (name, feature) in &unusual.features {
                let place = at(&format!("unusual.features.{name}"));
                self.expression(&place, feature, Wanted::Value);
            }
            if unusual.features.is_empty() || unusual.features.len() > MOST_FEATURES {
                let place = at("unusual.features");
                self.say("features", &place, "so many cannot be looked at", "give 1 to 8 numbers");
            }
            self.span(&at("unusual.within"), unusual.within, short, LONGEST);
            if unusual.warm_up < 64 || unusual.warm_up > 1_000_000 {
                let place = at("unusual.warm_up");
                self.say(
                    "warm_up",
                    &place,
                    "nothing is learned from so many",
                    "give 64 to 1000000",
                );
            }
            if !(unusual.sensitivity > 0.0 && unusual.sensitivity.is_finite()) {
                let place = at("unusual.sensitivity");
                self.say("sensitivity", &place, "this is no distance", "give a number such as 6");
            }
        }
    }

    fn clear(&mut self, place: &str, help: &str) {
        self.say("clear", place, "it would be resolved while it fires", help);
    }

    fn expression(&mut self, place: &str, expression: &Expression, wanted: Wanted) {
        for flaw in expression.check(&EVENT, wanted) {
            let part = (expression.as_str(), &flaw.at);
            let wrong = self.document.error_within("expression", place, part, flaw.message);
            self.wrong.push(wrong.help_if(flaw.help));
        }
    }

    fn span(
        &mut self,
        place: &str,
        span: SignedDuration,
        least: SignedDuration,
        most: SignedDuration,
    ) {
        if span < least || span > most {
            let message = format!("{span:#} is no time for this");
            self.say("span", place, &message, &format!("give {least:#} to {most:#}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::EXAMPLE;

    #[test]
    fn the_example_is_valid_and_shows_every_kind() {
        let rules = read(EXAMPLE).unwrap().rules;
        assert_eq!(rules.len(), 6);
        assert!(rules.iter().any(|rule| rule.unusual.is_some()));
        assert_eq!(rules[0].count.as_ref().unwrap().within, SignedDuration::from_mins(10));
    }

    #[test]
    fn every_mistake_is_named_with_its_place_and_a_remedy() {
        for (change, to, expected) in [
            (
                "owner: platform",
                "onwer: platform",
                "there is no key `onwer` here; did you mean `owner`?",
            ),
            (
                "event.fields.path ==",
                "event.path ==",
                "rules[0].when: `event` has no `path`; write `event.fields.path`",
            ),
            ("event.fields.path ==", "event.field.path ==", "did you mean `event.fields`?"),
            ("latency_ms > 3000", "latency_ms >> 3000", "this is not an expression"),
            (
                "event.service == \"backup\"",
                "event.service > 3",
                "a text cannot be compared with a number",
            ),
            (
                "{ more_than: 5, within: 10m }",
                "{ more_than: 5, within: 0s }",
                "rules[0].count.within: 0s is no time for this",
            ),
            (
                "clear: 0 }",
                "clear: 11 }",
                "rules[1].count.clear: it would be resolved while it fires; at most `more_than`",
            ),
            (
                "more_than: 0.05",
                "more_than: 5",
                "rules[2].ratio.more_than: this is no share; write 5 % as 0.05",
            ),
            (
                "above: 90, clear: 80",
                "above: 90, below: 3",
                "rules[3].threshold: there must be one limit",
            ),
            (
                "    absence: { within: 26h }",
                "    count: { more_than: 1, within: 26h }\n    absence: { within: 26h }",
                "rules[4]: it looks for 2 things; give exactly one of",
            ),
            ("rule: cpu-high", "rule: failed-logins", "there is another rule `failed-logins`"),
            ("lateness: 10s", "lateness: 2h", "lateness: 2h is no time for this; give 0s to 1h"),
        ] {
            let text = EXAMPLE.replacen(change, to, 1);
            assert_ne!(text, EXAMPLE, "{change}");
            let wrong = read(&text).unwrap_err();
            assert!(wrong.to_string().contains(expected), "{change} -> {to} said: {wrong}");
            for one in &wrong.0 {
                assert!(text.get(one.at.clone()).is_some() && one.line >= 1);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_text_makes_the_reader_panic(cut in 0usize..EXAMPLE.len(), with in "[ -~\\n]{0,8}") {
            let (head, tail) = EXAMPLE.split_at(EXAMPLE.floor_char_boundary(cut));
            drop(read(&format!("{head}{with}{tail}")));
        }
    }
}
