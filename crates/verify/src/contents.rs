//! What is in a bundle, read and checked document by document: cards, agreements, statements.
//!
//! Implements spec/evidence.md#checks.
//!
//! Invariant: [`Contents`] exists only where every signature, proof and relation in it holds.

use std::collections::BTreeSet;

use crate::alert::{Matter, Mode};
use crate::bundle::{Item, ItemKind, kinds_known, of_kind};
use crate::document::{Agreement, Card, EpochCard};
use crate::entry::{Opening, Private};
use crate::key::NodeId;
use crate::limits::{CARDS_MAX, CLOCK_SKEW_SECONDS_MAX};
use crate::log::{self, Seen};
use crate::reason::{Reason, Refused, require};
use crate::statement::{Payload, Statement};
use crate::their_leaf::TheirLeaf;

/// Who made the bundle, and when.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    pub(crate) node: NodeId,
    pub(crate) built_at: u64,
    /// The alert that the bundle is about, if it is about one.
    pub(crate) alert: Option<[u8; 16]>,
}

/// Everything in a bundle, checked.
pub(crate) struct Contents {
    pub(crate) maker: Maker,
    pub(crate) cards: Vec<Card>,
    pub(crate) agreements: Vec<Agreement>,
    pub(crate) epoch_cards: Vec<EpochCard>,
    /// By time of making, then id.
    pub(crate) statements: Vec<Statement>,
    pub(crate) checkpoint: Seen,
    /// By index.
    pub(crate) openings: Vec<Opening>,
    pub(crate) privates: Vec<Private>,
    /// Hashes of statements of the alert that entries of the maker say were deleted.
    pub(crate) deleted: BTreeSet<[u8; 32]>,
    /// The statements of the alert, here or named by the log.
    pub(crate) matter: Matter,
    /// What the partner opened of its log.
    pub(crate) their_leaves: Vec<TheirLeaf>,
}

/// The cards, each signed by its root.
pub(crate) fn cards(items: &[Item]) -> Result<Vec<Card>, Refused> {
    kinds_known(items)?;
    let mut cards: Vec<Card> = Vec::new();
    let is_bounded = of_kind(items, ItemKind::Card).count() <= CARDS_MAX;
    require(is_bounded, Reason::TooLarge, "cards")?;
    for (part, bytes) in of_kind(items, ItemKind::Card) {
        let card = Card::read(bytes, &part)?;
        let is_twin = |held: &Card| (held.node, held.sequence) == (card.node, card.sequence);
        // The items ascend, so the bytes differ: two signatures over one card are one card.
        let is_rival = cards.iter().any(|held| is_twin(held) && held.digest != card.digest);
        require(!is_rival, Reason::CardSequence, &part)?;
        cards.push(card);
    }
    cards.sort_by_key(|card| (card.node, card.sequence));
    Ok(cards)
}

impl Contents {
    pub(crate) fn read(
        items: &[Item],
        cards: Vec<Card>,
        maker: Maker,
    ) -> Result<Contents, Refused> {
        let agreements = agreements(items, &cards)?;
        let statements = statements(items, &cards, maker)?;
        let epoch_cards = epoch_cards(items, &cards)?;
        let mut contents = Contents {
            maker,
            cards,
            agreements,
            epoch_cards,
            statements,
            checkpoint: Seen::default(),
            openings: Vec::new(),
            privates: Vec::new(),
            deleted: BTreeSet::new(),
            matter: Matter::default(),
            their_leaves: Vec::new(),
        };
        contents.check_alerts()?;
        contents.check_agreements(items)?;
        contents.check_replies()?;
        contents.check_epoch_cards(items)?;
        log::read(&mut contents, items)?;
        contents.check_needed()?;
        Ok(contents)
    }

    /// The newest card of a node.
    pub(crate) fn card_of(&self, node: NodeId) -> Option<&Card> {
        self.cards.iter().rev().find(|card| card.node == node)
    }

    pub(crate) fn statement(&self, hash: &[u8; 32]) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.hash == *hash)
    }

    pub(crate) fn question_of(&self, statement: &Statement) -> Option<&Statement> {
        let id = statement.in_reply_to()?;
        self.statements.iter().find(|question| question.id == id)
    }

    pub(crate) fn answer_to(&self, question: &Statement) -> Option<&Statement> {
        self.statements.iter().find(|answer| answer.in_reply_to() == Some(question.id))
    }

    pub(crate) fn receipt_for(&self, statement: &Statement) -> Option<&Statement> {
        self.statements.iter().find(|receipt| match &receipt.payload {
            Payload::Receipt(receipt) => *receipt.statement_hash == statement.hash,
            _ => false,
        })
    }

    pub(crate) fn private_of(&self, index: u64) -> Option<&Private> {
        self.privates.iter().find(|private| private.index == index)
    }

    /// The epoch card under which a confirm was made.
    pub(crate) fn epoch_card_of(&self, confirm: &Statement) -> Option<&EpochCard> {
        let Payload::Confirm(said) = &confirm.payload else { return None };
        self.epoch_cards.iter().find(|card| {
            (card.asker, card.holder) == (confirm.from, confirm.to)
                && (&card.class, card.epoch, card.serial) == (&said.class, said.epoch, said.serial)
        })
    }

    /// The agreement that was in force between the parties when a statement was made.
    pub(crate) fn agreement_over(&self, statement: &Statement) -> Option<&Agreement> {
        self.agreements.iter().find(|agreement| {
            agreement.is_between(statement.from, statement.to)
                && agreement.span.covers(statement.created)
        })
    }

    fn check_agreements(&self, items: &[Item]) -> Result<(), Refused> {
        let asked = || self.statements.iter().filter(|statement| !statement.is_confirmation());
        for ((part, _), agreement) in of_kind(items, ItemKind::Agreement).zip(&self.agreements) {
            let mut between = asked()
                .filter(|statement| agreement.is_between(statement.from, statement.to))
                .peekable();
            require(between.peek().is_some(), Reason::ItemUnneeded, &part)?;
            let is_used = between.any(|statement| agreement.span.covers(statement.created));
            require(is_used, Reason::AgreementTime, &part)?;
        }
        for statement in asked() {
            let Some(agreement) = self.agreement_over(statement) else { continue };
            let is_allowed = match &statement.payload {
                Payload::Confirm(confirm) => {
                    agreement.purposes.contains(&confirm.purpose)
                        && agreement.classes.iter().any(|(class, _)| *class == confirm.class)
                }
                Payload::Disclosure(disclosure) => {
                    let view = &disclosure.view;
                    let is_kind = |kind| agreement.kinds.contains(kind);
                    view.exercise == agreement.mode && view.kind.as_ref().is_none_or(is_kind)
                }
                Payload::Alert(alerted) => {
                    let is_kind = |kind| agreement.kinds.contains(kind);
                    alerted.view.kind.as_ref().is_none_or(is_kind)
                }
                _ => true,
            };
            let is_allowed = is_allowed && agreement.mode == statement.mode.as_str();
            require(is_allowed, Reason::AgreementTerms, statement.payload.name())?;
        }
        Ok(())
    }

    fn check_replies(&self) -> Result<(), Refused> {
        for answer in &self.statements {
            let Some(question) = self.question_of(answer) else { continue };
            let name = answer.payload.name();
            let is_theirs = (question.from, question.to) == (answer.to, answer.from);
            let is_question = matches!(question.payload, Payload::Confirm(_));
            require(is_theirs && is_question, Reason::ReplyParties, name)?;
            let is_later = question.created <= later(answer.created);
            require(is_later, Reason::ReplyTime, name)?;
        }
        Ok(())
    }

    fn check_epoch_cards(&self, items: &[Item]) -> Result<(), Refused> {
        for ((part, _), card) in of_kind(items, ItemKind::EpochCard).zip(&self.epoch_cards) {
            let mut confirms = self.statements.iter().filter(|confirm| {
                self.epoch_card_of(confirm).is_some_and(|found| found.digest == card.digest)
            });
            let confirm = confirms.next();
            let confirm = confirm.ok_or_else(|| Refused::new(Reason::ItemUnneeded, &part))?;
            let is_earlier = card.span.from <= later(confirm.created);
            require(is_earlier, Reason::TimeOrder, &part)?;
        }
        for answer in &self.statements {
            if let Payload::Disclosure(disclosure) = &answer.payload
                && let Some(opening) = &disclosure.opening
                && let Some(question) = self.question_of(answer)
                && let Payload::Confirm(confirm) = &question.payload
                && let Some(card) = self.epoch_card_of(question)
            {
                let opens = opening.opens(&confirm.tag, card);
                require(opens, Reason::CommitmentOpening, "disclosure")?;
            }
        }
        Ok(())
    }

    /// "Every card is of a node that takes part."
    fn check_needed(&self) -> Result<(), Refused> {
        let parties = self.statements.iter().flat_map(|statement| [statement.from, statement.to]);
        let agreed = self.agreements.iter().flat_map(|agreement| agreement.parties);
        let cosigners = self.checkpoint.cosigned.iter().map(|(node, _)| *node);
        let mut needed: BTreeSet<NodeId> = parties.chain(agreed).chain(cosigners).collect();
        needed.insert(self.maker.node);
        let are_needed = self.cards.iter().all(|card| needed.contains(&card.node));
        require(are_needed, Reason::ItemUnneeded, "card")
    }
}

/// A time by another's clock, as late as it may be by one's own.
pub(crate) const fn later(time: u64) -> u64 {
    time.saturating_add(CLOCK_SKEW_SECONDS_MAX)
}

fn agreements(items: &[Item], cards: &[Card]) -> Result<Vec<Agreement>, Refused> {
    let read = |(part, bytes): (String, &[u8])| Agreement::read(bytes, cards, &part);
    of_kind(items, ItemKind::Agreement).map(read).collect()
}

fn epoch_cards(items: &[Item], cards: &[Card]) -> Result<Vec<EpochCard>, Refused> {
    let read = |(part, bytes): (String, &[u8])| EpochCard::read(bytes, cards, &part);
    of_kind(items, ItemKind::EpochCard).map(read).collect()
}

fn statements(items: &[Item], cards: &[Card], maker: Maker) -> Result<Vec<Statement>, Refused> {
    let mut statements: Vec<Statement> = Vec::new();
    for (part, bytes) in of_kind(items, ItemKind::Statement) {
        let mut statement = Statement::read(bytes, &part)?;
        let is_makers = [statement.from, statement.to].contains(&maker.node);
        require(is_makers, Reason::StatementNode, &part)?;
        let is_known = |node| cards.iter().any(|card: &Card| card.node == node);
        let are_known = is_known(statement.from) && is_known(statement.to);
        require(are_known, Reason::StatementCard, &part)?;
        let then: Vec<&Card> = cards
            .iter()
            .filter(|card| card.node == statement.from && card.span.covers(statement.created))
            .collect();
        require(!then.is_empty(), Reason::StatementCardTime, &part)?;
        let signed = &statement.signed;
        let mut keys: Vec<_> = then.iter().map(|card| &card.signing).collect();
        // A card is renewed every week with the same signing key: each key is tried once.
        keys.dedup_by(|one, other| one == other);
        let signatures = signed.signatures();
        let is_signed = |mode: &Mode| {
            keys.iter().any(|key| key.signed(mode.label(), &signed.bytes, &signatures))
        };
        let mode = statement.modes().iter().copied().find(is_signed);
        statement.mode = mode.ok_or_else(|| Refused::new(Reason::StatementSignature, &part))?;
        let is_new = statements.iter().all(|other| other.id != statement.id);
        require(is_new, Reason::StatementRepeated, &part)?;
        let is_past = statement.created <= later(maker.built_at);
        require(is_past, Reason::StatementTime, &part)?;
        statements.push(statement);
    }
    statements.sort_by_key(|statement| (statement.created, statement.id));
    Ok(statements)
}
