//! A node as the specification has it: keys, cards, a log. Uses nothing of the node's own code.

use aws_lc_rs::signature::{KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, PqdsaKeyPair};
use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signer, SigningKey};
use symbolon_codec::sha256;
use symbolon_tlog::{
    Checkpoint, CheckpointSigner, Hash, MemoryTree, consistency_proof, inclusion_proof, leaf_hash,
};

use super::cbor::{Cbor, bytes, hashes, list, text, uint};

/// The time of this world.
pub(crate) const NOW: u64 = 1_790_000_000;

/// A root, or a signing identity.
pub(crate) struct Keys {
    ed25519: SigningKey,
    mldsa65: PqdsaKeyPair,
}

impl Keys {
    pub(crate) fn new(seed: u8) -> Keys {
        let ed25519 = SigningKey::from_bytes(&[seed; 32]);
        let mldsa65 = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, &[seed; 32]).unwrap();
        Keys { ed25519, mldsa65 }
    }

    pub(crate) fn public(&self) -> Cbor {
        let ed25519 = self.ed25519.verifying_key().to_bytes();
        list([bytes(ed25519), bytes(self.mldsa65.public_key())])
    }

    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let ed25519 = self.ed25519.verifying_key().to_bytes();
        sha256("symbolon/1 root", &[&ed25519, self.mldsa65.public_key().as_ref()])
    }

    /// Both signatures over label ‖ SHA-256(bytes).
    pub(crate) fn sign(&self, label: &str, content: &[u8]) -> ([u8; 64], Vec<u8>) {
        let message = [label.as_bytes(), &sha256("", &[content])].concat();
        let mut mldsa65 = vec![0; 3309];
        assert_eq!(self.mldsa65.sign(&message, &mut mldsa65).unwrap(), 3309);
        (self.ed25519.sign(&message).to_bytes(), mldsa65)
    }

    /// `[content: bstr, ed25519, mldsa65]`.
    pub(crate) fn signed(&self, label: &str, content: &Cbor) -> Vec<u8> {
        let content = content.encode();
        let (ed25519, mldsa65) = self.sign(label, &content);
        list([bytes(content), bytes(ed25519), bytes(mldsa65)]).encode()
    }
}

/// A node with a log of entries.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) seed: u8,
    pub(crate) root: Keys,
    pub(crate) signing: Keys,
    pub(crate) log: CheckpointSigner,
    /// At, and the event.
    pub(crate) entries: Vec<(u64, Cbor)>,
}

impl Node {
    pub(crate) fn new(name: &'static str, seed: u8) -> Node {
        let root = Keys::new(seed);
        let log = CheckpointSigner::from_seed(&origin(&root), &[seed + 2; 32]).unwrap();
        let first = (NOW - 500, text("heartbeat"));
        Node { name, seed, root, signing: Keys::new(seed + 1), log, entries: vec![first] }
    }

    pub(crate) fn id(&self) -> [u8; 32] {
        self.root.fingerprint()
    }

    /// The content of its card.
    pub(crate) fn card(&self) -> Cbor {
        let public = [self.seed; 1216];
        let kid = sha256("", &[&public]);
        let (from, to) = (uint(NOW - 1_000), uint(NOW + 1_000_000));
        let key =
            [bytes(&kid[..8]), uint(1), bytes(public), from.clone(), to.clone(), text("live")];
        let key = list(key);
        let [ed25519, mldsa44] = self.log.verifier().vkeys();
        list([
            uint(1),
            self.root.public(),
            text(self.name),
            text("NOR"),
            uint(3),
            from,
            to,
            self.signing.public(),
            list([key]),
            list([bytes([self.seed; 32])]),
            list([text("node.example:4433")]),
            list([text(&ed25519), text(&mldsa44)]),
            bytes([7; 32]),
        ])
    }

    pub(crate) fn signed_card(&self) -> Vec<u8> {
        self.root.signed("symbolon/1 card", &self.card())
    }

    pub(crate) fn card_digest(&self) -> [u8; 32] {
        sha256("symbolon/1 card digest", &[&self.card().encode()])
    }

    /// Appends an entry; its index.
    pub(crate) fn append(&mut self, at: u64, event: Cbor) -> u64 {
        self.entries.push((at, event));
        self.entries.len() as u64 - 1
    }

    fn entry(&self, index: u64) -> ([u8; 32], Vec<u8>) {
        let (at, event) = &self.entries[index as usize];
        let entry = list([uint(1), uint(*at), text("officer"), event.clone()]);
        (sha256("salt", &[&[self.seed], &index.to_be_bytes()]), entry.encode())
    }

    fn leaf(&self, index: u64) -> Hash {
        let (salt, entry) = self.entry(index);
        let (_, event) = &self.entries[index as usize];
        if let Cbor::Named(name, fields) = event
            && name == "query"
        {
            let mut fields = fields.clone();
            let digests = [4, 5, 6].map(|place| fields.at(&[place]).as_bytes().clone());
            return leaf_hash(sha256("symbolon/1 query", &digests.each_ref().map(Vec::as_slice)));
        }
        leaf_hash(sha256("symbolon/1 leaf", &[&salt, &entry]))
    }

    pub(crate) fn tree(&self, size: u64) -> MemoryTree {
        (0..size).map(|index| self.leaf(index)).collect()
    }

    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A signed checkpoint over the first `size` entries.
    pub(crate) fn checkpoint(&self, size: u64) -> String {
        let root = self.tree(size).root();
        let checkpoint = Checkpoint::new(self.log.origin(), size, root).unwrap();
        self.log.sign(&checkpoint).unwrap().to_string()
    }

    /// `[index, salt, entry, proof]` in the tree of the first `size` entries.
    pub(crate) fn opening(&self, index: u64, size: u64) -> Cbor {
        let (mut salt, entry) = self.entry(index);
        if let Cbor::Named(name, fields) = &self.entries[index as usize].1
            && name == "query"
        {
            salt = fields.clone().at(&[4]).as_bytes().as_slice().try_into().unwrap();
        }
        let proof = inclusion_proof(&self.tree(size), index, size).unwrap();
        list([uint(index), bytes(salt), bytes(entry), hashes(&proof)])
    }

    /// `[size, proof]` from an earlier size.
    pub(crate) fn consistency(&self, old: u64, new: u64) -> Cbor {
        let proof = consistency_proof(&self.tree(new), old, new).unwrap();
        list([uint(old), hashes(&proof)])
    }

    /// A cosignature line of type 0x06 under another log's checkpoint, made by the specification.
    pub(crate) fn cosign(&self, other: &Node, size: u64, at: u64) -> String {
        let seed = sha256("symbolon/1 log ml-dsa-44", &[&[self.seed + 2; 32]]);
        let key = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &seed).unwrap();
        let (name, theirs) = (origin(&self.root), origin(&other.root));
        let root = other.tree(size).root();
        let message = [
            b"subtree/v1\n\0".as_slice(),
            &[name.len() as u8],
            name.as_bytes(),
            &at.to_be_bytes(),
            &[theirs.len() as u8],
            theirs.as_bytes(),
            &0_u64.to_be_bytes(),
            &size.to_be_bytes(),
            root.as_bytes(),
        ]
        .concat();
        let mut signature = vec![0; 2420];
        assert_eq!(key.sign(&message, &mut signature).unwrap(), 2420);
        let public = key.public_key().as_ref();
        let id = sha256(&name, &[&[0x0a, 0x06], public]);
        let line = [&id[..4], &at.to_be_bytes(), &signature].concat();
        format!("— {name} {}\n", Base64::encode_string(&line))
    }
}

/// Origin of a node's log.
pub(crate) fn origin(root: &Keys) -> String {
    let digits = root.fingerprint().map(|byte| format!("{byte:02x}")).concat();
    format!("symbolon/1/log/{digits}")
}
