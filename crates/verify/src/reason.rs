//! Why a bundle is refused: one code for each rule, with its exit code and its sentence.
//!
//! Implements spec/evidence.md#reasons.
//!
//! Invariant: a refusal names the first rule that the bundle breaks, and quotes nothing of it.

use std::fmt;

/// What the program ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The result could not be written.
    Internal = 1,
    /// The command line or the file is not usable.
    Invalid = 2,
    /// This is no bundle of a form that is read here.
    Form = 3,
    /// The bundle holds, but it is not signed by the roots that were expected.
    Root = 4,
    /// A check does not hold.
    Check = 6,
}

macro_rules! reasons {
    ($($name:ident $code:literal $exit:ident $words:literal;)+) => {
        /// A rule that a bundle breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $words] $name,)+
        }

        impl Reason {
            /// Every reason, in the order in which the rules are checked.
            pub const ALL: &[Reason] = &[$(Reason::$name,)+];

            /// The code, for programs.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What the program ends with.
            #[must_use]
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)+ }
            }

            /// The rule that is broken, in words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }
        }
    };
}

reasons! {
    TooLarge "too_large" Form "it is larger than a bundle may be";
    Truncated "truncated" Form "it ends before it is complete";
    Trailing "trailing" Form "something follows its end";
    Malformed "malformed" Form "it is not written as a bundle is";
    Version "version" Form "it is of a version that is not known here";
    ItemsOrder "items_order" Check "items are out of order or stand there twice";
    ItemAltered "item_altered" Check "an item is not the one that the manifest names";
    ItemMissing "item_missing" Check "the manifest names an item that is not there";
    ItemUnnamed "item_unnamed" Check "there is an item that the manifest does not name";
    CardSignature "card_signature" Check "a card is not signed by both keys of its root";
    CardLog "card_log" Check "the log keys on a card are not those of its node";
    CardSequence "card_sequence" Check "a root signed two cards with one sequence";
    BuilderCard "builder_card" Check "the card of the node that made the bundle is missing";
    BuilderCardTime "builder_card_time" Check "the card of the maker was not valid when it was made";
    ManifestSignature "manifest_signature" Check "the manifest is not signed by both keys of the maker";
    AgreementCard "agreement_card" Check "a party to the agreement has no card here";
    AgreementSignature "agreement_signature" Check "the agreement is not signed by both parties' roots";
    StatementNode "statement_node" Check "a statement is neither by nor to the maker of the bundle";
    StatementCard "statement_card" Check "a sender or recipient has no card here";
    StatementCardTime "statement_card_time" Check "no card of the sender was valid when it made the statement";
    StatementSignature "statement_signature" Check "a statement is not signed by both keys on the sender's card";
    StatementRepeated "statement_repeated" Check "two statements have one id";
    StatementTime "statement_time" Check "a statement was made after the bundle";
    StatementKind "statement_kind" Check "a statement is of a kind that has no place in a bundle";
    StatementMode "statement_mode" Check "statements of a drill and real ones are mixed";
    AlertSubject "alert_subject" Check "a statement is not of the alert that the bundle is about";
    AlertParties "alert_parties" Check "what is said of the alert is not between its origin and one other node";
    AgreementTerms "agreement_terms" Check "the agreement does not allow this purpose or class";
    AgreementTime "agreement_time" Check "the agreement was in force for no statement here";
    ReplyParties "reply_parties" Check "an answer is not between the parties of its question";
    ReplyTime "reply_time" Check "an answer was made before its question";
    OpeningRecord "opening_record" Check "a disclosure does not open the record that it shows";
    EpochCardSignature "epoch_card_signature" Check "an epoch card is not signed by both keys of its holder";
    CommitmentOpening "commitment_opening" Check "a disclosed record did not stand behind the tag";
    CheckpointCount "checkpoint_count" Check "there is not exactly one checkpoint";
    CheckpointOrigin "checkpoint_origin" Check "the checkpoint is of another log";
    CheckpointSignature "checkpoint_signature" Check "the checkpoint is not signed by both log keys of the maker";
    Cosignature "cosignature" Check "a cosignature by a node whose card is here is false";
    CosignatureTime "cosignature_time" Check "a cosignature is dated after the bundle";
    Inclusion "inclusion" Check "an entry is not at its place in the tree of the checkpoint";
    OpeningRepeated "opening_repeated" Check "two openings are of one leaf";
    OpeningForeign "opening_foreign" Check "an entry concerns nothing that is in the bundle";
    OpeningMismatch "opening_mismatch" Check "an entry says other than the document that it names";
    TimeOrder "time_order" Check "times are not in the order in which things happen";
    ReceiptForeign "receipt_foreign" Check "a receipt is for a statement that is not here";
    ReceiptParties "receipt_parties" Check "a receipt is not by the recipient of the statement";
    ReceiptOrigin "receipt_origin" Check "the checkpoint in a receipt is of another log";
    ReceiptCheckpoint "receipt_checkpoint" Check "the checkpoint in a receipt is not signed by its log";
    ReceiptIndex "receipt_index" Check "a receipt names a leaf that its checkpoint does not cover or that is another's";
    AcknowledgementForeign "acknowledgement_foreign" Check "an acknowledgement is for no statement of the alert";
    AcknowledgementParties "acknowledgement_parties" Check "an acknowledgement is not by its statement's recipient";
    AcknowledgementCheckpoint "acknowledgement_checkpoint" Check "an acknowledgement shows no checkpoint of its log";
    AcknowledgementIndex "acknowledgement_index" Check "an acknowledged leaf is not covered or says otherwise";
    Consistency "consistency" Check "the log does not continue the one that an earlier receipt showed";
    PrivatePart "private_part" Check "the contents of a query are not those that were committed to";
    ItemUnneeded "item_unneeded" Check "an item belongs to nothing in the bundle";
    LeftOutLacks "left_out_lacks" Check "something is missing and not named as left out";
    LeftOutFalse "left_out_false" Check "something is named as left out that is there, or unknown";
    IndexAltered "index_altered" Check "the index is not what the contents say";
    RootUnexpected "root_unexpected" Root "a node has another root than was expected";
    RootAbsent "root_absent" Root "an expected root is not among the nodes here";
}

/// A bundle that is refused, with the rule that it breaks and the part that breaks it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    reason: Reason,
    part: String,
}

impl Refused {
    /// A refusal; `part` names the part by kind and number, never by what stands in it.
    pub(crate) fn new(reason: Reason, part: impl Into<String>) -> Refused {
        Refused { reason, part: part.into() }
    }

    /// The rule.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The part of the bundle.
    #[must_use]
    pub fn part(&self) -> &str {
        &self.part
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason.words(), self.part)
    }
}

/// As [`Refused::new`], where nothing else is to be said.
pub(crate) fn require(holds: bool, reason: Reason, part: &str) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused::new(reason, part)) }
}
