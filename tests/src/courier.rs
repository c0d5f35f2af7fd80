//! The vector of the courier file: one that the first sample node wrote for the second.
//!
//! Implements the vector of spec/relay.md#courier-file.

use serde_json::{Value, json};
use symbolon_codec::sha256;
use symbolon_disclosure::{Manifest, Opened, Payload, open};
use symbolon_trust::NodeId;

use crate::sample::{self, NOW};
use crate::vectors::Vector;

const MAGIC: &[u8] = b"symbolon/1 courier\n";

/// The file carries hedged signatures, so each run writes another.
pub(crate) fn vector() -> Vector {
    let (a, b) = sample::two();
    let envelopes = sample::parcel(&a, &b);
    let framed = envelopes.iter().flat_map(|one| {
        let length = u32::try_from(one.len()).unwrap().to_be_bytes();
        [length.as_slice(), one].concat()
    });
    let file: Vec<u8> = MAGIC.iter().copied().chain(framed).collect();
    Vector {
        name: "courier",
        made: json!({
            "recipient_seed": hex::encode(b.envelope_seed),
            "to": hex::encode(b.card.id().as_bytes()),
            "from": hex::encode(a.card.id().as_bytes()),
            "first_line": hex::encode(MAGIC),
            "parcel": hex::encode([4; 16]),
            "first": 2,
            "next": 4,
            "kinds": ["manifest", "word", "word", "acknowledgement"],
        }),
        signed: json!({ "file": hex::encode(file) }),
        verify,
    }
}

/// Reads the file as spec/relay.md says.
fn verify(signed: &Value) -> bool {
    let (a, b) = sample::two();
    let file = hex::decode(signed["file"].as_str().unwrap()).unwrap();
    let Some(mut rest) = file.strip_prefix(MAGIC) else { return false };
    let secrets = b.secrets();
    let sender = |_: &NodeId| Some(a.key.public().clone());
    let opened = |envelope: &[u8]| open(envelope, &secrets, &sender, &b.card.id(), NOW).ok();
    let mut envelopes = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let Some((envelope, behind)) = behind.split_at_checked(length) else { return false };
        envelopes.push(envelope);
        rest = behind;
    }
    let Some((first, others)) = envelopes.split_first() else { return false };
    let Some(manifest) = opened(first) else { return false };
    let Payload::Manifest(Manifest { envelopes: hashes, first, next, .. }) = manifest.payload()
    else {
        return false;
    };
    let places = others.iter().filter_map(|one| opened(one)).map(|one: Opened| one.sequence());
    let names: Vec<[u8; 32]> = others.iter().map(|one| sha256("", &[one])).collect();
    rest.is_empty()
        && names == *hashes
        && places.collect::<Vec<_>>() == [Some(2), Some(3), None]
        && (*first, *next) == (2, 4)
}
