//! A bundle taken apart and put together again, honestly or not.

use symbolon_codec::sha256;
use symbolon_verify::{Draft, ItemKind, LeftOut, MANIFEST_LABEL, Making, Subject};

use super::cbor::{Cbor, bytes, list, named, text, uint};
use super::node::{Keys, NOW, Node};
use super::world::{
    EPOCH, Statement, World, confirm_event, disclosed_event, receipt_event, received_event,
};

pub(crate) const CARD: u8 = 1;
pub(crate) const AGREEMENT: u8 = 2;
pub(crate) const EPOCH_CARD: u8 = 3;
pub(crate) const STATEMENT: u8 = 4;
pub(crate) const CHECKPOINT: u8 = 5;
pub(crate) const OPENING: u8 = 6;
pub(crate) const PRIVATE: u8 = 7;
pub(crate) const CONSISTENCY: u8 = 8;
pub(crate) const THEIR_OPENING: u8 = 9;

const KINDS: [ItemKind; 9] = [
    ItemKind::Card,
    ItemKind::Agreement,
    ItemKind::EpochCard,
    ItemKind::Statement,
    ItemKind::Checkpoint,
    ItemKind::Opening,
    ItemKind::Private,
    ItemKind::Consistency,
    ItemKind::TheirOpening,
];

/// When the bundles are made.
pub(crate) const BUILT_AT: u64 = NOW + 100;

/// Documents on their way into a bundle, and what its manifest says.
pub(crate) struct Kit {
    pub(crate) world: World,
    /// North's receipt, where the matter is a hit.
    pub(crate) receipt: Option<Statement>,
    pub(crate) items: Vec<(u8, Vec<u8>)>,
    /// `[version, builder, card, built_at, officer, reason, subject, items, left_out]`.
    pub(crate) manifest: Cbor,
    pub(crate) index: String,
    pub(crate) subject: Subject,
    /// Seed of the key that signs the manifest.
    pub(crate) signer: u8,
}

impl Kit {
    /// North's bundle about its hit.
    pub(crate) fn north() -> Kit {
        let mut world = World::new();
        let query = world.query.clone();
        world.north.append(NOW - 10, query);
        let event = confirm_event("confirm_sent", &world.south, &world.confirm);
        world.north.append(NOW, event);
        let event = received_event(&world.south, 2, &world.disclosure);
        let index = world.north.append(NOW + 2, event);
        let size = world.north.size();
        let about = (&world.disclosure, index, size);
        let receipt = world.receipt((3, NOW + 2), (&world.north, &world.south), about);
        let event = receipt_event(&world.south, &world.disclosure, &receipt);
        world.north.append(NOW + 2, event);
        // Of another case, and never in a bundle.
        world.north.append(NOW + 3, named("read", [bytes([1; 16]), text("shown")]));
        let event = confirm_event("confirm_sent", &world.south, &other_confirm(&world));
        world.north.append(NOW + 4, event);
        Kit::of(world, receipt)
    }

    fn of(world: World, receipt: Statement) -> Kit {
        let mut kit = Kit { receipt: Some(receipt), ..Kit::empty(world) };
        kit.collect();
        kit.finish(1);
        kit
    }

    pub(crate) fn empty(world: World) -> Kit {
        Kit {
            world,
            receipt: None,
            items: Vec::new(),
            manifest: Cbor::Null,
            index: String::new(),
            subject: Subject { kind: "case".into(), name: "T-7".into() },
            signer: 11,
        }
    }

    /// North's items as its log and documents are now.
    pub(crate) fn collect(&mut self) {
        let (world, north) = (&self.world, &self.world.north);
        let size = north.size();
        let checkpoint = north.checkpoint(size) + &world.south.cosign(north, size, NOW + 50);
        let agreement = world.signed_agreement(&world.agreement()).encode();
        let epoch = world.south.signing.signed("symbolon/1 epoch card", &world.epoch_card());
        let mut items = vec![
            (CARD, north.signed_card()),
            (CARD, world.south.signed_card()),
            (AGREEMENT, agreement),
            (EPOCH_CARD, epoch),
            (STATEMENT, world.confirm.signed(&north.signing)),
            (STATEMENT, world.disclosure.signed(&world.south.signing)),
            (STATEMENT, self.receipt.as_ref().unwrap().signed(&north.signing)),
            (CHECKPOINT, checkpoint.into_bytes()),
            (PRIVATE, list([uint(1), bytes(world.private.encode())]).encode()),
            (CONSISTENCY, north.consistency(4, size).encode()),
        ];
        items.extend((1..5).map(|index| (OPENING, north.opening(index, size).encode())));
        self.items = items;
    }

    /// South's bundle about the same matter.
    pub(crate) fn south() -> Kit {
        let mut kit = Kit::north();
        let world = &mut kit.world;
        let card = sha256("symbolon/1 epoch card digest", &[&world.epoch_card().encode()]);
        let north = bytes(world.north.id());
        let made = [north, text("document"), uint(EPOCH), uint(1), bytes(card), text("made")];
        world.south.append(NOW - 100, named("policy", [bytes([9; 32]), text("accepted")]));
        world.south.append(NOW - 50, named("epoch_card", made));
        for event in [
            confirm_event("confirm_received", &world.north, &world.confirm),
            disclosed_event(&world.north, &world.disclosure),
            received_event(&world.north, 1, &world.confirm),
            received_event(&world.north, 4, kit.receipt.as_ref().unwrap()),
        ] {
            world.south.append(NOW + 3, event);
        }
        let south = &kit.world.south;
        let size = south.size();
        kit.items.retain(|(kind, _)| *kind < CHECKPOINT);
        kit.items.push((CHECKPOINT, south.checkpoint(size).into_bytes()));
        kit.items.extend((1..size).map(|index| (OPENING, south.opening(index, size).encode())));
        kit.signer = 21;
        kit.finish(2);
        kit
    }

    /// A third node: its keys and card, and no part in the matter.
    pub(crate) fn third() -> Node {
        Node::new("third", 40)
    }

    /// Lets the library make north's bundle of the items as they are.
    pub(crate) fn remake(&mut self) {
        self.finish(1);
    }

    /// Lets the library make the bundle, and takes its manifest and index.
    pub(crate) fn finish(&mut self, who: u8) {
        let node = if who == 1 { &self.world.north } else { &self.world.south };
        let making = Making {
            node: node.id(),
            card_digest: node.card_digest(),
            built_at: BUILT_AT,
            officer: "officer".into(),
            reason: "court order 12/2026".into(),
            subject: self.subject.clone(),
        };
        let mut draft = Draft::new();
        for (kind, bytes) in &self.items {
            draft.add(KINDS[usize::from(*kind) - 1], bytes.clone());
        }
        if who == 1 && self.receipt.is_some() {
            draft.left_out(LeftOut::new("query", "other_case", "1"));
        }
        let unsigned = draft.manifest(making).unwrap();
        self.manifest = Cbor::decode(unsigned.as_bytes());
        let (ed25519, mldsa65) = node.signing.sign(MANIFEST_LABEL, unsigned.as_bytes());
        let finished = unsigned.finish(ed25519, mldsa65).unwrap();
        self.index = finished.verified.page().to_owned();
    }

    /// The bundle, with a manifest that names the items as they are now, signed again.
    pub(crate) fn seal(&mut self) -> Vec<u8> {
        self.items.sort();
        let hash = |(kind, item): &(u8, Vec<u8>)| {
            bytes(sha256("symbolon/1 evidence item", &[&[*kind], item]))
        };
        *self.manifest.at(&[7]) = Cbor::List(self.items.iter().map(hash).collect());
        self.wire().encode()
    }

    /// The file with the manifest as it is.
    pub(crate) fn wire(&self) -> Cbor {
        let manifest = self.manifest.encode();
        let (ed25519, mldsa65) = Keys::new(self.signer).sign(MANIFEST_LABEL, &manifest);
        let item = |(kind, item): &(u8, Vec<u8>)| list([uint(u64::from(*kind)), bytes(item)]);
        list([
            uint(1),
            bytes(manifest),
            bytes(ed25519),
            bytes(mldsa65),
            Cbor::List(self.items.iter().map(item).collect()),
            text(&self.index),
        ])
    }

    /// The n-th item of a kind, in the order in which they were collected.
    pub(crate) fn item(&mut self, kind: u8, number: usize) -> &mut Vec<u8> {
        let mut items = self.items.iter_mut().filter(|item| item.0 == kind);
        &mut items.nth(number).unwrap().1
    }

    /// Takes the n-th item of a kind away.
    pub(crate) fn drop_item(&mut self, kind: u8, number: usize) -> Vec<u8> {
        let item = self.item(kind, number).clone();
        self.items.retain(|(_, bytes)| *bytes != item);
        item
    }

    /// Changes a field of an item.
    pub(crate) fn edit(&mut self, kind: u8, number: usize, change: impl Fn(&mut Cbor)) {
        let item = self.item(kind, number);
        let mut value = Cbor::decode(item);
        change(&mut value);
        *item = value.encode();
    }

    /// Changes the content of a signed document, and signs it again with the keys of that seed.
    pub(crate) fn resign(
        &mut self,
        (kind, number): (u8, usize),
        (label, seed): (&str, u8),
        change: impl Fn(&mut Cbor),
    ) {
        let item = self.item(kind, number);
        let mut content = Cbor::decode(Cbor::decode(item).at(&[0]).as_bytes());
        change(&mut content);
        *item = Keys::new(seed).signed(label, &content);
    }

    /// Changes the payload of the n-th statement, and has its sender sign it again.
    pub(crate) fn restate(&mut self, number: usize, seed: u8, change: impl Fn(&mut Cbor)) {
        self.resign((STATEMENT, number), ("symbolon/1 statement", seed), |content| {
            let mut payload = Cbor::decode(content.at(&[9]).as_bytes());
            change(&mut payload);
            *content.at(&[9]) = bytes(payload.encode());
        });
    }
}

/// A confirm of another case.
fn other_confirm(world: &World) -> Statement {
    let payload = list([
        text("document"),
        uint(EPOCH),
        uint(1),
        bytes([0x77; 16]),
        bytes([0x78; 32]),
        text("nonproliferation"),
        bytes([0x79; 32]),
    ]);
    Statement::new(9, 1, &world.north, &world.south, NOW + 4, &payload)
}
