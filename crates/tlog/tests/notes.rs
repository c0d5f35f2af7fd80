//! Notes, verifier keys and checkpoints: the examples of the C2SP texts, a checkpoint that the Go
//! program Torchwood signed with ML-DSA-44, and everything that must be refused.
#![expect(clippy::unwrap_used, reason = "helpers of a test over committed files")]

use symbolon_tlog::note::{KeyName, SignedNote};
use symbolon_tlog::{
    Checkpoint, CheckpointSigner, CheckpointVerifier, EMPTY_ROOT, Hash, NoteSigner, NoteVerifier,
    SignatureType, SignedCheckpoint, TlogError, leaf_hash,
};

/// c2sp.org/signed-note, "Example".
const EXAMPLE_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE_NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const MLDSA_VKEY: &str = include_str!("../../../spec/vectors/torchwood-mldsa/log.vkey");
const MLDSA_CHECKPOINT: &str = include_str!("../../../spec/vectors/torchwood-mldsa/checkpoint");
const MLDSA_SEED: &str = "2886adc2b0eabfce67c0472939127998bf886cf256bfee8ba76a253fce1146e0";

const ORIGIN: &str = "example.com/behind-the-sofa";

fn signer() -> CheckpointSigner {
    CheckpointSigner::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new(ORIGIN, 20_852_163, leaf_hash("root")).unwrap()
}

/// A note of `text` with the signature lines of `signed`.
fn with_text(text: &str, signed: &SignedCheckpoint) -> SignedCheckpoint {
    let note = SignedNote::new(text.to_owned(), signed.note().signatures().to_vec()).unwrap();
    SignedCheckpoint::from_note(note).unwrap()
}

#[test]
fn the_example_of_signed_note_verifies() {
    let verifier = NoteVerifier::parse(EXAMPLE_VKEY).unwrap();
    assert_eq!(verifier.to_string(), EXAMPLE_VKEY);
    assert_eq!(verifier.signature_type(), SignatureType::Ed25519);
    let note = SignedNote::parse(EXAMPLE_NOTE).unwrap();
    assert_eq!(note.to_string(), EXAMPLE_NOTE);
    assert_eq!(verifier.verify(&note).unwrap().timestamp(), None);
    let forged = EXAMPLE_NOTE.replacen("This", "That", 1);
    let verdict = verifier.verify(&SignedNote::parse(&forged).unwrap());
    assert_eq!(verdict, Err(TlogError::SignatureInvalid));
}

#[test]
fn texts_may_have_empty_lines() {
    let note = "Ognuno sta solo\n\n\nsera.\n\n— quasimodo.example/salvatore NnugSzTjtVA=\n";
    let note = SignedNote::parse(note).unwrap();
    assert_eq!(note.text(), "Ognuno sta solo\n\n\nsera.\n");
    let [line] = note.signatures() else { panic!("one signature") };
    assert_eq!(line.name().as_str(), "quasimodo.example/salvatore");
    assert_eq!((line.key_id(), line.signature()), (0x367b_a04b, &[0x34, 0xe3, 0xb5, 0x50][..]));
}

#[test]
fn an_ml_dsa_44_checkpoint_of_torchwood_verifies() {
    let verifier = NoteVerifier::parse(MLDSA_VKEY.trim_end()).unwrap();
    assert_eq!(format!("{verifier}\n"), MLDSA_VKEY);
    assert_eq!(verifier.signature_type(), SignatureType::MlDsa44);
    let signed = SignedCheckpoint::parse(MLDSA_CHECKPOINT).unwrap();
    assert_eq!(signed.to_string(), MLDSA_CHECKPOINT);
    assert_eq!(signed.checkpoint().root(), leaf_hash("testonly"));
    assert_eq!(verifier.verify(signed.note()).unwrap().timestamp(), None);

    let seed: [u8; 32] = hex::decode(MLDSA_SEED).unwrap().try_into().unwrap();
    let name = KeyName::parse("example.com/mldsa-log").unwrap();
    let signer = NoteSigner::from_seed(name, SignatureType::MlDsa44, &seed).unwrap();
    assert_eq!(*signer.verifier(), verifier);
}

#[test]
fn an_ml_dsa_44_signature_does_not_cover_extension_lines() {
    // "Note that checkpoint extension lines are not included in the signed message for ML-DSA-44
    // cosignatures": one key alone lets them pass, a log's two keys do not.
    let verifier = NoteVerifier::parse(MLDSA_VKEY.trim_end()).unwrap();
    let signed = SignedCheckpoint::parse(MLDSA_CHECKPOINT).unwrap();
    let extended = with_text(&format!("{}extension\n", signed.note().text()), &signed);
    assert!(verifier.verify(extended.note()).is_ok());

    let signed = signer().sign(&checkpoint()).unwrap();
    let extended = with_text(&format!("{}extension\n", signed.note().text()), &signed);
    let verdict = signer().verifier().verify(&extended);
    assert_eq!(verdict, Err(TlogError::ExtensionUnsigned));
    let extensions = vec!["extension".to_owned()];
    let unsigned = Checkpoint::with_extensions(ORIGIN, 1, leaf_hash("a"), extensions).unwrap();
    assert_eq!(signer().sign(&unsigned), Err(TlogError::ExtensionUnsigned));
}

#[test]
fn a_log_signs_with_both_keys() {
    let verifier = CheckpointVerifier::parse(&signer().verifier().vkeys()).unwrap();
    assert_eq!(verifier, signer().verifier());
    assert_eq!(verifier.origin(), ORIGIN);
    let text = signer().sign_at(&checkpoint(), 1_679_315_147).unwrap().to_string();
    let verified = verifier.verify_text(&text).unwrap();
    assert_eq!((verified.origin(), verified.size()), (ORIGIN, 20_852_163));
    assert_eq!(verified.root(), leaf_hash("root"));
    assert_eq!(verified.timestamp(), Some(1_679_315_147));
    assert_eq!(verified.signed().to_string(), text);
    let timeless = verifier.verify(&signer().sign(&checkpoint()).unwrap()).unwrap();
    assert_eq!(timeless.timestamp(), None);
}

#[test]
fn both_signatures_must_verify() {
    let verifier = signer().verifier();
    let signed = signer().sign(&checkpoint()).unwrap();
    let [ed25519, ml_dsa_44] = signed.note().signatures() else { panic!("two signatures") };
    let check = |lines: Vec<_>, expect| {
        let note = SignedNote::new(checkpoint().to_string(), lines).unwrap();
        let verdict = verifier.verify(&SignedCheckpoint::from_note(note).unwrap());
        assert_eq!(verdict.map(|_| ()), expect);
    };
    check(vec![ml_dsa_44.clone(), ed25519.clone()], Ok(()));
    check(vec![ed25519.clone()], Err(TlogError::SignatureMissing));
    check(vec![ml_dsa_44.clone()], Err(TlogError::SignatureMissing));
    let repeated = vec![ed25519.clone(), ml_dsa_44.clone(), ed25519.clone()];
    check(repeated, Err(TlogError::SignatureRepeated));
    // A stranger's line is ignored, whatever it holds.
    let stranger = CheckpointSigner::from_seed(ORIGIN, &[8; 32]).unwrap();
    let [line, _] = stranger.sign(&checkpoint()).unwrap().note().signatures().to_vec()[..]
        .to_vec()
        .try_into()
        .unwrap();
    check(vec![line, ed25519.clone(), ml_dsa_44.clone()], Ok(()));

    let other = Checkpoint::new(ORIGIN, 20_852_163, leaf_hash("other")).unwrap();
    let forged = with_text(&other.to_string(), &signed);
    assert_eq!(verifier.verify(&forged), Err(TlogError::SignatureInvalid));
    // The Ed25519 line anew, the ML-DSA-44 line stolen from another checkpoint.
    let [fresh, _] =
        signer().sign(&other).unwrap().note().signatures().to_vec().try_into().unwrap();
    let note = SignedNote::new(other.to_string(), vec![fresh, ml_dsa_44.clone()]).unwrap();
    let verdict = verifier.verify(&SignedCheckpoint::from_note(note).unwrap());
    assert_eq!(verdict, Err(TlogError::SignatureInvalid));
}

#[test]
fn a_log_signs_and_verifies_only_its_own() {
    let other = Checkpoint::new("example.com/other", 0, EMPTY_ROOT).unwrap();
    assert_eq!(signer().sign(&other), Err(TlogError::OriginMismatch));
    let signed = CheckpointSigner::from_seed("example.com/other", &[7; 32]).unwrap().sign(&other);
    assert_eq!(signer().verifier().verify(&signed.unwrap()), Err(TlogError::OriginMismatch));
    let beyond = signer().sign_at(&checkpoint(), u64::MAX);
    assert!(matches!(beyond, Err(TlogError::Malformed { .. })));
}

#[test]
fn a_log_key_makes_no_cosignature() {
    // A line of type 0x06 under another name is one, and takes evidence that the head is durable.
    let name = KeyName::parse("witness.example.com/w1").unwrap();
    let partner = NoteSigner::from_seed(name, SignatureType::MlDsa44, &[9; 32]).unwrap();
    let refused = partner.sign(&checkpoint(), 1_700_000_000);
    assert_eq!(refused, Err(TlogError::OriginMismatch));
}

#[test]
fn every_changed_byte_is_noticed() {
    let verifier = signer().verifier();
    let text = signer().sign_at(&checkpoint(), 1_700_000_000).unwrap().to_string();
    // Each byte of the text, names and key ids; of the long ML-DSA-44 signature every 16th.
    let positions = (0..text.len()).filter(|at| *at < 320 || at % 16 == 0 || at + 8 > text.len());
    for position in positions {
        let mut bytes = text.clone().into_bytes();
        bytes[position] ^= 0x01;
        let verdict = SignedCheckpoint::decode(&bytes).and_then(|signed| verifier.verify(&signed));
        assert!(verdict.is_err(), "byte {position}");
    }
}

#[test]
fn malformed_notes_are_refused() {
    let line = "— name NnugSzTjtVA=\n";
    let cases = [
        ("no signature", "text\n\n".to_owned()),
        ("nothing", String::new()),
        ("no empty line", format!("text\n{line}")),
        ("no final newline", format!("text\n\n{}", line.trim_end())),
        ("carriage return", format!("text\r\n\n{line}")),
        ("tab in the text", format!("te\txt\n\n{line}")),
        ("hyphen for the dash", format!("text\n\n{}", line.replace('—', "-"))),
        ("two spaces", "text\n\n— name  NnugSzTjtVA=\n".to_owned()),
        ("plus in the name", "text\n\n— na+me NnugSzTjtVA=\n".to_owned()),
        ("wide space in the name", "text\n\n— na\u{3000}me NnugSzTjtVA=\n".to_owned()),
        ("no name", "text\n\n—  NnugSzTjtVA=\n".to_owned()),
        ("unpadded base64", "text\n\n— name NnugSzTjtVA\n".to_owned()),
        ("unused bits set", "text\n\n— name NnugSzTjtVB=\n".to_owned()),
        ("key id alone", "text\n\n— name NnugSw==\n".to_owned()),
        ("trailing text", format!("text\n\n{line}more\n")),
        ("seventeen signatures", format!("text\n\n{}", line.repeat(17))),
        ("too long", format!("{}\n\n{line}", "a".repeat(128 * 1024))),
        ("long name", format!("text\n\n— {} NnugSzTjtVA=\n", "a".repeat(256))),
    ];
    for (rule, note) in cases {
        let verdict = SignedNote::parse(&note);
        assert!(matches!(verdict, Err(TlogError::Malformed { .. })), "{rule}");
    }
    assert!(SignedNote::decode(b"\xff\n\n\xe2\x80\x94 name NnugSzTjtVA=\n").is_err());
    assert!(SignedNote::parse(&format!("text\n\n{}", line.repeat(16))).is_ok());
}

#[test]
fn malformed_checkpoints_are_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let good =
        [format!("o\n1\n{root}\n"), format!("o\n0\n{empty}\n"), format!("o\n1\n{root}\nx\n")];
    for text in good {
        assert_eq!(Checkpoint::parse(&text).unwrap().to_string(), text);
    }
    let cases = [
        ("two lines", "o\n1\n".to_owned()),
        ("no final newline", format!("o\n1\n{root}")),
        ("no origin", format!("\n1\n{root}\n")),
        ("long origin", format!("{}\n1\n{root}\n", "o".repeat(256))),
        ("leading zero", format!("o\n01\n{root}\n")),
        ("plus sign", format!("o\n+1\n{root}\n")),
        ("size 2^63", format!("o\n9223372036854775808\n{root}\n")),
        ("short root", "o\n1\nAAAA\n".to_owned()),
        ("spaced root", format!("o\n1\n {root}\n")),
        ("false empty root", format!("o\n0\n{root}\n")),
        ("empty extension line", format!("o\n1\n{root}\n\n")),
        ("control in the origin", format!("o\u{1}\n1\n{root}\n")),
        ("seventeen extension lines", format!("o\n1\n{root}\n{}", "x\n".repeat(17))),
        ("long extension line", format!("o\n1\n{root}\n{}\n", "x".repeat(1025))),
    ];
    for (rule, text) in cases {
        let verdict = Checkpoint::parse(&text);
        assert!(matches!(verdict, Err(TlogError::Malformed { .. })), "{rule}");
    }
    assert!(Checkpoint::new("two\nlines", 1, Hash([0; 32])).is_err());
}

#[test]
fn malformed_verifier_keys_are_refused() {
    let identity = {
        // The identity point: every signature over it would verify under lax rules.
        let mut key = vec![1u8; 1];
        key.push(1);
        key.resize(33, 0);
        key
    };
    let text = |key: &[u8]| {
        use base64ct::{Base64, Encoding};
        use sha2::{Digest, Sha256};
        let id = Sha256::new_with_prefix("n\n").chain_update(key).finalize();
        format!("n+{}+{}", hex::encode(&id[..4]), Base64::encode_string(key))
    };
    let cases = [
        ("no parts", "example.com/foo".to_owned()),
        ("wrong key id", EXAMPLE_VKEY.replace("530d903a", "530d903b")),
        ("uppercase key id", EXAMPLE_VKEY.replace("530d903a", "530D903A")),
        ("other name", EXAMPLE_VKEY.replace("foo", "bar")),
        ("no name", EXAMPLE_VKEY.replace("example.com/foo", "")),
        ("newline at the end", format!("{EXAMPLE_VKEY}\n")),
        ("point of small order", text(&identity)),
        ("short key", text(&[1; 32])),
        ("unknown type", text(&[4; 33])),
        ("no key", text(&[])),
        ("short ML-DSA-44 key", text(&[6; 1312])),
        ("too long", "n".repeat(2049)),
    ];
    for (rule, vkey) in cases {
        let verdict = NoteVerifier::parse(&vkey);
        assert!(matches!(verdict, Err(TlogError::Malformed { .. })), "{rule}");
    }
    let [ed25519, ml_dsa_44] = signer().verifier().vkeys();
    let pairs = [
        vec![],
        vec![&ed25519],
        vec![&ml_dsa_44, &ed25519],
        vec![&ed25519, &ed25519],
        vec![&ed25519, &ml_dsa_44, &ml_dsa_44],
    ];
    for vkeys in pairs {
        assert!(CheckpointVerifier::parse(&vkeys).is_err());
    }
    let renamed = CheckpointSigner::from_seed("example.com/other", &[7; 32]).unwrap().verifier();
    let [_, other] = renamed.vkeys();
    assert!(CheckpointVerifier::parse(&[ed25519, other]).is_err());
}
