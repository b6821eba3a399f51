//! One tree, laid out for walking: siblings beside each other, and leaves that lead to themselves.

use super::{MOST_FEATURES, Point};

/// Walked together, so that one waits for memory while the others go on.
const ABREAST: usize = 4;
const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// Where a point goes: to `child` when its feature is at most `limit`, else to the one after it. A leaf leads to itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    pub(super) limit: f32,
    pub(super) feature: u16,
    pub(super) child: u16,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    /// By node, used at leaves: the steps to it, and those that more cuts would take among what ended there.
    pub(super) lengths: Vec<f32>,
    pub(super) depth: usize,
}

/// A tree as scikit-learn exports it: children by number, -1 for a leaf.
#[derive(Debug, serde::Deserialize)]
pub struct Imported {
    pub left: Vec<i32>,
    pub right: Vec<i32>,
    pub feature: Vec<i32>,
    pub threshold: Vec<f64>,
    pub samples: Vec<u32>,
}

impl Tree {
    pub(super) fn push(&mut self, node: Node, length: f32) {
        self.nodes.push(node);
        self.lengths.push(length);
    }

    /// A leaf in place of the node.
    pub(super) fn leaf(&mut self, at: usize, depth: usize, points: usize) {
        let (Some(node), Some(length)) = (self.nodes.get_mut(at), self.lengths.get_mut(at)) else {
            return;
        };
        let child = u16::try_from(at).unwrap_or_default();
        *node = Node { limit: f32::INFINITY, feature: 0, child };
        *length = path(depth, points);
        self.depth = self.depth.max(depth);
    }

    /// Lays a foreign tree out as ours; `None` where it is no tree.
    pub fn import(from: &Imported) -> Option<Self> {
        let mut tree = Self::default();
        tree.push(Node { limit: 0.0, feature: 0, child: 0 }, 0.0);
        let mut open = vec![(0_usize, 0_usize, 0_usize)];
        while let Some((foreign, at, depth)) = open.pop() {
            let left = from.left.get(foreign).copied()?;
            if left < 0 {
                tree.leaf(at, depth, usize::try_from(*from.samples.get(foreign)?).ok()?);
                continue;
            }
            let child = tree.nodes.len();
            let feature = u16::try_from(*from.feature.get(foreign)?).ok()?;
            let limit = at_most(*from.threshold.get(foreign)?);
            if usize::from(feature) >= MOST_FEATURES {
                return None;
            }
            *tree.nodes.get_mut(at)? = Node { limit, feature, child: u16::try_from(child).ok()? };
            tree.push(Node { limit: 0.0, feature: 0, child: 0 }, 0.0);
            tree.push(Node { limit: 0.0, feature: 0, child: 0 }, 0.0);
            open.push((usize::try_from(left).ok()?, child, depth + 1));
            open.push((usize::try_from(*from.right.get(foreign)?).ok()?, child + 1, depth + 1));
        }
        Some(tree)
    }
}

/// The sum over all trees of the length of the point's path.
pub(super) fn lengths(trees: &[Tree], point: &Point) -> f64 {
    let mut sum = 0.0;
    for group in trees.chunks(ABREAST) {
        let mut at = [0_usize; ABREAST];
        let depth = group.iter().map(|tree| tree.depth).max().unwrap_or_default();
        for _ in 0..depth {
            for (tree, at) in group.iter().zip(&mut at) {
                if let Some(node) = tree.nodes.get(*at) {
                    let value = point.get(usize::from(node.feature) % MOST_FEATURES);
                    let goes_right = value.is_some_and(|value| *value > node.limit);
                    *at = usize::from(node.child) + usize::from(goes_right);
                }
            }
        }
        for (tree, at) in group.iter().zip(at) {
            sum += f64::from(tree.lengths.get(at).copied().unwrap_or_default());
        }
    }
    sum
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a few dozen")]
pub(super) fn path(depth: usize, points: usize) -> f32 {
    (depth as f64 + mean_path(points)) as f32
}

/// The mean length of an unsuccessful search in a binary tree over so many points.
#[expect(clippy::cast_precision_loss, reason = "samples are small")]
pub(super) fn mean_path(points: usize) -> f64 {
    match points {
        0 | 1 => 0.0,
        2 => 1.0,
        n => {
            let n = n as f64;
            2.0 * ((n - 1.0).ln() + EULER_GAMMA) - 2.0 * (n - 1.0) / n
        }
    }
}

/// The largest short number that is not above: every short number falls on the same side of both.
#[expect(clippy::cast_possible_truncation, reason = "rounded down on purpose")]
fn at_most(limit: f64) -> f32 {
    let near = limit as f32;
    if f64::from(near) > limit { near.next_down() } else { near }
}
