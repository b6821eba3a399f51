//! Whatever is done to a copy of the record is found, and named.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::{Anchor, Anchors, Copy, ExportEnd, Head, HeadLine, Heads, Report, Wrong};
use crate::alert::Severity;
use crate::examples::{alert, at};
use crate::ids::IncidentId;
use crate::incident::{Event, Incident, Recorded};

/// Three incidents with 3, 4 and 5 events.
fn record() -> Vec<(Incident, Vec<Recorded>)> {
    (0..3).map(|number| story(number, 3 + number)).collect()
}

fn story(number: u64, events: u64) -> (Incident, Vec<Recorded>) {
    let id = IncidentId::try_from(format!("inc_{number}")).unwrap();
    let opened = Event::Opened {
        group_key: "g".to_owned(),
        service: "checkout".to_owned(),
        severity: Severity::Critical,
        title: "slow".to_owned(),
    };
    let (mut incident, first) = Incident::begin(id, opened, at(0)).unwrap();
    let mut recorded = vec![first];
    while incident.version < events {
        let event = match incident.version {
            1 => Event::AlertFired {
                alert: std::sync::Arc::new(alert("slow-api-data", "i-0abc12345")),
            },
            version => Event::Noted { by: "ada".to_owned(), text: format!("note {version}") },
        };
        let next;
        (incident, next) = incident
            .clone()
            .record(event, at(60 * i64::try_from(incident.version).unwrap()))
            .unwrap();
        recorded.push(next);
    }
    (incident, recorded)
}

fn export(record: &[(Incident, Vec<Recorded>)]) -> Vec<String> {
    let line = |value: Value| value.to_string();
    let mut lines = Vec::new();
    for (incident, events) in record {
        lines.extend(events.iter().map(|event| line(serde_json::to_value(event).unwrap())));
        let head = HeadLine {
            incident: incident.id.clone(),
            version: incident.version,
            head: incident.head.unwrap(),
        };
        lines.push(line(serde_json::to_value(head).unwrap()));
    }
    let events = record.iter().map(|(_, events)| events.len() as u64).sum();
    let end = ExportEnd { at: at(0), from: None, to: None, incidents: record.len(), events };
    lines.push(line(end.line()));
    lines
}

fn heads(record: &[(Incident, Vec<Recorded>)]) -> Heads {
    let head = |incident: &Incident| Head {
        seq: incident.version,
        hash: incident.head.unwrap(),
        at: incident.updated_at,
    };
    record.iter().map(|(incident, _)| (incident.id.clone(), head(incident))).collect()
}

/// Two days: one with the first two incidents at an earlier state, one with all.
fn anchors(record: &[(Incident, Vec<Recorded>)]) -> String {
    let day = |days: i64| at(days * 86_400);
    let early = [story(0, 2), story(1, 2)];
    let first = Anchor::of(None, &heads(&early), day(0));
    let second = Anchor::of(Some(&first), &heads(record), at(7_000));
    let third = Anchor::of(Some(&second), &heads(record), day(1));
    let lines = [first, second, third].map(|anchor| serde_json::to_string(&anchor).unwrap());
    lines.join("\n")
}

fn check(lines: &[String], anchors: Option<&str>) -> Report {
    let mut copy = Copy::default();
    for (line, number) in lines.iter().zip(1..) {
        copy.take(number, line);
    }
    copy.check(anchors.map(Anchors::read).as_ref())
}

fn first(report: &Report) -> (String, u64, Wrong) {
    let broken = report.broken.first().expect("something is broken");
    let incident = broken.incident.as_ref().map_or_else(String::new, ToString::to_string);
    (incident, broken.seq.unwrap_or_default(), broken.wrong)
}

#[test]
fn what_was_recorded_is_whole() {
    let record = record();
    let report = check(&export(&record), Some(&anchors(&record)));
    assert_eq!(report.broken, []);
    assert_eq!((report.incidents, report.events, report.anchors), (3, 12, 3));
}

#[test]
fn the_first_broken_place_is_named() {
    let lines = export(&record());
    let edited = |edit: fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        edit(&mut lines);
        first(&check(&lines, None))
    };
    let altered = edited(|lines| lines[1] = lines[1].replace("i-0abc12345", "i-0abc12346"));
    assert_eq!(altered, ("inc_0".to_owned(), 2, Wrong::Altered));
    let last = edited(|lines| lines[2] = lines[2].replace("note", "Note"));
    assert_eq!(last, ("inc_0".to_owned(), 3, Wrong::Altered));
    let missing = edited(|lines| drop(lines.remove(5)));
    assert_eq!(missing, ("inc_1".to_owned(), 2, Wrong::Missing));
    let swapped = edited(|lines| lines.swap(5, 6));
    assert_eq!(swapped, ("inc_1".to_owned(), 2, Wrong::Reordered));
    let twice = edited(|lines| lines.insert(6, lines[5].clone()));
    assert_eq!(twice, ("inc_1".to_owned(), 2, Wrong::Inserted));
    let unreadable = edited(|lines| lines[5].truncate(20));
    assert_eq!(unreadable, (String::new(), 0, Wrong::Unreadable));
}

#[test]
fn a_tail_or_an_incident_that_is_gone_with_all_that_speaks_of_it_is_found_by_the_anchor() {
    let mut record = record();
    let anchors = anchors(&record);
    record[1] = story(1, 3);
    assert_eq!(check(&export(&record), None).broken, [], "nothing in the copy shows it");
    let cut = check(&export(&record), Some(&anchors));
    assert_eq!(first(&cut), ("inc_1".to_owned(), 4, Wrong::Missing));
    record.remove(1);
    assert_eq!(check(&export(&record), None).broken, []);
    let gone = check(&export(&record), Some(&anchors));
    assert_eq!(first(&gone), ("inc_1".to_owned(), 1, Wrong::Missing));
    assert!(gone.broken[0].detail.contains("whole incident"), "{gone:?}");
}

#[test]
fn a_chain_that_was_written_anew_is_found_by_the_anchor() {
    let mut record = record();
    let anchors = anchors(&record);
    let (incident, events) = &record[2];
    let mut forged = Incident::begin(incident.id.clone(), events[0].event.clone(), at(0)).unwrap();
    let mut all = vec![forged.1.clone()];
    for event in &events[1..] {
        let text = Event::Noted { by: "eve".to_owned(), text: "all was well".to_owned() };
        forged = forged.0.record(text, event.at).unwrap();
        all.push(forged.1.clone());
    }
    record[2] = (forged.0, all);
    assert_eq!(check(&export(&record), None).broken, []);
    let found = check(&export(&record), Some(&anchors));
    assert_eq!(first(&found), ("inc_2".to_owned(), 5, Wrong::Altered));
}

#[test]
fn an_anchor_that_was_changed_or_taken_out_is_found() {
    let record = record();
    let (lines, anchors) = (export(&record), anchors(&record));
    let kept: Vec<&str> = anchors.lines().collect();
    for bad in [
        [kept[0], kept[2]].join("\n"),
        kept[1..].join("\n"),
        anchors.replace("\"events\":12", "\"events\":11"),
        anchors.replacen("inc_1", "inc_9", 1),
    ] {
        let report = check(&lines, Some(&bad));
        assert!(report.broken[0].detail.starts_with("anchor "), "{:?}", report.broken);
    }
}

#[test]
fn an_export_of_the_table_is_checked_in_any_order() {
    let record = record();
    let mut lines = Vec::new();
    for (incident, events) in &record {
        let pk = format!("INC#{}", incident.id);
        let state = serde_json::to_string(incident).unwrap();
        lines.push(item(&[("pk", &pk), ("sk", "META"), ("body", &state)]));
        for recorded in events {
            let (sk, at) = (format!("EVT#{:010}", recorded.seq), recorded.at.to_string());
            let body = serde_json::to_string(&recorded.event).unwrap();
            let mut texts = vec![("pk", pk.as_str()), ("sk", &sk), ("at", &at), ("body", &body)];
            let prev = recorded.prev.map(|prev| prev.to_string());
            texts.extend(prev.as_deref().map(|prev| ("prev", prev)));
            lines.push(item(&texts));
        }
    }
    lines.push(item(&[("pk", "BOOK#a"), ("sk", "BOOK")]));
    lines.reverse();
    assert_eq!(check(&lines, Some(&anchors(&record))).broken, []);
    let place = lines.iter().position(|line| line.contains("note 3")).unwrap();
    lines[place] = lines[place].replace("note 3", "note 4");
    assert_eq!(first(&check(&lines, None)), ("inc_2".to_owned(), 4, Wrong::Altered));
}

fn item(texts: &[(&str, &str)]) -> String {
    let attributes: serde_json::Map<String, Value> = texts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), serde_json::json!({"S": text})))
        .collect();
    serde_json::json!({"Item": attributes}).to_string()
}

#[test]
fn an_anchor_is_due_once_a_day() {
    let anchor = Anchor::of(None, &Heads::new(), at(0));
    let midnight: Timestamp =
        format!("{}T00:00:00Z", anchor.date.tomorrow().unwrap()).parse().unwrap();
    assert!(Anchor::is_due(None, at(0)));
    assert!(!Anchor::is_due(Some(&anchor), at(0)));
    assert!(Anchor::is_due(Some(&anchor), midnight));
}

proptest! {
    /// One byte of any event or head, changed to another: what is read is not what was written.
    #[test]
    fn any_flip_is_found(line in 0usize..15, place in any::<prop::sample::Index>(), to in 0x20u8..0x7f) {
        let mut lines = export(&record());
        let mut bytes = lines[line].clone().into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        let changed = String::from_utf8(bytes).unwrap();
        let same = serde_json::from_str::<Value>(&changed).ok() == serde_json::from_str(&lines[line]).ok();
        prop_assume!(!same);
        lines[line] = changed;
        prop_assert!(!check(&lines, None).broken.is_empty());
    }

    #[test]
    fn any_line_that_is_dropped_doubled_moved_or_made_up_is_found(
        line in 0usize..15, other in 0usize..15, how in 0u8..4,
    ) {
        let mut lines = export(&record());
        match how {
            0 => drop(lines.remove(line)),
            1 => lines.insert(other, lines[line].clone()),
            2 => {
                // Lines of one incident have an order; incidents have none.
                let incident = |line: &str| line.split("inc_").nth(1).and_then(|rest| rest.chars().next());
                prop_assume!(line != other && incident(&lines[line]) == incident(&lines[other]));
                prop_assume!(!lines[line].contains("\"head\"") && !lines[other].contains("\"head\""));
                lines.swap(line, other);
            }
            _ => {
                let mut made_up: Value = serde_json::from_str(&lines[line]).unwrap();
                made_up["incident"] = "inc_9".into();
                lines.insert(other, made_up.to_string());
            }
        }
        prop_assert!(!check(&lines, None).broken.is_empty());
    }

    #[test]
    fn a_file_that_ends_early_is_found(lines_left in 0usize..15) {
        let record = record();
        let mut lines = export(&record);
        lines.truncate(lines_left);
        prop_assert!(!check(&lines, Some(&anchors(&record))).broken.is_empty());
    }
}
