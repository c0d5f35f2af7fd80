//! The rules of a witness: what to answer to an add-checkpoint request; stores and signs nothing.
//!
//! Implements spec/log.md#witness (c2sp.org/tlog-witness, "add-checkpoint").
//!
//! Invariant: the steps are `AddCheckpoint` → [`Authentic`] → [`Accepted`] → [`Durable`], each made
//! only of the one before it; [`crate::CosignatureSigner`] signs nothing but the last.
//! Answering before the head is durable does not compile:
//!
//! ```compile_fail,E0308
//! # use symbolon_tlog::{CosignatureSigner, witness::Accepted};
//! fn answer(key: &CosignatureSigner, accepted: &Accepted) {
//!     let _ = key.cosign(accepted);
//! }
//! ```
//!
//! Where [`Accepted::make_durable`] stands between the two, it does:
//!
//! ```
//! # use symbolon_tlog::{CosignatureSigner, TlogError, note::SignatureLine, witness::Durable};
//! fn answer(key: &CosignatureSigner, durable: &Durable) -> Result<SignatureLine, TlogError> {
//!     key.cosign(durable)
//! }
//! ```

use crate::add_checkpoint::{AddCheckpoint, format_conflict};
use crate::error::{Format, TlogError};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::limits::TREE_LEAVES_MAX;
use crate::log_verifier::{AuthenticCheckpoint, LogVerifier};
use crate::proof::verify_consistency;

/// The latest tree of a log that a witness cosigned: all that it must keep of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    size: u64,
    root: Hash,
}

impl Head {
    /// The head of a log of which the witness never cosigned a checkpoint.
    pub const EMPTY: Self = Self { size: 0, root: EMPTY_ROOT };

    /// A head as it was stored.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if there is no such tree.
    pub fn new(size: u64, root: Hash) -> Result<Self, TlogError> {
        if size > TREE_LEAVES_MAX || (size == 0 && root != EMPTY_ROOT) {
            let rule = "the size is below 2^63, and the empty tree has the empty root";
            return Err(TlogError::malformed(Format::Checkpoint, rule));
        }
        Ok(Self { size, root })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.size
    }

    /// Root of the tree.
    #[must_use]
    pub const fn root(self) -> Hash {
        self.root
    }
}

/// Why a witness does not cosign, by the answer that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body breaks a rule of its format.
    #[error("the request is malformed")]
    Malformed(#[source] TlogError),
    /// The old size is larger than that of the checkpoint.
    #[error("the old size is larger than the checkpoint")]
    OldSizeBeyond,
    /// No trusted key signed the checkpoint, or one of its signatures is false.
    #[error("no trusted key signed the checkpoint, or a signature is invalid")]
    Untrusted(#[source] TlogError),
    /// The log is unknown.
    #[error("unknown log")]
    UnknownLog,
    /// The old size is not that of the latest checkpoint that was cosigned.
    #[error("the latest cosigned checkpoint has another size")]
    Conflict {
        /// Number of leaves of the latest checkpoint that was cosigned.
        known: u64,
    },
    /// The empty tree has another root than the hash of nothing.
    #[error("a checkpoint of size 0 has the root of the empty tree")]
    EmptyRoot,
    /// The checkpoint has the size of the one that was cosigned, and another root.
    #[error("the checkpoint has the cosigned size and another root")]
    RootDiffers,
    /// The consistency proof does not verify.
    #[error("the consistency proof does not verify")]
    Inconsistent(#[source] TlogError),
}

impl Refusal {
    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) | Self::OldSizeBeyond => 400,
            Self::Untrusted(_) => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::EmptyRoot | Self::RootDiffers | Self::Inconsistent(_) => 422,
        }
    }

    /// The body of the answer where the format demands one: the known size of a conflict.
    #[must_use]
    pub fn body(self) -> Option<String> {
        match self {
            Self::Conflict { known } => Some(format_conflict(known)),
            _ => None,
        }
    }
}

/// A request whose checkpoint a trusted log signed.
#[derive(Debug)]
#[must_use]
pub struct Authentic {
    old_size: u64,
    proof: Vec<Hash>,
    checkpoint: AuthenticCheckpoint,
}

/// The first step: the body of a request, and the keys that are trusted for an origin.
///
/// `known` is asked for the origin that the checkpoint names.
///
/// # Errors
/// [`Refusal::Malformed`], [`Refusal::UnknownLog`], [`Refusal::EmptyRoot`] or
/// [`Refusal::Untrusted`].
pub fn receive<'k>(
    body: &[u8],
    known: impl FnOnce(&str) -> Option<&'k LogVerifier>,
) -> Result<Authentic, Refusal> {
    let request = AddCheckpoint::decode(body).map_err(Refusal::Malformed)?;
    let verifier = known(request.origin()).ok_or(Refusal::UnknownLog)?;
    authenticate(&request, verifier)
}

/// As [`receive`], for a request that has been read and whose log has been found.
///
/// # Errors
/// [`Refusal::UnknownLog`] if the keys are those of another log, [`Refusal::EmptyRoot`] or
/// [`Refusal::Untrusted`].
pub fn authenticate(request: &AddCheckpoint, verifier: &LogVerifier) -> Result<Authentic, Refusal> {
    // "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found"".
    if request.origin() != verifier.origin() {
        return Err(Refusal::UnknownLog);
    }
    // "A checkpoint of size zero MUST have the root hash of the empty tree […]. Otherwise, the
    // witness MUST respond with a "422 Unprocessable Entity"". It has no other place: such a text
    // is no checkpoint, so that nothing after this has to think of it.
    if request.checkpoint().size() == 0 && request.checkpoint().root() != EMPTY_ROOT {
        return Err(Refusal::EmptyRoot);
    }
    let signed = request.signed().map_err(Refusal::Malformed)?;
    let checkpoint = verifier.verify(&signed).map_err(Refusal::Untrusted)?;
    Ok(Authentic { old_size: request.old_size(), proof: request.proof().to_vec(), checkpoint })
}

impl Authentic {
    /// The checkpoint.
    pub const fn checkpoint(&self) -> &AuthenticCheckpoint {
        &self.checkpoint
    }

    /// The second step: what is stored for the origin, [`Head::EMPTY`] if nothing is.
    ///
    /// # Errors
    /// [`Refused`], which keeps the checkpoint: "it might be proof of log misbehavior".
    pub fn decide(self, stored: Head) -> Result<Accepted, Box<Refused>> {
        let verdict = self.check(stored);
        let Self { proof, checkpoint, .. } = self;
        match verdict {
            Ok(()) => {
                let next = Head { size: checkpoint.size(), root: checkpoint.root() };
                let step = Step { origin: checkpoint.origin().to_owned(), expected: stored, next };
                Ok(Accepted { step, checkpoint })
            }
            Err(refusal) => Err(Box::new(Refused { refusal, stored, proof, checkpoint })),
        }
    }

    fn check(&self, stored: Head) -> Result<(), Refusal> {
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        // "The old size MUST be equal to or lower than the checkpoint size. Otherwise, the witness
        // MUST respond with a "400 Bad Request"".
        if self.old_size > size {
            return Err(Refusal::OldSizeBeyond);
        }
        // "The witness MUST check that the old size matches the size of the latest checkpoint it
        // cosigned […]. If it doesn't match, the witness MUST respond with a "409 Conflict"".
        if self.old_size != stored.size {
            return Err(Refusal::Conflict { known: stored.size });
        }
        // "If the old size matches the checkpoint size, the witness MUST check that the root
        // hashes are also identical."
        if size == stored.size && root != stored.root {
            return Err(Refusal::RootDiffers);
        }
        // "If the proof is not empty when the old size is zero, or if a Merkle Consistency Proof
        // doesn't verify, the witness MUST respond with a "422 Unprocessable Entity"".
        match verify_consistency(stored.size, stored.root, size, root, &self.proof) {
            Ok(_) => Ok(()),
            Err(cause) => Err(Refusal::Inconsistent(cause)),
        }
    }
}

/// A request that was refused although its log signed the checkpoint.
///
/// Whoever keeps the stored checkpoint itself compares the two with [`crate::SplitView::find`],
/// whatever the refusal was.
#[derive(Debug)]
pub struct Refused {
    refusal: Refusal,
    stored: Head,
    proof: Vec<Hash>,
    checkpoint: AuthenticCheckpoint,
}

impl Refused {
    /// Why, and the answer.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        self.refusal
    }

    /// What was stored when it was refused.
    #[must_use]
    pub const fn stored(&self) -> Head {
        self.stored
    }

    /// The consistency proof of the request.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The checkpoint.
    pub const fn checkpoint(&self) -> &AuthenticCheckpoint {
        &self.checkpoint
    }
}

/// The compare-and-set that a witness must make durable before it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    origin: String,
    expected: Head,
    next: Head,
}

impl Step {
    /// The log whose head is replaced.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The head that must still be stored; [`Head::EMPTY`] stands for none as well.
    #[must_use]
    pub const fn expected(&self) -> Head {
        self.expected
    }

    /// The head to be stored; it may be the expected one again.
    #[must_use]
    pub const fn next(&self) -> Head {
        self.next
    }
}

/// What became of a [`Step`] in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// The old head was stored, and now the new one is, and will be after a crash.
    Stored,
    /// Another head was stored, and still is.
    Overtaken(Head),
}

/// A checkpoint that the witness may cosign once it is durable.
#[derive(Debug)]
#[must_use]
pub struct Accepted {
    step: Step,
    checkpoint: AuthenticCheckpoint,
}

impl Accepted {
    /// What must be made durable.
    #[must_use]
    pub const fn step(&self) -> &Step {
        &self.step
    }

    /// The checkpoint.
    pub const fn checkpoint(&self) -> &AuthenticCheckpoint {
        &self.checkpoint
    }

    /// The third step: `compare_and_set` replaces the old head by the new one, "atomically", if
    /// the old one is still stored, and returns only after the new one would survive a crash.
    ///
    /// `now`, in Unix seconds, is the time that a cosignature will state. It is read before the
    /// swap, so that no larger tree can have been stored by then.
    ///
    /// # Errors
    /// The store's own, after which the checkpoint must not be cosigned.
    pub fn make_durable<E>(
        self,
        now: u64,
        compare_and_set: impl FnOnce(&Self) -> Result<Swap, E>,
    ) -> Result<Durability, E> {
        Ok(match compare_and_set(&self)? {
            Swap::Stored => Durability::Durable(Durable { checkpoint: self.checkpoint, now }),
            Swap::Overtaken(head) => Durability::Overtaken(Refusal::Conflict { known: head.size }),
        })
    }
}

/// What came of making a checkpoint durable.
#[derive(Debug)]
#[must_use]
pub enum Durability {
    /// The checkpoint is durable.
    Durable(Durable),
    /// Another request was faster: a conflict.
    Overtaken(Refusal),
}

impl Durability {
    /// The evidence, or the refusal.
    ///
    /// # Errors
    /// [`Refusal::Conflict`].
    pub fn durable(self) -> Result<Durable, Refusal> {
        match self {
            Self::Durable(durable) => Ok(durable),
            Self::Overtaken(refusal) => Err(refusal),
        }
    }
}

/// Evidence that a checkpoint is durable and was the latest of its log at a time.
#[derive(Debug)]
#[must_use]
pub struct Durable {
    checkpoint: AuthenticCheckpoint,
    now: u64,
}

impl Durable {
    /// The checkpoint.
    pub const fn checkpoint(&self) -> &AuthenticCheckpoint {
        &self.checkpoint
    }

    /// When it was the latest, in Unix seconds.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.now
    }
}
