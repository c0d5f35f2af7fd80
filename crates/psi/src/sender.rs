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
use crate::okvs::{Bin, Binned, Part, Shape};
use crate::outputs;
use crate::terms::{From, Terms, Transcript};
use crate::vole::SenderPart;
use crate::vole_layout::Setting;
use crate::vole_sender::{self as vole, SenderReady};
use crate::{PsiError, workers};

/// Elements of the received store that are decoded at once.
const PIECE_ELEMENTS: usize = 1024;

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

impl Session {
    fn send(&mut self, kind: Kind, fields: &[&[u8]], bulk: Vec<u8>) -> Message {
        let message = Message::new(kind, fields, bulk);
        self.transcript.add(From::Sender, &message);
        message
    }

    fn read(&mut self, message: Message, kind: Kind) -> Result<Message, PsiError> {
        message.expect_kind(kind)?;
        self.transcript.add(From::Receiver, &message);
        Ok(message)
    }
}

/// Has opened the session; awaits the receiver's setup of the correlation.
pub struct ExpectSetup {
    session: Session,
    correlation: vole::ExpectSetup,
}

impl ExpectSetup {
    /// Opens a session over `items`; repeated ones count once.
    ///
    /// `seed` is 32 fresh random bytes, `workers` the threads that a step may use. Both messages go
    /// to the receiver.
    ///
    /// # Errors
    /// [`PsiError::Count`] if the items exceed the agreed count or a count is not a padded one.
    pub fn start(
        terms: Terms,
        items: Vec<Item>,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<(Self, [Message; 2]), PsiError> {
        let (mut session, begin, seed) = open(terms, items, seed, workers)?;
        let setting = Setting::new(terms.session, session.shape.columns(), workers)?;
        let (correlation, offer) = vole::ExpectSetup::begin(setting, *seed);
        let offer = session.send(Kind::Correlation, &[], offer);
        Ok((Self { session, correlation }, [begin, offer]))
    }

    /// Takes the receiver's setup; the trees go to it.
    ///
    /// # Errors
    /// [`PsiError::CheckFailed`] if the setup is not consistent; others if it is not awaited.
    pub fn handle(self, message: Message) -> Result<(ExpectChallenge, Message), PsiError> {
        let Self { mut session, correlation } = self;
        let message = session.read(message, Kind::Correlation)?;
        let (correlation, trees) = correlation.handle_setup(message.bulk())?;
        let trees = session.send(Kind::Correlation, &[], trees);
        Ok((ExpectChallenge { session, correlation }, trees))
    }
}

/// The session, its first message, and the seed of its correlation.
fn open(
    terms: Terms,
    items: Vec<Item>,
    seed: [u8; 32],
    workers: usize,
) -> Result<(Session, Message, Zeroizing<[u8; 32]>), PsiError> {
    let shape = terms.shape()?;
    if items.len() as u64 > terms.sender_count {
        return Err(PsiError::Count);
    }
    let mut random = ChaCha20Rng::from_seed(*Zeroizing::new(seed));
    let mut coin = [0; 16];
    random.fill_bytes(&mut coin);
    let (mut padding, mut correlation) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    random.fill_bytes(padding.as_mut());
    random.fill_bytes(correlation.as_mut());
    let transcript = Transcript::new(&terms);
    let mut session = Session { terms, shape, items, coin, padding, transcript, workers };
    let (digest, commitment) = (terms.digest(), terms.coin_commitment(&coin));
    let begin = session.send(Kind::Begin, &[&digest, &commitment], Vec::new());
    Ok((session, begin, correlation))
}

/// Has sent its trees; awaits the receiver's challenge.
pub struct ExpectChallenge {
    session: Session,
    correlation: vole::ExpectChallenge,
}

impl ExpectChallenge {
    /// Takes the challenge; the proof goes to the receiver.
    ///
    /// # Errors
    /// Those of a message that is not awaited.
    pub fn handle(self, message: Message) -> Result<(ExpectStore, Message), PsiError> {
        let Self { mut session, correlation } = self;
        let message = session.read(message, Kind::Correlation)?;
        let (ready, proof) = correlation.handle_challenge(message.bulk())?;
        let proof = session.send(Kind::Correlation, &[], proof);
        Ok((ExpectStore { session, share: Share::Ready(ready) }, proof))
    }
}

/// The sender's share of the correlation, computed or not.
enum Share {
    Ready(SenderReady),
    Encoded(SenderPart),
}

impl Share {
    fn encode(self) -> Result<SenderPart, PsiError> {
        match self {
            Self::Ready(ready) => ready.encode(),
            Self::Encoded(part) => Ok(part),
        }
    }
}

/// Awaits the masked store.
pub struct ExpectStore {
    session: Session,
    share: Share,
}

impl ExpectStore {
    /// Computes while nothing has come yet what needs no message; without it, a later step does.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`] only.
    pub fn prepare(self) -> Result<Self, PsiError> {
        let share = Share::Encoded(self.share.encode()?);
        Ok(Self { share, ..self })
    }

    /// Takes the masked store; the half of the coin goes to the receiver at once.
    ///
    /// # Errors
    /// [`PsiError::Malformed`] if the store does not have the agreed length.
    pub fn handle(self, message: Message) -> Result<(Answering, Message), PsiError> {
        let Self { mut session, share } = self;
        let message = session.read(message, Kind::Store)?;
        let seed = Block::from_bytes(message.field(0)?);
        let coin = Block::from_bytes(session.coin) ^ Block::from_bytes(message.field(1)?);
        let store = message.expect_bulk(Kind::Store)?;
        if store.len() != session.shape.columns() * Block::BYTES {
            return Err(PsiError::Malformed);
        }
        let own = session.coin;
        let reveal = session.send(Kind::Reveal, &[&own], Vec::new());
        Ok((Answering { session, share, seed, coin, store }, reveal))
    }
}

/// Has all that it needs to answer.
pub struct Answering {
    session: Session,
    share: Share,
    seed: Block,
    coin: Block,
    store: Vec<u8>,
}

impl Answering {
    /// Computes the outputs of all items; they go to the receiver.
    ///
    /// # Errors
    /// [`PsiError::WorkerLost`] only.
    pub fn answer(self) -> Result<(ExpectDone, Message), PsiError> {
        let Self { mut session, share, seed, coin, store } = self;
        let hashes = Hashes::new(&session.terms.session);
        let items = std::mem::take(&mut session.items);
        let binned = Binned::new(session.shape, &items, &hashes, seed, session.workers)?;
        let SenderPart { delta, mut shares } = share.encode()?;
        let columns = session.shape.bin_columns();
        let stores = store.chunks_exact(columns * Block::BYTES);
        let tasks = stores.zip(shares.chunks_exact_mut(columns)).zip(binned.bins).collect();
        let lists = workers::run(tasks, session.workers, |((store, shares), bin): (_, Bin)| {
            add_scaled(shares, store, *delta);
            let output = |mut part: Part| {
                field::scale(&mut part.values, *delta);
                part.decode(&session.shape, shares);
                part.values.iter_mut().for_each(|value| *value ^= coin);
                let own = part.indexes.iter().filter_map(|index| items.get(*index as usize));
                hashes.outputs(own, &mut part.values);
                part.values
            };
            Ok(bin.0.into_iter().map(output).collect::<Vec<_>>())
        })?;
        drop((store, shares, items));
        let sorted = fill(lists.into_iter().flatten().collect(), &session)?;
        let message = session.send(Kind::Outputs, &[], outputs::encode(&sorted, session.workers)?);
        Ok((ExpectDone { transcript: session.transcript }, message))
    }
}

/// `B + A·Δ` in place of `B`.
fn add_scaled(shares: &mut [Block], store: &[u8], delta: Block) {
    // By pieces: a copy of the whole store would be fresh memory.
    let pieces = store.chunks(PIECE_ELEMENTS * Block::BYTES);
    for (shares, store) in shares.chunks_mut(PIECE_ELEMENTS).zip(pieces) {
        field::scale_add(shares, &field::from_bytes(store), delta);
    }
}

/// Exactly the agreed count of distinct outputs, ascending: random ones stand in for what is
/// missing and for items that were given twice.
fn fill(mut lists: Vec<Vec<Block>>, session: &Session) -> Result<Vec<Vec<Block>>, PsiError> {
    let count = session.terms.sender_count as usize;
    let mut random = ChaCha20Rng::from_seed(*session.padding);
    loop {
        let missing = count.saturating_sub(lists.iter().map(Vec::len).sum());
        let mut bytes = vec![0; missing * Block::BYTES];
        random.fill_bytes(&mut bytes);
        lists.push(field::from_bytes(&bytes));
        lists = outputs::sort(&lists, session.workers)?;
        lists.iter_mut().for_each(Vec::dedup);
        if lists.iter().map(Vec::len).sum::<usize>() == count {
            return Ok(lists);
        }
    }
}

/// Awaits the word that the receiver has read the outputs.
pub struct ExpectDone {
    transcript: Transcript,
}

impl ExpectDone {
    /// The transcript's hash as it will be: the last message is always the same. Whoever shows
    /// this hash has read the outputs, whether or not that message arrives.
    #[must_use]
    pub fn transcript(&self) -> [u8; 32] {
        let mut transcript = self.transcript.clone();
        transcript.add(From::Receiver, &Message::new(Kind::Done, &[], Vec::new()));
        transcript.digest()
    }

    /// Takes the last message and gives the transcript's hash, for both sides to sign.
    ///
    /// # Errors
    /// [`PsiError::Unexpected`] if it is another message.
    pub fn handle(mut self, message: Message) -> Result<[u8; 32], PsiError> {
        message.expect_kind(Kind::Done)?;
        self.transcript.add(From::Receiver, &message);
        Ok(self.transcript.digest())
    }
}

#[cfg(test)]
impl ExpectStore {
    /// A session whose correlation a dealer has made, and its first message.
    pub(crate) fn dealt(
        terms: Terms,
        items: Vec<Item>,
        workers: usize,
        part: SenderPart,
    ) -> Result<(Self, Message), PsiError> {
        let (session, begin, _) = open(terms, items, [1; 32], workers)?;
        Ok((Self { session, share: Share::Encoded(part) }, begin))
    }
}
