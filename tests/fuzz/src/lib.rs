//! One function per fuzz target: any bytes into every decoder of one part; a panic is the finding.
//!
//! Where a decoder accepts, what it gives must encode to the same bytes: there is one form.

#[path = "../../src/sample.rs"]
pub mod sample;

mod bulk;
mod bundle;
mod text;
mod tree;
mod wire;

pub use bulk::{psi, psi_session};
pub use bundle::evidence;
pub use text::{ident, import, mrz, names, policy, wallet};
pub use tree::{oprf, tlog};
pub use wire::{audit, codec, envelope, machine, message, record, trust};

/// The first byte chooses, the rest is the input.
fn choose(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((usize::from(*first), rest))
}
