//! Walks CBOR without building anything: bounds, depth and the deterministic rules.

use crate::DecodeError;

/// Nesting of arrays and maps, in levels.
pub const DEPTH_MAX: usize = 16;

/// Checks that `bytes` is exactly one deterministic item (RFC 8949 §4.2.1) of the types in use:
/// integers, byte and text strings, arrays, maps, booleans and null.
///
/// Every announced length is compared with what is left before it is believed.
///
/// # Errors
/// [`DecodeError`], by the first rule that the bytes break; never [`DecodeError::Shape`].
pub fn check(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut walk = Walk { rest: bytes };
    walk.item(0)?;
    if walk.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
}

struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    fn item(&mut self, depth: usize) -> Result<(), DecodeError> {
        let (&initial, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        let (major, info) = (initial >> 5, initial & 0x1f);
        if major == 7 {
            // "false", "true" and "null" are the only simple values on this wire.
            return if matches!(info, 20..=22) {
                Ok(())
            } else {
                Err(DecodeError::NotDeterministic)
            };
        }
        let argument = self.argument(info)?;
        match major {
            0 | 1 => Ok(()),
            2 => self.take(argument).map(|_| ()),
            3 => match std::str::from_utf8(self.take(argument)?) {
                Ok(_) => Ok(()),
                Err(_) => Err(DecodeError::NotDeterministic),
            },
            4 => self.items(argument, depth),
            5 => self.map(argument, depth),
            _ => Err(DecodeError::NotDeterministic),
        }
    }

    /// The argument of an item, "as short as possible" (RFC 8949 §4.2.1).
    fn argument(&mut self, info: u8) -> Result<u64, DecodeError> {
        let (size, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(DecodeError::NotDeterministic),
        };
        let value = self.take(size)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < least { Err(DecodeError::NotDeterministic) } else { Ok(value) }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], DecodeError> {
        let count = usize::try_from(count).map_err(|_| DecodeError::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn items(&mut self, count: u64, depth: usize) -> Result<(), DecodeError> {
        self.announce(count, depth)?;
        (0..count).try_for_each(|_| self.item(depth + 1))
    }

    /// "The keys in every map MUST be sorted in the bytewise lexicographic order" (§4.2.1).
    fn map(&mut self, pairs: u64, depth: usize) -> Result<(), DecodeError> {
        self.announce(pairs, depth)?;
        let mut last: &[u8] = &[];
        for _ in 0..pairs {
            let before = self.rest;
            self.item(depth + 1)?;
            let key = before.split_at(before.len() - self.rest.len()).0;
            if key <= last {
                return Err(DecodeError::NotDeterministic);
            }
            last = key;
            self.item(depth + 1)?;
        }
        Ok(())
    }

    /// An item takes one byte at least, so a count beyond the rest is a lie.
    fn announce(&self, count: u64, depth: usize) -> Result<(), DecodeError> {
        if depth >= DEPTH_MAX {
            return Err(DecodeError::TooDeep);
        }
        if count > self.rest.len() as u64 { Err(DecodeError::Truncated) } else { Ok(()) }
    }
}
