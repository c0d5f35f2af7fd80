//! Writes spec/vectors/symbolon, spec/vectors/evidence and the seed corpus of the fuzz targets;
//! changes nothing that still holds.

#![expect(clippy::indexing_slicing, reason = "in a test a panic is the report")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for developers, where a panic is the report"
)]

use std::path::Path;

use serde_json::{Value, json};
use symbolon_tests::{corpus, evidence, root, vectors};

fn main() {
    let folder = root().join("spec/vectors/symbolon");
    std::fs::create_dir_all(&folder).unwrap();
    for vector in vectors::all() {
        let path = folder.join(format!("{}.json", vector.name));
        let old = std::fs::read(&path).ok();
        let old: Value = old.map_or(Value::Null, |old| serde_json::from_slice(&old).unwrap());
        let holds = !old.is_null() && old["made"] == vector.made && (vector.verify)(&old["signed"]);
        if !holds {
            let content = json!({ "made": vector.made, "signed": vector.signed });
            write(&path, format!("{content:#}\n").as_bytes());
        }
    }
    let folder = root().join("spec/vectors/evidence");
    if !evidence::vectors_hold(&folder, &evidence::BUNDLES) {
        evidence::vectors_write(&folder);
        println!("wrote {}", folder.display());
    }
    if !evidence::vectors_hold(&folder, &evidence::ALERT_BUNDLES) {
        evidence::alert_vectors_write(&folder);
        println!("wrote {}, alerts", folder.display());
    }
    for seed in corpus::seeds() {
        let folder = root().join("tests/fuzz/corpus").join(seed.target);
        let path = folder.join(&seed.name);
        // Signatures differ from run to run; a seed need not be of today.
        if !path.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            write(&path, &seed.bytes);
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    println!("wrote {}", path.display());
}
