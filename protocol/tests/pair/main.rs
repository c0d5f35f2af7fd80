//! Two ends of every machine in one thread, on virtual time, over links that drop, repeat,
//! reorder, truncate and corrupt.
//!
//! Tests spec/transport.md. A failure is: an end that neither succeeded nor gave an error when the
//! clock passed its deadline, two ends that both succeeded and disagree, or a panic.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: what is asserted here must stop the test"
)]

mod bulk;
mod decoders;
mod deliver;
mod epoch_card;
mod exchange;
mod hello;
mod link;
mod push;
mod query;
mod relay;
mod tag_set;
mod world;
