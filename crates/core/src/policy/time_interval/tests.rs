//! Time intervals against what Alertmanager answers, across months, leap years and shifts of the clock.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn interval(yaml: &str) -> TimeInterval {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn check(yaml: &str, cases: &[(&str, bool)]) {
    let interval = interval(yaml);
    for (time, expected) in cases {
        assert_eq!(interval.contains(at(time)), *expected, "{yaml} at {time}");
    }
}

#[test]
fn times_hold_from_their_start_up_to_their_end() {
    check(
        "times: [{start_time: '09:00', end_time: '17:00'}, {start_time: 23:30, end_time: 24:00}]",
        &[
            ("2026-11-21T08:59:59Z", false),
            ("2026-11-21T09:00:00Z", true),
            ("2026-11-21T16:59:59Z", true),
            ("2026-11-21T17:00:00Z", false),
            ("2026-11-21T23:59:59Z", true),
            ("2026-11-22T00:00:00Z", false),
        ],
    );
}

#[test]
fn weekdays_months_and_years_are_ranges_with_both_ends() {
    check(
        "weekdays: ['monday:friday']",
        &[
            ("2026-11-20T12:00:00Z", true),
            ("2026-11-21T12:00:00Z", false),
            ("2026-11-23T00:00:00Z", true),
        ],
    );
    check(
        "weekdays: [Saturday, sunday]",
        &[("2026-11-21T12:00:00Z", true), ("2026-11-22T23:59:00Z", true)],
    );
    check(
        "months: ['1:3', 'may:August', 12]",
        &[
            ("2026-03-31T23:59:59Z", true),
            ("2026-04-01T00:00:00Z", false),
            ("2026-08-31T00:00:00Z", true),
            ("2026-12-01T00:00:00Z", true),
            ("2026-11-30T00:00:00Z", false),
        ],
    );
    check(
        "years: ['2026:2027', 2030]",
        &[
            ("2025-12-31T23:59:59Z", false),
            ("2027-06-01T00:00:00Z", true),
            ("2030-01-01T00:00:00Z", true),
        ],
    );
}

#[test]
fn days_of_the_month_count_from_both_ends_and_are_cut_to_the_month() {
    check(
        "days_of_month: ['-3:-1']",
        &[
            ("2026-02-25T12:00:00Z", false),
            ("2026-02-26T12:00:00Z", true),
            ("2028-02-26T12:00:00Z", false),
            ("2028-02-29T12:00:00Z", true),
            ("2026-04-30T12:00:00Z", true),
        ],
    );
    check(
        "days_of_month: ['30:31']",
        &[
            ("2026-02-28T12:00:00Z", false),
            ("2026-04-30T12:00:00Z", true),
            ("2026-05-31T12:00:00Z", true),
        ],
    );
    check(
        "days_of_month: ['1:-1']",
        &[("2026-02-28T12:00:00Z", true), ("2026-02-01T12:00:00Z", true)],
    );
    // The 31st day from the end is before a shorter month: what is left of the range holds.
    check(
        "days_of_month: ['-31:-28']",
        &[("2026-02-01T12:00:00Z", true), ("2026-02-02T12:00:00Z", false)],
    );
    check(
        "days_of_month: ['31:-1']",
        &[("2026-04-30T12:00:00Z", false), ("2026-05-31T12:00:00Z", true)],
    );
}

#[test]
fn the_location_decides_what_the_clock_on_the_wall_says() {
    let yaml = "{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Vienna}";
    check(
        yaml,
        &[
            ("2026-07-01T00:30:00Z", true),
            ("2026-07-01T01:30:00Z", false),
            ("2026-01-01T01:30:00Z", true),
            // The clock goes from 02:00 to 03:00: the hour is not there.
            ("2026-03-29T00:59:59Z", false),
            ("2026-03-29T01:00:00Z", false),
            // And in October it is there twice.
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T02:00:00Z", false),
        ],
    );
}

#[test]
fn all_fields_must_hold_and_any_interval_of_a_name() {
    let named: NamedInterval = serde_saphyr::from_str(
        "name: offhours\ntime_intervals:\n  - {weekdays: [saturday, sunday]}\n  - {weekdays: ['monday:friday'], times: [{start_time: '18:00', end_time: '24:00'}]}\n",
    )
    .unwrap();
    for (time, expected) in [
        ("2026-11-21T10:00:00Z", true),
        ("2026-11-20T10:00:00Z", false),
        ("2026-11-20T18:00:00Z", true),
    ] {
        assert_eq!(named.contains(at(time)), expected, "{time}");
    }
    assert_eq!(named.end(at("2026-11-20T18:30:00Z")), Some(at("2026-11-23T00:00:00Z")));
    assert_eq!(named.end(at("2026-11-20T10:00:00Z")), None);
    assert!(TimeInterval::default().contains(at("2026-11-21T00:00:00Z")));
}

#[test]
fn an_end_is_found_across_shifts_of_the_clock_and_not_where_there_is_none() {
    let named =
        |yaml: &str| NamedInterval { name: "n".to_owned(), time_intervals: vec![interval(yaml)] };
    let night =
        named("{times: [{start_time: '02:00', end_time: '02:30'}], location: Europe/Vienna}");
    assert_eq!(night.end(at("2026-10-25T00:10:00Z")), Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(night.end(at("2026-10-25T01:10:00Z")), Some(at("2026-10-25T01:30:00Z")));
    assert_eq!(named("{}").end(at("2026-10-25T00:10:00Z")), None);
    let year = named("{years: [2026]}");
    assert_eq!(year.end(at("2026-10-25T00:10:00Z")), Some(at("2027-01-01T00:00:00Z")));
}

#[test]
fn what_cannot_hold_is_refused_with_its_line_and_a_remedy() {
    for (yaml, expected) in [
        ("times: [{start_time: '17:00', end_time: '09:00'}]", "across midnight"),
        ("times: [{start_time: '9:00', end_time: '10:00'}]", "00:00"),
        ("times: [{start_time: '09:00', end_time: '24:01'}]", "24:00"),
        ("weekdays: ['friday:monday']", "before its beginning"),
        ("weekdays: [mon]", "monday:friday"),
        ("days_of_month: [0]", "from the end"),
        ("days_of_month: [32]", "from the end"),
        ("days_of_month: ['-1:5']", "negative"),
        ("days_of_month: ['10:-30']", "always before"),
        ("months: [13]", "may:august"),
        ("years: ['2027:2026']", "before its beginning"),
        ("location: Mars/Olympus", "Europe/Vienna"),
        ("zone: UTC", "zone"),
    ] {
        let error = serde_saphyr::from_str::<TimeInterval>(yaml).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("line 1"), "{yaml}: {error}");
    }
}

#[test]
fn what_is_written_is_read_back() {
    let yaml = "{times: [{start_time: '00:00', end_time: '24:00'}], weekdays: ['monday:friday', sunday], days_of_month: ['1:5', -1], months: ['may:august', 12], years: [2026, '2027:2030'], location: Australia/Sydney}";
    let read = interval(yaml);
    let written = serde_saphyr::to_string(&read).unwrap();
    assert_eq!(interval(&written), read, "{written}");
}

proptest! {
    #[test]
    fn the_end_is_the_first_moment_at_which_it_no_longer_holds(
        seconds in 1_767_225_600i64..1_830_297_600,
        start in 0u16..1380,
        length in 1u16..60,
        zone in prop_oneof![Just("UTC"), Just("Europe/Vienna"), Just("America/St_Johns"), Just("Australia/Lord_Howe")],
    ) {
        let end = start + length;
        let yaml = format!(
            "{{times: [{{start_time: '{:02}:{:02}', end_time: '{:02}:{:02}'}}], location: {zone}}}",
            start / 60, start % 60, end / 60, end % 60
        );
        let named = NamedInterval { name: "n".to_owned(), time_intervals: vec![interval(&yaml)] };
        let now = Timestamp::from_second(seconds).unwrap();
        match named.end(now) {
            None => prop_assert!(!named.contains(now)),
            Some(end) => {
                prop_assert!(end > now && !named.contains(end));
                let before = end - SignedDuration::from_secs(1);
                prop_assert!(named.contains(before), "{} should hold at {}", yaml, before);
            }
        }
    }

    /// Any range and its complement of the day: at every moment exactly one of them holds.
    #[test]
    fn a_range_and_the_rest_of_the_day_share_no_moment(
        seconds in 1_767_225_600i64..1_830_297_600,
        cut in 1u16..1440,
        zone in prop_oneof![Just("Europe/Vienna"), Just("America/New_York"), Just("Asia/Kathmandu")],
    ) {
        let text = format!("{:02}:{:02}", cut / 60, cut % 60);
        let one = interval(&format!("{{times: [{{start_time: '00:00', end_time: '{text}'}}], location: {zone}}}"));
        let rest = interval(&format!("{{times: [{{start_time: '{text}', end_time: '24:00'}}], location: {zone}}}"));
        let now = Timestamp::from_second(seconds).unwrap();
        prop_assert_ne!(one.contains(now), rest.contains(now));
    }
}
