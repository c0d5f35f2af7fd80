//! CashAddr, the address format of Bitcoin Cash.
//!
//! Implements spec/identifiers.md#wallets.

use crate::wallet::Address;

const CHARSET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const PREFIX: &[u8] = b"bitcoincash";

/// Reads an address without its `bitcoincash:`; `None` if it is of another format.
pub(crate) fn read(text: &str) -> Option<Address> {
    let value = text.to_ascii_lowercase();
    if value.len() != 42 || !value.starts_with(['q', 'p']) {
        return None;
    }
    let mut sum = 1;
    for byte in PREFIX {
        sum = step(sum, u64::from(byte & 0x1f));
    }
    sum = step(sum, 0);
    for byte in value.bytes() {
        let digit = CHARSET.iter().position(|c| *c == byte)?;
        sum = step(sum, u64::try_from(digit).ok()?);
    }
    let one_case = text == value || text == value.to_ascii_uppercase();
    let holds = Some(sum == 1 && one_case);
    Some(Address { network: "bch", value, holds, rule: "CashAddr" })
}

/// One step of the 40-bit BCH code of the CashAddr specification.
fn step(sum: u64, digit: u64) -> u64 {
    const GENERATORS: [u64; 5] =
        [0x98_f2bc_8e61, 0x79_b76d_99e2, 0xf3_3e5f_b3c4, 0xae_2eab_e2a8, 0x1e_4f43_e470];
    let top = sum >> 35;
    let shifted = ((sum & 0x07_ffff_ffff) << 5) ^ digit;
    GENERATORS
        .iter()
        .enumerate()
        .filter(|(bit, _)| top >> bit & 1 == 1)
        .fold(shifted, |sum, (_, generator)| sum ^ generator)
}
