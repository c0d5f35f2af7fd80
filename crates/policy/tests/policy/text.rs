//! Policy texts, each named after what is wrong with it, and the line that the officer reads.

use symbolon_policy::{PolicyError, PolicySet, SAMPLE, limits};
use symbolon_record::Field;

/// One faulty text, the words its one-line cause must hold.
const FAULTS: &[(&str, &str, &str)] = &[
    ("not the language", "@id(\"a\")\npermit (principal, action, resource) when { ;", "line 2: "),
    (
        "rule without a name",
        "\npermit (principal, action, resource);",
        "line 2: a rule needs a name",
    ),
    (
        "name with capitals",
        r#"@id("Rule A") permit (principal, action == Action::"match", resource);"#,
        "line 1: a rule needs a name",
    ),
    (
        "two rules of one name",
        "@id(\"a\") permit (principal, action == Action::\"match\", resource);\n\
         @id(\"a\") permit (principal, action == Action::\"alert\", resource);",
        "line 2: a second rule is named a",
    ),
    ("template", r#"@id("a") permit (principal == ?principal, action, resource);"#, "slots"),
    (
        "unknown action",
        r#"@id("a") permit (principal, action == Action::"mach", resource);"#,
        "line 1, rule a: unrecognized action",
    ),
    (
        "unknown attribute",
        "@id(\"a\")\nforbid (principal, action, resource)\nwhen { resource.colour == 1 };",
        "line 3, rule a: ",
    ),
    (
        "attribute of another action",
        r#"@id("a") forbid (principal, action == Action::"match", resource)
           when { context.field == Field::"kind" };"#,
        "line 2, rule a: ",
    ),
    (
        "unknown field",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { context.field == Field::"narative" };"#,
        "line 2, rule a: ",
    ),
    (
        "unknown label",
        r#"@id("a") forbid (principal, action, resource) when { resource.tlp == Tlp::"white" };"#,
        "line 1, rule a: ",
    ),
    (
        "comparison across types",
        r#"@id("a") forbid (principal, action, resource) when { resource.tlp == "red" };"#,
        "line 1, rule a: ",
    ),
    (
        "rule that can never apply",
        r#"@id("a") forbid (principal, action, resource) when { false };"#,
        "line 1, rule a: ",
    ),
    (
        "unknown country",
        r#"@id("a") forbid (principal, action, resource)
           when { principal.country == Country::"Norway" };"#,
        "line 1, rule a: Country::\"Norway\" cannot exist",
    ),
    (
        "impossible partner name",
        r#"@id("a") forbid (principal == Partner::"Bravo Two", action, resource);"#,
        "Partner::\"Bravo Two\" cannot exist",
    ),
    (
        "impossible record",
        r#"@id("a") forbid (principal, action, resource == Record::"7");"#,
        "Record::\"7\" cannot exist",
    ),
    (
        "impossible purpose",
        r#"@id("a") forbid (principal, action, resource)
           when { context.purpose == Purpose::"Because!" };"#,
        "Purpose::\"Because!\" cannot exist",
    ),
    (
        "misspelt annotation",
        r#"@id("a") @aproval("two") permit (principal, action == Action::"answer", resource);"#,
        "line 1, rule a: unknown annotation @aproval",
    ),
    (
        "unknown approval",
        r#"@id("a") @approval("three") permit (principal, action == Action::"answer", resource);"#,
        "@approval does not know this value",
    ),
    (
        "unknown release",
        r#"@id("a") @release("soon") permit (principal, action == Action::"alert", resource);"#,
        "@release does not know this value",
    ),
    (
        "release of what is no alert",
        r#"@id("a") @release("automatic") permit (principal, action == Action::"answer", resource);"#,
        "@release has no effect outside a permit of alerts",
    ),
    (
        "unknown transform",
        r#"@id("a") @transform("date:week") permit (principal, action == Action::"disclose", resource)
           when { context.field == Field::"event_when" };"#,
        "@transform does not know this value",
    ),
    (
        "month and year",
        r#"@id("a") @transform("date:year date:month")
           permit (principal, action == Action::"disclose", resource)
           when { context.field == Field::"event_when" };"#,
        "@transform does not know this value",
    ),
    (
        "transform outside a disclosure",
        r#"@id("a") @transform("date:year") permit (principal, action == Action::"match", resource);"#,
        "@transform has no effect outside a permit to disclose",
    ),
    (
        "obligation on a forbid",
        r#"@id("a") @approval("two") forbid (principal, action, resource);"#,
        "@approval has no effect on a forbid",
    ),
    (
        "transform on prose",
        r#"@id("a") @transform("date:year") permit (principal, action == Action::"disclose", resource)
           when { context.field in [Field::"event_when", Field::"narrative"] };"#,
        "date:year cannot be applied to narrative, which is prose",
    ),
    (
        "disclosure of everything",
        r#"@id("a") permit (principal, action == Action::"disclose", resource);"#,
        "line 1, rule a: a permit to disclose must name its fields",
    ),
    (
        "every action, hence disclosure of everything",
        r#"@id("a") permit (principal, action, resource);"#,
        "line 1, rule a: a permit to disclose must name its fields",
    ),
    (
        "fields by exclusion",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { context.field != Field::"narrative" };"#,
        "a permit to disclose must name its fields",
    ),
    (
        "fields named on one side of an or",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { context.field == Field::"kind" || resource.disputed };"#,
        "a permit to disclose must name its fields",
    ),
    (
        "source field for everybody",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { [Field::"kind", Field::"source_kind"].contains(context.field) };"#,
        "a permit on source_kind must name its partner",
    ),
    (
        "source field for a country",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { context.field == Field::"source_reference" && principal.country == Country::"NOR" };"#,
        "a permit on source_reference must name its partner",
    ),
    (
        "partner of a source field named outside the scope",
        r#"@id("a") permit (principal, action == Action::"disclose", resource)
           when { principal == Partner::"bravo" && context.field == Field::"source_description" };"#,
        "a permit on source_description must name its partner",
    ),
];

#[test]
fn each_fault_is_told_in_one_line() {
    for (fault, text, expect) in FAULTS {
        let error = match PolicySet::parse(text) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("accepted: {fault}"),
        };
        assert!(error.contains(expect), "{fault}: {error}");
        assert!(!error.contains('\n'), "{fault}: {error}");
    }
}

#[test]
fn check_tells_every_fault() {
    let text = r#"
        @id("a") @aproval("two") permit (principal, action == Action::"answer", resource);
        @id("b") permit (principal, action == Action::"disclose", resource);
        @id("c") forbid (principal, action, resource) when { resource.tlp == Tlp::"white" };
    "#;
    let found = PolicySet::check(text);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(PolicySet::check(SAMPLE), []);
    assert_eq!(PolicySet::check(""), []);
}

#[test]
fn limits_hold() {
    let long = " ".repeat(limits::POLICY_BYTES_MAX + 1);
    let bytes_max = limits::POLICY_BYTES_MAX;
    assert_eq!(PolicySet::check(&long), [PolicyError::TooLong { bytes_max }]);
    let rule =
        |n| format!("@id(\"r{n}\") permit (principal, action == Action::\"match\", resource);");
    let many: String = (0..=limits::RULES_COUNT_MAX).map(rule).collect();
    let count_max = limits::RULES_COUNT_MAX;
    assert_eq!(PolicySet::check(&many), [PolicyError::TooMany { count_max }]);
}

#[test]
fn text_digest_and_rules_are_those_of_the_file() {
    let policy = PolicySet::parse(SAMPLE).unwrap();
    assert_eq!(policy.text(), SAMPLE);
    assert_eq!(policy.digest(), symbolon_codec::sha256("symbolon/1 policy", &[SAMPLE.as_bytes()]));
    let in_order =
        SAMPLE.lines().filter_map(|line| line.strip_prefix("@id(\"")?.strip_suffix("\")"));
    assert_eq!(policy.rules(), in_order.collect::<Vec<_>>());
}

#[test]
fn the_schema_knows_every_name_of_the_record() {
    use symbolon_ident::Class;
    use symbolon_policy::{Action, SCHEMA};
    use symbolon_record::{RecordKind, Reliability, SourceKind, SubjectKind, Tlp};
    let listed = |entity: &str| -> Vec<&str> {
        let start = SCHEMA.find(&format!("entity {entity} enum [")).unwrap();
        let list = SCHEMA[start..].split(['[', ']']).nth(1).unwrap();
        list.split(',').map(|name| name.trim().trim_matches('"')).collect()
    };
    let check = |entity: &str, names: Vec<&str>| assert_eq!(listed(entity), names, "{entity}");
    check("Field", Field::ALL.iter().map(|v| v.as_str()).collect());
    check("RecordKind", RecordKind::ALL.iter().map(|v| v.as_str()).collect());
    check("Tlp", Tlp::ALL.iter().map(|v| v.as_str()).collect());
    check("SubjectKind", SubjectKind::ALL.iter().map(|v| v.as_str()).collect());
    check("Reliability", Reliability::ALL.iter().map(|v| v.as_str()).collect());
    check("SourceKind", SourceKind::ALL.iter().map(|v| v.as_str()).collect());
    check("Class", Class::ALL.iter().map(|v| v.as_str()).collect());
    for action in Action::ALL {
        let text =
            format!("@id(\"a\") forbid (principal, action == Action::\"{action}\", resource);");
        assert_eq!(PolicySet::check(&text), [], "{action}");
    }
}
