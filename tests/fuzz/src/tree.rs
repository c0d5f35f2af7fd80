//! Decoders of logs and of the matching protocol's elements.

/// Notes, checkpoints, keys, tiles, bundles, frontiers, policies, and what carries checkpoints.
pub mod tlog {
    use symbolon_tlog::add_checkpoint::{format_cosignatures, parse_conflict, parse_cosignatures};
    use symbolon_tlog::bundle::decode_entries;
    use symbolon_tlog::tile::{Tile, decode_hashes, encode_hashes};
    use symbolon_tlog::witness::{Head, receive};
    use symbolon_tlog::{
        AddCheckpoint, Checkpoint, CheckpointVerifier, CosignatureVerifier, Frontier, Hash,
        LogProof, LogVerifier, NoteVerifier, Policy, SignedCheckpoint, SignedNote, SplitView,
        verify_consistency, verify_inclusion,
    };

    const CHECKPOINT: &str = include_str!("../../../spec/vectors/cosignature/checkpoint");
    const VKEYS: &str = include_str!("../../../spec/vectors/cosignature/witness.vkeys");

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
        carried(rest);
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

    /// Requests, answers, proofs and policies, each verified by a key that is no stranger to it.
    fn carried(bytes: &[u8]) {
        // The ML-DSA-44 key may be one of a log as well.
        let key = VKEYS.lines().nth(1).and_then(|vkey| NoteVerifier::parse(vkey).ok()).unwrap();
        let log = |origin: &str| LogVerifier::any(origin, vec![key.clone()]).unwrap();
        if let Ok(request) = AddCheckpoint::decode(bytes) {
            assert_eq!(request.to_string().as_bytes(), bytes);
            let log = log(request.origin());
            if let Ok(authentic) = receive(bytes, |_| Some(&log)) {
                let _ = authentic.decide(Head::EMPTY).map(|accepted| accepted.step().next());
            }
        }
        if let Ok(proof) = LogProof::decode(bytes) {
            assert_eq!(proof.to_string().as_bytes(), bytes);
        }
        if let Ok(split) = SplitView::decode(bytes) {
            assert_eq!(split.to_string().as_bytes(), bytes);
            let _ = split.verify(&log(split.origin()));
        }
        if let Ok(policy) = Policy::parse(bytes) {
            let authentic = log("example.com/behind-the-sofa");
            let authentic = authentic.verify(&SignedCheckpoint::parse(CHECKPOINT).unwrap());
            let _ = policy.evaluate_authentic(authentic.unwrap());
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Ok(lines) = parse_cosignatures(text) {
            assert_eq!(format_cosignatures(&lines).unwrap(), text);
        }
        let _ = parse_conflict(text);
        if let Ok(verifier) = CosignatureVerifier::parse(text) {
            assert_eq!(verifier.to_string(), text);
        }
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
