//! The stages of a session one by one, for benchmarks; no session is made of these.
//!
//! Implements spec/psi.md#measuring.

pub use crate::stage_vector::LongVector;

use crate::field::{self, Block};
use crate::hash::{Hashes, Item};
use crate::okvs::{Bin, Binned, Shape};
use crate::outputs::{self, Own};
use crate::vole_layout::Setting;
use crate::{PsiError, vole_receiver, vole_sender, workers};

/// Elements of GF(2^128) without meaning.
pub struct Elements(Vec<Block>);

impl Elements {
    /// `count` elements from a number.
    #[must_use]
    pub fn new(count: usize, number: u64) -> Self {
        let hashes = Hashes::new(&[number as u8; 32]);
        let items: Vec<Item> = (0..count as u64).map(|n| Item::derive(&n.to_le_bytes())).collect();
        let mut elements = Vec::with_capacity(count);
        hashes.rows(&items, Block::ONE, |value, _| elements.push(value));
        Self(elements)
    }

    /// Adds the elements of `other`, each times the first of them.
    pub fn scale_add(&mut self, other: &Self) {
        let factor = other.0.first().copied().unwrap_or_default();
        field::scale_add(&mut self.0, &other.0, factor);
    }

    /// The sum of all products with `other`, as bytes.
    #[must_use]
    pub fn inner_product(&self, other: &Self) -> [u8; 16] {
        field::inner_product(&self.0, &other.0).to_bytes()
    }

    /// Sorts and encodes the elements like a sender's outputs; returns the bytes' number.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub fn sort_and_encode(&self, workers: usize) -> Result<usize, PsiError> {
        let sorted = outputs::sort(std::slice::from_ref(&self.0), workers)?;
        Ok(outputs::encode(&sorted, workers)?.len())
    }

    /// Finds the elements among `theirs`, both sorted here; returns how many are common.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub fn intersect(&self, theirs: &Self, workers: usize) -> Result<usize, PsiError> {
        let sorted = outputs::sort(std::slice::from_ref(&theirs.0), workers)?;
        let indexes = (0..self.0.len() as u32).collect();
        let own = Own::new(vec![(indexes, self.0.clone())], workers)?;
        Ok(own.intersect(&sorted, workers)?.len())
    }
}

/// A set that is hashed and sorted into bins.
pub struct Bins {
    hashes: Hashes,
    binned: Binned,
}

impl Bins {
    /// Hashes the items of a set of padded count `count`.
    ///
    /// # Errors
    /// [`PsiError::Count`] if the count is not a padded one.
    pub fn new(items: &[Item], count: u64, workers: usize) -> Result<Self, PsiError> {
        let hashes = Hashes::new(&[1; 32]);
        let binned = Binned::new(Shape::for_padded(count)?, items, &hashes, Block::ONE, workers)?;
        Ok(Self { hashes, binned })
    }

    /// Solves for the store.
    ///
    /// # Errors
    /// [`PsiError::Unsolvable`].
    pub fn solve(&self, workers: usize) -> Result<Elements, PsiError> {
        Ok(Elements(field::from_bytes(&self.binned.solve(workers)?)))
    }

    /// Decodes a store at all items, onto what was there.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`].
    pub fn decode(&mut self, store: &Elements, workers: usize) -> Result<(), PsiError> {
        let shape = self.binned.shape;
        let columns = store.0.chunks_exact(shape.bin_columns());
        let tasks = self.binned.bins.iter_mut().zip(columns).collect();
        workers::run(tasks, workers, |(bin, columns): (&mut Bin, _)| {
            bin.0.iter_mut().for_each(|part| part.decode(&shape, columns));
            Ok(())
        })?;
        Ok(())
    }

    /// Replaces masks by the outputs of the items.
    pub fn outputs(&self, items: &[Item], masks: &mut Elements) {
        self.hashes.outputs(items.iter(), &mut masks.0);
    }
}

/// Makes a vector correlation of `length`, both sides in turn; returns the bytes exchanged.
///
/// # Errors
/// [`PsiError::Count`] for a length out of bounds.
pub fn correlate(length: usize, workers: usize) -> Result<usize, PsiError> {
    let setting = Setting::new([5; 32], length, workers)?;
    let (sender, offer) = vole_sender::ExpectSetup::begin(setting, [1; 32]);
    let receiver = vole_receiver::ExpectOffer::begin(setting, [2; 32]);
    let (receiver, setup) = receiver.handle_offer(&offer)?;
    let (sender, trees) = sender.handle_setup(&setup)?;
    let (receiver, challenge) = receiver.handle_trees(&trees)?;
    let (sender, proof) = sender.handle_challenge(&challenge)?;
    let theirs = receiver.handle_proof(&proof)?;
    let own = sender.encode()?;
    let messages = [offer, setup, trees, challenge, proof];
    // Both parts live to the end, as in a session.
    drop((own, theirs));
    Ok(messages.iter().map(Vec::len).sum())
}

/// Columns of the store for a padded count: the length of the correlation.
///
/// # Errors
/// [`PsiError::Count`] if the count is not a padded one.
pub fn columns(count: u64) -> Result<usize, PsiError> {
    Ok(Shape::for_padded(count)?.columns())
}
