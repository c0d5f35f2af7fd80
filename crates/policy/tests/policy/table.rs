//! The sample policy by a table of (record, partner, action) and what comes of it; then the bounds.

use symbolon_ident::{Class, Country};
use symbolon_policy::{
    Action, Bound, Cause, Decision, DenialCode, Effect, PartnerContext, PolicyError, PolicySet,
    Request, SAMPLE, Transform,
};
use symbolon_record::{
    Content, Dispute, Exercise, Field, OriginatorControl, RecordKind, SourceKind, Tlp,
};
use symbolon_trust::{Mode, NodeId};

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
const GOODS: [Field; 4] = [
    Field::ItemDescriptions,
    Field::ItemQuantities,
    Field::EventWhat,
    Field::LegalBasis,
];
const NEIGHBOUR: [Field; 1] = [Field::Narrative];
const BRAVO_SOURCE: [Field; 2] = [Field::SourceKind, Field::SourceReference];

#[test]
fn the_sample_discloses_by_marks_country_and_partner() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let tlp = |tlp| move |content: &mut Content| content.handling.tlp = tlp;
    let disputed = |content: &mut Content| {
        content.dispute = Some(Dispute {
            since: NOW,
            reason: "not so".into(),
        });
    };
    let industry = |content: &mut Content| content.source.kind = SourceKind::Industry;
    let cases: [(&str, &str, Box<dyn Fn(&mut Content)>, &[&[Field]]); 8] = [
        (
            "green, neighbour",
            "bravo",
            Box::new(|_| {}),
            &[&FRAME, &SUBJECTS, &GOODS, &NEIGHBOUR, &BRAVO_SOURCE],
        ),
        (
            "green, other",
            "delta",
            Box::new(|_| {}),
            &[&FRAME, &SUBJECTS, &GOODS],
        ),
        (
            "amber",
            "bravo",
            Box::new(tlp(Tlp::Amber)),
            &[&FRAME, &SUBJECTS, &NEIGHBOUR, &BRAVO_SOURCE],
        ),
        (
            "amber strict",
            "delta",
            Box::new(tlp(Tlp::AmberStrict)),
            &[&FRAME, &SUBJECTS],
        ),
        ("red", "bravo", Box::new(tlp(Tlp::Red)), &[]),
        ("contested", "bravo", Box::new(disputed), &[&FRAME]),
        (
            "source not open",
            "bravo",
            Box::new(industry),
            &[&FRAME, &SUBJECTS, &GOODS, &NEIGHBOUR],
        ),
        (
            "clear",
            "delta",
            Box::new(tlp(Tlp::Clear)),
            &[&FRAME, &SUBJECTS, &GOODS],
        ),
    ];
    for (case, name, change, expect) in cases {
        let mut expect = expect.concat();
        expect.sort_unstable();
        assert_eq!(granted(&policy, name, &record(change)), expect, "{case}");
    }
}

#[test]
fn the_sample_decides_whole_actions() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let cases: [(&str, Action, fn(&mut Content), Option<DenialCode>); 10] = [
        ("shared kind", Action::Match, |_| {}, None),
        ("shared kind", Action::Confirm, |_| {}, None),
        (
            "person by paper",
            Action::Match,
            |c| c.kind = RecordKind::PersonOfInterest,
            None,
        ),
        (
            "red",
            Action::Match,
            |c| c.handling.tlp = Tlp::Red,
            Some(DenialCode::Forbidden),
        ),
        (
            "human source",
            Action::Match,
            |c| c.source.kind = SourceKind::Human,
            Some(DenialCode::Forbidden),
        ),
        (
            "kind that is not shared",
            Action::Match,
            |c| c.kind = RecordKind::MaterialOutOfControl,
            Some(DenialCode::NoRule),
        ),
        (
            "loose material",
            Action::Alert,
            |c| c.kind = RecordKind::MaterialOutOfControl,
            None,
        ),
        ("answer", Action::Answer, |_| {}, None),
        (
            "answer above amber",
            Action::Answer,
            |c| c.handling.tlp = Tlp::AmberStrict,
            Some(DenialCode::NeedsApproval),
        ),
        (
            "onward",
            Action::Onward,
            |_| {},
            Some(DenialCode::Forbidden),
        ),
    ];
    for (case, action, change, expect) in cases {
        let outcome = match decide(&policy, "bravo", &record(change), action) {
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
    for (class, expect) in [
        (Class::Document, true),
        (Class::Person, true),
        (Class::Contact, false),
    ] {
        let decision = policy.decide(&Request {
            action: Action::Match,
            partner: &bravo,
            record: &person,
            purpose: PURPOSE,
            class: Some(class),
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
    assert!(
        view.events
            .iter()
            .all(|event| event.when.is_none_or(|when| when.day().is_none()))
    );
    let places = view
        .events
        .iter()
        .flat_map(|event| event.place.iter().chain(&event.route));
    assert!(places.clone().count() > 0 && places.clone().all(|place| place.name.is_none()));

    let other = record.revise(
        self::record(|content| content.title = "other".into())
            .content()
            .clone(),
    );
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
        assert!(
            lines.iter().any(|line| line == expect),
            "{expect} not in {lines:#?}"
        );
    }
    let red = record(|content| content.handling.tlp = Tlp::Red);
    let Decision::Deny(denial) = decide(&policy, "delta", &red, Action::Disclose) else {
        panic!("allowed");
    };
    assert_eq!(denial.code(), DenialCode::Forbidden);
    assert!(denial.explain().iter().all(|reason| {
        reason.effect == Effect::Withheld && reason.rules.contains(&"red-stays-home".to_owned())
    }));
    assert_eq!(
        (denial.record(), denial.version()),
        (red.id(), red.version())
    );
    assert_eq!(
        (denial.policy_digest(), denial.decided_at()),
        (policy.digest(), NOW)
    );
}

#[test]
fn no_rule_exceeds_the_agreement_or_the_marks() {
    let all = r#"
        @id("everything") permit (principal, action in [
            Action::"match", Action::"confirm", Action::"alert", Action::"answer", Action::"onward"
        ], resource);
        @id("kind") permit (principal, action == Action::"disclose", resource)
        when { context.field == Field::"kind" };
    "#;
    let policy = PolicySet::parse(all).unwrap();
    let ended = agreed(|agreement| agreement.not_after = NOW - 1);
    let drill = agreed(|agreement| agreement.mode = Mode::Exercise);
    let lists = |name: &str| Country::parse(name).unwrap();
    let record_of = |change: fn(&mut Content)| record(change);
    let abroad = record(|content| content.handling.releasable_to = vec![lists("DEU")]);
    let here = record(|content| content.handling.releasable_to = vec![lists("NOR")]);
    let usual = Some(Class::Document);
    let cases = [
        (&*LIVE, here, PURPOSE, usual, None),
        (&*LIVE, abroad, PURPOSE, usual, Some(Bound::Audience)),
        (
            &ended,
            record_of(|_| {}),
            PURPOSE,
            usual,
            Some(Bound::AgreementNotActive),
        ),
        (
            &drill,
            record_of(|_| {}),
            PURPOSE,
            usual,
            Some(Bound::Exercise),
        ),
        (
            &drill,
            record_of(|c| c.exercise = Exercise::Exercise),
            PURPOSE,
            usual,
            None,
        ),
        (
            &*LIVE,
            record_of(|c| c.exercise = Exercise::Exercise),
            PURPOSE,
            usual,
            Some(Bound::Exercise),
        ),
        (
            &*LIVE,
            record_of(|_| {}),
            "tourism",
            usual,
            Some(Bound::Purpose),
        ),
        (
            &*LIVE,
            record_of(|_| {}),
            PURPOSE,
            Some(Class::Account),
            Some(Bound::Class),
        ),
        (
            &*LIVE,
            record_of(|c| c.kind = RecordKind::SuspiciousTransaction),
            PURPOSE,
            usual,
            Some(Bound::RecordKind),
        ),
        (
            &*LIVE,
            record_of(|c| (c.review_on, c.expires_on) = (NOW, NOW)),
            PURPOSE,
            usual,
            Some(Bound::Expired),
        ),
        (
            &*LIVE,
            record_of(|c| c.handling.purposes = vec!["border_control".into()]),
            PURPOSE,
            usual,
            Some(Bound::RecordPurpose),
        ),
    ];
    for (agreement, record, purpose, class, expect) in cases {
        let bravo = partner("bravo", agreement);
        for &action in Action::ALL {
            let request = Request {
                action,
                partner: &bravo,
                record: &record,
                purpose,
                class,
                now: NOW,
            };
            let found = match policy.decide(&request) {
                Decision::Allow(_) => None,
                Decision::Deny(denial) => match denial.explain() {
                    [reason] => match reason.cause {
                        Cause::Outside(bound) => Some(bound),
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?}"),
                },
            };
            assert_eq!(found, expect, "{action}");
        }
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
    assert_eq!(
        code(decide(&policy, "bravo", &controlled, Action::Answer)),
        None
    );
    let onward = decide(&policy, "bravo", &controlled, Action::Onward);
    assert_eq!(code(onward), Some(DenialCode::Handling));

    let open = record(|_| {});
    let bravo = partner("bravo", &LIVE);
    let ask = |partner, class, now| {
        let (action, purpose) = (Action::Match, PURPOSE);
        let request = Request {
            action,
            partner,
            record: &open,
            purpose,
            class,
            now,
        };
        code(policy.decide(&request))
    };
    // Without a class nobody can say whose budget a match would come from.
    assert_eq!(ask(&bravo, None, NOW), Some(DenialCode::Agreement));
    assert_eq!(ask(&bravo, Some(Class::Document), NOW), None);
    // What was remembered does not outlive the agreement.
    let later = NOW + 301 * DAY;
    assert_eq!(
        ask(&bravo, Some(Class::Document), later),
        Some(DenialCode::Agreement)
    );
    let stranger = PartnerContext {
        node: NodeId::from_bytes([1; 32]),
        ..bravo
    };
    assert_eq!(
        ask(&stranger, Some(Class::Document), NOW),
        Some(DenialCode::Agreement)
    );
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
    let title = grant
        .explain()
        .iter()
        .find(|reason| reason.field == Some(Field::Title))
        .unwrap();
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
            now,
        };
        matches!(policy.decide(&request), Decision::Allow(_))
    };
    // NOW is 2026-09-21T14:13:20Z.
    let limit = NOW - 53 * 60 - 20;
    assert!(ask(Action::Match, &record, limit - 1));
    assert!(!ask(Action::Match, &record, limit));
    assert!(!ask(Action::Confirm, &record, NOW));
    let other = symbolon_record::Record::generate(record.content().clone(), NOW, [1; 32]).unwrap();
    assert!(ask(Action::Confirm, &other, NOW));
}
