//! The written forms of matchers, what they fit, and what is said about those that are wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::examples;

fn shown(text: &str) -> Vec<String> {
    Matchers::read(text)
        .unwrap_or_else(|bad| panic!("{bad}"))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_written_form_is_read() {
    for (text, expected) in [
        (r#"a="b""#, vec![r#"a="b""#]),
        (r#"{a=~"x|y", b!="c"}"#, vec![r#"a=~"x|y""#, r#"b!="c""#]),
        ("a=b", vec![r#"a="b""#]),
        ("  a  =~  b.*  ", vec![r#"a=~"b.*""#]),
        ("a=b c,d!~e,", vec![r#"a="b c""#, r#"d!~"e""#]),
        ("a=", vec![r#"a="""#]),
        (r#"a="""#, vec![r#"a="""#]),
        ("a==b", vec![r#"a="=b""#]),
        ("{}", vec![]),
        ("{ }", vec![]),
        ("{a=b}", vec![r#"a="b""#]),
        (r#"a=~"\d+\.x""#, vec![r#"a=~"\\d+\\.x""#]),
        (r#"a="say \"hi\"\\\n""#, vec![r#"a="say \"hi\"\\\n""#]),
        (r#"a="x,y}",b="z""#, vec![r#"a="x,y}""#, r#"b="z""#]),
        (r#""sp ace"="b""#, vec![r#""sp ace"="b""#]),
        ("größe=\"groß\"", vec!["\"größe\"=\"groß\""]),
        (r#"{"foo.bar"="b",}"#, vec![r#""foo.bar"="b""#]),
        ("job:rate=x", vec![r#"job:rate="x""#]),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, at, problem) in [
        ("", 1, "empty"),
        ("  ", 3, "empty"),
        ("a", 2, "expected one of `=`"),
        ("=b", 1, "name of a label"),
        (r#"a="b"#, 3, "closing quote"),
        ("{a=b", 5, "closing `}`"),
        ("{a=b} c", 7, "nothing may follow"),
        (r#"a="b" c="d""#, 7, "expected `,`"),
        (r#"a=b"c"#, 4, "must stand in quotes"),
        ("x=y, a=~[", 6, "`[` is not an expression"),
        (r#"a=~"b)(c""#, 1, "is not an expression"),
        (r#"""="b""#, 1, "name is empty"),
    ] {
        let bad = Matchers::read(text).expect_err(text);
        assert_eq!(bad.at, at, "{text}: {bad}");
        assert!(bad.problem.contains(problem), "{text}: {bad}");
    }
}

#[test]
fn expressions_have_limits() {
    let too_big = Matcher::new("a", Comparison::Matches, "(\\pL{1,500}){1,500}").unwrap_err();
    assert!(too_big.contains("size limit"), "{too_big}");
    let too_long = Matcher::new("a", Comparison::Matches, &"x".repeat(1_001)).unwrap_err();
    assert!(too_long.contains("1000"), "{too_long}");
    let nested =
        Matcher::new("a", Comparison::Matches, &format!("{}x{}", "(".repeat(99), ")".repeat(99)));
    assert!(nested.is_err());
    let many = vec!["a=b"; 65].join(",");
    assert!(Matchers::read(&many).is_err());
}

#[test]
fn expressions_are_anchored_and_a_missing_label_is_empty() {
    for (text, value, expected) in [
        ("a=b", "b", true),
        ("a=b", "bb", false),
        ("a!=b", "", true),
        ("a=", "", true),
        ("a!=", "", false),
        ("a=~b", "abc", false),
        ("a=~b|c", "c", true),
        ("a=~b|c", "cd", false),
        ("a=~.*", "", true),
        ("a=~.+", "", false),
        ("a!~.+", "", true),
        ("a!~b.*", "bx", false),
        ("a=~b.c", "b\nc", false),
    ] {
        let matchers = Matchers::read(text).unwrap();
        assert_eq!(matchers.fit(|_| value), expected, "{text} against {value:?}");
    }
}

#[test]
fn what_an_alert_was_understood_as_stands_for_labels_it_lacks() {
    let alert = examples::alert("slow-api-data", "i-1");
    for (text, expected) in [
        ("monitor=slow-api-data,instance_id=i-1", true),
        ("alertname=slow-api-data,severity=critical,service=api,source=sumologic", true),
        ("host=", true),
        ("host!=", false),
    ] {
        assert_eq!(Matchers::read(text).unwrap().fit_alert(&alert), expected, "{text}");
    }
    let mut unknown = alert.clone();
    unknown.service = "unknown".to_owned();
    assert_eq!(unknown.label("service"), "");
    unknown.labels.insert("severity".to_owned(), "page".to_owned());
    assert_eq!(unknown.label("severity"), "page");
}

#[test]
fn yaml_takes_a_text_a_list_and_the_objects_of_the_api() {
    let read = |yaml: &str| {
        serde_saphyr::from_str::<BTreeMap<String, Matchers>>(yaml).map(|map| map["m"].to_string())
    };
    let expected = r#"a="b", c=~"d""#;
    for yaml in [
        "m: '{a=\"b\", c=~\"d\"}'",
        "m: [a=b, c=~d]",
        "m: ['a=b,c=~d']",
        "m: [{name: a, value: b}, {name: c, value: d, isRegex: true, isEqual: true}]",
    ] {
        assert_eq!(read(yaml).unwrap(), expected, "{yaml}");
    }
    let error = read("m:\n  - a=b\n  - c\n").unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("expected one of"), "{error}");
    assert!(read("m: [{name: a, value: b, regex: true}]").is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        name in "[^\u{0}]{1,12}",
        comparison in prop_oneof![Just(Comparison::Equal), Just(Comparison::NotEqual)],
        value in ".{0,24}",
    ) {
        let matcher = Matcher::new(&name, comparison, &value).unwrap();
        prop_assert_eq!(Matchers::read(&matcher.to_string()).unwrap(), Matchers::new(vec![matcher]));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[{}a-c=!~,\"\\\\ \n]{0,24}") {
        if let Ok(matchers) = Matchers::read(&text)
            && !matchers.is_empty()
        {
            prop_assert_eq!(Matchers::read(&matchers.to_string()).unwrap(), matchers);
        }
    }

    #[test]
    fn an_expression_and_its_negation_never_agree(expression in "[a-c.*|]{0,6}", value in "[a-c]{0,6}") {
        if let Ok(yes) = Matcher::new("a", Comparison::Matches, &expression) {
            let no = Matcher::new("a", Comparison::MatchesNot, &expression).unwrap();
            prop_assert_ne!(yes.fits(&value), no.fits(&value));
        }
    }
}
