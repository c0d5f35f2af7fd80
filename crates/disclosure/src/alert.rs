//! What statements about alerts say: the alert, the words that follow it, how far it came, and
//! what a courier carries.
//!
//! Implements spec/envelope.md#alerts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, Bytes};
use serde_repr::{Deserialize_repr, Serialize_repr};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_record::{AlertClass, Exercise, RecordId, RecordVersion, View};
use symbolon_trust::Mode;

use crate::DisclosureError;
use crate::limits::{
    ACK_ITEMS_MAX, CHECKPOINT_BYTES_MAX, MANIFEST_ENVELOPES_MAX, TIME_SECONDS_MAX,
};
use crate::payload::require;

/// A closed list with a number on the wire and a name for people.
macro_rules! coded {
    (
        $(#[$about:meta])*
        $Name:ident as $what:literal {
            $($(#[$doc:meta])* $Variant:ident = $code:literal $text:literal,)+
        }
    ) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize_repr,
            Deserialize_repr,
        )]
        #[repr(u8)]
        pub enum $Name {
            $($(#[$doc])* $Variant = $code,)+
        }

        impl $Name {
            /// Every one, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The one with this number.
            #[must_use]
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }

            /// The name in output and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $text,)+
                }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $Name {
            type Err = DisclosureError;

            fn from_str(text: &str) -> Result<Self, DisclosureError> {
                let named = Self::ALL.iter().copied().find(|one| one.as_str() == text);
                named.ok_or(DisclosureError::Name { what: $what })
            }
        }
    };
}

coded! {
    /// Why an alert is taken back.
    WithdrawReason as "reason to withdraw" {
        /// It was wrong.
        Error = 1 "error",
        /// What it was about is over.
        Resolved = 2 "resolved",
        /// Another one takes its place.
        Superseded = 3 "superseded",
        /// This recipient is no longer to have it.
        NoLongerShared = 4 "no_longer_shared",
        /// A court or an authority ordered it.
        Ordered = 5 "ordered",
    }
}

coded! {
    /// Why an alert is disputed.
    ContestReason as "reason to contest" {
        /// Somebody else is meant.
        WrongIdentity = 1 "wrong_identity",
        /// What it says did not happen so.
        WrongFacts = 2 "wrong_facts",
        /// It should not have been made, or not been shared.
        Unlawful = 3 "unlawful",
        /// It says what another one says.
        Duplicate = 4 "duplicate",
        /// Something else; people talk about it.
        Other = 5 "other",
    }
}

coded! {
    /// How far a statement came at its recipient.
    Stage as "stage" {
        /// It is durably there.
        Delivered = 1 "delivered",
        /// An officer has seen it.
        Read = 2 "read",
        /// An officer did what was to be done.
        Acted = 3 "acted",
        /// Its content is gone for good.
        Deleted = 4 "deleted",
        /// It was not taken: no agreement covers it, or it is over already.
        Refused = 5 "refused",
    }
}

/// An alert as one recipient may see it.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Alerted {
    /// How fast somebody has to look at it.
    pub class: AlertClass,
    /// The granted fields; its id names the alert for life, its version the content.
    pub view: View,
    /// The version that this one replaces at the recipient.
    pub previous: Option<RecordVersion>,
    /// When the origin calls it overdue if nobody has read it, in Unix seconds.
    pub read_by: u64,
    /// When somebody should have acted on it, in Unix seconds.
    pub act_by: u64,
    /// When the recipient must have deleted it, in Unix seconds.
    pub expires_on: u64,
}

impl fmt::Debug for Alerted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alerted({}, [redacted])", self.class)
    }
}

impl Alerted {
    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        self.view.validate().map_err(DisclosureError::View)?;
        require(self.read_by <= self.act_by, "act_by")?;
        let is_in_order = self.act_by <= self.expires_on;
        require(is_in_order && self.expires_on <= TIME_SECONDS_MAX, "expires_on")
    }

    /// A drill is marked as one in its record too, so that neither can pass for the other.
    pub(crate) fn is_of(&self, mode: Mode) -> bool {
        match mode {
            Mode::Live => self.view.exercise == Exercise::Live,
            Mode::Exercise => self.view.exercise == Exercise::Exercise,
        }
    }
}

/// What follows an alert in the same stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Word {
    /// Which alert.
    pub alert: RecordId,
    /// Which version of it.
    pub version: RecordVersion,
    /// What is said of it.
    pub say: Say,
}

/// What a word says of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
pub enum Say {
    /// Its origin takes it back: the recipient deletes it.
    Withdrawn(WithdrawReason),
    /// Somebody disputes it.
    Contest(ContestReason),
}

impl Say {
    /// The two numbers on the wire.
    #[must_use]
    pub const fn codes(self) -> [u8; 2] {
        match self {
            Self::Withdrawn(reason) => [1, reason.code()],
            Self::Contest(reason) => [2, reason.code()],
        }
    }

    /// What these two numbers say.
    #[must_use]
    pub fn from_codes(codes: [u8; 2]) -> Option<Self> {
        match codes {
            [1, reason] => WithdrawReason::from_code(reason).map(Self::Withdrawn),
            [2, reason] => ContestReason::from_code(reason).map(Self::Contest),
            _ => None,
        }
    }
}

impl From<Say> for (u8, u8) {
    fn from(say: Say) -> Self {
        say.codes().into()
    }
}

impl TryFrom<(u8, u8)> for Say {
    type Error = DisclosureError;

    fn try_from(codes: (u8, u8)) -> Result<Self, DisclosureError> {
        Self::from_codes(codes.into()).ok_or(DisclosureError::Name { what: "word" })
    }
}

/// How far statements came, in one signature for many.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Acknowledgement {
    /// Ascending by statement and stage, none twice.
    pub items: Vec<AckItem>,
    /// A signed checkpoint of the author's log which covers every leaf that the items name.
    pub checkpoint: String,
}

/// How far one statement came.
#[derive(Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AckItem {
    /// SHA-256 of the statement's bytes.
    #[serde(with = "serde_bytes")]
    pub statement_hash: [u8; 32],
    /// How far it came.
    pub stage: Stage,
    /// When, in Unix seconds by the author's clock.
    pub at: u64,
    /// The leaf in the author's log that says so.
    pub log_index: u64,
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Acknowledgement({} items)", self.items.len())
    }
}

impl Acknowledgement {
    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        require((1..=CHECKPOINT_BYTES_MAX).contains(&self.checkpoint.len()), "checkpoint")?;
        require((1..=ACK_ITEMS_MAX).contains(&self.items.len()), "items")?;
        let names = self.items.iter().map(|item| (item.statement_hash, item.stage));
        require(names.clone().zip(names.skip(1)).all(|(one, next)| one < next), "items")?;
        require(self.items.iter().all(|item| item.at <= TIME_SECONDS_MAX), "at")
    }
}

/// What a courier carries: nothing can be left out of a parcel, added to it or put elsewhere in it.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Manifest {
    /// A random name for the parcel.
    #[serde(with = "serde_bytes")]
    pub parcel: [u8; 16],
    /// Place of the first statement of the ordered stream that it holds.
    pub first: u64,
    /// The place behind the last; equal to `first` where it holds none.
    pub next: u64,
    /// SHA-256 of every envelope, in their order.
    #[serde(with = "hashes")]
    pub envelopes: Vec<[u8; 32]>,
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({} envelopes)", self.envelopes.len())
    }
}

impl Manifest {
    pub(crate) fn validate(&self) -> Result<(), DisclosureError> {
        require(self.envelopes.len() <= MANIFEST_ENVELOPES_MAX, "envelopes")?;
        require(self.first > 0, "first")?;
        let places = self.next.checked_sub(self.first);
        let envelopes = u64::try_from(self.envelopes.len()).unwrap_or(u64::MAX);
        require(places.is_some_and(|places| places <= envelopes), "next")
    }
}

/// A list of hashes, each a byte string.
mod hashes {
    use super::{ByteArray, Bytes, Deserialize, Serialize};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(hashes: &[[u8; 32]], out: S) -> Result<S::Ok, S::Error> {
        let hashes: Vec<_> = hashes.iter().map(|hash| Bytes::new(hash)).collect();
        hashes.serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<[u8; 32]>, D::Error> {
        let hashes = Vec::<ByteArray<32>>::deserialize(from)?;
        Ok(hashes.into_iter().map(ByteArray::into_array).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_come_back() {
        for class in ContestReason::ALL {
            assert_eq!(class.as_str().parse(), Ok(*class));
            assert_eq!(ContestReason::from_code(class.code()), Some(*class));
        }
        assert_eq!(ContestReason::from_code(0), None);
        let refused = "Other".parse::<ContestReason>().unwrap_err();
        assert_eq!(refused.to_string(), "not a reason to contest");
        let says = WithdrawReason::ALL.iter().map(|reason| Say::Withdrawn(*reason));
        let says = says.chain(ContestReason::ALL.iter().map(|reason| Say::Contest(*reason)));
        for say in says {
            assert_eq!(Say::from_codes(say.codes()), Some(say));
        }
        for codes in [[0, 1], [1, 0], [1, 6], [2, 0], [2, 6], [3, 1]] {
            assert_eq!(Say::from_codes(codes), None, "{codes:?}");
        }
    }
}
