//! Identity keys: what both signatures protect, and what no key may be.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its key should stop")]

use proptest::prelude::*;
use symbolon_codec::{decode, encode};
use symbolon_trust::{IdentityKey, IdentityPublic, Scheme, Signatures, TrustError};

const LABEL: &str = "symbolon/1 test";

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate([seed; 32]).unwrap()
}

fn failed(result: Result<symbolon_trust::Verified, TrustError>) -> Scheme {
    match result {
        Err(TrustError::Signature { scheme, .. }) => scheme,
        other => unreachable!("expected a signature failure, got {other:?}"),
    }
}

#[test]
fn a_seed_gives_the_same_keys_everywhere() {
    let (one, again) = (key(7), key(7));
    assert_eq!(one.public(), again.public());
    assert_ne!(one.public(), key(8).public());
    assert_eq!(one.public().fingerprint(), again.public().fingerprint());
    assert_ne!(one.public().fingerprint(), key(8).public().fingerprint());
}

#[test]
fn both_signatures_must_verify() {
    let (mine, other) = (key(1), key(2));
    let good = mine.sign(LABEL, b"text").unwrap();
    assert!(mine.public().verify(LABEL, b"text", &good).is_ok());

    let foreign = other.sign(LABEL, b"text").unwrap();
    let half = Signatures::new(*foreign.ed25519(), good.mldsa65().to_vec()).unwrap();
    assert_eq!(failed(mine.public().verify(LABEL, b"text", &half)), Scheme::Ed25519);
    let half = Signatures::new(*good.ed25519(), foreign.mldsa65().to_vec()).unwrap();
    assert_eq!(failed(mine.public().verify(LABEL, b"text", &half)), Scheme::MlDsa65);
}

#[test]
fn a_signature_serves_one_purpose_and_one_text() {
    let mine = key(1);
    let good = mine.sign(LABEL, b"text").unwrap();
    assert_eq!(failed(mine.public().verify("symbolon/1 tes", b"text", &good)), Scheme::Ed25519);
    assert_eq!(failed(mine.public().verify("symbolon/1 card", b"text", &good)), Scheme::Ed25519);
    assert_eq!(failed(mine.public().verify(LABEL, b"texT", &good)), Scheme::Ed25519);
}

#[test]
fn every_bit_of_both_signatures_counts() {
    let mine = key(1);
    let good = mine.sign(LABEL, b"text").unwrap();
    for index in 0..good.ed25519().len() {
        let mut bytes = *good.ed25519();
        bytes[index] ^= 1 << (index % 8);
        let bad = Signatures::new(bytes, good.mldsa65().to_vec()).unwrap();
        assert_eq!(failed(mine.public().verify(LABEL, b"text", &bad)), Scheme::Ed25519);
    }
    for index in 0..good.mldsa65().len() {
        let mut bytes = good.mldsa65().to_vec();
        bytes[index] ^= 1 << (index % 8);
        let bad = Signatures::new(*good.ed25519(), bytes).unwrap();
        assert_eq!(failed(mine.public().verify(LABEL, b"text", &bad)), Scheme::MlDsa65);
    }
}

/// Small-order and non-canonical points. Source: the table in "Taming the many EdDSAs"
/// (Chalkias, Garillot, Nikolaenko, SSR 2020), section 5.
#[test]
fn weak_and_ambiguous_points_are_no_keys() {
    let points = [
        ("identity", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("identity with sign", "0100000000000000000000000000000000000000000000000000000000000080"),
        ("y = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("y = p + 3", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("not a point", "0200000000000000000000000000000000000000000000000000000000000000"),
    ];
    for (rule, text) in points {
        let point: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
        let refused = IdentityPublic::new(point, vec![0; 1952]);
        assert!(matches!(refused, Err(TrustError::Field { field: "ed25519", .. })), "{rule}");
    }
    let point = *key(1).public().ed25519();
    assert!(IdentityPublic::new(point, vec![0; 1952]).is_ok());
    assert!(IdentityPublic::new(point, vec![0; 1951]).is_err());
    assert!(IdentityPublic::new(point, vec![0; 1953]).is_err());
    assert!(Signatures::new([0; 64], vec![0; 3308]).is_err());
}

#[test]
fn nothing_secret_or_long_is_printed() {
    let mine = key(1);
    let signatures = mine.sign(LABEL, b"text").unwrap();
    assert_eq!(format!("{signatures:?}"), "Signatures(..)");
    let shown = format!("{:?}", mine.public());
    assert_eq!(shown, format!("IdentityPublic({})", mine.public().fingerprint()));
}

#[test]
fn keys_and_signatures_travel_as_arrays_of_two_byte_strings() {
    let mine = key(1);
    let bytes = encode(mine.public());
    assert_eq!(bytes.len(), 1 + 2 + 32 + 3 + 1952);
    assert_eq!(bytes[..3], [0x82, 0x58, 0x20]);
    assert_eq!(decode::<IdentityPublic>(&bytes, 4096).as_ref(), Ok(mine.public()));
    let signatures = mine.sign(LABEL, b"").unwrap();
    let bytes = encode(&signatures);
    assert_eq!(bytes.len(), 1 + 2 + 64 + 3 + 3309);
    assert_eq!(decode::<Signatures>(&bytes, 4096), Ok(signatures));
}

proptest! {
    #[test]
    fn decoders_never_panic(bytes: Vec<u8>) {
        let _ = decode::<IdentityPublic>(&bytes, 4096);
        let _ = decode::<Signatures>(&bytes, 4096);
    }
}
