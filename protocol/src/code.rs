//! The table of wire codes: all that a partner ever learns about a refusal.
//!
//! Implements spec/transport.md#codes. [`ProtocolError::code`] is the one way from an error to a
//! code; nothing but the code (and the number that its row allows) is sent.
//!
//! Invariant: not for this partner, unknown and expired share the code [`Code::Nothing`], so that
//! an answer never says whether a thing exists.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::error::{ProtocolError, Refusal};

/// Declares the table once: variant, number, name, sentence and the meaning of the detail.
macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $detail:expr, $sentence:literal;)+) => {
        /// One row of the table. Also the application error code of QUIC when a stream is reset or
        /// a connection is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $sentence] $variant = $number,)+
        }

        impl Code {
            /// All rows, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The name, in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The sentence for people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// What the number beside this code means.
            #[must_use]
            pub const fn detail(self) -> Detail {
                match self { $(Self::$variant => $detail,)+ }
            }
        }
    };
}

codes! {
    Closed = 0, "closed", Detail::None,
        "The connection ended in order.";
    Malformed = 10, "malformed", Detail::None,
        "The bytes are not a message of this protocol.";
    TooLarge = 11, "too_large", Detail::None,
        "A frame, field or list is larger than its limit.";
    Unexpected = 12, "unexpected", Detail::None,
        "The message does not exist at this point.";
    Version = 20, "version", Detail::Version,
        "The protocol version is not spoken here.";
    Profile = 21, "profile", Detail::None,
        "The canonicalisation profiles differ, so nothing can be matched.";
    Clock = 22, "clock", Detail::ClockSeconds,
        "The clocks differ by more than five minutes.";
    Hello = 30, "hello", Detail::None,
        "The hello could not be verified.";
    CardOutdated = 31, "card_outdated", Detail::None,
        "A newer card of this node is known.";
    CardExpired = 32, "card_expired", Detail::None,
        "The card is not in its validity.";
    Agreement = 33, "agreement", Detail::None,
        "No agreement in force covers this.";
    Log = 34, "log", Detail::None,
        "The log does not continue the one seen before.";
    Stale = 35, "stale", Detail::None,
        "The checkpoint is older than one seen before, so a newer one is needed.";
    Nothing = 40, "nothing", Detail::None,
        "There is nothing here for this partner.";
    Epoch = 41, "epoch", Detail::None,
        "The epoch, serial or chunk is not the one in force.";
    Budget = 42, "budget", Detail::Remaining,
        "The budget of this class does not cover the request.";
    Commitment = 43, "commitment", Detail::None,
        "The query is not proved to be committed in the log of the asker.";
    Element = 44, "element", Detail::None,
        "An element or its count is not allowed.";
    Envelope = 45, "envelope", Detail::None,
        "The envelope could not be opened and verified.";
    Busy = 50, "busy", Detail::RetrySeconds,
        "The node has no room for the request now.";
    Deadline = 51, "deadline", Detail::None,
        "The request was not completed in time.";
    Unavailable = 52, "unavailable", Detail::None,
        "The node does not serve this partner at present.";
    Internal = 53, "internal", Detail::None,
        "The node could not complete the request, and nothing was applied.";
}

/// What the number beside a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// No number is allowed.
    None,
    /// The version that the sender speaks.
    Version,
    /// The clock of the sender, in Unix seconds.
    ClockSeconds,
    /// What is left of the budget, in elements.
    Remaining,
    /// When to ask again, in seconds.
    RetrySeconds,
}

impl Code {
    /// The row of `number`, if there is one.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// True when the same request may succeed later without anyone changing anything.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Stale | Self::Busy | Self::Deadline | Self::Unavailable | Self::Internal
        )
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u16::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| D::Error::custom("unknown code"))
    }
}

impl ProtocolError {
    /// The code that the peer is told for this error.
    #[must_use]
    pub fn code(&self) -> Code {
        use ProtocolError as E;
        match self {
            E::Decode(symbolon_codec::DecodeError::TooLong { .. })
            | E::FrameTooLong { .. }
            | E::FieldTooLong { .. } => Code::TooLarge,
            E::Decode(_) | E::FrameEmpty | E::Truncated | E::Field { .. } => Code::Malformed,
            E::Unexpected { .. } => Code::Unexpected,
            E::Version { .. } => Code::Version,
            E::ProfileDiffers => Code::Profile,
            E::ClockSkew { .. } => Code::Clock,
            E::OtherNode | E::CardConflict | E::CardInvalid(_) | E::HelloSignature(_) => {
                Code::Hello
            }
            E::CardOutdated => Code::CardOutdated,
            E::CardExpired(_) => Code::CardExpired,
            E::CheckpointInvalid(_) | E::LogConflict { .. } => Code::Log,
            E::CheckpointStale | E::OwnLogBehind => Code::Stale,
            E::EpochCard { .. } | E::TagSet { .. } => Code::Epoch,
            E::ElementCount | E::Element(_) => Code::Element,
            E::PeerRefused { .. } => Code::Closed,
            E::Deadline => Code::Deadline,
            E::Refused(refusal) => refusal.code(),
            E::Misuse { .. } => Code::Internal,
        }
    }

    /// The number that travels beside the code, where its row allows one.
    #[must_use]
    pub fn detail(&self) -> Option<u64> {
        match self {
            Self::Version { .. } => Some(u64::from(crate::limits::VERSION)),
            Self::ClockSkew { own_seconds } => Some(*own_seconds),
            Self::Refused(Refusal::BudgetExhausted { remaining }) => Some(*remaining),
            Self::Refused(Refusal::Busy { retry_seconds }) => Some(*retry_seconds),
            _ => None,
        }
    }
}

impl Refusal {
    const fn code(self) -> Code {
        match self {
            Self::NotForYou | Self::Unknown | Self::Expired => Code::Nothing,
            Self::NoAgreement => Code::Agreement,
            Self::ProfileDiffers => Code::Profile,
            Self::EpochUnknown => Code::Epoch,
            Self::BudgetExhausted { .. } => Code::Budget,
            Self::Uncommitted => Code::Commitment,
            Self::LogConflict => Code::Log,
            Self::CheckpointStale => Code::Stale,
            Self::ElementRefused => Code::Element,
            Self::EnvelopeRefused => Code::Envelope,
            Self::Busy { .. } => Code::Busy,
            Self::Suspended | Self::Stopping => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_sorted() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert_eq!(Code::from_number(9), None);
    }

    #[test]
    fn existence_is_data() {
        let neutral = [Refusal::NotForYou, Refusal::Unknown, Refusal::Expired];
        for refusal in neutral {
            let error = ProtocolError::Refused(refusal);
            assert_eq!((error.code(), error.detail()), (Code::Nothing, None));
        }
    }

    #[test]
    fn the_specification_has_the_same_table() {
        let text = include_str!("../../spec/transport.md");
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("| `")).collect();
        for code in Code::ALL {
            let row = format!("| {} | `{}` | {} |", code.number(), code.name(), code.sentence());
            assert!(rows.iter().any(|line| line.starts_with(&row)), "no row {row}");
        }
    }
}
