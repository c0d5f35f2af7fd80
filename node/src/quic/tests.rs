//! Loopback tests of the transport, with real sockets, TLS and cards on both sides.

mod child;
mod flood;
mod hello;
mod requests;
mod tls;
mod transfer;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use symbolon_ident::Country;
use symbolon_protocol::{Card, Established, Incoming, Local, Partner, Refusal};
use symbolon_tlog::VerifiedCheckpoint;
use symbolon_tlog::{Checkpoint, CheckpointSigner, EMPTY_ROOT};
use symbolon_trust::{
    DOCUMENT_VERSION, EnvelopeKey, IdentityKey, Mode, NodeCard, NodeId, NodeName, SignedCard,
    TlsPin, VerifiedCard,
};

use super::{Answer, Directory, Endpoint, EndpointConfig, Service, Timing, TlsKey};
use crate::clock;

/// Keys and card of a node, made once for each number: ML-DSA key generation takes its time.
struct Agency {
    seed: [u8; 32],
    root: IdentityKey,
    signing: Arc<IdentityKey>,
    log: CheckpointSigner,
}

impl Agency {
    fn new(number: u8) -> Self {
        let origin = format!("node-{number}.example/log");
        Self {
            seed: [number; 32],
            root: IdentityKey::generate([number; 32]).unwrap(),
            signing: Arc::new(IdentityKey::generate([number | 0x80; 32]).unwrap()),
            log: CheckpointSigner::from_seed(&origin, &[number; 32]).unwrap(),
        }
    }

    fn id(&self) -> NodeId {
        self.root.public().fingerprint()
    }

    fn card(&self, sequence: u64, address: &str) -> SignedCard {
        let (not_before, not_after) = (*BORN - 60, *BORN + 3600);
        let card = NodeCard {
            version: DOCUMENT_VERSION,
            root: self.root.public().clone(),
            name: NodeName::parse("test").unwrap(),
            country: Country::parse("DEU").unwrap(),
            sequence,
            not_before,
            not_after,
            signing: self.signing.public().clone(),
            envelope_keys: vec![EnvelopeKey::new(vec![7; 1216], Mode::Live, not_before, not_after)],
            tls_pins: vec![TlsKey::generate(self.seed).unwrap().pin()],
            addresses: vec![address.to_owned()],
            log: self.log.verifier().vkeys().to_vec(),
            profile: [9; 32],
        };
        SignedCard::sign(card, &self.root).unwrap()
    }

    fn local(&self, card: SignedCard) -> Local {
        let checkpoint = Checkpoint::new(self.log.origin(), 0, EMPTY_ROOT).unwrap();
        Local {
            card: Arc::new(card.verify(clock::now()).unwrap()),
            signed_card: Arc::new(card),
            key: Arc::clone(&self.signing),
            profile: [9; 32],
            checkpoint: self.log.sign(&checkpoint).unwrap().to_string(),
            log_size: 0,
        }
    }
}

/// One moment for all, because cards of different validity are different cards.
static BORN: LazyLock<u64> = LazyLock::new(clock::now);

static AGENCIES: LazyLock<[Agency; 3]> = LazyLock::new(|| [1, 2, 3].map(Agency::new));

/// Own and partners' cards in memory.
struct Book {
    local: Mutex<Option<Local>>,
    partners: Mutex<HashMap<NodeId, Partner>>,
    /// Who showed a log that contradicts what was seen, and its size.
    contradictions: Mutex<Vec<(NodeId, u64)>>,
}

impl Directory for Book {
    fn by_pin(&self, pin: &TlsPin) -> Option<NodeId> {
        let partners = self.partners.lock().unwrap();
        let mut found = partners.values().filter(|one| one.card.card().tls_pins.contains(pin));
        Some(found.next()?.card.id())
    }

    fn partner(&self, node: &NodeId) -> Option<Partner> {
        self.partners.lock().unwrap().get(node).cloned()
    }

    fn local(&self) -> Local {
        self.local.lock().unwrap().clone().unwrap()
    }

    fn met(&self, _: &Established) {}

    fn contradicted(&self, node: &NodeId, shown: VerifiedCheckpoint) {
        self.contradictions.lock().unwrap().push((*node, shown.size()));
    }
}

/// Answers a request for the card as it is told to, and refuses everything else.
struct Desk<F>(F);

impl<F: Fn(&Established) -> Say + Send + Sync + 'static> Service for Desk<F> {
    fn serve(&self, session: &Established, incoming: Incoming) -> Answer {
        let Incoming::Card(asked) = incoming else { panic!("only cards are asked for here") };
        match self.0(session) {
            Say::Card => Answer::Reply(asked.answer(&Card::new(&AGENCIES[1].card(1, HERE)))),
            Say::Refuse(refusal) => Answer::Reply(asked.refuse(refusal)),
            Say::Bulk(header, pieces) => {
                Answer::Bulk { header, pieces: Box::new(pieces.into_iter()) }
            }
        }
    }
}

enum Say {
    Card,
    Refuse(Refusal),
    Bulk(Vec<u8>, Vec<Result<Vec<u8>, symbolon_protocol::ProtocolError>>),
}

const HERE: &str = "127.0.0.1:1";

/// Timing in which a test can wait for every deadline.
fn brisk() -> Timing {
    Timing {
        handshake: Duration::from_secs(2),
        idle: Duration::from_secs(4),
        keep_alive: Duration::from_millis(300),
        request: Duration::from_secs(3),
        drain: Duration::from_secs(2),
    }
}

/// A node on loopback.
struct Node {
    agency: &'static Agency,
    book: Arc<Book>,
    endpoint: Endpoint,
    address: SocketAddr,
}

fn node(number: usize, timing: Timing, service: impl Service) -> Node {
    node_at(number, (Ipv4Addr::LOCALHOST, 0).into(), timing, service)
}

fn node_at(number: usize, listen: SocketAddr, timing: Timing, service: impl Service) -> Node {
    let agency = &AGENCIES[number - 1];
    let partners = Mutex::default();
    let contradictions = Mutex::default();
    let book = Arc::new(Book { local: Mutex::new(None), partners, contradictions });
    let endpoint = Endpoint::bind(EndpointConfig {
        listen,
        key: TlsKey::generate(agency.seed).unwrap(),
        directory: Arc::clone(&book) as _,
        service: Arc::new(service),
        timing,
    })
    .unwrap();
    let address = endpoint.local_addr().unwrap();
    let local = agency.local(agency.card(2, &address.to_string()));
    *book.local.lock().unwrap() = Some(local);
    Node { agency, book, endpoint, address }
}

impl Node {
    fn id(&self) -> NodeId {
        self.agency.id()
    }

    fn knows(&self, other: &Node) {
        self.learns(other.book.local().card);
    }

    /// Knows an older card of `other`, with another address than it may have now.
    fn knows_at(&self, other: &Agency, address: SocketAddr) {
        let card = other.card(1, &address.to_string());
        self.learns(Arc::new(card.verify(clock::now()).unwrap()));
    }

    fn learns(&self, card: Arc<VerifiedCard>) {
        let id = card.id();
        self.book.partners.lock().unwrap().insert(id, Partner { card, seen: None });
    }

    fn forgets(&self, other: &Node) {
        self.book.partners.lock().unwrap().remove(&other.id());
    }
}

/// An asker and a holder that serves with `service`.
fn pair(service: impl Fn(&Established) -> Say + Send + Sync + 'static) -> (Node, Node) {
    let asker = node(1, brisk(), Desk(|_: &Established| Say::Refuse(Refusal::Internal)));
    let holder = node(2, brisk(), Desk(service));
    asker.knows(&holder);
    holder.knows(&asker);
    (asker, holder)
}

/// Runs `work`, which blocks, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
