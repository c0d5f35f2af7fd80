//! Serial numbers of things, alone or of a radioactive source; the maker is the issuer.
//!
//! Implements spec/identifiers.md#serial-numbers.

use crate::canonical::{Draft, Input};
use crate::document::without_issuer;
use crate::key::{Check, KeyForm, MatchKey, Strength};
use crate::limits::{NUMBER_CHARS_MAX, SHORT_NUMBER_WITHOUT_ISSUER_CHARS_MIN};
use crate::{Canonical, IdentError, Kind, fold, placeholder};

/// The bar between parts, and its full-width form.
const BARS: [char; 2] = ['|', '｜'];

/// `model|serial`, or the serial number alone (MIL-STD-130: maker, part number, serial number).
pub(crate) fn serial_number(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::SerialNumber;
    let parts: Vec<&str> = input.text.split(BARS).collect();
    let (model, serial) = match parts.as_slice() {
        [serial] => (String::new(), *serial),
        [model, serial] => (fold::number(model), *serial),
        _ => return Err(IdentError::NotThisKind { kind, rule: "a model and a serial number" }),
    };
    numbered(kind, input, &model, serial, "")
}

/// `model|serial|isotope`, in which model and isotope may be missing.
pub(crate) fn radioactive_source(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::RadioactiveSource;
    let rule = "a model, a serial number and an isotope";
    let mut parts: Vec<&str> = input.text.split(BARS).collect();
    let mut nuclide = None;
    if parts.len() > 1
        && let Some(last) = parts.last()
    {
        nuclide = isotope(last);
        if nuclide.is_some() || parts.len() > 2 {
            parts.pop();
        }
    }
    let (model, serial) = match parts.as_slice() {
        [serial] => (String::new(), *serial),
        [model, serial] => (fold::number(model), *serial),
        _ => return Err(IdentError::NotThisKind { kind, rule }),
    };
    let isotope = nuclide.unwrap_or_default();
    let mut draft = numbered(kind, input, &model, serial, &isotope)?;
    if isotope.is_empty() && input.text.matches(BARS).count() > 1 {
        draft = draft.check(Check::Invalid, "isotope");
    }
    Ok(draft)
}

fn numbered(
    kind: Kind,
    input: &Input<'_>,
    model: &str,
    serial: &str,
    isotope: &str,
) -> Result<Draft, IdentError> {
    let folded = fold::number(serial);
    let serial = unlabelled(&folded);
    if serial.is_empty() {
        return Err(IdentError::Empty);
    }
    if serial.chars().count() > NUMBER_CHARS_MAX || model.chars().count() > NUMBER_CHARS_MAX {
        return Err(IdentError::TooLong);
    }
    if !serial.chars().any(char::is_numeric) {
        return Err(IdentError::NotThisKind { kind, rule: "a serial number has a digit" });
    }
    placeholder::refuse_number(serial)?;
    let maker = input.issuer.map(maker).filter(|maker| !maker.is_empty());
    let value = match (model, isotope) {
        ("", "") => serial.to_owned(),
        ("", isotope) => format!("{serial}|{isotope}"),
        (model, "") => format!("{model}|{serial}"),
        (model, isotope) => format!("{model}|{serial}|{isotope}"),
    };
    let mut draft = Draft::new(kind, serial).issuer(maker.as_deref());
    let named = draft.issuer_text().map(str::to_owned);
    if let Some(maker) = &named {
        if !model.is_empty() {
            let form = KeyForm::ModelSerial;
            draft = draft.push(MatchKey::new(kind, form, Strength::Medium, maker, &value));
        }
        let form = KeyForm::LookAlike;
        let folded = fold::look_alike_digits(serial);
        draft = draft.push(MatchKey::new(kind, form, Strength::Weak, maker, &folded));
    }
    if !isotope.is_empty() && serial.chars().count() >= SHORT_NUMBER_WITHOUT_ISSUER_CHARS_MIN {
        let form = KeyForm::SerialIsotope;
        let pair = format!("{serial}|{isotope}");
        draft = draft.push(MatchKey::new(kind, form, Strength::Weak, "", &pair));
    }
    Ok(without_issuer(draft)?.with_value(value))
}

/// The serial number without the words that lists write before it.
fn unlabelled(folded: &str) -> &str {
    ["SERIALNUMBER", "SERIALNO", "SERIAL", "SNO", "SN"]
        .iter()
        .find_map(|label| folded.strip_prefix(label))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(folded)
}

/// A maker as its LEI, its CAGE code, or its name: the folded words in their order, without those
/// that only say what kind of company it is.
pub(crate) fn maker(text: &str) -> String {
    if let Ok(lei) = Canonical::parse(Kind::Lei, text)
        && lei.check() == Check::Valid
    {
        return lei.expose().to_owned();
    }
    let separates = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '|');
    let mut name = String::with_capacity(text.len());
    for word in text.split(separates) {
        // Dots and strokes fall: S.p.A. and A/S are words.
        if !is_company_word(word) {
            name.push_str(&fold::number(word));
        }
    }
    // A maker that is called nothing but "Company" keeps its name.
    if name.is_empty() { fold::number(text) } else { name }
}

/// Whether a word says what kind of company a name is of.
pub(crate) fn is_company_word(word: &str) -> bool {
    COMPANY_WORDS.contains(&fold::number(word).as_str())
}

/// Words that say what kind of company a maker is, folded.
#[rustfmt::skip]
const COMPANY_WORDS: [&str; 46] = [
    "AB", "AG", "AO", "AOA", "AS", "ASA", "BV", "CO", "COMPANY", "CORP", "CORPORATION", "FGUP",
    "GMBH", "GROUP", "HOLDING", "INC", "INCORPORATED", "JSC", "KFT", "KG", "KK", "LIMITED", "LLC",
    "LLP", "LTD", "NV", "OAO", "OJSC", "OOO", "OY", "OYJ", "PAO", "PJSC", "PLC", "PT", "PTE",
    "PTY", "PVT", "SA", "SAS", "SE", "SPA", "SRL", "SRO", "THE", "ZAO",
];

/// An isotope as its element's symbol and its mass number, `Cs-137`, `137Cs`, `Caesium 137` or
/// `Am-241/Be` as `CS137`, `AM241BE`; `None` if the text is none.
fn isotope(text: &str) -> Option<String> {
    let folded = fold::number(text);
    if folded.len() > 24 || !folded.is_ascii() {
        return None;
    }
    let first = folded.find(|c: char| c.is_ascii_digit())?;
    let (front, rest) = folded.split_at_checked(first)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (mass, tail) = rest.split_at_checked(end)?;
    if !(1..=3).contains(&mass.len()) || mass.starts_with('0') {
        return None;
    }
    // 137Cs; else Cs-137, with a state (Tc-99m) or a target (Am-241/Be) behind it.
    let (name, tail) = if front.is_empty() { (tail, "") } else { (front, tail) };
    if !matches!(tail, "" | "M" | "BE" | "LI") {
        return None;
    }
    Some(format!("{}{mass}{tail}", symbol(name)?))
}

/// The symbol of an element that is named by symbol or, where sources are made of it, by name.
fn symbol(name: &str) -> Option<&'static str> {
    let named = NAMES.iter().find(|(long, _)| *long == name).map(|(_, symbol)| *symbol);
    named.or_else(|| SYMBOLS.split(' ').find(|symbol| *symbol == name))
}

/// Elements of which sources are made, by English name.
#[rustfmt::skip]
const NAMES: [(&str, &str); 34] = [
    ("AMERICIUM", "AM"), ("BARIUM", "BA"), ("CADMIUM", "CD"), ("CAESIUM", "CS"),
    ("CALIFORNIUM", "CF"), ("CARBON", "C"), ("CESIUM", "CS"), ("COBALT", "CO"), ("CURIUM", "CM"),
    ("EUROPIUM", "EU"), ("GADOLINIUM", "GD"), ("GERMANIUM", "GE"), ("GOLD", "AU"),
    ("HYDROGEN", "H"), ("IODINE", "I"), ("IRIDIUM", "IR"), ("IRON", "FE"), ("KRYPTON", "KR"),
    ("NEPTUNIUM", "NP"), ("NICKEL", "NI"), ("PALLADIUM", "PD"), ("PLUTONIUM", "PU"),
    ("POLONIUM", "PO"), ("PROMETHIUM", "PM"), ("RADIUM", "RA"), ("RUTHENIUM", "RU"),
    ("SELENIUM", "SE"), ("STRONTIUM", "SR"), ("TECHNETIUM", "TC"), ("THALLIUM", "TL"),
    ("THORIUM", "TH"), ("THULIUM", "TM"), ("URANIUM", "U"), ("YTTERBIUM", "YB"),
];

/// Symbols of the elements (IUPAC), in upper case.
const SYMBOLS: &str = "H HE LI BE B C N O F NE NA MG AL SI P S CL AR K CA SC TI V CR MN FE CO NI CU ZN GA \
    GE AS SE BR KR RB SR Y ZR NB MO TC RU RH PD AG CD IN SN SB TE I XE CS BA LA CE PR ND PM SM EU \
    GD TB DY HO ER TM YB LU HF TA W RE OS IR PT AU HG TL PB BI PO AT RN FR RA AC TH PA U NP PU AM \
    CM BK CF ES FM MD NO LR RF DB SG BH HS MT DS RG CN NH FL MC LV TS OG";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotopes_are_read_in_every_style() {
        let cases = [
            ("Cs-137", "CS137"),
            ("137Cs", "CS137"),
            ("caesium 137", "CS137"),
            ("Cesium-137", "CS137"),
            ("¹³⁷Cs", "CS137"),
            ("Am-241/Be", "AM241BE"),
            ("Tc-99m", "TC99M"),
            ("Ir192", "IR192"),
            ("U-235", "U235"),
        ];
        for (text, expect) in cases {
            assert_eq!(isotope(text).as_deref(), Some(expect), "{text}");
        }
        for text in ["", "137", "Cs", "Xx-12", "Cs-1377", "Cs-137-5", "GammaX 9"] {
            assert_eq!(isotope(text), None, "{text}");
        }
    }

    #[test]
    fn makers_meet_across_company_words() {
        assert_eq!(maker("The Boeing Company"), "BOEING");
        assert_eq!(maker("BOEING CO."), "BOEING");
        assert_eq!(maker("Maersk Line A/S"), "MAERSKLINE");
        assert_eq!(maker("Nuovo Pignone S.p.A."), maker("NUOVO PIGNONE SPA"));
        assert_eq!(maker("Best Theratronics Ltd"), "BESTTHERATRONICS");
        assert_eq!(maker("Company"), "COMPANY");
        assert_eq!(maker("2594 007X IACK NMUA W223"), "2594007XIACKNMUAW223");
        assert!(COMPANY_WORDS.is_sorted());
    }
}
