//! Ways to reach someone: telephone numbers and e-mail addresses.
//!
//! Implements spec/identifiers.md#contacts.

use std::str::FromStr as _;
use std::sync::Once;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;
use unicode_normalization::UnicodeNormalization;

use crate::canonical::{Draft, Input};
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::limits::PHONE_RULES_KEPT;
use crate::phone_ranges::Answer;
use crate::{Country, IdentError, Kind, fold, phone_ranges, placeholder};

/// E.164 by the pinned metadata. The issuer is the default region: without `+` a number is first
/// read in that region, then as if its `+` had been dropped, as lists do.
///
/// A number that is valid in neither reading is kept as its digits, and weak.
pub(crate) fn phone(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Phone;
    let text = dialled(input.text);
    if text.len() > 40 {
        return Err(IdentError::TooLong);
    }
    let digits = fold::number(&text);
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    let region = input.country();
    let found = readings(region, region_id(input), &text, &digits);
    let draft = match found {
        Some(number) => Draft::new(kind, number).check(Check::Valid, "ITU-T E.164 ranges"),
        None if count < 6 => {
            return Err(IdentError::NotThisKind { kind, rule: "six digits" });
        }
        None => {
            placeholder::refuse_number(&digits)?;
            Draft::new(kind, digits).check(Check::Invalid, "ITU-T E.164 ranges")
        }
    };
    Ok(draft.issuer(region.map(Country::as_str)).key(KeyForm::Exact, Strength::Strong))
}

/// The metadata's name of the default region. Two islands have telephone codes of their own and
/// are no countries.
fn region_id(input: &Input<'_>) -> Option<&'static str> {
    let islands = ["AC", "TA"];
    let island = islands
        .into_iter()
        .find(|id| input.issuer.is_some_and(|issuer| issuer.trim().eq_ignore_ascii_case(id)));
    island.or_else(|| input.country()?.alpha2())
}

/// The first reading that is a number in use: as written with `+`; behind the region's prefix for
/// calls abroad; inside the region; as if `+` had been dropped.
fn readings(
    country: Option<Country>,
    region: Option<&'static str>,
    text: &str,
    digits: &str,
) -> Option<String> {
    if text.starts_with('+') {
        return e164(None, text);
    }
    // The library would strip the region's own code once more behind its prefix, so `+` goes first.
    let abroad = exit_prefixes(country).iter().find_map(|prefix| digits.strip_prefix(prefix));
    abroad
        .and_then(|rest| e164(None, &format!("+{rest}")))
        .or_else(|| e164(Some(region?), text))
        .or_else(|| e164(None, &format!("+{}{digits}", calling_code(region?)?)))
        .or_else(|| e164(None, &format!("+{digits}")))
}

/// What is dialled in a region before the code of another country (ITU-T E.164 list of prefixes).
fn exit_prefixes(region: Option<Country>) -> &'static [&'static str] {
    match region.map(Country::as_str) {
        Some(
            "USA" | "CAN" | "AIA" | "ATG" | "BHS" | "BMU" | "BRB" | "CYM" | "DMA" | "DOM" | "GRD"
            | "JAM" | "KNA" | "LCA" | "MSR" | "PRI" | "TCA" | "TTO" | "VCT" | "VGB" | "VIR" | "SXM"
            | "ASM" | "GUM" | "MNP",
        ) => &["011"],
        Some("RUS" | "KAZ" | "BLR" | "TJK" | "TKM" | "UZB") => &["810", "00"],
        Some("AUS") => &["0011"],
        Some("JPN") => &["010"],
        _ => &["00"],
    }
}

fn calling_code(region: &str) -> Option<u16> {
    Some(DATABASE.by_id(region)?.country_code())
}

/// The digits that are dialled, with a leading `+` where there is one: of `tel:` links and
/// extensions nothing, of digits in other scripts the value.
fn dialled(text: &str) -> String {
    let text = text.trim();
    plain(text).unwrap_or_else(|| noisy(text))
}

/// Digits with the separators of most lists; `None` where more has to be read.
fn plain(text: &str) -> Option<String> {
    let mut dialled = String::with_capacity(text.len());
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => dialled.push(char::from(byte)),
            b'+' if place == 0 => dialled.push('+'),
            b' ' | b'-' | b'.' | b'/' => {}
            // Brackets may hold a trunk digit behind a country code.
            b'(' | b')' if !text.starts_with('+') => {}
            _ => return None,
        }
    }
    Some(dialled)
}

fn noisy(text: &str) -> String {
    let lower = fold::plain_text(text).to_lowercase();
    let text = lower.strip_prefix("tel:").unwrap_or(&lower);
    let end = [";", "ext", "x", "#", "доб"].iter().filter_map(|mark| text.find(mark)).min();
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_start();
    let mut dialled = String::with_capacity(text.len());
    if text.starts_with('+') {
        dialled.push('+');
        // "+44 (0)20 …": the trunk digit in brackets is not dialled from abroad.
        let closed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        dialled.push_str(&fold::number(&closed.replace("(0)", "")));
    } else {
        dialled.push_str(&fold::number(text));
    }
    // An x of another script, or one with a mark.
    let end = dialled.find('X').unwrap_or(dialled.len());
    dialled.truncate(end);
    dialled
}

fn e164(region: Option<&str>, text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let answer = match region {
            None => phone_ranges::international(digits.as_bytes()),
            Some(region) => phone_ranges::inside(region, digits.as_bytes()),
        };
        match answer {
            Answer::InUse(number) => return Some(number),
            Answer::Unused => return None,
            Answer::Unknown => {}
        }
    }
    static CACHE: Once = Once::new();
    CACHE.call_once(|| {
        // The library keeps as few compiled rules as a dozen regions have.
        if let Ok(mut cache) = DATABASE.cache().lock() {
            cache.set_capacity(PHONE_RULES_KEPT);
        }
    });
    let region = match region {
        Some(region) => Some(Id::from_str(region).ok()?),
        None => None,
    };
    let number = phonenumber::parse(region, text).ok()?;
    if !number.is_valid() {
        return None;
    }
    let national = number.national();
    let zeros = usize::from(national.zeros());
    Some(format!("+{}{:0<zeros$}{}", number.code().value(), "", national.value()))
}

/// Local part NFKC in lower case, domain as UTS 46 A-labels in lower case.
pub(crate) fn email(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Email;
    let text = fold::plain_text(input.text);
    let text = text.trim_start_matches('<').trim_end_matches(['>', '.', ';', ',']);
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text.get(7..).unwrap_or(text),
        _ => text,
    };
    let (local, domain) =
        text.rsplit_once('@').ok_or(IdentError::NotThisKind { kind, rule: "a local part, @" })?;
    let local: String = local.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
    if local.is_empty() || local.len() > 64 || local.chars().any(|c| c.is_whitespace() || c == '@')
    {
        return Err(IdentError::NotThisKind { kind, rule: "a local part of 1 to 64 bytes" });
    }
    let domain = domain_of(domain.trim())
        .ok_or(IdentError::NotThisKind { kind, rule: "a domain of two labels" })?;
    let folded = provider_fold(&local, &domain);
    let mut draft =
        Draft::new(kind, format!("{local}@{domain}")).key(KeyForm::Exact, Strength::Strong);
    if let Some(folded) = folded {
        let form = KeyForm::ProviderFold;
        draft = draft.push(MatchKey::new(kind, form, Strength::Weak, "", &folded));
    }
    Ok(draft)
}

/// UTS 46 ToASCII; the plain case without its tables.
pub(crate) fn domain_of(text: &str) -> Option<String> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            && !text.to_ascii_lowercase().contains("xn--");
    let domain = if plain {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::STD3).ok()?.into_owned()
    };
    let fits = domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        });
    fits.then_some(domain)
}

/// The mailbox that a provider delivers to, for those that publish their rule: `+tag` dropped, and
/// where the provider ignores them, dots.
fn provider_fold(local: &str, domain: &str) -> Option<String> {
    let (domain, ignored): (&str, &[char]) = match domain {
        "gmail.com" | "googlemail.com" => ("gmail.com", &['.']),
        "proton.me" | "protonmail.com" | "protonmail.ch" | "pm.me" => {
            ("proton.me", &['.', '-', '_'])
        }
        "yandex.ru" | "ya.ru" | "yandex.com" | "yandex.by" | "yandex.kz" | "yandex.ua" => {
            ("yandex.ru", &[])
        }
        "outlook.com" | "hotmail.com" | "live.com" | "icloud.com" | "fastmail.com" => (domain, &[]),
        _ => return None,
    };
    let mailbox = local.split('+').next().unwrap_or(local);
    let mailbox: String = if domain == "yandex.ru" {
        mailbox.replace('.', "-")
    } else {
        mailbox.chars().filter(|c| !ignored.contains(c)).collect()
    };
    (!mailbox.is_empty()).then(|| format!("{mailbox}@{domain}"))
}
