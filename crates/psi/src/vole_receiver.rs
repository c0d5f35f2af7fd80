//! The receiver of a vector correlation: learns `A'` and `C`, and nothing of Δ.
//!
//! Implements spec/psi.md#correlation-receiver.
//!
//! Invariants: each state takes one message and is used up by it; the vectors come out only after
//! the sender's proof; neither branch nor address depends on a noisy place or its value.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use crate::code::Code;
use crate::field::{self, Block};
use crate::ggm::{self, masked};
use crate::limits::NOISE_TREES;
use crate::ot_extend::Choices;
use crate::vole::ReceiverPart;
use crate::vole_layout::{
    CHALLENGE_BYTES, Layout, PROOF_BYTES, Setting, Weights, noise_doubler, proof, transfer_hash,
};
use crate::vole_transcript::{Purpose, Transcript};
use crate::{PsiError, ot_base, ot_extend, workers};

/// Waits for the sender's offer.
pub(crate) struct ExpectOffer {
    setting: Setting,
    transcript: Transcript,
    rng: ChaCha20Rng,
}

/// Has set up the transfers; waits for the sender's trees.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ExpectTrees {
    setting: Setting,
    transcript: Transcript,
    noise: Noise,
    /// Pads of the sums that the receiver may open, one for each level of each tree.
    pads: Zeroizing<Vec<Block>>,
    challenge_seed: [u8; 32],
}

/// Has sent its challenge; waits for the sender's proof, and may compute meanwhile.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ExpectProof {
    setting: Setting,
    code: [u8; 32],
    expect: [u8; PROOF_BYTES],
    vectors: Vectors,
}

/// What of the vectors is there.
#[cfg_attr(test, derive(Clone))]
enum Vectors {
    /// The sparse vector, and what the sender's leaves are with Δ times it added.
    Sparse(Zeroizing<Vec<Block>>, Zeroizing<Vec<Block>>),
    Encoded(ReceiverPart),
}

/// The sparse vector: of each tree its place and value, and the value's share `c = b + value·Δ`.
#[cfg_attr(test, derive(Clone))]
struct Noise {
    places: Zeroizing<Vec<usize>>,
    values: Zeroizing<Vec<Block>>,
    shares: Zeroizing<Vec<Block>>,
}

impl ExpectOffer {
    /// `seed` is fresh and serves once.
    pub(crate) fn begin(setting: Setting, seed: [u8; 32]) -> Self {
        let rng = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
        Self { setting, transcript: setting.transcript(), rng }
    }

    /// Takes the sender's offer and makes the setup.
    ///
    /// # Errors
    /// [`PsiError::Malformed`].
    pub(crate) fn handle_offer(mut self, offer: &[u8]) -> Result<(ExpectTrees, Vec<u8>), PsiError> {
        let layout = self.setting.layout;
        let session = &self.setting.session;
        let (answer, keys) = ot_base::answer(session, offer, &mut self.rng, self.setting.workers)?;
        self.transcript.absorb(offer);
        self.transcript.absorb(&answer);
        let (choices, extension) =
            ot_extend::receive(&mut self.transcript, &keys, layout.blocks(), &mut self.rng);
        let noise = Noise::draw(&layout, &choices, &mut self.rng);
        let flips = noise.flips(&layout, &choices);
        self.transcript.absorb(&flips);
        let pads = self.pads(&choices);
        let mut setup = Vec::with_capacity(layout.setup_bytes());
        setup.extend(answer);
        setup.extend(extension);
        setup.extend(flips);
        let mut challenge_seed = [0; 32];
        self.rng.fill_bytes(&mut challenge_seed);
        let Self { setting, transcript, .. } = self;
        Ok((ExpectTrees { setting, transcript, noise, pads, challenge_seed }, setup))
    }

    fn pads(&self, choices: &Choices) -> Zeroizing<Vec<Block>> {
        let layout = self.setting.layout;
        let rows = (0..layout.transfer_blocks()).map(|block| choices.columns.rows(1 + block));
        let numbered = rows.flat_map(|rows| *rows).take(layout.transfers()).enumerate();
        let mut inputs = Zeroizing::new(Vec::with_capacity(layout.transfers()));
        inputs.extend(numbered.map(|(transfer, row)| (transfer as u64, row)));
        transfer_hash(&self.transcript).apply(&mut inputs);
        Zeroizing::new(inputs.iter().map(|(_, pad)| *pad).collect())
    }
}

#[cfg(test)]
impl ExpectTrees {
    /// The transcript once these trees have come.
    pub(crate) fn transcript_after(&self, trees: &[u8]) -> Transcript {
        let mut transcript = self.transcript.clone();
        transcript.absorb(trees);
        transcript
    }
}

impl Noise {
    /// A uniform place in each tree, and the values that the extension gave.
    fn draw(layout: &Layout, choices: &Choices, rng: &mut ChaCha20Rng) -> Self {
        let leaves = layout.shape.leaves() as u64;
        let place = |number: u64| ((u128::from(number) * u128::from(leaves)) >> 64) as usize;
        let places = (0..NOISE_TREES).map(|_| place(rng.next_u64())).collect();
        let elements = choices.bits.get(layout.first_element()..).unwrap_or_default();
        Self {
            places: Zeroizing::new(places),
            values: Zeroizing::new(elements.to_vec()),
            shares: choices.columns.elements(layout.first_element()),
        }
    }

    /// Which transfers must be turned around for the random choices to be the wanted ones.
    fn flips(&self, layout: &Layout, choices: &Choices) -> Vec<u8> {
        let mut flips = vec![0; layout.flip_bytes()];
        let depth = layout.shape.depth();
        let wanted = self
            .places
            .iter()
            .flat_map(|place| (0..depth).map(move |level| layout.shape.side(*place, level)));
        let random = choices.bits.iter().skip(1);
        let random = random.flat_map(|block| (0..128).map(move |row| (block.0 >> row & 1) as u8));
        for (transfer, (wanted, random)) in wanted.zip(random).enumerate() {
            if let Some(byte) = flips.get_mut(transfer / 8) {
                *byte |= (wanted ^ random) << (transfer % 8);
            }
        }
        flips
    }
}

impl ExpectTrees {
    /// Takes the sender's trees and makes the challenge.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] for a message of another length. Trees that are wrong show only when
    /// the proof does not fit.
    pub(crate) fn handle_trees(mut self, trees: &[u8]) -> Result<(ExpectProof, Vec<u8>), PsiError> {
        let layout = self.setting.layout;
        if trees.len() != layout.trees_bytes() {
            return Err(PsiError::Malformed);
        }
        let code = self.transcript.derive(Purpose::Code, 0);
        let weights = Weights::new(&self.challenge_seed, layout.shape);
        let zeros = || Zeroizing::new(field::zeros(layout.code_length()));
        let (mut sparse, mut leaves) = (zeros(), zeros());
        let workers = self.setting.workers;
        let length = workers::piece_length(NOISE_TREES, workers, 1);
        let entries = length * layout.shape.leaves();
        let pieces = sparse.chunks_mut(entries).zip(leaves.chunks_mut(entries)).enumerate();
        let sums = workers::run(pieces.collect(), workers, |(number, (sparse, leaves))| {
            Ok(self.fill(number * length, sparse, leaves, trees, &weights))
        })?;
        // The last element of the extension masks what the challenge tells about the noise.
        let mask = |elements: &[Block]| elements.get(NOISE_TREES).copied().unwrap_or_default();
        let start = [mask(&self.noise.values), mask(&self.noise.shares)];
        let [masked_sum, value] = sums.into_iter().fold(start, add_pair);
        let mut challenge = Vec::with_capacity(CHALLENGE_BYTES);
        challenge.extend(self.challenge_seed);
        challenge.extend(masked_sum.to_bytes());
        self.transcript.absorb(trees);
        self.transcript.absorb(&challenge);
        let expect = proof(&self.transcript, value);
        let vectors = Vectors::Sparse(sparse, leaves);
        Ok((ExpectProof { setting: self.setting, code, expect, vectors }, challenge))
    }

    /// Fills the trees from number `first` on, and gives their part of both check sums: of the
    /// sparse vector, and of the other.
    fn fill(
        &self,
        first: usize,
        sparse: &mut [Block],
        masked_leaves: &mut [Block],
        trees: &[u8],
        weights: &Weights,
    ) -> [Block; 2] {
        let (layout, shape) = (self.setting.layout, self.setting.layout.shape);
        let messages = trees.chunks_exact(layout.tree_bytes());
        let noise = self.noise.places.iter().zip(self.noise.values.iter());
        let noise = noise.zip(self.noise.shares.iter()).zip(self.pads.chunks_exact(shape.depth()));
        let inputs = messages.zip(noise).zip(&weights.trees).enumerate().skip(first);
        let targets = sparse.chunks_exact_mut(shape.leaves());
        let targets = targets.zip(masked_leaves.chunks_exact_mut(shape.leaves()));
        let mut total = [Block::ZERO; 2];
        for ((sparse, leaves), (tree, ((message, noise), weight))) in targets.zip(inputs) {
            let (((place, value), share), pads) = noise;
            let doubler = noise_doubler(&self.transcript, tree);
            let blocks = field::from_bytes(message);
            let (sums, correction) = blocks.as_chunks::<2>();
            let known = sums.iter().zip(pads).enumerate().map(|(level, ([left, right], pad))| {
                let right_mask = 0u128.wrapping_sub(u128::from(shape.side(*place, level)));
                masked(*left, !right_mask) ^ masked(*right, right_mask) ^ *pad
            });
            let known = Zeroizing::new(known.collect::<Vec<_>>());
            let punctured = ggm::grow_punctured(shape, &doubler, *place, &known, leaves);
            let correction = correction.first().copied().unwrap_or_default();
            let at_place = punctured.sum() ^ correction ^ *share;
            for (index, (entry, leaf)) in sparse.iter_mut().zip(leaves.iter_mut()).enumerate() {
                let here = punctured.mask(index);
                *leaf = punctured.leaf(index, *leaf) ^ masked(at_place, here);
                *entry = masked(*value, here);
            }
            let sum = field::inner_product(leaves, &weights.leaves);
            let noise = *value * weights.leaf(*place);
            total = add_pair(total, [noise * *weight, sum * *weight]);
        }
        total
    }
}

fn add_pair([a, b]: [Block; 2], [c, d]: [Block; 2]) -> [Block; 2] {
    [a ^ c, b ^ d]
}

impl ExpectProof {
    /// Computes the vectors already while the proof is on its way. They stay inside.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub(crate) fn encode(self) -> Result<Self, PsiError> {
        let Self { setting, code, expect, vectors } = self;
        let vectors = Vectors::Encoded(vectors.encode(&setting, code)?);
        Ok(Self { setting, code, expect, vectors })
    }

    /// Takes the sender's proof and gives the vectors.
    ///
    /// # Errors
    /// [`PsiError::CheckFailed`] if the sender's trees or its proof are not what they should be;
    /// [`PsiError::Malformed`].
    pub(crate) fn handle_proof(self, proof: &[u8]) -> Result<ReceiverPart, PsiError> {
        let proof: &[u8; PROOF_BYTES] = proof.try_into().map_err(|_| PsiError::Malformed)?;
        if !bool::from(proof.ct_eq(&self.expect)) {
            return Err(PsiError::CheckFailed);
        }
        self.vectors.encode(&self.setting, self.code)
    }
}

impl Vectors {
    fn encode(self, setting: &Setting, code: [u8; 32]) -> Result<ReceiverPart, PsiError> {
        let (mut sparse, mut leaves) = match self {
            Self::Sparse(sparse, leaves) => (sparse, leaves),
            Self::Encoded(vectors) => return Ok(vectors),
        };
        let code = Code::new(code);
        let both: Vec<&mut [Block]> = vec![&mut sparse, &mut leaves];
        workers::run(both, setting.workers, |vector| {
            code.convolve(vector);
            Ok(())
        })?;
        let length = setting.layout.length;
        let mut masks = Zeroizing::new(field::zeros(length));
        code.expand(&sparse, &mut masks, setting.workers)?;
        // Memory that is there already serves again; what is given back of it is wiped before.
        let mut shares = sparse;
        shares.iter_mut().skip(length).for_each(Zeroize::zeroize);
        shares.truncate(length);
        shares.shrink_to_fit();
        code.expand(&leaves, &mut shares, setting.workers)?;
        Ok(ReceiverPart { masks, shares })
    }
}

impl Drop for ExpectTrees {
    fn drop(&mut self) {
        self.challenge_seed.zeroize();
    }
}
