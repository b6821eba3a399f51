//! Keys beside routes, receivers, rules and intervals: none has a counterpart, and each is said.

use super::Work;
use super::node::{Entry, Node};

const CARRIED: [&str; 5] =
    ["route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals"];

pub(super) fn say(root: &Node, work: &mut Work) {
    for entry in root.entries() {
        match entry.key.as_str() {
            key if CARRIED.contains(&key) => {}
            "global" => {
                for setting in entry.value.entries() {
                    global(setting, work);
                }
            }
            "templates" => work.say(
                entry.line,
                &entry.key,
                "left out: messages have one form here",
                "put what people need into labels and annotations; a `webhook` gets them all as JSON",
            ),
            key => work.say(entry.line, key, "left out: there is nothing like it here", "nothing to do"),
        }
    }
}

fn global(setting: &Entry, work: &mut Work) {
    let (what, remedy) = match setting.key.as_str() {
        "resolve_timeout" => (
            "left out: an alert that its sender forgets is over after `expiry.after` (7 days unless set)",
            "set `expiry: { after: ... }` if that is too long",
        ),
        key if key.starts_with("smtp_") => {
            ("left out: there is no channel for e-mail", "let an SNS topic send it")
        }
        key if ["_url", "_key", "_file", "_token", "_secret"]
            .iter()
            .any(|end| key.ends_with(end)) =>
        {
            (
                "left out: it belongs to a kind of receiver that is not here, and may be a secret",
                "see the remarks on the receivers that use it",
            )
        }
        _ => ("left out: it has no counterpart here", "nothing to do"),
    };
    work.say(setting.line, format!("global.{}", setting.key), what, remedy);
}
