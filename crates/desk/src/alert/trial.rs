//! Whole desks on virtual time, over a link that loses, repeats, forges and lies.
//!
//! Tests spec/alerts.md. A failure is: something lost that was accepted, something applied twice
//! or out of its order, or a state that a statement of the wrong node has changed.

mod acks;
mod beside;
mod early;
mod evidence;
mod hostile;
mod life;
mod node;
mod notices;
mod once;
mod proofs;
mod several;
mod submit;
mod time;
mod world;
