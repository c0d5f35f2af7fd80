//! Committed queries from the blinded batch to the hit, with and without faults.

use proptest::prelude::*;
use symbolon_audit::{QueryEvidence, QueryPrivate, commit, verify_query};
use symbolon_ident::{Canonical, Class, Kind};
use symbolon_oprf::{Receiver, Tag};
use symbolon_protocol::limits::REQUEST_DEADLINE_MS;
use symbolon_protocol::{
    Code, Evaluate, Evaluation, Exchange, Incoming, ProtocolError, Reply, Serve,
};
use symbolon_tlog::{consistency_proof, inclusion_proof, leaf_hash};

use super::epoch_card::{epoch_card, sender, verify};
use super::exchange::{answer_raw, ask, assert_refused, two};
use super::link::{Fault, faults};
use super::world::{NOW, Node, context, session, session_with, written};

/// Commits to a batch in the asker's log and makes the evidence.
pub(crate) fn committed_batch(asker: &mut Node, holder: &Node) -> (Receiver, QueryEvidence) {
    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let receiver = Receiver::blind(passport.keys(), [3; 32]).unwrap();
    let private = QueryPrivate {
        partner: holder.card.id(),
        class: Class::Document,
        epoch: NOW / 604_800,
        officer: "officer 4".into(),
        purpose: "investigation".into(),
        legal_basis: "article 1".into(),
        case: "case 12".into(),
        identifiers: Vec::new(),
        opening: Vec::new(),
    };
    let seen = asker.seen();
    let commitment = commit([4; 32], receiver.blinded(), &private).unwrap();
    let receipt = asker.append(commitment.leaf().leaf_hash());
    let size = receipt.tree_size;
    let evidence = QueryEvidence {
        salt: [4; 32],
        private_digest: *commitment.private_digest(),
        leaf_index: receipt.leaf_index,
        inclusion: inclusion_proof(&asker.log, receipt.leaf_index, size).unwrap(),
        checkpoint: asker.checkpoint(),
        consistency: consistency_proof(&asker.log, seen.size, size).unwrap(),
    };
    (receiver, evidence)
}

/// The holder's side of a query, in the order that the types demand.
fn answer_query(incoming: Incoming, holder: &mut Node, asker: &Node) -> Reply {
    let Incoming::Evaluate(asked) = incoming else { panic!("{incoming:?}") };
    let request = asked.request();
    let blinded = match request.blinded() {
        Ok(blinded) => blinded,
        Err(error) => return asked.fail(&error),
    };
    // What the holder saw of the asker's log at hello: its first leaf.
    let seen = Node::new("alpha", 10).seen();
    let verifier = asker.signer.verifier();
    let committed = match verify_query(request.evidence(), &blinded, &verifier, Some(&seen)) {
        Ok(committed) => committed,
        Err(error) => return asked.refuse((&error).into()),
    };
    let receipt = holder.append(leaf_hash("the spend and the evaluation"));
    let (sender, _) = sender(holder, asker);
    let evaluated = sender.blind_evaluate(&blinded, [6; 32]).unwrap();
    let answer = Evaluation::new(request, &blinded, &committed, receipt, &evaluated).unwrap();
    asked.answer(&answer)
}

#[test]
fn a_query_finds_what_both_hold() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let (answer, _) = ask(&session, &request, &[], |incoming| answer_query(incoming, &mut b, &a));
    let evaluated = answer.unwrap().evaluated().unwrap();

    let passport = Canonical::parse(Kind::Passport, "C01X00T47").unwrap();
    let held = sender(&b, &a).0.evaluate(&passport.keys()[0]).unwrap().tag();
    let hits = receiver.finalize(&evaluated, &card.card().public_key, &[held][..]).unwrap();
    assert_eq!((hits.len(), hits[0].index), (1, 0));
}

#[test]
fn a_query_without_its_commitment_is_refused() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let false_salt = QueryEvidence { salt: [0; 32], ..evidence.clone() };
    let other_log = QueryEvidence { checkpoint: b.checkpoint(), ..evidence.clone() };
    let no_consistency = QueryEvidence { consistency: Vec::new(), ..evidence };
    for (evidence, code) in
        [(false_salt, Code::Commitment), (other_log, Code::Commitment), (no_consistency, Code::Log)]
    {
        let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
        let (answer, _) =
            ask(&session, &request, &[], |incoming| answer_query(incoming, &mut b, &a));
        assert_refused(answer, code);
    }
}

#[test]
fn evidence_of_another_batch_cannot_answer() {
    let (mut a, b) = two();
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let verifier = a.signer.verifier();
    let committed = verify_query(&evidence, receiver.blinded(), &verifier, None).unwrap();
    let other = Canonical::parse(Kind::Passport, "X99887766").unwrap();
    let other = Receiver::blind(other.keys(), [8; 32]).unwrap();
    let request = Evaluate::new(&card, other.blinded(), evidence).unwrap();
    let evaluated = sender(&b, &a).0.blind_evaluate(other.blinded(), [6; 32]).unwrap();
    let receipt = a.append(leaf_hash("entry"));
    let answer = Evaluation::new(&request, other.blinded(), &committed, receipt, &evaluated);
    assert!(matches!(answer, Err(ProtocolError::Misuse { .. })));
}

#[test]
fn elements_that_are_no_elements_are_refused_with_their_code() {
    let (mut a, mut b) = two();
    let session = session(&a, &b);
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let first = receiver.blinded()[0].as_bytes();
    for (rule, element) in [("identity", [0; 32]), ("not canonical", [0xff; 32])] {
        let mut exchange = Exchange::begin(&session.0, &request, 0).unwrap();
        let mut bytes = written(|| exchange.poll_transmit());
        let place = bytes.windows(32).position(|window| window == first).unwrap();
        bytes[place..place + 32].copy_from_slice(&element);
        let answer = answer_raw(&session.1, &bytes, |incoming| answer_query(incoming, &mut b, &a));
        exchange.handle_bytes(&answer, 1);
        exchange.handle_end(1);
        let outcome = exchange.poll_outcome().unwrap();
        assert!(
            matches!(outcome, Err(ProtocolError::PeerRefused { code: Code::Element, .. })),
            "{rule}"
        );
    }
    assert!(matches!(
        Evaluate::new(&card, &receiver.blinded()[..7], request.evidence().clone()),
        Err(ProtocolError::ElementCount)
    ));
}

#[test]
fn other_profiles_do_not_match() {
    let (mut a, b) = two();
    let mut client = context(&a, &b);
    client.local.profile = [0; 32];
    let (client, server) = session_with(client, context(&b, &a));
    let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
    let (receiver, evidence) = committed_batch(&mut a, &b);
    let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
    let exchange = Exchange::begin(&client, &request, 0);
    assert!(matches!(exchange, Err(ProtocolError::ProfileDiffers)));
    // A client that asks all the same.
    let bytes = symbolon_protocol::encode(&request);
    let mut serve = Serve::new(&server, 0);
    serve.handle_bytes(&bytes, 0);
    serve.handle_end(0);
    let outcome = serve.poll_outcome().unwrap();
    assert_eq!(outcome.unwrap_err().code(), Code::Profile);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_schedule_ends_in_the_answer_or_an_error(faults in faults()) {
        let (mut a, mut b) = two();
        let session = session(&a, &b);
        let card = verify(epoch_card(&b, &a), &b, &a).unwrap();
        let (receiver, evidence) = committed_batch(&mut a, &b);
        let request = Evaluate::new(&card, receiver.blinded(), evidence).unwrap();
        let (answer, time_ms) =
            ask(&session, &request, &faults, |incoming| answer_query(incoming, &mut b, &a));
        prop_assert!(time_ms <= 2 * REQUEST_DEADLINE_MS + 80_001);
        let whole = faults.iter().all(|fault| matches!(fault, Fault::None | Fault::Split(_)));
        prop_assert!(!whole || answer.is_ok());
        // What comes through damaged is found by the proof at the latest.
        if let Ok(answer) = answer
            && let Ok(evaluated) = answer.evaluated()
        {
            let tags: [Tag; 0] = [];
            let finalized = receiver.finalize(&evaluated, &card.card().public_key, &tags[..]);
            let corrupt = faults.iter().any(|fault| matches!(fault, Fault::Corrupt(_)));
            prop_assert!(corrupt || finalized.is_ok());
        }
    }
}
