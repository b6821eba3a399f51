//! The ladder, told move by move, and what holds of it whatever happens.

use proptest::prelude::*;

use super::*;
use crate::counterfactual::Likely;
use crate::examples::at;

fn place() -> Place {
    Place { action: "ec2.reboot".to_owned().try_into().unwrap(), environment: "prod".to_owned() }
}

fn incident() -> IncidentId {
    "inc_1".to_owned().try_into().unwrap()
}

const OURS: Lesson = Lesson::Helped { likely: Likely::Ours };

fn taught(lessons: &[Lesson], rules: &Trust) -> (TrustRecord, Vec<Change>) {
    let mut record = TrustRecord::default();
    let mut changes = Vec::new();
    for lesson in lessons {
        let (next, change) =
            learn(&record, &place(), (&incident(), *lesson), Mode::Auto, rules, at(0));
        record = next;
        changes.extend(change);
    }
    (record, changes)
}

fn outlook_after(lessons: &[Lesson], rules: &Trust) -> Outlook {
    let (record, _) = taught(lessons, rules);
    outlook(record.at(&place().action, "prod"), Mode::Auto, rules)
}

fn allowed_after(record: &TrustRecord, ceiling: Mode, rules: &Trust) -> Allowed {
    allowed(Some(record), ceiling, &[place()], rules)
}

fn wish(to: Mode) -> Wish {
    Wish { to, by: "ann".to_owned(), reason: "it showed it".to_owned(), anyway: false }
}

#[test]
fn a_reviewed_mode_counts_until_something_speaks_against_it() {
    let rules = Trust::default();
    assert_eq!(allowed(None, Mode::Auto, &[place()], &rules).mode, Mode::Auto);
    assert_eq!(allowed(None, Mode::Suggest, &[place()], &rules).mode, Mode::Suggest);
    let careful = Trust { start: Mode::Shadow, ..rules };
    let begins = allowed(None, Mode::Auto, &[place()], &careful);
    assert_eq!(begins.mode, Mode::Shadow);
    assert!(begins.because.contains("nothing was earned yet"), "{}", begins.because);
}

#[test]
fn harm_costs_the_right_to_act_at_once_and_says_so() {
    let rules = Trust::default();
    let (record, changes) = taught(&[OURS, Lesson::Harmful], &rules);
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].from, changes[0].to), (Mode::Auto, Mode::Suggest));
    let now = allowed_after(&record, Mode::Auto, &rules);
    assert_eq!(now.mode, Mode::Suggest);
    assert!(now.because.contains("it did harm in inc_1"), "{}", now.because);
    let elsewhere = Place { environment: "staging".to_owned(), ..place() };
    let there = std::slice::from_ref(&elsewhere);
    assert_eq!(allowed(Some(&record), Mode::Auto, there, &rules).mode, Mode::Auto);
    let both = [elsewhere, place()];
    assert_eq!(allowed(Some(&record), Mode::Auto, &both, &rules).mode, Mode::Suggest);
}

#[test]
fn a_useless_streak_costs_one_rung_and_a_success_ends_the_streak() {
    let rules = Trust::default();
    let useless = Lesson::Useless;
    let (_, none) = taught(&[useless, useless, OURS, useless, useless], &rules);
    assert!(none.is_empty(), "{none:?}");
    let (record, lost) = taught(&[useless; 6], &rules);
    let rungs: Vec<Mode> = lost.iter().map(|change| change.to).collect();
    assert_eq!(rungs, [Mode::Approve, Mode::Suggest]);
    assert_eq!(allowed_after(&record, Mode::Auto, &rules).mode, Mode::Suggest);
}

#[test]
fn the_next_rung_is_proposed_when_it_is_earned_and_not_before() {
    let rules = Trust { start: Mode::Shadow, would_act: 3, helped: 2, ..Trust::default() };
    let stays = Lesson::WouldAct { healed: false };
    let heals = Lesson::WouldAct { healed: true };
    assert!(!outlook_after(&[stays, stays], &rules).is_earned());
    let earned = outlook_after(&[stays, stays, heals], &rules);
    assert_eq!((earned.next, earned.is_earned()), (Some(Mode::Suggest), true));
    let by_itself = outlook_after(&[heals, heals, stays], &rules);
    assert!(by_itself.missing[0].contains("2 of 3 were over by themselves"), "{by_itself:?}");

    let rules = Trust { start: Mode::Approve, helped: 2, ..Trust::default() };
    assert!(outlook_after(&[OURS, OURS], &rules).is_earned());
    let chance = Lesson::Helped { likely: Likely::ByItself };
    let lucky = outlook_after(&[OURS, chance, chance], &rules);
    assert_eq!(lucky.missing, ["helped 1 times of 2"]);
    let often_useless = outlook_after(&[OURS, OURS, Lesson::Useless], &rules);
    assert!(often_useless.missing[0].contains("failed 1 times"), "{often_useless:?}");
}

#[test]
fn a_person_promotes_what_earned_it_one_rung_at_a_time_up_to_the_ceiling() {
    let rules = Trust { start: Mode::Suggest, would_act: 1, ..Trust::default() };
    let (record, _) = taught(&[Lesson::WouldAct { healed: false }], &rules);
    let set = |wish: &Wish, ceiling| set(&record, &place(), wish, ceiling, &rules, at(1));
    assert_eq!(set(&wish(Mode::Auto), Mode::Approve), Err(Misplaced::AboveCeiling(Mode::Approve)));
    assert!(matches!(set(&wish(Mode::Auto), Mode::Auto), Err(Misplaced::NotEarned(_))));
    assert_eq!(set(&wish(Mode::Suggest), Mode::Auto), Err(Misplaced::Already(Mode::Suggest)));
    let nameless = Wish { by: " ".to_owned(), ..wish(Mode::Approve) };
    assert!(matches!(set(&nameless, Mode::Auto), Err(Misplaced::Empty(_))));
    let (after, change) = set(&wish(Mode::Approve), Mode::Auto).unwrap();
    assert_eq!((change.from, change.to), (Mode::Suggest, Mode::Approve));
    let standing = after.at(&place().action, "prod").unwrap();
    assert_eq!(standing.tally, Tally::default(), "the next rung is earned anew");
    let anyway = Wish { anyway: true, ..wish(Mode::Auto) };
    assert!(set(&anyway, Mode::Auto).is_ok());
    assert!(set(&wish(Mode::Shadow), Mode::Auto).is_ok(), "down always goes");
}

fn lesson() -> impl Strategy<Value = Lesson> {
    prop_oneof![
        Just(OURS),
        Just(Lesson::Helped { likely: Likely::ByItself }),
        Just(Lesson::Useless),
        Just(Lesson::Harmful),
        Just(Lesson::Unclear),
        any::<bool>().prop_map(|healed| Lesson::WouldAct { healed }),
    ]
}

proptest! {
    /// By itself nothing ever rises, nothing goes above its ceiling, and what did harm does not go on by itself.
    #[test]
    fn trust_is_lost_by_itself_and_never_won(lessons in prop::collection::vec(lesson(), 0..40), ceiling in 0usize..4) {
        let ceiling = [Mode::Shadow, Mode::Suggest, Mode::Approve, Mode::Auto][ceiling];
        let rules = Trust::default();
        let mut record = TrustRecord::default();
        for lesson in lessons {
            let before = allowed_after(&record, ceiling, &rules).mode;
            let (next, change) = learn(&record, &place(), (&incident(), lesson), ceiling, &rules, at(0));
            record = next;
            let after = allowed_after(&record, ceiling, &rules).mode;
            prop_assert!(after <= before && after <= ceiling);
            prop_assert_eq!(change.is_some(), after < before);
            if lesson == Lesson::Harmful {
                prop_assert!(after <= rules.after_harm);
            }
            let standing = record.at(&place().action, "prod").unwrap();
            prop_assert!(standing.lessons.len() <= 32 && standing.changes.len() <= 32);
        }
    }
}
