//! Samples of what passes between two nodes that watch each other: statements, cosignatures.

use symbolon_audit::LogSeen;
use symbolon_disclosure::{
    Account, AccountItem, Author, Passed, Receipt, Recipient, RefusalCode, Sealed, StatementId,
    Terms, seal_account, seal_receipt, seal_refusal,
};
use symbolon_protocol::{Cosign, Cosigned};
use symbolon_tlog::add_checkpoint::format_cosignatures;
use symbolon_tlog::witness::{Head, Swap, authenticate};
use symbolon_tlog::{
    AddCheckpoint, CosignatureSigner, LogVerifier, SignedCheckpoint, consistency_proof, leaf_hash,
};
use symbolon_trust::Mode;

use super::{NOW, Node, SEED, envelope, two};

/// The first node, whose log has twelve leaves more.
#[must_use]
pub fn grown() -> Node {
    let (mut node, _) = two();
    for leaf in 0_u8..12 {
        node.log.append(leaf_hash([leaf; 32])).unwrap();
    }
    node
}

/// One statement of every kind that needs no grant, from `a` to `b`, with a name each.
#[must_use]
pub fn statements(a: &Node, b: &Node) -> Vec<(&'static str, Sealed)> {
    let to = Recipient::new(&b.card, NOW, Mode::Live).unwrap();
    let author = Author { node: a.card.id(), key: &a.key };
    let terms = Terms { created: NOW, expires: NOW + 86_400, in_reply_to: None };
    let in_reply_to = StatementId::from_bytes([1; 16]);
    let refusal = symbolon_disclosure::Refusal { code: RefusalCode::Neutral, in_reply_to };
    vec![
        ("confirm", envelope(b, a)),
        ("refusal", seal_refusal(refusal, &to, &author, &terms, SEED).unwrap()),
        ("receipt", seal_receipt(receipt(a), &to, &author, &terms, SEED).unwrap()),
        ("account", seal_account(account(a), &to, &author, &terms, SEED).unwrap()),
    ]
}

/// The word of `author` that a statement arrived.
#[must_use]
pub fn receipt(author: &Node) -> Receipt {
    Receipt { statement_hash: [9; 32], at: NOW, log_index: 0, checkpoint: author.checkpoint() }
}

/// An account of one thing of every kind.
#[must_use]
pub fn account(author: &Node) -> Account {
    let items = Passed::ALL.into_iter().zip(0_u8..).map(|(passed, number)| AccountItem {
        passed,
        name: [number; 32],
        elements: if number < 2 { 8 } else { 0 },
        log_index: u64::from(number) + 1,
    });
    let until = author.seen().size;
    Account { from: 0, until, items: items.collect(), erased: 0, checkpoint: author.checkpoint() }
}

/// What the node whose log grew asks its witness, who saw it before: what was seen, and the
/// request.
#[must_use]
pub fn cosign() -> (LogSeen, Cosign) {
    let (node, seen) = (grown(), two().0.seen());
    let signed = SignedCheckpoint::parse(&node.checkpoint()).unwrap();
    let proof = consistency_proof(&node.log, seen.size, node.seen().size).unwrap();
    let request = AddCheckpoint::new(seen.size, proof, &signed).unwrap();
    (seen, Cosign::new(&request).unwrap())
}

/// What the witness answers where it agrees, by its key for cosignatures.
#[must_use]
pub fn cosigned(witness: &Node, seen: LogSeen, request: &Cosign) -> Cosigned {
    let verifier = LogVerifier::from(grown().signer.verifier());
    let request = AddCheckpoint::parse(request.body()).unwrap();
    let authentic = authenticate(&request, &verifier).unwrap();
    let accepted = authentic.decide(Head::new(seen.size, seen.root).unwrap()).unwrap();
    let stored = |_: &_| Ok::<_, ()>(Swap::Stored);
    let durable = accepted.make_durable(NOW, stored).unwrap().durable().unwrap();
    let cosigner = CosignatureSigner::of_log(witness.signer.origin(), &witness.log_seed).unwrap();
    let lines = format_cosignatures(&[cosigner.cosign(&durable).unwrap()]).unwrap();
    Cosigned::new(200, lines).unwrap()
}
