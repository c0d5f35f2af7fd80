//! The side that asks: one request or transfer on a stream of its own, for callers that block.
//!
//! Implements spec/transport.md#requests.
//!
//! Invariant: every call returns, at the request deadline at the latest; a partner that has fallen
//! silent is unreachable, not slow.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, ConnectionError};
use symbolon_protocol::{
    Code, Established, Exchange, ProtocolError, Request, TagSetDownload, TagSetEvent,
    TagSetProgress, VerifiedEpochCard,
};
use symbolon_trust::NodeId;
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::clock::monotonic_ms;

use super::config::Timing;
use super::dial::Dialer;
use super::error::{DialError, LinkError};
use super::limits::SILENCE_KEEP_ALIVES;
use super::stream::{Stream, to_wire};

impl Dialer {
    /// The session with `partner`, dialled if there is none. Blocks; not for async callers.
    ///
    /// # Errors
    /// [`LinkError::Unreachable`].
    pub(crate) fn session(&self, partner: NodeId) -> Result<Session, LinkError> {
        let linked = self.runtime().block_on(self.connect(partner));
        let (connection, established) = linked.map_err(LinkError::Unreachable)?;
        let (timing, runtime) = (self.shared().timing, self.runtime().clone());
        Ok(Session { connection, established, timing, runtime })
    }

    /// Asks `partner` and waits for the answer. Blocks; not for async callers.
    ///
    /// # Errors
    /// [`LinkError`].
    pub(crate) fn request<R: Request>(
        &self,
        partner: NodeId,
        request: &R,
    ) -> Result<R::Response, LinkError> {
        self.session(partner)?.request(request)
    }
}

/// A connection to a partner that said hello. Cheap to get, so not worth keeping.
pub(crate) struct Session {
    pub(super) connection: Connection,
    established: Arc<Established>,
    timing: Timing,
    runtime: Handle,
}

impl Session {
    /// What the hello showed.
    pub(crate) fn established(&self) -> &Established {
        &self.established
    }

    /// Ends the connection, so that the next session begins with a new hello.
    pub(crate) fn close(self) {
        self.connection.close(to_wire(Code::Closed), &[]);
    }

    /// Asks and waits for the answer. Blocks; not for async callers.
    ///
    /// # Errors
    /// [`LinkError`].
    pub(crate) fn request<R: Request>(&self, request: &R) -> Result<R::Response, LinkError> {
        let mut exchange = Exchange::begin(&self.established, request, monotonic_ms())
            .map_err(LinkError::Answer)?;
        self.runtime.block_on(self.guarded(async {
            let mut stream = self.open().await?;
            loop {
                if let Some(outcome) = exchange.poll_outcome() {
                    return outcome.map_err(|error| refusal(error, &stream));
                }
                stream.step(&mut exchange).await?;
            }
        }))
    }

    /// Begins or resumes the transfer of the tag set that `card` announces. Blocks; not for async
    /// callers.
    ///
    /// # Errors
    /// [`LinkError`].
    pub(crate) fn tag_set(
        self,
        card: &VerifiedEpochCard,
        progress: &TagSetProgress,
    ) -> Result<TagSetStream, LinkError> {
        let download = TagSetDownload::begin(&self.established, card, progress, monotonic_ms())
            .map_err(LinkError::Answer)?;
        let stream = self.runtime.block_on(self.guarded(self.open()))?;
        Ok(TagSetStream { session: self, stream, download })
    }

    async fn open(&self) -> Result<Stream, LinkError> {
        Ok(Stream::new(self.connection.open_bi().await?))
    }

    /// Gives `work` its deadline, and ends it early when the partner is no longer there.
    async fn guarded<T>(
        &self,
        work: impl Future<Output = Result<T, LinkError>>,
    ) -> Result<T, LinkError> {
        tokio::select! {
            result = work => result,
            () = sleep(self.timing.request) => Err(LinkError::TimedOut),
            () = self.silence() => {
                self.connection.close(to_wire(Code::Deadline), &[]);
                Err(LinkError::Unreachable(DialError::NoAnswer))
            }
        }
    }

    /// Ends when no packet has come for a while. A partner that merely thinks long still
    /// acknowledges keep-alives, so this tells a dead one from a slow one.
    async fn silence(&self) {
        let patience = self.timing.keep_alive * SILENCE_KEEP_ALIVES;
        let received = || self.connection.stats().udp_rx.datagrams;
        let (mut last, mut quiet) = (received(), Duration::ZERO);
        let step = self.timing.keep_alive / 2;
        while quiet < patience {
            sleep(step).await;
            let now = received();
            quiet = if now == last { quiet + step } else { Duration::ZERO };
            last = now;
        }
    }
}

/// A tag-set transfer under way.
pub(crate) struct TagSetStream {
    session: Session,
    stream: Stream,
    download: TagSetDownload,
}

impl TagSetStream {
    /// The next chunk, or the whole set's evidence; after that or an error, nothing more. Blocks;
    /// not for async callers.
    ///
    /// # Errors
    /// [`LinkError`]; [`TagSetStream::progress`] says whether resuming makes sense.
    pub(crate) fn next(&mut self) -> Result<TagSetEvent, LinkError> {
        let Self { session, stream, download } = self;
        session.runtime.block_on(session.guarded(async {
            loop {
                if let Some(event) = download.poll_event() {
                    return event.map_err(|error| refusal(error, stream));
                }
                stream.step(download).await?;
            }
        }))
    }

    /// Where to resume, once the chunks given out are stored.
    pub(crate) fn progress(&self) -> Option<TagSetProgress> {
        self.download.progress()
    }
}

fn refusal(error: ProtocolError, stream: &Stream) -> LinkError {
    match (error, stream.reset_code()) {
        (ProtocolError::PeerRefused { code, detail }, _) => LinkError::Refused { code, detail },
        (ProtocolError::Truncated, Some(code)) => LinkError::Refused { code, detail: None },
        (ProtocolError::Deadline, _) => LinkError::TimedOut,
        (error, _) => LinkError::Answer(error),
    }
}

impl From<ConnectionError> for LinkError {
    fn from(error: ConnectionError) -> Self {
        Self::Unreachable(DialError::from(error))
    }
}
