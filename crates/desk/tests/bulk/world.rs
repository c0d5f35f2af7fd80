//! Two desks with stores in memory on virtual time, and a link that does to the messages of a match
//! what a test says.

#[path = "../support/hello.rs"]
mod hello;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use symbolon_codec::sha256;
use symbolon_desk::api::{
    AgreementAccept, AgreementPropose, ExchangeReport, ExchangeRun, HitList, Nothing, PartnerAdd,
    Quiet, Reason, RecordImport, TagSetPublish,
};
use symbolon_desk::{
    Answered, Birth, Desk, Link, LinkError, Officer, Role, Surroundings, identity_create,
};
use symbolon_ident::{Class, Country};
use symbolon_policy::{PolicySet, SAMPLE};
use symbolon_protocol::{
    AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Code, Collect,
    Collected, Context, Cosign, Cosigned, Delivered, Disclose, Epochs, EpochsRequest, Established,
    Evaluate, Evaluated, Exchange, Leave, Left, ProtocolError, Prove, Proved, Push, Pushed,
    Request, Serve, TagSetDownload, TagSetEvent, TagSetProgress, Transmit, VerifiedEpochCard,
};
use symbolon_store::{BudgetKey, Direction, Store};
use symbolon_trust::{NodeId, NodeName};
use zeroize::Zeroizing;

const PURPOSE: &str = "nonproliferation";
const BEGIN_MS: u64 = 1_790_000_000_000;
const MAPPING: &str = r#"
format = "csv"
dataset = "tests"
group = "ref"
[record]
kind = { value = "licence_denial" }
title = { value = "Refused" }
narrative = { value = "The end user is a dairy." }
reliability = { value = "B" }
credibility = { value = "2" }
tlp = { value = "green" }
source_kind = { value = "authority" }
source_description = { value = "customs" }
source_reference = { value = "customs" }
legal_basis = { value = "export control act" }
case_reference = { column = "ref" }
review_days = 180
expires_days = 1095
[subject]
kind = { value = "person" }
name = { column = "ref" }
[identifier]
kind = { value = "passport" }
text = { column = "passport" }
[identifier.kinds]
passport = { kind = "passport" }
"#;

/// A clock for both, and seeds that never come twice.
struct Virtual {
    now_ms: Arc<AtomicU64>,
    name: &'static str,
    seeds: AtomicU64,
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

/// What passes the link in a match; each has its number among its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    Begin,
    Wait,
    Signatures,
    Carry,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives,
    /// On its way there.
    Lost,
    /// It arrives, and its answer is lost.
    AnswerLost,
    /// It arrives twice; the asker gets the second answer.
    Twice,
    /// It arrives when the next one has been sent, just before that.
    Late,
    /// Its bytes end early, or those of its answer.
    Cut,
    AnswerCut,
    /// One bit of its bytes is another, or of those of its answer.
    Flipped(usize),
    AnswerFlipped(usize),
}

/// What stands before the link's other faults, for pieces alone.
struct Gate(Arc<dyn Fn(&BulkCarry) -> Option<LinkError> + Send + Sync>);

/// The way of the asker to the holder.
pub(crate) struct Wire {
    own: Weak<Desk>,
    other: Mutex<Option<Arc<Desk>>>,
    fate: Mutex<Box<dyn FnMut(Passing) -> Fate + Send>>,
    late: Mutex<Option<BulkCarry>>,
    /// Sees every piece first, may hold it back, and may say that it does not arrive.
    gate: Mutex<Option<Gate>>,
    /// Evaluations of batches: what a match is followed by.
    pub(crate) evaluations: AtomicU64,
    pub(crate) passed: Mutex<Vec<Passing>>,
    /// The size that the holder says its set has, where it lies.
    claimed: Mutex<Option<u64>>,
}

impl Wire {
    fn ends(&self) -> (Arc<Desk>, Arc<Desk>) {
        let other = self.other.lock().unwrap();
        (self.own.upgrade().unwrap(), Arc::clone(other.as_ref().unwrap()))
    }

    fn ask<R: Request>(&self, request: &R) -> Result<R::Response, LinkError> {
        let (own, other) = self.ends();
        asked(&own, &other, request)
    }

    fn fate(&self, what: Passing) -> Fate {
        self.passed.lock().unwrap().push(what);
        (self.fate.lock().unwrap())(what)
    }

    /// A request that is lost, or told twice; whole requests are all or nothing.
    fn whole<R: Request>(&self, what: Passing, request: &R) -> Result<R::Response, LinkError> {
        match self.fate(what) {
            Fate::Lost | Fate::Late | Fate::Cut | Fate::Flipped(_) => Err(LinkError::TimedOut),
            Fate::AnswerLost | Fate::AnswerCut | Fate::AnswerFlipped(_) => {
                let _lost = self.ask(request)?;
                Err(LinkError::TimedOut)
            }
            Fate::Twice => {
                let _first = self.ask(request)?;
                self.ask(request)
            }
            Fate::Arrives => self.ask(request),
        }
    }
}

fn away() -> LinkError {
    LinkError::Unreachable { cause: "the link is down".to_owned(), code: None }
}

/// One bit of some bytes changed.
fn flip(bytes: &mut [u8], place: usize) {
    if let Some(at) = (place / 8).checked_rem(bytes.len()) {
        bytes[at] ^= 1 << (place % 8);
    }
}

/// The answer with other bytes.
fn carried(answer: &BulkCarried, change: impl FnOnce(&mut Vec<u8>)) -> BulkCarried {
    let mut bytes = answer.bytes().to_vec();
    change(&mut bytes);
    BulkCarried::new(bytes).unwrap()
}

impl Link for Wire {
    fn epochs(&self, _: &NodeId) -> Result<Epochs, LinkError> {
        self.ask(&EpochsRequest::new())
    }

    fn evaluate(&self, _: &NodeId, request: &Evaluate) -> Result<Evaluated, LinkError> {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        self.ask(request)
    }

    fn bulk_begin(&self, _: &NodeId, request: &BulkBegin) -> Result<BulkState, LinkError> {
        self.whole(Passing::Begin, request)
    }

    fn bulk_wait(&self, _: &NodeId, request: &BulkWait) -> Result<BulkState, LinkError> {
        let is_signed = request.signatures().is_some();
        let what = if is_signed { Passing::Signatures } else { Passing::Wait };
        let state = self.whole(what, request)?;
        let claimed = *self.claimed.lock().unwrap();
        Ok(match state.sender_count().and(claimed) {
            Some(count) => BulkState::new(Some(count), *state.nonce()),
            None => state,
        })
    }

    fn bulk_carry(&self, _: &NodeId, request: &BulkCarry) -> Result<BulkCarried, LinkError> {
        let gate = self.gate.lock().unwrap().as_ref().map(|gate| Arc::clone(&gate.0));
        if let Some(error) = gate.and_then(|gate| gate(request)) {
            return Err(error);
        }
        let fate = self.fate(Passing::Carry);
        if let Some(late) = self.late.lock().unwrap().take() {
            let _nobody_waits = self.ask(&late);
        }
        let mut request = request.clone();
        match fate {
            Fate::Lost => return Err(LinkError::TimedOut),
            Fate::Late => {
                *self.late.lock().unwrap() = Some(request);
                return Err(LinkError::TimedOut);
            }
            Fate::AnswerLost => {
                let _lost = self.ask(&request)?;
                return Err(LinkError::TimedOut);
            }
            Fate::Twice => {
                let _first = self.ask(&request)?;
            }
            Fate::Cut => request.bytes.truncate(request.bytes.len() / 2),
            Fate::Flipped(place) => flip(&mut request.bytes, place),
            Fate::Arrives | Fate::AnswerCut | Fate::AnswerFlipped(_) => {}
        }
        let answer = self.ask(&request)?;
        Ok(match fate {
            Fate::AnswerCut => carried(&answer, |bytes| bytes.truncate(bytes.len() / 2)),
            Fate::AnswerFlipped(place) => carried(&answer, |bytes| flip(bytes, place)),
            _ => answer,
        })
    }

    fn tag_set(
        &self,
        _: &NodeId,
        card: &VerifiedEpochCard,
        progress: &TagSetProgress,
        events: &mut dyn FnMut(Vec<TagSetEvent>, Option<&TagSetProgress>) -> Result<(), LinkError>,
    ) -> Result<(), LinkError> {
        let (own, other) = self.ends();
        let (ours, theirs) = hello(&own, &other).map_err(told)?;
        let mut a = TagSetDownload::begin(&ours, card, progress, 0).map_err(told)?;
        let mut b = Serve::new(&theirs, 0);
        while let Some(Transmit::Bytes(bytes)) = a.poll_transmit() {
            b.handle_bytes(&bytes, 0);
        }
        b.handle_end(0);
        match other.answer(&theirs, b.poll_outcome().unwrap().map_err(told)?) {
            Answered::Reply(reply) => a.handle_bytes(&reply.into_bytes(), 0),
            Answered::Upload { header, mut upload, set } => {
                a.handle_bytes(&header, 0);
                while let Some(number) = upload.due() {
                    let tags = other.upload_chunk(&set, number).unwrap();
                    a.handle_bytes(&upload.chunk(tags).unwrap(), 0);
                }
            }
        }
        a.handle_end(0);
        loop {
            let event = a.poll_event().unwrap().map_err(told)?;
            let is_last = matches!(event, TagSetEvent::Done(_));
            events(vec![event], None)?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn seen_by(&self, _: &NodeId) -> Option<u64> {
        let (own, other) = self.ends();
        hello(&own, &other).ok().map(|(established, _)| established.seen_by_partner())
    }

    fn seen_anew(&self, partner: &NodeId) -> Option<u64> {
        self.seen_by(partner)
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
    fn push(&self, _: &NodeId, _: &Push) -> Result<Pushed, LinkError> {
        Err(away())
    }
    fn leave(&self, _: &NodeId, _: &Leave) -> Result<Left, LinkError> {
        Err(away())
    }
    fn collect(&self, _: &NodeId, _: &Collect) -> Result<Collected, LinkError> {
        Err(away())
    }
    fn prove(&self, _: &NodeId, _: &Prove) -> Result<Proved, LinkError> {
        Err(away())
    }
}

fn told(error: ProtocolError) -> LinkError {
    match error {
        ProtocolError::PeerRefused { code, detail } => LinkError::Refused { code, detail },
        other => LinkError::Broken(other.to_string()),
    }
}

/// A session of two desks.
fn hello(client: &Desk, server: &Desk) -> Result<(Established, Established), ProtocolError> {
    let context = |own: &Desk, other: &Desk| {
        let gone = ProtocolError::PeerRefused { code: Code::Unavailable, detail: None };
        let partner = own.remote(&other.identity().node()).unwrap().ok_or(gone)?;
        Ok::<_, ProtocolError>(Context { local: own.local().unwrap(), partner, exporter: [9; 32] })
    };
    let now = BEGIN_MS / 1000;
    hello::session(context(client, server)?, context(server, client)?, (now, now))
}

/// One request and its answer over a session of its own.
pub(crate) fn asked<R: Request>(
    client: &Desk,
    server: &Desk,
    request: &R,
) -> Result<R::Response, LinkError> {
    let (ours, theirs) = hello(client, server).map_err(told)?;
    let mut a = Exchange::begin(&ours, request, 0).map_err(told)?;
    let mut b = Serve::new(&theirs, 0);
    while let Some(sent) = a.poll_transmit() {
        match sent {
            Transmit::Bytes(bytes) => b.handle_bytes(&bytes, 0),
            Transmit::Finish => b.handle_end(0),
        }
    }
    let incoming = b.poll_outcome().unwrap().map_err(told)?;
    let Answered::Reply(reply) = server.answer(&theirs, incoming) else {
        panic!("these requests are answered at once");
    };
    a.handle_bytes(&reply.into_bytes(), 0);
    a.handle_end(0);
    a.poll_outcome().unwrap().map_err(told)
}

/// One desk.
pub(crate) struct Node {
    name: &'static str,
    pub(crate) desk: Arc<Desk>,
    pub(crate) link: Arc<Wire>,
}

fn officer() -> Officer {
    Officer::parse("duty", Role::Officer).unwrap()
}

impl Node {
    fn new(now_ms: &Arc<AtomicU64>, name: &'static str, country: &str, workers: usize) -> Node {
        let number = name.as_bytes()[0];
        let store = Arc::new(Store::memory([number; 32]));
        let (now_ms, seeds) = (Arc::clone(now_ms), AtomicU64::new(0));
        let around = Arc::new(Virtual { now_ms, name, seeds });
        let birth = Birth {
            name: NodeName::parse(name).unwrap(),
            country: Country::parse(country).unwrap(),
            addresses: vec![format!("{name}.example:4433")],
            tls_key: Zeroizing::new(vec![number; 32]),
            tls_pin: [number; 32],
        };
        identity_create(&store, birth, &*around).unwrap();
        let policy = PolicySet::parse(SAMPLE).unwrap();
        let desk = Arc::new(Desk::open(store, around, policy, workers).unwrap());
        let link = Arc::new(Wire {
            own: Arc::downgrade(&desk),
            other: Mutex::default(),
            fate: Mutex::new(Box::new(|_| Fate::Arrives)),
            late: Mutex::default(),
            gate: Mutex::default(),
            evaluations: AtomicU64::new(0),
            passed: Mutex::default(),
            claimed: Mutex::default(),
        });
        desk.connect(Arc::clone(&link) as Arc<dyn Link>);
        Node { name, desk, link }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.desk.identity().node()
    }

    fn meet(&self, other: &Node) {
        let card = other.desk.partner_card(&officer(), Nothing {}, &mut Quiet).unwrap();
        let confirmed_fingerprint = Some(card.fingerprint);
        let request = PartnerAdd { card: card.armored, confirmed_fingerprint };
        self.desk.partner_add(&officer(), request, &mut Quiet).unwrap();
        *self.link.other.lock().unwrap() = Some(Arc::clone(&other.desk));
    }

    fn accept(&self, (armored, digest): (String, String)) -> (String, String) {
        let request = AgreementAccept { armored, confirmed_digest: Some(digest) };
        let file = self.desk.partner_accept(&officer(), request, &mut Quiet).unwrap();
        (file.armored, file.terms.digest)
    }

    /// Passports of these numbers, each in a record of its own.
    pub(crate) fn import(&self, numbers: std::ops::Range<u32>) {
        let mut table = "ref,passport\n".to_owned();
        for number in numbers {
            writeln!(table, "R-{number},KX{number:07}").unwrap();
        }
        let request = RecordImport { mapping: MAPPING.to_owned(), name: "table".to_owned() };
        let mut input = Cursor::new(table.into_bytes());
        self.desk.record_import(&officer(), request, &mut input, &mut Quiet).unwrap();
    }

    pub(crate) fn publish(&self) {
        let request = TagSetPublish { partners: Vec::new() };
        self.desk.exchange_publish(&officer(), request, &mut Quiet).unwrap();
    }

    /// What the link does from now on; at first everything arrives.
    pub(crate) fn weather(&self, fate: impl FnMut(Passing) -> Fate + Send + 'static) {
        *self.link.fate.lock().unwrap() = Box::new(fate);
    }

    /// Sees every piece that this node sends before the weather does; what it gives back is what
    /// the piece comes to instead.
    pub(crate) fn gate(
        &self,
        gate: impl Fn(&BulkCarry) -> Option<LinkError> + Send + Sync + 'static,
    ) {
        *self.link.gate.lock().unwrap() = Some(Gate(Arc::new(gate)));
    }

    /// What this node hears of the size of the partner's set; the truth at first.
    pub(crate) fn claim(&self, count: Option<u64>) {
        *self.link.claimed.lock().unwrap() = count;
    }

    /// An exchange with the one partner.
    pub(crate) fn run(&self, engine: &str, case: &str) -> ExchangeReport {
        let (purpose, case) = (PURPOSE.to_owned(), case.to_owned());
        let reason = Reason { purpose, case, legal_basis: String::new() };
        let partner = if self.name == "north" { "south" } else { "north" }.to_owned();
        let classes = Vec::new();
        let request = ExchangeRun { partner, classes, engine: Some(engine.to_owned()), reason };
        self.desk.exchange_run(&officer(), request, &mut Quiet).unwrap()
    }

    /// Hits that were kept.
    pub(crate) fn hits(&self) -> usize {
        let request = HitList { limit: Some(1_000), ..HitList::default() };
        self.desk.hit_list(&officer(), request, &mut Quiet).unwrap().hits.len()
    }

    /// What this side has spent with the other in the epoch.
    pub(crate) fn spent(&self, partner: &Node, direction: Direction) -> u64 {
        let epoch = BEGIN_MS / 1000 / EPOCH_SECONDS;
        let partner = partner.id();
        let key = BudgetKey { partner, class: Class::Document, epoch, direction };
        self.desk.store().budget_spent(&key).unwrap()
    }
}

const EPOCH_SECONDS: u64 = 7 * 86_400;

/// North asks, south holds.
pub(crate) struct World {
    now_ms: Arc<AtomicU64>,
    pub(crate) north: Node,
    pub(crate) south: Node,
}

impl World {
    pub(crate) fn new(budget: u64) -> World {
        World::on_threads(budget, 1)
    }

    /// Each of the two has so many threads.
    pub(crate) fn on_threads(budget: u64, workers: usize) -> World {
        let now_ms = Arc::new(AtomicU64::new(BEGIN_MS));
        let north = Node::new(&now_ms, "north", "NOR", workers);
        let south = Node::new(&now_ms, "south", "PRT", workers);
        north.meet(&south);
        south.meet(&north);
        let request = AgreementPropose {
            partner: "south".to_owned(),
            purposes: vec![PURPOSE.to_owned()],
            kinds: Vec::new(),
            budgets: BTreeMap::from([("document".to_owned(), budget)]),
            epoch_seconds: EPOCH_SECONDS,
            retention_days: 365,
            days: 365,
            exercise: false,
        };
        let file = north.desk.partner_agree(&officer(), request, &mut Quiet).unwrap();
        north.accept(south.accept((file.armored, file.terms.digest)));
        World { now_ms, north, south }
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
