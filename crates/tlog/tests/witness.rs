//! The rules of a witness, each with the answer that it demands, and proofs of split views.
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

#[path = "support/sample.rs"]
mod sample;

use sample::{NOW, cosigned, durable, log, log_verifier, request, signed, tree, witness};
use symbolon_tlog::add_checkpoint::{
    add_cosignatures, format_conflict, format_cosignatures, parse_conflict, parse_cosignatures,
};
use symbolon_tlog::note::{KeyName, SignedNote};
use symbolon_tlog::witness::{Authentic, Durability, Head, Refusal, Swap, authenticate, receive};
use symbolon_tlog::{
    AddCheckpoint, AuthenticCheckpoint, Checkpoint, CheckpointSigner, CosignatureSigner,
    CosignatureType, EMPTY_ROOT, Hash, LogVerifier, NoteSigner, SignatureType, SignedCheckpoint,
    SplitView, TlogError, consistency_proof, root_from,
};

fn received(body: &str) -> Result<Authentic, Refusal> {
    let log = log_verifier();
    receive(body.as_bytes(), |origin| (origin == log.origin()).then_some(&log))
}

fn head(size: u64) -> Head {
    Head::new(size, root_from(&tree("a"), size).unwrap()).unwrap()
}

fn decided(request: &AddCheckpoint, stored: Head) -> Result<Head, Refusal> {
    let accepted = authenticate(request, &log_verifier())?.decide(stored);
    accepted.map(|accepted| accepted.step().next()).map_err(|refused| refused.refusal())
}

#[test]
fn every_step_of_one_history_is_accepted() {
    for old in 0..=20 {
        for size in old..=20 {
            assert_eq!(decided(&request(old, size), head(old)), Ok(head(size)), "{old} {size}");
        }
    }
}

#[test]
fn each_rule_has_its_answer() {
    let good = request(3, 7);
    let other = tree("b");
    let forked = |old, size| {
        let proof = consistency_proof(&other, old, size).unwrap();
        AddCheckpoint::new(old, proof, &signed("b", size)).unwrap()
    };
    let with_proof = |old, proof| AddCheckpoint::new(old, proof, &signed("a", 7)).unwrap();
    let status = |request: &AddCheckpoint, stored| {
        decided(request, stored).map_err(Refusal::status).map(Head::size)
    };
    assert_eq!(status(&good, head(3)), Ok(7));
    // 409: the store is elsewhere, behind or ahead.
    for known in [0, 2, 4, 7, 9] {
        let refusal = decided(&good, head(known)).unwrap_err();
        assert_eq!(refusal, Refusal::Conflict { known });
        assert_eq!((refusal.status(), refusal.body()), (409, Some(format_conflict(known))));
    }
    // 400: the old size is beyond the checkpoint, whatever is stored.
    for old in [8, u64::MAX] {
        assert_eq!(status(&with_proof(old, Vec::new()), head(3)), Err(400));
    }
    // 422: the size that was cosigned, with another root; or a proof that is none.
    assert_eq!(decided(&forked(7, 7), head(7)), Err(Refusal::RootDiffers));
    assert_eq!(status(&forked(7, 7), head(7)), Err(422));
    assert_eq!(status(&forked(7, 9), head(7)), Err(422));
    assert_eq!(status(&with_proof(3, Vec::new()), head(3)), Err(422));
    assert_eq!(status(&with_proof(0, vec![EMPTY_ROOT]), Head::EMPTY), Err(422));
    assert_eq!(status(&with_proof(7, vec![EMPTY_ROOT]), head(7)), Err(422));
    let mut long = good.proof().to_vec();
    long.push(EMPTY_ROOT);
    assert_eq!(status(&with_proof(3, long), head(3)), Err(422));
    // A fork from before the histories part is what its log signed: nothing to see yet.
    assert_eq!(status(&forked(3, 7), head(3)), Ok(7));
}

#[test]
fn unknown_and_untrusted_logs_are_told_apart() {
    let stranger = CheckpointSigner::from_seed("example.com/other", &[7; 32]).unwrap();
    let root = root_from(&tree("a"), 7).unwrap();
    let checkpoint = |origin| Checkpoint::new(origin, 7, root).unwrap();
    let body = |signed| AddCheckpoint::new(0, Vec::new(), &signed).unwrap().to_string();
    let unknown = body(stranger.sign(&checkpoint("example.com/other")).unwrap());
    assert_eq!(received(&unknown).unwrap_err(), Refusal::UnknownLog);
    assert_eq!(Refusal::UnknownLog.status(), 404);
    let parsed = AddCheckpoint::parse(&unknown).unwrap();
    assert_eq!(authenticate(&parsed, &log_verifier()).unwrap_err(), Refusal::UnknownLog);

    let thief = CheckpointSigner::from_seed(sample::ORIGIN, &[8; 32]).unwrap();
    let untrusted = body(thief.sign(&checkpoint(sample::ORIGIN)).unwrap());
    let refusal = received(&untrusted).unwrap_err();
    assert_eq!(refusal, Refusal::Untrusted(TlogError::SignatureMissing));
    assert_eq!(refusal.status(), 403);
    let text = request(0, 7).to_string();
    let moved = text.replace("\n7\n", "\n8\n");
    assert_eq!(received(&moved).unwrap_err(), Refusal::Untrusted(TlogError::SignatureInvalid));
}

#[test]
fn the_empty_tree_has_one_root() {
    let empty = request(0, 0);
    assert_eq!(decided(&empty, Head::EMPTY), Ok(Head::EMPTY));
    let body = request(0, 7).to_string().replace("\n7\n", "\n0\n");
    let refusal = received(&body).unwrap_err();
    assert_eq!((refusal, refusal.status()), (Refusal::EmptyRoot, 422));
    // No such text becomes a checkpoint.
    assert!(AddCheckpoint::parse(&body).unwrap().signed().is_err());
    assert!(Head::new(0, Hash([0; 32])).is_err());
    assert!(Head::new(1 << 63, EMPTY_ROOT).is_err());
}

#[test]
fn malformed_requests_are_bad_requests() {
    let body = request(3, 7).to_string();
    let (old, rest) = body.split_once('\n').unwrap();
    assert_eq!(old, "old 3");
    let (line, _) = rest.split_once('\n').unwrap();
    let cases = [
        ("nothing", String::new()),
        ("no old size", rest.to_owned()),
        ("no number", body.replacen("old 3", "old ", 1)),
        ("leading zero", body.replacen("old 3", "old 03", 1)),
        ("sign", body.replacen("old 3", "old +3", 1)),
        ("two spaces", body.replacen("old 3", "old  3", 1)),
        ("uppercase", body.replacen("old 3", "Old 3", 1)),
        ("carriage return", body.replacen("old 3\n", "old 3\r\n", 1)),
        ("short hash", body.replacen(line, "AAAA", 1)),
        ("no base64", body.replacen(line, "?", 1)),
        ("no empty line", body.replacen("\n\n", "\n", 1)),
        ("two empty lines", body.replacen("\n\n", "\n\n\n", 1)),
        ("text at the end", format!("{body}x")),
        ("64 hashes", body.replacen(line, &[line; 64].join("\n"), 1)),
        ("too long", body.replacen("old 3", &"x".repeat(140_000), 1)),
    ];
    for (rule, body) in cases {
        let refusal = received(&body).unwrap_err();
        assert!(matches!(refusal, Refusal::Malformed(_)), "{rule}: {refusal:?}");
        assert_eq!(refusal.status(), 400, "{rule}");
    }
    assert_eq!(receive(b"\xff", |_| None).unwrap_err().status(), 400);
    assert!(AddCheckpoint::new(0, vec![EMPTY_ROOT; 64], &signed("a", 7)).is_err());
}

#[test]
fn no_cosignature_without_a_durable_head() {
    let accepted = |old, size, stored| {
        authenticate(&request(old, size), &log_verifier()).unwrap().decide(stored).unwrap()
    };
    // The race of the specification: A and B are checked, B is stored first.
    let (slow, fast) = (accepted(3, 7, head(3)), accepted(3, 9, head(3)));
    let mut stored = head(3);
    let mut swap = |step: &symbolon_tlog::witness::Step| {
        if stored != step.expected() {
            return Swap::Overtaken(stored);
        }
        stored = step.next();
        Swap::Stored
    };
    let fast = fast.make_durable(NOW, |accepted| Ok::<_, ()>(swap(accepted.step()))).unwrap();
    assert_eq!(fast.durable().unwrap().checkpoint().size(), 9);
    let slow = slow.make_durable(NOW, |accepted| Ok::<_, ()>(swap(accepted.step()))).unwrap();
    let Durability::Overtaken(refusal) = slow else { panic!("rolled back") };
    assert_eq!(refusal, Refusal::Conflict { known: 9 });
    assert_eq!(stored, head(9));
    // A store that fails gives nothing to sign.
    let failed = accepted(0, 7, Head::EMPTY).make_durable(NOW, |_| Err("disk full"));
    assert_eq!(failed.map(|_| ()), Err("disk full"));
    // "The cosignature MUST NOT omit the timestamp".
    let key = witness("w.example/1", CosignatureType::MlDsa44, 1);
    let timeless = key.cosign(&durable(&signed("a", 7), 0));
    assert_eq!(timeless, Err(TlogError::TimestampMissing));
    let beyond = key.cosign(&durable(&signed("a", 7), 1 << 63));
    assert!(matches!(beyond, Err(TlogError::Malformed { .. })));
}

#[test]
fn the_answer_is_added_to_the_clients_checkpoint() {
    let one = witness("w.example/1", CosignatureType::Ed25519, 1);
    let two = witness("w.example/2", CosignatureType::MlDsa44, 2);
    let checkpoint = signed("a", 7);
    let durable = durable(&checkpoint, NOW);
    let lines = [one.cosign(&durable).unwrap(), two.cosign(&durable).unwrap()];
    let body = format_cosignatures(&lines).unwrap();
    let parsed = parse_cosignatures(&body).unwrap();
    assert_eq!(parsed, lines);
    let known = [two.verifier().clone()];
    let cosigned = add_cosignatures(checkpoint.clone(), &parsed, &known).unwrap();
    assert_eq!(two.verifier().verify(&cosigned).unwrap().timestamp(), Some(NOW));
    assert_eq!(one.verifier().verify(&cosigned), Err(TlogError::SignatureMissing));
    let again = add_cosignatures(cosigned.clone(), &parsed, &known).unwrap();
    assert_eq!(again, cosigned);

    let strangers = add_cosignatures(checkpoint.clone(), &parsed, &[]);
    assert_eq!(strangers, Err(TlogError::SignatureMissing));
    let elsewhere = add_cosignatures(signed("a", 9), &parsed, &known);
    assert_eq!(elsewhere, Err(TlogError::SignatureInvalid));
    let log_line = log().sign(checkpoint.checkpoint()).unwrap().note().signatures()[0].clone();
    let ignored = add_cosignatures(checkpoint, &[log_line], &known);
    assert_eq!(ignored, Err(TlogError::SignatureMissing));

    // "The cosignature MUST NOT omit the timestamp": such a line is a log's, not a witness's.
    let line = log().sign(signed("a", 7).checkpoint()).unwrap().note().signatures()[1].clone();
    let refused = add_cosignatures(signed("a", 7), &[line], &[log().verifier().cosigner()]);
    assert_eq!(refused, Err(TlogError::TimestampMissing));

    for body in ["", "\n", "— w.example/1 AAAAAAA=", "x\n", &body.repeat(20)] {
        assert!(parse_cosignatures(body).is_err(), "{body:?}");
    }
    assert!(format_cosignatures(&[]).is_err());
    assert_eq!(parse_conflict("20852014\n"), Ok(20_852_014));
    for body in ["", "5", "\n", "05\n", "5\n\n", "9223372036854775808\n"] {
        assert!(parse_conflict(body).is_err(), "{body:?}");
    }
}

fn authentic(history: &str, size: u64) -> AuthenticCheckpoint {
    log_verifier().verify(&signed(history, size)).unwrap()
}

#[test]
fn a_split_view_is_proved_to_a_third_party() {
    let (one, other) = (authentic("a", 7), authentic("b", 7));
    let split = SplitView::find(&one, &other, &[]).unwrap();
    assert_eq!(SplitView::find(&other, &one, &[EMPTY_ROOT]), Some(split.clone()));
    let text = split.to_string();
    let read = SplitView::parse(&text).unwrap();
    assert_eq!((&read, read.to_string()), (&split, text));
    let proven = read.verify(&log_verifier()).unwrap();
    assert_eq!((proven.origin(), proven.older().size()), (sample::ORIGIN, 7));
    assert_ne!(proven.older().root(), proven.newer().root());
    // It is no proof against another log.
    let stranger: LogVerifier =
        CheckpointSigner::from_seed(sample::ORIGIN, &[8; 32]).unwrap().verifier().into();
    assert_eq!(read.verify(&stranger).map(|_| ()), Err(TlogError::SignatureMissing));
}

#[test]
fn a_proof_from_the_other_history_gives_the_log_away() {
    let other = tree("b");
    for (old, new) in (5..20).flat_map(|old| (old..=20).map(move |new| (old, new))) {
        let (older, newer) = (authentic("a", old), authentic("b", new));
        let proof = consistency_proof(&other, old, new).unwrap();
        let prefix = root_from(&other, old).unwrap();
        let split = SplitView::find(&older, &newer, &proof);
        // A proof from a power of two begins at the root that it is to be checked against, so that
        // it has to be told.
        if old != new && old.is_power_of_two() {
            assert_eq!(split, None, "{old} {new}");
        }
        let told = (old != new || older.root() < newer.root())
            .then(|| SplitView::from_prefix(&older, &newer, prefix, &proof).unwrap());
        for split in [split, told].into_iter().flatten() {
            assert!(SplitView::parse(&split.to_string()).unwrap().verify(&log_verifier()).is_ok());
        }
    }
}

#[test]
fn what_a_witness_refuses_may_be_the_proof() {
    let stored = authentic("a", 7);
    let refused = |size, old| {
        let proof = consistency_proof(&tree("b"), old, size).unwrap();
        let request = AddCheckpoint::new(old, proof, &signed("b", size)).unwrap();
        authenticate(&request, &log_verifier()).unwrap().decide(head(7)).unwrap_err()
    };
    // The same size with another root, a proof from the other tree, and an old size that is not
    // the stored one.
    for (size, old, status) in [(7, 7, 422), (9, 7, 422), (7, 5, 409)] {
        let refused = refused(size, old);
        assert_eq!((refused.refusal().status(), refused.stored()), (status, head(7)));
        let split = SplitView::find(&stored, refused.checkpoint(), refused.proof()).unwrap();
        assert!(split.verify(&log_verifier()).is_ok(), "{size} {old}");
    }
    // A proof for other sizes than those of the two checkpoints says nothing.
    let refused = refused(9, 5);
    assert_eq!(SplitView::find(&stored, refused.checkpoint(), refused.proof()), None);
}

#[test]
fn two_logs_of_one_key_do_not_contradict_each_other() {
    let name = KeyName::parse("example.com/key").unwrap();
    let key = NoteSigner::from_seed(name, SignatureType::Ed25519, &[4; 32]).unwrap();
    let log = |origin| LogVerifier::any(origin, vec![key.verifier().clone()]).unwrap();
    let signed = |origin, root| {
        let checkpoint = Checkpoint::new(origin, 7, Hash(root)).unwrap();
        let line = key.sign(&checkpoint, 0).unwrap();
        let note = SignedNote::new(checkpoint.to_string(), vec![line]).unwrap();
        SignedCheckpoint::from_note(note).unwrap()
    };
    let (one, other) = (signed("example.com/1", [1; 32]), signed("example.com/2", [2; 32]));
    assert_eq!(log("example.com/1").verify(&other), Err(TlogError::OriginMismatch));
    let one = log("example.com/1").verify(&one).unwrap();
    let other = log("example.com/2").verify(&other).unwrap();
    assert_eq!(SplitView::find(&one, &other, &[]), None);
    let third = log("example.com/1").verify(&signed("example.com/1", [2; 32])).unwrap();
    assert!(SplitView::find(&one, &third, &[]).is_some());
    assert_eq!(LogVerifier::any("example.com/1", Vec::new()), Err(TlogError::NoKey));
}

#[test]
fn one_history_is_never_a_split_view() {
    for (old, new) in (0..=20).flat_map(|old| (old..=20).map(move |new| (old, new))) {
        let (older, newer) = (authentic("a", old), authentic("a", new));
        let good = consistency_proof(&tree("a"), old, new).unwrap();
        let other = consistency_proof(&tree("b"), old, new).unwrap();
        for proof in [&good, &other, &vec![], &vec![EMPTY_ROOT; 3]] {
            assert_eq!(SplitView::find(&older, &newer, proof), None, "{old} {new}");
        }
        let verdict = SplitView::from_prefix(&older, &newer, older.root(), &good);
        assert_eq!(verdict, Err(TlogError::NoContradiction));
        // A failed proof is no proof: whoever claims another prefix must show it.
        assert!(SplitView::from_prefix(&older, &newer, Hash([9; 32]), &good).is_err());
    }
}

#[test]
fn every_changed_byte_of_a_split_view_is_noticed() {
    let (older, newer) = (authentic("a", 7), authentic("b", 9));
    let proof = consistency_proof(&tree("b"), 7, 9).unwrap();
    let text = SplitView::find(&older, &newer, &proof).unwrap().to_string();
    let refused = |bytes: &[u8]| {
        SplitView::decode(bytes).and_then(|split| split.verify(&log_verifier())).is_err()
    };
    // All but the long ML-DSA-44 signatures, and of those every 32nd byte.
    let long: Vec<bool> = text
        .split_inclusive('\n')
        .flat_map(|line| std::iter::repeat_n(line.len() > 1000, line.len()))
        .collect();
    for position in (0..text.len()).filter(|at| !long[*at] || at % 32 == 0) {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 0x01;
        assert!(refused(&bytes), "byte {position}");
    }
    for end in (0..text.len()).step_by(37) {
        assert!(refused(&text.as_bytes()[..end]), "cut at {end}");
    }
    // The two in the wrong order.
    let parts: Vec<&str> = text.trim_end().split("\n\n").collect();
    let turned = [parts[0], parts[3], parts[4], parts[1], parts[2]].join("\n\n") + "\n";
    assert!(matches!(SplitView::parse(&turned), Err(TlogError::Malformed { .. })));
}

#[test]
fn every_changed_byte_of_a_request_is_noticed() {
    let text = request(3, 7).to_string();
    let accepted = |bytes: &[u8]| {
        let log = log_verifier();
        let received = receive(bytes, |origin| (origin == log.origin()).then_some(&log));
        received.is_ok_and(|authentic| authentic.decide(head(3)).is_ok())
    };
    assert!(accepted(text.as_bytes()));
    for position in (0..text.len()).filter(|at| *at < 600 || at % 16 == 0 || at + 8 > text.len()) {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 0x01;
        assert!(!accepted(&bytes), "byte {position}");
    }
}

#[test]
fn a_log_cosigns_others_with_its_own_key_but_not_itself() {
    let partner = CheckpointSigner::from_seed("example.com/partner", &[5; 32]).unwrap();
    let key = CosignatureSigner::of_log("example.com/partner", &[5; 32]).unwrap();
    assert_eq!(*key.verifier(), partner.verifier().cosigner());
    assert_eq!(key.verifier().to_string(), partner.verifier().vkeys()[1]);
    let cosigned = cosigned(&signed("a", 7), &[&key]);
    let verdict = partner.verifier().cosigner().verify(&cosigned).unwrap();
    assert_eq!((verdict.origin(), verdict.size()), (sample::ORIGIN, 7));
    let own = CosignatureSigner::of_log(sample::ORIGIN, &[7; 32]).unwrap();
    assert_eq!(own.cosign(&durable(&signed("a", 7), NOW)), Err(TlogError::OwnLog));
}

#[test]
fn cosigned_checkpoints_may_be_submitted_again() {
    let key = witness("w.example/1", CosignatureType::MlDsa44, 1);
    let checkpoint = cosigned(&signed("a", 7), &[&key]);
    let request = AddCheckpoint::new(7, Vec::new(), &checkpoint).unwrap();
    assert_eq!(decided(&request, head(7)), Ok(head(7)));
}
