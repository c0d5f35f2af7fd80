//! The sender of a vector correlation: chooses Δ, learns `B`, and nothing of `A'`.
//!
//! Implements spec/psi.md#correlation-sender.
//!
//! Invariants: each state takes one message and is used up by it; neither branch nor address
//! depends on Δ or on a leaf; secrets are wiped when a state ends.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::code::Code;
use crate::field::{self, Block};
use crate::ggm::{self, masked};
use crate::limits::NOISE_TREES;
use crate::message::Reader;
use crate::ot_base::{self, Chooser};
use crate::ot_matrix::Columns;
use crate::vole::SenderPart;
use crate::vole_layout::{Setting, Weights, noise_doubler, proof, transfer_hash};
use crate::vole_transcript::{Purpose, Transcript};
use crate::{PsiError, ot_extend, workers};

/// Has offered base transfers; waits for the receiver's setup.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ExpectSetup {
    setting: Setting,
    transcript: Transcript,
    chooser: Chooser,
    delta: Zeroizing<Block>,
    /// Gives the roots of the trees.
    roots: Zeroizing<[u8; 32]>,
}

/// Has sent its trees; waits for the receiver's challenge.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ExpectChallenge {
    setting: Setting,
    transcript: Transcript,
    code: [u8; 32],
    delta: Zeroizing<Block>,
    leaves: Zeroizing<Vec<Block>>,
    /// Masks the check.
    mask: Zeroizing<Block>,
}

/// Has answered the challenge; only its own computation is left.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct SenderReady {
    setting: Setting,
    code: [u8; 32],
    delta: Zeroizing<Block>,
    leaves: Zeroizing<Vec<Block>>,
}

impl ExpectSetup {
    /// Draws Δ from `seed`, which is fresh and serves once, and makes the first message.
    pub(crate) fn begin(setting: Setting, seed: [u8; 32]) -> (Self, Vec<u8>) {
        let mut rng = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
        let mut bytes = Zeroizing::new([0; Block::BYTES]);
        rng.fill_bytes(bytes.as_mut());
        let delta = Zeroizing::new(Block::from_bytes(*bytes));
        // The extension wants the key of the side away from the path.
        let chooser = Chooser::new(setting.session, !delta.0, &mut rng);
        let offer = chooser.offer().to_vec();
        let mut transcript = setting.transcript();
        transcript.absorb(&offer);
        let mut roots = Zeroizing::new([0; 32]);
        rng.fill_bytes(roots.as_mut());
        (Self { setting, transcript, chooser, delta, roots }, offer)
    }

    /// Takes the receiver's setup and makes the message of the trees.
    ///
    /// # Errors
    /// [`PsiError::Malformed`], and [`PsiError::CheckFailed`] for a setup that is not consistent.
    pub(crate) fn handle_setup(
        mut self,
        setup: &[u8],
    ) -> Result<(ExpectChallenge, Vec<u8>), PsiError> {
        let layout = self.setting.layout;
        let mut reader = Reader::new(setup);
        let answer = reader.array::<{ ot_base::POINT_BYTES }>()?;
        let extension = reader.take(ot_extend::message_bytes(layout.blocks()))?;
        let flips = reader.take(layout.flip_bytes())?;
        reader.finish()?;
        let keys = self.chooser.keys(&answer)?;
        self.transcript.absorb(&answer);
        let blocks = layout.blocks();
        let columns = ot_extend::send(&mut self.transcript, &keys, *self.delta, blocks, extension)?;
        self.transcript.absorb(flips);
        let elements = columns.elements(layout.first_element());
        let (leaves, message) = self.grow(&columns, &elements, flips)?;
        let code = self.transcript.derive(Purpose::Code, 0);
        self.transcript.absorb(&message);
        let mask = Zeroizing::new(elements.get(NOISE_TREES).copied().unwrap_or_default());
        let Self { setting, transcript, delta, .. } = self;
        Ok((ExpectChallenge { setting, transcript, code, delta, leaves, mask }, message))
    }

    /// Grows all trees, and writes for each its level sums under pads and its correction.
    fn grow(
        &self,
        columns: &Columns,
        elements: &[Block],
        flips: &[u8],
    ) -> Result<(Zeroizing<Vec<Block>>, Vec<u8>), PsiError> {
        let layout = self.setting.layout;
        let mut seeds = Zeroizing::new(vec![0; NOISE_TREES * Block::BYTES]);
        ChaCha20Rng::from_seed(*self.roots).fill_bytes(&mut seeds);
        let roots = Zeroizing::new(field::from_bytes(&seeds));
        let pads = self.pads(columns, flips);
        let (shape, depth) = (layout.shape, layout.shape.depth());
        let mut leaves = Zeroizing::new(field::zeros(layout.code_length()));
        let transcript = &self.transcript;
        let workers = self.setting.workers;
        let length = workers::piece_length(NOISE_TREES, workers, 1);
        let pieces = leaves.chunks_mut(length * shape.leaves()).enumerate().collect();
        let pieces = workers::run(pieces, workers, |(number, piece): (usize, &mut [Block])| {
            let first = number * length;
            let mut message =
                Vec::with_capacity(piece.len() / shape.leaves() * layout.tree_bytes());
            let inputs = roots.iter().zip(elements).zip(pads.chunks_exact(depth));
            let trees = piece.chunks_exact_mut(shape.leaves()).zip(inputs.skip(first));
            for (tree, (leaves, ((root, element), pads))) in trees.enumerate() {
                let doubler = noise_doubler(transcript, first + tree);
                let sums = ggm::grow(shape, &doubler, *root, leaves);
                for ([left, right], [left_pad, right_pad]) in sums.iter().zip(pads) {
                    message.extend((*left ^ *left_pad).to_bytes());
                    message.extend((*right ^ *right_pad).to_bytes());
                }
                let [left, right] = sums.last().copied().unwrap_or_default();
                message.extend((left ^ right ^ *element).to_bytes());
            }
            Ok(message)
        })?;
        Ok((leaves, pieces.concat()))
    }

    /// The pads of both sides of each extended transfer; a flipped one has them exchanged.
    fn pads(&self, columns: &Columns, flips: &[u8]) -> Zeroizing<Vec<[Block; 2]>> {
        let layout = self.setting.layout;
        let rows = (0..layout.transfer_blocks()).map(|block| columns.rows(1 + block));
        let mut inputs = Zeroizing::new(Vec::with_capacity(2 * layout.transfers()));
        for (transfer, row) in rows.flat_map(|rows| *rows).take(layout.transfers()).enumerate() {
            let flip = flips.get(transfer / 8).map_or(0, |byte| byte >> (transfer % 8) & 1);
            let left = 0u128.wrapping_sub(u128::from(flip));
            inputs.push((transfer as u64, row ^ masked(*self.delta, left)));
            inputs.push((transfer as u64, row ^ masked(*self.delta, !left)));
        }
        transfer_hash(&self.transcript).apply(&mut inputs);
        let (pairs, _) = inputs.as_chunks::<2>();
        Zeroizing::new(pairs.iter().map(|[(_, left), (_, right)]| [*left, *right]).collect())
    }
}

impl ExpectChallenge {
    /// Takes the receiver's challenge and makes the proof, the last message.
    ///
    /// # Errors
    /// [`PsiError::Malformed`].
    pub(crate) fn handle_challenge(
        mut self,
        challenge: &[u8],
    ) -> Result<(SenderReady, Vec<u8>), PsiError> {
        let mut reader = Reader::new(challenge);
        let seed = reader.array::<32>()?;
        let masked_sum = reader.block()?;
        reader.finish()?;
        self.transcript.absorb(challenge);
        let shape = self.setting.layout.shape;
        let weights = Weights::new(&seed, shape);
        let trees = self.leaves.chunks_exact(shape.leaves()).zip(&weights.trees);
        let parts = workers::run(trees.collect(), self.setting.workers, |(leaves, weight)| {
            Ok(field::inner_product(leaves, &weights.leaves) * *weight)
        })?;
        let sum = parts.into_iter().fold(*self.mask, |sum, part| sum ^ part);
        let proof = proof(&self.transcript, sum ^ (masked_sum * *self.delta));
        let Self { setting, code, delta, leaves, .. } = self;
        Ok((SenderReady { setting, code, delta, leaves }, proof.to_vec()))
    }
}

#[cfg(test)]
impl ExpectChallenge {
    /// Stands by what it is said to have sent, as a sender does that cheats.
    pub(crate) fn stand_by(&mut self, transcript: Transcript) {
        self.transcript = transcript;
    }
}

impl SenderReady {
    /// Computes the vector.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub(crate) fn encode(mut self) -> Result<SenderPart, PsiError> {
        let code = Code::new(self.code);
        let mut b = Zeroizing::new(field::zeros(self.setting.layout.length));
        code.convolve(&mut self.leaves);
        code.expand(&self.leaves, &mut b, self.setting.workers)?;
        Ok(SenderPart { delta: self.delta, shares: b })
    }
}
