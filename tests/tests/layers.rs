//! The arrows between crates, compared with the layers of spec/architecture.md#layers.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;

/// Every package and its layer. A new package or a new arrow is entered here on purpose.
const LAYERS: &[(&str, u8)] = &[
    ("symbolon-codec", 0),
    ("symbolon-ident", 1),
    ("symbolon-tlog", 1),
    ("symbolon-record", 2),
    ("symbolon-oprf", 2),
    ("symbolon-psi", 2),
    ("symbolon-trust", 2),
    ("symbolon-verify", 2),
    ("symbolon-policy", 3),
    ("symbolon-disclosure", 4),
    ("symbolon-audit", 5),
    ("symbolon-protocol", 6),
    ("symbolon-store", 6),
    ("symbolon-interop", 6),
    ("symbolon-desk", 7),
    ("symbolon-web", 8),
    ("symbolon", 9),
    ("symbolon-tests", 10),
];

/// The pure layers: no runtime, no logging, no clock, no operating system randomness.
const PURE_LAYER_MAX: u8 = 5;
const IMPURE: &[&str] = &["tokio", "tracing", "rand", "getrandom", "rusqlite", "axum", "quinn"];

#[test]
fn a_crate_uses_only_lower_layers() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let metadata = symbolon_tests::metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), layers.len(), "packages of the workspace and of this list");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let layer = *layers.get(name).unwrap_or_else(|| panic!("{name} has no layer"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let is_dev = dependency["kind"] == "dev";
            if let Some(used_layer) = layers.get(used) {
                assert!(*used_layer < layer, "{name} ({layer}) must not use {used} ({used_layer})");
            }
            let is_pure = layer <= PURE_LAYER_MAX || name == "symbolon-protocol";
            assert!(is_dev || !is_pure || !IMPURE.contains(&used), "{name} must not use {used}");
        }
    }
}

#[test]
fn every_package_takes_the_house_lints() {
    for manifest in symbolon_tests::files(".", "toml") {
        if manifest.file_name().unwrap() == "Cargo.toml" {
            let text = std::fs::read_to_string(&manifest).unwrap();
            let is_outside = text.contains("[workspace]");
            let is_own = text.contains("[lints]\nworkspace = true")
                || text.contains("name = \"symbolon-psi\"")
                    && has_the_lints_of_the_workspace(&text);
            assert!(is_outside || is_own, "{} lacks the workspace lints", manifest.display());
        }
    }
}

/// Cargo takes all lints of the workspace or none. The one package with a file of kernels repeats
/// them, and denies `unsafe_code` where the workspace forbids it: a file can state an exception.
fn has_the_lints_of_the_workspace(text: &str) -> bool {
    let workspace = std::fs::read_to_string(symbolon_tests::root().join("Cargo.toml")).unwrap();
    let (_, lints) = workspace.split_once("[workspace.lints.rust]").unwrap();
    let (lints, _) = lints.split_once("[profile").unwrap();
    let mut rules = lints.lines().filter(|line| !line.starts_with('#') && line.contains(" = "));
    rules.all(|rule| text.contains(&rule.replace("\"forbid\"", "\"deny\"")))
}
