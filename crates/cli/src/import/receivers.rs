//! Receivers as channels: webhooks and SNS topics are carried over, of the rest a channel is left that fails loudly.

use serde_json::{Map, Value, json};

use super::Work;
use super::node::{Entry, Node};

/// Reserved for what cannot exist: a message to it fails, and says so.
const PLACEHOLDER: &str = "https://replace-me.invalid/";

pub(super) fn carry(root: &Node, work: &mut Work) {
    let Some(receivers) = root.get("receivers") else { return };
    for (index, (line, receiver)) in receivers.value.items().iter().enumerate() {
        let place = format!("receivers[{index}]");
        let Some(name) = receiver.get("name").and_then(|entry| entry.value.text()) else {
            work.say(*line, place, "it has no name, so no route leads to it");
            continue;
        };
        let mut integrations = Vec::new();
        for entry in receiver.entries().iter().filter(|entry| entry.key != "name") {
            let items = entry.value.items();
            integrations.extend(items.iter().map(|(line, settings)| (*line, entry, settings)));
            if !entry.key.ends_with("_configs") {
                let text = "there is nothing like it here";
                work.say(entry.line, format!("{place}.{}", entry.key), text);
            }
        }
        let several = integrations.len() > 1;
        let mut channels = Vec::new();
        for (nth, (line, entry, settings)) in integrations.into_iter().enumerate() {
            let channel = if several { format!("{name}-{}", nth + 1) } else { name.to_owned() };
            let channel = unused(channel, work);
            let place = format!("{place}.{}", entry.key);
            let settings = integration(&channel, line, &place, entry, settings, work);
            work.channels.insert(channel.clone(), settings);
            channels.push(channel);
        }
        work.receivers.insert(name.to_owned(), channels);
    }
}

/// Another receiver may be called as this one's second channel.
fn unused(mut name: String, work: &Work) -> String {
    while work.channels.contains_key(&name) {
        name.push('_');
    }
    name
}

fn integration(
    channel: &str,
    line: u64,
    place: &str,
    entry: &Entry,
    settings: &Node,
    work: &mut Work,
) -> Value {
    let kind = entry.key.trim_end_matches("_configs");
    let mut ours = Map::new();
    let wanted_by_default = match kind {
        "webhook" => webhook(channel, line, place, settings, &mut ours, work),
        "sns" => sns(channel, line, place, settings, &mut ours, work),
        other => {
            let text = format!(
                "there is no channel for {other} yet: the channel `{channel}` stands for it and fails until you set it up; a `webhook` or an SNS topic can lead there"
            );
            work.say(line, place, text);
            placeholder(channel, &mut ours, work);
            !matches!(other, "slack" | "email" | "discord_webhook")
        }
    };
    let wanted =
        settings.get("send_resolved").map_or(wanted_by_default, |entry| entry.value.is_true());
    if !wanted {
        ours.insert("send_resolved".to_owned(), json!(false));
    }
    Value::Object(ours)
}

fn placeholder(channel: &str, ours: &mut Map<String, Value>, work: &mut Work) {
    ours.insert("kind".to_owned(), json!("webhook"));
    ours.insert("url".to_owned(), json!(PLACEHOLDER));
    work.signed.insert(channel.to_owned());
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

fn webhook(
    channel: &str,
    line: u64,
    place: &str,
    settings: &Node,
    ours: &mut Map<String, Value>,
    work: &mut Work,
) -> bool {
    placeholder(channel, ours, work);
    let form = "it gets our own signed JSON (Standard Webhooks), not Alertmanager's: its receiver must read that";
    work.say(line, place, form);
    match settings.get("url").map(|entry| (entry.line, entry.value.text())) {
        Some((line, Some(url))) => {
            let tried = json!({"c": {"kind": "webhook", "url": url}});
            let fits = serde_json::from_value(tried)
                .is_ok_and(|channels| firebreak_core::channels::check(&channels).is_empty());
            let text = match (is_open(url), fits) {
                (true, true) => {
                    ours.insert("url".to_owned(), json!(url));
                    None
                }
                (false, _) => Some("not copied: it may hold a secret; set `url` yourself"),
                (true, false) => {
                    Some("not copied: only https, or http to this machine, is sent to")
                }
            };
            if let Some(text) = text {
                work.say(line, format!("{place}.url"), text);
            }
        }
        _ => work.say(line, place, "its `url` is not written there; set it yourself"),
    }
    for entry in settings.entries() {
        let text = match entry.key.as_str() {
            "url" | "url_file" | "send_resolved" => continue,
            "http_config" => "no secret was copied: messages are signed instead of authenticated",
            "max_alerts" | "timeout" => "it has no counterpart here",
            _ => "there is nothing like it here",
        };
        work.say(entry.line, format!("{place}.{}", entry.key), text);
    }
    true
}

fn sns(
    channel: &str,
    line: u64,
    place: &str,
    settings: &Node,
    ours: &mut Map<String, Value>,
    work: &mut Work,
) -> bool {
    let topic = settings.get("topic_arn").and_then(|entry| entry.value.text());
    let tried = json!({"c": {"kind": "sns", "topic_arn": topic}});
    let fits = serde_json::from_value(tried)
        .is_ok_and(|channels| firebreak_core::channels::check(&channels).is_empty());
    if fits {
        ours.insert("kind".to_owned(), json!("sns"));
        ours.insert("topic_arn".to_owned(), json!(topic));
        work.say(
            line,
            place,
            "topics are published to by the functions on AWS; `firebreak serve` has none",
        );
    } else {
        let text = format!(
            "only a standard topic by its ARN is published to: the channel `{channel}` stands for it and fails until you set it up"
        );
        work.say(line, place, text);
        placeholder(channel, ours, work);
    }
    for entry in settings.entries() {
        let text = match entry.key.as_str() {
            "topic_arn" | "send_resolved" => continue,
            "sigv4" => "nothing of it was copied: the role of the function publishes",
            "subject" | "message" | "attributes" => "messages have one form here",
            _ => "it has no counterpart here",
        };
        work.say(entry.line, format!("{place}.{}", entry.key), text);
    }
    true
}
