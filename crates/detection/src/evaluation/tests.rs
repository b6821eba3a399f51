//! The page says what the code does, and the forest is worth its trouble.

use super::*;

const PAGE: &str = include_str!("../../../../docs/DETECTION.md");

#[test]
fn the_page_holds_our_own_figures_and_the_forest_beats_the_others() {
    let rows = own();
    for line in table(&rows).lines().skip(2) {
        assert!(
            PAGE.contains(line),
            "not in docs/DETECTION.md (evaluation/run.sh --write): {line}"
        );
    }
    let of = |name: &str| {
        let (_, figures) = rows.iter().find(|(of, _)| of == name).unwrap();
        mean(figures)
    };
    let elsewhere = ["scikit-learn once", "scikit-learn again"].map(|method| {
        let line = PAGE.lines().find(|line| line.contains(&format!("**all** | {method} |")));
        line.unwrap().split('|').nth(3).unwrap().trim().parse::<f64>().unwrap()
    });
    let forest = of("forest").auc;
    assert!(forest > of("robust z-score").auc);
    assert!(elsewhere.iter().all(|auc| forest >= *auc), "{forest} {elsewhere:?}");
}

#[test]
fn a_series_is_the_same_for_the_same_seed_and_labelled_after_the_warm_up() {
    for kind in Kind::ALL {
        let made = series(*kind, 3);
        assert_eq!(made, series(*kind, 3));
        assert_ne!(made.points, series(*kind, 4).points);
        assert!(made.labels[..WARM_UP].iter().all(|label| !label));
        let inside = made.episodes.iter().map(|(begin, end)| end - begin).sum::<usize>();
        assert_eq!(made.labels.iter().filter(|label| **label).count(), inside);
    }
}
