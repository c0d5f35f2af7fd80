//! The seed corpus of the fuzz targets, made of the samples and of small texts.

use symbolon_audit::{Entry, Logged, Who};
use symbolon_codec::encode;
use symbolon_ident::Kind;
use symbolon_psi::{Message, Terms, sender};

use crate::sample::{self, NOW};

/// One file of a corpus.
pub struct Seed {
    /// The target that it is for.
    pub target: &'static str,
    /// Its file name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// All files.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let mut add = |target, name: &str, bytes: Vec<u8>| {
        let name = name.to_owned();
        seeds.push(Seed { target, name, bytes });
    };
    let bundle = std::fs::read(crate::root().join("spec/vectors/evidence/asker.evidence"));
    add("evidence", "asker", bundle.unwrap());
    let bundle = std::fs::read(crate::root().join("spec/vectors/evidence/alert-drill.evidence"));
    add("evidence", "drill", bundle.unwrap());
    let bundle = std::fs::read(crate::root().join("spec/vectors/evidence/alert-proved.evidence"));
    add("evidence", "proved", bundle.unwrap());
    let (mut a, b) = sample::two();
    let (_, _, frames) = sample::handshake(&a, &b);
    for (number, frame) in frames.iter().enumerate() {
        // The client's machine reads what the server wrote, and the other way round.
        let machine = u8::from(number % 2 == 0);
        add("machine", &format!("handshake_{number}"), [&[machine, 40], &frame[..]].concat());
    }
    for message in sample::messages() {
        let length = u32::try_from(message.bytes.len()).unwrap().to_be_bytes();
        let machine = match message.name {
            "card" => Some(3),
            "epochs" => Some(4),
            "tag_set" => Some(5),
            "card_request" | "epochs_request" | "tag_set_request" | "evaluate" | "deliver"
            | "cosign" | "account_request" | "bulk_begin" | "bulk_wait" | "bulk_carry" | "push"
            | "leave" | "collect" | "prove" => Some(2),
            _ => None,
        };
        if let Some(machine) = machine {
            add("machine", message.name, [&[machine, 40], &length[..], &message.bytes].concat());
        }
        add("message", message.name, message.bytes);
    }
    for (name, message) in bulk_messages() {
        add("psi", name, message.encode());
    }
    // Each message of a session: as it is, with one bit changed, without its raw bytes.
    for number in 0..10 {
        add("psi_session", &format!("honest_{number}"), vec![number, 1]);
        add("psi_session", &format!("bit_{number}"), vec![number, 2, 0, 0, 0, 90, 1]);
        add("psi_session", &format!("empty_{number}"), vec![number, 0]);
    }
    for structure in crate::structures() {
        let targets: &[_] = match structure.rule {
            "signed-card" | "signed-agreement" => &["trust", "codec"],
            "signed-epoch-card" => &["message"],
            "envelope" | "signed-statement" => &["envelope"],
            "evidence" => &["audit"],
            "view" => &["record"],
            _ => &["codec"],
        };
        for target in targets {
            add(target, structure.name, structure.bytes.clone());
        }
        let kind = match structure.rule {
            "signed-card" => Some(1),
            "signed-agreement" => Some(2),
            "signed-epoch-card" => Some(3),
            "signed-statement" => Some(4),
            _ => None,
        };
        if let Some(kind) = kind {
            add("evidence", structure.name, [&[kind], &structure.bytes[..]].concat());
        }
        if structure.rule == "opening" {
            add("oprf", "opening", [&[0], &structure.bytes[..]].concat());
        }
    }
    add("trust", "card_text", a.signed_card.armor().into_bytes());
    add("trust", "agreement_text", sample::agreement(&a, &b).1.armor().into_bytes());
    add("record", "record", sample::view(4, true).0.encode());
    add("codec", "nested", encode(&vec![Some((7_u64, "text")), None]));
    add("audit", "private", sample::private(&b).encode().to_vec());
    let who = Who { now: NOW, actor: "system" };
    add("audit", "logged", Logged::new(Entry::heartbeat(who), [1; 32]).encode());

    let set = sample::tag_set(&b, &a);
    let chunk = set.chunks().next().unwrap();
    add("oprf", "chunk", [&[0], &chunk.encode()[..]].concat());
    add("oprf", "tags", [&[0], &chunk.tag_bytes()[..]].concat());
    let (receiver, evidence) = sample::committed(&mut a, &b);
    let element = receiver.blinded().first().unwrap();
    add("oprf", "element", [&[0], &element.as_bytes()[..]].concat());

    let vkeys = a.signer.verifier().vkeys().join("\n");
    let note = &evidence.checkpoint;
    let cosigned = include_str!("../../spec/vectors/cosignature/checkpoint");
    let witness = include_str!("../../spec/vectors/cosignature/witness.vkeys").lines().next();
    let witness = witness.unwrap();
    let hash = cosigned.lines().nth(2).unwrap();
    for (name, text) in [
        ("add_checkpoint", format!("old 0\n\n{note}")),
        ("cosignatures", cosigned.split_once("\n\n").unwrap().1.to_owned()),
        ("log_proof", format!("c2sp.org/tlog-proof@v1\nextra AA==\nindex 1\n{hash}\n\n{note}")),
        ("quorum", format!("witness w {witness}\ngroup g any w\nquorum g\n")),
        ("split_view", format!("symbolon/1 split view\n{hash}\n\n{note}\n{cosigned}")),
        ("witness_vkey", witness.to_owned()),
    ] {
        add("tlog", name, [&[0], text.as_bytes()].concat());
    }
    for (name, text) in [
        ("checkpoint", evidence.checkpoint),
        ("unsigned", a.tree().to_string()),
        ("vkeys", vkeys),
        ("tile", "tile/1/x001/067.p/40".to_owned()),
        ("entries", "tile/entries/x001/x234/067".to_owned()),
    ] {
        add("tlog", name, [&[0], text.as_bytes()].concat());
    }
    add("tlog", "bundle", vec![1, 0, 2, 7, 7, 0, 1, 9]);
    add("tlog", "hashes", [[1].as_slice(), &[5; 64]].concat());

    for (name, text) in [
        ("sample", symbolon_policy::SAMPLE),
        ("small", "@id(\"a\")\n@about(\"b\")\npermit (principal, action, resource);\n"),
    ] {
        add("policy", name, text.as_bytes().to_vec());
    }
    for (kind, text) in (0_u8..).zip(Kind::ALL.iter().map(|kind| identifier(*kind))) {
        let name = Kind::ALL.get(usize::from(kind)).unwrap().as_str();
        add("ident", name, [&[kind], text.as_bytes()].concat());
    }
    for (name, zone) in ZONES {
        add("mrz", name, [&[126], zone.as_bytes()].concat());
    }
    for (name, address) in ADDRESSES {
        add("wallet", name, address.as_bytes().to_vec());
    }
    add("ident", "date", b"\x00circa 24 May 1970".to_vec());
    add("ident", "country", b"\x00Russian Federation".to_vec());
    for (name, first, text) in [
        ("mapping", 0, include_str!("../../node/demo/cases.toml")),
        ("lists", 0, include_str!("../../node/demo/lists.toml")),
        ("csv", 1, include_str!("../../node/demo/south-cases.csv")),
        ("json_lines", 2, JSON_LINES),
    ] {
        add("import", name, [&[first], text.as_bytes()].concat());
    }
    seeds
}

const JSON_LINES: &str = concat!(
    r#"{"case_ref":"N-1","record_kind":"licence_denial","title":"Refused","entity_kind":"person","#,
    r#""name":"Tavrenko, Milos","dob":"14 Feb 1971","id_type":"passport","id_value":"X4079126"}"#,
    "\n{\"case_ref\":\"N-1\",\"id_type\":7,\"id_value\":null}\n",
);

/// The specimens of ICAO Doc 9303 parts 4 to 7.
const ZONES: [(&str, &str); 5] = [
    (
        "td1",
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\n\
         ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ),
    ("td2", "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"),
    (
        "td3",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
         L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    (
        "mrv_a",
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
         L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    ),
    ("mrv_b", "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"),
];

/// An address of each format, from the standards that define them.
const ADDRESSES: [(&str, &str); 5] = [
    ("base58", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n"),
    ("bech32", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\n"),
    ("evm", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\nETH"),
    ("cashaddr", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a\nBCH"),
    ("grouped", "0x5aAe b605 3F3E 94C9 b9A0 9f33 6694 35E7 Ef1B eAed\n"),
];

/// A plausible text of each kind, from the vectors where there is one.
fn identifier(kind: Kind) -> String {
    let path = crate::root().join(format!("spec/vectors/identifiers/{}.json", kind.as_str()));
    let Ok(file) = std::fs::read(path) else {
        return "A 123.456".to_owned();
    };
    let cases: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let input = &cases[0]["inputs"][0];
    ["text", "issuer", "date"].map(|part| input[part].as_str().unwrap_or_default()).join("\n")
}

/// The first messages of a bulk match, and the last word of one that stops.
fn bulk_messages() -> Vec<(&'static str, Message)> {
    let (receiver_count, sender_count) = (1024, 2048);
    let terms = Terms { session: [1; 32], receiver_count, sender_count, intersection_max: 64 };
    let started = sender::ExpectSetup::start(terms, Vec::new(), [2; 32], 1);
    let (_, [begin, offer]) = started.unwrap();
    vec![("begin", begin), ("offer", offer), ("stop", Message::stop())]
}
