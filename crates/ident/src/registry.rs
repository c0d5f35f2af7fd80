//! Numbers of ships, their companies and their radios.
//!
//! Implements spec/identifiers.md#ships.

use crate::canonical::{Draft, Input};
use crate::check_digit::{digit, is_digits, weighted};
use crate::company::folded;
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::{IdentError, Kind, PartialDate};

/// IMO resolution A.1117(30): seven digits, Σ dᵢ·(8−i) over the first six, mod 10 = the last.
pub(crate) fn imo_ship(input: &Input<'_>) -> Result<Draft, IdentError> {
    let number = imo(Kind::ImoShip, input.text)?;
    if !is_digits(&number, 7) {
        return Err(IdentError::NotThisKind { kind: Kind::ImoShip, rule: "seven digits" });
    }
    let valid = ship_check(number.as_bytes());
    Ok(Draft::new(Kind::ImoShip, number)
        .check(Check::of(valid), "IMO ship number")
        .key(KeyForm::Exact, Strength::Strong))
}

fn ship_check(digits: &[u8]) -> bool {
    digits.last().and_then(|last| digit(*last)) == Some(weighted(digits, &[7, 6, 5, 4, 3, 2]) % 10)
}

/// Seven digits, (11 − Σ mod 11) mod 10 with the weights 8, 6, 4, 2, 9, 7. Lists drop the leading
/// zero, so six digits are read as seven.
pub(crate) fn imo_company(input: &Input<'_>) -> Result<Draft, IdentError> {
    let mut number = imo(Kind::ImoCompany, input.text)?;
    if is_digits(&number, 6) {
        number.insert(0, '0');
    }
    if !is_digits(&number, 7) {
        return Err(IdentError::NotThisKind { kind: Kind::ImoCompany, rule: "seven digits" });
    }
    let valid = company_check(number.as_bytes());
    Ok(Draft::new(Kind::ImoCompany, number)
        .check(Check::of(valid), "IMO company number")
        .key(KeyForm::Exact, Strength::Strong))
}

fn company_check(digits: &[u8]) -> bool {
    let check = (11 - weighted(digits, &[8, 6, 4, 2, 9, 7]) % 11) % 10;
    digits.last().and_then(|last| digit(*last)) == Some(check)
}

fn imo(kind: Kind, text: &str) -> Result<String, IdentError> {
    let number = folded(kind, text, "IMO")?;
    Ok(number.strip_prefix("NO").map(str::to_owned).unwrap_or(number))
}

/// ITU-R M.585: nine digits with a country's three in the place that the station's type says.
///
/// A number is reassigned when a ship changes flag, so only with its year is it more than weak.
pub(crate) fn mmsi(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Mmsi;
    let number = folded(kind, input.text, "MMSI")?;
    if !is_digits(&number, 9) {
        return Err(IdentError::NotThisKind { kind, rule: "nine digits" });
    }
    let valid = mid_of(&number).is_some_and(|mid| MIDS.binary_search(&mid).is_ok());
    let draft =
        Draft::new(kind, number).check(Check::of(valid), "ITU maritime identification digits");
    Ok(with_year(draft, input.date)?.key(KeyForm::WithoutIssuer, Strength::Weak))
}

/// ITU Radio Regulations article 19: letters and digits, of which one is a letter. A station hands
/// its sign on, and short ones are many.
pub(crate) fn call_sign(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::CallSign;
    let sign = folded(kind, input.text, "CALLSIGN")?;
    let plain = sign.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let letter = sign.bytes().any(|byte| byte.is_ascii_uppercase());
    if !(3..=8).contains(&sign.len()) || !plain || !letter {
        return Err(IdentError::NotThisKind { kind, rule: "3 to 8 letters and digits" });
    }
    // Series begin with a letter, or a digit from 2 to 9 and a letter; 0, 1 and Q are not given.
    let series = match sign.as_bytes() {
        [b'Q' | b'0' | b'1', ..] => false,
        [first, second, ..] => first.is_ascii_uppercase() || second.is_ascii_uppercase(),
        _ => false,
    };
    let mut draft = Draft::new(kind, sign);
    if !series {
        draft = draft.check(Check::Invalid, "ITU call sign series");
    }
    Ok(draft.key(KeyForm::Exact, Strength::Weak))
}

/// Adds the key over value and year, if the date is known.
pub(crate) fn with_year(draft: Draft, date: Option<&str>) -> Result<Draft, IdentError> {
    let Some(date) = date.filter(|date| !date.trim().is_empty()) else {
        return Ok(draft);
    };
    let year = PartialDate::parse(date)?.year();
    let value = format!("{}|{year}", draft.value());
    let key = MatchKey::new(draft.key_kind(), KeyForm::WithYear, Strength::Medium, "", &value);
    Ok(draft.push(key))
}

/// Where the three digits stand: ships at the front; groups, coast stations, search-and-rescue
/// aircraft, aids to navigation, craft of a ship and handhelds behind their prefix.
fn mid_of(number: &str) -> Option<u16> {
    let prefix = ["00", "0", "111", "99", "98", "8"]
        .into_iter()
        .find(|prefix| number.starts_with(prefix))
        .map_or(0, str::len);
    number.get(prefix..prefix + 3)?.parse().ok()
}

/// Maritime identification digits assigned by the ITU (Table of MIDs, Radio Regulations App. 43).
#[rustfmt::skip]
const MIDS: [u16; 292] = [
    201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 218, 219, 220,
    224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242,
    243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 261, 262,
    263, 264, 265, 266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279, 301, 303,
    304, 305, 306, 307, 308, 309, 310, 311, 312, 314, 316, 319, 321, 323, 325, 327, 329, 330, 331,
    332, 334, 336, 338, 339, 341, 343, 345, 347, 348, 350, 351, 352, 353, 354, 355, 356, 357, 358,
    359, 361, 362, 364, 366, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 401,
    403, 405, 408, 410, 412, 413, 414, 416, 417, 419, 422, 423, 425, 428, 431, 432, 434, 436, 437,
    438, 440, 441, 443, 445, 447, 450, 451, 453, 455, 457, 459, 461, 463, 466, 468, 470, 471, 472,
    473, 475, 477, 478, 501, 503, 506, 508, 510, 511, 512, 514, 515, 516, 518, 520, 523, 525, 529,
    531, 533, 536, 538, 540, 542, 544, 546, 548, 550, 553, 555, 557, 559, 561, 563, 564, 565, 566,
    567, 570, 572, 574, 576, 577, 578, 601, 603, 605, 607, 608, 609, 610, 611, 612, 613, 615, 616,
    617, 618, 619, 620, 621, 622, 624, 625, 626, 627, 629, 630, 631, 632, 633, 634, 635, 636, 637,
    638, 642, 644, 645, 647, 649, 650, 654, 655, 656, 657, 659, 660, 661, 662, 663, 664, 665, 666,
    667, 668, 669, 670, 671, 672, 674, 675, 676, 677, 678, 679, 701, 710, 720, 725, 730, 735, 740,
    745, 750, 755, 760, 765, 770, 775,
];
