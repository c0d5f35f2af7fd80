//! The long vector of a correlation, for benchmarks: grown from trees, convolved, expanded.
//!
//! Implements spec/psi.md#measuring.

use crate::PsiError;
use crate::code::Code;
use crate::field::{self, Block};
use crate::ggm::{self, Shape};
use crate::prg::Doubler;
use crate::vole_layout::Setting;

/// One long vector, with public leaves.
pub struct LongVector {
    shape: Shape,
    length: usize,
    leaves: Vec<Block>,
    code: Code,
}

impl LongVector {
    /// Zeros, for a correlation of `length` entries.
    ///
    /// # Errors
    /// [`PsiError::Count`] for a length that a correlation cannot have.
    pub fn new(length: usize) -> Result<Self, PsiError> {
        let layout = Setting::new([5; 32], length, 1)?.layout;
        let leaves = field::zeros(layout.code_length());
        Ok(Self { shape: layout.shape, length, leaves, code: Code::new([6; 32]) })
    }

    /// All trees, as the sender grows them.
    pub fn grow(&mut self) {
        for (tree, leaves) in self.leaves.chunks_exact_mut(self.shape.leaves()).enumerate() {
            let doubler = Doubler::new([tree as u8; 32]);
            ggm::grow(self.shape, &doubler, Block(tree as u128), leaves);
        }
    }

    /// All trees, as the receiver grows them.
    pub fn grow_punctured(&mut self) {
        let known = vec![Block::ONE; self.shape.depth()];
        for (tree, leaves) in self.leaves.chunks_exact_mut(self.shape.leaves()).enumerate() {
            let (doubler, place) = (Doubler::new([tree as u8; 32]), tree % self.shape.leaves());
            ggm::grow_punctured(self.shape, &doubler, place, &known, leaves);
        }
    }

    /// The first half of the code.
    pub fn convolve(&mut self) {
        self.code.convolve(&mut self.leaves);
    }

    /// The second half of the code; returns how many entries came out.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub fn expand(&self, workers: usize) -> Result<usize, PsiError> {
        let mut short = field::zeros(self.length);
        self.code.expand(&self.leaves, &mut short, workers)?;
        Ok(short.len())
    }
}
