//! The handshake, with and without faults, and every way in which a hello is refused.

use proptest::prelude::*;
use symbolon_protocol::limits::{CLOCK_SKEW_SECONDS_MAX, HANDSHAKE_DEADLINE_MS};
use symbolon_protocol::{Code, Context, Established, Handshake, ProtocolError};
use symbolon_tlog::leaf_hash;
use symbolon_trust::IdentityKey;

use super::link::{Fault, faults, run};
use super::world::{NOW, Node, PROFILE, context, session_with};

type Outcome = Result<Established, ProtocolError>;

fn shake(client: Context, server: Context, faults: &[Fault]) -> (Outcome, Outcome, u64) {
    shake_at(client, NOW, server, NOW, faults)
}

fn shake_at(
    client: Context,
    client_now: u64,
    server: Context,
    server_now: u64,
    faults: &[Fault],
) -> (Outcome, Outcome, u64) {
    let mut a = Handshake::client(client, [1; 32], client_now, 0);
    let mut b = Handshake::server(server, [2; 32], server_now, 0);
    let time_ms = run(&mut a, &mut b, faults);
    (a.poll_outcome().unwrap(), b.poll_outcome().unwrap(), time_ms)
}

/// What the client is told when the server refuses.
fn refused_by_server(outcome: &(Outcome, Outcome, u64)) -> Code {
    match outcome {
        (Err(ProtocolError::PeerRefused { code, .. }), Err(error), _) => {
            assert_eq!(*code, error.code());
            *code
        }
        other => panic!("not refused by the server: {other:?}"),
    }
}

/// What the server is told when the client refuses.
fn refused_by_client((client, server, time): (Outcome, Outcome, u64)) -> Code {
    refused_by_server(&(server, client, time))
}

fn two() -> (Node, Node) {
    (Node::new("alpha", 10), Node::new("beta", 20))
}

#[test]
fn two_nodes_meet() {
    let (mut a, b) = two();
    a.append(leaf_hash("second"));
    let mut old = context(&b, &a);
    old.partner.seen = None;
    let (client, server) = session_with(context(&a, &b), old);
    assert_eq!((client.partner(), server.partner()), (b.card.id(), a.card.id()));
    assert_eq!((client.checkpoint().size(), server.checkpoint().size()), (1, 2));
    assert_eq!((client.seen_by_partner(), server.seen_by_partner()), (0, 1));
    assert!(client.replacement().is_none() && client.matching().is_ok());
}

#[test]
fn a_newer_card_comes_with_the_hello() {
    let (mut a, mut b) = two();
    let (old_a, old_b) = (a.partner(), b.partner());
    // Both have new signing keys, which only the new cards name.
    for (node, seed) in [(&mut a, 77), (&mut b, 78)] {
        let key = IdentityKey::generate([seed; 32]).unwrap();
        node.renew(|card| card.signing = key.public().clone());
        node.key = key.into();
    }
    let client = Context { partner: old_b, ..context(&a, &b) };
    let server = Context { partner: old_a, ..context(&b, &a) };
    let (client, server) = session_with(client, server);
    assert_eq!(client.replacement(), Some(&*b.signed_card));
    assert_eq!(server.replacement(), Some(&*a.signed_card));
}

#[test]
fn a_relay_between_two_connections_is_refused() {
    let (a, b) = two();
    // The relay holds neither identity key; it has one connection to each, so two exporters.
    let server = Context { exporter: [8; 32], ..context(&b, &a) };
    let outcome = shake(context(&a, &b), server, &[]);
    assert!(matches!(outcome.0, Err(ProtocolError::HelloSignature(_))));
    assert_eq!(refused_by_client(outcome), Code::Hello);
}

#[test]
fn another_identity_key_is_refused() {
    let (a, b) = two();
    let mut server = context(&b, &a);
    server.local.key = IdentityKey::generate([99; 32]).unwrap().into();
    assert_eq!(refused_by_client(shake(context(&a, &b), server, &[])), Code::Hello);
    let mut client = context(&a, &b);
    client.local.key = IdentityKey::generate([99; 32]).unwrap().into();
    let outcome = shake(client, context(&b, &a), &[]);
    assert_eq!(refused_by_server(&outcome), Code::Hello);
}

#[test]
fn another_node_than_the_certificate_says_is_refused() {
    let (a, b) = two();
    let stranger = Node::new("gamma", 30);
    let outcome = shake(context(&stranger, &b), context(&b, &a), &[]);
    assert_eq!(refused_by_server(&outcome), Code::Hello);
}

#[test]
fn five_minutes_are_the_limit_for_clocks() {
    let (a, b) = two();
    let late = NOW + CLOCK_SKEW_SECONDS_MAX;
    assert!(shake_at(context(&a, &b), NOW, context(&b, &a), late, &[]).1.is_ok());
    let outcome = shake_at(context(&a, &b), NOW, context(&b, &a), late + 1, &[]);
    let detail = Some(late + 1);
    assert!(matches!(
        outcome.0,
        Err(ProtocolError::PeerRefused { code: Code::Clock, detail: told }) if told == detail
    ));
}

#[test]
fn cards_that_go_back_fork_or_end_are_refused() {
    let (mut a, b) = two();
    let current = context(&a, &b);
    a.renew(|_| ());
    let newer = a.partner();
    let outcome = shake(current, Context { partner: newer, ..context(&b, &a) }, &[]);
    assert_eq!(refused_by_server(&outcome), Code::CardOutdated);

    let mut fork = Node::new("alpha", 10);
    fork.renew(|card| card.addresses = vec!["elsewhere.example:1".into()]);
    let outcome = shake(context(&fork, &b), context(&b, &a), &[]);
    assert_eq!(refused_by_server(&outcome), Code::Hello);

    let end = NOW + 1_000_000;
    let outcome = shake_at(context(&a, &b), end, context(&b, &a), end, &[]);
    assert!(matches!(outcome.0, Err(ProtocolError::CardExpired(_))));
}

#[test]
fn logs_that_fork_or_shrink_are_refused() {
    let (mut a, b) = two();
    let mut server = context(&b, &a);
    server.partner.seen.as_mut().unwrap().root = leaf_hash("another history");
    let outcome = shake(context(&a, &b), server, &[]);
    assert_eq!(refused_by_server(&outcome), Code::Log);

    // The client shows an old checkpoint; an honest one notices that itself.
    let before = || context(&Node::new("alpha", 10), &b);
    a.append(leaf_hash("second"));
    let outcome = shake(before(), context(&b, &a), &[]);
    assert!(matches!(outcome.0, Err(ProtocolError::OwnLogBehind)));
    let mut dishonest = before();
    dishonest.local.log_size = 2;
    let outcome = shake(dishonest, context(&b, &a), &[]);
    assert_eq!(refused_by_server(&outcome), Code::Stale);

    // The server claims to have seen more of the client's log than there is.
    let mut server = context(&b, &a);
    server.partner.seen.as_mut().unwrap().size = 99;
    let outcome = shake(context(&a, &b), server, &[]);
    assert!(matches!(outcome.0, Err(ProtocolError::OwnLogBehind)));

    let mut client = context(&a, &b);
    client.local.checkpoint = b.checkpoint();
    let outcome = shake(client, context(&b, &a), &[]);
    assert_eq!(refused_by_server(&outcome), Code::Log);
}

#[test]
fn other_profiles_meet_but_do_not_match() {
    let (a, b) = two();
    let mut client = context(&a, &b);
    client.local.profile = [0; 32];
    assert_ne!(client.local.profile, PROFILE);
    let (client, server) = session_with(client, context(&b, &a));
    for end in [client, server] {
        assert!(matches!(end.matching(), Err(ProtocolError::ProfileDiffers)));
    }
}

#[test]
fn silence_ends_at_the_deadline() {
    let (a, b) = two();
    let (client, server, time_ms) = shake(context(&a, &b), context(&b, &a), &[Fault::Drop]);
    assert!(matches!(client, Err(ProtocolError::Deadline)));
    assert!(server.is_err());
    assert_eq!(time_ms, HANDSHAKE_DEADLINE_MS + 1);
}

#[test]
fn nonces_differ_by_seed() {
    let (a, b) = two();
    let mut first = Handshake::client(context(&a, &b), [1; 32], NOW, 0);
    let mut second = Handshake::client(context(&a, &b), [2; 32], NOW, 0);
    assert_ne!(first.poll_transmit(), second.poll_transmit());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_schedule_ends_in_agreement_or_an_error(faults in faults()) {
        let (a, b) = two();
        let (client, server, time_ms) = shake(context(&a, &b), context(&b, &a), &faults);
        // Errors travel too, so the last arrival may be later than both deadlines.
        prop_assert!(time_ms <= HANDSHAKE_DEADLINE_MS + 40_001);
        let whole = faults.iter().all(|fault| matches!(fault, Fault::None | Fault::Split(_)));
        prop_assert!(!whole || client.is_ok());
        // A client that succeeded has the server's word that the server did.
        if let Ok(client) = client {
            let server = server.unwrap();
            prop_assert_eq!((client.partner(), server.partner()), (b.card.id(), a.card.id()));
        }
    }
}
