//! The published vectors of X-Wing and of HPKE with suite 1, through the very library calls that
//! envelopes use; the encapsulation randomness is fed in, so the sending side is checked as well.

use std::convert::Infallible;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::KdfShake256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::Deserialize;

const HPKE: &str =
    include_str!("../../../spec/vectors/hpke-pq/xwing-shake256-chacha20poly1305.json");
const XWING: &str = include_str!("../../../spec/vectors/xwing/test-vectors.json");

/// Gives the bytes of a vector as randomness, and no more than it has.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("encapsulation fills bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("encapsulation fills bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.copy_from_slice(&self.0.drain(..to.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        hex::decode(String::deserialize(from)?).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
struct XWingVector {
    seed: Hex,
    eseed: Hex,
    ss: Hex,
    pk: Hex,
    ct: Hex,
}

#[test]
fn xwing() {
    let vectors: Vec<XWingVector> = serde_json::from_str(XWING).unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let secret = <XWing as Kem>::PrivateKey::from_bytes(&vector.seed.0).unwrap();
        let public = XWing::sk_to_pk(&secret);
        assert_eq!(public.to_bytes().as_slice(), vector.pk.0);

        let enc = <XWing as Kem>::EncappedKey::from_bytes(&vector.ct.0).unwrap();
        let shared = XWing::decap(&secret, None, &enc).unwrap();
        assert_eq!(shared.0.as_slice(), vector.ss.0);

        let mut randomness = Fixed(vector.eseed.0);
        let (shared, enc) = XWing::encap_with_rng(&public, None, &mut randomness).unwrap();
        assert_eq!(enc.to_bytes().as_slice(), vector.ct.0);
        assert_eq!(shared.0.as_slice(), vector.ss.0);
    }
}

#[derive(Deserialize)]
#[expect(non_snake_case, reason = "the names in the vector file")]
struct HpkeVector {
    mode: u8,
    info: Hex,
    ikmE: Hex,
    ikmR: Hex,
    skRm: Hex,
    pkRm: Hex,
    enc: Hex,
    shared_secret: Hex,
    suite_id: Hex,
    encryptions: Vec<Encryption>,
    exports: Vec<Export>,
}

#[derive(Deserialize)]
struct Encryption {
    aad: Hex,
    ct: Hex,
    pt: Hex,
}

#[derive(Deserialize)]
struct Export {
    exporter_context: Hex,
    #[serde(rename = "L")]
    length_bytes: usize,
    exported_value: Hex,
}

#[test]
fn hpke_suite_1() {
    let vectors: Vec<HpkeVector> = serde_json::from_str(HPKE).unwrap();
    assert_eq!(vectors.len(), 1);
    for vector in vectors {
        assert_eq!(vector.mode, 0);
        assert_eq!(vector.suite_id.0, b"HPKE\x64\x7a\x00\x11\x00\x03");
        let (secret, public) = XWing::derive_keypair(&vector.ikmR.0);
        assert_eq!(secret.to_bytes().as_slice(), vector.skRm.0);
        assert_eq!(public.to_bytes().as_slice(), vector.pkRm.0);

        let enc = <XWing as Kem>::EncappedKey::from_bytes(&vector.enc.0).unwrap();
        let shared = XWing::decap(&secret, None, &enc).unwrap();
        assert_eq!(shared.0.as_slice(), vector.shared_secret.0);

        let (made, mut sender) =
            hpke::setup_sender_with_rng::<ChaCha20Poly1305, KdfShake256, XWing>(
                &OpModeS::Base,
                &public,
                &vector.info.0,
                &mut Fixed(vector.ikmE.0),
            )
            .unwrap();
        assert_eq!(made.to_bytes().as_slice(), vector.enc.0);
        let mut receiver = hpke::setup_receiver::<ChaCha20Poly1305, KdfShake256, XWing>(
            &OpModeR::Base,
            &secret,
            &enc,
            &vector.info.0,
        )
        .unwrap();

        assert_eq!(vector.encryptions.len(), 10);
        for step in &vector.encryptions {
            assert_eq!(sender.seal(&step.pt.0, &step.aad.0).unwrap(), step.ct.0);
            assert_eq!(receiver.open(&step.ct.0, &step.aad.0).unwrap(), step.pt.0);
        }
        assert_eq!(vector.exports.len(), 5);
        for export in &vector.exports {
            let mut value = vec![0; export.length_bytes];
            receiver.export(&export.exporter_context.0, &mut value).unwrap();
            assert_eq!(value, export.exported_value.0);
        }
    }
}
