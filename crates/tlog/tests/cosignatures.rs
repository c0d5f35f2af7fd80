//! Cosignatures of both types, the policies that demand them and the proofs that carry them.
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

#[path = "support/sample.rs"]
mod sample;

use proptest::prelude::*;
use sample::{NOW, ORIGIN, cosigned, durable, log, log_verifier, request, signed, tree, witness};
use symbolon_tlog::note::{KeyName, SignatureLine, SignedNote};
use symbolon_tlog::{
    AddCheckpoint, Checkpoint, CheckpointSigner, CosignatureSigner, CosignatureType,
    CosignatureVerifier, Hash, LogProof, NoteVerifier, Policy, QuorumMet, QuorumMissing,
    SignedCheckpoint, SplitView, TlogError, inclusion_proof, leaf_hash,
};

const VECTOR_VKEYS: &str = include_str!("../../../spec/vectors/cosignature/witness.vkeys");
const VECTOR: &str = include_str!("../../../spec/vectors/cosignature/checkpoint");

fn both() -> [CosignatureSigner; 2] {
    [
        witness("w.example/1", CosignatureType::Ed25519, 1),
        witness("w.example/2", CosignatureType::MlDsa44, 2),
    ]
}

fn with_lines(signed: &SignedCheckpoint, lines: Vec<SignatureLine>) -> SignedCheckpoint {
    let note = SignedNote::new(signed.note().text().to_owned(), lines).unwrap();
    SignedCheckpoint::from_note(note).unwrap()
}

#[test]
fn cosignatures_of_another_library_verify() {
    let signed = SignedCheckpoint::parse(VECTOR).unwrap();
    let kinds = [CosignatureType::Ed25519, CosignatureType::MlDsa44];
    assert_eq!(VECTOR_VKEYS.lines().count(), 2);
    for (vkey, kind) in VECTOR_VKEYS.lines().zip(kinds) {
        let verifier = CosignatureVerifier::parse(vkey).unwrap();
        assert_eq!((verifier.to_string().as_str(), verifier.cosignature_type()), (vkey, kind));
        let verdict = verifier.verify(&signed).unwrap();
        assert_eq!(verdict.timestamp(), Some(1_679_315_147));
        assert_eq!((verdict.origin(), verdict.size()), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(verdict.key_id(), verifier.key_id());
        let name = KeyName::parse("witness.example.com/w1").unwrap();
        let seed: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let signer = CosignatureSigner::from_seed(name, kind, &seed).unwrap();
        assert_eq!(*signer.verifier(), verifier);
    }
}

#[test]
fn several_cosign_one_checkpoint_and_strangers_are_ignored() {
    let [one, two] = both();
    let note = cosigned(&signed("a", 7), &[&one, &two]);
    let note = SignedCheckpoint::parse(&note.to_string()).unwrap();
    assert_eq!(note.note().signatures().len(), 4);
    assert!(log().verifier().verify(&note).is_ok());
    for signer in [&one, &two] {
        let verdict = signer.verifier().verify(&note).unwrap();
        assert_eq!(verdict.name(), signer.verifier().name());
        assert_eq!((verdict.root(), verdict.timestamp()), (note.checkpoint().root(), Some(NOW)));
        assert!(verdict.clone().stated_by(NOW).is_ok());
        assert_eq!(verdict.stated_by(NOW - 1), Err(TlogError::TimestampInFuture));
    }
    // The same name with another key, and the same key under another name.
    for (name, kind, seed) in [
        ("w.example/1", CosignatureType::Ed25519, 9),
        ("w.example/3", CosignatureType::Ed25519, 1),
        ("w.example/1", CosignatureType::MlDsa44, 1),
    ] {
        let other = witness(name, kind, seed);
        assert_eq!(other.verifier().verify(&note), Err(TlogError::SignatureMissing));
    }
}

#[test]
fn a_repeated_cosigner_speaks_once_and_truly() {
    for signer in both() {
        let checkpoint = signed("a", 7);
        let line = |now| signer.cosign(&durable(&checkpoint, now)).unwrap();
        let twice = with_lines(&checkpoint, vec![line(NOW + 5), line(NOW), line(NOW)]);
        assert_eq!(signer.verifier().verify(&twice).unwrap().timestamp(), Some(NOW + 5));
        let stolen = signer.cosign(&durable(&signed("a", 9), NOW)).unwrap();
        let spoiled = with_lines(&checkpoint, vec![line(NOW), stolen]);
        assert_eq!(signer.verifier().verify(&spoiled), Err(TlogError::SignatureInvalid));
    }
}

#[test]
fn extension_lines_are_covered_by_ed25519_only() {
    let root = Hash([3; 32]);
    let origin = "example.com/extended";
    let extended =
        |line: &str| Checkpoint::with_extensions(origin, 7, root, vec![line.to_owned()]).unwrap();
    let key = symbolon_tlog::NoteSigner::from_seed(
        KeyName::parse(origin).unwrap(),
        symbolon_tlog::SignatureType::Ed25519,
        &[4; 32],
    );
    let key = key.unwrap();
    let log = symbolon_tlog::LogVerifier::any(origin, vec![key.verifier().clone()]).unwrap();
    let text = extended("one").to_string();
    let note = SignedNote::new(text, vec![key.sign(&extended("one"), 0).unwrap()]).unwrap();
    let request =
        AddCheckpoint::new(0, vec![], &SignedCheckpoint::from_note(note).unwrap()).unwrap();
    let accepted = symbolon_tlog::witness::authenticate(&request, &log)
        .unwrap()
        .decide(symbolon_tlog::witness::Head::EMPTY)
        .unwrap();
    let durable = accepted
        .make_durable(NOW, |_| Ok::<_, ()>(symbolon_tlog::witness::Swap::Stored))
        .unwrap()
        .durable()
        .unwrap();
    let [one, two] = both();
    for (signer, covered) in [(one, true), (two, false)] {
        let line = signer.cosign(&durable).unwrap();
        let changed = SignedNote::new(extended("two").to_string(), vec![line]).unwrap();
        let verdict = signer.verifier().verify(&SignedCheckpoint::from_note(changed).unwrap());
        assert_eq!(verdict.is_err(), covered);
    }
}

#[test]
fn verifier_keys_are_of_their_purpose() {
    let [ed25519, ml_dsa_44] = log().verifier().vkeys();
    assert!(CosignatureVerifier::parse(&ed25519).is_err());
    // Type 0x06 serves both.
    assert!(CosignatureVerifier::parse(&ml_dsa_44).is_ok());
    let [one, two] = both();
    assert!(NoteVerifier::parse(&one.verifier().to_string()).is_err());
    assert!(NoteVerifier::parse(&two.verifier().to_string()).is_ok());
    let vkey = one.verifier().to_string();
    for bad in [
        vkey.replace("w.example/1", "w.example/2"),
        vkey.replacen('+', "+0", 1),
        format!("{vkey}\n"),
        vkey[..vkey.len() - 4].to_owned(),
        String::new(),
    ] {
        assert!(CosignatureVerifier::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn every_changed_byte_of_a_cosignature_is_noticed() {
    let [one, two] = both();
    for signer in [one, two] {
        let line = signer.cosign(&durable(&signed("a", 7), NOW)).unwrap();
        let text = with_lines(&signed("a", 7), vec![line]).to_string();
        for position in
            (0..text.len()).filter(|at| *at < 200 || at % 16 == 0 || at + 8 > text.len())
        {
            let mut bytes = text.clone().into_bytes();
            bytes[position] ^= 0x01;
            let verdict = SignedCheckpoint::decode(&bytes)
                .and_then(|signed| signer.verifier().verify(&signed));
            assert!(verdict.is_err(), "byte {position}");
        }
    }
}

fn quorum() -> (Policy, [CosignatureSigner; 2]) {
    let [one, two] = both();
    let [vkey, _] = log().verifier().vkeys();
    let text = format!(
        "log {vkey}\nwitness one {}\nwitness two {}\ngroup both all one two\nquorum both\n",
        one.verifier(),
        two.verifier()
    );
    (Policy::parse(text.as_bytes()).unwrap(), [one, two])
}

fn met(policy: &Policy, signed: &SignedCheckpoint) -> Result<QuorumMet, QuorumMissing> {
    policy.evaluate(signed).unwrap().met()
}

fn proof(index: u64, size: u64) -> LogProof {
    let (_, [one, two]) = quorum();
    let path = inclusion_proof(&tree("a"), index, size).unwrap();
    LogProof::new(index, path, cosigned(&signed("a", size), &[&one, &two])).unwrap()
}

#[test]
fn a_log_proof_verifies_offline() {
    let (policy, [one, _]) = quorum();
    for (index, size) in (1..=20).flat_map(|size| (0..size).map(move |index| (index, size))) {
        if size > 4 && index != 2 && size != 19 {
            continue;
        }
        let proof = proof(index, size);
        let text = proof.to_string();
        let read = LogProof::parse(&text).unwrap();
        assert_eq!((&read, read.to_string()), (&proof, text));
        let word = if index < 4 { "leaf" } else { "a" };
        let leaf = leaf_hash(format!("{word} {index}"));
        let logged = read.verify(leaf, met(&policy, read.signed()).unwrap()).unwrap();
        assert_eq!((logged.included().index(), logged.included().leaf()), (index, leaf));
        assert_eq!(logged.quorum().cosignatures().len(), 2);
        let false_leaf = read.verify(leaf_hash("x"), met(&policy, read.signed()).unwrap());
        assert_eq!(false_leaf.map(|_| ()), Err(TlogError::ProofMismatch));
    }
    let lacking = cosigned(&signed("a", 7), &[&one]);
    let missing = met(&policy, &lacking).unwrap_err();
    assert_eq!(missing.missing()[0].as_bytes(), b"two");
    let elsewhere = met(&policy, proof(1, 9).signed()).unwrap();
    let other = proof(1, 7).verify(leaf_hash("leaf 1"), elsewhere);
    assert_eq!(other.map(|_| ()), Err(TlogError::OtherCheckpoint));
}

#[test]
fn extra_data_is_carried_and_trusted_by_nobody() {
    let plain = proof(2, 7);
    let extra = plain.clone().with_extra(b"case".to_vec()).unwrap();
    assert!(extra.to_string().starts_with("c2sp.org/tlog-proof@v1\nextra Y2FzZQ==\nindex 2\n"));
    let read = LogProof::parse(&extra.to_string()).unwrap();
    assert_eq!(read.unauthenticated_extra(), Some(&b"case"[..]));
    assert_eq!(plain.unauthenticated_extra(), None);
    assert!(plain.clone().with_extra(Vec::new()).is_err());
    assert!(plain.with_extra(vec![0; 65_537]).is_err());
}

#[test]
fn malformed_log_proofs_are_refused() {
    let text = proof(2, 7).with_extra(b"case".to_vec()).unwrap().to_string();
    let hash = text.lines().nth(3).unwrap().to_owned();
    let cases = [
        ("nothing", String::new()),
        ("other version", text.replacen("@v1", "@v2", 1)),
        ("no index", text.replacen("index 2\n", "", 1)),
        ("leading zero", text.replacen("index 2", "index 02", 1)),
        ("sign", text.replacen("index 2", "index +2", 1)),
        ("index beyond", text.replacen("index 2", "index 9223372036854775807", 1)),
        ("empty extra", text.replacen("extra Y2FzZQ==", "extra ", 1)),
        ("lax extra", text.replacen("extra Y2FzZQ==", "extra Y2FzZR==", 1)),
        ("extra twice", text.replacen("index", "extra Y2FzZQ==\nindex", 1)),
        ("extra late", text.replacen("extra Y2FzZQ==\nindex 2\n", "index 2\nextra Y2FzZQ==\n", 1)),
        ("short hash", text.replacen(&hash, "AAAA", 1)),
        ("65 hashes", text.replacen(&hash, &vec![hash.as_str(); 65].join("\n"), 1)),
        ("two empty lines", text.replacen("\n\n", "\n\n\n", 1)),
        ("no checkpoint", text.split_once("\n\n").unwrap().0.to_owned() + "\n\n"),
        ("carriage returns", text.replace('\n', "\r\n")),
        ("too long", text.replacen("Y2FzZQ==", &"A".repeat(300_000), 1)),
    ];
    for (rule, text) in cases {
        let verdict = LogProof::parse(&text);
        assert!(matches!(verdict, Err(TlogError::Malformed { .. })), "{rule}: {verdict:?}");
    }
    assert!(LogProof::new(2, vec![Hash([0; 32]); 65], signed("a", 7)).is_err());
}

#[test]
fn every_changed_byte_of_a_log_proof_is_noticed() {
    let (policy, _) = quorum();
    let text = proof(2, 7).to_string();
    let leaf = leaf_hash("leaf 2");
    let verified = |bytes: &[u8]| {
        let Ok(read) = LogProof::decode(bytes) else { return false };
        let Ok(Ok(quorum)) = policy.evaluate(read.signed()).map(symbolon_tlog::Verdict::met) else {
            return false;
        };
        read.verify(leaf, quorum).is_ok()
    };
    assert!(verified(text.as_bytes()));
    // The policy knows one of the log's two keys: the other's line is a stranger's.
    let strange = text.lines().find(|line| line.len() > 3000 && line.contains(ORIGIN)).unwrap();
    let start = text.find(strange).unwrap();
    let strange = start..start + strange.len();
    for position in (0..text.len()).filter(|at| *at < 700 || at % 16 == 0) {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 0x01;
        assert!(strange.contains(&position) || !verified(&bytes), "byte {position}");
    }
}

fn near(text: String) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\n'), Just(b' '), Just(b'='), Just(b'0'), any::<u8>()];
    let edits = proptest::collection::vec((0..text.len(), byte, 0..3u8), 0..4);
    edits.prop_map(move |edits| {
        let mut bytes = text.clone().into_bytes();
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

/// The four texts, with a short line instead of the log's own so that edits meet all parts.
fn texts() -> [String; 4] {
    let line = "— example.com/log AAAAAAAA\n";
    let note = |history: &str, size| format!("{}\n{line}", signed(history, size).note().text());
    let short = |size| SignedCheckpoint::parse(&note("a", size)).unwrap();
    let request = request(3, 7);
    let split = {
        let find = |history, size| log_verifier().verify(&signed(history, size)).unwrap();
        let text = SplitView::find(&find("a", 7), &find("b", 7), &[]).unwrap().to_string();
        let head = text.split_once("\n\n").unwrap().0.to_owned();
        let mut notes = [note("a", 7), note("b", 7)];
        notes.sort_by_key(|note| SignedCheckpoint::parse(note).unwrap().checkpoint().root());
        format!("{head}\n\n{}\n{}", notes[0], notes[1])
    };
    let add = AddCheckpoint::new(3, request.proof().to_vec(), &short(7)).unwrap();
    let path = inclusion_proof(&tree("a"), 2, 7).unwrap();
    let proof = LogProof::new(2, path, short(7)).unwrap().with_extra(b"x".to_vec()).unwrap();
    let [one, _] = both();
    let policy = format!("witness a {}\ngroup g 1 a\nquorum g\n", one.verifier());
    [add.to_string(), proof.to_string(), split, policy]
}

#[test]
fn what_a_reader_accepts_it_would_write() {
    let [add, proof, split, policy] = texts();
    assert!(SplitView::parse(&split).is_ok() && Policy::parse(policy.as_bytes()).is_ok());
    proptest!(|(bytes in near(add))| {
        if let Ok(read) = AddCheckpoint::decode(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    });
    proptest!(|(bytes in near(proof))| {
        if let Ok(read) = LogProof::decode(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    });
    proptest!(|(bytes in near(split))| {
        if let Ok(read) = SplitView::decode(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    });
    proptest!(|(bytes in near(policy))| {
        let _ = Policy::parse(&bytes);
    });
    proptest!(|(bytes: Vec<u8>)| {
        let _ = (AddCheckpoint::decode(&bytes), LogProof::decode(&bytes));
        let _ = (SplitView::decode(&bytes), Policy::parse(&bytes));
    });
}

#[test]
fn a_log_with_two_keys_asks_for_both() {
    let (policy, [one, two]) = quorum();
    let note = cosigned(&signed("a", 7), &[&one, &two]);
    let lines = note.note().signatures().to_vec();
    let without = with_lines(&note, vec![lines[0].clone(), lines[2].clone(), lines[3].clone()]);
    // The policy's log line has one key; the card of a node has both.
    assert!(met(&policy, &without).is_ok());
    assert_eq!(log_verifier().verify(&without), Err(TlogError::SignatureMissing));
    let authentic = log_verifier().verify(&note).unwrap();
    assert!(policy.evaluate_authentic(authentic).unwrap().met().is_ok());
    let stranger = CheckpointSigner::from_seed("example.com/other", &[7; 32]).unwrap();
    let other = Checkpoint::new("example.com/other", 1, Hash([1; 32])).unwrap();
    let unknown = policy.evaluate(&stranger.sign(&other).unwrap());
    assert_eq!(unknown.map(|_| ()), Err(TlogError::OriginMismatch));
}
