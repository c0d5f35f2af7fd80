//! What a bundle does not hold, and why: named by the maker, and compared with what is lacking.
//!
//! Implements spec/evidence.md#left-out.

use std::collections::BTreeSet;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::contents::Contents;
use crate::entry::Event;
use crate::reason::{Reason, Refused, require};
use crate::statement::Payload;
use crate::words::{hex, uuid};

/// One thing that is left out.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize_tuple, Deserialize_tuple,
)]
pub struct LeftOut {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// Of which document, or how many.
    pub about: String,
}

impl LeftOut {
    /// One thing that is left out; codes as in spec/evidence.md#left-out.
    #[must_use]
    pub fn new(what: &str, why: &str, about: impl Into<String>) -> LeftOut {
        LeftOut { what: what.to_owned(), why: why.to_owned(), about: about.into() }
    }

    /// What and why in words, if the codes are known.
    pub(crate) fn words(&self) -> Option<(&'static str, &'static str)> {
        let known = KNOWN.iter().find(|known| (known.what, known.why) == (&self.what, &self.why));
        known.map(|known| (known.what_words, known.why_words))
    }
}

struct Known {
    what: &'static str,
    why: &'static str,
    what_words: &'static str,
    why_words: &'static str,
    /// Whether contents tell that it is lacking; the others are the maker's word.
    follows: bool,
}

const fn known(
    (what, what_words): (&'static str, &'static str),
    (why, why_words): (&'static str, &'static str),
    follows: bool,
) -> Known {
    Known { what, why, what_words, why_words, follows }
}

const NOT_KEPT: (&str, &str) = ("not_kept", "the maker no longer has it");

const KNOWN: [Known; 14] = [
    known(
        ("other_entries", "entries of the maker's log"),
        ("other_business", "they are of other business and are nobody's but the maker's"),
        true,
    ),
    known(
        ("query_contents", "what a query asked about"),
        ("not_asked_for", "it was not asked for"),
        true,
    ),
    known(
        ("query_contents", "what a query asked about"),
        ("other_identifiers", "the query also asked about identifiers of other cases"),
        true,
    ),
    known(("query_contents", "what a query asked about"), NOT_KEPT, true),
    known(
        ("policy_text", "the text of a policy"),
        ("stays_home", "policies stay at home; the digest is here"),
        true,
    ),
    known(("receipt", "the receipt for a statement"), ("not_received", "the maker has none"), true),
    known(
        ("receipt", "the receipt for a statement"),
        ("in_account", "the partner gave it in an account that also names other business"),
        true,
    ),
    known(("epoch_card", "the epoch card of a disclosure"), NOT_KEPT, true),
    known(("confirm", "the question of an answer"), NOT_KEPT, true),
    known(("agreement", "the agreement over a statement"), NOT_KEPT, true),
    known(
        ("opening", "the entry of a statement in the maker's log"),
        ("erased", "it was erased when its time was over"),
        true,
    ),
    known(
        ("query", "the query that led here"),
        ("other_case", "it was asked in another case"),
        false,
    ),
    known(("query", "the query that led here"), NOT_KEPT, false),
    known(
        ("statement", "a statement of the matter"),
        ("card_not_kept", "the maker no longer has the sender's card of that time"),
        false,
    ),
];

/// What the contents lack, each with the reason that is given where the maker names no other.
pub(crate) fn lacking(contents: &Contents) -> Vec<LeftOut> {
    let mut lacking = BTreeSet::new();
    let mut add = |what, why, about: String| lacking.insert(LeftOut::new(what, why, about));
    let others = contents.checkpoint.size - contents.openings.len() as u64;
    if others > 0 {
        add("other_entries", "other_business", others.to_string());
    }
    for opening in &contents.openings {
        let is_query = matches!(opening.entry.event, Event::Query(_));
        if is_query && contents.private_of(opening.index).is_none() {
            add("query_contents", "not_asked_for", opening.index.to_string());
        }
    }
    for statement in &contents.statements {
        let id = uuid(&statement.id);
        if let Some(digest) = statement.policy_digest {
            add("policy_text", "stays_home", hex(digest));
        }
        if contents.index_of(statement).is_none() {
            add("opening", "erased", id.clone());
        }
        if statement.is_receipt() {
            continue;
        }
        if contents.receipt_for(statement).is_none() && contents.answer_to(statement).is_none() {
            add("receipt", "not_received", id.clone());
        }
        if contents.agreement_over(statement).is_none() {
            add("agreement", "not_kept", id.clone());
        }
        let question = contents.question_of(statement);
        if statement.in_reply_to().is_some() && question.is_none() {
            add("confirm", "not_kept", id.clone());
        }
        if let Payload::Disclosure(disclosure) = &statement.payload
            && disclosure.opening.is_some()
            && question.and_then(|question| contents.epoch_card_of(question)).is_none()
        {
            add("epoch_card", "not_kept", id);
        }
    }
    lacking.into_iter().collect()
}

/// Whether the manifest names everything that is lacking, and nothing that is not.
pub(crate) fn check(named: &[LeftOut], contents: &Contents) -> Result<(), Refused> {
    const PART: &str = "manifest, left out";
    let lacking = lacking(contents);
    let is_same =
        |one: &LeftOut, other: &LeftOut| (&one.what, &one.about) == (&other.what, &other.about);
    for left_out in &lacking {
        let is_named = named.iter().any(|named| is_same(named, left_out));
        require(is_named, Reason::LeftOutLacks, PART)?;
    }
    for left_out in named {
        let known =
            KNOWN.iter().find(|known| (known.what, known.why) == (&left_out.what, &left_out.why));
        let is_true = known.is_some_and(|known| {
            !known.follows || lacking.iter().any(|lacking| is_same(lacking, left_out))
        });
        let is_once = named.iter().filter(|other| is_same(other, left_out)).count() == 1;
        require(is_true && is_once, Reason::LeftOutFalse, PART)?;
    }
    Ok(())
}
