//! What expressions mean, what is found wrong with them, and where.

use proptest::prelude::*;

use super::*;
use crate::examples;

fn value(text: &str) -> Result<serde_json::Value, NoValue> {
    let alert = examples::alert("slow-api-data", "i-0abc12345");
    Expression::new(text).json(&Subject::of(&alert))
}

fn flaws(text: &str) -> Vec<(String, String, Option<String>)> {
    Expression::new(text)
        .check(&ALERT, Wanted::Truth)
        .into_iter()
        .map(|flaw| (text.get(flaw.at).unwrap().to_owned(), flaw.message, flaw.help))
        .collect()
}

#[test]
fn a_condition_reads_the_alert() {
    let alert = examples::alert("slow-api-data", "i-0abc12345");
    let holds = |text: &str| Expression::new(text).holds(&alert);
    assert_eq!(holds("alert.source == 'sumologic'"), Ok(true));
    assert_eq!(holds("alert.labels.instance_id.startsWith('i-')"), Ok(true));
    assert_eq!(holds("alert.severity in ['warning']"), Ok(false));
    assert_eq!(holds("'zone' in alert.labels && alert.labels.zone == 'a'"), Ok(false));
    assert_eq!(holds("has(alert.labels.zone)"), Ok(false));
    assert!(holds("alert.labels.nowhere == 'a'").is_err());
    let ids = |text: &str| Expression::new(text).ids(&alert);
    assert_eq!(ids("alert.labels.instance_id"), Ok(vec!["i-0abc12345".to_owned()]));
    assert_eq!(
        ids("alert.labels.instance_id.split('-')"),
        Ok(vec!["i".to_owned(), "0abc12345".to_owned()])
    );
    assert!(ids("''").is_err() && ids("1").is_err());
}

#[test]
fn our_functions_work() {
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/shop/checkout";
    assert_eq!(value(&format!("'{arn}'.arnPart('id')")), Ok("checkout".into()));
    assert_eq!(value(&format!("'{arn}'.arnPart('region')")), Ok("eu-west-1".into()));
    assert!(value("'x'.arnPart('id')").is_err());
    assert_eq!(value("'10.1.2.3'.inCidr('10.0.0.0/8')"), Ok(true.into()));
    assert_eq!(value("alert.name.glob('slow-*')"), Ok(true.into()));
    assert_eq!(value("alert.labels[?'zone'].orValue('none')"), Ok("none".into()));
}

#[test]
fn each_flaw_is_underlined_and_has_a_remedy() {
    let text = |flaw: &(String, String, Option<String>)| {
        format!("[{}] {} / {}", flaw.0, flaw.1, flaw.2.as_deref().unwrap_or("-"))
    };
    for (expression, says) in [
        ("alert.sorce == 'a'", "[sorce] `alert` has no `sorce` / did you mean `alert.source`?"),
        (
            "alert.monitor == 'a'",
            "[monitor] `alert` has no `monitor` / for a label write `alert.labels.monitor`",
        ),
        ("alrt.name == 'a'", "[alrt] `alrt` does not exist / the only variable is `alert`"),
        ("source == 'a'", "[source] `source` does not exist / write `alert.source`"),
        ("alert.labels.cpu > 80", "[>] a text cannot be compared with a number / labels are texts"),
        ("alert.name == 3", "[==] a text is never equal to a number"),
        (
            "alert.name.startWith('a')",
            "[startWith] there is no function `startWith` / did you mean `startsWith`?",
        ),
        ("alert.name.startsWith(1)", "[startsWith] `startsWith` does not take a text, a number"),
        ("alert.name.matches('a(')", "[a(] this is not a regular expression"),
        ("alert.name", "[alert.name] this gives a text, not true or false"),
        ("'a' in alert.name", "[in] nothing is in a text / use `text.contains(part)`"),
        (
            "['a'].exists(x, x == alert.nam)",
            "[nam] `alert` has no `nam` / did you mean `alert.name`?",
        ),
        ("alert.name && true", "`&&` takes true or false, this is a text"),
    ] {
        let found: Vec<String> = flaws(expression).iter().map(text).collect();
        assert!(found.iter().any(|found| found.contains(says)), "{expression}: {found:?}");
    }
    let syntax = Expression::new("alert.name == ").check(&ALERT, Wanted::Truth);
    assert!(syntax[0].message.starts_with("this is not an expression"), "{syntax:?}");
}

#[test]
fn good_conditions_have_no_flaw() {
    for good in [
        "alert.source == 'sumologic' && alert.labels.monitor == 'slow-api-data'",
        "['a'].exists(x, x == alert.name)",
        "alert.labels.all(k, k != 'x')",
        "double(alert.labels.cpu) > 80.0",
        "has(alert.labels.cpu) || alert.name.contains('cpu')",
        "alert.labels[?'zone'].orValue('none') == 'a'",
        "size(alert.labels) > 2",
        "alert.name == null",
        "alert.title.lowerAscii().split(' ').exists(word, word == 'slow')",
        "(alert.name == 'a' ? alert.title : alert.service) == 'x'",
        "!(alert.name.matches('^a'))",
    ] {
        assert_eq!(flaws(good), [], "{good}");
    }
    assert_eq!(Expression::new("alert.labels.ids.split(',')").check(&ALERT, Wanted::Ids), []);
}

#[test]
fn what_can_never_hold_is_found() {
    let why = |text: &str| reach(&Expression::new(text), &ALERT).err();
    for (text, says) in [
        ("alert.source == 'sumologc'", "did you mean \"sumologic\"?"),
        ("alert.status == 'resolved'", "is never \"resolved\""),
        ("alert.name == 'a' && alert.name == 'b'", "cannot have all the values"),
        ("alert.name == 'a' && !(alert.name == 'a' || alert.name == 'b')", "cannot have all"),
        ("alert.labels.x == 'a' && alert.labels['x'] == 'b'", "`alert.labels.x`"),
        ("alert.name == 'a' && false", "false whatever"),
        ("alert.severity in ['fatal', 'page']", "is never"),
    ] {
        let why = why(text).unwrap_or_else(|| panic!("{text} can hold"));
        assert!(why.contains(says), "{text}: {why}");
    }
    for can in [
        "alert.name == 'a' || alert.name == 'b'",
        "alert.name != 'a'",
        "alert.name.startsWith('a') && alert.name == 'b'",
        "alert.severity in ['critical', 'error']",
    ] {
        assert_eq!(why(can), None, "{can}");
    }
    let half = reach(&Expression::new("alert.severity in ['critical', 'fatal']"), &ALERT).unwrap();
    assert_eq!(half.dead.len(), 1);
}

#[test]
fn two_conditions_meet_or_do_not() {
    let of = |text: &str| reach(&Expression::new(text), &ALERT).unwrap();
    let a = of("alert.source == 'sumologic' && alert.labels.monitor == 'a'");
    assert_eq!(a.together(&of("alert.source == 'sumologic' && alert.labels.monitor == 'b'")), None);
    assert_eq!(a.together(&of("alert.source != 'sumologic'")), None);
    let both = a.together(&of("alert.labels.team == 'x'")).unwrap();
    assert_eq!(both.get("labels.team").map(String::as_str), Some("x"));
    assert_eq!(both.get("labels.monitor").map(String::as_str), Some("a"));
}

#[test]
fn the_text_alone_is_kept_and_compared() {
    let one = Expression::new("alert.name == 'a'");
    assert!(one.check(&ALERT, Wanted::Truth).is_empty());
    let json = serde_json::to_string(&one).unwrap();
    assert_eq!(json, "\"alert.name == 'a'\"");
    assert_eq!(serde_json::from_str::<Expression>(&json).unwrap(), one);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_makes_anything_panic(text in "[a-z.()'\\[\\]&|!=<>0-9\" ?:+äé]{0,40}") {
        let expression = Expression::new(text.clone());
        for flaw in expression.check(&ALERT, Wanted::Truth) {
            prop_assert!(text.get(flaw.at).is_some());
        }
        drop(reach(&expression, &ALERT));
        drop(expression.holds(&examples::alert("a", "b")));
    }

    /// A verdict of "never" is always right: no alert makes such a condition true.
    #[test]
    fn never_means_never(parts in prop::collection::vec((0usize..2, 0usize..3, any::<bool>(), any::<bool>()), 1..6), name in 0usize..3, title in 0usize..3) {
        let word = |at: usize| ["a", "b", "c"].get(at).copied().unwrap_or("a");
        let mut text = String::from("true");
        for (field, at, equal, and) in parts {
            let field = if field == 0 { "name" } else { "title" };
            let sign = if equal { "==" } else { "!=" };
            let join = if and { "&&" } else { "||" };
            text = format!("({text}) {join} alert.{field} {sign} '{}'", word(at));
        }
        let mut draft = examples::draft("a", "b");
        draft.name = word(name).to_owned();
        draft.title = word(title).to_owned();
        let expression = Expression::new(text.clone());
        let holds = expression.holds(&draft.seal()).unwrap();
        if reach(&expression, &ALERT).is_err() {
            prop_assert!(!holds, "{text}");
        }
    }
}
