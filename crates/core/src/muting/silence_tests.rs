//! Silences at their edges: what is refused, what changes in place, what becomes a new one.

use proptest::prelude::*;

use super::*;
use crate::examples::{alert, at};

fn id(name: &str) -> SilenceId {
    SilenceId::try_from(format!("sil_{name}")).unwrap()
}

fn draft(matchers: &str, ends_at: i64) -> SilenceDraft {
    SilenceDraft {
        owner: "ana".to_owned(),
        reason: "known".to_owned(),
        matchers: Matchers::read(matchers).unwrap(),
        starts_at: None,
        ends_at: at(ends_at),
        replaces: None,
    }
}

fn silence() -> Silence {
    Silence::new(draft("service=api", 600), id("1"), at(0)).unwrap()
}

#[test]
fn it_mutes_from_its_start_up_to_its_end() {
    let pending = SilenceDraft { starts_at: Some(at(60)), ..draft("service=api", 600) };
    let silence = Silence::new(pending, id("1"), at(0)).unwrap();
    let alert = alert("slow", "i-1");
    for (seconds, state, mutes) in [
        (0, SilenceState::Pending, false),
        (59, SilenceState::Pending, false),
        (60, SilenceState::Active, true),
        (599, SilenceState::Active, true),
        (600, SilenceState::Expired, false),
    ] {
        assert_eq!(silence.state(at(seconds)), state, "at {seconds}");
        assert_eq!(silence.mutes(&alert, at(seconds)), mutes, "at {seconds}");
    }
    let other = Silence::new(draft("service=web", 600), id("2"), at(0)).unwrap();
    assert!(!other.mutes(&alert, at(1)));
}

#[test]
fn what_nobody_answers_for_or_never_ends_is_refused() {
    let month = Silence::LONGEST.as_secs();
    for (change, expected) in [
        (SilenceDraft { owner: " ".to_owned(), ..draft("a=b", 60) }, "`owner`"),
        (SilenceDraft { reason: String::new(), ..draft("a=b", 60) }, "`reason`"),
        (SilenceDraft { reason: "x".repeat(3000), ..draft("a=b", 60) }, "2048"),
        (draft("{}", 60), "fit every alert"),
        (draft("a=~\".*\"", 60), "fit every alert"),
        (draft("a!=b", 60), "fit every alert"),
        (draft("a=b", 0), "is not after"),
        (draft("a=b", month + 1), "720h is the most"),
        (SilenceDraft { starts_at: Some(at(-120)), ..draft("a=b", 60) }, "leave it out"),
        (SilenceDraft { starts_at: Some(at(90)), ..draft("a=b", 60) }, "is not after"),
        (SilenceDraft { starts_at: Some(at(month + 1)), ..draft("a=b", month + 60) }, "ahead"),
    ] {
        let error = Silence::new(change.clone(), id("1"), at(0)).expect_err(&format!("{change:?}"));
        assert!(error.to_string().contains(expected), "{change:?}: {error}");
    }
    assert!(Silence::new(draft("a=b", month), id("1"), at(0)).is_ok());
}

#[test]
fn the_end_and_the_words_of_an_active_one_change_in_place() {
    let longer = SilenceDraft { reason: "still known".to_owned(), ..draft("service=api", 900) };
    let Change::Amended(changed) = silence().change(longer, id("2"), at(60)).unwrap() else {
        panic!("it became a new one")
    };
    assert_eq!((changed.id.as_str(), changed.version), ("sil_1", 2));
    assert_eq!((changed.starts_at, changed.ends_at), (at(0), at(900)));
    assert_eq!(changed.reason, "still known");
    let past = silence().change(draft("service=api", 60), id("2"), at(60));
    assert!(matches!(past, Err(BadSilence::EndsTooEarly { .. })), "{past:?}");
}

#[test]
fn other_matchers_or_another_start_make_a_new_one_and_end_the_old() {
    let wider = draft("service=~\"api|web\"", 900);
    let later = SilenceDraft { starts_at: Some(at(120)), ..draft("service=api", 900) };
    for (draft, starts_at) in [(wider, at(60)), (later, at(120))] {
        let Change::Replaced { new, old } = silence().change(draft, id("2"), at(60)).unwrap()
        else {
            panic!("it was changed in place")
        };
        assert_eq!((new.id.as_str(), new.version, new.starts_at), ("sil_2", 1, starts_at));
        assert_eq!(new.replaces, Some(id("1")));
        assert_eq!((old.id.as_str(), old.version, old.ends_at), ("sil_1", 2, at(60)));
        assert_eq!(old.state(at(60)), SilenceState::Expired);
    }
}

#[test]
fn a_pending_one_may_begin_at_another_time() {
    let pending = SilenceDraft { starts_at: Some(at(300)), ..draft("service=api", 600) };
    let pending = Silence::new(pending, id("1"), at(0)).unwrap();
    let sooner = SilenceDraft { starts_at: Some(at(120)), ..draft("service=api", 600) };
    let Change::Amended(changed) = pending.change(sooner, id("2"), at(60)).unwrap() else {
        panic!("it became a new one")
    };
    assert_eq!(changed.starts_at, at(120));
}

#[test]
fn an_expired_one_stays_expired() {
    let over = silence().expire("bob", at(60)).unwrap();
    assert_eq!(over.expired_by.as_deref(), Some("bob"));
    for again in [
        over.expire("bob", at(61)).map(drop),
        over.change(draft("service=api", 900), id("2"), at(61)).map(drop),
        silence().expire("bob", at(600)).map(drop),
    ] {
        assert_eq!(again, Err(BadSilence::Expired(id("1"))));
    }
    assert_eq!(silence().expire("", at(1)), Err(BadSilence::Empty("by")));
    let pending = SilenceDraft { starts_at: Some(at(300)), ..draft("service=api", 600) };
    let never = Silence::new(pending, id("1"), at(0)).unwrap().expire("bob", at(60)).unwrap();
    assert_eq!(never.state(at(60)), SilenceState::Expired);
    assert_eq!(never.state(at(301)), SilenceState::Expired);
}

proptest! {
    /// Whatever is asked for: what comes of it lasts no longer than allowed, and never mutes what is past.
    #[test]
    fn no_way_leads_to_a_silence_without_an_end(
        first in (0i64..90, 1i64..4_000_000, any::<bool>()),
        second in (0i64..4_000_000, 1i64..8_000_000, any::<bool>()),
    ) {
        let (start, length, now_too) = first;
        let made = SilenceDraft { starts_at: (!now_too).then_some(at(start)), ..draft("a=b", start + length) };
        let Ok(made) = Silence::new(made, id("1"), at(0)) else { return Ok(()) };
        prop_assert!(made.ends_at.duration_since(made.starts_at) <= Silence::LONGEST + SKEW);
        let (time, end, same) = second;
        let changed = draft(if same { "a=b" } else { "a=c" }, end);
        match made.change(changed, id("2"), at(time)) {
            Ok(Change::Amended(after)) => {
                prop_assert!(after.ends_at.duration_since(at(time)) <= Silence::LONGEST * 2);
                prop_assert_eq!(after.matchers, made.matchers);
            }
            Ok(Change::Replaced { new, old }) => {
                prop_assert_eq!(old.state(at(time)), SilenceState::Expired);
                prop_assert!(new.starts_at >= at(time));
                prop_assert!(new.ends_at.duration_since(new.starts_at) <= Silence::LONGEST);
            }
            Err(BadSilence::Expired(_)) => prop_assert!(at(time) >= made.ends_at),
            Err(_) => {}
        }
    }
}
