//! Why an envelope was not made or not opened, sorted by whose fault it is.

use symbolon_codec::DecodeError;
use symbolon_record::RecordError;
use symbolon_trust::{Mode, Moment, TrustError};

/// Which layer of an envelope was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The outermost array: header, encapsulated key, ciphertext.
    Envelope,
    /// The header in the clear.
    Header,
    /// The statement and its signatures.
    Signed,
    /// The statement.
    Statement,
    /// What the statement says.
    Payload,
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Envelope => "envelope",
            Self::Header => "header",
            Self::Signed => "signed statement",
            Self::Statement => "statement",
            Self::Payload => "payload",
        })
    }
}

/// Why something was refused. Never carries a key, an id or any part of the contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    // Malformed input.
    /// The bytes of a layer are not the deterministic encoding of it.
    #[error("{layer} cannot be read")]
    Decode {
        /// The layer.
        layer: Layer,
        /// The rule that the bytes break.
        #[source]
        source: DecodeError,
    },
    /// A field is out of range.
    #[error("{layer}: field {field} breaks its rule")]
    Field {
        /// The layer.
        layer: Layer,
        /// The field, as the specification names it.
        field: &'static str,
    },
    /// The text is none of a closed list.
    #[error("not a {what}")]
    Name {
        /// What it should name.
        what: &'static str,
    },
    /// The view in a disclosure or an alert breaks a rule of records.
    #[error("the disclosed view breaks a rule of records")]
    View(#[source] RecordError),
    /// The padding is not zero, or not that of its size and kind.
    #[error("padding is not the one that the specification fixes")]
    Padding,

    // Peer incompatible.
    /// A version that is not known here.
    #[error("{layer} has version {version}, and only version 1 is known here")]
    Version {
        /// The layer.
        layer: Layer,
        /// The version it has.
        version: u8,
    },
    /// A cipher suite that is not enabled.
    #[error("envelope has suite {suite}, and only suite 1 is enabled")]
    Suite {
        /// The suite it has.
        suite: u8,
    },
    /// A kind of statement that is not known here.
    #[error("statement has kind {kind}, which is not known here")]
    Kind {
        /// The kind it has.
        kind: u8,
    },

    // Wrong place or time.
    /// The envelope is addressed to another node.
    #[error("envelope is addressed to another node")]
    NotForMe,
    /// The envelope is sealed to a key that is not held, or no longer.
    #[error("envelope is sealed to a key that is not held here, or no longer")]
    UnknownKey,
    /// No card of the sender is on file.
    #[error("statement is from a node of which no card is on file")]
    UnknownSender,
    /// Its time is over.
    #[error("envelope expired on {at}")]
    Expired {
        /// When.
        at: Moment,
    },
    /// It was made in the future.
    #[error("statement is dated {created}, which is still to come; check both clocks")]
    Early {
        /// The date on it.
        created: Moment,
    },

    // Peer misbehaved, or somebody between.
    /// The ciphertext, the encapsulated key or the header was changed, or the key is another.
    #[error("envelope does not open under the key that it names")]
    Open,
    /// A signature does not verify.
    #[error("statement is not signed by its sender")]
    Signature(#[source] TrustError),
    /// The statement inside was written for another node and forwarded.
    #[error("statement was written for another node and forwarded")]
    Forwarded,
    /// Header and statement contradict each other.
    #[error("header and statement contradict each other")]
    Contradiction,
    /// A drill where only the real thing may be, or the other way round.
    #[error("the statement does not belong to the mode {mode}, that of its key")]
    Mode {
        /// The mode of the recipient's key.
        mode: Mode,
    },
    /// The opened record commitment does not cover the disclosed record.
    #[error("the opened commitment does not cover the disclosed record")]
    OpeningOther,

    // Caller's misuse.
    /// The grant is for another partner than the recipient.
    #[error("the grant is for another partner")]
    GrantOtherPartner,
    /// The grant is for another record, or another version of it.
    #[error("the grant is for another record or version")]
    GrantOtherRecord,
    /// The grant is for something else than handing over a record, or pushing an alert.
    #[error("the grant is for another action")]
    GrantOtherAction,
    /// The two grants of an alert are by different policies.
    #[error("the grants are by different policies; decide again")]
    GrantOtherPolicy,
    /// The statement would be longer than an envelope holds.
    #[error("statement is longer than an envelope holds")]
    TooLong,
    /// No envelope key of the recipient can be used.
    #[error("the recipient's envelope key cannot be used")]
    Recipient(#[source] TrustError),

    /// The recipient's envelope key is no public key of its suite.
    #[error("the recipient's envelope key is no public key of its suite")]
    RecipientKey,

    // Ours.
    /// The cryptographic library refused to sign or seal.
    #[error("the cryptographic library could not sign or seal")]
    Library,
}

impl DisclosureError {
    /// An alert that is to be deleted before it is made.
    pub(crate) const OVER: Self = Self::Field { layer: Layer::Payload, field: "expires_on" };
}
