//! Receiver's side: learns which of its own items the sender has, and nothing of the others.
//!
//! Implements spec/psi.md#receiver.
//!
//! Invariants: one state is one struct and a message consumes it; the store's seed is drawn when
//! the items are fixed; the last message is the same whatever the result, and a result above the
//! agreed bound is not told.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::field::{self, Block};
use crate::frame::{Kind, Message};
use crate::hash::{Hashes, Item};
use crate::limits::SEED_RETRIES;
use crate::okvs::{Bin, Binned, Part, Shape};
use crate::outputs::{self, Own};
use crate::terms::{From, Terms, Transcript};
use crate::vole::ReceiverPart;
use crate::vole_layout::Setting;
use crate::vole_receiver as vole;
use crate::{PsiError, workers};

/// What all states of the receiver carry.
struct Session {
    terms: Terms,
    shape: Shape,
    items: Vec<Item>,
    random: ChaCha20Rng,
    commitment: [u8; 32],
    transcript: Transcript,
    workers: usize,
}

impl Session {
    fn send(&mut self, kind: Kind, fields: &[&[u8]], bulk: Vec<u8>) -> Message {
        let message = Message::new(kind, fields, bulk);
        self.transcript.add(From::Receiver, &message);
        message
    }

    fn read(&mut self, message: Message, kind: Kind) -> Result<Message, PsiError> {
        message.expect_kind(kind)?;
        self.transcript.add(From::Sender, &message);
        Ok(message)
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill_bytes(&mut bytes);
        bytes
    }
}

/// Awaits the sender's first message.
pub struct ExpectBegin {
    session: Session,
}

impl ExpectBegin {
    /// Prepares a session over `items`; repeated ones are found each.
    ///
    /// `seed` is 32 fresh random bytes, `workers` the threads that a step may use.
    ///
    /// # Errors
    /// [`PsiError::Count`] if the items exceed the agreed count or a count is not a padded one.
    pub fn start(
        terms: Terms,
        items: Vec<Item>,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<Self, PsiError> {
        let shape = terms.shape()?;
        if items.len() as u64 > terms.receiver_count {
            return Err(PsiError::Count);
        }
        let random = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
        let (commitment, transcript) = ([0; 32], Transcript::new(&terms));
        let session = Session { terms, shape, items, random, commitment, transcript, workers };
        Ok(Self { session })
    }

    /// Takes the sender's first message.
    ///
    /// # Errors
    /// [`PsiError::TermsDiffer`] if the sender works under other terms.
    pub fn handle(self, message: Message) -> Result<ExpectOffer, PsiError> {
        let mut session = self.session;
        let message = session.read(message, Kind::Begin)?;
        if message.field(0)? != session.terms.digest() {
            return Err(PsiError::TermsDiffer);
        }
        session.commitment = message.field(1)?;
        let (name, columns) = (session.terms.session, session.shape.columns());
        let setting = Setting::new(name, columns, session.workers)?;
        let correlation = vole::ExpectOffer::begin(setting, session.draw());
        Ok(ExpectOffer { session, correlation })
    }
}

/// Awaits the sender's offer of base transfers.
pub struct ExpectOffer {
    session: Session,
    correlation: vole::ExpectOffer,
}

impl ExpectOffer {
    /// Takes the offer; the setup goes to the sender.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if it is not an offer.
    pub fn handle(self, message: Message) -> Result<(ExpectTrees, Message), PsiError> {
        let Self { mut session, correlation } = self;
        let message = session.read(message, Kind::Correlation)?;
        let (correlation, setup) = correlation.handle_offer(message.bulk())?;
        let setup = session.send(Kind::Correlation, &[], setup);
        Ok((ExpectTrees { session, correlation }, setup))
    }
}

/// Awaits the sender's trees.
pub struct ExpectTrees {
    session: Session,
    correlation: vole::ExpectTrees,
}

impl ExpectTrees {
    /// Takes the trees; the challenge goes to the sender.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if they are not of the agreed length.
    pub fn handle(self, message: Message) -> Result<(ExpectProof, Message), PsiError> {
        let Self { mut session, correlation } = self;
        let message = session.read(message, Kind::Correlation)?;
        let (correlation, challenge) = correlation.handle_trees(message.bulk())?;
        let challenge = session.send(Kind::Correlation, &[], challenge);
        Ok((ExpectProof { session, correlation, solved: None }, challenge))
    }
}

/// Awaits the sender's proof, with which the correlation ends.
pub struct ExpectProof {
    session: Session,
    correlation: vole::ExpectProof,
    solved: Option<Solved>,
}

impl ExpectProof {
    /// Computes while nothing has come yet what needs no message; without it, a later step does.
    ///
    /// # Errors
    /// [`PsiError::Unsolvable`] with negligible probability, [`PsiError::WorkerLost`].
    pub fn prepare(self) -> Result<Self, PsiError> {
        let Self { mut session, correlation, solved } = self;
        let correlation = correlation.encode()?;
        let solved = match solved {
            Some(solved) => solved,
            None => solve(&mut session)?,
        };
        Ok(Self { session, correlation, solved: Some(solved) })
    }

    /// Takes the proof; the masked store goes to the sender.
    ///
    /// # Errors
    /// [`PsiError::CheckFailed`] if the sender cheated; those of [`Self::prepare`].
    pub fn handle(self, message: Message) -> Result<(ExpectReveal, Message), PsiError> {
        let Self { mut session, correlation, solved } = self;
        let message = session.read(message, Kind::Correlation)?;
        let part = correlation.handle_proof(message.bulk())?;
        let solved = match solved {
            Some(solved) => solved,
            None => solve(&mut session)?,
        };
        Ok(mask(session, part, solved))
    }
}

/// Masks the store with the receiver's part of the correlation: `A = P + A'`.
fn mask(mut session: Session, part: ReceiverPart, solved: Solved) -> (ExpectReveal, Message) {
    let ReceiverPart { masks, shares } = part;
    let Solved { hashes, binned, seed, mut store } = solved;
    field::add_to_bytes(&mut store, &masks);
    drop(masks);
    let coin: [u8; 16] = session.draw();
    let message = session.send(Kind::Store, &[&seed.to_bytes(), &coin], store);
    let coin = Block::from_bytes(coin);
    (ExpectReveal { session, hashes, binned, shares, coin }, message)
}

/// The own items as a store, not yet masked.
struct Solved {
    hashes: Hashes,
    binned: Binned,
    seed: Block,
    /// Its bytes: they become those of the message.
    store: Vec<u8>,
}

/// Draws a seed, and another where the store has no solution.
fn solve(session: &mut Session) -> Result<Solved, PsiError> {
    let hashes = Hashes::new(&session.terms.session);
    for _ in 0..=SEED_RETRIES {
        let seed = Block::from_bytes(session.draw());
        let (shape, workers) = (session.shape, session.workers);
        let binned = Binned::new(shape, &session.items, &hashes, seed, workers)?;
        match binned.solve(workers) {
            Ok(store) => return Ok(Solved { hashes, binned, seed, store }),
            Err(PsiError::Unsolvable) => {}
            Err(error) => return Err(error),
        }
    }
    Err(PsiError::Unsolvable)
}

/// Awaits the sender's half of the coin.
pub struct ExpectReveal {
    session: Session,
    hashes: Hashes,
    binned: Binned,
    shares: Zeroizing<Vec<Block>>,
    coin: Block,
}

impl ExpectReveal {
    /// Takes the sender's half of the coin and computes the outputs of the own items.
    ///
    /// # Errors
    /// [`PsiError::CommitmentBroken`] if it is not the half that the sender committed to.
    pub fn handle(self, message: Message) -> Result<ExpectOutputs, PsiError> {
        let Self { mut session, hashes, binned, shares, coin } = self;
        let message = session.read(message, Kind::Reveal)?;
        let theirs = message.field(0)?;
        let is_committed = session.terms.coin_commitment(&theirs).ct_eq(&session.commitment);
        if !bool::from(is_committed) {
            return Err(PsiError::CommitmentBroken);
        }
        let coin = coin ^ Block::from_bytes(theirs);
        let items = std::mem::take(&mut session.items);
        let shape = session.shape;
        let columns = shares.chunks_exact(shape.bin_columns());
        let tasks = binned.bins.into_iter().zip(columns).collect();
        let lists = workers::run(tasks, session.workers, |(bin, shares): (Bin, _)| {
            let output = |mut part: Part| {
                // The value of the hash is not needed any more.
                part.values.fill(coin);
                part.decode(&shape, shares);
                let own = part.indexes.iter().filter_map(|index| items.get(*index as usize));
                hashes.outputs(own, &mut part.values);
                (part.indexes, part.values)
            };
            Ok(bin.0.into_iter().map(output).collect::<Vec<_>>())
        })?;
        drop((items, shares));
        let own = Own::new(lists.into_iter().flatten().collect(), session.workers)?;
        let Session { terms, transcript, workers, .. } = session;
        Ok(ExpectOutputs { terms, transcript, own, workers })
    }
}

/// Awaits the sender's outputs.
pub struct ExpectOutputs {
    terms: Terms,
    transcript: Transcript,
    own: Own,
    workers: usize,
}

impl ExpectOutputs {
    /// Takes the outputs; the last message goes to the sender, whatever the result is.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if they are not exactly as many as agreed, each once, ascending.
    pub fn handle(self, message: Message) -> Result<(Received, Message), PsiError> {
        let Self { terms, mut transcript, own, workers } = self;
        message.expect_kind(Kind::Outputs)?;
        let theirs = outputs::decode(message.bulk(), terms.sender_count as usize, workers)?;
        transcript.add(From::Sender, &message);
        let done = Message::new(Kind::Done, &[], Vec::new());
        transcript.add(From::Receiver, &done);
        let transcript = transcript.digest();
        Ok((Received { terms, transcript, own, theirs, workers }, done))
    }
}

/// Has all outputs and has not looked yet.
pub struct Received {
    terms: Terms,
    transcript: [u8; 32],
    own: Own,
    theirs: Vec<Vec<Block>>,
    workers: usize,
}

impl Received {
    /// The hash over all messages, the same as the sender's; both sign it.
    #[must_use]
    pub const fn transcript(&self) -> &[u8; 32] {
        &self.transcript
    }

    /// Indexes of the own items that the sender has, ascending.
    ///
    /// # Errors
    /// [`PsiError::TooManyCommon`] if they exceed the agreed bound: an alarm. Which they are, and
    /// how many, is dropped. [`PsiError::WorkerLost`].
    pub fn intersect(self) -> Result<Vec<u32>, PsiError> {
        let common = self.own.intersect(&self.theirs, self.workers)?;
        let bound = self.terms.intersection_max;
        if common.len() as u64 > bound {
            return Err(PsiError::TooManyCommon { bound });
        }
        Ok(common)
    }
}

#[cfg(test)]
impl ExpectOffer {
    /// Skips the correlation: a dealer has made it.
    pub(crate) fn deal(self, part: ReceiverPart) -> Result<(ExpectReveal, Message), PsiError> {
        let mut session = self.session;
        let solved = solve(&mut session)?;
        Ok(mask(session, part, solved))
    }
}
