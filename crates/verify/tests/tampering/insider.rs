//! What the node that makes a bundle tries, with its own keys and here even with those of its
//! partner: it seals every one of these bundles again.

use symbolon_verify::Reason;

use super::cbor::{Cbor, bytes, list, text, uint};
use super::kit::*;
use super::node::{Keys, NOW, Node};
use super::refused;
use super::world::{Statement, confirm_event};

const BY_STATEMENT: (&str, u8) = ("symbolon/1 statement", 11);
const BY_HOLDER: (&str, u8) = ("symbolon/1 statement", 21);
const EPOCH_CARD_LABEL: (&str, u8) = ("symbolon/1 epoch card", 21);

/// What the maker does who has its own keys, and here even those of the partner.
type Insider = (&'static str, Reason, fn(&mut Kit));

/// Runs insiders' cases, each on a fresh bundle that it seals again with the maker's key.
fn check(cases: &[Insider]) {
    for (name, reason, change) in cases {
        let mut kit = Kit::north();
        change(&mut kit);
        let refused = refused(&kit.seal());
        assert_eq!(refused.reason(), *reason, "{name}: {refused}");
    }
}

#[test]
fn an_insider_cannot_pass_off_cards_and_agreements() {
    check(&[
        ("signed by another key", Reason::ManifestSignature, |kit| kit.signer = 21),
        ("the maker's card dropped", Reason::BuilderCard, |kit| {
            kit.drop_item(CARD, 0);
        }),
        ("another card named", Reason::BuilderCard, |kit| {
            *kit.manifest.at(&[2]) = bytes(kit.world.south.card_digest());
        }),
        ("made after the card's end", Reason::BuilderCardTime, |kit| {
            *kit.manifest.at(&[3]) = uint(NOW + 1_000_000);
        }),
        ("a card by another root", Reason::CardSignature, |kit| {
            kit.resign((CARD, 1), ("symbolon/1 card", 40), |_| {});
        }),
        ("a card signed by the signing key", Reason::CardSignature, |kit| {
            kit.resign((CARD, 1), ("symbolon/1 card", 21), |_| {});
        }),
        ("one of two signatures on a card", Reason::CardSignature, |kit| {
            kit.edit(CARD, 1, |card| card.at(&[2]).as_bytes()[9] ^= 1);
        }),
        ("a card under another label", Reason::CardSignature, |kit| {
            kit.resign((CARD, 1), ("symbolon/1 statement", 20), |_| {});
        }),
        ("the log keys of another node", Reason::CardLog, |kit| {
            let mut keys = kit.world.north.card().at(&[11]).clone();
            let keys = keys.as_list().clone();
            *kit.item(CARD, 1) = {
                let mut card = kit.world.south.card();
                *card.at(&[11]) = Cbor::List(keys);
                Keys::new(20).signed("symbolon/1 card", &card)
            };
        }),
        ("two cards with one sequence", Reason::CardSequence, |kit| {
            let mut card = kit.world.south.card();
            *card.at(&[2]) = text("south-two");
            kit.items.push((CARD, Keys::new(20).signed("symbolon/1 card", &card)));
        }),
        ("more cards than anybody has", Reason::TooLarge, |kit| {
            let mut card = kit.world.south.card();
            for sequence in 100..163 {
                *card.at(&[4]) = uint(sequence);
                kit.items.push((CARD, Keys::new(20).signed("symbolon/1 card", &card)));
            }
        }),
        ("the card of a bystander", Reason::ItemUnneeded, |kit| {
            kit.items.push((CARD, Kit::third().signed_card()));
        }),
        ("an agreement that one has signed", Reason::AgreementSignature, |kit| {
            kit.edit(AGREEMENT, 0, |signed| *signed.at(&[2]) = Cbor::Null);
        }),
        ("signatures in the wrong places", Reason::AgreementSignature, |kit| {
            kit.edit(AGREEMENT, 0, |signed| signed.as_list().swap(1, 2));
        }),
        ("an agreement with an absent node", Reason::AgreementCard, |kit| {
            agree(kit, |content| {
                let mut parties = [Node::new("north", 10).id(), Kit::third().id()];
                parties.sort_unstable();
                *content.at(&[2]) = list(parties.map(bytes));
            });
        }),
        ("an agreement that had ended", Reason::AgreementTime, |kit| {
            agree(kit, |content| *content.at(&[10]) = uint(NOW));
        }),
        ("another purpose", Reason::AgreementTerms, |kit| {
            agree(kit, |content| *content.at(&[4]) = list([text("tax")]));
        }),
        ("another class", Reason::AgreementTerms, |kit| {
            agree(kit, |content| *content.at(&[6, 0, 0]) = text("person"));
        }),
        ("another kind of record", Reason::AgreementTerms, |kit| {
            agree(kit, |content| *content.at(&[5]) = list([text("diversion")]));
        }),
        ("an agreement for exercises", Reason::AgreementTerms, |kit| {
            agree(kit, |content| *content.at(&[3]) = text("exercise"));
        }),
    ]);
}

fn agree(kit: &mut Kit, change: fn(&mut Cbor)) {
    let mut content = kit.world.agreement();
    change(&mut content);
    *kit.item(AGREEMENT, 0) = kit.world.signed_agreement(&content).encode();
}

#[test]
fn an_insider_cannot_pass_off_statements() {
    check(&[
        ("another key", Reason::StatementSignature, |kit| {
            kit.resign((STATEMENT, 1), BY_STATEMENT, |_| {});
        }),
        ("the root in place of the signing key", Reason::StatementSignature, |kit| {
            kit.resign((STATEMENT, 1), ("symbolon/1 statement", 20), |_| {});
        }),
        ("one of two signatures", Reason::StatementSignature, |kit| {
            kit.edit(STATEMENT, 1, |signed| signed.at(&[2]).as_bytes()[9] ^= 1);
        }),
        ("another label", Reason::StatementSignature, |kit| {
            kit.resign((STATEMENT, 1), ("symbolon/1 evidence", 21), |_| {});
        }),
        ("an id that is no UUID of version 7", Reason::Malformed, |kit| {
            kit.resign((STATEMENT, 0), BY_STATEMENT, |c| *c.at(&[1]) = bytes([1; 16]));
        }),
        ("a life of a month", Reason::Malformed, |kit| {
            kit.resign((STATEMENT, 0), BY_STATEMENT, |c| *c.at(&[6]) = uint(NOW + 2_592_000));
        }),
        ("the recipient's card dropped", Reason::StatementCard, |kit| {
            kit.drop_item(AGREEMENT, 0);
            kit.drop_item(CARD, 1);
        }),
        ("between two others", Reason::StatementNode, |kit| {
            let (third, fourth) = (Kit::third(), Node::new("fourth", 50));
            let payload = list([uint(1), bytes([7; 16])]);
            let said = Statement::new(5, 3, &third, &fourth, NOW, &payload);
            kit.items.push((STATEMENT, said.signed(&third.signing)));
        }),
        ("a card that had ended", Reason::StatementCardTime, |kit| {
            let mut card = kit.world.south.card();
            *card.at(&[6]) = uint(NOW);
            *kit.item(CARD, 1) = Keys::new(20).signed("symbolon/1 card", &card);
        }),
        ("a card that was yet to come", Reason::StatementCardTime, |kit| {
            let mut card = kit.world.south.card();
            *card.at(&[5]) = uint(NOW + 400);
            *kit.item(CARD, 1) = Keys::new(20).signed("symbolon/1 card", &card);
        }),
        ("two statements with one id", Reason::StatementRepeated, |kit| {
            let twin = kit.item(STATEMENT, 0).clone();
            kit.items.push((STATEMENT, twin));
            kit.resign((STATEMENT, 3), BY_STATEMENT, |c| *c.at(&[6]) = uint(NOW + 9));
        }),
        ("made after the bundle", Reason::StatementTime, |kit| {
            kit.resign((STATEMENT, 0), BY_STATEMENT, |content| {
                *content.at(&[5]) = uint(BUILT_AT + 301);
                *content.at(&[6]) = uint(BUILT_AT + 400);
            });
        }),
        ("an answer to one's own question", Reason::ReplyParties, |kit| {
            let payload = list([uint(1), bytes(kit.world.confirm.id())]);
            let world = &kit.world;
            let own = Statement::new(6, 3, &world.north, &world.south, NOW, &payload);
            kit.items.push((STATEMENT, own.signed(&world.north.signing)));
        }),
        ("an answer before its question", Reason::ReplyTime, |kit| {
            kit.resign((STATEMENT, 1), BY_HOLDER, |c| *c.at(&[5]) = uint(NOW - 301));
        }),
        ("another record than is opened", Reason::OpeningRecord, |kit| {
            kit.restate(1, 21, |payload| *payload.at(&[0, 0]) = bytes([0x30; 16]));
        }),
        ("an epoch card by another key", Reason::EpochCardSignature, |kit| {
            kit.resign((EPOCH_CARD, 0), ("symbolon/1 epoch card", 11), |_| {});
        }),
        ("an epoch card of another set", Reason::ItemUnneeded, |kit| {
            kit.resign((EPOCH_CARD, 0), EPOCH_CARD_LABEL, |card| *card.at(&[5]) = uint(2));
        }),
        ("an epoch card made afterwards", Reason::TimeOrder, |kit| {
            kit.resign((EPOCH_CARD, 0), EPOCH_CARD_LABEL, |c| *c.at(&[6]) = uint(NOW + 301));
        }),
        ("a record invented afterwards", Reason::CommitmentOpening, |kit| {
            kit.restate(1, 21, |payload| {
                *payload.at(&[0, 1]) = bytes([0x34; 32]);
                *payload.at(&[2, 1, 0, 1]) = bytes([0x34; 32]);
            });
        }),
        ("another root of the set", Reason::CommitmentOpening, |kit| {
            kit.resign((EPOCH_CARD, 0), EPOCH_CARD_LABEL, |c| *c.at(&[10]) = bytes([1; 32]));
        }),
        ("the tag of another hit", Reason::CommitmentOpening, |kit| {
            kit.restate(0, 11, |payload| *payload.at(&[3]) = bytes([0x50; 16]));
        }),
    ]);
}

#[test]
fn an_insider_cannot_pass_off_the_log() {
    check(&[
        ("no checkpoint", Reason::CheckpointCount, |kit| {
            kit.drop_item(CHECKPOINT, 0);
        }),
        ("two checkpoints", Reason::CheckpointCount, |kit| {
            kit.items.push((CHECKPOINT, kit.world.north.checkpoint(6).into_bytes()));
        }),
        ("the checkpoint of another log", Reason::CheckpointOrigin, |kit| {
            *kit.item(CHECKPOINT, 0) = kit.world.south.checkpoint(1).into_bytes();
        }),
        ("a checkpoint signed by one key", Reason::CheckpointSignature, |kit| {
            checkpoint(kit, |text| lines(text, &[0, 1, 2, 3, 4]));
        }),
        ("a checkpoint signed by nobody", Reason::Malformed, |kit| {
            checkpoint(kit, |text| lines(text, &[0, 1, 2, 3]));
        }),
        ("another root under the signatures", Reason::CheckpointSignature, |kit| {
            let other = kit.world.north.checkpoint(6);
            let root = other.lines().nth(2).unwrap().to_owned();
            let text = String::from_utf8(kit.item(CHECKPOINT, 0).clone()).unwrap();
            let own = text.lines().nth(2).unwrap();
            *kit.item(CHECKPOINT, 0) = text.replace(own, &root).into_bytes();
        }),
        ("a cosignature of another checkpoint", Reason::Cosignature, |kit| {
            let line = kit.world.south.cosign(&kit.world.north, 6, NOW + 50);
            checkpoint(kit, |text| lines(text, &[0, 1, 2, 3, 4, 5]));
            kit.item(CHECKPOINT, 0).extend(line.as_bytes());
        }),
        ("a cosignature from the future", Reason::CosignatureTime, |kit| {
            let line = kit.world.south.cosign(&kit.world.north, 7, BUILT_AT + 301);
            checkpoint(kit, |text| lines(text, &[0, 1, 2, 3, 4, 5]));
            kit.item(CHECKPOINT, 0).extend(line.as_bytes());
        }),
        ("a smaller tree", Reason::Inclusion, |kit| {
            *kit.item(CHECKPOINT, 0) = kit.world.north.checkpoint(6).into_bytes();
        }),
        ("another log's proof", Reason::Inclusion, |kit| {
            kit.world.south.entries = kit.world.north.entries.clone();
            *kit.item(OPENING, 1) = kit.world.south.opening(2, 7).encode();
        }),
        ("another place", Reason::Inclusion, |kit| {
            kit.edit(OPENING, 1, |opening| *opening.at(&[0]) = uint(6));
        }),
        ("a place beyond the tree", Reason::Inclusion, |kit| {
            kit.edit(OPENING, 1, |opening| *opening.at(&[0]) = uint(7));
        }),
        ("another salt", Reason::Inclusion, |kit| {
            kit.edit(OPENING, 1, |opening| opening.at(&[1]).as_bytes()[0] ^= 1);
        }),
        ("another officer in an entry", Reason::Inclusion, |kit| {
            kit.edit(OPENING, 1, |opening| {
                let mut entry = Cbor::decode(opening.at(&[2]).as_bytes());
                *entry.at(&[2]) = text("somebody");
                *opening.at(&[2]) = bytes(entry.encode());
            });
        }),
        ("a hash too few", Reason::Inclusion, |kit| {
            kit.edit(OPENING, 1, |opening| {
                opening.at(&[3]).as_list().pop();
            });
        }),
        ("a query with two times", Reason::OpeningRepeated, |kit| {
            // Its leaf fixes digests alone, so both are in the tree.
            kit.items.push((OPENING, kit.world.north.opening(1, 7).encode()));
            kit.edit(OPENING, 4, |opening| {
                let mut entry = Cbor::decode(opening.at(&[2]).as_bytes());
                *entry.at(&[1]) = uint(NOW - 20);
                *opening.at(&[2]) = bytes(entry.encode());
            });
        }),
        ("a query with two salts", Reason::OpeningMismatch, |kit| {
            kit.edit(OPENING, 0, |opening| opening.at(&[1]).as_bytes()[0] ^= 1);
        }),
        ("a reading in another case", Reason::OpeningForeign, |kit| {
            kit.items.push((OPENING, kit.world.north.opening(5, 7).encode()));
        }),
        ("a confirm of another case", Reason::OpeningForeign, |kit| {
            kit.items.push((OPENING, kit.world.north.opening(6, 7).encode()));
        }),
        ("a heartbeat", Reason::OpeningForeign, |kit| {
            kit.items.push((OPENING, kit.world.north.opening(0, 7).encode()));
        }),
        ("a statement dropped, its entry kept", Reason::OpeningForeign, |kit| {
            kit.drop_item(STATEMENT, 2);
        }),
        ("an entry with another purpose", Reason::OpeningMismatch, |kit| {
            relog(kit, 2, |event| *event.at(&[5]) = text("tax"));
        }),
        ("an entry that says sent for received", Reason::OpeningMismatch, |kit| {
            let event = confirm_event("confirm_received", &kit.world.south, &kit.world.confirm);
            kit.world.north.entries[2].1 = event;
            kit.collect();
        }),
        ("an entry of another kind", Reason::OpeningMismatch, |kit| {
            relog(kit, 3, |event| *event.at(&[1]) = uint(3));
        }),
        ("logged before it was made", Reason::TimeOrder, |kit| {
            kit.world.north.entries[2].0 = NOW - 301;
            kit.collect();
        }),
        ("logged after the bundle was made", Reason::TimeOrder, |kit| {
            kit.world.north.entries[2].0 = BUILT_AT + 301;
            kit.collect();
        }),
        ("logged when it was void", Reason::TimeOrder, |kit| {
            kit.world.north.entries[2].0 = NOW + 90_000;
            *kit.manifest.at(&[3]) = uint(NOW + 100_000);
            kit.collect();
        }),
        ("the answer logged before the question", Reason::TimeOrder, |kit| {
            kit.world.north.entries.swap(2, 3);
            kit.collect();
        }),
    ]);
}

fn checkpoint(kit: &mut Kit, change: impl Fn(&str) -> String) {
    let text = String::from_utf8(kit.item(CHECKPOINT, 0).clone()).unwrap();
    *kit.item(CHECKPOINT, 0) = change(&text).into_bytes();
}

fn lines(text: &str, kept: &[usize]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    kept.iter().map(|number| format!("{}\n", lines[*number])).collect()
}

/// A log that says otherwise, with everything that follows from it.
fn relog(kit: &mut Kit, index: usize, change: fn(&mut Cbor)) {
    change(&mut kit.world.north.entries[index].1);
    kit.collect();
}

#[test]
fn an_insider_cannot_pass_off_receipts_queries_and_omissions() {
    check(&[
        ("a receipt for something else", Reason::ReceiptForeign, |kit| {
            kit.drop_item(OPENING, 3);
            kit.restate(2, 11, |receipt| *receipt.at(&[0]) = bytes([5; 32]));
        }),
        ("a receipt for one's own statement", Reason::ReceiptParties, |kit| {
            kit.drop_item(OPENING, 3);
            let hash = kit.world.confirm.hash();
            let receipt = kit.item(STATEMENT, 2);
            let mut content = Cbor::decode(Cbor::decode(receipt).at(&[0]).as_bytes());
            let mut payload = Cbor::decode(content.at(&[9]).as_bytes());
            *payload.at(&[0]) = bytes(hash);
            *content.at(&[9]) = bytes(payload.encode());
            *receipt = Keys::new(11).signed("symbolon/1 statement", &content);
        }),
        ("a receipt before the statement", Reason::TimeOrder, |kit| {
            kit.drop_item(OPENING, 3);
            kit.restate(2, 11, |receipt| *receipt.at(&[1]) = uint(NOW - 300));
        }),
        ("a receipt with another log's checkpoint", Reason::ReceiptOrigin, |kit| {
            kit.drop_item(OPENING, 3);
            let other = kit.world.south.checkpoint(1);
            receipt(kit, (3, text(&other)));
        }),
        ("a receipt with half a checkpoint", Reason::ReceiptCheckpoint, |kit| {
            kit.drop_item(OPENING, 3);
            let half = lines(&kit.world.north.checkpoint(4), &[0, 1, 2, 3, 4]);
            receipt(kit, (3, text(&half)));
        }),
        ("a receipt beyond its checkpoint", Reason::ReceiptIndex, |kit| {
            kit.drop_item(OPENING, 3);
            receipt(kit, (2, uint(4)));
        }),
        ("a receipt for another leaf", Reason::ReceiptIndex, |kit| {
            kit.drop_item(OPENING, 3);
            receipt(kit, (2, uint(2)));
        }),
        ("no proof that the log continues", Reason::Consistency, |kit| {
            kit.drop_item(CONSISTENCY, 0);
        }),
        ("a false proof that it does", Reason::Consistency, |kit| {
            kit.edit(CONSISTENCY, 0, |proof| proof.at(&[1, 0]).as_bytes()[0] ^= 1);
        }),
        ("a log that was rewritten since", Reason::Consistency, |kit| {
            // The receipt still shows the log as it was.
            kit.world.north.entries[0].0 += 1;
            kit.collect();
        }),
        ("a proof from elsewhere", Reason::ItemUnneeded, |kit| {
            let proof = kit.world.north.consistency(5, 7).encode();
            kit.items.push((CONSISTENCY, proof));
        }),
        ("another identifier than was asked", Reason::PrivatePart, |kit| {
            kit.edit(PRIVATE, 0, |private| {
                let mut content = Cbor::decode(private.at(&[1]).as_bytes());
                content.at(&[7, 0]).as_bytes()[30] ^= 1;
                *private.at(&[1]) = bytes(content.encode());
            });
        }),
        ("another case than was logged", Reason::PrivatePart, |kit| {
            kit.edit(PRIVATE, 0, |private| {
                let mut content = Cbor::decode(private.at(&[1]).as_bytes());
                *content.at(&[6]) = text("T-8");
                *private.at(&[1]) = bytes(content.encode());
            });
        }),
        ("contents of what is no query", Reason::ItemUnneeded, |kit| {
            kit.edit(PRIVATE, 0, |private| *private.at(&[0]) = uint(2));
        }),
        ("a query of another class", Reason::OpeningForeign, |kit| {
            relog(kit, 1, |event| *event.at(&[1]) = text("person"));
        }),
        ("an entry dropped and not named", Reason::LeftOutLacks, |kit| {
            kit.drop_item(OPENING, 2);
            kit.drop_item(STATEMENT, 2);
            kit.drop_item(OPENING, 2);
            kit.drop_item(CONSISTENCY, 0);
        }),
        ("contents dropped and not named", Reason::LeftOutLacks, |kit| {
            kit.drop_item(PRIVATE, 0);
        }),
        ("the agreement dropped and not named", Reason::LeftOutLacks, |kit| {
            kit.drop_item(AGREEMENT, 0);
        }),
        ("the epoch card dropped and not named", Reason::LeftOutLacks, |kit| {
            kit.drop_item(EPOCH_CARD, 0);
        }),
        ("a line of what is left out taken away", Reason::LeftOutLacks, |kit| {
            kit.manifest.at(&[8]).as_list().remove(0);
        }),
        ("another number of entries", Reason::LeftOutLacks, |kit| {
            *kit.manifest.at(&[8, 0, 2]) = text("2");
        }),
        ("named as left out, and there", Reason::LeftOutFalse, |kit| {
            leave_out(kit, ["agreement", "not_kept", "01010101-0101-7001-8001-010101010101"]);
        }),
        ("left out for an unknown reason", Reason::LeftOutFalse, |kit| {
            leave_out(kit, ["statement", "lost", "1"]);
        }),
        ("what is left out in another order", Reason::Malformed, |kit| {
            kit.manifest.at(&[8]).as_list().reverse();
        }),
        ("the index of another bundle", Reason::IndexAltered, |kit| {
            kit.index = Kit::south().index;
        }),
        ("an item of no kind", Reason::Malformed, |kit| kit.items.push((9, vec![0]))),
    ]);
}

fn receipt(kit: &mut Kit, (field, value): (usize, Cbor)) {
    kit.restate(2, 11, |receipt| *receipt.at(&[field]) = value.clone());
}

fn leave_out(kit: &mut Kit, line: [&str; 3]) {
    let lines = kit.manifest.at(&[8]).as_list();
    lines.push(list(line.map(text)));
    lines.sort_by_key(Cbor::encode);
    lines.sort_by_key(|line| {
        let Cbor::List(parts) = line else { panic!("a line") };
        let text = |part: &Cbor| match part {
            Cbor::Text(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        parts.iter().map(text).collect::<Vec<_>>()
    });
}
