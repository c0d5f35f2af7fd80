//! Sender's side: has the answering set, learns the receiver's padded count and nothing else.
//!
//! Implements spec/psi.md#sender.
//!
//! Invariants: one state is one struct and a message consumes it; the half of the coin is revealed
//! after the masked store has come, the outputs after it; an answer has exactly the padded count.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use crate::field::{self, Block};
use crate::frame::{Kind, Message};
use crate::hash::{Hashes, Item};
use crate::okvs::{Binned, Shape};
use crate::outputs;
use crate::terms::{From, Terms, Transcript};
use crate::{PsiError, vole, workers};

/// Opens a session for the sender.
pub struct Sender;

/// What all states of the sender carry.
struct Session {
    terms: Terms,
    shape: Shape,
    items: Vec<Item>,
    coin: [u8; 16],
    padding: Zeroizing<[u8; 32]>,
    transcript: Transcript,
    workers: usize,
}

impl Sender {
    /// Begins a session over `items`; repeated ones count once.
    ///
    /// `seed` is 32 fresh random bytes, `workers` the threads that each step may use. The message
    /// goes to the receiver.
    ///
    /// # Errors
    /// [`PsiError::Count`] if the items exceed the agreed count or a count is not a padded one.
    pub fn start(
        terms: Terms,
        items: Vec<Item>,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<(sender::ExpectCorrelation, Vec<Message>), PsiError> {
        let shape = terms.shape()?;
        if items.len() as u64 > terms.sender_count {
            return Err(PsiError::Count);
        }
        let mut random = ChaCha20Rng::from_seed(seed);
        let mut draw = || {
            let mut bytes = Zeroizing::new([0; 32]);
            random.fill_bytes(bytes.as_mut());
            bytes
        };
        let mut coin = [0; 16];
        let coin_source = draw();
        coin.copy_from_slice(coin_source.split_at(16).0);
        let (correlation, padding) = (draw(), draw());
        let mut transcript = Transcript::new(&terms);
        let begin = Message::new(
            Kind::Begin,
            &[&terms.digest(), &terms.coin_commitment(&coin)],
            Vec::new(),
        );
        transcript.add(From::Sender, &begin);
        let session = Session { terms, shape, items, coin, padding, transcript, workers };
        todo!()
    }
}
