//! The sizes of a vector correlation, and what both sides compute alike.
//!
//! Implements spec/psi.md#correlation.
//!
//! Invariant: every size follows from the agreed length alone.

use std::fmt;

use crate::field::{self, Block};
use crate::ggm::{Shape, masked};
use crate::limits::{NOISE_TREE_LEAVES_MIN, NOISE_TREES, VOLE_LENGTH_MAX};
use crate::prg::{CorrelationHash, Doubler};
use crate::vole_transcript::{Purpose, Transcript};
use crate::{PsiError, label, ot_base, ot_extend};

/// Bytes of the receiver's challenge: a seed, and the masked check value.
pub(crate) const CHALLENGE_BYTES: usize = 32 + Block::BYTES;
/// Bytes of the sender's proof.
pub(crate) const PROOF_BYTES: usize = 32;

/// What both sides agreed on before: one correlation.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) session: [u8; 32],
    pub(crate) layout: Layout,
    pub(crate) workers: usize,
}

impl Setting {
    /// `session` is unique to this correlation; `length` entries are wanted; `workers` threads.
    ///
    /// # Errors
    /// [`PsiError::Count`] for a length of zero or beyond [`VOLE_LENGTH_MAX`].
    pub(crate) fn new(session: [u8; 32], length: usize, workers: usize) -> Result<Self, PsiError> {
        if length == 0 || length > VOLE_LENGTH_MAX {
            return Err(PsiError::Count);
        }
        Ok(Self { session, layout: Layout::new(length), workers })
    }

    pub(crate) fn transcript(&self) -> Transcript {
        Transcript::new(&self.session, &[self.layout.length as u64, NOISE_TREES as u64])
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// Every size of a correlation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Entries that are wanted.
    pub(crate) length: usize,
    /// Each noise tree.
    pub(crate) shape: Shape,
}

impl Layout {
    fn new(length: usize) -> Self {
        let leaves = (2 * length).div_ceil(NOISE_TREES).max(NOISE_TREE_LEAVES_MIN);
        Self { length, shape: Shape::new(leaves) }
    }

    /// Entries of the long, sparse vector.
    pub(crate) fn code_length(&self) -> usize {
        NOISE_TREES * self.shape.leaves()
    }

    /// Extended transfers: one for each level of each tree.
    pub(crate) fn transfers(&self) -> usize {
        NOISE_TREES * self.shape.depth()
    }

    /// Blocks of 128 rows for the transfers, after the one that masks the check.
    pub(crate) fn transfer_blocks(&self) -> usize {
        self.transfers().div_ceil(128)
    }

    /// The first block that is a field element; one for each tree, and one to mask the check.
    pub(crate) fn first_element(&self) -> usize {
        1 + self.transfer_blocks()
    }

    pub(crate) fn blocks(&self) -> usize {
        self.first_element() + NOISE_TREES + 1
    }

    /// Bytes that say which transfers are turned around.
    pub(crate) fn flip_bytes(&self) -> usize {
        self.transfers().div_ceil(8)
    }

    pub(crate) fn setup_bytes(&self) -> usize {
        ot_base::POINT_BYTES + ot_extend::message_bytes(self.blocks()) + self.flip_bytes()
    }

    /// Bytes of one tree in the sender's message: two sums for each level, and the correction.
    pub(crate) fn tree_bytes(&self) -> usize {
        (2 * self.shape.depth() + 1) * Block::BYTES
    }

    pub(crate) fn trees_bytes(&self) -> usize {
        NOISE_TREES * self.tree_bytes()
    }
}

pub(crate) fn noise_doubler(transcript: &Transcript, tree: usize) -> Doubler {
    Doubler::new(transcript.derive(Purpose::NoiseTree, tree))
}

pub(crate) fn transfer_hash(transcript: &Transcript) -> CorrelationHash {
    let key = transcript.derive(Purpose::TransferHash, 0);
    CorrelationHash::new(key.first_chunk().copied().unwrap_or_default())
}

/// Weights of the check: leaf `j` of tree `i` counts `tree^(i+1) · leaf^(j+1)`.
pub(crate) struct Weights {
    pub(crate) trees: Vec<Block>,
    pub(crate) leaves: Vec<Block>,
    /// The leaf point to the powers 1, 2, 4, ….
    squares: Vec<Block>,
}

impl Weights {
    pub(crate) fn new(seed: &[u8; 32], shape: Shape) -> Self {
        let (tree, leaf) = seed.split_at(Block::BYTES);
        let point = |half: &[u8]| Block::from_bytes(half.try_into().unwrap_or_default());
        let square = |power: &Block| Some(power.square());
        let squares = std::iter::successors(Some(point(leaf)), square);
        Self {
            trees: field::powers(point(tree), NOISE_TREES),
            leaves: field::powers(point(leaf), shape.leaves()),
            squares: squares.take(shape.depth() + 1).collect(),
        }
    }

    /// The weight of a leaf whose place is secret.
    pub(crate) fn leaf(&self, place: usize) -> Block {
        let exponent = place + 1;
        self.squares.iter().enumerate().fold(Block::ONE, |product, (bit, square)| {
            let mask = 0u128.wrapping_sub((exponent >> bit & 1) as u128);
            product * (masked(*square, mask) ^ masked(Block::ONE, !mask))
        })
    }
}

/// The proof: a hash of the check value and of all messages before it.
///
/// Hashed, because the value of a receiver that cheated differs from the true one by a multiple of
/// Δ that it knows.
pub(crate) fn proof(transcript: &Transcript, value: Block) -> [u8; PROOF_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(label::VOLE_PROOF);
    hasher.update(transcript.as_bytes()).update(&value.to_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_trees_is_that_of_the_bound() {
        // spec/psi.md#parameters: bias (1 - d/N)^t of noise that is uniform in the large field.
        let trees = 128.0 / -(1.0f64 - 0.1).log2();
        assert_eq!(NOISE_TREES, trees.ceil() as usize);
    }

    #[test]
    fn a_secret_place_has_the_weight_of_its_leaf() {
        for leaves in [2, 8, 9, 100, 128] {
            let weights = Weights::new(&[7; 32], Shape::new(leaves));
            assert!((0..leaves).all(|place| weights.leaf(place) == weights.leaves[place]));
        }
    }

    #[test]
    fn the_long_vector_is_at_least_twice_the_short_one() {
        for length in [1, 1000, 3372, 3373, 1 << 16, 1 << 20, 1_363_149, VOLE_LENGTH_MAX] {
            let layout = Setting::new([0; 32], length, 1).unwrap().layout;
            let long = layout.code_length();
            assert!(long >= 2 * length && long <= crate::limits::VOLE_CODE_LENGTH_MAX);
            assert!(long < 2 * length + NOISE_TREES * NOISE_TREE_LEAVES_MIN);
        }
        for length in [0, VOLE_LENGTH_MAX + 1] {
            assert_eq!(Setting::new([0; 32], length, 1).err(), Some(PsiError::Count));
        }
    }
}
