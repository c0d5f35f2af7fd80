//! What must hold for every kind that is a number or an address: spellings meet, different ones
//! stay apart; for zones and proposals: any text is answered.
//!
//! Implements spec/identifiers.md#canonical.

#![expect(clippy::unwrap_used, reason = "a zone that cannot be composed is a failed test")]

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use symbolon_ident::{
    Canonical, Check, Class, Country, Input, KeyForm, Kind, Mrz, MrzField, MrzFormat, Strength,
    limits,
};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() }
}

fn parse(kind: Kind, text: &str, issuer: &str) -> Option<Canonical> {
    Canonical::parse(kind, Input { text, issuer: Some(issuer), date: None }).ok()
}

/// Texts of a kind, mostly of its form; `None` for names, which have tests of their own.
fn form(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Passport | Kind::TravelDocument | Kind::Visa => "[A-Z]{0,2}[0-9]{6,8}",
        Kind::NationalId | Kind::TaxId | Kind::CompanyRegistration => "[A-Z]{0,3}[0-9]{7,13}",
        Kind::OtherId | Kind::AccountNumber => "[0-9A-Z]{4,10}[0-9]{5,10}",
        Kind::Lei => "[0-9A-Z]{18}[0-9]{2}",
        Kind::ImoShip | Kind::ImoCompany => "[0-9]{7}",
        Kind::Mmsi | Kind::Duns => "[0-9]{9}",
        Kind::Isin => "[A-Z]{2}[0-9A-Z]{9}[0-9]",
        Kind::AircraftTail | Kind::AircraftName => "[A-Z]{1,2}[0-9A-Z]{3,4}",
        Kind::AircraftMsn => "[0-9]{4,6}",
        Kind::AircraftModeS => "[0-9A-F]{6}",
        Kind::Phone => "\\+(1212555|442079|78122|9821|86108888)[0-9]{4,7}",
        Kind::Email => "[a-z][a-z0-9.]{0,12}@[a-z]{2,9}\\.example",
        Kind::Bic => "[A-Z]{4}(DE|RU|IR|CN)[A-Z0-9]{2}",
        Kind::Bik => "04[0-9]{7}",
        Kind::Iban => "(DE|GB|TR|AE)[0-9]{20}",
        Kind::Wallet => "0x[0-9a-f]{40}",
        Kind::Vat => "(DE[1-9][0-9]{8}|PL[0-9]{10}|CY[0-9]{8}[A-Z]|ATU[0-9]{8}|RO[1-9][0-9]{5,9})",
        Kind::Eori => "(DE|FR|PL)[0-9]{8,15}",
        Kind::CallSign => "[A-Z]{2,4}[0-9]{1,4}",
        Kind::Domain => "[a-z][a-z0-9]{1,9}\\.[a-z]{2,6}",
        Kind::Url => "https://[a-z]{2,9}\\.example/[a-z0-9]{0,9}",
        Kind::Ip => "(203\\.0\\.113\\.[1-9]|198\\.51\\.[1-9][0-9]\\.7|2001:db8::[1-9a-f]{1,4})",
        Kind::Imei => "[0-9]{15}",
        Kind::Imsi => "[2-7][0-9]{14}",
        Kind::Container => "[A-Z]{3}[UJZ][0-9]{7}",
        Kind::Seal => "[A-Z]{0,4}[0-9]{4,9}",
        Kind::AirWaybill => "[0-9]{11}",
        Kind::BillOfLading => "[A-Z]{4}[0-9]{5,12}",
        Kind::Mrn => "[0-9]{2}(DE|FR|NL)[0-9A-Z]{13}[0-9]",
        Kind::Vin => "[A-HJ-NPR-Z0-9]{13}[0-9]{4}",
        Kind::Plate => "[A-Z]{1,3}[0-9]{2,6}",
        Kind::SerialNumber => "([A-Z]{1,3}[0-9]{1,4}\\|)?[A-Z]{0,3}[0-9]{4,10}",
        Kind::RadioactiveSource => "([A-Z]{2}[0-9]\\|)?[0-9]{4,10}\\|(CS137|CO60|AM241BE)",
        Kind::ExportLicence | Kind::DenialReference => "[A-Z]{0,3}[0-9]{4,12}",
        Kind::PersonNameBirthDate
        | Kind::PersonName
        | Kind::OrganisationName
        | Kind::VesselName => return None,
    })
}

/// The issuer under which its texts are read.
fn issuer(kind: Kind) -> &'static str {
    match kind {
        Kind::AccountNumber => "COBADEFF",
        Kind::SerialNumber | Kind::RadioactiveSource | Kind::Seal => "Meridian Ltd",
        Kind::BillOfLading | Kind::Vat | Kind::Eori | Kind::Wallet | Kind::Phone => "",
        _ => "TUN",
    }
}

fn number_kinds() -> Vec<Kind> {
    Kind::ALL.iter().copied().filter(|kind| form(*kind).is_some()).collect()
}

fn texts(kind: Kind) -> BoxedStrategy<String> {
    proptest::string::string_regex(form(kind).unwrap()).unwrap().boxed()
}

fn one() -> impl Strategy<Value = (Kind, String)> {
    proptest::sample::select(number_kinds())
        .prop_flat_map(|kind| texts(kind).prop_map(move |text| (kind, text)))
}

fn two() -> impl Strategy<Value = (Kind, String, String)> {
    proptest::sample::select(number_kinds()).prop_flat_map(|kind| {
        (texts(kind), texts(kind)).prop_map(move |(one, other)| (kind, one, other))
    })
}

fn wide(text: &str) -> String {
    let wide = |c: char| match u32::from(c) {
        code @ 0x21..=0x7e => char::from_u32(code + 0xfee0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(wide).collect()
}

/// The same text as other hands would write it: what is free depends on the kind.
fn respelled(kind: Kind, text: &str, style: u8) -> String {
    // Names of the network have no separators; the case of a path and of Base58 counts.
    let network = matches!(kind, Kind::Email | Kind::Domain | Kind::Ip | Kind::Url);
    let between = |mark: char| -> String {
        let spaced = text.chars().flat_map(|c| [c, mark]);
        spaced.collect::<String>().trim_end_matches(mark).to_owned()
    };
    match style % 6 {
        0 if kind == Kind::Url => text.replacen("https", "HTTP", 1),
        0 if kind == Kind::Wallet => text.replacen("0x", "0X", 1),
        0 => text.to_lowercase(),
        1 if kind != Kind::Url && kind != Kind::Wallet => text.to_uppercase(),
        2 if !network => between(' '),
        3 if !network && kind != Kind::Wallet => between('-'),
        4 => wide(text),
        _ => format!("\u{feff} {text}\u{200f}\t"),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn spellings_of_one_meet((kind, text) in one(), style: u8) {
        let plain = parse(kind, &text, issuer(kind));
        let other = parse(kind, &respelled(kind, &text, style), issuer(kind));
        prop_assert_eq!(
            plain.as_ref().map(Canonical::keys), other.as_ref().map(Canonical::keys), "{}", kind
        );
        prop_assert_eq!(plain.map(|c| c.check()), other.map(|c| c.check()));
    }

    #[test]
    fn canonical_forms_are_fixed_points((kind, text) in one()) {
        if let Some(first) = parse(kind, &text, issuer(kind)) {
            let again = parse(kind, first.expose(), first.issuer().unwrap_or_default());
            let again = again.as_ref().map(|c| (c.expose(), c.keys()));
            prop_assert_eq!(Some((first.expose(), first.keys())), again, "{}", kind);
        }
    }

    #[test]
    fn two_numbers_of_a_kind_never_meet((kind, one, other) in two()) {
        let (Some(one), Some(other)) =
            (parse(kind, &one, issuer(kind)), parse(kind, &other, issuer(kind))) else {
            return Ok(());
        };
        if (one.expose(), one.issuer()) == (other.expose(), other.issuer()) {
            return Ok(());
        }
        for key in one.keys().iter().filter(|key| other.keys().contains(key)) {
            // What is meant to meet weakly: O and 0, one number of two issuers or models.
            prop_assert_eq!(key.strength(), Strength::Weak);
            let meant = match key.form() {
                KeyForm::LookAlike => true,
                KeyForm::WithoutIssuer | KeyForm::ShortWithoutIssuer => {
                    one.issuer() != other.issuer() || kind.class() == Class::Goods
                }
                KeyForm::SerialIsotope => true,
                _ => false,
            };
            prop_assert!(meant, "{} {:?}", kind, key);
        }
    }

    #[test]
    fn every_proposal_accepts_the_text(
        text in prop_oneof![
            any::<String>(), "\\PC{0,60}", "[A-Z0-9 /.|@:<+-]{0,40}", "[A-Z<0-9\n]{72,92}",
            one().prop_map(|(_, text)| text),
        ],
    ) {
        let proposals = Kind::detect(&text);
        prop_assert!(proposals.len() <= limits::PROPOSALS_MAX);
        for proposal in proposals {
            let issuer = proposal.issuer.unwrap_or_default();
            let accepted = parse(proposal.kind, &text, issuer);
            prop_assert!(accepted.is_some(), "{}: {}", proposal.kind, proposal.reason);
            prop_assert!(text.len() < 8 || !proposal.reason.contains(&text));
        }
    }

    #[test]
    fn a_text_of_a_kind_is_proposed_as_it((kind, text) in one()) {
        let weakly = [
            Kind::Seal, Kind::AircraftMsn, Kind::ExportLicence, Kind::DenialReference, Kind::Eori,
            Kind::AccountNumber, Kind::BillOfLading, Kind::AircraftName, Kind::AircraftTail,
            Kind::TravelDocument, Kind::Visa, Kind::Plate, Kind::CallSign, Kind::NationalId,
            Kind::TaxId, Kind::CompanyRegistration, Kind::OtherId, Kind::Duns, Kind::Passport,
        ];
        let bare = kind == Kind::SerialNumber && !text.contains('|');
        if bare || weakly.contains(&kind) {
            return Ok(());
        }
        if parse(kind, &text, "").is_none_or(|c| c.check() == Check::Invalid) {
            return Ok(());
        }
        let found = Kind::detect(&text).iter().any(|proposal| proposal.kind == kind);
        prop_assert!(found, "{} {:?}", kind, Kind::detect(&text));
    }

    #[test]
    fn composed_zones_are_read(
        format in 0..5_usize, number in "[A-Z0-9]{5,9}", long in "[A-Z0-9]{0,4}",
        name in "[A-Z]{1,9}<[A-Z]{1,5}<<[A-Z]{1,6}", year in 0..100_u8, month in 1..13_u8,
        day in 1..29_u8, wrong in 0..9_usize,
    ) {
        let long = if format < 2 && number.len() == 9 { long } else { String::new() };
        let birth = format!("{year:02}{month:02}{day:02}");
        let zone = compose(format, &number, &long, &name, &birth);
        let read = Mrz::parse(&zone).unwrap();
        prop_assert_eq!(read.format(), FORMATS[format]);
        prop_assert_eq!(read.expose_number(), format!("{number}{long}"));
        prop_assert_eq!(read.issuer(), Country::parse("UTO").ok());
        prop_assert!(read.checks().iter().all(|(_, check)| *check != Check::Invalid), "{}", zone);
        let born = read.birth_date(2026).unwrap();
        prop_assert!((1927..=2026).contains(&born.year()));
        prop_assert_eq!(
            (born.month(), born.day(), born.year() % 100), (Some(month), Some(day), year.into())
        );
        // One run, lower case, full width: the same zone.
        for other in [zone.replace('\n', ""), zone.to_lowercase(), wide(&zone)] {
            let other = Mrz::parse(&other).unwrap();
            prop_assert_eq!(other.expose_number(), read.expose_number());
        }
        let wrong = wrong % number.len();
        let start = if format == 0 { 5 } else { zone.find('\n').unwrap() + 1 };
        let mut changed = zone.clone().into_bytes();
        // A value that differs by 1 is caught by each of the weights 7, 3 and 1.
        changed[start + wrong] = match changed[start + wrong] {
            b'9' => b'8', b'Z' => b'Y', other => other + 1,
        };
        let changed = Mrz::parse(std::str::from_utf8(&changed).unwrap()).unwrap();
        prop_assert!(changed.checks().contains(&(MrzField::Number, Check::Invalid)));
        let shown = format!("{:?}", changed);
        prop_assert!(!shown.contains(&number));
    }

    #[test]
    fn any_text_is_answered(text in any::<String>(), year: u16) {
        if let Ok(zone) = Mrz::parse(&text) {
            let _ = (zone.birth_date(year), zone.expiry_date(year), zone.identifiers(year));
        }
    }
}

const FORMATS: [MrzFormat; 5] =
    [MrzFormat::Td1, MrzFormat::Td2, MrzFormat::Td3, MrzFormat::MrvA, MrzFormat::MrvB];

/// Doc 9303-3 §4.9, from the text of the standard and not by the crate's own code.
fn digit(field: &str) -> char {
    let value = |c: char| if c == '<' { 0 } else { c.to_digit(36).unwrap() };
    let sum: u32 =
        field.chars().zip([7, 3, 1].into_iter().cycle()).map(|(c, w)| value(c) * w).sum();
    char::from_digit(sum % 10, 10).unwrap()
}

fn compose(format: usize, number: &str, long: &str, name: &str, birth: &str) -> String {
    let field = format!("{number:<<9}");
    let (check, more) = if long.is_empty() {
        (digit(&field), String::new())
    } else {
        ('<', format!("{long}{}", digit(&format!("{field}{long}"))))
    };
    let dates = format!("{birth}{}F301231{}", digit(birth), digit("301231"));
    let (birth_part, expiry_part) = (&dates[..7], &dates[8..]);
    match format {
        0 => {
            let first = format!("{:<<30}", format!("I<UTO{field}{check}{more}"));
            let second = format!("{dates}UTO<<<<<<<<<<<");
            let all = format!("{}{birth_part}{expiry_part}<<<<<<<<<<<", &first[5..]);
            format!("{first}\n{second}{}\n{name:<<30}", digit(&all))
        }
        1 => {
            let second = format!("{field}{check}UTO{dates}{more:<<7}");
            let all = format!("{field}{check}{birth_part}{expiry_part}{more:<<7}");
            format!("{:<<36}\n{second}{}", format!("I<UTO{name}"), digit(&all))
        }
        2 => {
            let second = format!("{field}{check}UTO{dates}<<<<<<<<<<<<<<0");
            let all = format!("{field}{check}{birth_part}{expiry_part}<<<<<<<<<<<<<<0");
            format!("{:<<44}\n{second}{}", format!("P<UTO{name}"), digit(&all))
        }
        3 => {
            format!("{:<<44}\n{:<<44}", format!("V<UTO{name}"), format!("{field}{check}UTO{dates}"))
        }
        _ => {
            format!("{:<<36}\n{:<<36}", format!("V<UTO{name}"), format!("{field}{check}UTO{dates}"))
        }
    }
}

/// The specimens of Doc 9303 parts 4 to 7, field by field.
#[test]
fn specimens_are_read() {
    let zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let read = Mrz::parse(zone).unwrap();
    assert_eq!((read.format(), read.code(), read.kind()), (MrzFormat::Td3, "P", Kind::Passport));
    assert_eq!(
        (read.expose_primary_name(), read.expose_secondary_name()),
        ("ERIKSSON", "ANNA MARIA")
    );
    assert_eq!(read.expose_optional(), "ZE184226B");
    assert_eq!(read.sex(), Some('F'));
    assert!(read.checks().iter().all(|(_, check)| *check == Check::Valid));
    assert_eq!(read.birth_date(2026).unwrap().to_string(), "1974-08-12");
    assert_eq!(read.expiry_date(2026).unwrap().to_string(), "2012-04-15");
    let found = read.identifiers(2026);
    let kinds: Vec<Kind> = found.iter().map(symbolon_ident::MrzIdentifier::kind).collect();
    assert_eq!(kinds, [Kind::Passport, Kind::PersonNameBirthDate, Kind::NationalId]);
    for identifier in &found {
        let canonical = identifier.parse().unwrap();
        assert_eq!(canonical.kind(), identifier.kind());
        assert!(!format!("{identifier:?}").contains(identifier.expose()));
    }
    // Each check digit is reported by itself.
    let wrong = zone.replace("7408122", "7408123");
    let failed: Vec<MrzField> = Mrz::parse(&wrong)
        .unwrap()
        .checks()
        .iter()
        .filter(|(_, check)| *check == Check::Invalid)
        .map(|(field, _)| *field)
        .collect();
    assert_eq!(failed, [MrzField::Birth, MrzField::Composite]);
    // A long number continues in the optional data (Doc 9303-5, Belgian card).
    let card = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<";
    let read = Mrz::parse(card).unwrap();
    assert_eq!((read.expose_number(), read.kind()), ("D23145890734", Kind::TravelDocument));
    assert_eq!(read.checks()[0], (MrzField::Number, Check::Valid));
    // Nothing but the year of birth is known.
    let partly = zone.replace("7408122", "74<<<<8");
    assert_eq!(Mrz::parse(&partly).unwrap().birth_date(2026).unwrap().to_string(), "1974");
    for text in ["", "P<UTO", "not a zone", &"A".repeat(88), &"<".repeat(3000)] {
        assert!(Mrz::parse(text).is_err());
    }
}
