//! Two invented nodes and one encoded sample of every structure that travels; no product code.
//!
//! Implements the world of spec/vectors/symbolon: everything here follows from fixed seeds, except
//! ML-DSA signatures, which are hedged.

#[path = "sample/alert.rs"]
mod alert;
#[path = "sample/passed.rs"]
mod passed;

use std::sync::Arc;

use serde_bytes::ByteBuf;
use symbolon_audit::{
    LogSeen, QueryEvidence, QueryPrivate, Receipt as Appended, SetTerms, commit, verify_query,
};
use symbolon_codec::{decode, encode};
use symbolon_disclosure::{
    Author, ConfirmRequest, Disclosed, Recipient, RecipientSecret, RefusalCode, Sealed,
    StatementId, Terms, seal_confirm,
};
use symbolon_ident::{Canonical, Class, Country, Kind};
use symbolon_oprf::{
    CommitmentOpening, EpochSeed, KeyNames, Receiver, RecordRef, Sender, SetSalt, Tag, TagSet,
    TagSetBuilder,
};
use symbolon_protocol::{
    AccountRequest, Acknowledge, BulkBegin, BulkCarried, BulkCarry, BulkId, BulkState, BulkWait,
    Card, CardRequest, Context, Cosigned, Disclose, EPOCH_CARD_VERSION, EpochCard, EpochCardCheck,
    Epochs, EpochsRequest, Established, Evaluate, Evaluation, Failure, Handshake, Local, Outgoing,
    Partner, ProtocolError, PushAnswer, Refusal, SignedEpochCard, TagSetDownload, TagSetHeader,
    TagSetProgress, Transmit, VerifiedEpochCard,
};
use symbolon_record::{Field, Record, Transform, View};
use symbolon_tlog::add_checkpoint::format_conflict;
use symbolon_tlog::{
    Checkpoint, CheckpointSigner, MemoryTree, consistency_proof, inclusion_proof, leaf_hash,
};
use symbolon_trust::{
    Agreement, ClassTerms, DOCUMENT_VERSION, IdentityKey, Mode, NodeCard, NodeName, Signatures,
    SignedAgreement, SignedCard, TlsPin, VerifiedAgreement, VerifiedCard,
};

pub use alert::{alert_record, alerts, parcel, pushed};
pub use passed::{account, cosign, cosigned, grown, receipt, statements};

/// The time of the samples, in Unix seconds.
pub const NOW: u64 = 1_790_000_000;
/// Length of an epoch of their agreement, in seconds.
pub const EPOCH_SECONDS: u64 = 604_800;
/// The identifier profile in their cards.
pub const PROFILE: [u8; 32] = [7; 32];
/// What the TLS exporter of their connection gives.
pub const EXPORTER: [u8; 32] = [9; 32];
/// The holder's epoch seed.
pub const EPOCH_SEED: [u8; 32] = [5; 32];
/// A record's salt in the openings, and the seed of every envelope.
pub const SEED: [u8; 32] = [6; 32];

/// A node with its keys, its card and its log of one leaf.
pub struct Node {
    /// Its root.
    pub root: IdentityKey,
    /// Its signing key.
    pub key: Arc<IdentityKey>,
    /// Seed of its live envelope key.
    pub envelope_seed: [u8; 32],
    /// Seed of its envelope key for exercises.
    pub exercise_seed: [u8; 32],
    /// Seed of its log's keys.
    pub log_seed: [u8; 32],
    /// Its log's signer.
    pub signer: CheckpointSigner,
    /// Its log.
    pub log: MemoryTree,
    /// Its card.
    pub signed_card: Arc<SignedCard>,
    /// Its card, verified.
    pub card: Arc<VerifiedCard>,
}

impl Node {
    /// The node of that name; its five seeds are `seed` and the four bytes after it, repeated.
    #[must_use]
    pub fn new(name: &str, seed: u8) -> Self {
        let root = IdentityKey::generate([seed; 32]).unwrap();
        let key = IdentityKey::generate([seed + 1; 32]).unwrap();
        let envelope_seed = [seed + 2; 32];
        let exercise_seed = [seed + 4; 32];
        let log_seed = [seed + 3; 32];
        let origin = format!("{name}.example/log");
        let signer = CheckpointSigner::from_seed(&origin, &log_seed).unwrap();
        let content = NodeCard {
            version: DOCUMENT_VERSION,
            root: root.public().clone(),
            name: NodeName::parse(name).unwrap(),
            country: Country::parse("AUT").unwrap(),
            sequence: 3,
            not_before: NOW - 1000,
            not_after: NOW + 1_000_000,
            signing: key.public().clone(),
            envelope_keys: secrets(envelope_seed, exercise_seed)
                .map(|secret| secret.envelope_key(NOW - 1000, NOW + 1_000_000))
                .to_vec(),
            tls_pins: vec![TlsPin([seed; 32])],
            addresses: vec![format!("{name}.example:4433")],
            log: signer.verifier().vkeys().to_vec(),
            profile: PROFILE,
        };
        let signed_card = SignedCard::sign(content, &root).unwrap();
        let card = Arc::new(signed_card.verify(NOW).unwrap());
        let mut log = MemoryTree::new();
        log.append(leaf_hash("first")).unwrap();
        let (key, signed_card) = (Arc::new(key), Arc::new(signed_card));
        Self { root, key, envelope_seed, exercise_seed, log_seed, signer, log, signed_card, card }
    }

    /// Its envelope keys, live and for exercises.
    #[must_use]
    pub fn secrets(&self) -> [RecipientSecret; 2] {
        secrets(self.envelope_seed, self.exercise_seed)
    }

    /// The unsigned checkpoint of its log.
    #[must_use]
    pub fn tree(&self) -> Checkpoint {
        let size = self.log.frontier().size();
        Checkpoint::new(self.signer.origin(), size, self.log.root()).unwrap()
    }

    /// The signed checkpoint of its log.
    #[must_use]
    pub fn checkpoint(&self) -> String {
        self.signer.sign(&self.tree()).unwrap().to_string()
    }

    /// Size and root of its log.
    #[must_use]
    pub fn seen(&self) -> LogSeen {
        let (size, root) = (self.log.frontier().size(), self.log.root());
        LogSeen { size, root }
    }

    fn local(&self) -> Local {
        Local {
            card: Arc::clone(&self.card),
            signed_card: Arc::clone(&self.signed_card),
            key: Arc::clone(&self.key),
            profile: PROFILE,
            checkpoint: self.checkpoint(),
            log_size: self.log.frontier().size(),
        }
    }

    /// What this node knows when it meets `other`.
    #[must_use]
    pub fn context(&self, other: &Self) -> Context {
        let card = Arc::clone(&other.card);
        let seen = Some(other.seen());
        Context { local: self.local(), partner: Partner { card, seen }, exporter: EXPORTER }
    }
}

fn secrets(live: [u8; 32], exercise: [u8; 32]) -> [RecipientSecret; 2] {
    [(live, Mode::Live), (exercise, Mode::Exercise)]
        .map(|(seed, mode)| RecipientSecret::generate(seed, mode))
}

/// The asker and the holder.
#[must_use]
pub fn two() -> (Node, Node) {
    (Node::new("alpha", 10), Node::new("beta", 20))
}

/// The agreement of the two, before and after its second signature.
#[must_use]
pub fn agreement(one: &Node, other: &Node) -> (SignedAgreement, SignedAgreement) {
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
        epoch_length_seconds: EPOCH_SECONDS,
        retention_days: 30,
        not_before: NOW - 1000,
        not_after: NOW + 10_000_000,
    };
    let half = SignedAgreement::propose(agreement, &one.root).unwrap();
    let whole = half.clone().countersign(&other.root).unwrap();
    (half, whole)
}

/// The agreement of the two, verified.
#[must_use]
pub fn agreed(one: &Node, other: &Node) -> VerifiedAgreement {
    let (_, signed) = agreement(one, other);
    signed.verify(&one.card, &other.card, NOW).unwrap()
}

/// The holder's key for the asker, and the salt of its tag set.
#[must_use]
pub fn sender(holder: &Node, asker: &Node) -> (Sender, SetSalt) {
    let (holder, asker) = (holder.card.id(), asker.card.id());
    let names = KeyNames {
        holder: holder.as_bytes(),
        asker: asker.as_bytes(),
        class: Class::Document,
        epoch: NOW / EPOCH_SECONDS,
    };
    let seed = EpochSeed::new(EPOCH_SEED);
    let salt = SetSalt::derive(&seed, &names, 1);
    (Sender::derive(&seed, &names).unwrap(), salt)
}

/// The invented passports of the holder's list.
pub const PASSPORTS: [&str; 3] = ["C01X00T47", "X4079126", "L898902C3"];

/// The record behind each passport.
#[must_use]
pub fn record_of(number: u8) -> RecordRef {
    let (id, version) = ([number + 1; 16], [number + 101; 32]);
    RecordRef { id, version }
}

/// The holder's tag set over [`PASSPORTS`].
#[must_use]
pub fn tag_set(holder: &Node, asker: &Node) -> TagSet {
    let (sender, salt) = sender(holder, asker);
    let mut builder = TagSetBuilder::new();
    for (number, passport) in (0..).zip(PASSPORTS) {
        for key in Canonical::parse(Kind::Passport, passport).unwrap().keys() {
            builder.add(sender.evaluate(key).unwrap().tag(), record_of(number));
        }
    }
    builder.build(&salt, SEED, 1).unwrap()
}

/// The tag of the first passport's first key.
#[must_use]
pub fn first_tag(holder: &Node, asker: &Node) -> Tag {
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let key = passport.keys().first().unwrap();
    sender(holder, asker).0.evaluate(key).unwrap().tag()
}

/// The epoch card of [`tag_set`].
#[must_use]
pub fn epoch_card(holder: &Node, asker: &Node) -> EpochCard {
    let epoch = agreed(holder, asker).epoch_at(NOW).unwrap();
    let set = tag_set(holder, asker);
    EpochCard {
        version: EPOCH_CARD_VERSION,
        holder: holder.card.id(),
        asker: asker.card.id(),
        class: Class::Document,
        epoch: epoch.number,
        serial: 1,
        not_before: epoch.not_before,
        not_after: epoch.not_after,
        public_key: sender(holder, asker).0.public_key().clone(),
        count: set.count(),
        set_root: set.set_root(),
        tags_root: set.tags_root(),
        profile: PROFILE,
    }
}

/// The epoch card as the asker has verified it.
pub fn verified_epoch_card(holder: &Node, asker: &Node) -> VerifiedEpochCard {
    let signed = SignedEpochCard::sign(epoch_card(holder, asker), &holder.key).unwrap();
    let check = EpochCardCheck {
        holder: &holder.card,
        asker: &asker.card.id(),
        agreement: &agreed(holder, asker),
        profile: &PROFILE,
        now: NOW,
    };
    signed.verify(&check).unwrap()
}

/// The opening of the first passport's commitment, with its tag.
#[must_use]
pub fn opening(holder: &Node, asker: &Node) -> (Tag, CommitmentOpening) {
    let (set, tag) = (tag_set(holder, asker), first_tag(holder, asker));
    let (_, salt) = sender(holder, asker);
    let found = set.chunks().find_map(|chunk| {
        let (place, _) = chunk.find(&tag)?;
        Some(chunk.open_commitment(place, set.level8(), &salt).unwrap())
    });
    (tag, found.unwrap())
}

/// What the asker keeps of its query.
#[must_use]
pub fn private(holder: &Node) -> QueryPrivate {
    QueryPrivate {
        partner: holder.card.id(),
        class: Class::Document,
        epoch: NOW / EPOCH_SECONDS,
        officer: "officer 4".into(),
        purpose: "investigation".into(),
        legal_basis: "article 1".into(),
        case: "case 12".into(),
        identifiers: Vec::new(),
        opening: Vec::new(),
    }
}

/// A batch for the first passport, committed to in the asker's log, and its evidence.
#[must_use]
pub fn committed(asker: &mut Node, holder: &Node) -> (Receiver, QueryEvidence) {
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let receiver = Receiver::blind(passport.keys(), [3; 32]).unwrap();
    let seen = asker.seen();
    let commitment = commit([4; 32], receiver.blinded(), &private(holder)).unwrap();
    let leaf_index = asker.log.append(commitment.leaf().leaf_hash()).unwrap();
    let size = leaf_index + 1;
    let evidence = QueryEvidence {
        salt: [4; 32],
        private_digest: *commitment.private_digest(),
        leaf_index,
        inclusion: inclusion_proof(&asker.log, leaf_index, size).unwrap(),
        checkpoint: asker.checkpoint(),
        consistency: consistency_proof(&asker.log, seen.size, size).unwrap(),
    };
    (receiver, evidence)
}

/// The terms of a set that is matched in bulk.
#[must_use]
pub fn set_terms() -> SetTerms {
    SetTerms {
        class: Class::Document,
        epoch: NOW / EPOCH_SECONDS,
        nonce: [3; 32],
        receiver_count: 1024,
        elements: 1400,
    }
}

/// What a store would say of a leaf.
#[must_use]
pub fn appended() -> Appended {
    Appended { leaf_index: 0, leaf_hash: leaf_hash("entry"), tree_size: 1 }
}

/// What the asker asks the holder to confirm.
#[must_use]
pub fn confirm(holder: &Node, asker: &Node) -> ConfirmRequest {
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let key = passport.keys().first().unwrap();
    let output = sender(holder, asker).0.evaluate(key).unwrap();
    ConfirmRequest {
        class: Class::Document,
        epoch: NOW / EPOCH_SECONDS,
        serial: 1,
        tag: output.tag(),
        confirm: output.confirm_code(),
        purpose: "investigation".into(),
        case_hash: [8; 32],
    }
}

/// The envelope around [`confirm`], from the asker to the holder.
#[must_use]
pub fn envelope(holder: &Node, asker: &Node) -> Sealed {
    let to = Recipient::new(&holder.card, NOW, Mode::Live).unwrap();
    let (node, key) = (asker.card.id(), &*asker.key);
    let terms = Terms { created: NOW, expires: NOW + 86_400, in_reply_to: None };
    let confirm = confirm(holder, asker);
    seal_confirm(confirm, &to, &Author { node, key }, &terms, SEED).unwrap()
}

/// The two ends of an established session.
pub fn session(client: &Node, server: &Node) -> (Established, Established) {
    let (mut a, mut b, _) = handshake(client, server);
    let (a, b) = (a.poll_outcome().unwrap(), b.poll_outcome().unwrap());
    (a.unwrap(), b.unwrap())
}

/// Both machines after a handshake without a fault, and the four frames, whole.
#[must_use]
pub fn handshake(client: &Node, server: &Node) -> (Handshake, Handshake, [Vec<u8>; 4]) {
    let mut a = Handshake::client(client.context(server), [1; 32], NOW, 0);
    let mut b = Handshake::server(server.context(client), [2; 32], NOW, 0);
    let client_hello = written(|| a.poll_transmit());
    b.handle_bytes(&client_hello, 0);
    let server_hello = written(|| b.poll_transmit());
    a.handle_bytes(&server_hello, 0);
    let client_finish = written(|| a.poll_transmit());
    b.handle_bytes(&client_finish, 0);
    let accept = written(|| b.poll_transmit());
    a.handle_bytes(&accept, 0);
    (a, b, [client_hello, server_hello, client_finish, accept])
}

/// All bytes that a machine wants to write.
#[must_use]
pub fn written(mut poll: impl FnMut() -> Option<Transmit>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(what) = poll() {
        if let Transmit::Bytes(more) = what {
            bytes.extend(more);
        }
    }
    bytes
}

/// A sample record and what a partner sees of it: everything, or what is always there.
#[must_use]
pub fn view(number: u64, whole: bool) -> (Record, View) {
    let record = symbolon_record::sample::record(number).unwrap();
    let none: &[Transform] = &[];
    let fields = Field::ALL.iter().filter(|_| whole).map(|field| (*field, none));
    let view = View::project(&record, fields);
    (record, view)
}

/// The three byte strings of an envelope or of a signed statement.
#[must_use]
pub fn parts(bytes: &[u8]) -> [Vec<u8>; 3] {
    let (a, b, c): (ByteBuf, ByteBuf, ByteBuf) = decode(bytes, bytes.len()).unwrap();
    [a, b, c].map(ByteBuf::into_vec)
}

/// An encoded structure.
pub struct Sample {
    /// Its name here.
    pub name: &'static str,
    /// Its rule in spec/messages.cddl.
    pub rule: &'static str,
    /// Its bytes; of a message without the length before it.
    pub bytes: Vec<u8>,
}

pub(crate) fn sample((name, rule, bytes): (&'static str, &'static str, Vec<u8>)) -> Sample {
    Sample { name, rule, bytes }
}

/// One sample of every structure that is stored or signed, frames apart.
#[must_use]
pub fn structures() -> Vec<Sample> {
    let (mut a, b) = two();
    let (half, whole) = agreement(&a, &b);
    let signed = SignedEpochCard::sign(epoch_card(&b, &a), &b.key).unwrap();
    let sealed = envelope(&b, &a);
    let (_, opening) = opening(&b, &a);
    let (_, evidence) = committed(&mut a, &b);
    let (_, shown) = view(4, true);
    let in_reply_to = StatementId::from_bytes([1; 16]);
    let disclosed = Disclosed {
        view: shown.clone(),
        in_reply_to: Some(in_reply_to),
        opening: Some(opening.clone()),
    };
    let code = RefusalCode::Neutral;
    let [header, _, _] = parts(sealed.as_bytes());
    let [statement, _, _] = parts(sealed.signed());
    let all = vec![
        ("card", "card", encode(a.card.card())),
        ("signed_card", "signed-card", a.signed_card.encode()),
        ("agreement", "agreement", encode(whole.agreement())),
        ("half_agreement", "signed-agreement", half.encode()),
        ("signed_agreement", "signed-agreement", whole.encode()),
        ("epoch_card", "epoch-card", encode(&epoch_card(&b, &a))),
        ("signed_epoch_card", "signed-epoch-card", signed.encode()),
        ("envelope", "envelope", sealed.as_bytes().to_vec()),
        ("header", "header", header),
        ("signed_statement", "signed-statement", sealed.signed().to_vec()),
        ("statement", "statement", statement),
        ("confirm", "confirm", encode(&confirm(&b, &a))),
        ("refusal", "refusal", encode(&symbolon_disclosure::Refusal { code, in_reply_to })),
        ("receipt", "receipt", encode(&receipt(&b))),
        ("account", "account", encode(&account(&grown()))),
        ("disclosure", "disclosure", encode(&disclosed)),
        ("evidence", "evidence", evidence.encode()),
        ("opening", "opening", encode(&opening)),
        ("view", "view", shown.encode()),
        ("bare_view", "view", view(5, false).1.encode()),
    ];
    all.into_iter().chain(of_alerts(&a, &b)).map(sample).collect()
}

/// The statements about alerts and what they say.
fn of_alerts(a: &Node, b: &Node) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let sealed = alerts(Mode::Live, a, b);
    let [statement, _, _] = parts(sealed.first().unwrap().1.signed());
    let payloads = sealed.iter().map(|(name, sealed)| {
        let rule = match *name {
            "contest" | "withdrawn" => "word",
            "manifest" => "parcel-manifest",
            other => other,
        };
        (*name, rule, sealed.payload().to_vec())
    });
    let mut all: Vec<_> = payloads.collect();
    all.push(("alert_statement", "statement", statement));
    for (mode, name) in [(Mode::Live, "alert_signed"), (Mode::Exercise, "drill_signed")] {
        let (_, sealed) = alerts(mode, a, b).into_iter().next().unwrap();
        all.push((name, "signed-statement", sealed.signed().to_vec()));
    }
    let (_, drill) = alerts(Mode::Exercise, a, b).into_iter().next().unwrap();
    all.push(("drill_envelope", "envelope", drill.into_bytes()));
    all
}

/// One sample of every message, and of both forms where it has two.
#[must_use]
pub fn messages() -> Vec<Sample> {
    let (mut a, b) = two();
    let (client, server) = session(&a, &b);
    let (_, _, [client_hello, server_hello, client_finish, accept]) = handshake(&a, &b);
    let signed = SignedEpochCard::sign(epoch_card(&b, &a), &b.key).unwrap();
    let card = verified_epoch_card(&b, &a);
    let sealed = Disclose::new(envelope(&b, &a), appended()).unwrap();
    let reply = Disclose::new(envelope(&a, &b), appended()).unwrap();
    let with_card = Acknowledge::with(reply, &server).unwrap();
    let mut request = TagSetDownload::begin(&client, &card, &TagSetProgress::default(), 0);
    let request = written(|| request.as_mut().unwrap().poll_transmit());
    let header = TagSetHeader { count: 1024, from_chunk: 0 };
    let (receiver, evidence) = committed(&mut a, &b);
    let verifier = a.signer.verifier();
    let proven = verify_query(&evidence, receiver.blinded(), &verifier, None).unwrap();
    let evaluate = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let blinded = receiver.blinded();
    let evaluated = sender(&b, &a).0.blind_evaluate(blinded, SEED).unwrap();
    let answer = Evaluation::new(&evaluate, blinded, &proven, appended(), &evaluated).unwrap();
    let remaining = Refusal::BudgetExhausted { remaining: 3 };
    let error = ProtocolError::Refused(remaining);
    let (seen, cosign) = cosign();
    let cosigned = cosigned(&b, seen, &cosign);
    let conflict = Cosigned::new(409, format_conflict(seen.size)).unwrap();
    let terms = set_terms();
    let bulk_begin = BulkBegin::new(&terms, 3 << 19, committed(&mut two().0, &b).1);
    let bulk_state = BulkState::new(Some(1536), [4; 32]);
    // Of no statement: the frame alone is shown.
    let signatures = Signatures::new([7; 64], vec![8; 3309]).unwrap();
    let carry = BulkCarry {
        id: BulkId::of(&terms),
        partition: 0,
        attempt: 0,
        sent: 300,
        taken: 4,
        bytes: vec![5; 40],
    };
    let (push, push_answer) = pushed(&a, &b, &server);
    let nothing_pushed = PushAnswer::new(None, [1, 1], &server).unwrap();
    let unknown = Cosigned::new(404, String::new()).unwrap();
    let all = vec![
        ("error", message(&Failure::new(&error))),
        ("plain_error", message(&Failure::new(&ProtocolError::Truncated))),
        ("client_hello", client_hello),
        ("server_hello", server_hello),
        ("client_finish", client_finish),
        ("accept", accept),
        ("card_request", message(&CardRequest::new())),
        ("card", message(&Card::new(&b.signed_card))),
        ("epochs_request", message(&EpochsRequest::new())),
        ("epochs", message(&Epochs::new(&[signed]).unwrap())),
        ("tag_set_request", request),
        ("tag_set", message(&header)),
        ("evaluate", message(&evaluate)),
        ("evaluated", message(&answer)),
        ("deliver", message(&sealed)),
        ("delivered", message(&Acknowledge::taken())),
        ("delivered_answer", message(&with_card)),
        ("cosign", message(&cosign)),
        ("cosigned", message(&cosigned)),
        ("cosigned_conflict", message(&conflict)),
        ("cosigned_unknown", message(&unknown)),
        ("account_request", message(&AccountRequest::new(7))),
        ("bulk_begin", message(&bulk_begin)),
        ("bulk_wait", message(&BulkWait::new(BulkId::of(&terms)))),
        ("bulk_wait_signed", message(&BulkWait::signed(BulkId::of(&terms), signatures.clone()))),
        ("bulk_state", message(&bulk_state)),
        ("bulk_state_signed", message(&bulk_state.clone().with_signatures(signatures))),
        ("bulk_state_gathering", message(&BulkState::new(None, [4; 32]))),
        ("bulk_carry", message(&carry)),
        ("bulk_carried", message(&BulkCarried::new(vec![5; 40]).unwrap())),
        ("push", message(&push)),
        ("pushed", message(&push_answer)),
        ("pushed_nothing", message(&nothing_pushed)),
    ];
    let unframed = |(name, frame): (_, Vec<u8>)| sample((name, "message", frame[4..].to_vec()));
    all.into_iter().chain(alert::relayed(&a, &b)).map(unframed).collect()
}

fn message(message: &impl Outgoing) -> Vec<u8> {
    symbolon_protocol::encode(message)
}
