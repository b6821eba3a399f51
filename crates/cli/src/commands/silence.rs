//! `firebreak silence`: ask for quiet, with an owner, a reason and an end.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use firebreak_core::matcher::Matchers;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::args::{Server, Silence, SilenceAdd};
use crate::client::{Client, taken};
use crate::output::{BOLD, DIM, GOOD, WARN, paint, say, say_json, table};

pub(crate) async fn silence(
    server: &Server,
    what: Silence,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let client = Client::of_api(server)?;
    let answer = match what {
        Silence::Add(wish) => {
            let draft = draft(wish, Timestamp::now())?;
            let silence = client.post("/api/silences", &draft).await?;
            if !as_json {
                added(&silence);
            }
            silence
        }
        Silence::List { all } => {
            let mut answer = client.get("/api/silences", &[]).await?;
            let mut silences = taken(&mut answer, "silences");
            if let Some(silences) = silences.as_array_mut().filter(|_| !all) {
                silences.retain(|silence| text(silence, "state") != "expired");
            }
            if !as_json {
                say(&listed(silences.as_array().map(Vec::as_slice).unwrap_or_default(), all));
            }
            json!({"silences": silences})
        }
        Silence::Expire { id, by } => {
            let silence =
                client.post(&format!("/api/silences/{id}/expire"), &json!({"by": by})).await?;
            if !as_json {
                say(&format!(
                    "{} {id}; what it muted and still fires is told now",
                    paint(GOOD, "ended")
                ));
            }
            silence
        }
    };
    if as_json {
        say_json(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the API is asked for. Mistakes in the matchers are told here, with their place.
fn draft(wish: SilenceAdd, now: Timestamp) -> anyhow::Result<Value> {
    let matchers = Matchers::read(&wish.matchers.join(","))?;
    let ends_at = match (wish.duration, wish.until) {
        (Some(duration), None) => {
            let lasts: SignedDuration = duration
                .parse()
                .with_context(|| format!("--for `{duration}` is not a time such as `2h`"))?;
            wish.from.unwrap_or(now) + lasts
        }
        (None, Some(until)) => until,
        _ => bail!("say how long: --for 2h, or --until 2026-11-21T08:00:00Z"),
    };
    let mut draft = json!({
        "owner": wish.owner, "reason": wish.reason, "matchers": matchers, "ends_at": ends_at,
    });
    let more = [
        ("starts_at", wish.from.map(|at| json!(at))),
        ("replaces", wish.replace.map(|id| json!(id))),
    ];
    for (key, value) in more {
        if let (Some(value), Some(draft)) = (value, draft.as_object_mut()) {
            draft.insert(key.to_owned(), value);
        }
    }
    Ok(draft)
}

fn added(silence: &Value) {
    say(&format!(
        "{} {} until {}",
        paint(GOOD, "silenced"),
        matchers(silence),
        text(silence, "ends_at")
    ));
    say(&format!(
        "{} end it with `firebreak silence expire {}`",
        paint(DIM, "id"),
        text(silence, "id")
    ));
}

fn listed(silences: &[Value], all: bool) -> String {
    if silences.is_empty() {
        let more = if all { "" } else { " (see expired ones with --all)" };
        return format!("nothing is silenced{more}");
    }
    let rows = silences.iter().map(|silence| {
        let state = text(silence, "state");
        let style = if state == "active" { WARN } else { DIM };
        let age = silence.get("age_seconds").and_then(Value::as_i64).unwrap_or_default();
        vec![
            text(silence, "id").to_owned(),
            paint(style, state),
            format!("{:#}", SignedDuration::from_secs(age)),
            text(silence, "ends_at").to_owned(),
            text(silence, "owner").to_owned(),
            matchers(silence),
            text(silence, "reason").to_owned(),
            muted(silence),
        ]
    });
    let header = ["ID", "STATE", "AGE", "UNTIL", "OWNER", "MATCHERS", "REASON", "MUTES NOW"];
    table(&header.map(|word| paint(BOLD, word)).each_ref().map(String::as_str), rows.collect())
}

/// The alerts that it mutes now, the first few by name.
fn muted(silence: &Value) -> String {
    let mutes =
        silence.get("mutes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = mutes.iter().take(3).map(|one| text(one, "alert")).collect();
    match mutes.len() {
        0 => "nothing".to_owned(),
        few @ 1..=3 => format!("{few}: {}", names.join(", ")),
        many => format!("{many}: {}, …", names.join(", ")),
    }
}

fn matchers(silence: &Value) -> String {
    let matchers =
        silence.get("matchers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    matchers.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> SilenceAdd {
        SilenceAdd {
            matchers: vec!["service=checkout".to_owned(), "instance=~i-.*".to_owned()],
            owner: "ana".to_owned(),
            reason: "known".to_owned(),
            duration: Some("2h".to_owned()),
            until: None,
            from: None,
            replace: None,
        }
    }

    #[test]
    fn a_wish_becomes_a_draft() {
        let now: Timestamp = "2026-11-21T06:00:00Z".parse().unwrap();
        let draft = draft(wish(), now).unwrap();
        assert_eq!(draft["ends_at"], "2026-11-21T08:00:00Z");
        assert_eq!(draft["matchers"], json!(["service=\"checkout\"", "instance=~\"i-.*\""]));
        assert!(draft.get("starts_at").is_none());
        let later = SilenceAdd { from: Some("2026-11-22T06:00:00Z".parse().unwrap()), ..wish() };
        let draft = super::draft(later, now).unwrap();
        assert_eq!(draft["ends_at"], "2026-11-22T08:00:00Z");
        assert_eq!(draft["starts_at"], "2026-11-22T06:00:00Z");
    }

    #[test]
    fn mistakes_are_told_before_anything_is_asked() {
        let now = Timestamp::UNIX_EPOCH;
        let bad = SilenceAdd { matchers: vec!["service".to_owned()], ..wish() };
        assert!(draft(bad, now).unwrap_err().to_string().contains("character 8"));
        let soon = SilenceAdd { duration: Some("soon".to_owned()), ..wish() };
        assert!(format!("{:#}", draft(soon, now).unwrap_err()).contains("--for `soon`"));
        let endless = SilenceAdd { duration: None, ..wish() };
        assert!(draft(endless, now).unwrap_err().to_string().contains("--until"));
    }
}
