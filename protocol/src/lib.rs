//! What two nodes say to each other: messages and session states. No IO, no clock, no entropy.
//!
//! Implements spec/transport.md; the shapes are those of spec/messages.cddl.
//!
//! A connection begins with a [`Handshake`] on its first stream, which ends with [`Established`].
//! From then on every request is a stream of its own: an [`Exchange`] (or a [`TagSetDownload`]) on
//! the asking side, a [`Serve`] on the answering side. All of them take bytes and the time
//! (`handle_*`) and give bytes, a deadline and one outcome (`poll_*`).
//!
//! Invariants: no machine outlives its deadline; in a state only its messages exist; an envelope
//! leaves only as [`Disclose`], an evaluation only as [`Evaluation`], and both take evidence.

mod account;
mod bulk;
mod card;
mod checkpoint;
mod code;
mod cosign;
mod deliver;
mod epoch_card;
mod error;
mod evaluate;
mod exchange;
mod frame;
mod handshake;
mod hello;
pub mod label;
pub mod limits;
mod message;
mod prove;
mod push;
mod relay;
mod serve;
mod tag_set;
mod transmit;

pub use account::AccountRequest;
pub use bulk::{BulkBegin, BulkCarried, BulkCarry, BulkId, BulkState, BulkWait};
pub use card::{Card, CardRequest, Epochs, EpochsRequest};
pub use code::{Code, Detail};
pub use cosign::{Cosign, Cosigned};
pub use deliver::{Acknowledge, Delivered, Delivery, Disclose};
pub use epoch_card::{
    EPOCH_CARD_VERSION, EpochCard, EpochCardCheck, SignedEpochCard, VerifiedEpochCard,
};
pub use error::{ProtocolError, Refusal};
pub use evaluate::{Evaluate, Evaluated, Evaluation};
pub use exchange::{Exchange, Request};
pub use frame::FrameReader;
pub use handshake::{
    Context, Established, ExpectAccept, ExpectClientFinish, ExpectClientHello, ExpectServerHello,
    Handshake, Local, Partner, Step,
};
pub use hello::{
    Accept, ClientFinish, ClientHello, Hello, Role, ServerHello, exporter_context, signing_input,
};
pub use message::{Failure, Message, Outgoing, decode, encode};
pub use prove::{OpenedLeaf, Prove, Proved};
pub use push::{Push, PushAnswer, Pushed, Pushing};
pub use relay::{Collect, Collected, Leave, Leaving, Left};
pub use serve::{Asked, Incoming, Reply, Serve, Served};
pub use tag_set::{
    TagSetDownload, TagSetEvent, TagSetHeader, TagSetProgress, TagSetRequest, TagSetUpload,
};
pub use transmit::Transmit;
