//! Rows to drafts: groups, refusals, warnings, and what a mapping may not be.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use symbolon_interop::{Assembled, Groups, InteropError, Mapping, ROW_BYTES_MAX, Severity};

const MAPPING: &str = r#"
format = "csv"
dataset = "test"
group = "ref"

[record]
kind = { value = "listing" }
title = { column = "name" }
reliability = { value = "A" }
credibility = { value = "2" }
tlp = { value = "green" }
source_kind = { value = "open" }
legal_basis = { value = "law" }
review_days = 10
expires_days = 20

[subject]
kind = { value = "person" }
name = { column = "name" }
country = { column = "country" }

[identifier]
kind = { column = "type" }
text = { column = "value" }
issuer = { column = "country" }

[identifier.kinds]
pass = { kind = "passport" }
mail = { kind = "email", issuer = "" }
"#;

fn assemble(mapping: &str, data: &str) -> Vec<Assembled> {
    let mapping = Mapping::parse(mapping).unwrap();
    let mut groups = Groups::open(data.as_bytes(), &mapping).unwrap();
    let columns = groups.columns();
    let mut assembled = Vec::new();
    while let Some(group) = groups.read().unwrap() {
        assembled.push(mapping.assemble(&columns, group, [7; 32], 1_000_000));
    }
    assembled
}

#[test]
fn consecutive_rows_of_one_group_are_one_record() {
    let data = "ref,type,value,name,country\n\
                1,pass,X4079126,Ada Vane,FRA\n\
                1,mail,ada@example.org,Ada M. Vane,FRA\n\
                2,pass,K8812073,Bo Calder,NOR\n";
    let assembled = assemble(MAPPING, data);
    let drafts: Vec<_> = assembled.iter().filter_map(|group| group.draft.as_ref()).collect();
    let [first, second] = drafts.as_slice() else { panic!("two records") };
    assert_eq!(first.external, "test\n1");
    assert_eq!(second.external, "test\n2");
    let subject = first.content.subjects.first().unwrap();
    assert_eq!(subject.names, ["Ada Vane", "Ada M. Vane"]);
    assert_eq!(subject.identifiers.len(), 2);
    assert_eq!(first.content.expires_on, 1_000_000 + 20 * 86_400);
    assert!(first.keys.len() >= 2 && assembled.iter().all(|group| group.problems.is_empty()));
}

#[test]
fn a_bad_row_is_refused_alone_and_its_value_is_not_repeated() {
    let data = "ref,type,value,name,country\n\
                1,pass,N/A,Ada Vane,FRA\n\
                1,fax,4711,Ada Vane,FRA\n\
                1,pass,X4079126,Ada Vane,Atlantis\n\
                1,pass\n\
                2,pass,UNKNOWN,Bo Calder,NOR\n";
    let assembled = assemble(MAPPING, data);
    let problems: Vec<_> = assembled.iter().flat_map(|group| &group.problems).collect();
    let refused = |problem: &&&symbolon_interop::Problem| problem.severity == Severity::Refused;
    let rows: Vec<u64> = problems.iter().filter(refused).map(|problem| problem.row).collect();
    assert_eq!(rows, [5, 2, 3, 6]);
    assert_eq!(assembled.iter().filter(|group| group.draft.is_some()).count(), 1);
    assert_eq!(assembled.iter().map(|group| group.rows).sum::<u64>(), 5);
    for problem in problems {
        for value in ["N/A", "4711", "X4079126", "Vane", "Atlantis", "UNKNOWN"] {
            assert!(!problem.rule.contains(value), "{}", problem.rule);
        }
    }
}

#[test]
fn goods_and_references_are_mapped_like_papers() {
    let mapping = MAPPING
        .replace("mail = ", "box = { kind = \"container\", issuer = \"\" }\nmail = ")
        .replace("mail = ", "source = { kind = \"radioactive_source\" }\nmail = ")
        .replace("mail = ", "licence = { kind = \"export_licence\" }\nmail = ");
    let data = "ref,type,value,name,country\n\
                1,box,CSQU 305438-3,Ada Vane,FRA\n\
                1,box,CSQU 305438-4,Ada Vane,FRA\n\
                1,source,G60|AX1207|137Cs,Ada Vane,Boreal Isotopes Inc\n\
                1,licence,E-2023/004217,Ada Vane,DEU|BAFA\n";
    let assembled = assemble(&mapping, data);
    let group = assembled.first().unwrap();
    let draft = group.draft.as_ref().unwrap();
    assert_eq!(draft.content.subjects.first().unwrap().identifiers.len(), 4);
    let warning = group.problems.iter().find(|problem| problem.rule.contains("ISO 6346")).unwrap();
    assert_eq!((warning.severity, warning.row), (Severity::Warning, 3));
}

#[test]
fn json_lines_give_what_csv_gives() {
    let csv = "ref,type,value,name,country\n1,pass,X4079126,Ada Vane,FRA\n";
    let json = concat!(
        r#"{"ref": 1, "type": "pass", "value": "X4079126", "name": "Ada Vane", "country": "FRA"}"#,
        "\n\n{\"ref\": [1]}\nnot json\n"
    );
    let lines = MAPPING.replace("\"csv\"", "\"json_lines\"");
    let (from_csv, from_json) = (assemble(MAPPING, csv), assemble(&lines, json));
    let content = |list: &[Assembled]| {
        list.iter().find_map(|group| group.draft.as_ref().map(|draft| draft.content.clone()))
    };
    assert!(content(&from_csv).is_some() && content(&from_csv) == content(&from_json));
    let refused = from_json.iter().flat_map(|group| &group.problems);
    assert_eq!(refused.map(|problem| problem.row).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_mapping_is_refused_by_line_and_rule() {
    let cases = [
        (MAPPING.replace("dataset =", "data_set ="), "line 3: unknown field `data_set`"),
        (MAPPING.replace("\"csv\"", "\"secret-word\""), "line 2: a value or the form"),
        (MAPPING.replace("review_days = 10", "review_days = 30"), "review_days is larger"),
        (MAPPING.replace("{ value = \"law\" }", "{}"), "record.legal_basis needs a column"),
        ("x".repeat(70_000), "longer than"),
    ];
    for (mapping, expect) in cases {
        let error = Mapping::parse(&mapping).unwrap_err().to_string();
        assert!(error.contains(expect) && !error.contains("secret-word"), "{error}");
    }
}

#[test]
fn a_file_must_have_the_columns_and_may_not_hide_an_endless_row() {
    let mapping = Mapping::parse(MAPPING).unwrap();
    let missing = Groups::open("ref,type,name,country\n".as_bytes(), &mapping);
    assert!(matches!(missing, Err(InteropError::Column { column, .. }) if column == "value"));
    let endless = format!("ref,type,value,name,country\n1,\"{}", "x".repeat(3 * ROW_BYTES_MAX));
    let mut groups = Groups::open(endless.as_bytes(), &mapping).unwrap();
    assert!(matches!(groups.read(), Err(InteropError::Read(_))));
}
