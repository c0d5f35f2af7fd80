//! Where money lies: bank codes and account numbers.
//!
//! Implements spec/identifiers.md#accounts.

use crate::canonical::{Draft, Input};
use crate::check_digit::{is_digits, mod_97};
use crate::company::folded;
use crate::key::{Check, KeyForm, Strength};
use crate::{Country, IdentError, Kind};

/// ISO 9362: four characters, a country, two characters; the three of a branch are dropped.
pub(crate) fn bic(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Bic;
    let mut code = folded(kind, input.text, "")?;
    if !code.is_ascii() || !matches!(code.len(), 8 | 11) {
        return Err(IdentError::NotThisKind { kind, rule: "8 or 11 characters" });
    }
    code.truncate(8);
    let country = code.get(4..6).unwrap_or_default();
    if !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(IdentError::NotThisKind { kind, rule: "a country in places 5 and 6" });
    }
    let valid = Country::parse(country).is_ok();
    Ok(Draft::new(kind, code)
        .check(Check::of(valid), "ISO 9362 country")
        .key(KeyForm::Exact, Strength::Medium))
}

/// Nine digits, of which Russia's banks have 04 in front, its treasury 00, 01 or 02.
pub(crate) fn bik(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Bik;
    let mut code = folded(kind, input.text, "BIK")?;
    if let Some(rest) = code.strip_prefix("БИK") {
        code = rest.to_owned();
    }
    if !is_digits(&code, 9) {
        return Err(IdentError::NotThisKind { kind, rule: "nine digits" });
    }
    let valid = ["04", "00", "01", "02"].iter().any(|front| code.starts_with(front));
    Ok(Draft::new(kind, code)
        .check(Check::of(valid), "BIK country digits")
        .key(KeyForm::Exact, Strength::Medium))
}

/// ISO 13616: country, two check digits, account; the length fixed per country, mod 97-10.
pub(crate) fn iban(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Iban;
    let account = folded(kind, input.text, "IBAN")?;
    let (country, rest) = account.split_at_checked(2).unwrap_or_default();
    let (check, body) = rest.split_at_checked(2).unwrap_or_default();
    if !account.is_ascii()
        || !country.bytes().all(|byte| byte.is_ascii_uppercase())
        || !is_digits(check, 2)
        || !(10..=30).contains(&body.len())
    {
        let rule = "a country, two check digits and 10 to 30 characters";
        return Err(IdentError::NotThisKind { kind, rule });
    }
    let length = LENGTHS.iter().find(|(code, _)| *code == country).map(|(_, length)| *length);
    let sum = mod_97(body.bytes().chain(country.bytes()).chain(check.bytes()));
    let valid = length == Some(account.len()) && sum == Some(1);
    Ok(Draft::new(kind, account)
        .check(Check::of(valid), "ISO 13616 length and mod 97-10")
        .key(KeyForm::Exact, Strength::Strong))
}

/// Length of an IBAN per country (SWIFT IBAN registry).
#[rustfmt::skip]
const LENGTHS: [(&str, usize); 89] = [
    ("AD", 24), ("AE", 23), ("AL", 28), ("AT", 20), ("AZ", 28), ("BA", 20), ("BE", 16), ("BG", 22),
    ("BH", 22), ("BI", 27), ("BR", 29), ("BY", 28), ("CH", 21), ("CR", 22), ("CY", 28), ("CZ", 24),
    ("DE", 22), ("DJ", 27), ("DK", 18), ("DO", 28), ("EE", 20), ("EG", 29), ("ES", 24), ("FI", 18),
    ("FK", 18), ("FO", 18), ("FR", 27), ("GB", 22), ("GE", 22), ("GI", 23), ("GL", 18), ("GR", 27),
    ("GT", 28), ("HN", 28), ("HR", 21), ("HU", 28), ("IE", 22), ("IL", 23), ("IQ", 23), ("IS", 26),
    ("IT", 27), ("JO", 30), ("KW", 30), ("KZ", 20), ("LB", 28), ("LC", 32), ("LI", 21), ("LT", 20),
    ("LU", 20), ("LV", 21), ("LY", 25), ("MC", 27), ("MD", 24), ("ME", 22), ("MK", 19), ("MN", 20),
    ("MR", 27), ("MT", 31), ("MU", 30), ("NI", 28), ("NL", 18), ("NO", 15), ("OM", 23), ("PK", 24),
    ("PL", 28), ("PS", 29), ("PT", 25), ("QA", 29), ("RO", 24), ("RS", 22), ("RU", 33), ("SA", 24),
    ("SC", 31), ("SD", 18), ("SE", 24), ("SI", 19), ("SK", 24), ("SM", 27), ("SO", 23), ("ST", 25),
    ("SV", 28), ("TL", 23), ("TN", 24), ("TR", 26), ("UA", 29), ("VA", 22), ("VG", 24), ("XK", 20),
    ("YE", 30),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_sorted_and_of_countries() {
        assert!(LENGTHS.is_sorted());
        for (country, _) in LENGTHS {
            assert!(Country::parse(country).is_ok(), "{country}");
        }
    }
}
