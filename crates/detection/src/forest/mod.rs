//! An isolation forest (Liu, Ting, Zhou 2008): what a few random cuts set apart is unusual.
//!
//! Scores are those of scikit-learn's `IsolationForest.score_samples` with the sign turned: between 0 and 1, and the
//! higher the more unusual. A test holds both equal on the same trees.

mod credit;
mod grow;
mod packed;
mod tree;

use fastrand::Rng;

pub use credit::shares;
pub use packed::NotTrees;
pub use tree::{Imported, Tree};

/// A point has at most so many features.
pub const MOST_FEATURES: usize = 8;

/// One point; features that a model does not have are zero.
pub type Point = [f32; MOST_FEATURES];

/// How many trees, and how many points each of them sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub features: usize,
    pub trees: usize,
    pub sample: usize,
}

impl Shape {
    /// The defaults of the paper, and of scikit-learn.
    pub fn of(features: usize) -> Self {
        Self { features, trees: 100, sample: 256 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    shape: Shape,
    trees: Vec<Tree>,
    /// The tree that is regrown next.
    oldest: usize,
    /// The mean length of a path in a tree over a whole sample.
    ordinary: f64,
}

impl Forest {
    /// Grows all trees. `points` must not be empty.
    pub fn grow(shape: Shape, points: &[Point], rng: &mut Rng) -> Self {
        let sample = shape.sample.min(points.len());
        let shape = Shape { sample, ..shape };
        let trees = (0..shape.trees).map(|_| grow::tree(shape, points, rng)).collect();
        Self::of_trees(shape, trees)
    }

    /// From trees that were grown elsewhere.
    pub fn of_trees(shape: Shape, trees: Vec<Tree>) -> Self {
        Self { shape, trees, oldest: 0, ordinary: tree::mean_path(shape.sample) }
    }

    /// Puts a tree over these points in the place of the oldest one.
    pub fn renew(&mut self, points: &[Point], rng: &mut Rng) {
        if let Some(tree) = self.trees.get_mut(self.oldest) {
            *tree = grow::tree(self.shape, points, rng);
        }
        self.oldest = (self.oldest + 1) % self.trees.len().max(1);
    }

    /// How unusual the point is: near 1 when it is set apart at once, near 0.5 when it is like the others.
    #[expect(clippy::cast_precision_loss, reason = "there are a hundred trees")]
    pub fn score(&self, point: &Point) -> f64 {
        if self.ordinary <= 0.0 || self.trees.is_empty() {
            return 0.5;
        }
        let length: f64 = tree::lengths(&self.trees, point);
        let mean = length / self.trees.len() as f64;
        (-mean / self.ordinary).exp2()
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }
}

#[cfg(test)]
mod tests;
