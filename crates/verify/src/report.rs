//! What a bundle shows, in plain words: its documents line by line, what they prove and what not.
//!
//! Implements spec/evidence.md#index.
//!
//! Invariant: every text in a report went through [`plain`]; a report follows from the contents
//! alone, whoever reads it and whenever.

use serde::Serialize;

use crate::alert::{Acknowledgement, Mode};
use crate::bundle::Manifest;
use crate::contents::Contents;
use crate::entry::Event;
use crate::key::NodeId;
use crate::statement::{Payload, Statement};
use crate::words::{fingerprint_words, hex, plain, time, uuid};

/// A heading and lines below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// A label and a text each.
    pub rows: Vec<(String, String)>,
}

impl Section {
    fn new(title: impl AsRef<str>) -> Section {
        Section { title: plain(title.as_ref()), rows: Vec::new() }
    }

    fn row(&mut self, label: &str, text: impl AsRef<str>) {
        self.rows.push((plain(label), plain(text.as_ref())));
    }
}

/// What a bundle shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The documents.
    pub sections: Vec<Section>,
    /// What is proved, provided that the roots are those of the nodes.
    pub proved: Vec<String>,
    /// What is not.
    pub not_proved: Vec<String>,
}

impl Report {
    /// What is left out, and why.
    #[must_use]
    pub fn left_out(&self) -> &[(String, String)] {
        self.sections.last().map(|section| section.rows.as_slice()).unwrap_or_default()
    }

    pub(crate) fn new(manifest: &Manifest, contents: &Contents) -> Report {
        let writer = Writer { contents };
        let mut sections = vec![writer.bundle(manifest)];
        let mut told: Vec<NodeId> = Vec::new();
        for card in &contents.cards {
            if !told.contains(&card.node) {
                told.push(card.node);
                sections.push(writer.node(card.node));
            }
        }
        sections.extend(writer.agreements());
        sections.extend(manifest.subject.alert().map(|id| writer.alert(&id)));
        sections.extend(contents.statements.iter().map(|statement| writer.statement(statement)));
        sections.extend(writer.epoch_cards());
        sections.extend(writer.queries());
        sections.push(writer.log());
        sections.push(left_out(manifest));
        let (proved, not_proved) = crate::proof::claims(manifest, contents);
        let all_plain = |list: Vec<String>| list.iter().map(|line| plain(line)).collect();
        Report { sections, proved: all_plain(proved), not_proved: all_plain(not_proved) }
    }
}

struct Writer<'a> {
    contents: &'a Contents,
}

impl Writer<'_> {
    fn name(&self, node: NodeId) -> String {
        let fingerprint: String = hex(node.as_bytes()).chars().take(16).collect();
        let name = self.contents.card_of(node).map_or("unknown", |card| card.name.as_str());
        format!("{name} ({fingerprint})")
    }

    fn bundle(&self, manifest: &Manifest) -> Section {
        let mut section = Section::new("This bundle");
        if self.contents.mode() == Mode::Exercise {
            section.row("EXERCISE", "all of this was said in a drill and is about nothing real");
        }
        let subject = &manifest.subject;
        section.row("about", format!("{} {}", subject.kind, subject.name));
        section.row("made by", self.name(manifest.builder));
        section.row("made at", time(manifest.built_at));
        section.row("officer", &manifest.officer);
        section.row("reason", &manifest.reason);
        section.row("statements", self.contents.statements.len().to_string());
        section.row("documents", manifest.items.len().to_string());
        section
    }

    fn node(&self, node: NodeId) -> Section {
        let mut section = Section::new(format!("Node {}", self.name(node)));
        section.row("words of its root", fingerprint_words(node.as_bytes()).join(" "));
        section.row("fingerprint of its root", hex(node.as_bytes()));
        for card in self.contents.cards.iter().filter(|card| card.node == node) {
            let span = format!("from {} until {}", time(card.span.from), time(card.span.to));
            let text = format!("{}, {}, {span}", card.name, card.country);
            section.row(&format!("card {}", card.sequence), text);
            section.row("digest of the card", hex(card.digest));
        }
        section
    }

    fn agreements(&self) -> Vec<Section> {
        let write = |agreement: &crate::document::Agreement| {
            let mut section = Section::new(format!("Agreement {}", hex(agreement.id)));
            for party in agreement.parties {
                section.row("party", self.name(party));
            }
            section.row("data", &agreement.mode);
            section.row("purposes", agreement.purposes.join(", "));
            section.row("record kinds", agreement.kinds.join(", "));
            let class = |(class, budget): &(String, u64)| format!("{class} {budget}");
            let classes: Vec<String> = agreement.classes.iter().map(class).collect();
            section.row("classes and budgets per epoch", classes.join(", "));
            section.row("in force from", time(agreement.span.from));
            section.row("in force until", time(agreement.span.to));
            section.row("digest", hex(agreement.digest));
            section
        };
        self.contents.agreements.iter().map(write).collect()
    }

    fn statement(&self, statement: &Statement) -> Section {
        let kind = statement.payload.name();
        let title = format!("Statement {}: {kind}", uuid(&statement.id));
        let mut section = Section::new(self.marked(title));
        section.row("from", self.name(statement.from));
        section.row("to", self.name(statement.to));
        section.row("made at", time(statement.created));
        section.row("void from", time(statement.expires));
        section.row("hash", hex(statement.hash));
        if let Some(digest) = statement.policy_digest {
            section.row("digest of the policy", hex(digest));
        }
        if let Some(agreement) = self.contents.agreement_over(statement) {
            section.row("agreement", hex(agreement.id));
        }
        if let Some(id) = statement.in_reply_to() {
            section.row("in reply to", uuid(&id));
        }
        if let Some(sequence) = statement.sequence {
            section.row("place in the stream", sequence.to_string());
        }
        payload(&statement.payload, &mut section);
        if let Payload::Acknowledgement(said) = &statement.payload {
            self.acknowledgement(statement, said, &mut section);
        }
        for opening in &self.contents.openings {
            if crate::log::names(&opening.entry.event) == Some(statement.hash) {
                let (index, entry) = (opening.index, &opening.entry);
                let text = format!("leaf {index} at {} by {}", time(entry.at), entry.actor);
                section.row("in the maker's log", text);
            }
        }
        section
    }

    /// What is of a drill says so.
    fn marked(&self, title: String) -> String {
        match self.contents.mode() {
            Mode::Live => title,
            Mode::Exercise => format!("EXERCISE {title}"),
        }
    }

    /// What is known of the alert beside the statements.
    fn alert(&self, id: &[u8; 16]) -> Section {
        let mut section = Section::new(self.marked(format!("Alert {}", uuid(id))));
        if let Some(origin) = self.contents.origin() {
            section.row("origin", self.name(origin));
        }
        section.row("data", self.contents.mode().as_str());
        for (hash, known) in self.contents.matter.gone() {
            let version = known.version.map(|version| format!(", version {}", hex(version)));
            let text = format!("hash {}{}", hex(hash), version.unwrap_or_default());
            section.row("statement that is not here", text);
        }
        for opening in &self.contents.openings {
            let (index, entry) = (opening.index, &opening.entry);
            let text = match &entry.event {
                Event::Alert(event) | Event::Exercise(event) => {
                    let nodes = match event.recipients {
                        0 => String::new(),
                        nodes => format!(", nodes {nodes}"),
                    };
                    format!("{}, version {}{nodes}", event.act, hex(*event.version))
                }
                Event::Deleted(event) => {
                    format!("deleted, statement with hash {}", hex(*event.statement_hash))
                }
                Event::Disclosed(event)
                    if self.contents.statement(&event.statement_hash).is_none() =>
                {
                    format!("sent, statement with hash {}", hex(*event.statement_hash))
                }
                Event::Received(event)
                    if self.contents.statement(&event.statement_hash).is_none() =>
                {
                    format!("received, statement with hash {}", hex(*event.statement_hash))
                }
                _ => continue,
            };
            let (at, actor) = (time(entry.at), &entry.actor);
            section.row("in the maker's log", format!("leaf {index} at {at} by {actor}: {text}"));
        }
        section
    }

    fn acknowledgement(&self, by: &Statement, said: &Acknowledgement, section: &mut Section) {
        let mut told = 0;
        for (item, _) in self.contents.matter.items_of(said) {
            let (at, index) = (time(item.at), item.log_index);
            let hash = hex(*item.statement_hash);
            let text = format!("statement with hash {hash} at {at}, leaf {index} of its sender");
            section.row(item.stage().as_str(), text);
            if let Some(leaf) = self.contents.their_leaf(by, item) {
                let (at, actor) = (time(leaf.entry.at), &leaf.entry.actor);
                let text = format!(
                    "leaf {} at {at} by {actor}, in the tree of {} leaves",
                    leaf.index, leaf.size
                );
                section.row("in its sender's log", text);
            }
            told += 1;
        }
        let others = said.items.len() - told;
        if others > 0 {
            section.row("said of other statements", others.to_string());
        }
    }

    fn epoch_cards(&self) -> Vec<Section> {
        let write = |card: &crate::document::EpochCard| {
            let (class, epoch, serial) = (&card.class, card.epoch, card.serial);
            let title = format!("Epoch card of class {class}, epoch {epoch}, serial {serial}");
            let mut section = Section::new(title);
            section.row("holder", self.name(card.holder));
            section.row("asker", self.name(card.asker));
            section.row("from", time(card.span.from));
            section.row("until", time(card.span.to));
            section.row("entries, padding included", card.count.to_string());
            section.row("root over tags and commitments", hex(card.set_root.as_bytes()));
            section.row("digest", hex(card.digest));
            self.logged(
                &mut section,
                |event| matches!(event, Event::EpochCard(event) if *event.digest == card.digest),
            );
            section
        };
        self.contents.epoch_cards.iter().map(write).collect()
    }

    fn logged(&self, section: &mut Section, is_it: impl Fn(&Event) -> bool) {
        for opening in self.contents.openings.iter().filter(|one| is_it(&one.entry.event)) {
            let text = format!("leaf {} at {}", opening.index, time(opening.entry.at));
            section.row("in the maker's log", text);
        }
    }

    fn queries(&self) -> Vec<Section> {
        let write = |opening: &crate::entry::Opening| {
            let Event::Query(query) = &opening.entry.event else { return None };
            let mut section = Section::new(format!("Query, leaf {}", opening.index));
            section.row("committed to at", time(opening.entry.at));
            section.row("by", &opening.entry.actor);
            section.row("asked of", self.name(query.partner));
            section.row("class", &query.class);
            section.row("epoch", query.epoch.to_string());
            section.row("elements, padding included", query.elements.to_string());
            section.row("digest of the elements", hex(*query.batch_digest));
            if let Some(private) = self.contents.private_of(opening.index) {
                private.lines().iter().for_each(|(label, text)| section.row(label, text));
            }
            Some(section)
        };
        self.contents.openings.iter().filter_map(write).collect()
    }

    fn log(&self) -> Section {
        let seen = &self.contents.checkpoint;
        let mut section = Section::new("The maker's log");
        section.row("origin", &seen.origin);
        section.row("leaves", seen.size.to_string());
        section.row("root", hex(seen.root));
        if let Some(at) = seen.timestamp.filter(|at| *at > 0) {
            section.row("largest tree at", time(at));
        }
        for (node, at) in &seen.cosigned {
            let at = at.map_or("no time".to_owned(), time);
            section.row("cosigned by", format!("{}, {at}", self.name(*node)));
        }
        if seen.unknown > 0 {
            section.row("further signature lines, by keys not here", seen.unknown.to_string());
        }
        for opening in &self.contents.openings {
            let (label, what) = match &opening.entry.event {
                Event::Card(_, sequence, digest, act) => {
                    ("card", format!("{sequence}, {act}, digest {}", hex(**digest)))
                }
                Event::Agreement(_, digest, act) => {
                    ("agreement", format!("{act}, digest {}", hex(**digest)))
                }
                Event::Policy(digest, act) => {
                    ("policy", format!("{act}, digest {}", hex(**digest)))
                }
                _ => continue,
            };
            let at = time(opening.entry.at);
            section.row(label, format!("leaf {} at {at}: {what}", opening.index));
        }
        section
    }
}

fn payload(payload: &Payload, section: &mut Section) {
    match payload {
        Payload::Confirm(confirm) => {
            section.row("class", &confirm.class);
            section.row("epoch", confirm.epoch.to_string());
            section.row("serial of the tag set", confirm.serial.to_string());
            section.row("tag", hex(*confirm.tag));
            section.row("confirm code", hex(*confirm.confirm));
            section.row("purpose", &confirm.purpose);
            section.row("hash of the case", hex(*confirm.case_hash));
        }
        Payload::Disclosure(disclosure) => {
            section.row("record", uuid(&disclosure.view.id));
            section.row("version of the record", hex(*disclosure.view.version));
            section.row("data", &disclosure.view.exercise);
            for (label, text) in disclosure.view.lines() {
                section.row(&format!("record: {label}"), text);
            }
            for held in disclosure.opening.iter().flat_map(|opening| &opening.records) {
                let text = format!("{}, version {}", uuid(&held.id), hex(*held.version));
                section.row("behind the tag", text);
            }
        }
        Payload::Refusal(refusal) => section.row(
            "says",
            match refusal.code {
                2 => "the purpose is not sufficient",
                3 => "the answer comes through another channel",
                _ => "nothing for you",
            },
        ),
        Payload::Receipt(receipt) => {
            section.row("for the statement with hash", hex(*receipt.statement_hash));
            section.row("arrived at", time(receipt.at));
            section.row("leaf in the log of its sender", receipt.log_index.to_string());
        }
        Payload::Alert(alerted) => {
            section.row("alert", uuid(&alerted.view.id));
            section.row("version of the alert", hex(*alerted.view.version));
            if let Some(previous) = &alerted.previous {
                section.row("in place of version", hex(**previous));
            }
            section.row("data", &alerted.view.exercise);
            section.row("class", alerted.class());
            section.row("to be read by", time(alerted.read_by));
            section.row("to be acted on by", time(alerted.act_by));
            section.row("to be deleted by", time(alerted.expires_on));
            for (label, text) in alerted.view.lines() {
                section.row(&format!("alert: {label}"), text);
            }
        }
        Payload::Word(word) => {
            section.row("alert", uuid(&word.alert));
            section.row("version of the alert", hex(*word.version));
            section.row("says", word.says());
        }
        // That depends on what else is here.
        Payload::Acknowledgement(_) => {}
    }
}

fn left_out(manifest: &Manifest) -> Section {
    let mut section = Section::new("Left out");
    for left_out in &manifest.left_out {
        // Codes that are not known were refused before.
        let (what, why) = left_out.words().unwrap_or_default();
        section.row(&format!("{what}: {}", left_out.about), why);
    }
    section
}
