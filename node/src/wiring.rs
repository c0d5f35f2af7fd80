//! Joins desk and transport: the desk answers what QUIC brings, and asks through it. No logic.
//!
//! Implements spec/architecture.md#layers.

use std::sync::{Arc, Mutex, PoisonError};

use symbolon_desk::{Answered, Desk, DeskError, Link, LinkError as DeskLinkError, Surroundings};
use symbolon_protocol::{
    AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Collect, Collected,
    Cosign, Cosigned, Delivered, Disclose, Epochs, EpochsRequest, Established, Evaluate, Evaluated,
    Incoming, Leave, Left, Local, Partner, ProtocolError, Prove, Proved, Push, Pushed, Refusal,
    TagSetEvent, TagSetProgress, TagSetUpload, VerifiedEpochCard,
};
use symbolon_store::SetKey;
use symbolon_tlog::VerifiedCheckpoint;
use symbolon_trust::{NodeId, TlsPin};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::quic::{Answer, Dialer, Directory, LinkError, Service};
use crate::{clock, entropy};

/// The machine's clock and randomness.
pub(crate) struct Machine;

impl Surroundings for Machine {
    fn now_ms(&self) -> u64 {
        clock::now_ms()
    }

    fn seed(&self) -> [u8; 32] {
        entropy::seed()
    }
}

/// The desk as the transport sees it.
pub(crate) struct Front {
    desk: Arc<Desk>,
    /// What this node said last: said again where the store fails to give anything newer.
    last: Mutex<Local>,
    /// Partners whose session has just begun.
    met: Sender<NodeId>,
}

/// Partners that wait to be asked for a cosignature; one more is asked at the next beat.
const MET_WAITING_MAX: usize = 64;

impl Front {
    /// # Errors
    /// Where this node cannot say who it is.
    pub(crate) fn new(desk: &Arc<Desk>) -> Result<(Front, Receiver<NodeId>), DeskError> {
        let (met, waiting) = channel(MET_WAITING_MAX);
        let last = Mutex::new(desk.local()?);
        Ok((Front { desk: Arc::clone(desk), last, met }, waiting))
    }
}

impl Directory for Front {
    fn by_pin(&self, pin: &TlsPin) -> Option<NodeId> {
        let partners = self.desk.partners();
        let found = partners.values().find(|partner| {
            partner.is_welcome() && partner.card().card().tls_pins.iter().any(|own| own.0 == pin.0)
        });
        found.map(|partner| partner.node())
    }

    fn partner(&self, node: &NodeId) -> Option<Partner> {
        self.desk.remote(node).unwrap_or_else(|error| {
            tracing::error!(%error, "a partner cannot be read");
            None
        })
    }

    fn local(&self) -> Local {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match self.desk.local() {
            Ok(local) => *last = local,
            Err(error) => tracing::error!(%error, "the newest checkpoint cannot be given"),
        }
        last.clone()
    }

    fn met(&self, session: &Established) {
        if let Some(card) = session.replacement()
            && let Err(error) = self.desk.partner_renewed(card)
        {
            tracing::warn!(partner = %session.partner(), %error, "a newer card was not kept");
        }
        let _ = self.met.try_send(session.partner());
    }

    fn contradicted(&self, node: &NodeId, shown: VerifiedCheckpoint) {
        tracing::error!(partner = %node, "the partner's log shows two histories");
        if let Err(error) = self.desk.contradicted(node, shown) {
            tracing::error!(partner = %node, %error, "the proof of two histories was not kept");
        }
    }
}

impl Service for Front {
    fn serve(&self, session: &Established, incoming: Incoming) -> Answer {
        match self.desk.answer(session, incoming) {
            Answered::Reply(reply) => Answer::Reply(reply),
            Answered::Upload { header, upload, set } => {
                let pieces = Box::new(Pieces { desk: Arc::clone(&self.desk), upload, set });
                Answer::Bulk { header, pieces }
            }
        }
    }
}

/// The chunks of a tag set, each read when the partner takes it.
struct Pieces {
    desk: Arc<Desk>,
    upload: TagSetUpload,
    set: SetKey,
}

impl Iterator for Pieces {
    type Item = Result<Vec<u8>, ProtocolError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.upload.due()?;
        let tags = self.desk.upload_chunk(&self.set, number);
        let tags = tags.map_err(|_| ProtocolError::Refused(Refusal::Internal));
        Some(tags.and_then(|tags| self.upload.chunk(tags)))
    }
}

/// The way to partners over QUIC.
pub(crate) struct Quic(pub(crate) Arc<Dialer>);

impl Link for Quic {
    fn epochs(&self, partner: &NodeId) -> Result<Epochs, DeskLinkError> {
        self.0.request(*partner, &EpochsRequest::new()).map_err(told)
    }

    fn evaluate(&self, partner: &NodeId, request: &Evaluate) -> Result<Evaluated, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn deliver(&self, partner: &NodeId, envelope: &Disclose) -> Result<Delivered, DeskLinkError> {
        self.0.request(*partner, envelope).map_err(told)
    }

    fn cosign(&self, partner: &NodeId, request: &Cosign) -> Result<Cosigned, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn account(
        &self,
        partner: &NodeId,
        request: &AccountRequest,
    ) -> Result<Delivered, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn bulk_begin(
        &self,
        partner: &NodeId,
        request: &BulkBegin,
    ) -> Result<BulkState, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn bulk_wait(&self, partner: &NodeId, request: &BulkWait) -> Result<BulkState, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn bulk_carry(
        &self,
        partner: &NodeId,
        request: &BulkCarry,
    ) -> Result<BulkCarried, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn push(&self, partner: &NodeId, request: &Push) -> Result<Pushed, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn leave(&self, relay: &NodeId, request: &Leave) -> Result<Left, DeskLinkError> {
        self.0.request(*relay, request).map_err(told)
    }

    fn collect(&self, relay: &NodeId, request: &Collect) -> Result<Collected, DeskLinkError> {
        self.0.request(*relay, request).map_err(told)
    }

    fn prove(&self, partner: &NodeId, request: &Prove) -> Result<Proved, DeskLinkError> {
        self.0.request(*partner, request).map_err(told)
    }

    fn tag_set(
        &self,
        partner: &NodeId,
        card: &VerifiedEpochCard,
        progress: &TagSetProgress,
        events: &mut dyn FnMut(
            Vec<TagSetEvent>,
            Option<&TagSetProgress>,
        ) -> Result<(), DeskLinkError>,
    ) -> Result<(), DeskLinkError> {
        let mut stream =
            self.0.session(*partner).map_err(told)?.tag_set(card, progress).map_err(told)?;
        loop {
            let event = stream.next().map_err(told)?;
            let is_last = matches!(event, TagSetEvent::Done(_));
            let given = match &event {
                TagSetEvent::Chunk { number, .. } => Some(number + 1),
                TagSetEvent::Done(_) => None,
            };
            // Chunks that wait inside the stream are not given out yet, so they do not count.
            let progress = stream.progress().filter(|kept| Some(kept.chunks()) == given);
            events(vec![event], progress.as_ref())?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn seen_by(&self, partner: &NodeId) -> Option<u64> {
        let session = self.0.session(*partner).ok()?;
        Some(session.established().seen_by_partner())
    }

    fn seen_anew(&self, partner: &NodeId) -> Option<u64> {
        // A new hello tells it: that is what a hello is for.
        self.0.session(*partner).ok()?.close();
        self.seen_by(partner)
    }
}

fn told(error: LinkError) -> DeskLinkError {
    match error {
        LinkError::Unreachable(cause) => {
            DeskLinkError::Unreachable { code: cause.code(), cause: chain(&cause) }
        }
        LinkError::TimedOut => DeskLinkError::TimedOut,
        LinkError::Refused { code, detail } => DeskLinkError::Refused { code, detail },
        LinkError::Answer(cause) => DeskLinkError::Broken(chain(&cause)),
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
