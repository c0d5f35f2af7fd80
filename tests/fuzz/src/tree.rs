//! Decoders of logs and of the matching protocol's elements.

/// Notes, checkpoints, keys, tiles, bundles, frontiers.
pub mod tlog {
    use symbolon_tlog::bundle::decode_entries;
    use symbolon_tlog::tile::{Tile, decode_hashes, encode_hashes};
    use symbolon_tlog::{
        Checkpoint, CheckpointVerifier, Frontier, Hash, NoteVerifier, SignedCheckpoint, SignedNote,
        verify_consistency, verify_inclusion,
    };

    /// The first byte is the width of a tile or a bundle as well.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let width = first as u16 + 1;
        if let Ok(hashes) = decode_hashes(rest, width) {
            assert_eq!(encode_hashes(&hashes), rest);
        }
        let _ = decode_entries(rest, width);
        if let Ok(note) = SignedNote::decode(rest) {
            assert_eq!(note.to_string().as_bytes(), rest);
        }
        let _ = SignedCheckpoint::decode(rest);
        proofs(first, rest);
        let Ok(text) = std::str::from_utf8(rest) else { return };
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text);
        }
        if let Ok(tile) = Tile::parse(text) {
            assert_eq!(tile.path(), text);
        }
        if let Ok(verifier) = NoteVerifier::parse(text) {
            if let Ok(note) = SignedNote::decode(rest) {
                let _ = verifier.verify(&note);
            }
        }
        let lines: Vec<&str> = text.lines().collect();
        let _ = CheckpointVerifier::parse(&lines);
    }

    /// Two sizes and a list of hashes.
    fn proofs(first: usize, rest: &[u8]) {
        let Some((sizes, rest)) = rest.split_first_chunk::<16>() else { return };
        let (one, other) = sizes.split_at(8);
        let size = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        let (mut one, mut other) = (size(one), size(other));
        if first % 2 == 0 {
            (one, other) = (one % 600, other % 600);
        }
        let (hashes, _) = rest.as_chunks::<32>();
        let hashes: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
        let root = hashes.first().copied().unwrap_or(symbolon_tlog::EMPTY_ROOT);
        let _ = verify_inclusion(root, one, other, &hashes, root);
        let _ = verify_consistency(one, root, other, root, &hashes);
        if let Ok(mut frontier) = Frontier::from_parts(one, hashes) {
            let _ = (frontier.root(), frontier.append(root), frontier.root());
        }
    }
}

/// Elements, proofs, chunks, openings and transfers.
pub mod oprf {
    use symbolon_codec::{decode, encode};
    use symbolon_oprf::{
        BlindedElement, Chunk, CommitmentOpening, EvaluatedElement, Proof, PublicKey, Tag,
        TagSetTransfer,
    };
    use symbolon_tlog::Hash;

    /// The first byte only moves the rest.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        if let Ok(element) = BlindedElement::decode(rest) {
            assert_eq!(element.as_bytes(), rest);
        }
        let _ = (EvaluatedElement::decode(rest), PublicKey::decode(rest), Proof::decode(rest));
        if let Ok(chunk) = Chunk::decode(rest) {
            assert_eq!(chunk.encode(), rest);
        }
        if let Ok(opening) = decode::<CommitmentOpening>(rest, 65_536) {
            assert_eq!(encode(&opening), rest);
            let _ = opening.verify(&Tag::from_bytes([1; 16]), 1024, &Hash([2; 32]));
        }
        let count = [1024, 1536, 1000, 0][first % 4];
        if let Ok(mut transfer) = TagSetTransfer::new(count, Hash([3; 32])) {
            for chunk in rest.chunks(4096) {
                let _ = transfer.accept(chunk);
            }
            let _ = transfer.finish();
        }
    }
}
