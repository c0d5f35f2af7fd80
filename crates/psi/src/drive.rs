//! Drives the states of either side in their order, so that a caller has two methods to call.
//!
//! Implements spec/psi.md#messages. Knows no channel: messages go in by `handle` and out by `poll`.
//!
//! Invariant: after an error a side has no state left and does nothing more.

use std::collections::VecDeque;

use crate::PsiError;
use crate::frame::Message;
use crate::hash::Item;
use crate::receiver::{self, Received};
use crate::sender;
use crate::terms::Terms;

/// What a side wants next.
#[derive(Debug)]
pub enum Poll<T> {
    /// Send this to the peer, then poll again: the next step computes while it travels.
    Send(Message),
    /// Wait for a message and pass it to `handle`.
    Await,
    /// Done.
    Finished(T),
}

enum SenderState {
    Setup(sender::ExpectSetup),
    Challenge(sender::ExpectChallenge),
    Store(sender::ExpectStore),
    Prepared(sender::ExpectStore),
    Answering(sender::Answering),
    Done(sender::ExpectDone),
    Finished([u8; 32]),
    Ended,
}

/// The sender's side of one session.
pub struct Sender {
    state: SenderState,
    outgoing: VecDeque<Message>,
}

impl Sender {
    /// Opens a session; see [`sender::ExpectSetup::start`].
    ///
    /// # Errors
    /// [`PsiError::Count`].
    pub fn start(
        terms: Terms,
        items: Vec<Item>,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<Self, PsiError> {
        let (state, messages) = sender::ExpectSetup::start(terms, items, seed, workers)?;
        Ok(Self { state: SenderState::Setup(state), outgoing: messages.into() })
    }

    /// The transcript's hash, once the outputs are made; the receiver has the same.
    #[must_use]
    pub fn transcript(&self) -> Option<[u8; 32]> {
        match &self.state {
            SenderState::Done(state) => Some(state.transcript()),
            SenderState::Finished(transcript) => Some(*transcript),
            _ => None,
        }
    }

    /// Takes the next message of the receiver.
    ///
    /// # Errors
    /// Any; the session has ended then, and [`Message::stop`] tells the peer so.
    pub fn handle(&mut self, message: Message) -> Result<(), PsiError> {
        let (next, outgoing) = match std::mem::replace(&mut self.state, SenderState::Ended) {
            SenderState::Setup(state) => {
                let (state, message) = state.handle(message)?;
                (SenderState::Challenge(state), Some(message))
            }
            SenderState::Challenge(state) => {
                let (state, message) = state.handle(message)?;
                (SenderState::Store(state), Some(message))
            }
            SenderState::Store(state) | SenderState::Prepared(state) => {
                let (state, message) = state.handle(message)?;
                (SenderState::Answering(state), Some(message))
            }
            SenderState::Done(state) => (SenderState::Finished(state.handle(message)?), None),
            SenderState::Answering(_) | SenderState::Finished(_) | SenderState::Ended => {
                return Err(PsiError::Unexpected);
            }
        };
        self.state = next;
        self.outgoing.extend(outgoing);
        Ok(())
    }

    /// What to do next; computes where there is something to compute. At the end, the hash of the
    /// transcript.
    ///
    /// # Errors
    /// Those of computing; [`PsiError::Unexpected`] after an error.
    pub fn poll(&mut self) -> Result<Poll<[u8; 32]>, PsiError> {
        loop {
            if let Some(message) = self.outgoing.pop_front() {
                return Ok(Poll::Send(message));
            }
            match std::mem::replace(&mut self.state, SenderState::Ended) {
                SenderState::Store(state) => self.state = SenderState::Prepared(state.prepare()?),
                SenderState::Answering(state) => {
                    let (state, message) = state.answer()?;
                    self.state = SenderState::Done(state);
                    self.outgoing.push_back(message);
                }
                SenderState::Finished(transcript) => {
                    self.state = SenderState::Finished(transcript);
                    return Ok(Poll::Finished(transcript));
                }
                SenderState::Ended => return Err(PsiError::Unexpected),
                waiting => {
                    self.state = waiting;
                    return Ok(Poll::Await);
                }
            }
        }
    }
}

enum ReceiverState {
    Begin(receiver::ExpectBegin),
    Offer(receiver::ExpectOffer),
    Trees(receiver::ExpectTrees),
    Proof(receiver::ExpectProof),
    Prepared(receiver::ExpectProof),
    Reveal(receiver::ExpectReveal),
    Outputs(receiver::ExpectOutputs),
    Finished(Received),
    Ended,
}

/// The receiver's side of one session.
pub struct Receiver {
    state: ReceiverState,
    outgoing: VecDeque<Message>,
}

impl Receiver {
    /// Prepares a session; see [`receiver::ExpectBegin::start`].
    ///
    /// # Errors
    /// [`PsiError::Count`].
    pub fn start(
        terms: Terms,
        items: Vec<Item>,
        seed: [u8; 32],
        workers: usize,
    ) -> Result<Self, PsiError> {
        let state = receiver::ExpectBegin::start(terms, items, seed, workers)?;
        Ok(Self { state: ReceiverState::Begin(state), outgoing: VecDeque::new() })
    }

    /// Takes the next message of the sender.
    ///
    /// # Errors
    /// Any; the session has ended then, and [`Message::stop`] tells the peer so.
    pub fn handle(&mut self, message: Message) -> Result<(), PsiError> {
        let (next, outgoing) = match std::mem::replace(&mut self.state, ReceiverState::Ended) {
            ReceiverState::Begin(state) => (ReceiverState::Offer(state.handle(message)?), None),
            ReceiverState::Offer(state) => {
                let (state, message) = state.handle(message)?;
                (ReceiverState::Trees(state), Some(message))
            }
            ReceiverState::Trees(state) => {
                let (state, message) = state.handle(message)?;
                (ReceiverState::Proof(state), Some(message))
            }
            ReceiverState::Proof(state) | ReceiverState::Prepared(state) => {
                let (state, message) = state.handle(message)?;
                (ReceiverState::Reveal(state), Some(message))
            }
            ReceiverState::Reveal(state) => (ReceiverState::Outputs(state.handle(message)?), None),
            ReceiverState::Outputs(state) => {
                let (received, message) = state.handle(message)?;
                (ReceiverState::Finished(received), Some(message))
            }
            ReceiverState::Finished(_) | ReceiverState::Ended => return Err(PsiError::Unexpected),
        };
        self.state = next;
        self.outgoing.extend(outgoing);
        Ok(())
    }

    /// What to do next; computes where there is something to compute. At the end, once, what was
    /// received.
    ///
    /// # Errors
    /// Those of computing; [`PsiError::Unexpected`] after an error or after the end.
    pub fn poll(&mut self) -> Result<Poll<Received>, PsiError> {
        loop {
            if let Some(message) = self.outgoing.pop_front() {
                return Ok(Poll::Send(message));
            }
            match std::mem::replace(&mut self.state, ReceiverState::Ended) {
                ReceiverState::Proof(state) => {
                    self.state = ReceiverState::Prepared(state.prepare()?);
                }
                ReceiverState::Finished(received) => return Ok(Poll::Finished(received)),
                ReceiverState::Ended => return Err(PsiError::Unexpected),
                waiting => {
                    self.state = waiting;
                    return Ok(Poll::Await);
                }
            }
        }
    }
}
