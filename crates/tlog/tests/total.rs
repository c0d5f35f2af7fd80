//! Every parser is total, and accepts only what it would itself write.

use proptest::prelude::*;
use symbolon_tlog::note::SignedNote;
use symbolon_tlog::{
    Checkpoint, Frontier, Hash, NoteVerifier, SignedCheckpoint, Tile, bundle, tile,
    verify_consistency, verify_inclusion,
};

const NOTE: &str = "example.com/log\n1\n+zoErtsZtGO6sfiSV/v4UJSIyowisE8hvjw0q5+bD38=\n\n\
    — example.com/log Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFX=\n";
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// `text` with a few bytes overwritten, removed or put in.
fn near(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let alphabet = prop_oneof![
        Just(b'\n'),
        Just(b'+'),
        Just(b'='),
        Just(b' '),
        Just(b'/'),
        Just(b'0'),
        any::<u8>()
    ];
    let edits = proptest::collection::vec((0..text.len(), alphabet, 0..3u8), 0..4);
    edits.prop_map(move |edits| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte, how) in edits {
            let at = at.min(bytes.len().saturating_sub(1));
            match how {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.remove(at)),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|slot| *slot = byte),
            }
        }
        bytes
    })
}

fn hashes() -> impl Strategy<Value = Vec<Hash>> {
    proptest::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..70)
}

proptest! {
    #[test]
    fn notes(bytes in prop_oneof![near(NOTE), proptest::collection::vec(any::<u8>(), 0..300)]) {
        if let Ok(note) = SignedNote::decode(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
            let _ = NoteVerifier::parse(VKEY).map(|verifier| verifier.verify(&note));
        }
        if let Ok(signed) = SignedCheckpoint::decode(&bytes) {
            prop_assert_eq!(signed.checkpoint().to_string(), signed.note().text());
        }
    }

    #[test]
    fn checkpoints(
        text in "[a-z./+ ]{0,12}\n[0-9+]{0,20}\n[A-Za-z0-9+/=]{0,45}\n([a-z]{0,3}\n){0,3}",
    ) {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_string(), text);
        }
    }

    #[test]
    fn any_checkpoint_comes_back(
        origin in "[^\\x00-\\x1f]{1,60}",
        size in 1..i64::MAX as u64,
        root: [u8; 32],
    ) {
        let checkpoint = Checkpoint::new(&origin, size, Hash(root)).unwrap();
        prop_assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint));
    }

    #[test]
    fn verifier_keys(bytes in near(VKEY)) {
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(verifier) = NoteVerifier::parse(&text)
        {
            prop_assert_eq!(verifier.to_string(), text);
        }
    }

    #[test]
    fn tile_paths(path in "tile/([0-9]|entries)(/x[0-9]{3}){0,7}/[0-9]{3}(\\.p/[0-9]{1,3})?") {
        if let Ok(tile) = Tile::parse(&path) {
            prop_assert_eq!(tile.path(), path);
        }
    }

    #[test]
    fn any_text(text: String) {
        let _ = Tile::parse(&text);
        let _ = Checkpoint::parse(&text);
        let _ = NoteVerifier::parse(&text);
        let _ = SignedNote::parse(&text);
    }

    #[test]
    fn bundles(bytes in proptest::collection::vec(0..4u8, 0..60), width in 0..20u16) {
        if let Ok(entries) = bundle::decode_entries(&bytes, width) {
            prop_assert_eq!(bundle::encode_entries(&entries), Ok(bytes.clone()));
        }
        if let Ok(hashes) = tile::decode_hashes(&bytes, width) {
            prop_assert_eq!(tile::encode_hashes(&hashes), bytes);
        }
    }

    #[test]
    fn proofs(old: u64, new: u64, small in 0..80u64, a: [u8; 32], b: [u8; 32], proof in hashes()) {
        let near = (old % 80, small);
        for (old, new) in [(old, new), near, (old >> 1, new >> 1), (new >> 2, u64::MAX >> 1)] {
            let forged = verify_inclusion(Hash(a), old, new, &proof, Hash(b));
            prop_assert!(forged.is_err());
            let _ = verify_consistency(old, Hash(a), new, Hash(b), &proof);
            let _ = Frontier::from_parts(new, proof.clone());
        }
    }
}
