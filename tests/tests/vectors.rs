//! The committed vectors of spec/vectors/symbolon, compared with what the code makes today.

use serde_json::Value;
use symbolon_tests::{corpus, root, vectors};

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
