//! Why a document, a key or a signature was refused, sorted by whose fault it is.

use std::fmt;

use symbolon_codec::DecodeError;

use crate::agreement::Mode;
use crate::armor::ArmorFault;

/// What was being read or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// A node card.
    Card,
    /// An agreement between two nodes.
    Agreement,
    /// Any other signed statement.
    Statement,
    /// An envelope key on a node card.
    EnvelopeKey,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Card => "node card",
            Self::Agreement => "agreement",
            Self::Statement => "statement",
            Self::EnvelopeKey => "envelope key",
        })
    }
}

/// One of the two signatures that everything here carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Ed25519 (RFC 8032), verified strictly.
    Ed25519,
    /// ML-DSA-65 (FIPS 204), empty context.
    MlDsa65,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::MlDsa65 => "ML-DSA-65",
        })
    }
}

/// A moment in Unix seconds that prints as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).ok();
        match seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
            Some(timestamp) => write!(f, "{}", timestamp.strftime("%Y-%m-%d %H:%M:%S UTC")),
            None => f.write_str("a date beyond the year 9999"),
        }
    }
}

/// Why something was refused. Never carries a key, a name or any part of the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    // Malformed input.
    /// The bytes are not the deterministic encoding of this document.
    #[error("{document} cannot be read")]
    Decode {
        /// What was being read.
        document: Document,
        /// The rule that the bytes break.
        #[source]
        source: DecodeError,
    },
    /// The text form is damaged.
    #[error("{document} file cannot be read")]
    Armor {
        /// What was being read.
        document: Document,
        /// The rule that the text breaks.
        #[source]
        source: ArmorFault,
    },
    /// A field is empty, too long, repeated, out of order or out of range.
    #[error("{document}: field {field} breaks its rule")]
    Field {
        /// What was being read.
        document: Document,
        /// The field, as the specification names it.
        field: &'static str,
    },

    // Peer incompatible.
    /// A version of the document that is not known here.
    #[error("{document} has version {version}, and only version 1 is known here")]
    Version {
        /// What was being read.
        document: Document,
        /// The version it has.
        version: u8,
    },
    /// No envelope key of that mode and of a known suite is valid now.
    #[error(
        "node card has no {mode} envelope key of a known suite that is valid now; ask for a new card"
    )]
    NoEnvelopeKey {
        /// The mode that was asked for.
        mode: Mode,
    },

    // Time.
    /// Its validity is over.
    #[error("{document} expired on {at}; ask the partner for a new one")]
    Expired {
        /// What expired.
        document: Document,
        /// When.
        at: Moment,
    },
    /// Its validity has not begun.
    #[error("{document} is not valid before {from}; check both clocks")]
    NotYetValid {
        /// What is too early.
        document: Document,
        /// When it becomes valid.
        from: Moment,
    },

    // Peer misbehaved, or somebody between.
    /// A signature does not verify.
    #[error("{document}: the {scheme} signature does not verify")]
    Signature {
        /// What was signed.
        document: Document,
        /// Which of the two signatures failed.
        scheme: Scheme,
    },
    /// A card under another root than the one that it should replace.
    #[error("node card is signed by another root than the card on file")]
    OtherRoot,
    /// A card older than the one on file.
    #[error("node card has sequence {offered}, older than sequence {held} on file")]
    OldSequence {
        /// The sequence on file.
        held: u64,
        /// The sequence that was offered.
        offered: u64,
    },
    /// Two different cards with one sequence: the root signed twice, or it is not one root.
    #[error("node card differs from the one on file and has the same sequence {sequence}")]
    SequenceReused {
        /// The sequence of both.
        sequence: u64,
    },

    // Caller's misuse.
    /// The key or card belongs to neither party of the agreement.
    #[error("not a party to this agreement")]
    NotAParty,
    /// This party has signed already.
    #[error("this party has already signed the agreement")]
    AlreadySigned,
    /// One of the two parties has not signed yet.
    #[error("agreement is signed by one side only")]
    HalfSigned,

    // Ours.
    /// The cryptographic library refused to make a key or a signature.
    #[error("the cryptographic library could not make a key or a signature")]
    Library,
}
