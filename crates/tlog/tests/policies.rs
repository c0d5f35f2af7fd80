//! Quorum policies: the example of the specification, each error with its line, and the quorum.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of a test")]

#[path = "support/sample.rs"]
mod sample;

use sample::{NOW, ORIGIN, cosigned, durable, log, log_verifier, request, signed, tree, witness};
use symbolon_tlog::{CosignatureSigner, CosignatureType, Policy, TlogError, Verdict};

const NAMES: [&str; 6] = ["X1", "X2", "X3", "Y1", "Y2", "Y3"];

fn witnesses() -> Vec<CosignatureSigner> {
    let kinds = [CosignatureType::Ed25519, CosignatureType::MlDsa44];
    let key = |(name, seed): (&&str, u8)| {
        witness(&format!("{name}.example"), kinds[usize::from(seed % 2)], seed)
    };
    NAMES.iter().zip(1..).map(key).collect()
}

/// The lines of the log and of the six witnesses.
fn definitions() -> String {
    let [vkey, _] = log().verifier().vkeys();
    let mut text = format!("log {vkey}\n");
    for (name, key) in NAMES.iter().zip(witnesses()) {
        text += &format!("witness {name} {}\n", key.verifier());
    }
    text
}

/// The example of c2sp.org/tlog-policy.
fn example() -> Policy {
    let groups = "group X-witnesses 2 X1 X2 X3\n\ngroup Y-witnesses any Y1 Y2 Y3\n\n\
        group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    Policy::parse((definitions() + groups).as_bytes()).unwrap()
}

fn evaluate(policy: &Policy, who: &[usize]) -> Result<Vec<String>, Vec<String>> {
    let all = witnesses();
    let who: Vec<&CosignatureSigner> = who.iter().map(|index| &all[*index]).collect();
    let names = |names: Vec<&symbolon_tlog::PolicyName>| {
        names.into_iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    match policy.evaluate(&cosigned(&signed("a", 7), &who)).unwrap() {
        Verdict::Met(met) => {
            assert_eq!((met.checkpoint().origin(), met.checkpoint().size()), (ORIGIN, 7));
            assert!(met.cosignatures().iter().all(|(_, one)| one.timestamp() == Some(NOW)));
            Ok(names(met.cosignatures().iter().map(|(name, _)| name).collect()))
        }
        Verdict::Missing(missing) => {
            assert_eq!(missing.cosignatures().len(), who.len());
            Err(names(missing.missing().iter().collect()))
        }
    }
}

#[test]
fn the_example_of_the_specification() {
    let policy = example();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (1, 6));
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(evaluate(&policy, &[0, 2, 4]), Ok(owned(&["X1", "X3", "Y2"])));
    assert_eq!(evaluate(&policy, &[5, 4, 3, 2, 1, 0]), Ok(owned(&NAMES)));
    assert_eq!(evaluate(&policy, &[]), Err(owned(&NAMES)));
    assert_eq!(evaluate(&policy, &[0, 1, 2]), Err(owned(&["Y1", "Y2", "Y3"])));
    assert_eq!(evaluate(&policy, &[1, 3]), Err(owned(&["X1", "X3"])));
}

#[test]
fn all_sixty_four_sets_of_witnesses() {
    let policy = example();
    let all = witnesses();
    let durable = durable(&signed("a", 7), NOW);
    let lines: Vec<_> = all.iter().map(|key| key.cosign(&durable).unwrap()).collect();
    for set in 0_u32..64 {
        let chosen = lines.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
        let note = chosen
            .fold(signed("a", 7), |note, (_, line)| note.with_signature(line.clone()).unwrap());
        let expect = (set & 0b111).count_ones() >= 2 && set >> 3 != 0;
        assert_eq!(policy.evaluate(&note).unwrap().met().is_ok(), expect, "{set:06b}");
    }
}

#[test]
fn a_witness_counts_once_and_its_false_line_refuses_all() {
    let policy = example();
    let all = witnesses();
    let twice = cosigned(&signed("a", 7), &[&all[0], &all[0], &all[3]]);
    assert!(policy.evaluate(&twice).unwrap().met().is_err());
    // A line from another checkpoint, by a witness that the quorum could do without.
    let stolen = all[5].cosign(&durable(&signed("a", 9), NOW)).unwrap();
    let note = cosigned(&signed("a", 7), &[&all[0], &all[1], &all[3]]);
    assert!(policy.evaluate(&note).unwrap().met().is_ok());
    let spoiled = policy.evaluate(&note.with_signature(stolen).unwrap());
    assert_eq!(spoiled.map(|_| ()), Err(TlogError::SignatureInvalid));
}

#[test]
fn quorums_without_groups() {
    let none = Policy::parse(format!("{}quorum none\n", definitions()).as_bytes()).unwrap();
    assert_eq!(evaluate(&none, &[]), Ok(Vec::new()));
    let one = Policy::parse(format!("{}quorum Y3\n", definitions()).as_bytes()).unwrap();
    assert_eq!(evaluate(&one, &[5]), Ok(vec!["Y3".to_owned()]));
    assert_eq!(evaluate(&one, &[4]), Err(vec!["Y3".to_owned()]));
    // Only the quorum is mandatory; without a log, the checkpoint's is known otherwise.
    let bare = Policy::parse(b"quorum none\n").unwrap();
    assert_eq!(bare.evaluate(&signed("a", 7)).map(|_| ()), Err(TlogError::OriginMismatch));
    let authentic = log_verifier().verify(&request(0, 7).signed().unwrap()).unwrap();
    assert_eq!(authentic.root(), symbolon_tlog::root_from(&tree("a"), 7).unwrap());
    assert!(bare.evaluate_authentic(authentic).unwrap().met().is_ok());
}

#[test]
fn white_space_comments_and_octets() {
    let [vkey, _] = log().verifier().vkeys();
    let key = witnesses()[0].verifier().to_string();
    let mut text = format!(
        "  # a comment \t with ünicode\n\t \n\n\tlog\t {vkey} https://log.example/ \n\
        witness \u{212a} {key}  https://w.example\n group all any\t\u{212a}\nquorum all\n#end\n"
    )
    .into_bytes();
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.logs()[0].url(), Some(&b"https://log.example/"[..]));
    assert_eq!(policy.witnesses()[0].url(), Some(&b"https://w.example"[..]));
    assert_eq!(policy.witnesses()[0].name().as_bytes(), "\u{212a}".as_bytes());
    // "The name 0x4B (ASCII "K") is different from the name 0xE2 0x84 0xAA".
    text.extend_from_slice(b"group K 1 K\n");
    let line = u32::try_from(text.iter().filter(|octet| **octet == b'\n').count()).unwrap();
    let refused = Policy::parse(&text).unwrap_err();
    assert!(matches!(refused, TlogError::PolicyLine { line: at, .. } if at == line));
    // Names are octets, not text.
    let octets = [b"witness \xff\xfe ", key.as_bytes(), b"\nquorum \xff\xfe\n"].concat();
    assert_eq!(Policy::parse(&octets).unwrap().witnesses()[0].name().as_bytes(), b"\xff\xfe");
}

#[test]
fn every_error_names_its_line() {
    let keys: Vec<String> = witnesses().iter().map(|key| key.verifier().to_string()).collect();
    let [ed25519, ml_dsa_44] = log().verifier().vkeys();
    let renamed = witness("other.example", CosignatureType::MlDsa44, 1).verifier().to_string();
    assert_eq!(witnesses()[0].verifier().cosignature_type(), CosignatureType::MlDsa44);
    let w = |name: &str, at: usize| format!("witness {name} {}\n", keys[at]);
    let two = w("a", 0) + &w("b", 1);
    let many = |line: &dyn Fn(usize) -> String| (0..65).map(line).collect::<String>();
    let many_witnesses = many(&|at| {
        let seed = u8::try_from(at).unwrap();
        let key = witness("w.example", CosignatureType::Ed25519, seed);
        format!("witness w{at} {}\n", key.verifier())
    });
    let many_groups =
        w("g0", 0) + &many(&|at| format!("group g{} any g{at}\n", at + 1)) + "quorum none\n";
    let cases = [
        (1, "exactly one quorum", String::new()),
        (3, "exactly one quorum", two.clone()),
        (2, "exactly one quorum", "quorum none\nquorum none\n".to_owned()),
        (1, "ends in a newline", "quorum none".to_owned()),
        (1, "control characters", "quorum none\r\n".to_owned()),
        (1, "control characters", "# \x7f\nquorum none\n".to_owned()),
        (2, "control characters", "# ok\nquorum\0 none\n".to_owned()),
        (1, "begins with", "Quorum none\n".to_owned()),
        (1, "begins with", "quorum\u{a0}none\n".to_owned()),
        (1, "one name", "quorum\n".to_owned()),
        (1, "one name", "quorum none # why\n".to_owned()),
        (1, "line before", "quorum a\n".to_owned() + &two),
        (1, "perhaps a URL", "log\nquorum none\n".to_owned()),
        (1, "perhaps a URL", format!("log {ed25519} a b\n")),
        (1, "type 0x01 or 0x06", format!("log {}\n", keys[1])),
        (1, "type 0x01 or 0x06", "log \u{a0}\n".to_owned()),
        (2, "same public key", format!("log {ml_dsa_44}\nlog {ml_dsa_44} url\n")),
        (1, "perhaps a URL", "witness a\n".to_owned()),
        (1, "perhaps a URL", format!("witness a {} url more\n", keys[0])),
        (1, "type 0x04 or 0x06", format!("witness a {ed25519}\n")),
        (2, "same public key", w("a", 0) + &format!("witness b {renamed}\n")),
        (2, "defined once", w("a", 0) + &w("a", 1)),
        (1, "none is predefined", w("none", 0)),
        (3, "none is predefined", two.clone() + "group none any a\n"),
        (3, "defined once", two.clone() + "group a any b\n"),
        (3, "a threshold and members", two.clone() + "group g\n"),
        (3, "a threshold and members", two.clone() + "group g any\n"),
        (3, "no member", two.clone() + "group g any a none\n"),
        (3, "line before", two.clone() + "group g any a c\n"),
        (3, "line before", two.clone() + "group g any a g\n"),
        (3, "at most once", two.clone() + "group g any a a\n"),
        (4, "at most once", two.clone() + "group g any a b\ngroup h any a\n"),
        (3, "the threshold", two.clone() + "group g 0 a b\n"),
        (3, "the threshold", two.clone() + "group g 3 a b\n"),
        (3, "the threshold", two.clone() + "group g 01 a b\n"),
        (3, "the threshold", two.clone() + "group g +1 a b\n"),
        (3, "the threshold", two.clone() + "group g some a b\n"),
        (3, "the threshold", two + "group g 18446744073709551617 a b\n"),
        (65, "at most 64 witnesses", many_witnesses),
        (66, "at most 64 groups", many_groups),
        (1, "at most 512 KiB", "#".repeat(600_000)),
    ];
    for (line, rule, text) in cases {
        let error = Policy::parse(text.as_bytes()).unwrap_err();
        let TlogError::PolicyLine { line: at, rule: told } = error else { panic!("{error}") };
        assert!(told.contains(rule), "{rule:?}: {told:?}");
        assert_eq!(at, line, "{rule}");
    }
}

#[test]
fn thirty_two_of_each_are_accepted() {
    let mut text = String::new();
    for at in 0..32_u8 {
        let key = witness("w.example", CosignatureType::MlDsa44, at);
        let name = format!("log{at}.example");
        let log = symbolon_tlog::CheckpointSigner::from_seed(&name, &[at; 32]).unwrap();
        text += &format!("log {}\nwitness w{at} {}\n", log.verifier().vkeys()[1], key.verifier());
        text += &format!("group g{at} all w{at}\n");
    }
    text += "quorum g31\n";
    let policy = Policy::parse(text.as_bytes()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().len()), (32, 32));
}
