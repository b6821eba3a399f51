//! A forest as bytes, for the saved state: little endian, trees one after the other.

use super::tree::{Node, Tree};
use super::{Forest, MOST_FEATURES, Shape};

/// Bytes that are no forest of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no forest")]
pub struct NotTrees;

impl Forest {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Shape { features, trees, sample } = self.shape;
        for number in [features, trees, sample, self.oldest] {
            number_to(&mut bytes, number);
        }
        for tree in &self.trees {
            number_to(&mut bytes, tree.nodes.len());
            number_to(&mut bytes, tree.depth);
            for (node, length) in tree.nodes.iter().zip(&tree.lengths) {
                bytes.extend(node.limit.to_le_bytes());
                bytes.extend(node.feature.to_le_bytes());
                bytes.extend(node.child.to_le_bytes());
                bytes.extend(length.to_le_bytes());
            }
        }
        bytes
    }

    pub fn of_bytes(bytes: &[u8]) -> Result<Self, NotTrees> {
        let mut rest = bytes;
        let features = number(&mut rest)?;
        let (trees, sample, oldest) = (number(&mut rest)?, number(&mut rest)?, number(&mut rest)?);
        let shape = Shape { features, trees, sample };
        if features > MOST_FEATURES || trees > 10_000 {
            return Err(NotTrees);
        }
        let mut grown = Vec::with_capacity(trees);
        for _ in 0..trees {
            grown.push(tree(&mut rest)?);
        }
        if !rest.is_empty() {
            return Err(NotTrees);
        }
        Ok(Self { oldest, ..Self::of_trees(shape, grown) })
    }
}

fn tree(rest: &mut &[u8]) -> Result<Tree, NotTrees> {
    let nodes = number(rest)?;
    let mut tree = Tree { depth: number(rest)?, ..Tree::default() };
    if nodes > usize::from(u16::MAX) || tree.depth > 64 {
        return Err(NotTrees);
    }
    for _ in 0..nodes {
        let limit = f32::from_le_bytes(take(rest)?);
        let (feature, child) = (u16::from_le_bytes(take(rest)?), u16::from_le_bytes(take(rest)?));
        tree.push(Node { limit, feature, child }, f32::from_le_bytes(take(rest)?));
    }
    Ok(tree)
}

fn number_to(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn number(rest: &mut &[u8]) -> Result<usize, NotTrees> {
    usize::try_from(u32::from_le_bytes(take(rest)?)).map_err(|_| NotTrees)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotTrees> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(NotTrees)?;
    *rest = left;
    Ok(*taken)
}
