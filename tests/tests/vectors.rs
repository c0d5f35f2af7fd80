//! The committed vectors of spec/vectors/symbolon, compared with what the code makes today.

use serde_json::Value;
use symbolon_tests::{corpus, evidence, root, vectors};
use symbolon_verify::{Root, verify};

#[test]
fn the_committed_vectors_are_what_the_code_makes() {
    for vector in vectors::all() {
        let path = root().join(format!("spec/vectors/symbolon/{}.json", vector.name));
        let file = std::fs::read(&path).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(file["made"], vector.made, "{}; tests/vectors writes them", vector.name);
        assert!((vector.verify)(&file["signed"]), "{}", vector.name);
    }
}

#[test]
fn the_committed_bundles_verify_and_say_what_is_committed() {
    let folder = root().join("spec/vectors/evidence");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let json = |name: &str| serde_json::from_slice::<Value>(&read(name)).unwrap();
    let matters: [(&str, &[&str]); 2] =
        [("", &evidence::BUNDLES), ("alert-", &evidence::ALERT_BUNDLES)];
    for (matter, bundles) in matters {
        let expected = json(&format!("{matter}expected.json"));
        let roots = expected["roots"].as_array().unwrap().iter().flat_map(|root| {
            let words = root["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
            let words = words.collect::<Vec<_>>().join(" ");
            [root["fingerprint"].as_str().unwrap().to_owned(), words]
        });
        let roots: Vec<Root> = roots.map(|text| Root::parse(&text).unwrap()).collect();
        for name in bundles {
            let bundle = read(&format!("{name}.evidence"));
            let said = evidence::report(&bundle);
            assert_eq!(said, expected[name], "{name}; tests/vectors writes it");
            verify(&bundle).unwrap().compare_roots(&roots).unwrap();
        }
        let first = read(&format!("{}.evidence", bundles[0]));
        let changes = json(&format!("{matter}refused.json"));
        for change in changes.as_array().unwrap() {
            let said = evidence::report(&evidence::changed(&first, change));
            assert_eq!(said["reason"], change["reason"], "{change}");
        }
        assert!(changes.as_array().unwrap().len() > 15);
    }
    assert_eq!(verify(&read("asker.evidence")).unwrap().page().as_bytes(), read("asker.html"));
}

#[test]
fn every_fuzz_target_has_a_corpus() {
    let folder = root().join("tests/fuzz");
    for target in symbolon_tests::files("tests/fuzz/fuzz_targets", "rs") {
        let name = target.file_stem().unwrap();
        assert!(folder.join("corpus").join(name).is_dir(), "{name:?} has no corpus");
    }
    for seed in corpus::seeds() {
        let path = folder.join("corpus").join(seed.target).join(&seed.name);
        assert!(path.exists(), "{}; tests/vectors writes it", path.display());
    }
}
