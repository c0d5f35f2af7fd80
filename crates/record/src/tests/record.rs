//! Records: one version per content, every limit named, nothing readable in `Debug`.

use crate::{
    CodeScheme, Content, ControlCode, Dispute, Item, Place, Quantity, Record, RecordError,
    RecordId, RecordVersion, Tlp, limits, sample,
};
use proptest::prelude::*;
use symbolon_codec::{DecodeError, decode, encode};
use symbolon_ident::Country;

const NOW_MS: u64 = 1_790_000_000_000;

/// Sample content with a subject, an item, an event, a place and a dispute.
fn content() -> Content {
    let full = (0..).map(sample::content).find(|content| {
        content.events.iter().any(|event| event.place.is_some())
            && content.items.iter().any(|item| item.quantity.is_some() && !item.codes.is_empty())
            && content.subjects.iter().any(|subject| !subject.identifiers.is_empty())
            && content.dispute.is_some()
            && content.case_reference.is_some()
            && content.source.description.is_some()
    });
    full.unwrap()
}

fn made(change: impl FnOnce(&mut Content)) -> Result<Record, RecordError> {
    let mut content = content();
    change(&mut content);
    Record::generate(content, NOW_MS, [1; 32])
}

/// One change to a record, among others of its kind.
fn change<'a>(change: impl Fn(&mut Content) + 'a) -> Box<dyn Fn(&mut Content) + 'a> {
    Box::new(change)
}

#[test]
fn an_identical_edit_is_no_new_version() {
    let record = made(|_| {}).unwrap();
    let same = record.revise(record.content().clone()).unwrap();
    assert_eq!(same, record);
    let mut content = record.content().clone();
    content.title.push('!');
    let edited = record.revise(content).unwrap();
    assert_eq!(edited.id(), record.id());
    assert_ne!(edited.version(), record.version());
    // Sets have no order.
    let countries = |names: [&str; 3]| names.map(|name| Country::parse(name).unwrap()).to_vec();
    let one = made(|c| c.handling.releasable_to = countries(["FRA", "DEU", "FRA"])).unwrap();
    let two = made(|c| c.handling.releasable_to = countries(["DEU", "DEU", "FRA"])).unwrap();
    assert_eq!(one.version(), two.version());
}

#[test]
fn the_version_hides_what_was_withheld() {
    // Two records that say the same have versions that say nothing of it.
    let one = Record::generate(content(), NOW_MS, [1; 32]).unwrap();
    let two = Record::generate(content(), NOW_MS, [2; 32]).unwrap();
    assert_eq!(one.content(), two.content());
    assert_ne!(one.version(), two.version());
}

#[test]
fn the_version_is_the_published_hash() {
    let record = made(|_| {}).unwrap();
    let salt = symbolon_codec::sha256("symbolon/1 record salt", &[&[1; 32]]);
    let content = encode(record.content());
    let expect = symbolon_codec::sha256("symbolon/1 content", &[&salt, &content]);
    assert_eq!(record.version(), RecordVersion::from_bytes(expect));
}

#[test]
fn ids_are_version_7_uuids_in_order_of_time() {
    let id = RecordId::generate(NOW_MS, [1; 32]);
    assert!(id < RecordId::generate(NOW_MS + 1, [0; 32]));
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(RecordId::decode(*id.as_bytes()), Ok(id));
    assert_eq!(&id.as_bytes()[..6], &NOW_MS.to_be_bytes()[2..]);
    let refused = [
        "",
        "not an id",
        "00000000-0000-0000-0000-000000000000",
        "c232ab00-9414-4ed2-8f19-7b3c1a2f4d5e",
        &id.to_string().to_uppercase(),
        &id.to_string().replace('-', ""),
    ];
    for text in refused {
        assert_eq!(text.parse::<RecordId>(), Err(RecordError::Id), "{text}");
    }
    assert_eq!(RecordId::decode([0; 16]), Err(RecordError::Id));
}

#[test]
fn bytes_come_back_and_only_own_bytes_are_read() {
    let record = made(|_| {}).unwrap();
    let bytes = record.encode();
    assert_eq!(Record::decode(&bytes), Ok(record.clone()));
    assert_eq!(decode::<Record>(&bytes, bytes.len()), Ok(record.clone()));
    let longer = [bytes.clone(), vec![0]].concat();
    assert_eq!(Record::decode(&longer), Err(RecordError::Decode(DecodeError::Trailing)));
    let huge = vec![0; limits::RECORD_BYTES_MAX + 1];
    assert!(matches!(Record::decode(&huge), Err(RecordError::Decode(DecodeError::TooLong { .. }))));
    // A record that breaks a rule is not read, even from its own store.
    let mut content = record.content().clone();
    content.title.clear();
    let forged = encode(&(record.id(), serde_bytes::Bytes::new(&[0; 32]), &content));
    assert_eq!(Record::decode(&forged), Err(RecordError::Empty { part: "title" }));
    assert_eq!(decode::<Record>(&forged, forged.len()), Err(DecodeError::Shape));
}

#[test]
fn debug_shows_no_text() {
    let record = made(|content| content.handling.tlp = Tlp::Red).unwrap();
    let shown = format!("{record:?} {:?} {:?}", record.content().subjects, record.content().items);
    let more = format!("{:?} {:?}", record.content().events, record.content().source);
    let identifiers: Vec<_> =
        record.content().subjects.iter().flat_map(|subject| &subject.identifiers).collect();
    let shown = format!("{shown} {more} {identifiers:?} {:?}", record.content().dispute);
    for (field, marker) in sample::markers(&record) {
        assert!(!shown.contains(&marker), "{field} in {shown}");
    }
}

fn outcomes<F: Fn(&mut Content)>(cases: impl IntoIterator<Item = (F, Result<(), RecordError>)>) {
    for (index, (edit, expect)) in cases.into_iter().enumerate() {
        assert_eq!(made(edit).map(|_| ()), expect, "case {index}");
    }
}

/// One byte too many.
fn long(bytes_max: usize) -> String {
    "x".repeat(bytes_max + 1)
}

fn too_long(part: &'static str, bytes_max: usize) -> Result<(), RecordError> {
    Err(RecordError::TooLong { part, bytes_max })
}

fn too_many(part: &'static str, count_max: usize) -> Result<(), RecordError> {
    Err(RecordError::TooMany { part, count_max })
}

fn empty(part: &'static str) -> Result<(), RecordError> {
    Err(RecordError::Empty { part })
}

fn place(name: Option<&str>) -> Place {
    Place { name: name.map(str::to_owned), country: None }
}

fn item(codes: Vec<ControlCode>, amount: &str) -> Item {
    let quantity = Quantity { amount: amount.into(), unit: "kg".into() };
    Item { codes, description: "x".into(), quantity: Some(quantity) }
}

#[test]
fn each_text_has_its_limit() {
    let control = Err(RecordError::ControlCharacter { part: "narrative" });
    outcomes([
        (change(|c| c.title = " ".into()), empty("title")),
        (change(|c| c.title = long(limits::TITLE_BYTES_MAX)), too_long("title", 512)),
        (change(|c| c.narrative.clear()), Ok(())),
        (change(|c| c.narrative = "two\nlines\tand a tab".into()), Ok(())),
        (change(|c| c.narrative = "a\u{1b}[31mred".into()), control),
        (
            change(|c| c.narrative = long(limits::NARRATIVE_BYTES_MAX)),
            too_long("narrative", limits::NARRATIVE_BYTES_MAX),
        ),
        (change(|c| c.subjects[0].names[0].clear()), empty("a subject name")),
        (change(|c| c.case_reference = Some(String::new())), empty("case reference")),
        (change(|c| c.legal_basis.clear()), empty("legal basis")),
        (
            change(|c| c.handling.purposes = vec!["x".repeat(65)]),
            too_long("a permitted purpose", limits::PURPOSE_BYTES_MAX),
        ),
        (
            change(|c| c.dispute = Some(Dispute { since: 1, reason: String::new() })),
            empty("dispute reason"),
        ),
    ]);
}

#[test]
fn each_list_has_its_limit() {
    let huge = |c: &mut Content| {
        let mut event = c.events[0].clone();
        event.what = "x".repeat(limits::DESCRIPTION_BYTES_MAX);
        c.events = vec![event; limits::EVENTS_COUNT_MAX];
    };
    let bytes_max = limits::RECORD_BYTES_MAX - 100;
    outcomes([
        (
            change(|c| c.subjects = vec![c.subjects[0].clone(); 65]),
            too_many("subjects", limits::SUBJECTS_COUNT_MAX),
        ),
        (
            change(|c| c.subjects[0].names = vec!["x".into(); 257]),
            too_many("subject names", limits::NAMES_COUNT_MAX),
        ),
        (
            change(|c| c.events[0].route = vec![place(Some("x")); 33]),
            too_many("route", limits::ROUTE_COUNT_MAX),
        ),
        (change(huge), Err(RecordError::TooLarge { bytes_max })),
    ]);
}

#[test]
fn what_says_nothing_is_refused() {
    let blank = |part| Err(RecordError::Blank { part });
    let nobody = |c: &mut Content| {
        let kind = c.subjects[0].kind;
        let (names, dates, countries, identifiers) = (vec![], vec![], vec![], vec![]);
        c.subjects[0] = crate::Subject { kind, names, dates, countries, identifiers };
    };
    let nowhere = |c: &mut Content| {
        let event = c.events.iter_mut().find(|event| event.place.is_some());
        event.unwrap().place = Some(place(None));
    };
    let item_without = |c: &mut Content| {
        c.items = vec![Item { codes: vec![], description: String::new(), quantity: None }];
    };
    outcomes([
        (change(nobody), blank("a subject")),
        (change(nowhere), blank("a place")),
        (change(item_without), blank("an item")),
        (change(|c| c.items = vec![item(vec![], "1.50")]), Ok(())),
        (change(|c| c.items = vec![item(vec![], "1,5")]), Err(RecordError::Amount)),
        (change(|c| c.items = vec![item(vec![], "1.")]), Err(RecordError::Amount)),
        (change(|c| c.expires_on = 0), empty("expiry date")),
        (change(|c| c.review_on = 0), empty("review date")),
        (change(|c| c.review_on = c.expires_on + 1), Err(RecordError::ReviewAfterExpiry)),
    ]);
}

#[test]
fn codes_have_the_shape_of_their_list() {
    let cases = [
        (CodeScheme::EuDualUse, "2B350", true),
        (CodeScheme::EuDualUse, "2B350.a.5", true),
        (CodeScheme::EuDualUse, "0C002", true),
        (CodeScheme::EuDualUse, "2F350", false),
        (CodeScheme::EuDualUse, "2B35", false),
        (CodeScheme::EuDualUse, "EAR99", false),
        (CodeScheme::Eccn, "EAR99", true),
        (CodeScheme::Eccn, "3A233.b", true),
        (CodeScheme::Eccn, "3A233 b", false),
        (CodeScheme::Nsg, "3.A.1", true),
        (CodeScheme::Nsg, "5.3.1", true),
        (CodeScheme::Nsg, "3..1", false),
        (CodeScheme::Nsg, "Part 2", false),
        (CodeScheme::Hs, "8401", true),
        (CodeScheme::Hs, "8401.20", true),
        (CodeScheme::Hs, "8401200000", true),
        (CodeScheme::Hs, "84012", false),
    ];
    for (scheme, text, expect) in cases {
        let code = ControlCode { scheme, code: text.to_owned() };
        let item = Item { codes: vec![code], description: String::new(), quantity: None };
        let outcome = made(|content| content.items = vec![item]).map(|_| ());
        let refused = Err(RecordError::Code { scheme: scheme.as_str() });
        assert_eq!(outcome, if expect { Ok(()) } else { refused }, "{scheme} {text}");
    }
}

#[test]
fn a_record_expires_on_its_second() {
    let record = made(|_| {}).unwrap();
    let expires_on = record.content().expires_on;
    assert!(!record.is_expired(expires_on - 1));
    assert!(record.is_expired(expires_on));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_sample_is_valid_and_comes_back(number: u64) {
        let record = sample::record(number).unwrap();
        prop_assert_eq!(Record::decode(&record.encode()), Ok(record.clone()));
        prop_assert_eq!(sample::record(number), Ok(record));
    }

    #[test]
    fn damaged_bytes_never_panic(number: u64, at: prop::sample::Index, to: u8) {
        let mut bytes = sample::record(number % 50).unwrap().encode();
        let index = at.index(bytes.len());
        bytes[index] = to;
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(record.encode(), bytes);
        }
    }
}
