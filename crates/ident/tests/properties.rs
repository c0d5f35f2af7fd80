//! What must hold for every text: no panic, one form per identifier, bounded keys.
//!
//! Implements spec/identifiers.md#canonical.

use proptest::prelude::*;
use symbolon_ident::{
    Canonical, Check, Country, Input, Kind, PartialDate, Strength, limits, profile_id,
};

fn kinds() -> impl Strategy<Value = Kind> {
    proptest::sample::select(Kind::ALL)
}

/// A range of birth dates is written in a form of its own.
fn kinds_that_read_back() -> impl Strategy<Value = Kind> {
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::PersonNameBirthDate);
    proptest::sample::select(kinds.collect::<Vec<_>>())
}

/// Texts near real identifiers: any characters, or numbers and names with noise.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,60}",
        "[A-Z0-9 /.-]{0,24}",
        "[A-Za-zÀ-ž'’ ,-]{0,40}",
        "[А-яЁёІі ]{0,30}\\|[0-9 A-Za-z-]{0,14}",
        "(IMO |\\+|0x|bc1|4)?[0-9a-zA-Z]{5,100}",
        "[A-Z<0-9\n]{72,92}",
    ]
}

fn parse(kind: Kind, text: &str, issuer: &str) -> Option<Canonical> {
    Canonical::parse(kind, Input { text, issuer: Some(issuer), date: None }).ok()
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() }
}

/// The same number as other hands would write it.
fn respelled(number: &str, style: u8) -> String {
    match style % 5 {
        0 => number.to_lowercase(),
        1 => number.chars().flat_map(|c| [c, ' ']).collect(),
        2 => number.chars().flat_map(|c| ['-', c]).collect(),
        3 => number
            .chars()
            .map(|c| match u32::from(c) {
                // Full-width forms.
                code @ 0x21..=0x7e => char::from_u32(code + 0xfee0).unwrap_or(c),
                _ => c,
            })
            .collect(),
        _ => format!("\u{feff}{number}\u{200f}\t"),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn never_panics_and_keys_are_bounded(
        kind in kinds(), text in texts(), issuer in texts(), date in texts(),
    ) {
        let input = Input { text: &text, issuer: Some(&issuer), date: Some(&date) };
        if let Ok(canonical) = Canonical::parse(kind, input) {
            prop_assert!((1..=limits::KEYS_MAX).contains(&canonical.keys().len()));
            for key in canonical.keys() {
                prop_assert!(key.as_bytes().len() <= limits::KEY_BYTES_MAX);
                let failed = canonical.check() == Check::Invalid;
                prop_assert!(!failed || key.strength() == Strength::Weak);
                prop_assert_eq!(key.class(), canonical.class());
            }
        }
        let _ = Country::parse(&text);
        let _ = PartialDate::parse(&text);
    }

    #[test]
    fn canonical_forms_are_fixed_points(kind in kinds_that_read_back(), text in texts()) {
        if let Ok(first) = Canonical::parse(kind, text.as_str()) {
            let issuer = first.issuer().unwrap_or_default();
            let Some(again) = parse(kind, first.expose(), issuer) else {
                return Err(TestCaseError::fail("refuses its own form"));
            };
            prop_assert_eq!(first.expose(), again.expose());
            prop_assert_eq!(first.keys(), again.keys());
        }
    }

    #[test]
    fn spellings_of_a_number_meet(
        kind in proptest::sample::select(vec![
            Kind::Passport, Kind::NationalId, Kind::TaxId, Kind::OtherId, Kind::CompanyRegistration,
            Kind::ImoShip, Kind::ImoCompany, Kind::Mmsi, Kind::Duns, Kind::Isin, Kind::Lei,
            Kind::Bic, Kind::Bik, Kind::Iban, Kind::AircraftName, Kind::AircraftModeS,
        ]),
        number in prop_oneof![
            "[0-9]{6,9}", "[A-Z]{1,4}[0-9]{6,12}", "[A-Z]{6}[A-Z0-9]{2}",
            "[A-Z]{2}[0-9]{14,20}", "[0-9A-Z]{18}[0-9]{2}",
        ],
        style: u8,
    ) {
        if let Some(plain) = parse(kind, &number, "IRN") {
            let other = parse(kind, &respelled(&number, style), "irn");
            prop_assert_eq!(Some(plain.keys()), other.as_ref().map(Canonical::keys));
        }
    }

    #[test]
    fn spellings_of_a_name_meet(
        // Where a legal form of two letters counts depends on its place.
        words in proptest::collection::vec("[a-z]{3,9}", 1..5), turn: usize,
    ) {
        let plain = words.join(" ");
        let mut turned = words.clone();
        turned.rotate_left(turn % words.len());
        let noisy = turned.iter().map(|word| word.to_uppercase()).collect::<Vec<_>>().join(", ");
        for kind in [Kind::PersonName, Kind::OrganisationName, Kind::VesselName] {
            let keys = |text: &str| Canonical::parse(kind, text).map(|c| c.keys().to_vec());
            prop_assert_eq!(keys(&plain), keys(&noisy));
        }
    }

    #[test]
    fn two_numbers_never_meet(
        kind in proptest::sample::select(vec![
            Kind::Passport, Kind::NationalId, Kind::CompanyRegistration, Kind::OtherId,
            Kind::AircraftTail, Kind::Duns, Kind::ImoShip, Kind::Iban,
        ]),
        one in "[A-Z]{0,2}[0-9]{5,12}", other in "[A-Z]{0,2}[0-9]{5,12}",
    ) {
        if let (Some(a), Some(b)) = (parse(kind, &one, "TN"), parse(kind, &other, "TN"))
            && a.expose() != b.expose()
        {
            prop_assert!(a.keys().iter().all(|key| !b.keys().contains(key)));
        }
        // What is kept apart as text is kept apart as value, but for words that are dropped.
        let plain = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
        if one != other && plain(&one) && plain(&other) {
            let value = |number| parse(kind, number, "TN").map(|c| c.expose().to_owned());
            let values = [value(&one), value(&other)];
            prop_assert!(values[0].is_none() || values[0] != values[1]);
        }
    }

    #[test]
    fn dates_come_back(
        year in 1000..3000_u16, month in 1..13_u8, day in 1..32_u8, parts in 0..3_u8,
    ) {
        let date = match parts {
            0 => PartialDate::new(year, None, None),
            1 => PartialDate::new(year, Some(month), None),
            _ => PartialDate::new(year, Some(month), Some(day)),
        };
        if let Ok(date) = date {
            prop_assert_eq!(PartialDate::parse(&date.to_string()), Ok(date));
            let json = serde_json::to_string(&date).unwrap();
            prop_assert_eq!(serde_json::from_str::<PartialDate>(&json).unwrap(), date);
        }
    }
}

#[test]
fn nothing_shows_an_identifier() {
    let text = "44051401359";
    let input = Input { text, issuer: Some("PL"), date: None };
    let canonical = Canonical::parse(Kind::NationalId, input).unwrap();
    let shown = format!("{input:?} {canonical:?} {:?}", canonical.keys());
    assert!(shown.contains("[redacted]") && !shown.contains(text) && !shown.contains("4405"));
    let error = Canonical::parse(Kind::Lei, text).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(text));
    assert_eq!(profile_id(), profile_id());
    assert_eq!(profile_id().to_string().len(), 16);
}
