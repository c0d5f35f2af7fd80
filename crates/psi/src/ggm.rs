//! Trees of seeds: one side knows all leaves, the other all but one that it chose.
//!
//! Implements spec/psi.md#trees. A puncturable pseudorandom function by the construction of
//! Goldreich, Goldwasser and Micali, of any number of leaves: a level keeps only the nodes above
//! kept leaves.
//!
//! Invariant: neither branch nor address depends on a node or on the punctured position.

use zeroize::Zeroizing;

use crate::field::Block;
use crate::prg::{BATCH_BLOCKS, Doubler, Doubling};

/// How many leaves a tree has, and so how deep it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    leaves: usize,
    depth: u32,
}

impl Shape {
    /// A tree of `leaves`, at least two.
    pub(crate) fn new(leaves: usize) -> Self {
        let leaves = leaves.max(2);
        Self { leaves, depth: usize::BITS - (leaves - 1).leading_zeros() }
    }

    pub(crate) fn leaves(self) -> usize {
        self.leaves
    }

    /// Levels below the root; one oblivious transfer each.
    pub(crate) fn depth(self) -> usize {
        self.depth as usize
    }

    /// Nodes of a level; the root is level zero.
    fn width(self, level: u32) -> usize {
        self.leaves.div_ceil(1 << (self.depth - level))
    }

    /// The node above leaf `index`.
    fn ancestor(self, index: usize, level: u32) -> usize {
        index >> (self.depth - level)
    }

    /// Which side of level `level + 1` the holder of the punctured tree must learn: one bit.
    pub(crate) fn side(self, index: usize, level: usize) -> u8 {
        let bit = (index >> (self.depth() - 1 - level)) & 1;
        (bit ^ 1) as u8
    }
}

/// All bits set if the numbers are equal, else none.
#[inline]
pub(crate) fn equality_mask(left: usize, right: usize) -> u128 {
    // Both are far below 2^63, so that only zero borrows.
    let equal = ((left ^ right) as u64).wrapping_sub(1) >> 63;
    0u128.wrapping_sub(u128::from(equal))
}

/// All bits set if `left < right`, else none; both are below 2^63.
#[inline]
fn below_mask(left: usize, right: usize) -> u128 {
    let below = (left as u64).wrapping_sub(right as u64) >> 63;
    0u128.wrapping_sub(u128::from(below))
}

#[inline]
pub(crate) fn masked(block: Block, mask: u128) -> Block {
    Block(block.0 & mask)
}

/// Fills `leaves` from the root and tells, of every level below it, the sums of its left and right
/// nodes.
pub(crate) fn grow(
    shape: Shape,
    doubler: &Doubler,
    root: Block,
    leaves: &mut [Block],
) -> Zeroizing<Vec<[Block; 2]>> {
    if let Some(first) = leaves.first_mut() {
        *first = root;
    }
    let mut doubling = Doubling::new();
    let levels = (0..shape.depth)
        .map(|level| {
            let (parents, width) = (shape.width(level), shape.width(level + 1));
            double(
                doubler,
                leaves,
                parents,
                width,
                &mut doubling,
                |_, parent| parent,
                |_, pair| pair,
            )
        })
        .collect();
    Zeroizing::new(levels)
}

/// Replaces the first `parents` nodes by their `width` children and sums these by side.
///
/// From the last batch to the first, so that the children overwrite no parent still needed.
#[inline]
fn double(
    doubler: &Doubler,
    nodes: &mut [Block],
    parents: usize,
    width: usize,
    doubling: &mut Doubling,
    before: impl Fn(usize, Block) -> Block,
    after: impl Fn(usize, [Block; 2]) -> [Block; 2],
) -> [Block; 2] {
    let mut sums = [Block::ZERO; 2];
    let mut batch = Zeroizing::new([Block::ZERO; BATCH_BLOCKS]);
    for first in (0..parents).step_by(BATCH_BLOCKS).rev() {
        let count = BATCH_BLOCKS.min(parents - first);
        let sources = nodes.iter().skip(first).take(count).enumerate();
        for (target, (offset, parent)) in batch.iter_mut().zip(sources) {
            *target = before(first + offset, *parent);
        }
        let (parents, _) = batch.split_at(count);
        let children = doubler.children(parents, doubling).enumerate();
        let end = width.min(2 * (first + count));
        let Some(targets) = nodes.get_mut(2 * first..end) else { continue };
        let (pairs, last) = targets.as_chunks_mut::<2>();
        let mut left_over = Block::ZERO;
        let mut pairs = pairs.iter_mut();
        let [mut left_sum, mut right_sum] = sums;
        for (offset, pair) in children {
            let [left, right] = after(first + offset, pair);
            left_sum ^= left;
            if let Some(target) = pairs.next() {
                *target = [left, right];
                right_sum ^= right;
            } else {
                left_over = left;
            }
        }
        for target in last {
            *target = left_over;
        }
        sums = [left_sum, right_sum];
    }
    sums
}

/// What is known of a punctured tree: all leaves but one.
pub(crate) struct Punctured {
    /// The leaf that is not known.
    index: usize,
    /// The one beside it, with its value: the last to be learned, not among the leaves yet.
    beside: (usize, Block),
    /// The sum of all leaves but the unknown one.
    sum: Block,
}

/// Fills `leaves` with all but leaf `index` and but the one beside it, which are left zero.
///
/// `sums` has, of every level, the sum of the nodes on the side away from the path
/// ([`Shape::side`]). With wrong sums the leaves are wrong, nothing more.
pub(crate) fn grow_punctured(
    shape: Shape,
    doubler: &Doubler,
    index: usize,
    sums: &[Block],
    leaves: &mut [Block],
) -> Punctured {
    if let Some(first) = leaves.first_mut() {
        *first = Block::ZERO;
    }
    let mut doubling = Doubling::new();
    // Nothing is beside the root.
    let mut beside = (usize::MAX >> 2, Block::ZERO);
    let mut sum = Block::ZERO;
    for (level, known) in (0..shape.depth).zip(sums) {
        let (parents, width) = (shape.width(level), shape.width(level + 1));
        let on_path = shape.ancestor(index, level);
        let (place, value) = beside;
        let before = |node, block: Block| block ^ masked(value, equality_mask(node, place));
        let after = |node, [left, right]: [Block; 2]| {
            let keep = !equality_mask(node, on_path);
            [masked(left, keep), masked(right, keep)]
        };
        let [left, right] = double(doubler, leaves, parents, width, &mut doubling, before, after);
        let next = shape.ancestor(index, level + 1) ^ 1;
        let is_left = equality_mask(next & 1, 0);
        let others = masked(left, is_left) ^ masked(right, !is_left);
        beside = (next, *known ^ others);
        // With an odd count of leaves, the one beside the last is not there.
        let exists = below_mask(next, width);
        sum = left ^ right ^ masked(*known ^ others, exists);
    }
    Punctured { index, beside, sum }
}

impl Punctured {
    /// The leaf at `place`, of which `leaves` has `stored`; zero at the punctured one.
    #[inline]
    pub(crate) fn leaf(&self, place: usize, stored: Block) -> Block {
        let (beside, value) = self.beside;
        stored ^ masked(value, equality_mask(place, beside))
    }

    /// The sum of all leaves but the punctured one.
    pub(crate) fn sum(&self) -> Block {
        self.sum
    }

    /// All bits set at the punctured leaf, else none.
    #[inline]
    pub(crate) fn mask(&self, place: usize) -> u128 {
        equality_mask(place, self.index)
    }
}

impl Drop for Punctured {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.index.zeroize();
        self.beside.0.zeroize();
        self.beside.1.zeroize();
        self.sum.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubler() -> Doubler {
        Doubler::new(*b"left key of testright key oftest")
    }

    #[test]
    fn every_punctured_tree_knows_all_other_leaves() {
        for count in [2, 3, 4, 5, 7, 16, 63, 64, 65, 127, 128, 129, 200, 257] {
            let shape = Shape::new(count);
            let mut all = vec![Block::ZERO; count];
            let sums = grow(shape, &doubler(), Block(42), &mut all);
            assert_eq!(sums.len(), shape.depth());
            for index in 0..count {
                let known: Vec<Block> = (0..shape.depth())
                    .map(|level| sums[level][usize::from(shape.side(index, level))])
                    .collect();
                let mut leaves = vec![Block(7); count];
                let punctured = grow_punctured(shape, &doubler(), index, &known, &mut leaves);
                for (place, stored) in leaves.iter().enumerate() {
                    let leaf = punctured.leaf(place, *stored);
                    let expect = if place == index { Block::ZERO } else { all[place] };
                    assert!(leaf == expect, "leaf {place} of {count} without {index}");
                    assert_eq!(punctured.mask(place) == u128::MAX, place == index);
                }
                let total = all.iter().fold(all[index], |sum, leaf| sum ^ *leaf);
                assert!(punctured.sum() == total, "sum of {count} without {index}");
            }
        }
    }

    #[test]
    fn the_tree_is_the_recursive_definition() {
        fn leaf(doubler: &Doubler, root: Block, depth: u32, index: usize) -> Block {
            (0..depth).rev().fold(root, |node, bit| {
                let mut doubling = Doubling::new();
                let [left, right] =
                    doubler.children(&[node], &mut doubling).next().expect("one parent");
                if index >> bit & 1 == 0 { left } else { right }
            })
        }
        let shape = Shape::new(150);
        let mut leaves = vec![Block::ZERO; 150];
        grow(shape, &doubler(), Block(9), &mut leaves);
        for (index, value) in leaves.iter().enumerate() {
            assert!(*value == leaf(&doubler(), Block(9), 8, index), "leaf {index}");
        }
    }
}
