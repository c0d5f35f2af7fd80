//! Numbers of mobile telephones and subscriptions.
//!
//! Implements spec/identifiers.md#devices.

use crate::canonical::{Draft, Input};
use crate::check_digit::{digit, is_digits, luhn_ascii};
use crate::company::folded;
use crate::key::{Check, KeyForm, Strength};
use crate::{IdentError, Kind};

/// 3GPP TS 23.003 §6.2: fourteen digits and a Luhn digit, which lists leave out. Of an IMEISV the
/// two digits of the software version are dropped: they change with every update.
pub(crate) fn imei(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Imei;
    let folded = folded(kind, input.text, "IMEI")?;
    let number = folded.strip_prefix("SV").unwrap_or(&folded);
    let count = number.len();
    if !(14..=16).contains(&count) || !is_digits(number, count) {
        return Err(IdentError::NotThisKind { kind, rule: "14 to 16 digits" });
    }
    let mut value = number.get(..14).unwrap_or_default().to_owned();
    value.push(luhn_digit(value.as_bytes()));
    let draft = if count == 15 {
        Draft::new(kind, number).check(Check::of(value == number), "3GPP TS 23.003 Luhn")
    } else {
        Draft::new(kind, value)
    };
    Ok(draft.key(KeyForm::Exact, Strength::Strong))
}

fn luhn_digit(digits: &[u8]) -> char {
    let mut all = digits.to_vec();
    ('0'..='9')
        .find(|check| {
            all.truncate(digits.len());
            all.extend(u8::try_from(*check));
            luhn_ascii(&all)
        })
        .unwrap_or('0')
}

/// 3GPP TS 23.003 §2.2: "not more than 15 digits"; the first is that of a world zone (ITU-T E.212).
pub(crate) fn imsi(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Imsi;
    let number = folded(kind, input.text, "IMSI")?;
    if !matches!(number.len(), 14 | 15) || !is_digits(&number, number.len()) {
        return Err(IdentError::NotThisKind { kind, rule: "14 or 15 digits" });
    }
    let zone = number.bytes().next().and_then(digit);
    let draft = Draft::new(kind, number);
    let draft = match zone {
        // 0 is for tests, 1 and 8 are not given out.
        Some(2..=7 | 9) => draft,
        _ => draft.check(Check::Invalid, "ITU-T E.212 zone"),
    };
    Ok(draft.key(KeyForm::Exact, Strength::Strong))
}
