//! Requests and answers between two whole endpoints, and what happens when one of them is not well.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::Instant;

use symbolon_protocol::limits::CONNECTIONS_PER_PARTNER_MAX;
use symbolon_protocol::{CardRequest, Code, ProtocolError};
use tokio::time::timeout;

use super::super::LinkError;
use super::super::error::DialError;
use super::super::limits::SERVING_PER_PARTNER_MAX;
use super::child::Child;
use super::*;

#[tokio::test]
async fn a_request_is_answered_and_the_connection_kept() {
    let (asker, holder) = pair(|_| Say::Card);
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    let begun = Instant::now();
    let (ports, times) = blocking(move || {
        let mut times = vec![begun.elapsed()];
        let ports: Vec<usize> = (0..5)
            .map(|_| {
                let session = dialer.session(partner).unwrap();
                times.push(begun.elapsed());
                assert_eq!(session.established().partner(), partner);
                let card = session.request(&CardRequest::new()).unwrap();
                times.push(begun.elapsed());
                assert!(card.signed().is_ok());
                session.connection.stable_id()
            })
            .collect();
        (ports, times)
    })
    .await;
    assert!(ports.windows(2).all(|pair| pair[0] == pair[1]), "one connection for all");
    println!("session (Retry, TLS, hello), request, session, request ...: {times:?}");
}

#[tokio::test]
async fn many_requests_share_one_connection_and_run_side_by_side() {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // Opens only when as many requests run at a time as may.
    let gate = Barrier::new(SERVING_PER_PARTNER_MAX);
    let (asker, holder) = pair(move |_| {
        MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        gate.wait();
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        Say::Card
    });
    let partner = holder.id();
    let asked: Vec<_> = (0..8 * SERVING_PER_PARTNER_MAX)
        .map(|_| {
            let dialer = asker.endpoint.dialer();
            tokio::task::spawn_blocking(move || dialer.request(partner, &CardRequest::new()))
        })
        .collect();
    for one in asked {
        one.await.unwrap().unwrap();
    }
    assert_eq!(MOST.load(Ordering::SeqCst), SERVING_PER_PARTNER_MAX);
}

async fn ask(asker: &Node, holder: &Node) -> Result<Card, LinkError> {
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    blocking(move || dialer.request(partner, &CardRequest::new())).await
}

#[tokio::test]
async fn a_refusal_has_its_code_and_number() {
    let (asker, holder) = pair(|_| Say::Refuse(Refusal::BudgetExhausted { remaining: 17 }));
    let answer = ask(&asker, &holder).await;
    assert!(matches!(answer, Err(LinkError::Refused { code: Code::Budget, detail: Some(17) })));
}

#[tokio::test]
async fn a_service_that_panics_is_an_internal_error_and_the_node_goes_on() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let (asker, holder) = pair(|_| {
        assert!(CALLS.fetch_add(1, Ordering::SeqCst) > 0, "the first call");
        Say::Card
    });
    let answer = ask(&asker, &holder).await;
    assert!(matches!(answer, Err(LinkError::Refused { code: Code::Internal, .. })), "{answer:?}");
    assert!(ask(&asker, &holder).await.is_ok());
}

#[tokio::test]
async fn an_answer_cut_short_is_not_taken_for_whole() {
    let (asker, holder) = pair(|_| {
        let whole = symbolon_protocol::encode(&Card::new(&AGENCIES[1].card(1, HERE)));
        let (first, _) = whole.split_at(100);
        let error = ProtocolError::Refused(Refusal::Internal);
        Say::Bulk(first.to_vec(), vec![Err(error)])
    });
    let answer = ask(&asker, &holder).await;
    assert!(matches!(answer, Err(LinkError::Refused { code: Code::Internal, .. })), "{answer:?}");
}

#[tokio::test]
async fn pieces_arrive_whole_and_in_order() {
    let (asker, holder) = pair(|_| {
        let whole = symbolon_protocol::encode(&Card::new(&AGENCIES[1].card(1, HERE)));
        let mut pieces: Vec<_> = whole.chunks(700).map(|piece| Ok(piece.to_vec())).collect();
        Say::Bulk(pieces.remove(0).unwrap(), pieces)
    });
    assert!(ask(&asker, &holder).await.unwrap().signed().is_ok());
}

#[tokio::test]
async fn a_slow_partner_is_timed_out_and_not_called_unreachable() {
    let (release, hold) = mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let (asker, holder) = pair(move |_| {
        let _ = hold.lock().unwrap().recv();
        Say::Card
    });
    let begun = Instant::now();
    let answer = ask(&asker, &holder).await;
    // The holder's own deadline or the asker's, whichever is first.
    assert!(
        matches!(
            answer,
            Err(LinkError::TimedOut | LinkError::Refused { code: Code::Deadline, .. })
        ),
        "{answer:?}"
    );
    assert!(begun.elapsed() < brisk().request * 2);
    drop(release);
}

#[tokio::test]
async fn a_partner_that_is_down_is_unreachable_and_dialled_once_per_interval() {
    let (asker, holder) = pair(|_| Say::Card);
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asker.knows_at(holder.agency, nobody.local_addr().unwrap());
    let begun = Instant::now();
    let (one, two) = tokio::join!(ask(&asker, &holder), ask(&asker, &holder));
    assert!(begun.elapsed() < brisk().handshake * 2, "one dial for both");
    assert!(matches!(one, Err(LinkError::Unreachable(_))));
    assert!(matches!(two, Err(LinkError::Unreachable(_))));
    assert!(matches!(
        ask(&asker, &holder).await,
        Err(LinkError::Unreachable(DialError::BackingOff { .. } | DialError::NoAnswer))
    ));
}

#[tokio::test]
async fn a_partner_that_calls_is_called_back_without_waiting() {
    let (asker, holder) = pair(|_| Say::Card);
    let nobody = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    asker.knows_at(holder.agency, nobody.local_addr().unwrap());
    assert!(ask(&asker, &holder).await.is_err());
    asker.knows(&holder);
    assert!(matches!(
        ask(&holder, &asker).await,
        Err(LinkError::Refused { code: Code::Internal, .. })
    ));
    assert!(ask(&asker, &holder).await.is_ok());
}

#[tokio::test]
async fn a_suspended_partner_is_neither_asked_nor_served() {
    let (asker, holder) = pair(|_| Say::Card);
    assert!(ask(&asker, &holder).await.is_ok());
    holder.forgets(&asker);
    let answer = ask(&asker, &holder).await;
    let expected = DialError::Refused(Code::Unavailable);
    assert!(matches!(
        answer,
        Err(LinkError::Unreachable(error)) if error.to_string() == expected.to_string()
    ));
    asker.forgets(&holder);
    assert!(matches!(
        ask(&asker, &holder).await,
        Err(LinkError::Unreachable(DialError::NotAPartner))
    ));
}

#[tokio::test]
async fn whoever_else_answers_is_not_the_partner() {
    let (asker, holder) = pair(|_| Say::Card);
    let impostor = node(3, brisk(), Desk(|_: &Established| Say::Card));
    impostor.knows(&asker);
    asker.knows_at(holder.agency, impostor.address);
    let answer = ask(&asker, &holder).await;
    assert!(matches!(answer, Err(LinkError::Unreachable(DialError::Identity))), "{answer:?}");
}

#[tokio::test]
async fn a_partner_that_does_not_know_this_node_says_so() {
    let (asker, holder) = pair(|_| Say::Card);
    holder.forgets(&asker);
    let answer = ask(&asker, &holder).await;
    assert!(matches!(answer, Err(LinkError::Unreachable(DialError::NotRecognised))), "{answer:?}");
}

#[tokio::test]
async fn a_partner_that_came_back_eight_times_gets_the_place_of_its_oldest_connection() {
    let (asker, holder) = pair(|_| Say::Card);
    holder.knows_at(asker.agency, asker.address);
    let mut dialers = Vec::new();
    for _ in 0..CONNECTIONS_PER_PARTNER_MAX {
        let other = node(1, brisk(), Desk(|_: &Established| Say::Card));
        other.knows(&holder);
        assert!(ask(&other, &holder).await.is_ok());
        dialers.push(other);
    }
    let ninth = ask(&asker, &holder).await;
    assert!(ninth.is_ok(), "{ninth:?}");
    let third = node(3, brisk(), Desk(|_: &Established| Say::Card));
    third.knows(&holder);
    holder.knows(&third);
    assert!(ask(&third, &holder).await.is_ok(), "another partner still gets in");
}

#[tokio::test]
async fn stopping_lets_answers_in_flight_end() {
    let (release, hold) = mpsc::channel::<()>();
    let (begun, running) = mpsc::channel();
    let hold = Mutex::new(hold);
    let (asker, holder) = pair(move |_| {
        begun.send(()).unwrap();
        let _ = hold.lock().unwrap().recv();
        Say::Card
    });
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    let asked = tokio::task::spawn_blocking(move || dialer.request(partner, &CardRequest::new()));
    blocking(move || running.recv().unwrap()).await;
    let stopping = tokio::spawn(holder.endpoint.shutdown());
    drop(release);
    assert!(asked.await.unwrap().is_ok());
    timeout(Duration::from_secs(5), stopping).await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_an_answer_that_never_comes() {
    let (release, hold) = mpsc::channel::<()>();
    let (begun, running) = mpsc::channel();
    let hold = Mutex::new(hold);
    let (asker, holder) = pair(move |_| {
        begun.send(()).unwrap();
        let _ = hold.lock().unwrap().recv();
        Say::Card
    });
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    let asked = tokio::task::spawn_blocking(move || dialer.request(partner, &CardRequest::new()));
    blocking(move || running.recv().unwrap()).await;
    let moment = Instant::now();
    timeout(Duration::from_secs(5), holder.endpoint.shutdown()).await.unwrap();
    println!("stopped after {:?}", moment.elapsed());
    let answer = asked.await.unwrap();
    assert!(
        matches!(
            answer,
            Err(LinkError::Unreachable(_) | LinkError::Refused { code: Code::Deadline, .. })
        ),
        "{answer:?}"
    );
    drop(release);
}

#[tokio::test]
async fn a_killed_partner_is_unreachable() {
    let asker = node(1, brisk(), Desk(|_: &Established| Say::Card));
    let mut child = Child::spawn(&asker, "hang");
    asker.knows_at(&AGENCIES[1], child.address);
    let (dialer, partner) = (asker.endpoint.dialer(), AGENCIES[1].id());
    let again = asker.endpoint.dialer();
    let asked = tokio::task::spawn_blocking(move || dialer.request(partner, &CardRequest::new()));
    blocking(move || {
        child.wait_until_asked();
        drop(child);
    })
    .await;
    let begun = Instant::now();
    let answer = asked.await.unwrap();
    println!("known to be unreachable after {:?}", begun.elapsed());
    assert!(matches!(answer, Err(LinkError::Unreachable(DialError::NoAnswer))), "{answer:?}");
    assert!(begun.elapsed() < brisk().request);
    let again = blocking(move || again.request(partner, &CardRequest::new())).await;
    assert!(matches!(again, Err(LinkError::Unreachable(DialError::NoAnswer))), "{again:?}");
}

#[test]
fn a_restarted_partner_is_noticed_at_once() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let (asking, first, second) = (runtime(), runtime(), runtime());
    let deny = || Desk(|_: &Established| Say::Refuse(Refusal::Internal));
    let serve = || Desk(|_: &Established| Say::Card);
    let asker = asking.block_on(async { node(1, brisk(), deny()) });
    let holder = first.block_on(async { node(2, brisk(), serve()) });
    asker.knows(&holder);
    holder.knows(&asker);
    let address = holder.address;
    let session = asker.endpoint.dialer().session(holder.id()).unwrap();
    session.request(&CardRequest::new()).unwrap();
    // The runtime takes socket and connections with it, as kill -9 would: nobody is told.
    drop(holder);
    first.shutdown_timeout(Duration::from_secs(1));
    let reborn = second.block_on(async { node_at(2, address, brisk(), serve()) });
    reborn.knows(&asker);
    let begun = Instant::now();
    let closed =
        asking.block_on(async { timeout(brisk().idle, session.connection.closed()).await });
    println!("restart noticed after {:?}", begun.elapsed());
    assert!(matches!(closed, Ok(quinn::ConnectionError::Reset)), "{closed:?}");
    assert!(asker.endpoint.dialer().request(reborn.id(), &CardRequest::new()).is_ok());
}
