//! What a bundle does not hold, and why: named by the maker, and compared with what is lacking.
//!
//! Implements spec/evidence.md#left-out.

use std::collections::BTreeSet;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::contents::Contents;
use crate::entry::Event;
use crate::reason::{Reason, Refused, require};
use crate::statement::{Payload, Statement};
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

const OTHER_BUSINESS: (&str, &str) =
    ("other_business", "they are of other business and are nobody's but the maker's");
const STATEMENT: (&str, &str) = ("statement", "a statement of the matter");
const ACKNOWLEDGEMENT: (&str, &str) = ("acknowledgement", "the acknowledgement of a statement");

const KNOWN: [Known; 23] = [
    known(("other_entries", "entries of the maker's log"), OTHER_BUSINESS, true),
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
        STATEMENT,
        ("card_not_kept", "the maker no longer has the sender's card of that time"),
        false,
    ),
    known(STATEMENT, ("erased", "it was erased when its time was over"), true),
    known(STATEMENT, NOT_KEPT, true),
    known(("version", "an earlier version of the alert"), NOT_KEPT, true),
    known(ACKNOWLEDGEMENT, ("not_received", "the maker has none"), true),
    known(
        ACKNOWLEDGEMENT,
        ("with_others", "the only one also speaks of other alerts and was not asked for"),
        true,
    ),
    known(
        ("shared_acknowledgement", "an acknowledgement that also speaks of other alerts"),
        ("not_asked_for", "it was not asked for"),
        false,
    ),
    known(
        ("unsound_acknowledgement", "an acknowledgement that does not hold"),
        ("not_sound", "its parties, times, leaves or checkpoint do not fit"),
        false,
    ),
    known(
        ("alert_entries", "what the maker's log says became of the alert"),
        ("not_asked_for", "it was not asked for"),
        false,
    ),
    known(
        ("alert_entries", "what the maker's log says became of the alert"),
        ("same_id", "another alert has the same id there"),
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
        if statement.is_confirmation() {
            continue;
        }
        if matches!(statement.payload, Payload::Alert(_) | Payload::Word(_)) {
            if !contents.matter.is_acknowledged(statement) {
                add("acknowledgement", "not_received", id.clone());
            }
        } else if contents.receipt_for(statement).is_none()
            && contents.answer_to(statement).is_none()
        {
            add("receipt", "not_received", id.clone());
        }
        if let Payload::Alert(alerted) = &statement.payload
            && let Some(previous) = alerted.previous
            && !contents.shows_version(&previous)
        {
            add("version", "not_kept", hex(*previous));
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
    for (hash, _) in contents.matter.gone() {
        add("statement", "erased", hex(hash));
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
            // What the maker alone says of a statement is not said of one that is here.
            let is_here = |one: &Statement| left_out.about.starts_with(&uuid(&one.id));
            !known.follows && !contents.statements.iter().any(is_here)
                || lacking.iter().any(|lacking| is_same(lacking, left_out))
        });
        let is_once = named.iter().filter(|other| is_same(other, left_out)).count() == 1;
        require(is_true && is_once, Reason::LeftOutFalse, PART)?;
    }
    Ok(())
}
