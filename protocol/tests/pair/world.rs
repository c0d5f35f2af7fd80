//! Two invented nodes with keys, cards, logs and an agreement.

use std::sync::Arc;

use symbolon_audit::{LogSeen, Receipt};
use symbolon_disclosure::RecipientSecret;
use symbolon_ident::{Class, Country};
use symbolon_protocol::{Context, Established, Handshake, Local, Partner, Transmit};
use symbolon_tlog::{Checkpoint, CheckpointSigner, Hash, MemoryTree, leaf_hash};
use symbolon_trust::{
    Agreement, ClassTerms, DOCUMENT_VERSION, IdentityKey, Mode, NodeCard, NodeName,
    SignedAgreement, SignedCard, TlsPin, VerifiedAgreement, VerifiedCard,
};

pub(crate) const NOW: u64 = 1_790_000_000;
pub(crate) const PROFILE: [u8; 32] = [7; 32];
pub(crate) const EXPORTER: [u8; 32] = [9; 32];

pub(crate) struct Node {
    pub(crate) root: IdentityKey,
    pub(crate) key: Arc<IdentityKey>,
    pub(crate) envelope: RecipientSecret,
    pub(crate) signer: CheckpointSigner,
    pub(crate) log: MemoryTree,
    pub(crate) signed_card: Arc<SignedCard>,
    pub(crate) card: Arc<VerifiedCard>,
    content: NodeCard,
}

impl Node {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let root = IdentityKey::generate([seed; 32]).unwrap();
        let key = IdentityKey::generate([seed + 1; 32]).unwrap();
        let envelope = RecipientSecret::generate([seed + 2; 32], Mode::Live);
        let origin = format!("{name}.example/log");
        let signer = CheckpointSigner::from_seed(&origin, &[seed + 3; 32]).unwrap();
        let content = NodeCard {
            version: DOCUMENT_VERSION,
            root: root.public().clone(),
            name: NodeName::parse(name).unwrap(),
            country: Country::parse("AUT").unwrap(),
            sequence: 3,
            not_before: NOW - 1000,
            not_after: NOW + 1_000_000,
            signing: key.public().clone(),
            envelope_keys: vec![envelope.envelope_key(NOW - 1000, NOW + 1_000_000)],
            tls_pins: vec![TlsPin([seed; 32])],
            addresses: vec![format!("{name}.example:4433")],
            log: signer.verifier().vkeys().to_vec(),
            profile: PROFILE,
        };
        let (signed_card, card) = sign(&content, &root);
        let mut log = MemoryTree::new();
        log.append(leaf_hash("first")).unwrap();
        Self { root, key: Arc::new(key), envelope, signer, log, signed_card, card, content }
    }

    /// A newer card, here only.
    pub(crate) fn renew(&mut self, change: impl FnOnce(&mut NodeCard)) {
        self.content.sequence += 1;
        change(&mut self.content);
        (self.signed_card, self.card) = sign(&self.content, &self.root);
    }

    pub(crate) fn checkpoint(&self) -> String {
        let size = self.log.frontier().size();
        let checkpoint = Checkpoint::new(self.signer.origin(), size, self.log.root()).unwrap();
        self.signer.sign(&checkpoint).unwrap().to_string()
    }

    pub(crate) fn seen(&self) -> LogSeen {
        LogSeen { size: self.log.frontier().size(), root: self.log.root() }
    }

    /// What a store would give after an append.
    pub(crate) fn append(&mut self, leaf_hash: Hash) -> Receipt {
        let leaf_index = self.log.append(leaf_hash).unwrap();
        Receipt { leaf_index, leaf_hash, tree_size: leaf_index + 1 }
    }

    pub(crate) fn local(&self) -> Local {
        Local {
            card: Arc::clone(&self.card),
            signed_card: Arc::clone(&self.signed_card),
            key: Arc::clone(&self.key),
            profile: PROFILE,
            checkpoint: self.checkpoint(),
            log_size: self.log.frontier().size(),
        }
    }

    /// This node as a partner that was seen just now.
    pub(crate) fn partner(&self) -> Partner {
        Partner { card: Arc::clone(&self.card), seen: Some(self.seen()) }
    }
}

fn sign(content: &NodeCard, root: &IdentityKey) -> (Arc<SignedCard>, Arc<VerifiedCard>) {
    let signed = SignedCard::sign(content.clone(), root).unwrap();
    let verified = signed.verify(NOW).unwrap();
    (Arc::new(signed), Arc::new(verified))
}

pub(crate) fn context(own: &Node, other: &Node) -> Context {
    Context { local: own.local(), partner: other.partner(), exporter: EXPORTER }
}

pub(crate) fn agreement(one: &Node, other: &Node) -> VerifiedAgreement {
    let mut parties = [one.card.id(), other.card.id()];
    parties.sort_unstable();
    let agreement = Agreement {
        version: DOCUMENT_VERSION,
        id: [1; 16],
        parties,
        mode: Mode::Exercise,
        purposes: vec!["investigation".into()],
        kinds: vec!["licence_denial".into()],
        classes: vec![ClassTerms { class: Class::Document, budget_per_epoch: 10_000 }],
        epoch_length_seconds: 604_800,
        retention_days: 30,
        not_before: NOW - 1000,
        not_after: NOW + 10_000_000,
    };
    let signed = SignedAgreement::propose(agreement, &one.root).unwrap();
    let signed = signed.countersign(&other.root).unwrap();
    signed.verify(&one.card, &other.card, NOW).unwrap()
}

/// A session of two nodes without a fault, the client's view and the server's.
pub(crate) fn session(client: &Node, server: &Node) -> (Established, Established) {
    session_with(context(client, server), context(server, client))
}

pub(crate) fn session_with(client: Context, server: Context) -> (Established, Established) {
    let mut a = Handshake::client(client, [1; 32], NOW, 0);
    let mut b = Handshake::server(server, [2; 32], NOW, 0);
    super::link::run(&mut a, &mut b, &[]);
    (a.poll_outcome().unwrap().unwrap(), b.poll_outcome().unwrap().unwrap())
}

/// All bytes that a machine wants to write.
pub(crate) fn written(mut poll: impl FnMut() -> Option<Transmit>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(what) = poll() {
        if let Transmit::Bytes(more) = what {
            bytes.extend(more);
        }
    }
    bytes
}
