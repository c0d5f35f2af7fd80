//! Envelopes as a hostile partner, relay or finder would make them; each is refused by its rule.

mod alert;

use proptest::prelude::*;
use symbolon_codec::{DecodeError, encode};
use symbolon_ident::Class;
use symbolon_oprf::{ConfirmCode, Tag};
use symbolon_trust::{
    Document, EnvelopeKey, IdentityKey, IdentityPublic, Mode, Moment, NodeId, Scheme, TrustError,
};

use crate::error::Layer;
use crate::padding::pad;
use crate::payload::{ConfirmRequest, Payload, Refusal, RefusalCode};
use crate::statement::{Envelope, Header, Signed, Statement};
use crate::{
    Author, DisclosureError, Opened, Recipient, RecipientSecret, StatementId, StatementKind, Terms,
    limits, open, seal_confirm, suite,
};

const NOW: u64 = 1_790_000_000;
const EXPIRES: u64 = NOW + 3600;

fn identity(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

fn node(seed: u8) -> NodeId {
    NodeId::from_bytes([seed; 32])
}

fn secret() -> RecipientSecret {
    RecipientSecret::generate([9; 32], Mode::Live)
}

fn drill_secret() -> RecipientSecret {
    RecipientSecret::generate([7; 32], Mode::Exercise)
}

fn envelope_key() -> EnvelopeKey {
    secret().envelope_key(NOW - 1, NOW + 1_000_000)
}

fn drill_key() -> EnvelopeKey {
    drill_secret().envelope_key(NOW - 1, NOW + 1_000_000)
}

fn confirm() -> ConfirmRequest {
    ConfirmRequest {
        class: Class::Document,
        epoch: 2959,
        serial: 1,
        tag: Tag::from_bytes([1; 16]),
        confirm: ConfirmCode::from_bytes([2; 32]),
        purpose: "investigation".into(),
        case_hash: [3; 32],
    }
}

/// Node 2 holds the recipient key and knows node 1.
fn open_at(bytes: &[u8], me: u8, now: u64) -> Result<Opened, DisclosureError> {
    let senders = |id: &NodeId| (*id == node(1)).then(|| identity(1).public().clone());
    let secrets = [RecipientSecret::generate([8; 32], Mode::Live), secret(), drill_secret()];
    open(bytes, &secrets, &senders, &node(me), now)
}

/// Everything that goes into an envelope, to be changed at will before it is sealed.
struct Forge {
    statement: Statement,
    header: Header,
    key: EnvelopeKey,
    signer: IdentityKey,
    /// Under which label it signs.
    label: Mode,
    signed: Option<Vec<u8>>,
    floor: usize,
    plaintext: Option<Vec<u8>>,
}

fn forged(change: impl FnOnce(&mut Forge)) -> Vec<u8> {
    let id = StatementId::generate(NOW, &[4; 32]);
    let (kind, payload) = (StatementKind::Confirm.code(), encode(&confirm()));
    let (from, to) = (node(1), node(2));
    let policy_digest = None;
    let (version, created, expires) = (1, NOW, EXPIRES);
    let mut forge = Forge {
        statement: Statement {
            version,
            id,
            kind,
            from,
            to,
            created,
            expires,
            policy_digest,
            sequence: None,
            payload,
        },
        header: Header { version, suite: 1, to, kid: secret().kid(), id, expires },
        key: envelope_key(),
        signer: identity(1),
        label: Mode::Live,
        signed: None,
        floor: 0,
        plaintext: None,
    };
    change(&mut forge);
    let sign = || Signed::sign(&forge.statement, &forge.signer, forge.label).unwrap().encode();
    let signed = forge.signed.unwrap_or_else(sign);
    let plaintext = forge.plaintext.unwrap_or_else(|| pad(&signed, forge.floor).unwrap().to_vec());
    let header = encode(&forge.header);
    let (enc, ciphertext) = suite::seal(&forge.key, &header, &plaintext, &[5; 32]).unwrap();
    encode(&Envelope { header, enc, ciphertext })
}

fn refused(change: impl FnOnce(&mut Forge)) -> DisclosureError {
    open_at(&forged(change), 2, NOW).unwrap_err()
}

fn field(layer: Layer, field: &'static str) -> DisclosureError {
    DisclosureError::Field { layer, field }
}

fn unreadable(layer: Layer, source: DecodeError) -> DisclosureError {
    DisclosureError::Decode { layer, source }
}

#[test]
fn an_honest_one_opens() {
    let opened = open_at(&forged(|_| {}), 2, NOW).unwrap();
    assert_eq!((opened.from(), opened.created(), opened.expires()), (node(1), NOW, EXPIRES));
    assert_eq!(opened.kind(), StatementKind::Confirm);
    assert_eq!(opened.payload_bytes(), encode(&confirm()));
}

#[test]
fn every_byte_is_protected() {
    let (to, key) = (node(2), envelope_key());
    let signer = identity(1);
    let (recipient, author) =
        (Recipient { node: to, key: &key }, Author { node: node(1), key: &signer });
    let terms = Terms { created: NOW, expires: EXPIRES, in_reply_to: None };
    let sealed = seal_confirm(confirm(), &recipient, &author, &terms, [6; 32]).unwrap();
    assert_eq!(sealed.as_bytes().len(), 4096 + 16 + 1120 + 77);
    assert!(open_at(sealed.as_bytes(), 2, NOW).is_ok());
    for index in 0..sealed.as_bytes().len() {
        let mut bad = sealed.as_bytes().to_vec();
        bad[index] ^= 1 << (index % 8);
        assert!(open_at(&bad, 2, NOW).is_err(), "byte {index} may be changed");
    }
    for length in (0..sealed.as_bytes().len()).step_by(7) {
        assert!(open_at(&sealed.as_bytes()[..length], 2, NOW).is_err(), "cut to {length}");
    }
}

#[test]
fn only_the_addressee_opens_and_only_what_was_written_for_it() {
    let honest = forged(|_| {});
    assert_eq!(open_at(&honest, 3, NOW).unwrap_err(), DisclosureError::NotForMe);
    // Node 2 opens a statement and seals it anew for node 3, or node 3 for itself.
    let forwarded = forged(|forge| forge.header.to = node(3));
    assert_eq!(open_at(&forwarded, 3, NOW).unwrap_err(), DisclosureError::Forwarded);
    assert_eq!(refused(|forge| forge.statement.to = node(3)), DisclosureError::Forwarded);
    assert_eq!(refused(|forge| forge.header.kid = [0; 8]), DisclosureError::UnknownKey);
    let other_key = RecipientSecret::generate([8; 32], Mode::Live).kid();
    assert_eq!(refused(|forge| forge.header.kid = other_key), DisclosureError::Open);
}

#[test]
fn only_the_named_sender_signs() {
    assert_eq!(refused(|forge| forge.statement.from = node(7)), DisclosureError::UnknownSender);
    let document = Document::Statement;
    let signature = |scheme| DisclosureError::Signature(TrustError::Signature { document, scheme });
    assert_eq!(refused(|forge| forge.signer = identity(7)), signature(Scheme::Ed25519));
    // A good Ed25519 signature beside another's ML-DSA-65 signature.
    let mixed = refused(|forge| {
        let mine = Signed::sign(&forge.statement, &identity(1), Mode::Live).unwrap().encode();
        let other = Signed::sign(&forge.statement, &identity(7), Mode::Live).unwrap().encode();
        let split = mine.len() - 3309;
        forge.signed = Some([&mine[..split], &other[split..]].concat());
    });
    assert_eq!(mixed, signature(Scheme::MlDsa65));
}

#[test]
fn times_are_checked() {
    let at = Moment(EXPIRES);
    let late = open_at(&forged(|_| {}), 2, EXPIRES).unwrap_err();
    assert_eq!(late, DisclosureError::Expired { at });
    assert_eq!(late.to_string(), "envelope expired on 2026-09-21 15:13:20 UTC");
    let created = Moment(NOW);
    let early = open_at(&forged(|_| {}), 2, NOW - limits::CLOCK_SKEW_SECONDS_MAX - 1);
    assert_eq!(early.unwrap_err(), DisclosureError::Early { created });
    assert!(open_at(&forged(|_| {}), 2, NOW - limits::CLOCK_SKEW_SECONDS_MAX).is_ok());
    let long = NOW + limits::LIFETIME_SECONDS_MAX + 1;
    for expires in [NOW, NOW - 1, long, u64::MAX] {
        let error = refused(|forge| forge.statement.expires = expires);
        assert_eq!(error, field(Layer::Statement, "expires"), "{expires}");
    }
}

#[test]
fn header_and_statement_agree() {
    let later = refused(|forge| forge.header.expires += 1);
    assert_eq!(later, DisclosureError::Contradiction);
    let other = StatementId::generate(NOW, &[7; 32]);
    assert_eq!(refused(|forge| forge.header.id = other), DisclosureError::Contradiction);
    let version_4 = StatementId::from_bytes([0x44; 16]);
    let error = refused(|forge| (forge.header.id, forge.statement.id) = (version_4, version_4));
    assert_eq!(error, field(Layer::Statement, "id"));
}

#[test]
fn unknown_versions_suites_and_kinds_are_named() {
    let version = |layer| DisclosureError::Version { layer, version: 2 };
    assert_eq!(refused(|forge| forge.header.version = 2), version(Layer::Header));
    assert_eq!(refused(|forge| forge.statement.version = 2), version(Layer::Statement));
    assert_eq!(refused(|forge| forge.header.suite = 2), DisclosureError::Suite { suite: 2 });
    for kind in [0, 5, 11, 255] {
        let error = refused(|forge| forge.statement.kind = kind);
        assert_eq!(error, DisclosureError::Kind { kind });
    }
}

#[test]
fn padding_has_one_form() {
    assert_eq!(refused(|forge| forge.floor = 16 << 10), DisclosureError::Padding);
    let marked = refused(|forge| {
        let signed = Signed::sign(&forge.statement, &forge.signer, Mode::Live).unwrap().encode();
        let mut plaintext = pad(&signed, 0).unwrap().to_vec();
        *plaintext.last_mut().unwrap() = 1;
        forge.plaintext = Some(plaintext);
    });
    assert_eq!(marked, DisclosureError::Padding);
    assert_eq!(refused(|forge| forge.plaintext = Some(Vec::new())), DisclosureError::Padding);
    // A refusal padded like a confirm would tell the network that it is none of the long answers.
    let refusal = |floor| {
        let code = RefusalCode::Neutral;
        let in_reply_to = StatementId::generate(NOW, &[1; 32]);
        let bytes = forged(|forge| {
            forge.statement.kind = StatementKind::Refusal.code();
            forge.statement.payload = encode(&Refusal { code, in_reply_to });
            forge.floor = floor;
        });
        open_at(&bytes, 2, NOW)
    };
    assert!(refusal(limits::ANSWER_BUCKET_BYTES_MIN).is_ok());
    assert_eq!(refusal(0).unwrap_err(), DisclosureError::Padding);
}

#[test]
fn a_confirm_has_no_policy_digest() {
    let error = refused(|forge| forge.statement.policy_digest = Some([1; 32]));
    assert_eq!(error, field(Layer::Statement, "policy_digest"));
}

#[test]
fn every_layer_is_read_strictly() {
    let deep = [vec![0x81; 17], vec![0x00]].concat();
    assert_eq!(
        open_at(&deep, 2, NOW).unwrap_err(),
        unreadable(Layer::Envelope, DecodeError::TooDeep)
    );
    let cases = [
        (deep, DecodeError::TooDeep),
        (vec![0x9f, 0xff], DecodeError::NotDeterministic),
        (vec![0x00, 0x00], DecodeError::Trailing),
        (vec![0x9a, 0xff, 0xff, 0xff, 0xff], DecodeError::Truncated),
        (vec![0x80], DecodeError::Shape),
        (Vec::new(), DecodeError::Truncated),
    ];
    for (bytes, source) in cases {
        let signed = bytes.clone();
        let error = refused(|forge| forge.signed = Some(signed));
        assert_eq!(error, unreadable(Layer::Signed, source));
        let error = refused(|forge| forge.statement.payload = bytes);
        assert_eq!(error, unreadable(Layer::Payload, source));
    }
    let long = encode(&vec![0_u8; limits::ENVELOPE_BYTES_MAX]);
    let source = DecodeError::TooLong { bytes_max: limits::ENVELOPE_BYTES_MAX };
    assert_eq!(open_at(&long, 2, NOW).unwrap_err(), unreadable(Layer::Envelope, source));
}

#[test]
fn odd_lengths_are_refused_before_any_key_is_used() {
    let header = || {
        encode(&Header {
            version: 1,
            suite: 1,
            to: node(2),
            kid: [0; 8],
            id: StatementId::generate(NOW, &[1; 32]),
            expires: EXPIRES,
        })
    };
    let open_parts = |enc: usize, ciphertext: usize| {
        let (enc, ciphertext) = (vec![0; enc], vec![0; ciphertext]);
        open_at(&encode(&Envelope { header: header(), enc, ciphertext }), 2, NOW).unwrap_err()
    };
    assert_eq!(open_parts(1119, 64), field(Layer::Envelope, "enc"));
    assert_eq!(open_parts(1121, 64), field(Layer::Envelope, "enc"));
    assert_eq!(open_parts(1120, 15), field(Layer::Envelope, "ciphertext"));
    assert_eq!(open_parts(1120, 16), DisclosureError::UnknownKey);
}

#[test]
fn payload_fields_are_bounded() {
    for purpose in ["", "Investigation", "two words", &"x".repeat(65)] {
        let payload = encode(&ConfirmRequest { purpose: purpose.into(), ..confirm() });
        let error = refused(|forge| forge.statement.payload = payload);
        assert_eq!(error, field(Layer::Payload, "purpose"), "{purpose:?}");
    }
}

/// A seed used twice by mistake must not give one key and nonce to two plaintexts.
#[test]
fn a_repeated_seed_gives_another_encapsulation() {
    let key = envelope_key();
    let enc = |header: &[u8], text: &[u8]| suite::seal(&key, header, text, &[1; 32]).unwrap();
    assert_eq!(enc(b"header", b"text"), enc(b"header", b"text"));
    assert_ne!(enc(b"header", b"text").0, enc(b"header", b"texT").0);
    assert_ne!(enc(b"header", b"text").0, enc(b"Header", b"text").0);
}

#[test]
fn an_unusable_recipient_key_is_an_error() {
    let short = EnvelopeKey::new(vec![1; 99], Mode::Live, NOW, EXPIRES);
    assert_eq!(suite::seal(&short, b"", b"", &[1; 32]), Err(DisclosureError::RecipientKey));
    let other = EnvelopeKey { suite: 2, ..envelope_key() };
    assert_eq!(suite::seal(&other, b"", b"", &[1; 32]), Err(DisclosureError::Suite { suite: 2 }));
    // Every coefficient of the ML-KEM part is above the modulus (FIPS 203 §7.2).
    let invalid = EnvelopeKey::new(vec![0xff; 1216], Mode::Live, NOW, EXPIRES);
    assert_eq!(suite::seal(&invalid, b"", b"", &[1; 32]), Err(DisclosureError::RecipientKey));
}

/// The numbers of all kinds.
const KINDS: &[u8] = &[1, 2, 3, 4, 6, 7, 8, 9, 10];

proptest! {
    #[test]
    fn no_input_panics(bytes: Vec<u8>) {
        prop_assert!(open_at(&bytes, 2, NOW).is_err());
    }

    #[test]
    fn no_inner_bytes_panic(bytes: Vec<u8>, kind in 0_u8..12) {
        let signed = bytes.clone();
        prop_assert!(open_at(&forged(|forge| forge.signed = Some(signed)), 2, NOW).is_err());
        let plaintext = bytes.clone();
        prop_assert!(open_at(&forged(|forge| forge.plaintext = Some(plaintext)), 2, NOW).is_err());
        let _ = open_at(&forged(|forge| {
            forge.statement.kind = kind;
            forge.statement.payload = bytes;
        }), 2, NOW);
    }

    #[test]
    fn no_payload_panics(bytes: Vec<u8>, kind in prop::sample::select(KINDS)) {
        let kind = StatementKind::from_code(kind).unwrap();
        if let Ok(payload) = Payload::decode(kind, &bytes) {
            prop_assert_eq!(payload.encode(), bytes);
        }
    }
}

/// Senders are asked for by the statement's `from` alone.
#[test]
fn the_sender_is_looked_up_once() {
    let asked = std::cell::RefCell::new(Vec::new());
    let senders = |id: &NodeId| -> Option<IdentityPublic> {
        asked.borrow_mut().push(*id);
        Some(identity(1).public().clone())
    };
    open(&forged(|_| {}), &[secret()], &senders, &node(2), NOW).unwrap();
    assert_eq!(*asked.borrow(), [node(1)]);
}
