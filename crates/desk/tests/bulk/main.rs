//! Whole lists matched between two desks in one process, over a link that loses, repeats, delays,
//! cuts and flips what it carries, and with a holder that lies.
//!
//! Tests spec/matching.md#bulk. A failure is: a result that is not exact, a use of a match that did
//! not end, a charge for anything but a set, or a match that never gets on again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: what is asserted here must stop the test"
)]

mod faults;
mod lies;
mod several;
mod world;
