//! Addresses on public ledgers: decoded, checked, and written one way.
//!
//! Implements spec/identifiers.md#wallets.
//!
//! Invariant: the network in a key follows from the address itself, never from the name under which
//! it was published: one EVM address is the same account on every EVM chain and for every token.

use bech32::segwit;
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::canonical::{Draft, Input};
use crate::key::{Check, KeyForm, Strength};
use crate::{IdentError, Kind, cashaddr, fold, monero};

/// What an address turned out to be.
pub(crate) struct Address {
    /// The ledger family.
    pub(crate) network: &'static str,
    pub(crate) value: String,
    /// Whether its checksum holds; `None` where it carries none.
    pub(crate) holds: Option<bool>,
    /// The rule that was checked.
    pub(crate) rule: &'static str,
}

/// An address of any network known here. The issuer, the network as published, only helps where
/// the address does not tell (Verge, 64-digit Monero ids, Solana).
pub(crate) fn wallet(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Wallet;
    let mut text = fold::plain_text(input.text);
    if text.contains(char::is_whitespace) {
        // Long addresses are printed in groups.
        text = text.split_whitespace().collect::<String>().into();
    }
    let text = text.as_ref();
    let (scheme, body) = text.split_once(':').unwrap_or(("", text));
    if body.len() > 128 {
        return Err(IdentError::TooLong);
    }
    if body.len() < 20 {
        return Err(IdentError::TooShort);
    }
    if !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(IdentError::NotThisKind { kind, rule: "letters and digits" });
    }
    let declared = input.issuer.unwrap_or(scheme).trim().to_ascii_uppercase();
    let declared = declared.rsplit(['_', ' ', '-']).next().unwrap_or_default();
    let Address { network, value, holds, rule } = evm(body)
        .or_else(|| segwit_address(body))
        .or_else(|| cashaddr::read(body))
        .or_else(|| base58_check(body, declared))
        .or_else(|| monero::read(body, declared))
        .or_else(|| solana(body, declared))
        .unwrap_or_else(|| Address {
            network: "unknown",
            value: body.to_owned(),
            holds: Some(false),
            rule: "no known address format",
        });
    let mut draft = Draft::new(kind, value).issuer(Some(network));
    let mut strength = Strength::Medium;
    if let Some(holds) = holds {
        draft = draft.check(Check::of(holds), rule);
        strength = Strength::Strong;
    }
    Ok(draft.issuer_key(KeyForm::WithIssuer, strength))
}

/// EIP-55: twenty bytes in hex, in one case or with the case as a checksum.
fn evm(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.len() != 40 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let one_case = !digits.bytes().any(|byte| byte.is_ascii_uppercase())
        || !digits.bytes().any(|byte| byte.is_ascii_lowercase());
    let holds = if one_case { None } else { Some(eip_55_holds(digits, &lower)) };
    Some(Address { network: "evm", value: format!("0x{lower}"), holds, rule: "EIP-55" })
}

/// "Print the i-th digit … in uppercase if the 4·i-th bit of the hash of the lowercase hexadecimal
/// address is 1" (EIP-55).
fn eip_55_holds(digits: &str, lower: &str) -> bool {
    let hash = Keccak256::digest(lower.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits
        .bytes()
        .zip(nibbles)
        .filter(|(digit, _)| digit.is_ascii_alphabetic())
        .all(|(digit, nibble)| digit.is_ascii_uppercase() == (nibble >= 8))
}

/// BIP 173 and BIP 350, for the networks that use them.
fn segwit_address(text: &str) -> Option<Address> {
    let (prefix, _) = text.rsplit_once('1')?;
    let network = match prefix.to_ascii_lowercase().as_str() {
        "bc" => "btc",
        "ltc" => "ltc",
        "btg" => "btg",
        "tb" => "btc-test",
        _ => return None,
    };
    let holds = Some(segwit::decode(text).is_ok());
    Some(Address { network, value: text.to_ascii_lowercase(), holds, rule: "BIP 173 or 350" })
}

/// Base58Check (BIP 13): a version, the payload and four bytes of a double SHA-256.
fn base58_check(text: &str, declared: &str) -> Option<Address> {
    let mut bytes = [0; 64];
    let length = bs58::decode(text).onto(&mut bytes).ok().filter(|length| *length > 4)?;
    let (body, sum) = bytes.get(..length)?.split_at_checked(length - 4)?;
    let holds = Sha256::digest(Sha256::digest(body)).get(..4) == Some(sum);
    let network = match body {
        [0x1c, 0xb8 | 0xbd, rest @ ..] if rest.len() == 20 => "zec",
        [version, rest @ ..] if rest.len() == 20 => version_network(*version, declared)?,
        _ => return None,
    };
    Some(Address { network, value: text.to_owned(), holds: Some(holds), rule: "Base58Check" })
}

/// Version bytes as registered in SLIP-44's companions and the networks' own chain parameters.
/// Dogecoin and Verge share one; the declared network decides.
fn version_network(version: u8, declared: &str) -> Option<&'static str> {
    Some(match version {
        0x00 | 0x05 => "btc",
        0x30 | 0x32 => "ltc",
        0x4c | 0x10 => "dash",
        0x26 | 0x17 => "btg",
        0x1e if declared == "XVG" => "xvg",
        0x1e | 0x16 => "doge",
        0x21 => "xvg",
        0x41 => "tron",
        0x6f | 0xc4 => "btc-test",
        _ => return None,
    })
}

/// Thirty-two bytes in Base58 without a checksum, only where declared.
fn solana(text: &str, declared: &str) -> Option<Address> {
    let mut bytes = [0; 64];
    let length = bs58::decode(text).onto(&mut bytes).ok()?;
    (length == 32 && matches!(declared, "SOL" | "SOLANA")).then(|| Address {
        network: "solana",
        value: text.to_owned(),
        holds: None,
        rule: "",
    })
}
