//! Monero's address format: Base58 in blocks, with a Keccak checksum.
//!
//! Implements spec/identifiers.md#wallets.

use sha3::{Digest, Keccak256};

use crate::wallet::Address;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Bytes of a block by its length in characters; zero where no block has that length.
const BLOCK_BYTES: [usize; 12] = [0, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8];

/// Reads an address of 95 or 106 characters, or, declared as Monero, a 64-digit hex id.
pub(crate) fn read(text: &str, declared: &str) -> Option<Address> {
    let declared = matches!(declared, "XMR" | "MONERO");
    if declared && text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let value = text.to_ascii_lowercase();
        return Some(Address { network: "xmr-id", value, holds: None, rule: "" });
    }
    if !matches!(text.len(), 95 | 106) || !text.starts_with(['4', '8']) {
        return None;
    }
    let holds = decode(text).is_some_and(|bytes| {
        bytes.split_last_chunk::<4>().is_some_and(|(body, sum)| {
            // 18 plain, 19 integrated, 42 subaddress.
            matches!(body.first(), Some(18 | 19 | 42))
                && Keccak256::digest(body).get(..4) == Some(sum)
        })
    });
    let value = text.to_owned();
    Some(Address { network: "xmr", value, holds: Some(holds), rule: "Monero Base58" })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(80);
    for block in text.as_bytes().chunks(11) {
        let size = *BLOCK_BYTES.get(block.len()).filter(|size| **size > 0)?;
        let mut value: u128 = 0;
        for byte in block {
            let digit = ALPHABET.iter().position(|c| c == byte)?;
            value = value * 58 + u128::try_from(digit).ok()?;
        }
        if value >> (8 * size) != 0 {
            return None;
        }
        bytes.extend_from_slice(value.to_be_bytes().get(16 - size..)?);
    }
    Some(bytes)
}
