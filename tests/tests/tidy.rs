//! Manners that no compiler checks: sizes, file openings, spec anchors, words that do not belong.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use symbolon_tests::{files, root};

const FILE_LINES_MAX: usize = 600;
const LINE_COLUMNS_MAX: usize = 100;
/// A text may run on: splitting it would hide it from a search.
const TEXT_LINE_COLUMNS_MAX: usize = 120;

#[test]
fn files_stay_readable() {
    let mut wrong = Vec::new();
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if text.lines().count() > FILE_LINES_MAX {
            wrong.push(format!("{name}: {} lines", text.lines().count()));
        }
        if !text.starts_with("//! ") && !text.starts_with("#![no_main]") {
            wrong.push(format!("{name}: does not open with //! and one sentence"));
        }
        for (index, line) in text.lines().enumerate() {
            let has_text = line.contains('"');
            let columns_max = if has_text { TEXT_LINE_COLUMNS_MAX } else { LINE_COLUMNS_MAX };
            if line.chars().count() > columns_max {
                wrong.push(format!("{name}:{}: over {columns_max} columns", index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn module_names_say_what_they_hold() {
    let banned =
        ["mod.rs", "utils.rs", "util.rs", "common.rs", "helpers.rs", "types.rs", "misc.rs"];
    for path in sources() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!banned.contains(&name), "{}", path.display());
    }
}

#[test]
fn references_into_the_spec_exist() {
    let anchors = anchors();
    let mut wrong = BTreeSet::new();
    let mut found = 0;
    let texts = sources().into_iter().chain(files("spec", "md")).chain([root().join("README.md")]);
    for path in texts {
        let text = std::fs::read_to_string(&path).unwrap();
        for (start, _) in text.match_indices("spec/") {
            let reference: String = text[start + 5..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.#/".contains(*c))
                .collect();
            let reference = reference.trim_end_matches('.');
            let (file, anchor) = reference.split_once('#').unwrap_or((reference, ""));
            if !file.ends_with(".md") && !file.ends_with(".cddl") {
                continue;
            }
            found += 1;
            let known = anchors.get(file);
            if !known.is_some_and(|known| anchor.is_empty() || known.contains(anchor)) {
                wrong.insert(format!("{}: spec/{reference}", path.display()));
            }
        }
    }
    assert!(found > 20, "the search found only {found} references");
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn tests_that_the_threat_model_names_exist() {
    let text = std::fs::read_to_string(root().join("spec/threat-model.md")).unwrap();
    let (mut file, mut found) = (String::new(), 0);
    for quoted in text.split('`').skip(1).step_by(2) {
        let Some((path, name)) = quoted.split_once("::") else { continue };
        if let Some(rest) = path.strip_prefix("quic/") {
            file = format!("node/src/quic/tests/{rest}");
        } else if let Some(rest) = path.strip_prefix("pair/") {
            file = format!("protocol/tests/pair/{rest}");
        } else if path.ends_with(".rs") {
            file = path.to_owned();
        } else if !path.is_empty() {
            continue;
        }
        let source = std::fs::read_to_string(root().join(&file)).unwrap();
        assert!(source.contains(&format!("fn {name}(")), "there is no test {file}::{name}");
        found += 1;
    }
    assert!(found > 30, "the search found only {found} tests");
}

#[test]
fn the_api_of_the_spec_is_the_router() {
    let between = |text: &str, open: &str, close: char| -> BTreeSet<String> {
        let starts = text.match_indices(open).map(|(at, _)| at + open.len());
        starts.filter_map(|at| text[at..].split_once(close)).map(|(name, _)| name.into()).collect()
    };
    let router = std::fs::read_to_string(root().join("crates/web/src/router.rs")).unwrap();
    let routes = between(&router, "\"/v1/", '"');
    let spec = std::fs::read_to_string(root().join("spec/api.md")).unwrap();
    let table = spec.split_once("| call | does |").unwrap().1;
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let documented =
        rows.flat_map(|cell| between(cell, "`", '`')).filter(|name| name.contains('/'));
    let documented: BTreeSet<String> = documented.collect();
    assert!(documented.len() > 20, "{documented:?}");
    assert_eq!(documented, routes);
}

#[test]
fn the_repository_speaks_of_the_product_alone() {
    // Spelled in halves, or this list would find itself.
    let banned = [
        concat!("crates", ".io"),
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("github", ".com/rust-lang"),
    ];
    let texts = sources().into_iter().chain(files("spec", "md")).chain(files(".", "toml"));
    for path in texts.chain([root().join("README.md")]) {
        if path.ends_with("tests/tests/tidy.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for word in banned {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

fn sources() -> Vec<std::path::PathBuf> {
    files(".", "rs")
}

/// The anchors of every heading under spec/, by file, in the usual heading-to-anchor rule.
fn anchors() -> BTreeMap<String, BTreeSet<String>> {
    let mut anchors = BTreeMap::new();
    for path in files("spec", "md").into_iter().chain(files("spec", "cddl")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let set = text.lines().filter_map(heading).map(slug).collect();
        let name = path.strip_prefix(root().join("spec")).unwrap_or(Path::new(""));
        anchors.insert(name.display().to_string(), set);
    }
    anchors
}

fn heading(line: &str) -> Option<&str> {
    line.starts_with('#').then(|| line.trim_start_matches('#').trim())
}

fn slug(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
