//! The sample policy by a table of (record, partner, action) and what comes of it; then the bounds.

use std::collections::BTreeSet;

use symbolon_ident::{Class, Country};
use symbolon_policy::{
    Action, Bound, Cause, Decision, DenialCode, Effect, PartnerContext, PolicyError, PolicySet,
    Reason, Request, SAMPLE, Transform,
};
use symbolon_record::{
    Content, Dispute, Exercise, Field, OriginatorControl, Record, RecordKind, SourceKind, Tlp,
};
use symbolon_trust::{Mode, NodeId, VerifiedAgreement};

use crate::world::{DAY, LIVE, NOW, PURPOSE, agreed, decide, granted, partner, record};

const FRAME: [Field; 6] = [
    Field::Kind,
    Field::Evaluation,
    Field::Handling,
    Field::Validity,
    Field::Dispute,
    Field::Provenance,
];
const SUBJECTS: [Field; 10] = [
    Field::Title,
    Field::SubjectKind,
    Field::SubjectNames,
    Field::SubjectCountries,
    Field::ItemCodes,
    Field::SubjectDates,
    Field::SubjectIdentifiers,
    Field::EventWhen,
    Field::EventWhere,
    Field::EventRoute,
];
const GOODS: [Field; 4] =
    [Field::ItemDescriptions, Field::ItemQuantities, Field::EventWhat, Field::LegalBasis];
const NEIGHBOUR: [Field; 1] = [Field::Narrative];
const BRAVO_SOURCE: [Field; 2] = [Field::SourceKind, Field::SourceReference];

/// One change to a record, among others of its kind.
fn change<'a>(change: impl Fn(&mut Content) + 'a) -> Box<dyn Fn(&mut Content) + 'a> {
    Box::new(change)
}

#[test]
fn the_sample_discloses_by_marks_country_and_partner() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let tlp = |tlp| move |content: &mut Content| content.handling.tlp = tlp;
    let disputed = |content: &mut Content| {
        content.dispute = Some(Dispute { since: NOW, reason: "not so".into() });
    };
    let industry = |content: &mut Content| content.source.kind = SourceKind::Industry;
    let cases = [
        (
            "green, neighbour",
            "bravo",
            change(|_| {}),
            [&FRAME[..], &SUBJECTS, &GOODS, &NEIGHBOUR, &BRAVO_SOURCE].concat(),
        ),
        ("green, other", "delta", change(|_| {}), [&FRAME[..], &SUBJECTS, &GOODS].concat()),
        (
            "amber",
            "bravo",
            change(tlp(Tlp::Amber)),
            [&FRAME[..], &SUBJECTS, &NEIGHBOUR, &BRAVO_SOURCE].concat(),
        ),
        ("amber strict", "delta", change(tlp(Tlp::AmberStrict)), [&FRAME[..], &SUBJECTS].concat()),
        ("red", "bravo", change(tlp(Tlp::Red)), Vec::new()),
        ("contested", "bravo", change(disputed), [&FRAME[..]].concat()),
        (
            "source not open",
            "bravo",
            change(industry),
            [&FRAME[..], &SUBJECTS, &GOODS, &NEIGHBOUR].concat(),
        ),
        ("clear", "delta", change(tlp(Tlp::Clear)), [&FRAME[..], &SUBJECTS, &GOODS].concat()),
    ];
    for (case, name, edit, expect) in cases {
        let mut expect = expect;
        expect.sort_unstable();
        assert_eq!(granted(&policy, name, &record(edit)), expect, "{case}");
    }
}

#[test]
fn the_sample_decides_whole_actions() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let cases = [
        ("shared kind", Action::Match, change(|_| {}), None),
        ("shared kind", Action::Confirm, change(|_| {}), None),
        ("person by paper", Action::Match, change(|c| c.kind = RecordKind::PersonOfInterest), None),
        ("red", Action::Match, change(|c| c.handling.tlp = Tlp::Red), Some(DenialCode::Forbidden)),
        (
            "human source",
            Action::Match,
            change(|c| c.source.kind = SourceKind::Human),
            Some(DenialCode::Forbidden),
        ),
        (
            "kind that is not shared",
            Action::Match,
            change(|c| c.kind = RecordKind::MaterialOutOfControl),
            Some(DenialCode::NoRule),
        ),
        (
            "loose material",
            Action::Alert,
            change(|c| c.kind = RecordKind::MaterialOutOfControl),
            None,
        ),
        ("answer", Action::Answer, change(|_| {}), None),
        (
            "answer above amber",
            Action::Answer,
            change(|c| c.handling.tlp = Tlp::AmberStrict),
            Some(DenialCode::NeedsApproval),
        ),
        ("onward", Action::Onward, change(|_| {}), Some(DenialCode::Forbidden)),
    ];
    for (case, action, edit, expect) in cases {
        let outcome = match decide(&policy, "bravo", &record(edit), action) {
            Decision::Allow(grant) => {
                assert!(grant.fields().is_empty(), "{case}");
                None
            }
            Decision::Deny(denial) => Some(denial.code()),
        };
        assert_eq!(outcome, expect, "{case}, {action}");
    }
}

#[test]
fn persons_are_not_matched_by_phone() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let person = record(|content| content.kind = RecordKind::PersonOfInterest);
    let bravo = partner("bravo", &LIVE);
    for (class, expect) in [(Class::Document, true), (Class::Person, true), (Class::Contact, false)]
    {
        let decision = policy.decide(&Request {
            action: Action::Match,
            partner: &bravo,
            record: &person,
            purpose: PURPOSE,
            class: Some(class),
            urgency: None,
            now: NOW,
        });
        assert_eq!(matches!(decision, Decision::Allow(_)), expect, "{class}");
    }
}

#[test]
fn the_view_is_blurred_as_the_rules_say() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let record = record(|_| {});
    let Decision::Allow(grant) = decide(&policy, "delta", &record, Action::Disclose) else {
        panic!("denied");
    };
    for granted in grant.fields() {
        let expect: &[Transform] = match granted.field {
            Field::SubjectDates | Field::SubjectIdentifiers | Field::EventWhen => {
                &[Transform::DateMonth]
            }
            Field::EventWhere | Field::EventRoute => &[Transform::PlaceCountry],
            _ => &[],
        };
        assert_eq!(granted.transforms, expect, "{}", granted.field);
    }
    let view = grant.view(&record).unwrap();
    assert!(view.events.iter().all(|event| event.when.is_none_or(|when| when.day().is_none())));
    let places = view.events.iter().flat_map(|event| event.place.iter().chain(&event.route));
    assert!(places.clone().count() > 0 && places.clone().all(|place| place.name.is_none()));

    let other =
        record.revise(self::record(|content| content.title = "other".into()).content().clone());
    assert_eq!(grant.view(&other.unwrap()), Err(PolicyError::OtherRecord));
}

#[test]
fn every_field_has_its_reason() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let Decision::Allow(grant) = decide(&policy, "delta", &record(|_| {}), Action::Disclose) else {
        panic!("denied");
    };
    let lines: Vec<_> = grant.explain().iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), Field::ALL.len());
    for expect in [
        "kind: granted, permitted (show-frame)",
        "narrative: withheld, no rule permits",
        "source_reference: withheld, no rule permits",
        "event_when: granted, permitted (show-dates-to-the-month)",
    ] {
        assert!(lines.iter().any(|line| line == expect), "{expect} not in {lines:#?}");
    }
    let red = record(|content| content.handling.tlp = Tlp::Red);
    let Decision::Deny(denial) = decide(&policy, "delta", &red, Action::Disclose) else {
        panic!("allowed");
    };
    assert_eq!(denial.code(), DenialCode::Forbidden);
    assert!(denial.explain().iter().all(|reason| {
        reason.effect == Effect::Withheld && reason.rules.contains(&"red-stays-home".to_owned())
    }));
    assert_eq!((denial.record(), denial.version()), (red.id(), red.version()));
    assert_eq!((denial.policy_digest(), denial.decided_at()), (policy.digest(), NOW));
}

/// The bound that stops every action under the widest rules, the same for each.
#[expect(clippy::unwrap_used, clippy::panic, reason = "part of the tests below")]
fn stopped(
    agreement: &VerifiedAgreement,
    record: &Record,
    purpose: &str,
    class: Class,
) -> Option<Bound> {
    let policy = PolicySet::parse(WIDEST).unwrap();
    let partner = &partner("bravo", agreement);
    let ask = |&action: &Action| {
        let class = Some(class);
        let decision = policy.decide(&Request {
            action,
            partner,
            record,
            purpose,
            class,
            urgency: None,
            now: NOW,
        });
        match decision {
            Decision::Allow(_) => None,
            Decision::Deny(denial) => match denial.explain() {
                [Reason { field: None, cause: Cause::Outside(bound), .. }] => Some(*bound),
                _ => panic!("{denial:?}"),
            },
        }
    };
    let found: BTreeSet<_> = Action::ALL.iter().map(ask).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

const WIDEST: &str = r#"
    @id("everything") permit (principal, action in [
        Action::"match", Action::"confirm", Action::"alert", Action::"answer", Action::"onward"
    ], resource);
    @id("kind") permit (principal, action == Action::"disclose", resource)
    when { context.field == Field::"kind" };
"#;

#[test]
fn no_rule_exceeds_the_agreement() {
    let ended = agreed(|agreement| agreement.not_after = NOW - 1);
    let drill = agreed(|agreement| agreement.mode = Mode::Exercise);
    let usual = record(|_| {});
    let exercise = record(|content| content.exercise = Exercise::Exercise);
    let payment = record(|content| content.kind = RecordKind::SuspiciousTransaction);
    let document = Class::Document;
    let cases = [
        (&*LIVE, &usual, PURPOSE, document, None),
        (&ended, &usual, PURPOSE, document, Some(Bound::AgreementNotActive)),
        (&drill, &usual, PURPOSE, document, Some(Bound::Exercise)),
        (&drill, &exercise, PURPOSE, document, None),
        (&LIVE, &exercise, PURPOSE, document, Some(Bound::Exercise)),
        (&LIVE, &usual, "tourism", document, Some(Bound::Purpose)),
        (&LIVE, &usual, PURPOSE, Class::Account, Some(Bound::Class)),
        (&LIVE, &payment, PURPOSE, document, Some(Bound::RecordKind)),
    ];
    for (agreement, record, purpose, class, expect) in cases {
        assert_eq!(stopped(agreement, record, purpose, class), expect);
    }
}

#[test]
fn no_rule_exceeds_the_marks_or_the_life_of_the_record() {
    let to = |name: &'static str| {
        move |content: &mut Content| {
            content.handling.releasable_to = vec![Country::parse(name).unwrap()];
        }
    };
    let border = |content: &mut Content| {
        content.handling.purposes = vec!["border_control".into()];
    };
    let old = |content: &mut Content| (content.review_on, content.expires_on) = (NOW, NOW);
    let cases = [
        (change(to("NOR")), None),
        (change(to("DEU")), Some(Bound::Audience)),
        (change(border), Some(Bound::RecordPurpose)),
        (change(old), Some(Bound::Expired)),
    ];
    for (edit, expect) in cases {
        assert_eq!(stopped(&LIVE, &record(edit), PURPOSE, Class::Document), expect);
    }
}

#[test]
fn the_remaining_bounds() {
    let all = r#"@id("all") permit (principal, action in [
        Action::"match", Action::"confirm", Action::"alert", Action::"answer", Action::"onward"
    ], resource);"#;
    let policy = PolicySet::parse(all).unwrap();
    let code = |decision| match decision {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(denial.code()),
    };
    let controlled = record(|content| {
        content.handling.originator_control = OriginatorControl::Controlled;
    });
    assert_eq!(code(decide(&policy, "bravo", &controlled, Action::Answer)), None);
    let onward = decide(&policy, "bravo", &controlled, Action::Onward);
    assert_eq!(code(onward), Some(DenialCode::Handling));

    let open = record(|_| {});
    let bravo = partner("bravo", &LIVE);
    let ask = |partner, class, now| {
        let (action, purpose) = (Action::Match, PURPOSE);
        let request =
            Request { action, partner, record: &open, purpose, class, urgency: None, now };
        code(policy.decide(&request))
    };
    // Without a class nobody can say whose budget a match would come from.
    assert_eq!(ask(&bravo, None, NOW), Some(DenialCode::Agreement));
    assert_eq!(ask(&bravo, Some(Class::Document), NOW), None);
    // What was remembered does not outlive the agreement.
    let later = NOW + 301 * DAY;
    assert_eq!(ask(&bravo, Some(Class::Document), later), Some(DenialCode::Agreement));
    let stranger = PartnerContext { node: NodeId::from_bytes([1; 32]), ..bravo };
    assert_eq!(ask(&stranger, Some(Class::Document), NOW), Some(DenialCode::Agreement));
}

#[test]
fn a_rule_that_errs_denies_even_what_another_permits() {
    let text = r#"
        @id("kind") permit (principal, action == Action::"disclose", resource)
        when { context.field in [Field::"kind", Field::"title"] };
        @id("overflows") forbid (principal, action == Action::"disclose", resource)
        when { context.field == Field::"title" && resource.credibility + 9223372036854775807 > 0 };
    "#;
    let policy = PolicySet::parse(text).unwrap();
    let record = record(|_| {});
    assert_eq!(granted(&policy, "bravo", &record), [Field::Kind]);
    let Decision::Allow(grant) = decide(&policy, "bravo", &record, Action::Disclose) else {
        panic!("denied");
    };
    let title = grant.explain().iter().find(|reason| reason.field == Some(Field::Title)).unwrap();
    assert_eq!(
        (title.cause, title.rules.as_slice()),
        (Cause::RuleError, &["overflows".to_owned()][..])
    );
}

#[test]
fn rules_may_look_at_the_time_and_at_one_record() {
    let record = record(|_| {});
    let text = format!(
        r#"
        @id("until") permit (principal, action == Action::"match", resource)
        when {{ context.now < datetime("2026-09-21T13:20:00Z") }};
        @id("not-this-one") forbid (principal, action == Action::"confirm", resource)
        when {{ resource == Record::"{}" }};
        @id("others") permit (principal, action == Action::"confirm", resource);
        "#,
        record.id()
    );
    let policy = PolicySet::parse(&text).unwrap();
    let bravo = partner("bravo", &LIVE);
    let ask = |action, record, now| {
        let class = Some(Class::Document);
        let request = Request {
            action,
            partner: &bravo,
            record,
            purpose: PURPOSE,
            class,
            urgency: None,
            now,
        };
        matches!(policy.decide(&request), Decision::Allow(_))
    };
    // NOW is 2026-09-21T14:13:20Z.
    let limit = NOW - 53 * 60 - 20;
    assert!(ask(Action::Match, &record, limit - 1));
    assert!(!ask(Action::Match, &record, limit));
    assert!(!ask(Action::Confirm, &record, NOW));
    let other = Record::generate(record.content().clone(), NOW, [1; 32]).unwrap();
    assert!(ask(Action::Confirm, &other, NOW));
}

#[test]
fn every_attribute_is_there_with_the_type_of_the_schema() {
    let record = record(|content| {
        content.handling.releasable_to = vec![Country::parse("NOR").unwrap()];
        content.handling.purposes = vec![PURPOSE.to_owned()];
        content.handling.originator_control = OriginatorControl::Controlled;
        content.evaluation = "B2".parse().unwrap();
        content.subjects.truncate(1);
        content.subjects[0].kind = symbolon_record::SubjectKind::Vessel;
        content.subjects[0].countries = vec![Country::parse("TUR").unwrap()];
        content.origin = *crate::world::node().as_bytes();
    });
    let holds = [
        "principal == Partner::\"bravo\"",
        "principal.country == Country::\"NOR\"",
        "resource.kind == RecordKind::\"licence_denial\"",
        "resource.tlp == Tlp::\"green\"",
        "resource.releasable_to == [Country::\"NOR\"]",
        "resource.originator_controlled",
        "resource.purposes == [Purpose::\"licensing\"]",
        "resource.subject_kinds == [SubjectKind::\"vessel\"]",
        "resource.countries == [Country::\"TUR\"]",
        "resource.reliability == Reliability::\"B\"",
        "resource.credibility == 2",
        "resource.source_kind == SourceKind::\"open\"",
        "!resource.exercise",
        "!resource.disputed",
        "resource.from_partner",
        "context.purpose == Purpose::\"licensing\"",
        "context.class == Class::\"document\"",
        "context.now == datetime(\"2026-09-21T14:13:00Z\")",
    ];
    for rule in holds {
        let head = "permit (principal, action == Action::\"match\", resource)";
        let policy = PolicySet::parse(&format!("@id(\"a\") {head} when {{ {rule} }};")).unwrap();
        let decision = decide(&policy, "bravo", &record, Action::Match);
        assert!(matches!(decision, Decision::Allow(_)), "{rule}: {decision:?}");
        let denies = format!("@id(\"a\") {head} when {{ !({rule}) }};");
        let decision = decide(&PolicySet::parse(&denies).unwrap(), "bravo", &record, Action::Match);
        let Decision::Deny(denial) = decision else { panic!("allowed: {rule}") };
        assert_eq!(denial.code(), DenialCode::NoRule, "{rule}");
    }
}
