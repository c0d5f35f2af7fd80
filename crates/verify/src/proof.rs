//! The sentences on what a bundle proves and what it does not.
//!
//! Implements spec/evidence.md#proved and spec/evidence.md#not-proved.
//!
//! Invariant: a sentence stands under "proved" only where a check of [`Contents`] established it.

use crate::alert::{Mode, Stage};
use crate::bundle::Manifest;
use crate::contents::Contents;
use crate::entry::Event;
use crate::statement::Payload;

/// What is proved, and what is not.
pub(crate) fn claims(manifest: &Manifest, contents: &Contents) -> (Vec<String>, Vec<String>) {
    (proved(manifest, contents), not_proved(contents))
}

fn proved(manifest: &Manifest, contents: &Contents) -> Vec<String> {
    let count = contents.statements.len();
    let mut lines = vec![
        format!(
            "Statements: {count}. Each was signed with both keys (Ed25519 and ML-DSA-65) that the \
             root of its sender had put on a card valid at the time."
        ),
        format!(
            "Documents: {}. The node that made the bundle signed the list of them and of what is \
             left out; nothing was added, taken away or changed since.",
            manifest.items.len()
        ),
    ];
    let logged = contents.statements.iter().filter(|one| contents.index_of(one).is_some()).count();
    lines.push(format!(
        "Statements in the maker's log: {logged} of {count}, at the leaves shown, under a \
         checkpoint of {} leaves that both keys of that log signed.",
        contents.checkpoint.size
    ));
    for (node, _) in &contents.checkpoint.cosigned {
        let name = contents.card_of(*node).map_or("unknown", |card| card.name.as_str());
        lines.push(format!(
            "Node {name} cosigned that checkpoint: the log continues every earlier one that {name} \
             had cosigned."
        ));
    }
    let receipts = contents.statements.iter().filter(|statement| statement.is_receipt());
    let theirs = receipts.filter(|receipt| receipt.to == contents.maker.node).count();
    if theirs > 0 {
        lines.push(format!(
            "Receipts by the partner: {theirs}. It has those statements, and names their place in \
             its own log and a checkpoint that covers it."
        ));
    }
    lines.extend(acknowledged(contents));
    let deletions = contents.their_leaves.len();
    if deletions > 0 {
        lines.push(format!(
            "Deletions in the partner's log: {deletions}. What stands at the leaf that the \
             acknowledgement names says so, under the checkpoint that the acknowledgement carries."
        ));
    }
    let became = contents.openings.iter().filter(|opening| {
        matches!(opening.entry.event, Event::Alert(_) | Event::Exercise(_) | Event::Deleted(_))
    });
    let became = became.count();
    if became > 0 {
        lines.push(format!(
            "Entries of the maker's log on what became of the alert there: {became}, at the leaves \
             shown."
        ));
    }
    let answered =
        contents.statements.iter().filter(|one| contents.question_of(one).is_some()).count();
    if answered > 0 {
        lines.push(format!(
            "Answers that name a question here: {answered}. Whoever answered had it."
        ));
    }
    let opened = contents.statements.iter().filter(|one| is_opened(contents, one)).count();
    if opened > 0 {
        lines.push(format!(
            "Disclosures that open the tag set: {opened}. Each shows a record that stood behind the \
             confirmed tag in the set that its holder had signed for the epoch."
        ));
    }
    let covered = contents.statements.iter();
    let covered = covered.filter(|one| contents.agreement_over(one).is_some()).count();
    if covered > 0 {
        lines.push(format!(
            "Statements made while an agreement was in force that both roots signed: {covered}."
        ));
    }
    if contents.openings.iter().any(|opening| matches!(opening.entry.event, Event::Query(_))) {
        lines.push(
            "The maker's log committed to the queries shown, at the leaves shown.".to_owned(),
        );
    }
    if !contents.privates.is_empty() {
        lines.push(
            "What those queries asked about, where it is shown, is what the log committed to."
                .to_owned(),
        );
    }
    lines
}

/// What the partner says of the maker's statements about an alert.
fn acknowledged(contents: &Contents) -> Option<String> {
    let theirs = || contents.acknowledged().filter(|(by, _)| by.to == contents.maker.node);
    let count = |stage: Stage| theirs().filter(|(_, item)| item.stage() == stage).count();
    theirs().next()?;
    let counts = Stage::ALL.map(|stage| format!("{} {}", stage.as_str(), count(stage)));
    Some(format!(
        "Acknowledgements by the partner: {}. It says how far the maker's statements came with it, \
         names its own leaf for each, and a checkpoint that covers it.",
        counts.join(", ")
    ))
}

fn not_proved(contents: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    if contents.mode() == Mode::Exercise {
        lines.push(
            "EXERCISE. That anything happened: all of this was said in a drill, signed as such, \
             and is about nothing real."
                .to_owned(),
        );
    }
    lines.extend(always_not_proved());
    if contents.checkpoint.cosigned.is_empty() {
        lines.push(
            "That the maker shows the same log to everybody: nobody whose card is here cosigned \
             the checkpoint."
                .to_owned(),
        );
    }
    lines.extend(alert_not_proved(contents));
    if contents.statements.iter().any(|statement| statement.is_receipt()) {
        lines.push(
            "What stands at the leaf that a partner's receipt names: only that partner can open it."
                .to_owned(),
        );
    }
    let unanswered = contents.statements.iter().filter(|statement| {
        !statement.is_confirmation()
            && statement.from == contents.maker.node
            && !contents.matter.is_acknowledged(statement)
            && contents.receipt_for(statement).is_none()
            && contents.answer_to(statement).is_none()
    });
    if unanswered.count() > 0 {
        lines.push(
            "That statements of the maker without receipt or answer arrived at all.".to_owned(),
        );
    }
    if contents.statements.iter().any(|one| one.policy_digest.is_some()) {
        lines.push(
            "What the policy said under which something was disclosed: its digest is here, its \
             text is not."
                .to_owned(),
        );
    }
    if contents.openings.iter().any(|opening| matches!(opening.entry.event, Event::Query(_))) {
        lines.push(
            "When a query was asked, and, where its contents are not shown, of whom and by whom: \
             its leaf fixes the digests alone."
                .to_owned(),
        );
    }
    if !contents.privates.is_empty() {
        lines.push(
            "That the blinded elements which the partner evaluated are made of the identifiers \
             shown: the maker's node recomputes that with 'symbolon audit open'."
                .to_owned(),
        );
    }
    lines
}

fn alert_not_proved(contents: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    let is_closed =
        contents.acknowledged().any(|(by, item)| contents.their_leaf(by, item).is_none());
    if is_closed {
        let line = if contents.their_leaves.is_empty() {
            "What stands at the leaf that a partner's acknowledgement names: only that partner can \
             open it."
        } else {
            "What stands at the other leaves that a partner's acknowledgements name: only that \
             partner can open them."
        };
        lines.push(line.to_owned());
    }
    if contents.acknowledged().any(|(_, item)| item.stage() == Stage::Deleted) {
        lines.push(
            "That no copy is left of what was deleted: the node says that its own is gone."
                .to_owned(),
        );
    }
    let gone = contents.matter.gone().count();
    if gone > 0 {
        lines.push(format!(
            "What the alert said in statements that are not here: {gone}. Their hashes are in the \
             entries of the log and in the acknowledgements."
        ));
    }
    lines
}

fn always_not_proved() -> Vec<String> {
    vec![
        "That the roots are those of the states named: compare the words over another channel."
            .to_owned(),
        "That a record is true. Who stated it and when it was logged is shown, not that it is so."
            .to_owned(),
        "That nobody else was told.".to_owned(),
        "That the clocks were right: every time is the word of the node that wrote it.".to_owned(),
        "What the other entries of the log say, and that nothing else happened in the matter."
            .to_owned(),
        "Which officer stood behind a name: names are the word of the node.".to_owned(),
    ]
}

fn is_opened(contents: &Contents, statement: &crate::statement::Statement) -> bool {
    let question = contents.question_of(statement);
    let card = question.and_then(|question| contents.epoch_card_of(question));
    match &statement.payload {
        Payload::Disclosure(disclosure) => disclosure.opening.is_some() && card.is_some(),
        _ => false,
    }
}
