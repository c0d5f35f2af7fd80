//! Entry bundles: the entries whose hashes a tile of level 0 holds; knows nothing of their meaning.
//!
//! Implements spec/log.md#tiles (c2sp.org/tlog-tiles, "Log entries").

use crate::TlogError;
use crate::error::Format;
use crate::limits::TILE_WIDTH;

/// "Sequences of big-endian uint16 length-prefixed log entries."
///
/// # Errors
/// [`TlogError::EntryTooLong`], or [`TlogError::BeyondTree`] for no entry or more than 256.
pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TlogError> {
    if entries.is_empty() || entries.len() > usize::from(TILE_WIDTH) {
        return Err(TlogError::BeyondTree);
    }
    let mut bundle = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| TlogError::EntryTooLong)?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle of `width` entries.
///
/// # Errors
/// [`TlogError::Malformed`] if it has not exactly that many.
pub fn decode_entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>, TlogError> {
    let malformed = TlogError::malformed(
        Format::EntryBundle,
        "a bundle has as many length-prefixed entries as its width says",
    );
    if !(1..=TILE_WIDTH).contains(&width) {
        return Err(malformed);
    }
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(usize::from(width));
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(malformed)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(malformed) }
}
