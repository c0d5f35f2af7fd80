//! Views: the granted fields and nothing else, the same bytes for the same selection.

use crate::{
    Blur, Field, Identifier, Place, Record, RecordError, SubjectKind, Transform, View, sample,
};
use proptest::prelude::*;
use symbolon_ident::{Country, Kind, PartialDate};

fn shown(record: &Record, fields: &[Field], transforms: &[Transform]) -> View {
    View::project(record, fields.iter().map(|&field| (field, transforms)))
}

#[test]
fn nothing_granted_shows_nothing() {
    for number in 0..50 {
        let record = sample::record(number).unwrap();
        let view = shown(&record, &[], &[]);
        assert_eq!(view.lines(), []);
        assert_eq!((view.id, view.version), (record.id(), record.version()));
        assert_eq!(view.exercise, record.content().exercise);
        assert!(view.encode().len() < 100, "{}", view.encode().len());
    }
}

#[test]
fn each_field_shows_itself_alone() {
    for number in 0..50 {
        let record = sample::record(number).unwrap();
        let all = shown(&record, Field::ALL, &[]).lines();
        for &field in Field::ALL {
            let alone = shown(&record, &[field], &[]).lines();
            let expect: Vec<_> = all.iter().filter(|(of, _)| *of == field).cloned().collect();
            assert_eq!(alone, expect, "{field}");
        }
    }
}

#[test]
fn dates_and_places_are_blurred() {
    let date = |text: &str| PartialDate::parse(text).unwrap();
    let country = |text: &str| Country::parse(text).unwrap();
    let place = |name: &str, of: Option<&str>| Place {
        name: Some(name.to_owned()),
        country: of.map(country),
    };
    let identifier = |kind, text: &str, date: Option<&str>| Identifier {
        kind,
        text: text.to_owned(),
        issuer: None,
        date: date.map(str::to_owned),
    };
    let mut content = sample::content(1);
    let full = (0..).map(sample::content).find(|c| !c.subjects.is_empty() && !c.events.is_empty());
    let full = full.unwrap();
    content.subjects = vec![full.subjects[0].clone()];
    content.events = vec![full.events[0].clone()];
    let (subject, event) = (&mut content.subjects[0], &mut content.events[0]);
    subject.kind = SubjectKind::Person;
    subject.dates = vec![date("1957-03-02"), date("1957-03-05"), date("1960")];
    subject.identifiers = vec![
        identifier(Kind::PersonNameBirthDate, "a name", Some("2 March 1957")),
        identifier(Kind::PersonNameBirthDate, "a name|1957-03-02", None),
        identifier(Kind::Passport, "P123456789", Some("one of these days")),
    ];
    event.when = Some(date("2024-05-06"));
    event.place = Some(place("a quay", Some("TUR")));
    event.route = vec![
        place("a town", Some("DEU")),
        place("a port", Some("DEU")),
        place("the open sea", None),
        place("a yard", Some("ARE")),
    ];
    let record = Record::generate(content, 1, [1; 32]).unwrap();
    let lines = |field, transform| -> Vec<String> {
        let view = shown(&record, &[field], &[transform]);
        view.lines().into_iter().map(|(_, line)| line).collect()
    };
    let month = Transform::DateMonth;
    assert_eq!(lines(Field::SubjectDates, month), ["1957-03", "1960"]);
    assert_eq!(lines(Field::SubjectDates, Transform::DateYear), ["1957", "1960"]);
    assert_eq!(lines(Field::EventWhen, month), ["2024-05"]);
    let named = Kind::PersonNameBirthDate.as_str();
    let passport = Kind::Passport.as_str();
    let expect = [format!("{named} a name, 1957-03"), format!("{passport} P123456789")];
    assert_eq!(lines(Field::SubjectIdentifiers, month), expect);
    assert_eq!(lines(Field::EventWhere, Transform::PlaceCountry), ["TUR"]);
    assert_eq!(lines(Field::EventRoute, Transform::PlaceCountry), ["DEU - ARE"]);
    // Prose cannot be blurred, so it stays at home.
    assert_eq!(lines(Field::Narrative, month), [""; 0]);
    assert_eq!(lines(Field::Title, Transform::PlaceCountry), [""; 0]);
    // What holds no date is not touched by a demand on dates.
    assert_eq!(lines(Field::EventWhere, month), ["a quay, TUR"]);
}

#[test]
fn no_field_holds_both_dates_and_places() {
    for &field in Field::ALL {
        let dates = field.under(Transform::DateMonth) == Blur::Applies;
        let places = field.under(Transform::PlaceCountry) == Blur::Applies;
        assert!(!(dates && places), "{field}");
        assert_eq!(field.under(Transform::DateMonth), field.under(Transform::DateYear));
    }
}

#[test]
fn a_forged_view_is_refused() {
    let record = sample::record(1).unwrap();
    let mut view = shown(&record, Field::ALL, &[]);
    view.title = Some(String::new());
    assert_eq!(View::decode(&view.encode()), Err(RecordError::Empty { part: "title" }));
    view.title = None;
    view.items = vec![crate::ItemView { codes: vec![], description: None, quantity: None }];
    let blank = Err(RecordError::Blank { part: "an entry of a view" });
    assert_eq!(View::decode(&view.encode()), blank);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn only_the_selection_survives(
        number: u64,
        fields in prop::sample::subsequence(Field::ALL.to_vec(), 0..=Field::ALL.len()),
        transforms in prop::sample::subsequence(Transform::ALL.to_vec(), 0..=1),
    ) {
        let record = sample::record(number).unwrap();
        let view = shown(&record, &fields, &transforms);
        let bytes = view.encode();
        prop_assert_eq!(View::decode(&bytes), Ok(view.clone()));
        prop_assert_eq!(shown(&record, &fields, &transforms).encode(), bytes.clone());
        prop_assert!(view.fields().iter().all(|field| fields.contains(field)));
        for (field, marker) in sample::markers(&record) {
            let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
            prop_assert!(!found || fields.contains(&field), "{} in the view", field);
        }
        let debug = format!("{view:?} {:?} {:?} {:?}", view.subjects, view.items, view.events);
        let markers = sample::markers(&record);
        prop_assert!(markers.iter().all(|(_, marker)| !debug.contains(marker)));
    }
}
