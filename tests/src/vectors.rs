//! The vectors of spec/vectors/symbolon, computed from the samples: one function per file.
//!
//! Under "made" stands what every run gives again; under "signed" what carries a hedged ML-DSA
//! signature and is only ever verified.

use serde_json::{Value, json};
use symbolon_audit::{commit, set_digest, set_item, set_opening};
use symbolon_codec::encode;
use symbolon_disclosure::{RecipientSecret, open};
use symbolon_ident::{Canonical, Kind};
use symbolon_oprf::Receiver;
use symbolon_protocol::{ClientHello, Role, ServerHello, decode, exporter_context, signing_input};
use symbolon_tlog::add_checkpoint::{add_cosignatures, parse_cosignatures};
use symbolon_tlog::{AddCheckpoint, CheckpointVerifier};
use symbolon_trust::{Mode, NodeId, SignedAgreement, SignedCard};

use crate::find;
use crate::sample::{self, NOW, Node, PASSPORTS};

/// A file: its name, its content as computed now, and the check of its hedged part.
pub struct Vector {
    /// Its name without `.json`.
    pub name: &'static str,
    /// What every run gives.
    pub made: Value,
    /// What only this run gives; null where everything is deterministic.
    pub signed: Value,
    /// Whether a signed part, from an earlier run, opens and verifies.
    pub verify: fn(&Value) -> bool,
}

/// All files.
#[must_use]
pub fn all() -> Vec<Vector> {
    vec![
        oprf(),
        tag_set(),
        trust(),
        query(),
        checkpoint(),
        hello(),
        envelope(),
        statements(),
        alerts(),
        cosign(),
        set(),
        crate::courier::vector(),
        plain("entries", crate::entries::vector()),
        plain("proofs", crate::leaves::vector()),
    ]
}

fn plain(name: &'static str, made: Value) -> Vector {
    let (signed, verify) = (Value::Null, Value::is_null as fn(&Value) -> bool);
    Vector { name, made, signed, verify }
}

fn oprf() -> Vector {
    let (a, b) = sample::two();
    let (sender, _) = sample::sender(&b, &a);
    let cases: Vec<Value> = PASSPORTS
        .iter()
        .flat_map(|text| {
            let passport = Canonical::parse(Kind::Passport, *text).unwrap();
            let case = |key| {
                let output = sender.evaluate(key).unwrap();
                json!({
                    "passport": text,
                    "form": key.form().as_str(),
                    "input": hex::encode(key.as_bytes()),
                    "output": hex::encode(output.expose_secret()),
                    "tag": hex::encode(output.tag().as_bytes()),
                    "confirm": hex::encode(output.confirm_code().as_bytes()),
                })
            };
            passport.keys().iter().map(case).collect::<Vec<_>>()
        })
        .collect();
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let receiver = Receiver::blind(passport.keys(), [3; 32]).unwrap();
    let evaluated = sender.blind_evaluate(receiver.blinded(), sample::SEED).unwrap();
    let hex_of = |bytes: &[u8; 32]| hex::encode(bytes);
    let blinded = receiver.blinded().iter().map(|element| hex_of(element.as_bytes()));
    let answered = evaluated.elements.iter().map(|element| hex_of(element.as_bytes()));
    plain(
        "oprf",
        json!({
            "epoch_seed": hex::encode(sample::EPOCH_SEED),
            "holder": hex::encode(b.card.id().as_bytes()),
            "asker": hex::encode(a.card.id().as_bytes()),
            "class": "document",
            "epoch": NOW / sample::EPOCH_SECONDS,
            "public_key": hex::encode(sender.public_key().as_bytes()),
            "cases": cases,
            "batch": {
                "passport": "C01X00T47",
                "blind_seed": hex::encode([3; 32]),
                "blinds": hex::encode(receiver.opening().expose_secret()),
                "blinded": blinded.collect::<Vec<_>>(),
                "proof_seed": hex::encode(sample::SEED),
                "evaluated": answered.collect::<Vec<_>>(),
                "proof": hex::encode(encode(&evaluated.proof)),
            },
        }),
    )
}

fn tag_set() -> Vector {
    let (a, b) = sample::two();
    let set = sample::tag_set(&b, &a);
    let mut real = Vec::new();
    for chunk in set.chunks() {
        for entry in chunk.entries().iter().filter(|entry| !entry.records.is_empty()) {
            let refs = entry.records.iter();
            real.push(json!({
                "tag": hex::encode(entry.tag.as_bytes()),
                "rc": hex::encode(entry.commitment.as_bytes()),
                "records": refs
                    .map(|record| json!([hex::encode(record.id), hex::encode(record.version)]))
                    .collect::<Vec<_>>(),
            }));
        }
    }
    let (tag, opening) = sample::opening(&b, &a);
    let tags: Vec<String> = set.chunks().map(|chunk| hex::encode(chunk.tag_bytes())).collect();
    let proof: Vec<String> = opening.proof.iter().map(|hash| hex::encode(hash.0)).collect();
    plain(
        "tag_set",
        json!({
            "padding_seed": hex::encode(sample::SEED),
            "serial": 1,
            "count": set.count(),
            "set_root": hex::encode(set.set_root().0),
            "tags_root": hex::encode(set.tags_root().0),
            "entries": real,
            "chunks": tags,
            "opening": {
                "tag": hex::encode(tag.as_bytes()),
                "salt": hex::encode(opening.salt),
                "index": opening.index,
                "proof": proof,
                "encoded": hex::encode(encode(&opening)),
            },
            "epoch_card": hex::encode(encode(&sample::epoch_card(&b, &a))),
        }),
    )
}

fn trust() -> Vector {
    let (a, b) = sample::two();
    let agreed = sample::agreed(&a, &b);
    let node = |node: &Node, seed: u8| {
        json!({
            "root_seed": hex::encode([seed; 32]),
            "node_id": hex::encode(node.card.id().as_bytes()),
            "words": node.card.id().words(),
            "card": hex::encode(encode(node.card.card())),
            "card_digest": hex::encode(node.card.digest()),
        })
    };
    let (_, whole) = sample::agreement(&a, &b);
    Vector {
        name: "trust",
        made: json!({
            "alpha": node(&a, 10),
            "beta": node(&b, 20),
            "agreement": hex::encode(encode(agreed.agreement())),
            "agreement_digest": hex::encode(agreed.digest()),
        }),
        signed: json!({
            "alpha_card": a.signed_card.armor(),
            "beta_card": b.signed_card.armor(),
            "agreement": whole.armor(),
        }),
        verify: |signed| {
            let card = |name| SignedCard::parse(text(signed, name)).unwrap().verify(NOW);
            let (Ok(a), Ok(b)) = (card("alpha_card"), card("beta_card")) else {
                return false;
            };
            let agreement = SignedAgreement::parse(text(signed, "agreement")).unwrap();
            agreement.verify(&a, &b, NOW).is_ok()
        },
    }
}

fn query() -> Vector {
    let (mut a, b) = sample::two();
    let private = sample::private(&b);
    let (receiver, evidence) = sample::committed(&mut a, &b);
    let commitment = commit([4; 32], receiver.blinded(), &private).unwrap();
    let hashes = |list: &[symbolon_tlog::Hash]| -> Vec<String> {
        list.iter().map(|hash| hex::encode(hash.0)).collect()
    };
    plain(
        "query",
        json!({
            "salt": hex::encode(commitment.salt()),
            "private": hex::encode(&*private.encode()),
            "private_digest": hex::encode(commitment.private_digest()),
            "batch_digest": hex::encode(commitment.batch_digest()),
            "leaf": hex::encode(commitment.leaf().as_bytes()),
            "leaf_hash": hex::encode(commitment.leaf().leaf_hash().0),
            "leaf_index": evidence.leaf_index,
            "inclusion": hashes(&evidence.inclusion),
            "consistency": hashes(&evidence.consistency),
        }),
    )
}

fn checkpoint() -> Vector {
    let (a, _) = sample::two();
    Vector {
        name: "checkpoint",
        made: json!({
            "seed": hex::encode([13; 32]),
            "vkeys": a.signer.verifier().vkeys(),
            "text": a.tree().to_string(),
        }),
        signed: json!({ "checkpoint": a.checkpoint(), "vkeys": a.signer.verifier().vkeys() }),
        verify: |signed| {
            let vkeys: Vec<String> = serde_json::from_value(signed["vkeys"].clone()).unwrap();
            let verifier = CheckpointVerifier::parse(&vkeys).unwrap();
            verifier.verify_text(text(signed, "checkpoint")).is_ok()
        },
    }
}

fn hello() -> Vector {
    let (a, b) = sample::two();
    let ids = [a.card.id(), b.card.id()];
    let (_, _, [client, server, finish, accept]) = sample::handshake(&a, &b);
    let signed = json!({
        "client_hello": hex::encode(client),
        "server_hello": hex::encode(server),
        "client_finish": hex::encode(finish),
        "accept": hex::encode(accept),
    });
    let (client, server) = hellos(&signed);
    Vector {
        name: "hello",
        made: json!({
            "client": hex::encode(ids[0].as_bytes()),
            "server": hex::encode(ids[1].as_bytes()),
            "exporter_context": hex::encode(exporter_context(&ids[0], &ids[1])),
            "exporter": hex::encode(sample::EXPORTER),
            "client_nonce_seed": hex::encode([1; 32]),
            "client_nonce": hex::encode(client.0.nonce),
            "server_nonce_seed": hex::encode([2; 32]),
            "server_nonce": hex::encode(server.hello.nonce),
        }),
        signed: with_inputs(signed),
        verify: |signed| {
            let (a, b) = sample::two();
            let (client, server) = hellos(signed);
            let finish: symbolon_protocol::ClientFinish = frame(signed, "client_finish");
            let proven = |role, node: &Node, signatures| {
                let input = signing_input(role, &sample::EXPORTER, &client.0, &server.hello);
                let label = symbolon_protocol::label::HELLO;
                node.key.public().verify(label, &input, signatures).is_ok()
            };
            proven(Role::Server, &b, &server.signatures)
                && proven(Role::Client, &a, &finish.signatures)
                && with_inputs(signed.clone()) == *signed
        },
    }
}

/// The checkpoints inside the hellos are hedged, and so is what is signed over them.
fn with_inputs(mut signed: Value) -> Value {
    let (client, server) = hellos(&signed);
    for (name, role) in [("client_input", Role::Client), ("server_input", Role::Server)] {
        let input = signing_input(role, &sample::EXPORTER, &client.0, &server.hello);
        signed[name] = hex::encode(input).into();
    }
    signed
}

fn hellos(signed: &Value) -> (ClientHello, ServerHello) {
    (frame(signed, "client_hello"), frame(signed, "server_hello"))
}

fn frame<M: symbolon_protocol::Message>(signed: &Value, name: &str) -> M {
    decode(&bytes(signed, name)[4..]).unwrap()
}

fn envelope() -> Vector {
    let (a, b) = sample::two();
    let sealed = sample::envelope(&b, &a);
    let [header, enc, ciphertext] = sample::parts(sealed.as_bytes());
    let [statement, ed25519, mldsa65] = sample::parts(sealed.signed());
    Vector {
        name: "envelope",
        made: json!({
            "recipient_seed": hex::encode(b.envelope_seed),
            "sender_seed": hex::encode([11; 32]),
            "seal_seed": hex::encode(sample::SEED),
            "to": hex::encode(b.card.id().as_bytes()),
            "from": hex::encode(a.card.id().as_bytes()),
            "payload": hex::encode(sealed.payload()),
            "statement": hex::encode(statement),
            "statement_hash": hex::encode(sealed.statement_hash()),
            "ed25519": hex::encode(ed25519),
            "header": hex::encode(header),
        }),
        signed: json!({
            "envelope": hex::encode(sealed.as_bytes()),
            "mldsa65": hex::encode(mldsa65),
            "enc": hex::encode(enc),
            "ciphertext": hex::encode(ciphertext),
        }),
        verify: |signed| {
            let (a, b) = sample::two();
            let secret = RecipientSecret::generate(b.envelope_seed, Mode::Live);
            let sender = |_: &NodeId| Some(a.key.public().clone());
            let me = b.card.id();
            let envelope = bytes(signed, "envelope");
            let Ok(opened) = open(&envelope, &[secret], &sender, &me, NOW) else {
                return false;
            };
            let [_, enc, ciphertext] = sample::parts(&envelope);
            let [_, _, mldsa65] = sample::parts(opened.signed());
            opened.statement_hash() == sample::envelope(&b, &a).statement_hash()
                && [enc, ciphertext, mldsa65]
                    == ["enc", "ciphertext", "mldsa65"].map(|name| bytes(signed, name))
        },
    }
}

/// One statement of every kind that needs no grant. Checkpoints inside are hedged, and so is all
/// that is signed over them.
fn statements() -> Vector {
    let b = sample::two().1;
    let signed = sample::statements(&sample::grown(), &b);
    let signed = signed.iter().map(|(name, sealed)| {
        let [statement, ed25519, mldsa65] = sample::parts(sealed.signed());
        json!({
            "kind": name,
            "payload": hex::encode(sealed.payload()),
            "statement": hex::encode(statement),
            "statement_hash": hex::encode(sealed.statement_hash()),
            "ed25519": hex::encode(ed25519),
            "mldsa65": hex::encode(mldsa65),
            "envelope": hex::encode(sealed.as_bytes()),
        })
    });
    Vector {
        name: "statements",
        made: json!({
            "from": hex::encode(sample::grown().card.id().as_bytes()),
            "to": hex::encode(b.card.id().as_bytes()),
            "recipient_seed": hex::encode(b.envelope_seed),
            "now": NOW,
        }),
        signed: signed.collect(),
        verify: |signed| {
            let (a, b) = sample::two();
            let fits = |case: &Value| {
                let secret = RecipientSecret::generate(b.envelope_seed, Mode::Live);
                let sender = |_: &NodeId| Some(a.key.public().clone());
                let me = b.card.id();
                let opened = open(&bytes(case, "envelope"), &[secret], &sender, &me, NOW);
                let Ok(opened) = opened else { return false };
                let parts = sample::parts(opened.signed());
                let kind = format!("{:?}", opened.kind()).to_lowercase();
                parts == ["statement", "ed25519", "mldsa65"].map(|name| bytes(case, name))
                    && kind == text(case, "kind")
                    && opened.statement_hash()[..] == bytes(case, "statement_hash")
                    && find(&parts[0], &bytes(case, "payload")).is_some()
            };
            signed.as_array().is_some_and(|cases| cases.len() == 4 && cases.iter().all(fits))
        },
    }
}

/// Statements about alerts in both modes. Acknowledgements carry a hedged checkpoint and manifests
/// the hash of a hedged envelope, so all stand under "signed".
fn alerts() -> Vector {
    let (a, b) = sample::two();
    let cases = Mode::ALL.into_iter().flat_map(|mode| {
        sample::alerts(mode, &a, &b).into_iter().map(move |(name, sealed)| {
            let [statement, ed25519, mldsa65] = sample::parts(sealed.signed());
            json!({
                "name": name,
                "mode": mode.as_str(),
                "sequence": sealed.sequence(),
                "payload": hex::encode(sealed.payload()),
                "statement": hex::encode(statement),
                "statement_hash": hex::encode(sealed.statement_hash()),
                "ed25519": hex::encode(ed25519),
                "mldsa65": hex::encode(mldsa65),
                "envelope": hex::encode(sealed.as_bytes()),
            })
        })
    });
    Vector {
        name: "alerts",
        made: json!({
            "from": hex::encode(a.card.id().as_bytes()),
            "to": hex::encode(b.card.id().as_bytes()),
            "recipient_seed_live": hex::encode(b.envelope_seed),
            "recipient_seed_exercise": hex::encode(b.exercise_seed),
            "now": NOW,
        }),
        signed: cases.collect(),
        verify: |signed| {
            let (a, b) = sample::two();
            let fits = |case: &Value| {
                let sender = |_: &NodeId| Some(a.key.public().clone());
                let me = b.card.id();
                let opened = open(&bytes(case, "envelope"), &b.secrets(), &sender, &me, NOW);
                let Ok(opened) = opened else { return false };
                let parts = sample::parts(opened.signed());
                parts == ["statement", "ed25519", "mldsa65"].map(|name| bytes(case, name))
                    && opened.mode().as_str() == text(case, "mode")
                    && opened.sequence() == case["sequence"].as_u64()
                    && opened.statement_hash()[..] == bytes(case, "statement_hash")
                    && opened.payload_bytes() == bytes(case, "payload")
            };
            signed.as_array().is_some_and(|cases| cases.len() == 10 && cases.iter().all(fits))
        },
    }
}

/// The commitment to a set that is matched in bulk.
fn set() -> Vector {
    let keys: Vec<Vec<u8>> = PASSPORTS
        .iter()
        .flat_map(|text| Canonical::parse(Kind::Passport, *text).unwrap().keys().to_vec())
        .map(|key| key.as_bytes().to_vec())
        .collect();
    let mut items: Vec<[u8; 32]> = keys.iter().map(|key| set_item(key)).collect();
    items.sort_unstable();
    items.dedup();
    let (terms, blind) = (sample::set_terms(), [9; 32]);
    plain(
        "set",
        json!({
            "class": terms.class.as_str(),
            "epoch": terms.epoch,
            "nonce": hex::encode(terms.nonce),
            "receiver_count": terms.receiver_count,
            "elements": terms.elements,
            "blind": hex::encode(blind),
            "keys": keys.iter().map(hex::encode).collect::<Vec<_>>(),
            "items": items.iter().map(hex::encode).collect::<Vec<_>>(),
            "set_digest": hex::encode(set_digest(&blind, &items)),
            "batch_digest": hex::encode(terms.digest()),
            "opening": hex::encode(set_opening(&blind, &terms)),
        }),
    )
}

/// A request to a witness and its answer, and what it answers to one that is out of step.
fn cosign() -> Vector {
    let (seen, request) = sample::cosign();
    let witness = sample::two().1;
    let answer = sample::cosigned(&witness, seen, &request);
    Vector {
        name: "cosign",
        made: json!({
            "seen": { "size": seen.size, "root": hex::encode(seen.root.0) },
            "log": sample::grown().signer.verifier().vkeys(),
            "witness": witness.signer.verifier().vkeys(),
            "now": NOW,
        }),
        signed: json!({ "request": request.body(), "status": 200, "answer": answer.body() }),
        verify: |signed| {
            let request = AddCheckpoint::parse(text(signed, "request")).unwrap();
            let checkpoint = request.signed().unwrap();
            let log = sample::grown().signer.verifier();
            let lines = parse_cosignatures(text(signed, "answer")).unwrap();
            let cosigner = sample::two().1.signer.verifier().cosigner();
            let cosigned =
                add_cosignatures(checkpoint.clone(), &lines, std::slice::from_ref(&cosigner));
            log.verify(&checkpoint).is_ok()
                && cosigned.is_ok_and(|cosigned| {
                    let stated = cosigner.verify(&cosigned).unwrap();
                    stated.timestamp() == Some(NOW)
                })
        },
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).unwrap()
}
