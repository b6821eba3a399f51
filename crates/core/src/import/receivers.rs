//! Receivers as channels: webhooks and SNS topics are carried over; for the rest a channel stands that fails loudly.

use serde_json::{Map, Value};

use super::Work;
use super::node::{Entry, Node};
use crate::channels::{self, ChannelSettings};

/// Whom a route with this receiver tells.
pub(super) enum Tells {
    /// None where the receiver is meant to be empty.
    Channels(Vec<String>),
    /// Nobody but this platform, which would tell itself.
    Firebreak,
}

/// Reserved for what cannot exist: a message to it fails, and says so.
const PLACEHOLDER: &str = "https://replace-me.invalid/";

pub(super) fn carry(root: &Node, work: &mut Work) {
    let Some(receivers) = root.get("receivers") else { return };
    for (index, (line, receiver)) in receivers.value.items().iter().enumerate() {
        let at = format!("receivers[{index}]");
        let name = receiver.get("name").and_then(|entry| entry.value.text()).map(str::trim);
        match name.filter(|name| !name.is_empty()) {
            Some(name) if work.receivers.contains_key(name) => {
                let what = "left out: another one has its name";
                work.say(*line, at, what, "give it a name of its own");
            }
            Some(name) => {
                let tells = channels_of(receiver, name, &at, work);
                work.receivers.insert(name.to_owned(), tells);
            }
            None => {
                let what = "left out: it has no name, so no route leads to it";
                work.say(*line, at, what, "give it a name");
            }
        }
    }
}

/// One integration of a receiver, such as the second of its `webhook_configs`.
struct Integration<'a> {
    line: u64,
    at: String,
    kind: &'a str,
    settings: &'a Node,
}

/// A receiver with one integration gives it its name; with several the kind is added.
fn channels_of(receiver: &Node, name: &str, at: &str, work: &mut Work) -> Tells {
    let mut all = Vec::new();
    for entry in receiver.entries().iter().filter(|entry| entry.key != "name") {
        if let Some(kind) = entry.key.strip_suffix("_configs") {
            all.extend(integrations(entry, kind, at));
        } else {
            let at = format!("{at}.{}", entry.key);
            work.say(entry.line, at, "left out: it is no key of a receiver", "nothing to do");
        }
    }
    let several = all.len() > 1;
    let mut firebreak = false;
    let mut names = Vec::new();
    for one in all {
        if is_firebreak(&one) {
            let what = "left out: it is Firebreak itself, which would tell itself";
            work.say(one.line, one.at, what, "nothing to do, this is how alerts come in");
            firebreak = true;
            continue;
        }
        let base = if several { format!("{name}-{}", one.kind) } else { name.to_owned() };
        let channel = free_name(base, work);
        let settings = settings(&one, &channel, work);
        work.channels.insert(channel.clone(), settings);
        names.push(channel);
    }
    if names.is_empty() && firebreak { Tells::Firebreak } else { Tells::Channels(names) }
}

/// What is no list is taken for one of one: better a channel that fails than nobody.
fn integrations<'a>(entry: &'a Entry, kind: &'a str, at: &str) -> Vec<Integration<'a>> {
    let at = format!("{at}.{}", entry.key);
    match &entry.value {
        Node::Null => Vec::new(),
        Node::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, (line, settings))| Integration {
                line: *line,
                at: format!("{at}[{index}]"),
                kind,
                settings,
            })
            .collect(),
        settings @ (Node::Scalar(_) | Node::Map(_)) => {
            vec![Integration { line: entry.line, at, kind, settings }]
        }
    }
}

fn is_firebreak(one: &Integration<'_>) -> bool {
    let url = one.settings.get("url").and_then(|entry| entry.value.text());
    one.kind == "webhook"
        && url.is_some_and(|url| url.trim_end_matches('/').ends_with("/webhooks/alertmanager"))
}

/// With a number, from the second of that name on.
fn free_name(base: String, work: &Work) -> String {
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    names.find(|name| !work.channels.contains_key(name)).unwrap_or(base)
}

fn settings(one: &Integration<'_>, channel: &str, work: &mut Work) -> ChannelSettings {
    let made = match one.kind {
        "webhook" => webhook(one, channel, work),
        "sns" => sns(one, channel, work),
        _ => None,
    };
    let mut settings = made.unwrap_or_else(|| {
        work.placeholders.insert(channel.to_owned());
        of_kind("webhook", "url", PLACEHOLDER)
    });
    if !["webhook", "sns"].contains(&one.kind) {
        let what = format!(
            "there is no channel for {} yet: `{channel}` stands for it and fails until it is set up",
            one.kind
        );
        work.say(one.line, &one.at, what, remedy(one.kind));
    }
    // Those of which Alertmanager tells no end unless it is told to.
    let by_default = !["email", "slack", "rocketchat", "wechat"].contains(&one.kind);
    let wanted = one.settings.get("send_resolved").and_then(|entry| entry.value.truth());
    settings.send_resolved = wanted.unwrap_or(by_default);
    settings
}

fn of_kind(kind: &str, key: &str, value: &str) -> ChannelSettings {
    let settings: Map<String, Value> = [(key.to_owned(), Value::from(value))].into_iter().collect();
    ChannelSettings { kind: kind.to_owned(), send_resolved: true, settings }
}

fn fits(settings: &ChannelSettings) -> bool {
    channels::find(&settings.kind).is_some_and(|channel| channel.check(settings).is_ok())
}

fn webhook(one: &Integration<'_>, channel: &str, work: &mut Work) -> Option<ChannelSettings> {
    work.say(
        one.line,
        &one.at,
        format!("`{channel}` sends our own signed JSON (Standard Webhooks), not Alertmanager's"),
        "let what listens there read that, and give the channel a secret",
    );
    for entry in one.settings.entries() {
        let at = format!("{}.{}", one.at, entry.key);
        match entry.key.as_str() {
            "url" | "url_file" | "send_resolved" => {}
            "http_config" => {
                let what = "left out: messages are signed instead, and no secret was copied";
                work.say(entry.line, at, what, "nothing to do");
            }
            _ => work.say(entry.line, at, "left out: it has no counterpart here", "nothing to do"),
        }
    }
    let url = one.settings.get("url");
    let (line, at) = (url.map_or(one.line, |entry| entry.line), format!("{}.url", one.at));
    let Some(url) = url.and_then(|entry| entry.value.text()) else {
        work.say(line, at, "it does not stand in the file", "set `url` of the channel yourself");
        return None;
    };
    if !is_open(url) {
        let what = "not copied: it may hold a secret";
        work.say(line, at, what, "set `url` yourself, to an address that needs none");
        return None;
    }
    let settings = of_kind("webhook", "url", url);
    if !fits(&settings) {
        let what = "not copied: only https is sent to, and http to this machine";
        work.say(line, at, what, "set `url` to an https address");
        return None;
    }
    Some(settings)
}

/// Whoever knows an address of these may post to it.
const CAPABILITIES: [&str; 4] = ["slack.com", "discord.com", "office.com", "logic.azure.com"];

/// A URL may hold a password or a token: such a one is not copied.
fn is_open(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let mut parts = rest.split('/');
    let authority = parts.next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    !url.contains(['?', '#', '@', '{', '%', ';', '=', '$'])
        && !CAPABILITIES.iter().any(|end| host.ends_with(end))
        && !parts.any(looks_random)
}

/// A part of a path that no person would have chosen.
fn looks_random(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let upper = part.bytes().any(|byte| byte.is_ascii_uppercase());
    part.len() >= 20 || (part.len() >= 8 && (digits >= 3 || (digits > 0 && upper)))
}

fn sns(one: &Integration<'_>, channel: &str, work: &mut Work) -> Option<ChannelSettings> {
    for entry in one.settings.entries() {
        let what = match entry.key.as_str() {
            "topic_arn" | "send_resolved" => continue,
            "sigv4" => "left out: the role of the function publishes, and no secret was copied",
            "subject" | "message" | "attributes" => "left out: messages have one form here",
            _ => "left out: it has no counterpart here",
        };
        work.say(entry.line, format!("{}.{}", one.at, entry.key), what, "nothing to do");
    }
    let topic = one.settings.get("topic_arn").and_then(|entry| entry.value.text());
    let settings = of_kind("sns", "topic_arn", topic.unwrap_or_default());
    if fits(&settings) {
        let what = "topics are published to by the functions on AWS; `firebreak serve` has none";
        work.say(one.line, &one.at, what, "use it there, or set up another channel");
        return Some(settings);
    }
    let what = format!(
        "only a standard topic by its ARN is published to: `{channel}` stands for it and fails until it is set up"
    );
    work.say(one.line, &one.at, what, "give it the `topic_arn` of a standard topic");
    None
}

fn remedy(kind: &str) -> &'static str {
    match kind {
        "email" => {
            "subscribe the addresses to an SNS topic, and make the channel of kind `sns` with its `topic_arn`"
        }
        "slack" | "msteams" | "msteamsv2" => {
            "let the chat follow an SNS topic (Amazon Q Developer in chat applications), and make the channel of kind `sns` with its `topic_arn`"
        }
        _ => {
            "give it the `url` of a `webhook` that passes messages on, or make it of kind `sns` with a topic that leads there"
        }
    }
}
