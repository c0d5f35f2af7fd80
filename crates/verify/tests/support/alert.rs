//! An alert between the two nodes: sent, acknowledged, taken back, deleted; as each side shows it.

use symbolon_verify::Subject;

use super::cbor::{Cbor, bytes, list, named, text, uint};
use super::kit::{AGREEMENT, CARD, CHECKPOINT, CONSISTENCY, Kit, OPENING, STATEMENT};
use super::node::{NOW, Node};
use super::world::{Statement, World, received_event, sent_event, view};

/// The alert, as the subject of a bundle.
pub(crate) const ALERT: &str = "31313131-3131-3131-3131-313131313131";

/// What was said, and by whom.
struct Said {
    label: &'static str,
    mode: &'static str,
    alert: Statement,
    word: Statement,
    delivered: Statement,
    deleted: Statement,
}

impl Said {
    fn signed(&self, statement: &Statement, by: &Node) -> (u8, Vec<u8>) {
        (STATEMENT, statement.signed_under(self.label, &by.signing))
    }
}

/// `[statement, stage, at, leaf]`.
fn item(about: &Statement, stage: u64, at: u64, leaf: u64) -> Cbor {
    list([bytes(about.hash()), uint(stage), uint(at), uint(leaf)])
}

fn acknowledgement(mut items: Vec<Cbor>, checkpoint: &str) -> Cbor {
    items.sort_by_key(Cbor::encode);
    list([Cbor::List(items), text(checkpoint)])
}

/// What became of the alert.
pub(crate) fn alert_event(act: &str, mode: &str, recipients: u64) -> Cbor {
    let name = if mode == "live" { "alert" } else { mode };
    let fields = [text(act), bytes([0x31; 16]), bytes([0x32; 32]), text(mode), uint(recipients)];
    named(name, fields)
}

/// That its content is gone.
pub(crate) fn deleted_event(origin: &Node, hash: [u8; 32], mode: &str) -> Cbor {
    named("deleted", [bytes([0x31; 16]), bytes(origin.id()), bytes(hash), text(mode)])
}

fn without() -> [Cbor; 3] {
    [Cbor::Null, Cbor::Null, Cbor::Null]
}

fn with() -> [Cbor; 3] {
    [bytes([0x31; 16]), bytes([0x32; 32]), bytes([9; 32])]
}

/// North sends, south deletes what north takes back; both log it.
fn said(world: &mut World, mode: &'static str) -> Said {
    let label = match mode {
        "live" => "symbolon/1 statement",
        _ => "symbolon/1 exercise statement",
    };
    let World { north, south, .. } = world;
    let mut shown = view();
    *shown.at(&[2]) = text(mode);
    let times = [NOW + 900, NOW + 9_000, NOW + 90_000].map(uint);
    let [read_by, act_by, expires_on] = times;
    let alert = list([uint(1), shown, Cbor::Null, read_by, act_by, expires_on]);
    let alert = Statement::new(1, 7, north, south, NOW, &alert);
    north.append(NOW - 9, named("policy", [bytes([9; 32]), text("accepted")]));
    north.append(NOW - 1, alert_event("accepted", mode, 2));
    north.append(NOW, sent_event(south, 7, &alert, with()));
    south.append(NOW + 1, received_event(north, 7, &alert));
    let items = vec![item(&alert, 1, NOW + 1, 1)];
    let delivered = acknowledgement(items, &south.checkpoint(2));
    let delivered = Statement::new(2, 9, south, north, NOW + 1, &delivered);
    south.append(NOW + 1, sent_event(north, 9, &delivered, without()));
    north.append(NOW + 2, received_event(south, 9, &delivered));
    let word = list([bytes([0x31; 16]), bytes([0x32; 32]), list([uint(1), uint(1)])]);
    let word = Statement::new(3, 8, north, south, NOW + 5, &word);
    north.append(NOW + 5, sent_event(south, 8, &word, without()));
    south.append(NOW + 6, received_event(north, 8, &word));
    south.append(NOW + 6, deleted_event(north, alert.hash(), mode));
    let items = vec![item(&word, 1, NOW + 6, 3), item(&alert, 4, NOW + 6, 4)];
    let deleted = acknowledgement(items, &south.checkpoint(5));
    let deleted = Statement::new(4, 9, south, north, NOW + 6, &deleted);
    south.append(NOW + 6, sent_event(north, 9, &deleted, without()));
    north.append(NOW + 7, received_event(south, 9, &deleted));
    // Of other business on both sides.
    north.append(NOW + 8, named("read", [bytes([1; 16]), text("shown")]));
    Said { label, mode, alert, word, delivered, deleted }
}

fn kit(world: World, said: &Said) -> Kit {
    let mut kit = Kit::empty(world);
    kit.subject = Subject { kind: "alert".into(), name: ALERT.into() };
    let world = &kit.world;
    let mut agreement = world.agreement();
    *agreement.at(&[3]) = text(said.mode);
    kit.items = vec![
        (CARD, world.north.signed_card()),
        (CARD, world.south.signed_card()),
        (AGREEMENT, world.signed_agreement(&agreement).encode()),
    ];
    kit
}

/// The bundle of the origin, which still has the statement.
pub(crate) fn origin(mode: &'static str) -> Kit {
    let mut world = World::new();
    let said = said(&mut world, mode);
    let mut kit = kit(world, &said);
    let World { north, south, .. } = &kit.world;
    let size = north.size();
    kit.items.extend([
        said.signed(&said.alert, north),
        said.signed(&said.delivered, south),
        said.signed(&said.word, north),
        said.signed(&said.deleted, south),
        (CHECKPOINT, north.checkpoint(size).into_bytes()),
    ]);
    kit.items.extend((1..7).map(|index| (OPENING, north.opening(index, size).encode())));
    kit.finish(1);
    kit
}

/// The bundle of the recipient, which has deleted it.
pub(crate) fn recipient(mode: &'static str) -> Kit {
    let mut world = World::new();
    let said = said(&mut world, mode);
    let mut kit = kit(world, &said);
    let World { north, south, .. } = &kit.world;
    let size = south.size();
    kit.items.extend([
        said.signed(&said.delivered, south),
        said.signed(&said.word, north),
        said.signed(&said.deleted, south),
        (CHECKPOINT, south.checkpoint(size).into_bytes()),
    ]);
    kit.items.extend((1..6).map(|index| (OPENING, south.opening(index, size).encode())));
    kit.items.extend([2, 5].map(|old| (CONSISTENCY, south.consistency(old, size).encode())));
    kit.signer = 21;
    kit.finish(2);
    kit
}

/// The openings of north's log anew, and a checkpoint over it.
pub(crate) fn relogged(kit: &mut Kit, index: usize, change: fn(&mut Cbor)) {
    change(&mut kit.world.north.entries[index].1);
    let (north, size) = (&kit.world.north, kit.world.north.size());
    kit.items.retain(|(kind, _)| !matches!(*kind, CHECKPOINT | OPENING));
    kit.items.push((CHECKPOINT, north.checkpoint(size).into_bytes()));
    kit.items.extend((1..7).map(|index| (OPENING, north.opening(index, size).encode())));
}

/// The same of south's log, whose acknowledgements show it as it was.
pub(crate) fn their_relogged(kit: &mut Kit, index: usize, change: fn(&mut Cbor)) {
    change(&mut kit.world.south.entries[index].1);
    let (south, size) = (&kit.world.south, kit.world.south.size());
    kit.items.retain(|(kind, _)| !matches!(*kind, CHECKPOINT | OPENING));
    kit.items.push((CHECKPOINT, south.checkpoint(size).into_bytes()));
    kit.items.extend((1..6).map(|index| (OPENING, south.opening(index, size).encode())));
}
