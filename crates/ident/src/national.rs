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
use crate::scheme_vat as vat;

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

/// The kind and country of each scheme told by its shape or by two check digits that holds for the
/// number, with the scheme's name.
pub(crate) fn told(number: &str) -> impl Iterator<Item = (Kind, &'static str, &'static str)> {
    ANYWHERE.iter().filter_map(move |Scheme(rule, uses, check)| {
        if check(number.as_bytes()) != Some(true) {
            return None;
        }
        let kind = match *uses {
            uses if uses & PERSON != 0 => Kind::NationalId,
            uses if uses & TAX != 0 => Kind::TaxId,
            _ => Kind::CompanyRegistration,
        };
        let country = match *rule {
            "CURP" => "MEX",
            "USCC" | "China resident number" => "CHN",
            "Belarus personal number" => "BLR",
            "codice fiscale" => "ITA",
            _ => "RUS",
        };
        Some((kind, country, *rule))
    })
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
        "AUT" => &[Scheme("UID", TAX, vat::austria),
                   Scheme("Austrian insurance number", PERSON, vat::austria_person)],
        "BEL" => &[Scheme("Belgian enterprise number", TAX | COMPANY, europe::belgian_enterprise),
                   Scheme("Belgian national number", PERSON | TAX, europe::belgian_person)],
        "BGR" => &[Scheme("EIK", TAX | COMPANY, europe::eik), Scheme("EGN", PERSON, europe::egn),
                   Scheme("Bulgarian tax number", TAX, vat::bulgaria)],
        "BIH" | "MKD" | "MNE" | "RKS" => &[Scheme("JMBG", PERSON, europe::jmbg)],
        "BLR" => &[Scheme("Belarus personal number", PERSON, europe::belarus_person),
                   Scheme("UNP", TAX | COMPANY, europe::unp)],
        "BRA" => &[Scheme("CPF", PERSON | TAX, americas::cpf),
                   Scheme("CNPJ", TAX | COMPANY, americas::cnpj)],
        "CHE" => &[Scheme("UID", TAX | COMPANY, europe::uid)],
        "CHL" => &[Scheme("RUT", PERSON | TAX | COMPANY, americas::rut)],
        "CHN" => &[Scheme("China resident number", PERSON, asia::resident),
                   Scheme("USCC", TAX | COMPANY, asia::uscc)],
        "COL" => &[Scheme("NIT", TAX, americas::nit_colombia)],
        "CUB" => &[Scheme("Cuban identity number", PERSON, vat::cuba)],
        "CYP" => &[Scheme("Cypriot tax number", TAX, vat::cyprus)],
        "CZE" => &[Scheme("rodné číslo", PERSON | TAX, vat::birth_number),
                   Scheme("IČO", TAX | COMPANY, vat::czechia)],
        "DEU" => &[Scheme("Steuer-ID", PERSON | TAX, europe::steuer_id),
                   Scheme("USt-IdNr", TAX, vat::germany)],
        "DNK" => &[Scheme("CVR", TAX | COMPANY, vat::denmark)],
        "DOM" => &[Scheme("cédula", PERSON | TAX, americas::luhn_11),
                   Scheme("RNC", TAX | COMPANY, americas::rnc)],
        "ECU" => &[Scheme("cédula", PERSON | TAX, americas::ecuador)],
        "ESP" => &[Scheme("NIF", PERSON | TAX, europe::nif), Scheme("CIF", TAX | COMPANY, vat::cif)],
        "EST" => &[Scheme("isikukood", PERSON | TAX, europe::isikukood),
                   Scheme("KMKR", TAX, vat::estonia)],
        "FIN" => &[Scheme("HETU", PERSON, europe::hetu),
                   Scheme("Y-tunnus", TAX | COMPANY, vat::finland)],
        "FRA" => &[Scheme("NIR", PERSON, europe::nir),
                   Scheme("SIREN", TAX | COMPANY, europe::siren),
                   Scheme("SIRET", TAX | COMPANY, europe::siret),
                   Scheme("French VAT number", TAX, vat::france)],
        "GBR" => &[Scheme("British VAT number", TAX, vat::britain)],
        "GRC" => &[Scheme("AFM", PERSON | TAX | COMPANY, vat::greece),
                   Scheme("AMKA", PERSON, vat::amka)],
        "GTM" => &[Scheme("NIT", TAX, americas::nit_guatemala)],
        "HKG" => &[Scheme("HKID", PERSON, asia::hkid)],
        "HRV" => &[Scheme("OIB", PERSON | TAX | COMPANY, vat::croatia),
                   Scheme("JMBG", PERSON, europe::jmbg)],
        "HUN" => &[Scheme("adószám", TAX, vat::hungary),
                   Scheme("adóazonosító jel", PERSON | TAX, vat::hungary_person)],
        "IND" => &[Scheme("Aadhaar", PERSON, asia::aadhaar)],
        "IRL" => &[Scheme("PPS or VAT number", PERSON | TAX, vat::ireland)],
        "IRN" => &[Scheme("Iran national code", PERSON, asia::iran_person),
                   Scheme("Iran legal entity number", PERSON | TAX | COMPANY, asia::iran_company)],
        "ISR" => &[Scheme("teudat zehut", PERSON, asia::israel)],
        "ITA" => &[Scheme("codice fiscale", PERSON | TAX, europe::codice_fiscale),
                   Scheme("partita IVA", TAX | COMPANY, europe::partita_iva)],
        "KAZ" => &[Scheme("IIN/BIN", PERSON | TAX | COMPANY, asia::kazakhstan)],
        "KOR" => &[Scheme("RRN", PERSON, asia::korea),
                   Scheme("business registration number", TAX | COMPANY, vat::korea_business),
                   Scheme("corporation registration number", COMPANY, vat::korea_corporation)],
        "LTU" => &[Scheme("asmens kodas", PERSON, europe::isikukood),
                   Scheme("Lithuanian VAT number", TAX, vat::lithuania),
                   Scheme("Lithuanian company code", TAX | COMPANY, vat::lithuania_company)],
        "LUX" => &[Scheme("Luxembourg VAT number", TAX, vat::luxembourg),
                   Scheme("matricule", PERSON, vat::luxembourg_person)],
        "LVA" => &[Scheme("Latvian number", PERSON | TAX | COMPANY, vat::latvia)],
        "MEX" => &[Scheme("CURP", PERSON | TAX, americas::curp),
                   Scheme("RFC", TAX | PERSON, americas::rfc)],
        "MLT" => &[Scheme("Maltese VAT number", TAX, vat::malta)],
        "NLD" => &[Scheme("BSN", PERSON | TAX, europe::bsn),
                   Scheme("btw-id", TAX, vat::netherlands)],
        "NOR" => &[Scheme("fødselsnummer", PERSON, europe::norway),
                   Scheme("organisasjonsnummer", TAX | COMPANY, vat::norway_organisation)],
        "PER" => &[Scheme("RUC", TAX, americas::ruc_peru)],
        "POL" => &[Scheme("PESEL", PERSON | TAX, europe::pesel), Scheme("NIP", TAX, europe::nip),
                   Scheme("REGON", TAX | COMPANY, vat::regon)],
        "PRT" => &[Scheme("NIF", TAX | COMPANY, europe::nif_portugal)],
        "PRY" => &[Scheme("RUC", TAX, americas::ruc_paraguay)],
        "ROU" => &[Scheme("CNP", PERSON | TAX, europe::cnp),
                   Scheme("CUI", TAX | COMPANY, vat::romania)],
        "RUS" => &[Scheme("INN 10", TAX | COMPANY, europe::inn_10),
                   Scheme("INN 12", PERSON | TAX | COMPANY, europe::inn_12),
                   Scheme("OGRN", TAX | COMPANY, europe::ogrn),
                   Scheme("OGRNIP", TAX | COMPANY, europe::ogrnip),
                   Scheme("SNILS", PERSON, vat::snils)],
        "SRB" => &[Scheme("JMBG", PERSON, europe::jmbg), Scheme("PIB", TAX, europe::pib)],
        "SVK" => &[Scheme("rodné číslo", PERSON, vat::birth_number),
                   Scheme("IČ DPH", TAX, vat::slovakia)],
        "SVN" => &[Scheme("EMŠO", PERSON, europe::jmbg), Scheme("davčna številka", TAX, vat::slovenia)],
        "SWE" => &[Scheme("personnummer", PERSON | TAX | COMPANY, europe::personnummer),
                   Scheme("Swedish VAT number", TAX, vat::sweden)],
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
