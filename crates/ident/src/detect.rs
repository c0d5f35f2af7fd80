//! What a pasted text may be: kinds with reasons, most likely first; decides nothing.
//!
//! Implements spec/identifiers.md#detection.
//!
//! Invariant: every proposed kind accepts the text with the proposed issuer, and a text that two
//! kinds fit equally well yields both.

use crate::canonical::Input;
use crate::check_digit::alphanumeric;
use crate::key::Check;
use crate::limits::{PROPOSALS_MAX, TEXT_BYTES_MAX};
use crate::serial::is_company_word;
use crate::{Canonical, Country, Kind, Mrz, fold, national};

/// A kind that a text may be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The kind.
    pub kind: Kind,
    /// The issuer that the text itself states, as alpha-3 code.
    pub issuer: Option<&'static str>,
    /// Why, in words for a person; never any part of the text.
    pub reason: String,
}

impl Kind {
    /// Proposes kinds for a text as an officer pastes it, most likely first; none for a text that
    /// says nothing. The officer chooses: where two kinds fit, both are proposed.
    #[must_use]
    pub fn detect(text: &str) -> Vec<Proposal> {
        let mut found = Found { text: text.trim(), ranked: Vec::new() };
        if found.text.is_empty() || text.len() > TEXT_BYTES_MAX {
            return Vec::new();
        }
        if let Ok(zone) = Mrz::parse(text) {
            found.zone(&zone);
        } else {
            found.marked();
            found.checked();
            found.national();
            found.shaped();
            found.names();
        }
        found.finish()
    }
}

struct Found<'a> {
    text: &'a str,
    ranked: Vec<(u8, Proposal)>,
}

/// How a kind that has a check, or a form that few other texts have, is proposed.
struct Form {
    kind: Kind,
    /// What the text looks like.
    words: &'static str,
    /// Rank where the check holds, where there is none, and where it fails; 0 is no proposal.
    ranks: [u8; 3],
    /// Fewest and most letters and digits.
    length: (usize, usize),
}

const fn form(kind: Kind, words: &'static str, ranks: [u8; 3], length: (usize, usize)) -> Form {
    Form { kind, words, ranks, length }
}

/// Ranks follow how likely another text passes by accident: 1 in 97 for an IBAN, 1 in 10 for seven
/// digits of a ship.
#[rustfmt::skip]
const FORMS: [Form; 21] = [
    form(Kind::Email, "local part, @ and domain", [0, 97, 0], (3, 320)),
    form(Kind::Wallet, "an address on a public ledger", [96, 90, 0], (20, 128)),
    form(Kind::Iban, "country, check digits and account", [95, 0, 58], (14, 34)),
    form(Kind::Lei, "18 characters and two check digits", [94, 0, 40], (20, 20)),
    form(Kind::Container, "owner, category, serial number and check digit", [92, 80, 57], (10, 11)),
    form(Kind::Vin, "17 characters of a vehicle", [91, 72, 50], (17, 17)),
    form(Kind::Mrn, "year, country and customs number", [90, 0, 48], (18, 18)),
    form(Kind::Isin, "country, security and check digit", [89, 0, 30], (12, 12)),
    form(Kind::Ip, "an Internet address", [0, 93, 70], (4, 50)),
    form(Kind::Imei, "digits of a mobile telephone", [76, 28, 20], (14, 16)),
    form(Kind::ImoShip, "seven digits", [74, 0, 24], (7, 10)),
    form(Kind::AirWaybill, "an airline's three digits and eight more", [66, 0, 18], (11, 14)),
    form(Kind::ImoCompany, "seven digits", [64, 0, 16], (7, 10)),
    form(Kind::Mmsi, "nine digits", [62, 0, 0], (9, 13)),
    form(Kind::Bic, "bank, country and place", [61, 0, 0], (8, 11)),
    form(Kind::Bik, "nine digits of a Russian bank", [34, 0, 0], (9, 12)),
    form(Kind::Duns, "nine digits", [0, 26, 0], (9, 13)),
    form(Kind::Imsi, "15 digits of a mobile subscription", [0, 33, 0], (15, 19)),
    form(Kind::AircraftModeS, "six hexadecimal digits", [0, 27, 0], (6, 6)),
    form(Kind::Url, "a host, perhaps a path", [0, 58, 0], (4, 1024)),
    form(Kind::Domain, "labels with dots between", [0, 59, 0], (3, 253)),
];

/// Words in front of a number that name its kind, folded.
#[rustfmt::skip]
const LABELS: [(&str, Kind); 22] = [
    ("IMO", Kind::ImoShip), ("MMSI", Kind::Mmsi), ("IBAN", Kind::Iban), ("BIC", Kind::Bic),
    ("SWIFT", Kind::Bic), ("BIK", Kind::Bik), ("LEI", Kind::Lei), ("ISIN", Kind::Isin),
    ("DUNS", Kind::Duns), ("VIN", Kind::Vin), ("IMEI", Kind::Imei), ("IMSI", Kind::Imsi),
    ("VAT", Kind::Vat), ("EORI", Kind::Eori), ("AWB", Kind::AirWaybill), ("MRN", Kind::Mrn),
    ("MSN", Kind::AircraftMsn), ("PASSPORT", Kind::Passport), ("VISA", Kind::Visa),
    ("SEAL", Kind::Seal), ("INN", Kind::TaxId), ("OGRN", Kind::CompanyRegistration),
];

impl Found<'_> {
    fn add(&mut self, rank: u8, kind: Kind, issuer: Option<&'static str>, reason: String) {
        match self.ranked.iter_mut().find(|(_, known)| known.kind == kind && known.issuer == issuer)
        {
            Some(known) if known.0 < rank => *known = (rank, Proposal { kind, issuer, reason }),
            Some(_) => {}
            None => self.ranked.push((rank, Proposal { kind, issuer, reason })),
        }
    }

    fn finish(mut self) -> Vec<Proposal> {
        self.ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        self.ranked.truncate(PROPOSALS_MAX);
        self.ranked.into_iter().map(|(_, proposal)| proposal).collect()
    }

    fn zone(&mut self, zone: &Mrz) {
        let document = match zone.kind() {
            Kind::Passport => "a passport",
            Kind::Visa => "a visa",
            _ => "a travel card",
        };
        let issuer = zone.issuer().map(Country::as_str);
        let failed: Vec<&str> = zone
            .checks()
            .iter()
            .filter(|(_, check)| *check == Check::Invalid)
            .map(|(field, _)| field.as_str())
            .collect();
        let checks = if failed.is_empty() {
            "its check digits hold".to_owned()
        } else {
            format!("the check digit fails for: {}", failed.join(", "))
        };
        let reason = format!("the machine-readable zone of {document}; {checks}");
        if Canonical::parse(zone.kind(), self.text).is_ok() {
            self.add(100, zone.kind(), issuer, reason);
        }
    }

    /// Kinds that the text names itself.
    fn marked(&mut self) {
        let folded = fold::number(self.text);
        for (label, kind) in LABELS {
            let follows = folded.strip_prefix(label).is_some_and(|rest| !rest.is_empty());
            let Ok(canonical) = Canonical::parse(kind, self.text) else { continue };
            // "VINOGRADOV" names nothing: what follows must be a number.
            if follows && folded.bytes().any(|byte| byte.is_ascii_digit()) {
                let issuer = issuer_of(kind, &canonical);
                let (rank, said) = match canonical.check() {
                    Check::Valid => (99, ", and its check holds"),
                    Check::Invalid => (86, ", but its check fails"),
                    Check::NotCheckable => (87, ""),
                };
                self.add(rank, kind, issuer, format!("the text says {label}{said}"));
            }
        }
        if self.text.contains("://") && Canonical::parse(Kind::Url, self.text).is_ok() {
            self.add(97, Kind::Url, None, "a scheme and a host".to_owned());
        } else if self.text.contains('/') && Canonical::parse(Kind::Url, self.text).is_ok() {
            self.add(60, Kind::Url, None, "a host and a path".to_owned());
        }
        if let Ok(phone) = Canonical::parse(Kind::Phone, self.text) {
            let plus = self.text.starts_with(['+', '\u{ff0b}']) || self.text.starts_with("tel:");
            let digits = folded.bytes().filter(u8::is_ascii_digit).count();
            let plain = digits * 10 >= folded.len() * 8 && (6..=17).contains(&digits);
            match (phone.check(), plus) {
                (Check::Valid, true) => {
                    self.add(98, Kind::Phone, None, "+ and a number in a range in use".to_owned());
                }
                (Check::Valid, false) if plain => {
                    let reason =
                        "a number in a range in use, if the digits begin with a country code";
                    self.add(63, Kind::Phone, None, reason.to_owned());
                }
                (_, true) => {
                    let reason = "+ and digits, but in no range in use";
                    self.add(56, Kind::Phone, None, reason.to_owned());
                }
                _ if plain && digits <= 11 => {
                    let reason = "digits of a telephone number whose country is not stated";
                    self.add(25, Kind::Phone, None, reason.to_owned());
                }
                _ => {}
            }
        }
    }

    fn checked(&mut self) {
        let length = fold::number(self.text).chars().count();
        for Form { kind, words, ranks, length: (least, most) } in FORMS {
            if !(least..=most).contains(&length) {
                continue;
            }
            let Ok(canonical) = Canonical::parse(kind, self.text) else { continue };
            let rule = canonical.check_rule().unwrap_or("its check");
            let [holds, none, fails] = ranks;
            let (rank, reason) = match canonical.check() {
                Check::Valid => (holds, format!("{words}; {rule} holds")),
                Check::NotCheckable => (none, format!("{words}; nothing to check")),
                Check::Invalid => (fails, format!("{words}, but {rule} fails")),
            };
            if rank > 0 {
                self.add(rank, kind, issuer_of(kind, &canonical), reason);
            }
        }
    }

    /// National numbers that their shape or two check digits tell, and VAT numbers by prefix.
    fn national(&mut self) {
        let folded = fold::number(self.text);
        for (kind, country, rule) in national::told(&folded) {
            let input = Input { text: self.text, issuer: Some(country), date: None };
            if Canonical::parse(kind, input).is_ok() {
                self.add(82, kind, Some(country), format!("{rule} of {country}; its check holds"));
            }
        }
        if let Ok(vat) = Canonical::parse(Kind::Vat, self.text)
            && let Some(country) = issuer_of(Kind::Vat, &vat)
        {
            let (rank, said) = match vat.check() {
                Check::Valid => (84, "its check holds"),
                _ => (38, "but its check fails"),
            };
            let reason = format!("the VAT prefix and form of {country}; {said}");
            self.add(rank, Kind::Vat, Some(country), reason);
        }
    }

    /// Kinds that have no check and a form that many texts have.
    fn shaped(&mut self) {
        let folded = fold::number(self.text);
        let digits = folded.bytes().filter(u8::is_ascii_digit).count();
        let letters = folded.bytes().filter(u8::is_ascii_uppercase).count();
        let plain = folded.bytes().all(|byte| alphanumeric(byte).is_some());
        let count = folded.chars().count();
        let mut propose = |rank, kind, reason: &str| {
            if Canonical::parse(kind, self.text).is_ok() {
                self.ranked
                    .push((rank, Proposal { kind, issuer: None, reason: reason.to_owned() }));
            }
        };
        if self.text.contains('|') && digits > 0 && count <= 80 {
            propose(52, Kind::SerialNumber, "parts with | between: model and serial number");
            propose(51, Kind::RadioactiveSource, "parts with | between: model, serial, isotope");
        }
        if !plain || digits == 0 {
            return;
        }
        if (6..=10).contains(&count) && digits >= 5 && letters <= 3 {
            propose(44, Kind::Passport, "letters and digits as in passport numbers");
        }
        if count == 17 + 3 && letters == 0 {
            propose(42, Kind::AccountNumber, "twenty digits, as accounts of Russian banks have");
        }
        if (4..=7).contains(&count) && (2..=5).contains(&letters) && self.text.contains('-') {
            propose(41, Kind::AircraftTail, "letters and digits as in aircraft marks");
        }
        if (5..=9).contains(&count) && digits >= 2 && letters >= 2 {
            propose(31, Kind::Plate, "letters and digits as on number plates");
        }
        if (3..=7).contains(&count) && letters >= 2 {
            propose(22, Kind::CallSign, "letters and digits as in call signs");
        }
        if count >= 6 {
            propose(32, Kind::NationalId, "a number that a state may have given a person");
            propose(29, Kind::TaxId, "a number that a tax office may have given");
            propose(28, Kind::CompanyRegistration, "a number that a register may have given");
        }
        if count >= 4 {
            propose(13, Kind::SerialNumber, "a number that a maker may have given");
            propose(12, Kind::OtherId, "a number of some paper");
        }
    }

    fn names(&mut self) {
        let (name, date) = self.text.rsplit_once('|').unwrap_or((self.text, ""));
        let words = name.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
        let count = words.count();
        let digits = name.chars().filter(|c| c.is_numeric()).count();
        let mut propose = |rank, kind, reason: &str| {
            if Canonical::parse(kind, self.text).is_ok() {
                self.ranked
                    .push((rank, Proposal { kind, issuer: None, reason: reason.to_owned() }));
            }
        };
        if !date.is_empty() && count > 0 {
            propose(88, Kind::PersonNameBirthDate, "words, | and a date");
            return;
        }
        if count == 0 || digits > name.chars().count() / 3 || name.contains(['@', '/', '<']) {
            return;
        }
        let person = if count >= 2 && digits == 0 { 49 } else { 10 };
        propose(person, Kind::PersonName, "words, as in a person's name");
        if name.split_whitespace().any(is_company_word) {
            let reason = "words, one of which says that it is a company";
            propose(person + 1, Kind::OrganisationName, reason);
        } else {
            propose(person - 2, Kind::OrganisationName, "words, as in an organisation's name");
        }
        propose(person - 4, Kind::VesselName, "words, as in a vessel's name");
    }
}

/// The country that a number states.
fn issuer_of(kind: Kind, canonical: &Canonical) -> Option<&'static str> {
    let text = match kind {
        Kind::Iban | Kind::Isin => canonical.expose().get(..2)?,
        Kind::Bic => canonical.expose().get(4..6)?,
        Kind::Mrn => canonical.expose().get(2..4)?,
        Kind::Wallet | Kind::Phone | Kind::BillOfLading => return None,
        _ => canonical.issuer()?,
    };
    Country::parse(text).ok().map(Country::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        Kind::detect(text).iter().map(|proposal| proposal.kind).collect()
    }

    #[test]
    fn what_an_officer_pastes_is_proposed_first() {
        let zone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
                    L898902C36UTO7408122F1204159ZE184226B<<<<<10";
        let cases = [
            (zone, Kind::Passport),
            ("+44 20 7946 0958", Kind::Phone),
            ("tel:+44-20-7946-0958", Kind::Phone),
            ("GB82 WEST 1234 5698 7654 32", Kind::Iban),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Kind::Wallet),
            ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Kind::Wallet),
            ("IMO 9074729", Kind::ImoShip),
            ("9074729", Kind::ImoShip),
            ("5493001KJTIIGC8Y1R12", Kind::Lei),
            ("CSQU3054383", Kind::Container),
            ("1M8GDM9AXKP042788", Kind::Vin),
            ("490154203237518", Kind::Imei),
            ("desk@example.org", Kind::Email),
            ("hxxps://example[.]org/a", Kind::Url),
            ("example.org", Kind::Domain),
            ("192.0.2.7", Kind::Ip),
            ("DE136695976", Kind::Vat),
            ("DEUTDEFF500", Kind::Bic),
            ("Milos Tavrenko|1971-02-14", Kind::PersonNameBirthDate),
            ("Milos Tavrenko", Kind::PersonName),
            ("Meridian Turbines Ltd.", Kind::OrganisationName),
        ];
        for (text, expect) in cases {
            assert_eq!(kinds(text).first(), Some(&expect), "{text}: {:?}", Kind::detect(text));
        }
    }

    #[test]
    fn what_fits_two_kinds_is_proposed_as_both() {
        // A ship's number holds for ships; the same seven digits may be a company's.
        for kind in [Kind::ImoShip, Kind::NationalId, Kind::Passport] {
            assert!(kinds("9074729").contains(&kind), "{kind}");
        }
        assert!(kinds("2594007XIACKNMUAW223").contains(&Kind::Lei));
        // A slip of the pen is still an IBAN, and says so.
        let slip = Kind::detect("GB82 WEST 1234 5698 7654 33");
        let iban = slip.iter().find(|proposal| proposal.kind == Kind::Iban).unwrap();
        assert!(iban.reason.contains("fails"), "{}", iban.reason);
        assert_eq!(iban.issuer, Some("GBR"));
    }

    #[test]
    fn nothing_is_proposed_for_nothing() {
        for text in ["", " ", "N/A", "unknown", "00000000", "---"] {
            assert_eq!(Kind::detect(text), [], "{text}");
        }
        assert!(Kind::detect(&"A1".repeat(2000)).is_empty());
    }
}
