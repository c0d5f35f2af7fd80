//! Other people's tools over an exported log: Go's `sumdb/note` and `tlog`. No product code.

use std::path::Path;
use std::process::Command;

/// Runs the Go program over an exported log; what it says, and whether it is content.
#[must_use]
pub fn go_verify(folder: &Path, vkey: &str) -> (String, bool) {
    let program = crate::root().join("tests/go/verify.go");
    let output = Command::new("go")
        .arg("run")
        .arg(program)
        .arg(folder)
        .arg(vkey)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", folder.with_extension("go"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (said.into_owned(), output.status.success())
}
