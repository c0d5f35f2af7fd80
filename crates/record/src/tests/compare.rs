//! Comparisons: what agrees, what conflicts, what is missing, and that nothing is quoted.

use symbolon_ident::{Country, Kind, PartialDate};

use crate::compare::Comparison;
use crate::{Identifier, Record, Standing, Subject, SubjectKind, SubjectView};

fn identifier(kind: Kind, text: &str, issuer: Option<&str>, date: Option<&str>) -> Identifier {
    Identifier {
        kind,
        text: text.to_owned(),
        issuer: issuer.map(str::to_owned),
        date: date.map(str::to_owned),
    }
}

fn person(names: &[&str], date: Option<&str>, identifiers: Vec<Identifier>) -> Subject {
    Subject {
        kind: SubjectKind::Person,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        dates: date.map(|date| PartialDate::parse(date).unwrap()).into_iter().collect(),
        countries: Vec::new(),
        identifiers,
    }
}

fn shown(subject: Subject) -> SubjectView {
    let Subject { kind, names, dates, countries, identifiers } = subject;
    SubjectView { kind: Some(kind), names, dates, countries, identifiers }
}

#[test]
fn fields_agree_conflict_or_are_missing() {
    let passport = |text, issuer| identifier(Kind::Passport, text, issuer, None);
    let own = person(
        &["Ada Vexley"],
        Some("1957-03-02"),
        vec![passport("KX-100 2001", Some("RUS")), identifier(Kind::Email, "a@b.org", None, None)],
    );
    let mut theirs = person(&["VEXLEY, Ada"], Some("1957"), vec![passport("KX1002001", None)]);
    theirs.countries.push(Country::parse("RU").unwrap());
    let comparison = Comparison::of(&own, &shown(theirs));
    assert_eq!(
        comparison.words(),
        "same passport; same name; birth year agrees; country missing on our side; \
         issuer of the passport missing on their side; email missing on their side"
    );
    let standings: Vec<Standing> =
        comparison.findings().iter().map(|finding| finding.standing).collect();
    assert!(standings.is_sorted());
}

#[test]
fn conflicts_are_told_apart_from_gaps() {
    let passport = |text, issuer| identifier(Kind::Passport, text, issuer, None);
    let own = person(&["Ada Vexley"], Some("1957-03-02"), vec![passport("KX1002001", Some("RUS"))]);
    let theirs =
        person(&["Bo Quill"], Some("1957-04-02"), vec![passport("KX1002001", Some("UKR"))]);
    assert_eq!(
        Comparison::of(&own, &shown(theirs)).words(),
        "same passport; issuer of the passport differs; name differs; \
         birth year agrees, the day differs"
    );
    let theirs = person(&["Ada Vexley"], Some("1958"), vec![passport("ZZ7654321", Some("RUS"))]);
    let mut theirs = shown(theirs);
    theirs.kind = Some(SubjectKind::Organisation);
    assert_eq!(
        Comparison::of(&own, &theirs).words(),
        "same name; person here, organisation there; passport differs; birth date differs"
    );
}

#[test]
fn nothing_is_quoted() {
    let secret = "QZ9988776";
    let own = person(
        &["Xyzzy Plugh"],
        Some("1961-05-06"),
        vec![identifier(Kind::Passport, secret, Some("RUS"), None)],
    );
    let text = format!("{:?}", Comparison::of(&own, &shown(own.clone())));
    for part in [secret, "Xyzzy", "Plugh", "1961"] {
        assert!(!text.contains(part), "{text}");
    }
}

#[test]
fn the_subject_with_most_in_common_is_chosen() {
    let record = crate::sample::record(1).unwrap();
    let mut content = record.content().clone();
    let email = |text| identifier(Kind::Email, text, None, None);
    content.subjects = vec![person(&["Ada Vexley"], None, vec![email("ada@example.org")])];
    let record = Record::generate(content.clone(), 1_700_000_000_000, [7; 32]).unwrap();
    let fields = [crate::Field::SubjectNames, crate::Field::SubjectIdentifiers];
    let mut view = crate::View::project(&record, fields.map(|field| (field, &[][..])));
    let other = person(&["Bo Quill"], None, vec![email("bo@example.org")]);
    view.subjects.insert(0, shown(other));
    let comparison = Comparison::new(&content, 0, &view).unwrap();
    assert_eq!(comparison.words(), "same email; same name");
    assert_eq!(Comparison::new(&content, 5, &view), None);
    view.subjects.clear();
    assert_eq!(Comparison::new(&content, 0, &view), None);
}
