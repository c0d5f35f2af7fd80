//! The states of a beginning connection: each is consumed by the one message that it awaits.
//!
//! Implements spec/transport.md#hello.
//!
//! Invariant: [`Established`] is made here only, after both signatures of the partner verified over
//! this connection's exporter and both nonces.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use std::sync::Arc;
use symbolon_audit::LogSeen;
use symbolon_tlog::VerifiedCheckpoint;
use symbolon_trust::{IdentityKey, NodeId, SignedCard, TrustError, VerifiedCard};

use crate::checkpoint::verify_checkpoint;
use crate::error::ProtocolError;
use crate::hello::{
    Accept, ClientFinish, ClientHello, Hello, Role, ServerHello, exporter_context, signing_input,
};
use crate::label;
use crate::limits::{CLOCK_SKEW_SECONDS_MAX, VERSION};
use crate::message::encode;

/// What this node says and signs.
#[derive(Clone)]
pub struct Local {
    /// Own card.
    pub card: Arc<VerifiedCard>,
    /// The same card as it was signed, for a partner that holds an older one.
    pub signed_card: Arc<SignedCard>,
    /// Own signing keys, those on the card.
    pub key: Arc<IdentityKey>,
    /// Own canonicalisation profile.
    pub profile: [u8; 32],
    /// Latest signed checkpoint of the own log, as text.
    pub checkpoint: String,
    /// Size of the own log in that checkpoint.
    pub log_size: u64,
}

/// What is known of the node at the other end, found by the pin of its certificate.
#[derive(Clone)]
pub struct Partner {
    /// The newest card held.
    pub card: Arc<VerifiedCard>,
    /// The largest checkpoint of the partner's log seen so far.
    pub seen: Option<LogSeen>,
}

/// The two ends and the TLS channel between them.
pub struct Context {
    /// This node.
    pub local: Local,
    /// The other node.
    pub partner: Partner,
    /// `TLS-Exporter(label::EXPORTER, exporter_context, 32)` of this connection.
    pub exporter: [u8; 32],
}

impl Context {
    /// The context to give to the TLS exporter, before the exporter itself is known.
    #[must_use]
    pub fn exporter_context(own: &NodeId, partner: &NodeId, own_role: Role) -> [u8; 32] {
        match own_role {
            Role::Client => exporter_context(own, partner),
            Role::Server => exporter_context(partner, own),
        }
    }

    fn hello(&self, seed: [u8; 32], now: u64) -> Hello {
        let mut nonce = [0; 32];
        ChaCha20Rng::from_seed(seed).fill_bytes(&mut nonce);
        Hello {
            version: VERSION,
            node: self.local.card.id(),
            card_sequence: self.local.card.card().sequence,
            card_digest: self.local.card.digest(),
            card_held: self.partner.card.card().sequence,
            profile: self.local.profile,
            nonce,
            checkpoint: self.local.checkpoint.clone(),
            seen: self.partner.seen.map_or(0, |seen| seen.size),
            clock: now,
        }
    }

    /// What can be said about a hello before its signature is there.
    fn admit(&self, theirs: &Hello, now: u64) -> Result<(), ProtocolError> {
        if theirs.version != VERSION {
            return Err(ProtocolError::Version { theirs: theirs.version });
        }
        if theirs.node != self.partner.card.id() {
            return Err(ProtocolError::OtherNode);
        }
        if theirs.clock.abs_diff(now) > CLOCK_SKEW_SECONDS_MAX {
            return Err(ProtocolError::ClockSkew { own_seconds: now });
        }
        // "A higher sequence replaces a lower; a lower is refused."
        let held = &self.partner.card;
        if theirs.card_sequence < held.card().sequence {
            return Err(ProtocolError::CardOutdated);
        }
        if theirs.card_sequence == held.card().sequence && theirs.card_digest != held.digest() {
            return Err(ProtocolError::CardConflict);
        }
        // Either another stream was quicker than this hello, or this log was set back.
        if theirs.seen > self.local.log_size {
            return Err(ProtocolError::OwnLogBehind);
        }
        Ok(())
    }

    /// The own card, if the partner holds an older one.
    fn card_for(&self, theirs: &Hello) -> Option<Vec<u8>> {
        (theirs.card_held < self.local.card.card().sequence)
            .then(|| self.local.signed_card.encode())
    }

    /// The partner's card under which its signature must verify.
    fn card_of(
        &self,
        theirs: &Hello,
        sent: Option<&[u8]>,
        now: u64,
    ) -> Result<Option<(VerifiedCard, SignedCard)>, ProtocolError> {
        let held = &self.partner.card;
        if theirs.card_sequence == held.card().sequence {
            if sent.is_some() {
                return Err(ProtocolError::Field { field: "card" });
            }
            held.active(now).map_err(card_error)?;
            return Ok(None);
        }
        let sent = sent.ok_or(ProtocolError::Field { field: "card" })?;
        let signed = SignedCard::decode(sent).map_err(card_error)?;
        let card = signed.verify(now).map_err(card_error)?;
        card.replaces(held).map_err(card_error)?;
        if card.digest() != theirs.card_digest || card.card().sequence != theirs.card_sequence {
            return Err(ProtocolError::CardConflict);
        }
        Ok(Some((card, signed)))
    }

    fn sign(&self, input: &[u8]) -> Result<symbolon_trust::Signatures, ProtocolError> {
        let misuse = |_| ProtocolError::Misuse { rule: "the identity key must be able to sign" };
        self.local.key.sign(label::HELLO, input).map_err(misuse)
    }

    fn conclude(self, exchange: &Exchanged<'_>, now: u64) -> Result<Established, ProtocolError> {
        let Exchanged { own_role, own, theirs, card, signatures } = exchange;
        let (card, replacement) = match self.card_of(theirs, card.as_deref(), now)? {
            Some((card, signed)) => (Arc::new(card), Some(signed)),
            None => (self.partner.card, None),
        };
        let (their_role, client, server) = match own_role {
            Role::Client => (Role::Server, own, theirs),
            Role::Server => (Role::Client, theirs, own),
        };
        let input = signing_input(their_role, &self.exporter, client, server);
        let _verified = card
            .card()
            .signing
            .verify(label::HELLO, &input, signatures)
            .map_err(ProtocolError::HelloSignature)?;
        let checkpoint = verify_checkpoint(&card, &theirs.checkpoint, self.partner.seen.as_ref())?;
        Ok(Established {
            role: *own_role,
            card,
            replacement,
            profiles_agree: theirs.profile == self.local.profile,
            checkpoint,
            seen_by_partner: theirs.seen,
        })
    }
}

/// What was said in a handshake, when nothing is left to be said.
struct Exchanged<'a> {
    own_role: Role,
    own: &'a Hello,
    theirs: &'a Hello,
    card: &'a Option<Vec<u8>>,
    signatures: &'a symbolon_trust::Signatures,
}

fn card_error(error: TrustError) -> ProtocolError {
    match error {
        TrustError::Expired { .. } | TrustError::NotYetValid { .. } => {
            ProtocolError::CardExpired(error)
        }
        TrustError::OldSequence { .. } => ProtocolError::CardOutdated,
        TrustError::SequenceReused { .. } => ProtocolError::CardConflict,
        other => ProtocolError::CardInvalid(other),
    }
}

/// A frame to send and the state that follows.
pub struct Step<S> {
    /// The frame.
    pub send: Vec<u8>,
    /// What is awaited now.
    pub next: S,
}

/// Client, first state.
pub struct ExpectServerHello {
    context: Context,
    own: Hello,
}

impl ExpectServerHello {
    /// Opens a handshake as client. `seed` is used for the nonce alone.
    #[must_use]
    pub fn begin(context: Context, seed: [u8; 32], now: u64) -> Step<Self> {
        let own = context.hello(seed, now);
        let hello = ClientHello(own);
        let send = encode(&hello);
        Step { send, next: Self { context, own: hello.0 } }
    }

    /// Verifies the server and signs.
    ///
    /// # Errors
    /// Whatever is wrong with the server's hello, card, signature or checkpoint.
    pub fn handle(
        self,
        message: ServerHello,
        now: u64,
    ) -> Result<Step<ExpectAccept>, ProtocolError> {
        let Self { context, own } = self;
        let ServerHello { hello: theirs, card, signatures } = message;
        context.admit(&theirs, now)?;
        let input = signing_input(Role::Client, &context.exporter, &own, &theirs);
        let finish =
            ClientFinish { card: context.card_for(&theirs), signatures: context.sign(&input)? };
        let exchanged = Exchanged {
            own_role: Role::Client,
            own: &own,
            theirs: &theirs,
            card: &card,
            signatures: &signatures,
        };
        let established = context.conclude(&exchanged, now)?;
        Ok(Step { send: encode(&finish), next: ExpectAccept { established } })
    }
}

/// Client, second state.
pub struct ExpectAccept {
    established: Established,
}

impl ExpectAccept {
    /// The server verified this node too.
    pub fn handle(self, _message: Accept) -> Established {
        self.established
    }
}

/// Server, first state.
pub struct ExpectClientHello {
    context: Context,
}

impl ExpectClientHello {
    /// Awaits a client.
    #[must_use]
    pub const fn new(context: Context) -> Self {
        Self { context }
    }

    /// Answers and signs. `seed` is used for the nonce alone.
    ///
    /// # Errors
    /// Whatever is wrong with the client's hello.
    pub fn handle(
        self,
        message: ClientHello,
        seed: [u8; 32],
        now: u64,
    ) -> Result<Step<ExpectClientFinish>, ProtocolError> {
        let Self { context } = self;
        let ClientHello(theirs) = message;
        context.admit(&theirs, now)?;
        let own = context.hello(seed, now);
        let input = signing_input(Role::Server, &context.exporter, &theirs, &own);
        let signatures = context.sign(&input)?;
        let answer = ServerHello { hello: own, card: context.card_for(&theirs), signatures };
        let send = encode(&answer);
        Ok(Step { send, next: ExpectClientFinish { context, own: answer.hello, theirs } })
    }
}

/// Server, second state.
pub struct ExpectClientFinish {
    context: Context,
    own: Hello,
    theirs: Hello,
}

impl ExpectClientFinish {
    /// Verifies the client.
    ///
    /// # Errors
    /// Whatever is wrong with the client's card, signature or checkpoint.
    pub fn handle(
        self,
        message: ClientFinish,
        now: u64,
    ) -> Result<Step<Established>, ProtocolError> {
        let Self { context, own, theirs } = self;
        let exchanged = Exchanged {
            own_role: Role::Server,
            own: &own,
            theirs: &theirs,
            card: &message.card,
            signatures: &message.signatures,
        };
        let established = context.conclude(&exchanged, now)?;
        Ok(Step { send: encode(&Accept::default()), next: established })
    }
}

/// Evidence of a completed handshake; every exchange of requests demands it.
#[derive(Debug)]
#[must_use]
pub struct Established {
    role: Role,
    card: Arc<VerifiedCard>,
    replacement: Option<SignedCard>,
    profiles_agree: bool,
    checkpoint: VerifiedCheckpoint,
    seen_by_partner: u64,
}

impl Established {
    /// This node's part.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Name of the partner.
    #[must_use]
    pub fn partner(&self) -> NodeId {
        self.card.id()
    }

    /// The partner's newest card.
    #[must_use]
    pub const fn card(&self) -> &Arc<VerifiedCard> {
        &self.card
    }

    /// The same card as it was signed, if it came with this handshake: to be kept in place of the
    /// one held.
    #[must_use]
    pub const fn replacement(&self) -> Option<&SignedCard> {
        self.replacement.as_ref()
    }

    /// The partner's latest checkpoint, signed by its log; that it continues the one seen before is
    /// shown by the next query's consistency proof.
    pub const fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// Size of this node's log that the partner last saw: where a consistency proof begins.
    #[must_use]
    pub const fn seen_by_partner(&self) -> u64 {
        self.seen_by_partner
    }

    /// Evidence that both canonicalise alike.
    ///
    /// # Errors
    /// [`ProtocolError::ProfileDiffers`]; all but matching still works.
    pub const fn matching(&self) -> Result<(), ProtocolError> {
        if self.profiles_agree { Ok(()) } else { Err(ProtocolError::ProfileDiffers) }
    }
}
