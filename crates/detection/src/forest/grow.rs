//! Growing a tree: random cuts through the values of a random feature, and a little beyond them.
//!
//! The paper cuts between the smallest and the largest value, so whatever lies beyond scores like the outermost point that
//! was learned from. Cuts beyond both ends part what is far outside from the rest at once.

use fastrand::Rng;

use super::tree::{Node, Tree};
use super::{MOST_FEATURES, Point, Shape};

/// How far beyond each end, as a share of the distance between them.
const BEYOND: f32 = 0.4;
/// A feature that never changed is cut beside its value, at such a distance, so that a change of it is noticed.
const BESIDE: f32 = 0.1;

const UNKNOWN: Node = Node { limit: 0.0, feature: 0, child: 0 };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Below,
}

/// Over a random sample, without a point twice.
pub(super) fn tree(shape: Shape, points: &[Point], rng: &mut Rng) -> Tree {
    let mut sample = chosen(points, shape.sample, rng);
    let deepest = usize::try_from(sample.len().next_power_of_two().ilog2()).unwrap_or(1);
    let mut tree = Tree::default();
    tree.push(UNKNOWN, 0.0);
    let end = sample.len();
    let mut open = vec![(0_usize, 0..end, 0_usize)];
    while let Some((at, range, depth)) = open.pop() {
        let begin = range.start;
        let part = sample.get_mut(range.clone()).unwrap_or_default();
        let level = if at == 0 { Level::Root } else { Level::Below };
        let may_cut = depth < deepest && part.len() > 1;
        let cut = if may_cut { cut(part, shape.features, level, rng) } else { None };
        let Some((feature, limit)) = cut else {
            tree.leaf(at, depth, part.len());
            continue;
        };
        let left = partition(part, feature, limit);
        let child = tree.nodes.len();
        if let Some(node) = tree.nodes.get_mut(at) {
            let feature = u16::try_from(feature).unwrap_or_default();
            *node = Node { limit, feature, child: u16::try_from(child).unwrap_or_default() };
        }
        tree.push(UNKNOWN, 0.0);
        tree.push(UNKNOWN, 0.0);
        open.push((child, begin..begin + left, depth + 1));
        open.push((child + 1, begin + left..range.end, depth + 1));
    }
    tree
}

/// So many of the points, each at most once.
fn chosen(points: &[Point], wanted: usize, rng: &mut Rng) -> Vec<Point> {
    if points.len() <= wanted {
        return points.to_vec();
    }
    // Floyd's way: as many draws as points are wanted.
    let mut taken = vec![false; points.len()];
    let mut sample = Vec::with_capacity(wanted);
    for last in points.len() - wanted..points.len() {
        let drawn = rng.usize(0..=last);
        let at = if taken.get(drawn) == Some(&true) { last } else { drawn };
        if let Some(taken) = taken.get_mut(at) {
            *taken = true;
        }
        sample.extend(points.get(at).copied());
    }
    sample
}

/// A random feature that is not the same for all, and a random value between its ends or a little beyond them.
fn cut(part: &[Point], features: usize, at: Level, rng: &mut Rng) -> Option<(usize, f32)> {
    let mut order: [usize; MOST_FEATURES] = std::array::from_fn(|at| at);
    let order = order.get_mut(..features.min(MOST_FEATURES))?;
    for drawn in 0..order.len() {
        order.swap(drawn, rng.usize(drawn..order.len()));
        let feature = *order.get(drawn)?;
        let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
        for point in part {
            let value = point.get(feature).copied().unwrap_or_default();
            least = least.min(value);
            most = most.max(value);
        }
        let apart = most - least;
        let beyond = match (apart > 0.0, at) {
            (true, _) => apart * BEYOND,
            (false, Level::Root) => least.abs() * BESIDE + f32::EPSILON,
            (false, Level::Below) => continue,
        };
        return Some((feature, least - beyond + rng.f32() * (apart + 2.0 * beyond)));
    }
    None
}

/// Points at most at the limit come first; how many they are.
fn partition(part: &mut [Point], feature: usize, limit: f32) -> usize {
    let mut left = 0;
    for at in 0..part.len() {
        let value = part.get(at).and_then(|point| point.get(feature)).copied();
        if value.is_some_and(|value| value <= limit) {
            part.swap(left, at);
            left += 1;
        }
    }
    left
}
