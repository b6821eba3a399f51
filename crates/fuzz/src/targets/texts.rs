//! What people write: runbooks, conditions, matchers, policies; and what the record and its queues hold.

use firebreak_core::alert::{AlertStatus, Draft, Severity};
use firebreak_core::cel::{ALERT, Expression, Wanted, reach};
use firebreak_core::export::Export;
use firebreak_core::matcher::Matchers;
use firebreak_core::{import, policy, runbook};
use firebreak_engine::delivery::PackedBody;
use firebreak_engine::ports::Spilled;
use jiff::Timestamp;

use super::Target;
use crate::corpus::{files, root};

pub(super) fn targets() -> Vec<Target> {
    vec![
        runbooks(),
        conditions(),
        matchers(),
        policies(),
        imports(),
        exports(),
        spilled(),
        packed(),
    ]
}

fn yaml() -> Vec<Vec<u8>> {
    let is_yaml =
        |path: &std::path::Path| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let mut found = files(&root().join("runbooks"), &is_yaml);
    found.extend(files(&root().join("crates/cli/src/commands"), &is_yaml));
    found.into_iter().map(|(_, text)| text).collect()
}

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

fn runbooks() -> Target {
    Target::new("runbook", yaml(), |input, _| {
        let Some(text) = text(input) else { return };
        match runbook::inspect(text) {
            Ok(draft) => drop(runbook::lint(&draft)),
            Err(wrong) => assert!(!wrong.to_string().is_empty(), "it is refused without a word"),
        }
    })
}

fn conditions() -> Target {
    let alert = Draft {
        source: "sumologic",
        identity: [("monitor".to_owned(), "slow-api".into())].into(),
        status: AlertStatus::Firing,
        severity: Severity::Critical,
        service: Some("shop".to_owned()),
        name: "slow-api".to_owned(),
        title: "slow".to_owned(),
        labels: [("instance_id".to_owned(), "i-0abc".to_owned())].into(),
        annotations: [].into(),
        episode: None,
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: None,
        links: Vec::new(),
    };
    let alert = alert.seal();
    Target::new("cel", Vec::new(), move |input, _| {
        let Some(text) = text(input) else { return };
        let expression = Expression::new(text);
        for wanted in [Wanted::Truth, Wanted::Ids, Wanted::Value] {
            drop(expression.check(&ALERT, wanted));
        }
        drop(reach(&expression, &ALERT));
        let held = expression.holds(&alert).ok();
        assert_eq!(held, expression.holds(&alert).ok(), "the same alert was judged otherwise");
        drop(expression.ids(&alert));
    })
}

fn matchers() -> Target {
    Target::new("matchers", Vec::new(), |input, _| {
        let Some(text) = text(input) else { return };
        let Ok(matchers) = Matchers::read(text) else { return };
        assert_eq!(
            matchers.fit(|_| "x"),
            matchers.fit(|_| "x"),
            "the same labels were judged otherwise"
        );
        let written = serde_json::to_string(&matchers).unwrap_or_default();
        let again: Option<Matchers> = serde_json::from_str(&written).ok();
        assert_eq!(again, Some(matchers), "{written} is read as something else");
    })
}

fn policies() -> Target {
    Target::new("policy", Vec::new(), |input, _| {
        let Some(text) = text(input) else { return };
        match policy::read(text) {
            Ok(policy) => {
                let written = serde_json::to_string(&policy).unwrap_or_default();
                let again = policy::read(&written).ok();
                assert_eq!(again, Some(policy), "{written} is read as something else");
            }
            Err(wrong) => assert!(!wrong.to_string().is_empty(), "it is refused without a word"),
        }
    })
}

fn imports() -> Target {
    let seeds = files(&root().join("events/import"), &|path| {
        path.extension().is_some_and(|end| end == "yml")
    });
    let seeds = seeds.into_iter().map(|(_, text)| text).collect();
    Target::new("import", seeds, |input, _| {
        let Some(text) = text(input) else { return };
        let imported = import::alertmanager(text);
        let refused = matches!(imported, Err(import::NotImported::Refused(_)));
        assert!(!refused, "what was made of it is not read back");
        if let Ok(imported) = imported {
            assert!(imported.remarks.is_sorted(), "remarks stand by line");
        }
    })
}

fn exports() -> Target {
    let seeds = files(&root().join("events/event_relay"), &|path| {
        path.extension().is_some_and(|end| end == "json")
    });
    let seeds = seeds.into_iter().map(|(_, text)| text).collect();
    Target::new("export", seeds, |input, _| {
        let Some(text) = text(input) else { return };
        let mut export = Export::default();
        for (number, line) in text.lines().enumerate() {
            export.take(number + 1, line);
        }
        drop(export.sorted());
    })
}

fn spilled() -> Target {
    Target::new("spilled", Vec::new(), |input, _| {
        let Some(text) = text(input) else { return };
        if let Ok(spilled) = Spilled::from_message(text) {
            let again = Spilled::from_message(&spilled.to_message()).ok();
            assert_eq!(again, Some(spilled), "it is read as something else");
        }
    })
}

fn packed() -> Target {
    let seeds = vec![
        PackedBody::of(b"{}").bytes().to_vec(),
        PackedBody::of(&[b'x'; 5000]).bytes().to_vec(),
    ];
    Target::new("packed_body", seeds, |input, _| {
        if let Ok(body) = PackedBody::from_bytes(input.to_vec()).unpack() {
            assert_eq!(PackedBody::of(&body).unpack().ok(), Some(body), "it does not come back");
        }
    })
}
