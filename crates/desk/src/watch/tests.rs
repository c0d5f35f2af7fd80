//! Which alerts a rule fits.

use symbolon_ident::Canonical;
use symbolon_record::{
    ControlCode, Event, Exercise, Field, Identifier, Item, Record, RecordId, RecordSalt, Subject,
    SubjectKind, sample,
};

use super::*;

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

fn place(name: Option<&str>, code: Option<&str>) -> Place {
    Place { name: name.map(str::to_owned), country: code.map(country) }
}

/// A key of its own for the test, as the store's is.
fn mark(key: &MatchKey) -> [u8; 16] {
    let digest = symbolon_codec::sha256("watch test", &[key.as_bytes()]);
    *digest.first_chunk().unwrap()
}

fn identifier(kind: Kind, text: &str) -> Identifier {
    Identifier { kind, text: text.to_owned(), issuer: None, date: None }
}

/// 2B350 and 3.A.1 from Rotterdam by Istanbul to a person of Iran with a passport.
fn view() -> View {
    let mut content = sample::content(1);
    content.kind = RecordKind::Diversion;
    content.exercise = Exercise::Live;
    content.subjects = vec![Subject {
        kind: SubjectKind::Person,
        names: vec!["Some Body".to_owned()],
        dates: Vec::new(),
        countries: vec![country("IR")],
        identifiers: vec![
            identifier(Kind::Passport, "KX1002001"),
            identifier(Kind::PersonName, "Some Body"),
        ],
    }];
    let code = |scheme, code: &str| ControlCode { scheme, code: code.to_owned() };
    content.items = vec![Item {
        codes: vec![code(CodeScheme::EuDualUse, "2B350"), code(CodeScheme::Nsg, "3.A.1")],
        description: String::new(),
        quantity: None,
    }];
    content.events = vec![Event {
        what: "passed".to_owned(),
        when: None,
        place: Some(place(Some("Port of Rotterdam"), Some("NL"))),
        route: vec![place(Some("İstanbul"), None), place(None, Some("TR"))],
    }];
    let id = RecordId::generate(1_700_000_000_000, [1; 32]);
    let record = Record::new(id, RecordSalt::generate([2; 32]), content).unwrap();
    View::project(&record, Field::ALL.iter().map(|field| (*field, &[][..])))
}

fn rule() -> Rule {
    Rule {
        mode: Mode::Live,
        classes: Vec::new(),
        kinds: Vec::new(),
        items: Vec::new(),
        countries: Vec::new(),
        places: Vec::new(),
        identifiers: Vec::new(),
        delivery: Delivery::Ring,
        targets: vec![Target::Inbox],
    }
}

fn watched(kind: Kind, text: &str) -> IdentifierWatch {
    let canonical = Canonical::parse(kind, text).unwrap();
    IdentifierWatch { kind, marks: canonical.keys().iter().map(|key| mark(key).into()).collect() }
}

fn item(scheme: Option<CodeScheme>, prefix: &str) -> ItemWatch {
    ItemWatch { scheme, prefix: folded_code(prefix) }
}

fn place_watch(name: Option<&str>, code: Option<&str>) -> PlaceWatch {
    PlaceWatch { name: name.map(str::to_owned), country: code.map(country) }
}

/// The reasons in words; none where it does not fit.
fn check(change: impl Fn(&mut Rule)) -> Option<Vec<String>> {
    let (view, mut rule) = (view(), rule());
    change(&mut rule);
    assert_eq!(Rule::decode(&rule.encode()).unwrap(), rule);
    let why = rule.fits(&Seen::new(&view, AlertClass::Flash, Mode::Live, mark))?;
    Some(why.iter().map(ToString::to_string).collect())
}

#[test]
fn every_list_is_met_in_one_place_at_least() {
    let fit = |change: fn(&mut Rule), expected: &[&str]| {
        let words: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(check(change), Some(words));
    };
    fit(|_| (), &[]);
    fit(|rule| rule.classes = vec![AlertClass::Flash, AlertClass::Urgent], &["class flash"]);
    fit(|rule| rule.kinds = vec![RecordKind::Diversion], &["kind diversion"]);
    fit(|rule| rule.items = vec![item(None, "2b 3"), item(None, "9A")], &["item 2B3"]);
    fit(|rule| rule.items = vec![item(Some(CodeScheme::Nsg), "3.A")], &["item nsg:3.A"]);
    fit(
        |rule| rule.countries = vec![country("IR"), country("TR")],
        &["country IRN", "country TUR"],
    );
    fit(
        |rule| rule.places = vec![place_watch(Some("rotterdam"), Some("NL"))],
        &["place rotterdam, NLD"],
    );
    fit(|rule| rule.places = vec![place_watch(None, Some("TR"))], &["place TUR"]);
    fit(
        |rule| rule.identifiers = vec![watched(Kind::Passport, "kx 1002001")],
        &["identifier passport (weak)"],
    );
    fit(
        |rule| {
            rule.kinds = vec![RecordKind::Diversion];
            rule.countries = vec![country("NL")];
        },
        &["kind diversion", "country NLD"],
    );
}

#[test]
fn a_list_that_is_not_met_does_not_fit() {
    let cases: &[fn(&mut Rule)] = &[
        |rule| rule.mode = Mode::Exercise,
        |rule| rule.classes = vec![AlertClass::Routine],
        |rule| rule.kinds = vec![RecordKind::Listing],
        |rule| rule.items = vec![item(None, "2B351")],
        |rule| rule.items = vec![item(Some(CodeScheme::Eccn), "2B350")],
        |rule| rule.items = vec![item(None, "B350")],
        |rule| rule.countries = vec![country("FR")],
        |rule| rule.places = vec![place_watch(Some("Rotter"), None)],
        |rule| rule.places = vec![place_watch(Some("Rotterdam"), Some("TR"))],
        |rule| rule.identifiers = vec![watched(Kind::Passport, "KX1002002")],
        |rule| {
            rule.kinds = vec![RecordKind::Diversion];
            rule.countries = vec![country("FR")];
        },
    ];
    for (number, change) in cases.iter().enumerate() {
        assert_eq!(check(change), None, "case {number}");
    }
}

#[test]
fn what_the_sender_did_not_show_meets_nothing() {
    let mut view = view();
    view.kind = None;
    view.subjects.clear();
    view.items.clear();
    view.events.clear();
    let seen = Seen::new(&view, AlertClass::Flash, Mode::Live, mark);
    let lists: &[fn(&mut Rule)] = &[
        |rule| rule.kinds = RecordKind::ALL.to_vec(),
        |rule| rule.items = vec![item(None, "")],
        |rule| rule.countries = vec![country("IR")],
        |rule| rule.places = vec![place_watch(None, Some("NL"))],
        |rule| rule.identifiers = vec![watched(Kind::Passport, "KX1002001")],
    ];
    for (number, change) in lists.iter().enumerate() {
        let mut rule = rule();
        change(&mut rule);
        assert_eq!(rule.fits(&seen), None, "case {number}");
    }
    assert_eq!(rule().fits(&seen), Some(Vec::new()));
}

#[test]
fn only_flash_rings_and_a_weak_key_alone_does_not() {
    let strong = Why::Identifier { kind: Kind::Passport, strength: Strength::Strong };
    let weak = Why::Identifier { kind: Kind::PersonName, strength: Strength::Weak };
    let kind = Why::Kind(RecordKind::Diversion);
    let rings = |class, why: &[Why]| rule().rings(class, why) == Rings::Rings;
    assert!(rings(AlertClass::Flash, &[]));
    assert!(rings(AlertClass::Flash, &[strong.clone(), weak.clone()]));
    assert!(!rings(AlertClass::Urgent, std::slice::from_ref(&strong)));
    assert!(!rings(AlertClass::Flash, &[kind.clone(), weak]));
    assert!(rings(AlertClass::Flash, &[kind]));
    let digest = Rule { delivery: Delivery::Digest, ..rule() };
    assert_eq!(digest.rings(AlertClass::Flash, &[strong]), Rings::Silent);
}

#[test]
fn an_identifier_stands_nowhere_in_a_rule() {
    let mut rule = rule();
    rule.identifiers = vec![watched(Kind::Passport, "KX1002001")];
    let (encoded, shown) = (rule.encode(), format!("{rule:?}"));
    assert!(encoded.windows(7).all(|window| window != b"1002001"));
    assert!(!shown.contains("1002001"));
}
