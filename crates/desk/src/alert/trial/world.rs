//! Desks with stores in memory, a clock that the test turns, and a link whose weather it makes.

#[path = "../../../tests/support/hello.rs"]
mod hello;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, Weak};

use symbolon_codec::sha256;
use symbolon_protocol::{
    AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Code, Collect,
    Collected, Context, Cosign, Cosigned, Delivered, Disclose, Epochs, Established, Evaluate,
    Evaluated, Exchange, Leave, Left, ProtocolError, Prove, Proved, Push, Pushed, Pushing, Request,
    Serve, TagSetEvent, TagSetProgress, Transmit, VerifiedEpochCard, decode, encode,
};
use symbolon_store::{Cost, Store, Unlock};
use symbolon_trust::{Mode, NodeId};

use super::node::{Node, agree};
use crate::{Answered, Desk, Link, LinkError, Surroundings};

pub(super) const BEGIN_MS: u64 = 1_790_000_000_000;
pub(super) const DAY_MS: u64 = 86_400_000;

/// A clock for all, and seeds that never come twice.
pub(super) struct Virtual {
    now_ms: Arc<AtomicU64>,
    name: &'static str,
    seeds: AtomicU64,
}

impl Virtual {
    pub(super) fn new(now_ms: &Arc<AtomicU64>, name: &'static str) -> Virtual {
        Virtual { now_ms: Arc::clone(now_ms), name, seeds: AtomicU64::new(0) }
    }
}

impl Surroundings for Virtual {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn seed(&self) -> [u8; 32] {
        let number = self.seeds.fetch_add(1, Ordering::Relaxed);
        sha256("a seed of a test", &[self.name.as_bytes(), &number.to_be_bytes()])
    }
}

/// What becomes of one push.
pub(super) enum Fate {
    Arrives,
    /// On its way there.
    Lost,
    /// It arrives, and its answer is lost.
    AnswerLost,
    /// It arrives twice; the sender gets the second answer.
    Twice,
    /// More than so many bytes do not arrive in time.
    Slow(usize),
    /// The partner answers this instead, and applies nothing.
    Answered(Option<Vec<u8>>, [u64; 2]),
    /// It is on its way until the test says what becomes of it.
    Held(Receiver<Fate>),
}

/// The way of one desk to all others.
pub(super) struct Wire {
    own: Weak<Desk>,
    others: Mutex<BTreeMap<NodeId, Arc<Desk>>>,
    fate: Mutex<Box<dyn FnMut() -> Fate + Send>>,
    /// The envelopes of every push, as they left.
    pub(super) left: Mutex<Vec<Vec<Vec<u8>>>>,
    pub(super) hellos: AtomicUsize,
    /// What was asked to be proved.
    pub(super) asked_for: Mutex<Vec<Prove>>,
    /// What answers in the place of the partner, where it does.
    prover: Mutex<Box<dyn FnMut(&Prove) -> Option<Result<Proved, LinkError>> + Send>>,
}

impl Wire {
    /// Fair weather, and nobody at the other end yet.
    pub(super) fn new(own: &Arc<Desk>) -> Wire {
        Wire {
            own: Arc::downgrade(own),
            others: Mutex::default(),
            fate: Mutex::new(Box::new(|| Fate::Arrives)),
            left: Mutex::default(),
            hellos: AtomicUsize::new(0),
            asked_for: Mutex::default(),
            prover: Mutex::new(Box::new(|_| None)),
        }
    }

    pub(super) fn weather(&self, fate: impl FnMut() -> Fate + Send + 'static) {
        *self.fate.lock().unwrap() = Box::new(fate);
    }

    pub(super) fn proves(
        &self,
        prover: impl FnMut(&Prove) -> Option<Result<Proved, LinkError>> + Send + 'static,
    ) {
        *self.prover.lock().unwrap() = Box::new(prover);
    }

    /// The first envelope of the last push.
    pub(super) fn last(&self) -> Vec<u8> {
        self.left.lock().unwrap().last().unwrap().first().unwrap().clone()
    }

    pub(super) fn pushes(&self) -> usize {
        self.left.lock().unwrap().len()
    }

    fn ends(&self, partner: &NodeId) -> (Arc<Desk>, Arc<Desk>) {
        let own = self.own.upgrade().unwrap();
        (own, Arc::clone(&self.others.lock().unwrap()[partner]))
    }
}

fn told(error: ProtocolError) -> LinkError {
    match error {
        ProtocolError::PeerRefused { code, detail } => LinkError::Refused { code, detail },
        other => LinkError::Broken(other.to_string()),
    }
}

fn away() -> LinkError {
    LinkError::Unreachable { cause: "the link is down".to_owned(), code: None }
}

impl Link for Wire {
    fn push(&self, partner: &NodeId, request: &Push) -> Result<Pushed, LinkError> {
        let (own, other) = self.ends(partner);
        let pushing: Pushing = decode(&encode(request)[4..]).unwrap();
        self.left.lock().unwrap().push(pushing.envelopes().map(<[u8]>::to_vec).collect());
        let mut fate = (self.fate.lock().unwrap())();
        while let Fate::Held(becomes) = fate {
            fate = becomes.recv().unwrap();
        }
        match fate {
            Fate::Held(_) => unreachable!("it was awaited"),
            Fate::Slow(bytes) if pushing.envelopes().map(<[u8]>::len).sum::<usize>() > bytes => {
                Err(LinkError::TimedOut)
            }
            Fate::Arrives | Fate::Slow(_) => asked(&own, &other, request).map_err(told),
            Fate::Lost => Err(LinkError::TimedOut),
            Fate::AnswerLost => {
                let _lost = asked(&own, &other, request).map_err(told)?;
                Err(LinkError::TimedOut)
            }
            Fate::Twice => {
                let _first = asked(&own, &other, request).map_err(told)?;
                asked(&own, &other, request).map_err(told)
            }
            Fate::Answered(envelope, next) => Ok(pushed(envelope, next)),
        }
    }

    fn prove(&self, partner: &NodeId, request: &Prove) -> Result<Proved, LinkError> {
        let (own, other) = self.ends(partner);
        self.asked_for.lock().unwrap().push(request.clone());
        let lie = (self.prover.lock().unwrap())(request);
        lie.unwrap_or_else(|| asked(&own, &other, request).map_err(told))
    }

    fn seen_by(&self, partner: &NodeId) -> Option<u64> {
        let (own, other) = self.ends(partner);
        hello(&own, &other).ok().map(|(established, _)| established.seen_by_partner())
    }

    fn seen_anew(&self, partner: &NodeId) -> Option<u64> {
        self.hellos.fetch_add(1, Ordering::Relaxed);
        self.seen_by(partner)
    }

    fn epochs(&self, _: &NodeId) -> Result<Epochs, LinkError> {
        Err(away())
    }
    fn evaluate(&self, _: &NodeId, _: &Evaluate) -> Result<Evaluated, LinkError> {
        Err(away())
    }
    fn deliver(&self, _: &NodeId, _: &Disclose) -> Result<Delivered, LinkError> {
        Err(away())
    }
    fn cosign(&self, _: &NodeId, _: &Cosign) -> Result<Cosigned, LinkError> {
        Err(away())
    }
    fn account(&self, _: &NodeId, _: &AccountRequest) -> Result<Delivered, LinkError> {
        Err(away())
    }
    fn bulk_begin(&self, _: &NodeId, _: &BulkBegin) -> Result<BulkState, LinkError> {
        Err(away())
    }
    fn bulk_wait(&self, _: &NodeId, _: &BulkWait) -> Result<BulkState, LinkError> {
        Err(away())
    }
    fn bulk_carry(&self, _: &NodeId, _: &BulkCarry) -> Result<BulkCarried, LinkError> {
        Err(away())
    }
    fn leave(&self, _: &NodeId, _: &Leave) -> Result<Left, LinkError> {
        Err(away())
    }
    fn collect(&self, _: &NodeId, _: &Collect) -> Result<Collected, LinkError> {
        Err(away())
    }
    fn tag_set(
        &self,
        _: &NodeId,
        _: &VerifiedEpochCard,
        _: &TagSetProgress,
        _: &mut dyn FnMut(Vec<TagSetEvent>, Option<&TagSetProgress>) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        Err(away())
    }
}

/// `pushed` as a partner writes it that says what it likes.
pub(super) fn pushed(envelope: Option<Vec<u8>>, next: [u64; 2]) -> Pushed {
    let envelope = envelope.map(serde_bytes::ByteBuf::from);
    decode(&symbolon_codec::encode(&(25_u8, (envelope, next)))).unwrap()
}

/// A session of two desks; what the node's transport does with newer cards is done.
fn hello(client: &Desk, server: &Desk) -> Result<(Established, Established), ProtocolError> {
    let context = |own: &Desk, other: &Desk| {
        let partner = own.remote(&other.identity().node()).unwrap();
        // Who is suspended meets a node that does not answer.
        let gone = ProtocolError::PeerRefused { code: Code::Unavailable, detail: None };
        let local = own.local().unwrap();
        Ok::<_, ProtocolError>(Context { local, partner: partner.ok_or(gone)?, exporter: [9; 32] })
    };
    let contexts = (context(client, server)?, context(server, client)?);
    let (a, b) = hello::session(contexts.0, contexts.1, (client.now(), server.now()))?;
    for (desk, session) in [(client, &a), (server, &b)] {
        if let Some(card) = session.replacement() {
            desk.partner_renewed(card).unwrap();
        }
    }
    Ok((a, b))
}

/// One request and its answer over a session of its own.
pub(super) fn asked<R: Request>(
    client: &Desk,
    server: &Desk,
    request: &R,
) -> Result<R::Response, ProtocolError> {
    let (ours, theirs) = hello(client, server)?;
    let mut a = Exchange::begin(&ours, request, 0)?;
    let mut b = Serve::new(&theirs, 0);
    while let Some(sent) = a.poll_transmit() {
        match sent {
            Transmit::Bytes(bytes) => b.handle_bytes(&bytes, 0),
            Transmit::Finish => b.handle_end(0),
        }
    }
    let Answered::Reply(reply) = server.answer(&theirs, b.poll_outcome().unwrap()?) else {
        panic!("a push is answered at once");
    };
    a.handle_bytes(&reply.into_bytes(), 0);
    a.handle_end(0);
    a.poll_outcome().unwrap()
}

/// North, south and east, each a partner of both others.
pub(super) struct World {
    now_ms: Arc<AtomicU64>,
    pub(super) north: Node,
    pub(super) south: Node,
    pub(super) east: Node,
}

impl World {
    /// Nobody has agreed on anything.
    pub(super) fn strangers() -> World {
        World::over(|name| Store::memory([name.as_bytes()[0]; 32]))
    }

    /// Nobody has agreed on anything, and each has the store that it is given.
    fn over(store: impl Fn(&str) -> Store) -> World {
        let now_ms = Arc::new(AtomicU64::new(BEGIN_MS));
        let node = |name, country| Node::new(&now_ms, name, country, store(name));
        let (north, south, east) =
            (node("north", "NOR"), node("south", "PRT"), node("east", "FIN"));
        for one in [&north, &south, &east] {
            for other in [&north, &south, &east] {
                if one.id() != other.id() {
                    let others = &mut one.link.others.lock().unwrap();
                    others.insert(other.id(), Arc::clone(&other.desk));
                    one.meet(other);
                }
            }
        }
        World { now_ms, north, south, east }
    }

    pub(super) fn new() -> World {
        World::strangers().agreed()
    }

    /// The stores are files in this directory.
    pub(super) fn on_disk(directory: &Path) -> World {
        let world = World::over(|name| {
            let (directory, seed) = (directory.join(name), [name.as_bytes()[0]; 32]);
            let unlock = Unlock::key_file(vec![7; 32]).unwrap();
            Store::create(&directory, &unlock, Cost::dangerous_cheap(), seed).unwrap();
            Store::open(&directory, &unlock, seed).unwrap()
        });
        world.agreed()
    }

    fn agreed(self) -> World {
        let World { north, south, east, .. } = &self;
        for (one, other) in [(north, south), (south, east), (east, north)] {
            agree(one, other, Mode::Live, &[]);
        }
        self
    }

    /// And on drills.
    pub(super) fn with_drills() -> World {
        let world = World::new();
        let World { north, south, east, .. } = &world;
        for (one, other) in [(north, south), (south, east), (east, north)] {
            agree(one, other, Mode::Exercise, &[]);
        }
        world
    }

    pub(super) fn now(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed) / 1000
    }

    pub(super) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
