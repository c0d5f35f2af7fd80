//! Two invented nodes with one matter between them: a query, a confirm, a disclosure, receipts.

use symbolon_codec::sha256;
use symbolon_tlog::{MemoryTree, inclusion_proof, leaf_hash};

use super::cbor::{Cbor, bytes, hashes, list, named, text, uint};
use super::node::{Keys, NOW, Node};

/// Tag of the identifier that both hold.
pub(crate) const TAG: [u8; 16] = [0x51; 16];
/// Entries of the tag set.
const COUNT: u64 = 1_024;
/// Epoch of everything here.
pub(crate) const EPOCH: u64 = NOW / 604_800;

/// One statement.
pub(crate) struct Statement {
    pub(crate) content: Cbor,
}

impl Statement {
    pub(crate) fn new(
        id: u8,
        kind: u64,
        from: &Node,
        to: &Node,
        created: u64,
        payload: &Cbor,
    ) -> Self {
        let mut uuid = [id; 16];
        (uuid[6], uuid[8]) = (0x70, 0x80);
        let policy = if matches!(kind, 2 | 7) { bytes([9; 32]) } else { Cbor::Null };
        let sequence = if matches!(kind, 7 | 8) { uint(u64::from(id)) } else { Cbor::Null };
        let content = list([
            uint(1),
            bytes(uuid),
            uint(kind),
            bytes(from.id()),
            bytes(to.id()),
            uint(created),
            uint(created + 86_400),
            policy,
            sequence,
            bytes(payload.encode()),
        ]);
        Statement { content }
    }

    pub(crate) fn id(&self) -> [u8; 16] {
        self.content.clone().at(&[1]).as_bytes().as_slice().try_into().unwrap()
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256("", &[&self.content.encode()])
    }

    pub(crate) fn signed(&self, keys: &Keys) -> Vec<u8> {
        self.signed_under("symbolon/1 statement", keys)
    }

    pub(crate) fn signed_under(&self, label: &str, keys: &Keys) -> Vec<u8> {
        keys.signed(label, &self.content)
    }
}

/// The matter, before anybody logs it. North asks, south holds.
pub(crate) struct World {
    pub(crate) north: Node,
    pub(crate) south: Node,
    pub(crate) confirm: Statement,
    pub(crate) disclosure: Statement,
    /// North's query: salt, batch digest, private digest; and its private part.
    pub(crate) query: Cbor,
    pub(crate) private: Cbor,
}

impl World {
    pub(crate) fn new() -> World {
        let (north, south) = (Node::new("north", 10), Node::new("south", 20));
        let confirm = list([
            text("document"),
            uint(EPOCH),
            uint(1),
            bytes(TAG),
            bytes([0x52; 32]),
            text("nonproliferation"),
            bytes([0x53; 32]),
        ]);
        let confirm = Statement::new(1, 1, &north, &south, NOW, &confirm);
        let answer = list([view(), bytes(confirm.id()), commitment()]);
        let disclosure = Statement::new(2, 2, &south, &north, NOW + 1, &answer);
        let private = list([
            bytes(south.id()),
            text("document"),
            uint(EPOCH),
            text("officer"),
            text("nonproliferation"),
            text("act 1"),
            text("T-7"),
            list([bytes(key("KX1002001"))]),
            bytes([0x61; 256]),
        ]);
        let digest = sha256("symbolon/1 private", &[&[0x62; 32], &private.encode()]);
        let query = named(
            "query",
            [
                bytes(south.id()),
                text("document"),
                uint(EPOCH),
                uint(8),
                bytes([0x62; 32]),
                bytes([0x63; 32]),
                bytes(digest),
            ],
        );
        World { north, south, confirm, disclosure, query, private }
    }

    /// An agreement of both, signed by both.
    pub(crate) fn agreement(&self) -> Cbor {
        let mut parties = [self.north.id(), self.south.id()];
        parties.sort_unstable();
        list([
            uint(1),
            bytes([0x71; 16]),
            list(parties.map(bytes)),
            text("live"),
            list([text("nonproliferation")]),
            list([text("licence_denial")]),
            list([list([text("document"), uint(1_000)])]),
            uint(604_800),
            uint(365),
            uint(NOW - 10_000),
            uint(NOW + 10_000),
        ])
    }

    pub(crate) fn signed_agreement(&self, content: &Cbor) -> Cbor {
        let content = content.encode();
        let mut parties = [&self.north, &self.south];
        parties.sort_by_key(|node| node.id());
        let signatures = parties.map(|node| {
            let (ed25519, mldsa65) = node.root.sign("symbolon/1 agreement", &content);
            list([bytes(ed25519), bytes(mldsa65)])
        });
        let [first, second] = signatures;
        list([bytes(content), first, second])
    }

    /// South's announcement of the tag set in which north found the tag.
    pub(crate) fn epoch_card(&self) -> Cbor {
        list([
            uint(1),
            bytes(self.south.id()),
            bytes(self.north.id()),
            text("document"),
            uint(EPOCH),
            uint(1),
            uint(EPOCH * 604_800),
            uint((EPOCH + 1) * 604_800),
            bytes([0x54; 32]),
            uint(COUNT),
            bytes(tag_set().root()),
            bytes([0x55; 32]),
            bytes([7; 32]),
        ])
    }

    /// A receipt by one node for a statement of the other.
    pub(crate) fn receipt(
        &self,
        (id, created): (u8, u64),
        (from, to): (&Node, &Node),
        (about, index, size): (&Statement, u64, u64),
    ) -> Statement {
        let payload =
            list([bytes(about.hash()), uint(created), uint(index), text(&from.checkpoint(size))]);
        Statement::new(id, 4, from, to, created, &payload)
    }
}

/// What a confirm leaves in a log.
pub(crate) fn confirm_event(name: &str, partner: &Node, statement: &Statement) -> Cbor {
    named(
        name,
        [
            bytes(partner.id()),
            text("document"),
            uint(EPOCH),
            bytes(statement.id()),
            bytes(statement.hash()),
            text("nonproliferation"),
        ],
    )
}

/// What a statement that came in leaves in a log.
pub(crate) fn received_event(partner: &Node, kind: u64, statement: &Statement) -> Cbor {
    named(
        "received",
        [bytes(partner.id()), uint(kind), bytes(statement.id()), bytes(statement.hash())],
    )
}

/// What a receipt leaves in the log of the node that sends it.
pub(crate) fn receipt_event(partner: &Node, about: &Statement, receipt: &Statement) -> Cbor {
    let fields = [bytes(partner.id()), bytes(about.hash()), bytes(receipt.hash()), text("sent")];
    named("receipt", fields)
}

/// What a disclosure leaves in the log of its holder.
pub(crate) fn disclosed_event(partner: &Node, statement: &Statement) -> Cbor {
    let shown = [bytes([0x31; 16]), bytes([0x32; 32]), bytes([9; 32])];
    sent_event(partner, 2, statement, shown)
}

/// What a statement that leaves leaves in a log: with record, version and policy, or without.
pub(crate) fn sent_event(partner: &Node, kind: u64, said: &Statement, shown: [Cbor; 3]) -> Cbor {
    let [record, version, policy] = shown;
    let fields = match kind {
        2 | 7 => list([text("kind"), text("title")]),
        _ => list([]),
    };
    let (id, hash) = (bytes(said.id()), bytes(said.hash()));
    named("disclosed", [bytes(partner.id()), uint(kind), id, hash, record, version, policy, fields])
}

/// A match key over a passport, framed.
fn key(value: &str) -> Vec<u8> {
    let part = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    [part(&[1]), part(&[1]), part(&[1]), part(b"RUS"), part(value.as_bytes())].concat()
}

fn records() -> Cbor {
    list([list([bytes([0x31; 16]), bytes([0x32; 32])])])
}

/// The set: north's tag at the place 3, anything at the others.
fn tag_set() -> MemoryTree {
    let commitment = sha256("symbolon/1 record", &[&[0x33; 32], &[0x31; 16], &[0x32; 32]]);
    let leaf = |index: u64| match index {
        3 => leaf_hash([TAG.as_slice(), &commitment].concat()),
        _ => leaf_hash(index.to_be_bytes()),
    };
    (0..COUNT).map(leaf).collect()
}

fn commitment() -> Cbor {
    let proof = inclusion_proof(&tag_set(), 3, COUNT).unwrap();
    list([bytes([0x33; 32]), records(), uint(3), hashes(&proof)])
}

/// An invented licence denial, of which a part is shown.
pub(crate) fn view() -> Cbor {
    let empty = || list([]);
    let identifier = list([text("passport"), text("KX 100 2001"), text("RUS"), Cbor::Null]);
    let subject = list([
        text("person"),
        list([text("Ada \u{1b}[31mVexley\u{202e} <b>")]),
        list([text("1970-05")]),
        list([text("NOR")]),
        list([identifier]),
    ]);
    list([
        bytes([0x31; 16]),
        bytes([0x32; 32]),
        text("live"),
        text("licence_denial"),
        text("Refused: valves"),
        Cbor::Null,
        list([subject]),
        empty(),
        empty(),
        list([text("B"), text("2")]),
        Cbor::Null,
        Cbor::Null,
        Cbor::Null,
        Cbor::Null,
        Cbor::Null,
        Cbor::Null,
        list([uint(NOW), uint(NOW + 1_000)]),
        Cbor::Null,
        Cbor::Null,
    ])
}
