//! From the form of an alert to the content of a record: every refusal names the field and the
//! remedy, and no value.
//!
//! Implements spec/alerts.md#form.

use symbolon_codec::sha256;
use symbolon_ident::{Canonical, Class, Country, Kind, PartialDate};
use symbolon_record::{
    AlertClass, CodeScheme, Content, ControlCode, Event, Exercise, Handling, Identifier, Item,
    OriginatorControl, Place, Quantity, RecordKind, Source, SourceKind, Subject, SubjectKind, Tlp,
};

use crate::DeskError;
use crate::api::{AlertForm, IdentifierForm, IdentifierRead, ItemForm, PlaceForm, SubjectForm};
use crate::limits::{ALERT_DAYS, ALERT_DAYS_MAX, DAY_SECONDS};

/// What somebody writes who does not know.
const UNKNOWN: &str = "unknown";
/// The law, where the form names none.
const LEGAL_BASIS: &str = "duty to warn";

/// Who filled the form in, as far as it matters for what it leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    Officer,
    Hotline,
}

/// A form that was read.
pub(crate) struct Read {
    pub(crate) content: Content,
    pub(crate) class: AlertClass,
    pub(crate) identifiers: Vec<IdentifierRead>,
    /// Digest of the whole form: the same submission again has the same.
    pub(crate) digest: [u8; 32],
}

/// Reads a form that came in at `now`.
pub(crate) fn read(
    form: &AlertForm,
    author: Author,
    origin: [u8; 32],
    now: u64,
) -> Result<Read, DeskError> {
    let kind = one_of(required(&form.kind, "kind")?, "kind", RecordKind::ALL)?;
    let what = required(&form.what, "what")?.to_owned();
    let place = form.place.as_ref().ok_or_else(|| missing("where"))?;
    let place = read_place(place, "where")?;
    let when = required(&form.when, "when")?;
    let when = if is_unknown(when) { None } else { Some(date(when, "when")?) };
    let class = one_of(required(&form.urgency, "urgency")?, "urgency", AlertClass::ALL)?;
    let mut found = Vec::new();
    let subjects = subjects(form, &mut found)?;
    let items = form.items.iter().enumerate();
    let items = items.map(|(n, form)| item(form, n)).collect::<Result<_, _>>()?;
    let route = form.route.iter().enumerate();
    let route = route
        .filter_map(|(n, form)| read_place(form, &format!("route[{n}]")).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let days = form.expires_days.unwrap_or(ALERT_DAYS);
    if !(1..=ALERT_DAYS_MAX).contains(&days) {
        return Err(refused("expires_days", &format!("give 1 to {ALERT_DAYS_MAX} days")));
    }
    let expires_on = now + u64::from(days) * DAY_SECONDS;
    let grade = form.evaluation.as_deref().unwrap_or("F6");
    let evaluation = grade.parse().map_err(|_| {
        refused("evaluation", "give the source A to F and the information 1 to 6, such as B2")
    })?;
    let countries = form.releasable_to.iter().enumerate();
    let releasable_to = countries
        .map(|(n, text)| country(text, &format!("releasable_to[{n}]")))
        .collect::<Result<_, _>>()?;
    let tlp = form.tlp.as_deref().map(|text| one_of(text, "tlp", Tlp::ALL)).transpose()?;
    let event = Event { what: what.clone(), when, place, route };
    let content = Content {
        kind,
        title: title(&what),
        narrative: form.narrative.clone().unwrap_or_default(),
        subjects,
        items,
        events: vec![event],
        evaluation,
        handling: Handling {
            tlp: tlp.unwrap_or(Tlp::Amber),
            releasable_to,
            originator_control: OriginatorControl::Open,
            purposes: form.purpose.iter().cloned().collect(),
        },
        source: source(form, author)?,
        legal_basis: form.legal_basis.clone().unwrap_or_else(|| LEGAL_BASIS.to_owned()),
        case_reference: form.case_reference.clone(),
        review_on: expires_on,
        expires_on,
        exercise: if form.exercise { Exercise::Exercise } else { Exercise::Live },
        dispute: None,
        origin,
    };
    let digest = sha256("symbolon/1 alert form", &[&symbolon_codec::encode(form)]);
    Ok(Read { content, class, identifiers: found, digest })
}

fn missing(field: &str) -> DeskError {
    let remedy = match field {
        "where" | "when" => format!("give '{field}', or the word unknown"),
        "urgency" => "give 'urgency': flash, urgent or routine".to_owned(),
        "kind" => format!("give 'kind': {}", names(RecordKind::ALL)),
        _ => format!("give '{field}'"),
    };
    DeskError::invalid(format!("the alert does not say '{field}'"), remedy)
}

pub(crate) fn refused(field: &str, remedy: &str) -> DeskError {
    DeskError::invalid(format!("'{field}' cannot be read"), remedy)
}

fn required<'a>(given: &'a Option<String>, field: &str) -> Result<&'a str, DeskError> {
    let given = given.as_deref().map(str::trim).filter(|text| !text.is_empty());
    given.ok_or_else(|| missing(field))
}

pub(crate) fn names<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(crate) fn one_of<T: std::fmt::Display + Copy>(
    text: &str,
    field: &str,
    all: &[T],
) -> Result<T, DeskError> {
    let found = all.iter().find(|value| value.to_string() == text);
    found.copied().ok_or_else(|| refused(field, &format!("it is one of {}", names(all))))
}

fn is_unknown(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case(UNKNOWN)
}

/// The first line, as long as a title may be.
fn title(what: &str) -> String {
    let line = what.lines().next().unwrap_or_default();
    let mut end = line.len().min(symbolon_record::limits::TITLE_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default().trim().to_owned()
}

/// A date, or the date of a time in UTC.
fn date(text: &str, field: &str) -> Result<PartialDate, DeskError> {
    let day = match text.split_once('T') {
        Some((day, time)) if time.ends_with('Z') && time.is_ascii() => day,
        Some(_) => return Err(refused(field, "give times in UTC, such as 2026-11-22T03:10Z")),
        None => text,
    };
    let remedy = "give a date such as 2026-11-22 or 2026-11, or the word unknown";
    PartialDate::parse(day).map_err(|_| refused(field, remedy))
}

pub(crate) fn country(text: &str, field: &str) -> Result<Country, DeskError> {
    Country::parse(text).map_err(|_| refused(field, "give a country's code, such as NO or NOR"))
}

/// A place, or nothing where it is unknown. A text that is a country's code is that country.
pub(crate) fn read_place(form: &PlaceForm, field: &str) -> Result<Option<Place>, DeskError> {
    match form {
        PlaceForm::Text(text) if is_unknown(text) => Ok(None),
        PlaceForm::Text(text) if text.trim().is_empty() => Err(missing(field)),
        PlaceForm::Text(text) => {
            let text = text.trim();
            let is_code = matches!(text.len(), 2 | 3)
                && text.bytes().all(|letter| letter.is_ascii_uppercase());
            let code = if is_code { Country::parse(text).ok() } else { None };
            let name = code.is_none().then(|| text.to_owned());
            Ok(Some(Place { name, country: code }))
        }
        PlaceForm::Parts { name, country: code } => {
            let name = name.clone().filter(|name| !is_unknown(name));
            let code = code.as_deref().filter(|code| !is_unknown(code));
            let code = code.map(|code| country(code, field)).transpose()?;
            let is_known = name.is_some() || code.is_some();
            Ok(is_known.then_some(Place { name, country: code }))
        }
    }
}

fn source(form: &AlertForm, author: Author) -> Result<Source, DeskError> {
    let given = form.source.clone().unwrap_or_default();
    let kind = given.kind.as_deref().map(|text| one_of(text, "source.kind", SourceKind::ALL));
    let usual = match author {
        Author::Officer => SourceKind::Authority,
        Author::Hotline => SourceKind::Hotline,
    };
    Ok(Source {
        kind: kind.transpose()?.unwrap_or(usual),
        description: given.description,
        reference: given.reference,
    })
}

fn item(form: &ItemForm, number: usize) -> Result<Item, DeskError> {
    let field = |part: &str| format!("items[{number}].{part}");
    let codes = match (&form.scheme, &form.code) {
        (None, None) => Vec::new(),
        (Some(scheme), Some(code)) => {
            let scheme = one_of(scheme, &field("scheme"), CodeScheme::ALL)?;
            vec![ControlCode { scheme, code: code.clone() }]
        }
        (Some(_), None) => return Err(missing(&field("code"))),
        (None, Some(_)) => {
            let remedy = format!("say which list it is of: {}", names(CodeScheme::ALL));
            return Err(refused(&field("code"), &remedy));
        }
    };
    let quantity = match (&form.amount, &form.unit) {
        (None, None) => None,
        (Some(amount), unit) => {
            let unit = unit.clone().unwrap_or_else(|| "pieces".to_owned());
            Some(Quantity { amount: amount.clone(), unit })
        }
        (None, Some(_)) => return Err(missing(&field("amount"))),
    };
    Ok(Item { codes, description: form.description.clone().unwrap_or_default(), quantity })
}

fn subjects(form: &AlertForm, found: &mut Vec<IdentifierRead>) -> Result<Vec<Subject>, DeskError> {
    let mut subjects = Vec::new();
    for (number, form) in form.subjects.iter().enumerate() {
        subjects.push(subject(form, number, found)?);
    }
    // Identifiers without a subject: one subject for each kind of thing that they name.
    for (number, form) in form.identifiers.iter().enumerate() {
        let identifier = identifier(form, &format!("identifiers[{number}]"), found)?;
        let kind = subject_of(identifier.kind);
        let known = subjects.iter_mut().find(|known: &&mut Subject| known.kind == kind);
        match known {
            Some(known) => known.identifiers.push(identifier),
            None => subjects.push(Subject {
                kind,
                names: Vec::new(),
                dates: Vec::new(),
                countries: Vec::new(),
                identifiers: vec![identifier],
            }),
        }
    }
    Ok(subjects)
}

fn subject(
    form: &SubjectForm,
    number: usize,
    found: &mut Vec<IdentifierRead>,
) -> Result<Subject, DeskError> {
    let field = |part: &str| format!("subjects[{number}].{part}");
    let kind = one_of(&form.kind, &field("kind"), SubjectKind::ALL)?;
    let dates = form.dates.iter().map(|text| date(text, &field("dates")));
    let countries = form.countries.iter().map(|text| country(text, &field("countries")));
    let (dates, countries) =
        (dates.collect::<Result<Vec<_>, _>>()?, countries.collect::<Result<Vec<_>, _>>()?);
    let mut identifiers = Vec::new();
    for (n, form) in form.identifiers.iter().enumerate() {
        identifiers.push(identifier(form, &field(&format!("identifiers[{n}]")), found)?);
    }
    // A name is matched as what it is: with the date and the country where they are known.
    for name in &form.names {
        let named = Identifier {
            kind: match (kind, dates.first()) {
                (SubjectKind::Person, Some(_)) => Kind::PersonNameBirthDate,
                (SubjectKind::Person, None) => Kind::PersonName,
                (SubjectKind::Organisation, _) => Kind::OrganisationName,
                (SubjectKind::Vessel, _) => Kind::VesselName,
                _ => continue,
            },
            text: name.clone(),
            issuer: countries.first().map(|country: &Country| country.as_str().to_owned()),
            date: dates.first().map(ToString::to_string),
        };
        // A name too common to be matched stays a name.
        if named.canonical().is_ok() && !identifiers.contains(&named) {
            identifiers.push(named);
        }
    }
    Ok(Subject { kind, names: form.names.clone(), dates, countries, identifiers })
}

pub(crate) fn identifier(
    form: &IdentifierForm,
    field: &str,
    found: &mut Vec<IdentifierRead>,
) -> Result<Identifier, DeskError> {
    let identifier = match form {
        IdentifierForm::Parts { kind: Some(kind), text, issuer, date } => Identifier {
            kind: one_of(kind, &format!("{field}.kind"), Kind::ALL)?,
            text: text.clone(),
            issuer: issuer.clone(),
            date: date.clone(),
        },
        IdentifierForm::Parts { kind: None, text, issuer, date } => {
            detected(text, issuer.clone(), date.clone(), field)?
        }
        IdentifierForm::Text(text) => detected(text, None, None, field)?,
    };
    let canonical = identifier.canonical().map_err(|error| {
        // The rule that is broken, which never quotes the text.
        DeskError::invalid(
            format!("'{field}' cannot be read as {}: {error}", identifier.kind),
            "correct it, or give its kind: 'symbolon identify' shows what it may be",
        )
    })?;
    found.push(shown(field, &canonical));
    Ok(identifier)
}

fn detected(
    text: &str,
    issuer: Option<String>,
    date: Option<String>,
    field: &str,
) -> Result<Identifier, DeskError> {
    let proposal = Kind::detect(text).into_iter().next().ok_or_else(|| {
        refused(field, "it looks like no identifier: give its kind, or write it into 'narrative'")
    })?;
    let issuer = issuer.or_else(|| proposal.issuer.map(str::to_owned));
    Ok(Identifier { kind: proposal.kind, text: text.trim().to_owned(), issuer, date })
}

fn shown(field: &str, canonical: &Canonical) -> IdentifierRead {
    IdentifierRead {
        field: field.to_owned(),
        kind: canonical.kind().as_str().to_owned(),
        canonical: canonical.expose().to_owned(),
        check: canonical.check().as_str().to_owned(),
        strength: canonical.strength().as_str().to_owned(),
    }
}

/// What an identifier names, where nobody said.
fn subject_of(kind: Kind) -> SubjectKind {
    match kind {
        Kind::ImoShip | Kind::Mmsi | Kind::VesselName | Kind::CallSign => SubjectKind::Vessel,
        Kind::AircraftTail | Kind::AircraftMsn | Kind::AircraftModeS | Kind::AircraftName => {
            SubjectKind::Aircraft
        }
        Kind::Vin | Kind::Plate => SubjectKind::Vehicle,
        Kind::Container | Kind::Seal => SubjectKind::Container,
        Kind::RadioactiveSource => SubjectKind::RadioactiveSource,
        Kind::TaxId => SubjectKind::Organisation,
        other => match other.class() {
            Class::Document | Class::Person | Class::Contact => SubjectKind::Person,
            Class::Goods | Class::Reference => SubjectKind::Goods,
            Class::Organisation | Class::Registry | Class::Account => SubjectKind::Organisation,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> AlertForm {
        AlertForm {
            kind: Some("material_out_of_control".into()),
            what: Some("Portal alarm, neutron".into()),
            place: Some(PlaceForm::Text("unknown".into())),
            when: Some("unknown".into()),
            urgency: Some("flash".into()),
            ..AlertForm::default()
        }
    }

    fn check(form: &AlertForm) -> Result<Read, String> {
        read(form, Author::Hotline, [1; 32], 1_700_000_000)
            .map_err(|error| format!("{error}; {}", error.remedy()))
    }

    #[test]
    fn five_fields_are_enough_and_two_of_them_may_be_unknown() {
        let Ok(read) = check(&form()) else { panic!("five fields are enough") };
        assert_eq!(read.class, AlertClass::Flash);
        assert_eq!(read.content.title, "Portal alarm, neutron");
        assert_eq!(read.content.source.kind, SourceKind::Hotline);
        assert_eq!(read.content.evaluation.to_string(), "F6");
        assert!(read.content.events[0].place.is_none() && read.content.events[0].when.is_none());
    }

    /// A form with one fault, and what its refusal names.
    type Case = (fn(&mut AlertForm), &'static str);

    #[test]
    fn every_refusal_names_its_field_and_a_remedy_and_no_value() {
        let cases: &[Case] = &[
            (|f| f.kind = None, "'kind'"),
            (|f| f.kind = Some("CANARY".into()), "'kind'"),
            (|f| f.what = Some("  ".into()), "'what'"),
            (|f| f.place = None, "'where'"),
            (|f| f.when = Some("CANARY".into()), "'when'"),
            (|f| f.when = Some("2026-11-22T03:10".into()), "UTC"),
            (|f| f.urgency = Some("CANARY".into()), "'urgency'"),
            (|f| f.evaluation = Some("CANARY".into()), "'evaluation'"),
            (|f| f.tlp = Some("CANARY".into()), "'tlp'"),
            (|f| f.expires_days = Some(0), "'expires_days'"),
            (|f| f.releasable_to = vec!["CANARY".into()], "'releasable_to[0]'"),
            (|f| f.identifiers = vec![IdentifierForm::Text("!!".into())], "'identifiers[0]'"),
            (
                |f| {
                    f.identifiers = vec![IdentifierForm::Parts {
                        kind: Some("lei".into()),
                        text: "CANARY".into(),
                        issuer: None,
                        date: None,
                    }];
                },
                "'identifiers[0]'",
            ),
            (
                |f| f.items = vec![ItemForm { code: Some("CANARY".into()), ..ItemForm::default() }],
                "'items[0].code'",
            ),
        ];
        for (number, (break_it, named)) in cases.iter().enumerate() {
            let mut form = form();
            break_it(&mut form);
            let refused = check(&form).err().unwrap_or_default();
            assert!(refused.contains(named), "case {number}: {refused}");
            assert!(!refused.contains("CANARY"), "case {number}: {refused}");
        }
    }

    #[test]
    fn identifiers_are_detected_and_grouped_by_what_they_name() {
        let mut form = form();
        form.identifiers = vec![
            IdentifierForm::Text("IMO 9074729".into()),
            IdentifierForm::Text("DE89370400440532013000".into()),
        ];
        let Ok(read) = check(&form) else { panic!("both are identifiers") };
        let kinds: Vec<_> = read.content.subjects.iter().map(|subject| subject.kind).collect();
        assert_eq!(kinds, [SubjectKind::Vessel, SubjectKind::Organisation]);
        assert_eq!(read.identifiers[0].kind, "imo_ship");
        assert_eq!(read.identifiers[1].kind, "iban");
    }
}
