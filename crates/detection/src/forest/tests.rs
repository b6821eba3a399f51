//! The forest against scikit-learn's on the same trees, and on its own.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use serde::Deserialize;

use super::*;

/// Made by `evaluation/fixture.py`.
#[derive(Deserialize)]
struct Fixture {
    sample: usize,
    features: usize,
    trees: Vec<Imported>,
    points: Vec<Vec<f32>>,
    scores: Vec<f64>,
}

fn point(values: &[f32]) -> Point {
    std::array::from_fn(|at| values.get(at).copied().unwrap_or_default())
}

#[test]
fn on_the_same_trees_the_scores_are_those_of_scikit_learn() {
    let text = include_str!("../../evaluation/scikit_learn_trees.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let trees: Vec<Tree> = fixture.trees.iter().map(|one| Tree::import(one).unwrap()).collect();
    assert!(trees.len() >= 20 && fixture.points.len() >= 100);
    let shape = Shape { features: fixture.features, trees: trees.len(), sample: fixture.sample };
    let forest = Forest::of_trees(shape, trees);
    for (values, expected) in fixture.points.iter().zip(&fixture.scores) {
        let score = forest.score(&point(values));
        assert!((score - expected).abs() < 1e-6, "{values:?}: {score} and {expected}");
    }
}

fn cloud(seed: u64, size: usize) -> Vec<Point> {
    let mut rng = Rng::with_seed(seed);
    let mut near = || (0..6).map(|_| rng.f32()).sum::<f32>() - 3.0;
    (0..size).map(|_| point(&[near(), near() * 10.0, 7.0])).collect()
}

#[test]
fn what_lies_apart_scores_high_and_by_the_right_feature() {
    let points = cloud(1, 1000);
    let forest = Forest::grow(Shape::of(3), &points, &mut Rng::with_seed(2));
    let usual = forest.score(&point(&[0.0, 0.0, 7.0]));
    let apart = point(&[0.0, 80.0, 7.0]);
    assert!(usual < 0.5 && forest.score(&apart) > 0.6, "{usual} {}", forest.score(&apart));
    let shares = shares(&forest, &apart, &points[..50]);
    assert!(shares[1] > 0.9, "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn the_same_seed_grows_the_same_forest() {
    let points = cloud(3, 500);
    let grow = |seed| Forest::grow(Shape::of(3), &points, &mut Rng::with_seed(seed));
    assert_eq!(grow(1), grow(1));
    assert_ne!(grow(1), grow(2));
}

#[test]
fn points_that_are_all_the_same_are_usual() {
    let points = vec![point(&[1.0]); 300];
    let forest = Forest::grow(Shape::of(1), &points, &mut Rng::with_seed(1));
    assert!(forest.score(&point(&[1.0])) <= 0.5 + 1e-6);
    let alone = Forest::grow(Shape::of(1), &points[..1], &mut Rng::with_seed(1));
    assert!((alone.score(&point(&[9.0])) - 0.5).abs() < 1e-9);
}

#[test]
fn bytes_bring_the_same_forest_back() {
    let points = cloud(4, 400);
    let mut rng = Rng::with_seed(5);
    let mut forest = Forest::grow(Shape::of(3), &points, &mut rng);
    forest.renew(&points, &mut rng);
    let bytes = forest.to_bytes();
    assert_eq!(Forest::of_bytes(&bytes), Ok(forest));
    assert_eq!(Forest::of_bytes(&bytes[1..]), Err(NotTrees));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn scores_lie_between_nought_and_one(seed in any::<u64>(), at in prop::array::uniform8(-1e6f32..1e6)) {
        let points = cloud(seed, 300);
        let score = Forest::grow(Shape { trees: 10, ..Shape::of(3) }, &points, &mut Rng::with_seed(seed)).score(&at);
        prop_assert!(score > 0.0 && score < 1.0);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(Forest::of_bytes(&bytes));
    }
}
