//! The robust z-score: how far a value lies from the median, in median deviations. The baseline that a forest has to beat.

use crate::bits::Exact;
use crate::forest::{MOST_FEATURES, Point};

/// A deviation of the normal distribution in median absolute deviations.
const PER_MAD: f64 = 1.4826;

/// Median and spread of each feature.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Robust {
    features: Vec<(Exact, Exact)>,
}

impl Robust {
    pub fn of(points: &[Point], features: usize) -> Self {
        let features = (0..features.min(MOST_FEATURES)).map(|feature| {
            let of = |point: &Point| f64::from(point.get(feature).copied().unwrap_or_default());
            let mut values: Vec<f64> = points.iter().map(of).collect();
            let middle = median(&mut values);
            let mut apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
            // Where most values are the same, the smallest difference that means something is a thousandth.
            let least = middle.abs() * 1e-3 + 1e-9;
            (Exact(middle), Exact((median(&mut apart) * PER_MAD).max(least)))
        });
        Self { features: features.collect() }
    }

    /// The distance of the feature that is farthest away, and the distance of each.
    pub fn score(&self, point: &Point) -> (f64, [f64; MOST_FEATURES]) {
        let mut each = [0.0; MOST_FEATURES];
        for ((distance, value), (Exact(middle), Exact(spread))) in
            each.iter_mut().zip(point).zip(&self.features)
        {
            *distance = (f64::from(*value) - middle).abs() / spread;
        }
        (each.iter().copied().fold(0.0, f64::max), each)
    }
}

/// The middle value; of an even number the upper one of the two.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if middle >= values.len() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_wild_values_do_not_move_it() {
        let mut points: Vec<Point> =
            (0..100u8).map(|n| [f32::from(n % 10), 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).collect();
        points.extend([[1e6, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; 5]);
        let robust = Robust::of(&points, 2);
        assert!(robust.score(&[5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).0 < 1.0);
        let (score, each) = robust.score(&[100.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(score > 10.0 && each[1] < 1.0, "{score} {each:?}");
    }
}
