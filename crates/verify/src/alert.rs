//! What is said of an alert: the alert itself, words on it, and how far each came; and that a
//! bundle about one alert shows nothing of another, nor who else was told.
//!
//! Implements spec/envelope.md#alerts and spec/evidence.md#alerts.

use std::collections::BTreeMap;

use serde_bytes::ByteArray;
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_tlog::{Hash, SignedCheckpoint};

use crate::contents::{Contents, later};
use crate::document::Card;
use crate::entry::{DeletedEvent, DisclosedEvent, Event, Opening};
use crate::key::NodeId;
use crate::label;
use crate::limits::{ACK_ITEMS_MAX, CHECKPOINT_BYTES_MAX, TIME_SECONDS_MAX};
use crate::reason::{Reason, Refused, require};
use crate::statement::{Payload, Statement};
use crate::view::View;

/// Whether what was said is real or of a drill; each is signed under a label of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Real.
    Live,
    /// Of a drill.
    Exercise,
}

impl Mode {
    /// The name in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Exercise => "exercise",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Mode> {
        [Self::Live, Self::Exercise].into_iter().find(|mode| mode.as_str() == name)
    }

    /// The label under the signatures over a statement.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Live => label::STATEMENT,
            Self::Exercise => label::EXERCISE_STATEMENT,
        }
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Alerted {
    class: u8,
    pub(crate) view: View,
    /// The version that this one replaces at the recipient.
    pub(crate) previous: Option<ByteArray<32>>,
    pub(crate) read_by: u64,
    pub(crate) act_by: u64,
    pub(crate) expires_on: u64,
}

impl Alerted {
    pub(crate) fn is_well_formed(&self) -> bool {
        (1..=3).contains(&self.class)
            && Mode::from_name(&self.view.exercise).is_some()
            && self.read_by <= self.act_by
            && self.act_by <= self.expires_on
            && self.expires_on <= TIME_SECONDS_MAX
    }

    pub(crate) const fn class(&self) -> &'static str {
        match self.class {
            1 => "flash",
            2 => "urgent",
            _ => "routine",
        }
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Word {
    pub(crate) alert: ByteArray<16>,
    pub(crate) version: ByteArray<32>,
    say: (u8, u8),
}

impl Word {
    pub(crate) fn is_well_formed(&self) -> bool {
        (1..=2).contains(&self.say.0) && (1..=5).contains(&self.say.1)
    }

    pub(crate) const fn is_withdrawal(&self) -> bool {
        self.say.0 == 1
    }

    pub(crate) const fn says(&self) -> &'static str {
        match self.say {
            (1, 1) => "withdrawn: it was wrong",
            (1, 2) => "withdrawn: what it was about is over",
            (1, 3) => "withdrawn: another one takes its place",
            (1, 4) => "withdrawn: no longer shared with this recipient",
            (1, _) => "withdrawn: a court or an authority ordered it",
            (_, 1) => "contested: somebody else is meant",
            (_, 2) => "contested: what it says did not happen so",
            (_, 3) => "contested: it should not have been made or shared",
            (_, 4) => "contested: another one says the same",
            (_, _) => "contested: for another reason",
        }
    }
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Acknowledgement {
    pub(crate) items: Vec<AckItem>,
    checkpoint: String,
}

#[derive(Serialize_tuple, Deserialize_tuple)]
pub(crate) struct AckItem {
    pub(crate) statement_hash: ByteArray<32>,
    stage: u8,
    pub(crate) at: u64,
    pub(crate) log_index: u64,
}

/// How far a statement came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Delivered,
    Read,
    Acted,
    Deleted,
    Refused,
}

impl Stage {
    pub(crate) const ALL: [Stage; 5] =
        [Self::Delivered, Self::Read, Self::Acted, Self::Deleted, Self::Refused];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Acted => "acted",
            Self::Deleted => "deleted",
            Self::Refused => "refused",
        }
    }
}

impl AckItem {
    pub(crate) const fn stage(&self) -> Stage {
        match self.stage {
            1 => Stage::Delivered,
            2 => Stage::Read,
            3 => Stage::Acted,
            4 => Stage::Deleted,
            _ => Stage::Refused,
        }
    }
}

impl Acknowledgement {
    pub(crate) fn is_well_formed(&self) -> bool {
        let name = |item: &AckItem| (item.statement_hash, item.stage);
        (1..=ACK_ITEMS_MAX).contains(&self.items.len())
            && (1..=CHECKPOINT_BYTES_MAX).contains(&self.checkpoint.len())
            && self.items.is_sorted_by(|one, next| name(one) < name(next))
            && self
                .items
                .iter()
                .all(|item| (1..=5).contains(&item.stage) && item.at <= TIME_SECONDS_MAX)
    }
}

/// What is known of one statement of the alert.
#[derive(Default)]
pub(crate) struct Known {
    /// Its place among the statements here; none where the log alone names it.
    statement: Option<usize>,
    /// The version that it held, as far as the log says so.
    pub(crate) version: Option<[u8; 32]>,
    /// Where the maker's log has it first.
    index: Option<u64>,
    is_acknowledged: bool,
}

/// The statements of the alert, by their hashes: those that are here, and those that entries of
/// the maker's log name.
#[derive(Default)]
pub(crate) struct Matter(BTreeMap<[u8; 32], Known>);

impl Matter {
    /// Of contents whose entries were read.
    pub(crate) fn of(contents: &Contents) -> Matter {
        let mut matter = Matter::default();
        if contents.maker.alert.is_none() {
            return matter;
        }
        for (place, statement) in contents.statements.iter().enumerate() {
            if matches!(statement.payload, Payload::Alert(_) | Payload::Word(_)) {
                matter.0.entry(statement.hash).or_default().statement = Some(place);
            }
        }
        for opening in &contents.openings {
            match &opening.entry.event {
                Event::Disclosed(event) if event.kind == 7 => {
                    let known = matter.0.entry(*event.statement_hash).or_default();
                    known.version = event.version.map(|version| *version);
                }
                // Zeros stand for one that never left.
                Event::Deleted(event) if *event.statement_hash != [0; 32] => {
                    let _known = matter.0.entry(*event.statement_hash).or_default();
                }
                _ => {}
            }
            let named = crate::log::names(&opening.entry.event);
            if let Some(known) = named.and_then(|hash| matter.0.get_mut(&hash)) {
                known.index.get_or_insert(opening.index);
            }
        }
        for statement in &contents.statements {
            let Payload::Acknowledgement(said) = &statement.payload else { continue };
            for item in &said.items {
                if let Some(known) = matter.0.get_mut(&*item.statement_hash) {
                    known.is_acknowledged = true;
                }
            }
        }
        matter
    }

    /// The statements of the alert that the log names and that are not here.
    pub(crate) fn gone(&self) -> impl Iterator<Item = (&[u8; 32], &Known)> {
        self.0.iter().filter(|(_, known)| known.statement.is_none())
    }

    pub(crate) fn is_acknowledged(&self, statement: &Statement) -> bool {
        self.0.get(&statement.hash).is_some_and(|known| known.is_acknowledged)
    }

    /// What an acknowledgement says of these statements.
    pub(crate) fn items_of<'a>(
        &'a self,
        said: &'a Acknowledgement,
    ) -> impl Iterator<Item = (&'a AckItem, &'a Known)> {
        said.items.iter().filter_map(|item| Some((item, self.0.get(&*item.statement_hash)?)))
    }
}

impl Contents {
    /// The mode of everything that is said here.
    pub(crate) fn mode(&self) -> Mode {
        self.statements.first().map_or(Mode::Live, |statement| statement.mode)
    }

    /// "All statements are live, or all of a drill", and of the alert that the bundle is about.
    pub(crate) fn check_alerts(&self) -> Result<(), Refused> {
        for statement in &self.statements {
            let name = statement.payload.name();
            require(statement.mode == self.mode(), Reason::StatementMode, name)?;
            let alert = match &statement.payload {
                Payload::Alert(alerted) => Some(Some(*alerted.view.id)),
                Payload::Word(word) => Some(Some(*word.alert)),
                Payload::Acknowledgement(_) => Some(None),
                _ => None,
            };
            let is_its = match (alert, self.maker.alert) {
                (Some(Some(alert)), Some(subject)) => alert == subject,
                (Some(None), Some(_)) | (None, None) => true,
                _ => false,
            };
            require(is_its, Reason::AlertSubject, name)?;
            if self.maker.alert.is_some() {
                let is_between = self.other() == Some(self.other_of(statement));
                let is_allowed =
                    !is_by_origin(&statement.payload) || self.origin() == Some(statement.from);
                require(is_between && is_allowed, Reason::AlertParties, name)?;
            }
        }
        Ok(())
    }

    fn other_of(&self, statement: &Statement) -> NodeId {
        if statement.from == self.maker.node { statement.to } else { statement.from }
    }

    /// The one node that a bundle about an alert is with.
    fn other(&self) -> Option<NodeId> {
        self.statements.first().map(|statement| self.other_of(statement))
    }

    /// Whose alert it is, as far as anything here says so.
    pub(crate) fn origin(&self) -> Option<NodeId> {
        let mut said = self.statements.iter().filter(|one| is_by_origin(&one.payload));
        let said = said.next().map(|one| one.from);
        said.or_else(|| self.openings.iter().find_map(|opening| self.origin_by(opening)))
    }

    /// The same as one entry has it.
    fn origin_by(&self, opening: &Opening) -> Option<NodeId> {
        match &opening.entry.event {
            Event::Disclosed(event) if event.kind == 7 => Some(self.maker.node),
            Event::Deleted(event) => Some(event.origin),
            _ => None,
        }
    }

    /// Whether a statement that is not here is one of the alert, by an entry of the one who sent
    /// it.
    pub(crate) fn sent_relation(&self, event: &DisclosedEvent) -> Result<(), Reason> {
        let subject = self.maker.alert.map(ByteArray::new);
        if event.kind != 7 || subject.is_none() || event.record != subject {
            return Err(Reason::OpeningForeign);
        }
        let is_own = self.origin().is_none_or(|origin| origin == self.maker.node);
        same(self.other() == Some(event.partner) && is_own)
    }

    /// The same by an entry of the one who got it: its hash is that which was deleted.
    pub(crate) fn got_relation(
        &self,
        hash: &[u8; 32],
        partner: NodeId,
        kind: u8,
    ) -> Result<(), Reason> {
        if kind != 7 || !self.deleted.contains(hash) {
            return Err(Reason::OpeningForeign);
        }
        same(self.other() == Some(partner))
    }

    /// Whether an entry on an alert is about the one of the bundle.
    pub(crate) fn alert_relation(&self, event: &Event) -> Result<(), Reason> {
        let (alert, mode, is_true) = match event {
            Event::Alert(event) => (*event.alert, &event.mode, event.mode == Mode::Live.as_str()),
            Event::Exercise(event) => {
                (*event.alert, &event.mode, event.mode == Mode::Exercise.as_str())
            }
            Event::Deleted(event) => (*event.alert, &event.mode, self.is_origin(event)),
            _ => return Err(Reason::OpeningForeign),
        };
        if self.maker.alert != Some(alert) {
            return Err(Reason::OpeningForeign);
        }
        same(is_true && mode == self.mode().as_str())
    }

    fn is_origin(&self, event: &DeletedEvent) -> bool {
        let is_party = event.origin == self.maker.node || self.other() == Some(event.origin);
        is_party && self.origin().is_none_or(|origin| origin == event.origin)
    }

    /// Whether a version of the alert is here, or was where its statement is gone.
    pub(crate) fn shows_version(&self, version: &[u8; 32]) -> bool {
        let is_it = |one: &Statement| match &one.payload {
            Payload::Alert(alerted) => *alerted.view.version == *version,
            _ => false,
        };
        self.statements.iter().any(is_it)
            || self.matter.gone().any(|(_, known)| known.version == Some(*version))
    }

    /// What an entry says was deleted of the alert.
    pub(crate) fn deletion(&self, opening: &Opening) -> Option<[u8; 32]> {
        match &opening.entry.event {
            Event::Deleted(event) if self.maker.alert == Some(*event.alert) => {
                Some(*event.statement_hash)
            }
            _ => None,
        }
    }

    /// What every acknowledgement here says of the alert.
    pub(crate) fn acknowledged(&self) -> impl Iterator<Item = (&Statement, &AckItem)> {
        self.statements.iter().flat_map(|statement| {
            let said = match &statement.payload {
                Payload::Acknowledgement(said) => Some(said),
                _ => None,
            };
            let items = said.into_iter().flat_map(|said| self.matter.items_of(said));
            items.map(move |(item, _)| (statement, item))
        })
    }

    /// "Alerts and withdrawals are by one node", also where only the log says so; and a statement
    /// stands before what acknowledges it.
    pub(crate) fn check_alert_order(&self) -> Result<(), Refused> {
        for opening in &self.openings {
            let said = self.origin_by(opening);
            let is_one = said.is_none() || said == self.origin();
            require(is_one, Reason::AlertParties, "opening")?;
        }
        for statement in &self.statements {
            let Payload::Acknowledgement(said) = &statement.payload else { continue };
            let Some(place) = self.index_of(statement) else { continue };
            let mut items = self.matter.items_of(said);
            let is_later = items.all(|(_, known)| known.index.is_none_or(|index| index < place));
            require(is_later, Reason::TimeOrder, statement.payload.name())?;
        }
        Ok(())
    }

    /// Size and root of the log that an acknowledgement shows.
    pub(crate) fn check_acknowledgement(
        &self,
        statement: &Statement,
        said: &Acknowledgement,
    ) -> Result<(u64, Hash), Refused> {
        const PART: &str = "acknowledgement";
        let is_its = self.matter.items_of(said).next().is_some();
        require(is_its, Reason::AcknowledgementForeign, PART)?;
        for (item, known) in self.matter.items_of(said) {
            match known.statement.and_then(|place| self.statements.get(place)) {
                Some(about) => {
                    let is_theirs = (statement.from, statement.to) == (about.to, about.from);
                    require(is_theirs, Reason::AcknowledgementParties, PART)?;
                    require(about.created <= later(item.at), Reason::TimeOrder, PART)?;
                }
                None => {
                    let is_theirs = self.origin() == Some(statement.to);
                    require(is_theirs, Reason::AcknowledgementParties, PART)?;
                }
            }
            require(item.at <= later(statement.created), Reason::TimeOrder, PART)?;
        }
        let signed = SignedCheckpoint::parse(&said.checkpoint)
            .map_err(|_| Refused::new(Reason::AcknowledgementCheckpoint, PART))?;
        let cards = self.cards.iter().filter(|card| card.node == statement.from);
        let cards: Vec<&Card> = cards.collect();
        let reason = Reason::AcknowledgementCheckpoint;
        let verified = crate::log::verified(&cards, &signed, reason, reason);
        let verified = verified.map_err(|reason| Refused::new(reason, PART))?;
        for item in &said.items {
            let is_covered = item.log_index < verified.size();
            let is_there = statement.from != self.maker.node || self.is_at_leaf(item);
            require(is_covered && is_there, Reason::AcknowledgementIndex, PART)?;
        }
        Ok((verified.size(), verified.root()))
    }

    /// Whether the maker's own leaf says what its acknowledgement says, where it is opened.
    fn is_at_leaf(&self, item: &AckItem) -> bool {
        let place = self.openings.binary_search_by_key(&item.log_index, |opening| opening.index);
        let stage = item.stage();
        let Some(opening) = place.ok().and_then(|place| self.openings.get(place)) else {
            // An entry may be erased, but not that of one that is opened elsewhere.
            let is_opened =
                self.matter.0.get(&*item.statement_hash).is_some_and(|one| one.index.is_some());
            return !is_opened || !matches!(stage, Stage::Delivered | Stage::Refused);
        };
        match (&opening.entry.event, stage) {
            (Event::Received(event), Stage::Delivered | Stage::Refused) => {
                event.statement_hash == item.statement_hash
            }
            (Event::Alert(event) | Event::Exercise(event), Stage::Read | Stage::Acted) => {
                event.act == stage.as_str()
            }
            (Event::Deleted(event), Stage::Deleted) => event.statement_hash == item.statement_hash,
            _ => false,
        }
    }
}

/// An alert is its origin's, and so is its withdrawal; anybody may contest.
const fn is_by_origin(payload: &Payload) -> bool {
    match payload {
        Payload::Alert(_) => true,
        Payload::Word(word) => word.is_withdrawal(),
        _ => false,
    }
}

fn same(is_same: bool) -> Result<(), Reason> {
    if is_same { Ok(()) } else { Err(Reason::OpeningMismatch) }
}
