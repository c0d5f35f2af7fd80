//! Random valid records for tests, one per seed; nothing here is random enough for a secret.
//!
//! Every text carries its field's name and a number of its own, so that a test can search bytes
//! for what should have been withheld ([`markers`]).

use symbolon_ident::{Country, Kind, PartialDate};

use crate::{
    CodeScheme, Content, ControlCode, Credibility, Dispute, Evaluation, Event, Exercise, Field,
    Handling, Identifier, Item, OriginatorControl, Place, Quantity, Record, RecordError,
    RecordKind, Reliability, Source, SourceKind, Subject, SubjectKind, Tlp,
};

/// Purposes that sample records permit.
pub const PURPOSES: [&str; 3] = ["licensing", "investigation", "border_control"];
/// Countries that sample records name.
pub const COUNTRIES: [&str; 6] = ["DEU", "FRA", "NOR", "KAZ", "TUR", "ARE"];
/// When sample records expire, in Unix seconds: 2035-01-01.
pub const EXPIRES_ON: u64 = 2_051_222_400;

/// A valid record, the same for the same number.
///
/// # Errors
/// None, unless this generator breaks a rule of the record.
pub fn record(number: u64) -> Result<Record, RecordError> {
    let mut seed = [0; 32];
    seed.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    Record::generate(content(number), 1_700_000_000_000 + number % 1_000_000, seed)
}

/// Valid content, the same for the same number.
#[must_use]
pub fn content(number: u64) -> Content {
    let mut dice = Dice(number);
    let expires_on = EXPIRES_ON;
    Content {
        kind: dice.one(RecordKind::ALL, RecordKind::Listing),
        title: dice.marked(Field::Title),
        narrative: dice.marked(Field::Narrative),
        subjects: dice.list(3, subject),
        items: dice.list(3, item),
        events: dice.list(3, event),
        evaluation: Evaluation {
            reliability: dice.one(Reliability::ALL, Reliability::F),
            credibility: dice.one(Credibility::ALL, Credibility::Unjudged),
        },
        handling: handling(&mut dice),
        source: Source {
            kind: dice.one(SourceKind::ALL, SourceKind::Open),
            description: dice.maybe(|dice| dice.marked(Field::SourceDescription)),
            reference: dice.maybe(|dice| dice.marked(Field::SourceReference)),
        },
        legal_basis: dice.marked(Field::LegalBasis),
        case_reference: dice.maybe(|dice| dice.marked(Field::CaseReference)),
        review_on: expires_on - dice.below(100_000_000),
        expires_on,
        exercise: dice.one(&[Exercise::Live, Exercise::Live, Exercise::Exercise], Exercise::Live),
        dispute: dice.maybe(|dice| Dispute {
            since: 1_600_000_000 + dice.below(1_000_000),
            reason: dice.marked(Field::Dispute),
        }),
        origin: [7; 32],
    }
}

/// Texts whose presence betrays a field. Fields without free text have none.
#[must_use]
pub fn markers(record: &Record) -> Vec<(Field, String)> {
    let content = record.content();
    let mut found = Vec::new();
    let mut add = |field: Field, text: &str| found.push((field, text.to_owned()));
    add(Field::Title, &content.title);
    add(Field::Narrative, &content.narrative);
    add(Field::LegalBasis, &content.legal_basis);
    for subject in &content.subjects {
        subject.names.iter().for_each(|name| add(Field::SubjectNames, name));
        for identifier in &subject.identifiers {
            add(Field::SubjectIdentifiers, &identifier.text);
        }
    }
    for item in &content.items {
        add(Field::ItemDescriptions, &item.description);
        item.quantity.iter().for_each(|quantity| add(Field::ItemQuantities, &quantity.unit));
    }
    for event in &content.events {
        add(Field::EventWhat, &event.what);
        let name = |place: &Place| place.name.clone();
        event.place.iter().filter_map(name).for_each(|name| add(Field::EventWhere, &name));
        event.route.iter().filter_map(name).for_each(|name| add(Field::EventRoute, &name));
    }
    content.source.description.iter().for_each(|text| add(Field::SourceDescription, text));
    content.source.reference.iter().for_each(|text| add(Field::SourceReference, text));
    content.case_reference.iter().for_each(|text| add(Field::CaseReference, text));
    content.dispute.iter().for_each(|dispute| add(Field::Dispute, &dispute.reason));
    found
}

fn subject(dice: &mut Dice) -> Subject {
    Subject {
        kind: dice.one(SubjectKind::ALL, SubjectKind::Person),
        names: dice.filled(2, |dice| dice.marked(Field::SubjectNames)),
        dates: dice.list(2, date).into_iter().flatten().collect(),
        countries: dice.list(2, country).into_iter().flatten().collect(),
        identifiers: dice.list(3, identifier),
    }
}

fn identifier(dice: &mut Dice) -> Identifier {
    let kinds = [Kind::Passport, Kind::OrganisationName, Kind::PersonNameBirthDate, Kind::Email];
    let kind = dice.one(&kinds, Kind::Passport);
    let number = dice.next();
    let (text, date) = match kind {
        Kind::Passport => (format!("P{:09}", number % 1_000_000_000), None),
        Kind::Email => (format!("m{number:016x}@example.org"), None),
        Kind::PersonNameBirthDate => {
            (dice.marked(Field::SubjectIdentifiers), date(dice).map(|date| date.to_string()))
        }
        _ => (dice.marked(Field::SubjectIdentifiers), None),
    };
    let issuer = country(dice).filter(|_| kind == Kind::Passport);
    Identifier { kind, text, issuer: issuer.map(|issuer| issuer.as_str().to_owned()), date }
}

fn item(dice: &mut Dice) -> Item {
    let codes = [
        (CodeScheme::EuDualUse, "2B350.a"),
        (CodeScheme::Eccn, "3A233.b"),
        (CodeScheme::Nsg, "3.A.1"),
        (CodeScheme::Hs, "8401.20"),
    ];
    Item {
        codes: dice.list(2, |dice| {
            let (scheme, code) = dice.one(&codes, (CodeScheme::Eccn, "EAR99"));
            ControlCode { scheme, code: code.to_owned() }
        }),
        description: dice.marked(Field::ItemDescriptions),
        quantity: dice.maybe(|dice| Quantity {
            amount: format!("{}.{}", dice.below(1000), dice.below(10)),
            unit: dice.marked(Field::ItemQuantities),
        }),
    }
}

fn event(dice: &mut Dice) -> Event {
    Event {
        what: dice.marked(Field::EventWhat),
        when: dice.maybe(date).flatten(),
        place: dice.maybe(|dice| place(dice, Field::EventWhere)),
        route: dice.list(3, |dice| place(dice, Field::EventRoute)),
    }
}

fn place(dice: &mut Dice, field: Field) -> Place {
    Place { name: Some(dice.marked(field)), country: dice.maybe(country).flatten() }
}

fn handling(dice: &mut Dice) -> Handling {
    Handling {
        tlp: dice.one(Tlp::ALL, Tlp::Red),
        releasable_to: dice.list(2, country).into_iter().flatten().collect(),
        originator_control: dice.one(OriginatorControl::ALL, OriginatorControl::Controlled),
        purposes: dice.list(2, |dice| dice.one(&PURPOSES, "licensing").to_owned()),
    }
}

fn country(dice: &mut Dice) -> Option<Country> {
    Country::parse(dice.one(&COUNTRIES, "DEU")).ok()
}

fn date(dice: &mut Dice) -> Option<PartialDate> {
    let (year, month, day) = (1950 + dice.below(70), 1 + dice.below(12), 1 + dice.below(28));
    let text = match dice.below(3) {
        0 => format!("{year}"),
        1 => format!("{year}-{month:02}"),
        _ => format!("{year}-{month:02}-{day:02}"),
    };
    PartialDate::parse(&text).ok()
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<T: Copy>(&mut self, of: &[T], or: T) -> T {
        let index = self.below(of.len() as u64) as usize;
        of.get(index).copied().unwrap_or(or)
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Dice) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    fn list<T>(&mut self, count_max: u64, make: impl Fn(&mut Dice) -> T) -> Vec<T> {
        (0..self.below(count_max + 1)).map(|_| make(self)).collect()
    }

    fn filled<T>(&mut self, count_max: u64, make: impl Fn(&mut Dice) -> T) -> Vec<T> {
        (0..=self.below(count_max)).map(|_| make(self)).collect()
    }

    fn marked(&mut self, field: Field) -> String {
        format!("{field} {:016x}", self.next())
    }
}
