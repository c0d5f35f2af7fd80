//! Where money lies: bank codes and account numbers.
//!
//! Implements spec/identifiers.md#accounts.

use crate::canonical::{Draft, Input};
use crate::check_digit::{digit, is_digits, mod_97};
use crate::company::folded;
use crate::document::without_issuer;
use crate::key::{Check, KeyForm, Strength};
use crate::limits::NUMBER_CHARS_MAX;
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

/// A number that only its bank gives a meaning: with the bank's BIC (8 characters) or BIK.
pub(crate) fn account_number(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::AccountNumber;
    let number = folded(kind, input.text, "ACCOUNTNO")?;
    if !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(IdentError::NotThisKind { kind, rule: "a number has a digit" });
    }
    if number.chars().count() > NUMBER_CHARS_MAX {
        return Err(IdentError::TooLong);
    }
    let bank = input.issuer.and_then(bank);
    let mut draft = Draft::new(kind, number).issuer(bank.as_deref());
    if let Some(bik) = bank.filter(|bank| is_digits(bank, 9))
        && is_digits(draft.value(), 20)
    {
        let holds = bik_account_holds(&bik, draft.value());
        draft = draft.check(Check::of(holds), "Bank of Russia account key");
    }
    without_issuer(draft.issuer_key(KeyForm::WithIssuer, Strength::Medium))
}

/// The bank as its BIC of eight characters or its BIK; what is neither is unknown.
fn bank(text: &str) -> Option<String> {
    let input = Input::from(text);
    let found = bic(&input).or_else(|_| bik(&input)).ok()?;
    Some(found.value().to_owned())
}

/// Bank of Russia, order 515 of 8 September 1997: weights 7-1-3 over three digits of the bank and
/// the twenty of the account, modulo 10. The three are the BIK's last, or 0 and its places 5 and 6
/// for an account with the Bank of Russia itself (BIK ending in 000 to 002).
fn bik_account_holds(bik: &str, account: &str) -> bool {
    let last = bik.get(6..).unwrap_or_default();
    let own = matches!(last, "000" | "001" | "002");
    let bank = if own { ["0", bik.get(4..6).unwrap_or_default()] } else { [last, ""] };
    let digits = bank.into_iter().chain([account]).flat_map(str::bytes).filter_map(digit);
    let sum: u32 = digits.zip([7, 1, 3].into_iter().cycle()).map(|(d, weight)| d * weight).sum();
    sum.is_multiple_of(10)
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
