//! Decoders of text that people write: identifiers, dates, countries, mappings, tables, policies.

/// Identifiers of every kind, countries and partial dates.
pub mod ident {
    use symbolon_ident::{Canonical, Country, Input, Kind, PartialDate};

    /// The first byte chooses the kind; lines are value, issuer and date.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let Ok(text) = std::str::from_utf8(rest) else { return };
        let kind = Kind::ALL[first % Kind::ALL.len()];
        let mut lines = text.split('\n');
        let input = Input {
            text: lines.next().unwrap_or_default(),
            issuer: lines.next(),
            date: lines.next(),
        };
        if let Ok(found) = Canonical::parse(kind, input) {
            assert!((1..=symbolon_ident::limits::KEYS_MAX).contains(&found.keys().len()));
            assert!(found.keys().iter().all(|key| key.as_bytes().len() <= 256));
            let _ = (found.check(), found.strength(), found.issuer(), found.expose());
        }
        if let Ok(country) = Country::parse(text) {
            assert_eq!(Country::parse(country.as_str()).unwrap(), country);
        }
        if let Ok(date) = PartialDate::parse(text) {
            assert_eq!(PartialDate::parse(&date.to_string()).unwrap(), date);
        }
    }
}

/// Names of people, organisations and vessels.
pub mod names {
    use symbolon_ident::{Canonical, IdentError, Input, Kind, limits};

    const KINDS: [Kind; 4] =
        [Kind::PersonName, Kind::OrganisationName, Kind::VesselName, Kind::PersonNameBirthDate];

    /// The first byte chooses the kind; the rest is the name. What it becomes is a fixed point, and
    /// separators never count.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let Ok(text) = std::str::from_utf8(rest) else { return };
        let kind = KINDS[first % KINDS.len()];
        let parse = |text: &str| {
            let input = Input { text, issuer: Some("UA"), date: Some("1957-03-02") };
            Canonical::parse(kind, input)
        };
        let Ok(found) = parse(text) else { return };
        assert!((1..=limits::KEYS_MAX).contains(&found.keys().len()));
        assert!(found.keys().iter().all(|key| key.as_bytes().len() <= limits::KEY_BYTES_MAX));
        let words = found.expose().split('|').next().unwrap_or_default();
        match parse(words) {
            Ok(again) => assert_eq!(found.expose(), again.expose()),
            // A name can become a word that stands for no name, or longer than any is.
            Err(error) => assert!(matches!(error, IdentError::Placeholder | IdentError::TooLong)),
        }
        if kind != Kind::PersonNameBirthDate {
            let spaced = words.replace(' ', " \u{2014} ");
            if let Ok(spaced) = parse(&spaced) {
                assert_eq!(found.expose(), spaced.expose());
            }
        }
    }
}

/// Machine-readable zones of travel documents.
pub mod mrz {
    use symbolon_ident::{Canonical, Kind, Mrz};

    /// The first byte chooses the year that two digits are read from; the rest is the zone.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let Ok(text) = std::str::from_utf8(rest) else { return };
        let year = 1900 + u16::try_from(first).unwrap();
        if let Ok(zone) = Mrz::parse(text) {
            assert_eq!(zone.checks().len(), 5);
            assert!(zone.birth_date(year).is_none_or(|date| date.year() <= year));
            for identifier in zone.identifiers(year) {
                let _ = identifier.parse();
            }
        }
        for kind in [Kind::Passport, Kind::TravelDocument, Kind::Visa] {
            if let Ok(found) = Canonical::parse(kind, text) {
                assert!(!found.keys().is_empty());
            }
        }
        for proposal in Kind::detect(text) {
            assert!(!proposal.reason.is_empty());
        }
    }
}

/// Addresses on public ledgers.
pub mod wallet {
    use symbolon_ident::{Canonical, Input, Kind};

    /// Lines are address and network.
    pub fn run(bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let (text, network) = text.split_once('\n').unwrap_or((text, ""));
        let input = Input { text, issuer: Some(network), date: None };
        if let Ok(found) = Canonical::parse(Kind::Wallet, input) {
            let again = Input { text: found.expose(), ..input };
            let again = Canonical::parse(Kind::Wallet, again).unwrap();
            assert_eq!((again.expose(), again.keys()), (found.expose(), found.keys()));
        }
    }
}

/// Mapping files, and tables under two fixed mappings.
pub mod import {
    use std::sync::LazyLock;
    use symbolon_interop::{Groups, Mapping};

    static CSV: LazyLock<Mapping> = LazyLock::new(|| mapping("csv"));
    static JSON_LINES: LazyLock<Mapping> = LazyLock::new(|| mapping("json_lines"));

    fn mapping(format: &str) -> Mapping {
        let text = include_str!("../../../node/demo/cases.toml");
        Mapping::parse(&text.replace("\"csv\"", &format!("\"{format}\""))).unwrap()
    }

    /// The first byte chooses: a mapping, a CSV file or a JSON Lines file.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let mapping = match first % 3 {
            0 => {
                let Ok(text) = std::str::from_utf8(rest) else { return };
                let _ = Mapping::parse(text);
                return;
            }
            1 => &*CSV,
            _ => &*JSON_LINES,
        };
        let Ok(mut groups) = Groups::open(rest, mapping) else { return };
        let columns = groups.columns();
        while let Ok(Some(group)) = groups.read() {
            let _ = mapping.assemble(&columns, group, [1; 32], crate::sample::NOW);
        }
    }
}

/// Policy files.
pub mod policy {
    use symbolon_policy::PolicySet;

    /// The whole input is the file.
    pub fn run(bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let found = PolicySet::check(text);
        assert_eq!(PolicySet::parse(text).is_ok(), found.is_empty());
    }
}
