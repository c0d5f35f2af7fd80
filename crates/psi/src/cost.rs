//! Which way of matching costs less for two sizes: one OPRF evaluation for each item, or this.
//!
//! Implements spec/psi.md#choice. A pure estimate; policy may decide otherwise.

use crate::PsiError;
use crate::plan::Plan;

/// A way of matching two sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Evaluate an OPRF on every item of both sides (spec/matching.md).
    Oprf,
    /// Vector correlation and key-value store (spec/psi.md).
    Psi,
}

/// What a way costs both sides together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Processor time of both sides, in microseconds.
    pub cpu_us: u64,
    /// Bytes both ways.
    pub bytes: u64,
}

impl Cost {
    /// Time over a link of so many bytes a second, computing and sending in turn, in microseconds.
    #[must_use]
    pub fn time_us(&self, link_bytes_per_second: u64) -> u64 {
        let sending = u128::from(self.bytes) * 1_000_000 / u128::from(link_bytes_per_second.max(1));
        self.cpu_us.saturating_add(u64::try_from(sending).unwrap_or(u64::MAX))
    }
}

/// OPRF, holder: hash to the group, one multiplication, encoding; for each item of its list.
const OPRF_TAG_NS: u64 = 45_000;
/// OPRF, both sides: blind, evaluate, unblind and their parts of the proof, for each query.
const OPRF_QUERY_NS: u64 = 250_000;
/// OPRF: a tag with its record commitment is not part of it; a tag alone has 16 bytes.
const OPRF_TAG_BYTES: u64 = 16;
/// OPRF: a blinded and an evaluated element.
const OPRF_QUERY_BYTES: u64 = 64;

/// PSI, both sides: what a session costs however small it is.
const SESSION_NS: u64 = 20_000_000;
/// PSI, both sides: correlation, store and outputs, for each padded item of the receiver.
const RECEIVER_ITEM_NS: u64 = 650;
/// PSI, both sides: hashing, decoding and sorting, for each padded item of the sender.
const SENDER_ITEM_NS: u64 = 200;
/// PSI: bytes of the correlation of one session.
const SESSION_BYTES: u64 = 800_000;
/// PSI: bytes of one output.
const OUTPUT_BYTES: u64 = 16;

/// Cost of OPRF evaluations; `tags_known` of the sender's items have tags from this epoch already.
#[must_use]
pub fn oprf_cost(receiver_count: u64, sender_count: u64, tags_known: u64) -> Cost {
    let tags = sender_count.saturating_sub(tags_known);
    let ns = tags
        .saturating_mul(OPRF_TAG_NS)
        .saturating_add(receiver_count.saturating_mul(OPRF_QUERY_NS));
    let bytes = tags
        .saturating_mul(OPRF_TAG_BYTES)
        .saturating_add(receiver_count.saturating_mul(OPRF_QUERY_BYTES));
    Cost { cpu_us: ns / 1000, bytes }
}

/// Cost of this protocol, partitions and padding included.
///
/// # Errors
/// [`PsiError::Count`] for more items than a plan takes.
pub fn psi_cost(receiver_count: u64, sender_count: u64) -> Result<Cost, PsiError> {
    let plan = Plan::new([0; 32], receiver_count, sender_count, 0)?;
    let terms = plan.terms(0, 0)?;
    let ns =
        SESSION_NS + terms.receiver_count * RECEIVER_ITEM_NS + terms.sender_count * SENDER_ITEM_NS;
    let bytes = SESSION_BYTES + terms.store_bytes()? + terms.sender_count * OUTPUT_BYTES;
    let partitions = u64::from(plan.partitions());
    Ok(Cost { cpu_us: partitions * ns / 1000, bytes: partitions * bytes })
}

/// The way that takes less time over the link; this protocol if both take the same.
///
/// # Errors
/// [`PsiError::Count`] for more items than a plan takes.
pub fn cheaper(
    receiver_count: u64,
    sender_count: u64,
    tags_known: u64,
    link_bytes_per_second: u64,
) -> Result<Way, PsiError> {
    let oprf = oprf_cost(receiver_count, sender_count, tags_known).time_us(link_bytes_per_second);
    let psi = psi_cost(receiver_count, sender_count)?.time_us(link_bytes_per_second);
    Ok(if oprf < psi { Way::Oprf } else { Way::Psi })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: u64 = 12_500_000;

    #[test]
    fn the_cheaper_way_by_size() {
        let cases = [
            ("a query against a list with tags", 1, 1 << 20, 1 << 20, Way::Oprf),
            ("a few against a few", 8, 8, 0, Way::Oprf),
            ("2^12 against 2^20 with tags", 1 << 12, 1 << 20, 1 << 20, Way::Oprf),
            ("2^12 against 2^20 without tags", 1 << 12, 1 << 20, 0, Way::Psi),
            ("2^20 against 2^12", 1 << 20, 1 << 12, 0, Way::Psi),
            ("2^20 against 2^20", 1 << 20, 1 << 20, 0, Way::Psi),
            ("2^20 against 2^20 with tags", 1 << 20, 1 << 20, 1 << 20, Way::Psi),
        ];
        for (name, receiver, sender, known, way) in cases {
            assert_eq!(cheaper(receiver, sender, known, LINK), Ok(way), "{name}");
        }
    }

    #[test]
    fn nothing_overflows() {
        assert_eq!(oprf_cost(u64::MAX, u64::MAX, 0).time_us(0), u64::MAX);
        assert!(psi_cost(u64::MAX, 1).is_err());
    }
}
