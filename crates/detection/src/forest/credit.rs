//! Which features make a point unusual: each in turn is given ordinary values, and the drop of the score is its credit.

use super::{Forest, MOST_FEATURES, Point};

/// The share of each feature, adding up to 1, or all zero where no single feature explains the score.
///
/// `ordinary` are points that were learned from. A feature whose value is taken from them tells what the score would be
/// had that feature been ordinary. Features that are unusual only together share the credit, or get none.
pub fn shares(forest: &Forest, point: &Point, ordinary: &[Point]) -> [f64; MOST_FEATURES] {
    let score = forest.score(point);
    let mut shares = [0.0; MOST_FEATURES];
    for (feature, share) in shares.iter_mut().enumerate().take(forest.shape().features) {
        let mut sum = 0.0;
        let mut count = 0.0;
        for other in ordinary {
            let mut changed = *point;
            if let (Some(value), Some(usual)) = (changed.get_mut(feature), other.get(feature)) {
                *value = *usual;
            }
            sum += forest.score(&changed);
            count += 1.0;
        }
        *share = if count > 0.0 { (score - sum / count).max(0.0) } else { 0.0 };
    }
    let total: f64 = shares.iter().sum();
    if total > 0.0 { shares.map(|share| share / total) } else { shares }
}
