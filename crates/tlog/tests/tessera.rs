//! The sample log of the Go program Tessera verifies: notes, tiles, entries, proofs, every size.
#![expect(clippy::unwrap_used, reason = "helpers of a test over committed files")]

use std::path::PathBuf;

use symbolon_tlog::tile::{Row, decode_hashes};
use symbolon_tlog::{
    Hash, HashReader, NoteVerifier, SignedCheckpoint, Tile, TileReader, TileSource, TlogError,
    bundle, consistency_proof, inclusion_proof, leaf_hash, root_from, verify_consistency,
    verify_inclusion,
};

const SIZES: std::ops::RangeInclusive<u64> = 0..=15;

fn file(path: &str) -> Vec<u8> {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/tessera-log/testdata");
    std::fs::read(PathBuf::from(log).join(path)).unwrap()
}

fn checkpoint(size: u64) -> SignedCheckpoint {
    SignedCheckpoint::decode(&file(&format!("log/checkpoint.{size}"))).unwrap()
}

/// The files of the log.
struct Files;

impl TileSource for Files {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, TlogError> {
        decode_hashes(&file(&format!("log/{}", tile.path())), tile.width())
    }
}

#[test]
fn checkpoints_verify() {
    let vkey = String::from_utf8(file("log.vkey")).unwrap();
    let verifier = NoteVerifier::parse(vkey.trim_end()).unwrap();
    assert_eq!(format!("{verifier}\n"), vkey);
    for size in SIZES {
        let signed = checkpoint(size);
        assert_eq!(verifier.verify(signed.note()).unwrap().timestamp(), None);
        assert_eq!(signed.checkpoint().origin(), "example.com/log/testdata");
        assert_eq!(signed.checkpoint().size(), size);
        assert_eq!(signed.to_string().into_bytes(), file(&format!("log/checkpoint.{size}")));
    }
    assert_eq!(file("log/checkpoint"), file("log/checkpoint.15"));
}

#[test]
fn tiles_give_the_roots_of_the_checkpoints() {
    for size in SIZES {
        let reader = TileReader::new(Files, size).unwrap();
        assert_eq!(root_from(&reader, size), Ok(checkpoint(size).checkpoint().root()), "{size}");
    }
}

#[test]
fn entries_are_those_of_the_tiles() {
    for size in SIZES.skip(1) {
        let path = Tile::in_tree(Row::Entries, 0, size).unwrap().path();
        let bytes = file(&format!("log/{path}"));
        let width = u16::try_from(size).unwrap();
        let entries = bundle::decode_entries(&bytes, width).unwrap();
        let reader = TileReader::new(Files, size).unwrap();
        for (index, entry) in (0u64..).zip(&entries) {
            assert_eq!(reader.hash(0, index), Ok(leaf_hash(entry)), "{index} of {size}");
        }
        assert_eq!(bundle::encode_entries(&entries), Ok(bytes));
    }
}

#[test]
fn proofs_from_tiles_verify() {
    for size in SIZES {
        let root = checkpoint(size).checkpoint().root();
        let reader = TileReader::new(Files, size).unwrap();
        for index in 0..size {
            let proof = inclusion_proof(&reader, index, size).unwrap();
            let leaf = reader.hash(0, index).unwrap();
            let _ = verify_inclusion(leaf, index, size, &proof, root).unwrap();
        }
        for old in 0..=size {
            let proof = consistency_proof(&reader, old, size).unwrap();
            let old_root = checkpoint(old).checkpoint().root();
            let _ = verify_consistency(old, old_root, size, root, &proof).unwrap();
        }
        assert!(reader.tiles_read() <= 1);
    }
}
