//! Which national schemes a number may belong to, by country, kind and shape.
//!
//! Implements spec/identifiers.md#schemes.
//!
//! A scheme answers `None` when the number has not its shape, else whether its check holds.
//! A number fails only when it has the shape of one of its country's schemes and the check of none.

use crate::Kind;
use crate::scheme_americas as americas;
use crate::scheme_asia as asia;
use crate::scheme_europe as europe;

/// What a scheme says about a number.
pub(crate) struct Finding {
    /// The scheme.
    pub(crate) rule: &'static str,
    /// Whether its check holds.
    pub(crate) holds: bool,
    /// Whether its numbers are strong alone: INN, OGRN and USCC name one legal person.
    pub(crate) alone: bool,
}

/// Shape and check of one scheme: `None` if the number has not its shape.
struct Scheme(&'static str, u8, fn(&[u8]) -> Option<bool>);

/// The scheme numbers people.
const PERSON: u8 = 1;
/// The scheme numbers tax payers.
const TAX: u8 = 2;
/// The scheme numbers companies.
const COMPANY: u8 = 4;

/// The finding of the country's schemes for this kind. Without a country, and for a number of
/// unknown kind, only a check that holds says anything, and only of the schemes whose shape or two
/// check digits make an accident unlikely.
pub(crate) fn check(kind: Kind, country: Option<&str>, number: &str) -> Option<Finding> {
    let uses = match kind {
        Kind::NationalId => PERSON,
        Kind::TaxId => TAX,
        Kind::CompanyRegistration => COMPANY,
        Kind::OtherId => PERSON | TAX | COMPANY,
        _ => return None,
    };
    let bytes = number.as_bytes();
    let Some(country) = country else {
        return run(ANYWHERE, uses, bytes).filter(|finding| finding.holds);
    };
    let finding = run(schemes(country), uses, bytes)?;
    (finding.holds || kind != Kind::OtherId).then_some(finding)
}

fn run(schemes: &[Scheme], uses: u8, number: &[u8]) -> Option<Finding> {
    let mut failed = None;
    for Scheme(rule, scheme_uses, check) in schemes {
        if scheme_uses & uses == 0 {
            continue;
        }
        match check(number) {
            Some(true) => {
                return Some(Finding { rule, holds: true, alone: alone(rule) });
            }
            Some(false) => failed = Some(Finding { rule, holds: false, alone: false }),
            None => {}
        }
    }
    failed
}

fn alone(rule: &str) -> bool {
    matches!(rule, "INN 10" | "INN 12" | "OGRN" | "OGRNIP" | "USCC")
}

/// Schemes told by their shape or by two check digits.
const ANYWHERE: &[Scheme] = &[
    Scheme("INN 12", TAX | COMPANY, europe::inn_12),
    Scheme("OGRN", COMPANY, europe::ogrn),
    Scheme("CURP", PERSON, americas::curp),
    Scheme("USCC", TAX | COMPANY, asia::uscc),
    Scheme("China resident number", PERSON, asia::resident),
    Scheme("Belarus personal number", PERSON, europe::belarus_person),
    Scheme("codice fiscale", PERSON | TAX, europe::codice_fiscale),
];

#[rustfmt::skip]
fn schemes(country: &str) -> &'static [Scheme] {
    match country {
        "ARE" => &[Scheme("Emirates ID", PERSON, asia::emirates)],
        "ARG" => &[Scheme("CUIT", PERSON | TAX | COMPANY, americas::cuit)],
        "BEL" => &[Scheme("Belgian enterprise number", TAX | COMPANY, europe::belgian_enterprise)],
        "BGR" => &[Scheme("EIK", TAX | COMPANY, europe::eik), Scheme("EGN", PERSON, europe::egn)],
        "BIH" | "HRV" | "MKD" | "MNE" | "RKS" | "SVN" => &[Scheme("JMBG", PERSON, europe::jmbg)],
        "BLR" => &[Scheme("Belarus personal number", PERSON, europe::belarus_person),
                   Scheme("UNP", TAX | COMPANY, europe::unp)],
        "BRA" => &[Scheme("CPF", PERSON | TAX, americas::cpf),
                   Scheme("CNPJ", TAX | COMPANY, americas::cnpj)],
        "CHE" => &[Scheme("UID", TAX | COMPANY, europe::uid)],
        "CHL" => &[Scheme("RUT", PERSON | TAX | COMPANY, americas::rut)],
        "CHN" => &[Scheme("China resident number", PERSON, asia::resident),
                   Scheme("USCC", TAX | COMPANY, asia::uscc)],
        "COL" => &[Scheme("NIT", TAX, americas::nit_colombia)],
        "DEU" => &[Scheme("Steuer-ID", PERSON | TAX, europe::steuer_id)],
        "DOM" => &[Scheme("cédula", PERSON | TAX, americas::luhn_11),
                   Scheme("RNC", TAX | COMPANY, americas::rnc)],
        "ECU" => &[Scheme("cédula", PERSON | TAX, americas::ecuador)],
        "ESP" => &[Scheme("NIF", PERSON | TAX, europe::nif)],
        "EST" | "LTU" => &[Scheme("isikukood", PERSON, europe::isikukood)],
        "FIN" => &[Scheme("HETU", PERSON, europe::hetu)],
        "FRA" => &[Scheme("NIR", PERSON, europe::nir),
                   Scheme("SIREN", TAX | COMPANY, europe::siren),
                   Scheme("SIRET", TAX | COMPANY, europe::siret)],
        "GTM" => &[Scheme("NIT", TAX, americas::nit_guatemala)],
        "HKG" => &[Scheme("HKID", PERSON, asia::hkid)],
        "IND" => &[Scheme("Aadhaar", PERSON, asia::aadhaar)],
        "IRN" => &[Scheme("Iran national code", PERSON, asia::iran_person),
                   Scheme("Iran legal entity number", PERSON | TAX | COMPANY, asia::iran_company)],
        "ISR" => &[Scheme("teudat zehut", PERSON, asia::israel)],
        "ITA" => &[Scheme("codice fiscale", PERSON | TAX, europe::codice_fiscale),
                   Scheme("partita IVA", TAX | COMPANY, europe::partita_iva)],
        "KAZ" => &[Scheme("IIN/BIN", PERSON | TAX | COMPANY, asia::kazakhstan)],
        "KOR" => &[Scheme("RRN", PERSON, asia::korea)],
        "MEX" => &[Scheme("CURP", PERSON | TAX, americas::curp),
                   Scheme("RFC", TAX | PERSON, americas::rfc)],
        "NLD" => &[Scheme("BSN", PERSON | TAX, europe::bsn)],
        "NOR" => &[Scheme("fødselsnummer", PERSON, europe::norway)],
        "PER" => &[Scheme("RUC", TAX, americas::ruc_peru)],
        "POL" => &[Scheme("PESEL", PERSON | TAX, europe::pesel), Scheme("NIP", TAX, europe::nip)],
        "PRT" => &[Scheme("NIF", TAX | COMPANY, europe::nif_portugal)],
        "PRY" => &[Scheme("RUC", TAX, americas::ruc_paraguay)],
        "ROU" => &[Scheme("CNP", PERSON, europe::cnp)],
        "RUS" => &[Scheme("INN 10", TAX | COMPANY, europe::inn_10),
                   Scheme("INN 12", PERSON | TAX | COMPANY, europe::inn_12),
                   Scheme("OGRN", TAX | COMPANY, europe::ogrn),
                   Scheme("OGRNIP", TAX | COMPANY, europe::ogrnip)],
        "SRB" => &[Scheme("JMBG", PERSON, europe::jmbg), Scheme("PIB", TAX, europe::pib)],
        "SWE" => &[Scheme("personnummer", PERSON | TAX, europe::personnummer)],
        "THA" => &[Scheme("Thai citizen number", PERSON | TAX, asia::thailand)],
        "TUR" => &[Scheme("TCKN", PERSON | TAX, asia::tckn), Scheme("VKN", TAX, asia::vkn)],
        "TWN" => &[Scheme("Taiwan national number", PERSON, asia::taiwan)],
        "UKR" => &[Scheme("RNOKPP", PERSON | TAX, europe::rnokpp),
                   Scheme("EDRPOU", TAX | COMPANY, europe::edrpou)],
        "USA" => &[Scheme("SSN", PERSON, americas::ssn)],
        "VEN" => &[Scheme("RIF", TAX | COMPANY, americas::rif)],
        "ZAF" => &[Scheme("South African identity number", PERSON, americas::south_africa)],
        _ => &[],
    }
}
