//! What holds for every policy and record: forbids win, permits only add, nothing ungranted is in
//! the view, and memory changes no answer.

use proptest::prelude::*;
use symbolon_ident::Class;
use symbolon_policy::{Action, Decision, Grant, PolicySet, Request, SAMPLE, Transform};
use symbolon_record::{Blur, Field, Record, sample};

use crate::world::{LIVE, NOW, PURPOSE, decide, partner, record};

/// A rule from which a valid text can be made.
#[derive(Debug, Clone)]
struct Draft {
    permit: bool,
    partner: Option<&'static str>,
    fields: Vec<Field>,
    condition: &'static str,
    transform: Option<Transform>,
    approval: bool,
}

impl Draft {
    fn text(&self, number: usize) -> String {
        let confined = |field: &Field| -> bool {
            let source = field.is_source() && self.partner.is_none();
            let prose = self.transform.is_some_and(|t| field.under(t) == Blur::Impossible);
            !self.permit || !(source || prose)
        };
        // `kind` keeps the list from becoming empty.
        let fields = self.fields.iter().filter(|f| confined(f)).chain(&[Field::Kind]);
        let fields: Vec<_> = fields.map(|field| format!("Field::\"{field}\"")).collect();
        let effect = if self.permit { "permit" } else { "forbid" };
        let partner = self.partner.map(|name| format!(" == Partner::\"{name}\""));
        let transform = self.transform.filter(|_| self.permit);
        let transform = transform.map(|t| format!("@transform(\"{t}\")"));
        let approval = if self.approval && self.permit { "@approval(\"two\")" } else { "" };
        format!(
            "@id(\"r{number}\") {} {approval} {effect} (principal{}, action == \
             Action::\"disclose\", resource) when {{ context.field in [{}] && ({}) }};\n",
            transform.unwrap_or_default(),
            partner.unwrap_or_default(),
            fields.join(", "),
            self.condition,
        )
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let conditions = [
        "resource.exercise || !resource.exercise",
        "resource.tlp in [Tlp::\"clear\", Tlp::\"green\"]",
        "resource.credibility < 4",
        "principal.country == Country::\"NOR\"",
        "!resource.disputed",
        "resource.credibility + 9223372036854775806 > 0",
    ];
    let transforms = Transform::ALL.iter().copied().map(Some).chain([None, None]);
    (
        prop::bool::weighted(0.8),
        prop::sample::select(vec![None, Some("bravo"), Some("delta")]),
        prop::sample::subsequence(Field::ALL.to_vec(), 1..10),
        prop::sample::select(conditions.to_vec()),
        prop::sample::select(transforms.collect::<Vec<_>>()),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(permit, partner, fields, condition, transform, approval)| Draft {
            permit,
            partner,
            fields,
            condition,
            transform,
            approval,
        })
}

#[expect(clippy::panic, reason = "a draft that gives no valid text is a fault of this file")]
fn policy(drafts: &[Draft]) -> PolicySet {
    let text: String = drafts.iter().enumerate().map(|(n, draft)| draft.text(n)).collect();
    PolicySet::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn live(number: u64) -> Record {
    let sample = sample::content(number);
    record(|content| {
        let expires_on = content.expires_on;
        *content = sample;
        content.exercise = symbolon_record::Exercise::Live;
        content.handling.releasable_to.clear();
        content.handling.purposes.clear();
        content.expires_on = expires_on;
        if content.kind == symbolon_record::RecordKind::SuspiciousTransaction {
            content.kind = symbolon_record::RecordKind::Listing;
        }
    })
}

fn grant(policy: &PolicySet, name: &str, record: &Record) -> Option<Grant> {
    match decide(policy, name, record, Action::Disclose) {
        Decision::Allow(grant) => Some(grant),
        Decision::Deny(_) => None,
    }
}

/// Each field of `less` is in `more`, and no sharper than there.
fn within(less: &Option<Grant>, more: &Option<Grant>) -> bool {
    let fields = |grant: &Option<Grant>| {
        grant.as_ref().map(|grant| grant.fields().to_vec()).unwrap_or_default()
    };
    fields(less).iter().all(|field| {
        let same = |wider: &&symbolon_policy::GrantedField| wider.field == field.field;
        fields(more).iter().find(same).is_some_and(|wider| wider.transforms <= field.transforms)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn taking_a_permit_away_never_shows_more(
        drafts in prop::collection::vec(draft(), 1..6),
        number: u64,
        name in prop::sample::select(vec!["bravo", "delta"]),
    ) {
        let record = live(number);
        let before = grant(&policy(&drafts), name, &record);
        for (index, draft) in drafts.iter().enumerate() {
            let mut fewer = drafts.clone();
            fewer.remove(index);
            let after = grant(&policy(&fewer), name, &record);
            // A permit that errs denies while it is there: its removal is a repair.
            if draft.permit && !draft.condition.contains('+') {
                prop_assert!(within(&after, &before));
            } else if !draft.permit {
                prop_assert!(within(&before, &after));
            }
        }
    }

    #[test]
    fn a_forbid_always_wins(
        drafts in prop::collection::vec(draft(), 1..6),
        forbidden in prop::sample::subsequence(Field::ALL.to_vec(), 1..10),
        number: u64,
    ) {
        let record = live(number);
        let mut drafts = drafts;
        let before = grant(&policy(&drafts), "bravo", &record);
        drafts.insert(0, Draft {
            permit: false,
            partner: None,
            fields: forbidden.clone(),
            condition: "resource.exercise || !resource.exercise",
            transform: None,
            approval: false,
        });
        let after = grant(&policy(&drafts), "bravo", &record);
        prop_assert!(within(&after, &before));
        let left = after.map(|grant| grant.fields().to_vec()).unwrap_or_default();
        prop_assert!(left.iter().all(|granted| !forbidden.contains(&granted.field)));
    }

    #[test]
    fn nothing_that_was_not_granted_is_in_the_view(
        drafts in prop::collection::vec(draft(), 1..6),
        number: u64,
        name in prop::sample::select(vec!["bravo", "delta"]),
    ) {
        let record = live(number);
        let policy = policy(&drafts);
        let Some(grant) = grant(&policy, name, &record) else { return Ok(()) };
        let fields: Vec<_> = grant.fields().iter().map(|granted| granted.field).collect();
        let view = grant.view(&record).unwrap();
        prop_assert!(view.fields().iter().all(|field| fields.contains(field)));
        let bytes = view.encode();
        for (field, marker) in sample::markers(&record) {
            let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
            prop_assert!(!found || fields.contains(&field), "{} in the view", field);
        }
        for field in fields.iter().filter(|field| field.is_source()) {
            let opened = drafts.iter().any(|draft| {
                draft.permit && draft.partner == Some(name) && draft.fields.contains(field)
            });
            prop_assert!(opened, "{} without its own rule", field);
        }
        // What is remembered is what was decided.
        let again = self::grant(&policy, name, &record).unwrap();
        prop_assert_eq!(again.fields(), grant.fields());
        prop_assert_eq!(again.explain(), grant.explain());
    }
}

#[test]
fn ten_thousand_records_ask_few_questions() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    let bravo = partner("bravo", &LIVE);
    let mut allowed = 0;
    for number in 0..10_000 {
        let record = sample::record(number).unwrap();
        let decision = policy.decide(&Request {
            action: Action::Match,
            partner: &bravo,
            record: &record,
            purpose: PURPOSE,
            class: Some(Class::Document),
            urgency: None,
            now: NOW + number,
        });
        allowed += u32::from(matches!(decision, Decision::Allow(_)));
    }
    // The sample's rules for `match` look at kind, label, kind of source and class: at most
    // 13 · 5 · 8 signatures, whatever the number of records.
    assert!(policy.asked() <= 13 * 5 * 8, "{} asks", policy.asked());
    assert!(allowed > 1_000, "{allowed} allowed");
    assert_eq!(policy.remembered() as u64, policy.asked());
}

#[test]
fn memory_is_bounded() {
    let text = r#"@id("a") permit (principal, action == Action::"match", resource)
        when { context.now > datetime("2026-01-01") };"#;
    let policy = PolicySet::parse(text).unwrap();
    let bravo = partner("bravo", &LIVE);
    let record = record(|_| {});
    let limit = symbolon_policy::limits::MEMO_ENTRIES_MAX as u64;
    for minute in 0..3 * limit {
        let now = NOW + 60 * minute;
        let class = Some(Class::Document);
        let action = Action::Match;
        let request = Request {
            action,
            partner: &bravo,
            record: &record,
            purpose: PURPOSE,
            class,
            urgency: None,
            now,
        };
        assert!(matches!(policy.decide(&request), Decision::Allow(_)));
    }
    assert!(policy.remembered() as u64 <= 2 * limit);
}
