//! `symbolon evidence build`: a bundle and its index as two new files.
//!
//! Implements spec/evidence.md#making.
//!
//! Invariant: nothing that exists is overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use symbolon_desk::api::{EvidenceBuild, EvidenceBuilt, EvidenceNode};

use super::output::{number, table};
use super::{Evidence, Output, Progress};
use crate::client::Client;
use crate::exit::{Exit, Failure};

/// What a bundle is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Matter {
    /// Id of a hit.
    #[arg(long)]
    pub(crate) hit: Option<String>,
    /// A case: all of its hits that were confirmed.
    #[arg(long)]
    pub(crate) case: Option<String>,
    /// Hash of a statement, or its first 16 digits: for the side that was asked.
    #[arg(long)]
    pub(crate) statement: Option<String>,
    /// Id of an alert, sent or received; ID@PARTNER where several have used it.
    #[arg(long)]
    pub(crate) alert: Option<String>,
}

/// What of the matter is shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// The partner with which an alert is shown, where it went to several.
    #[arg(long, requires = "alert")]
    pub(crate) partner: Option<String>,
    /// Also shows what the queries asked about, where they asked about this alone.
    #[arg(long)]
    pub(crate) query_contents: bool,
    /// Also shows acknowledgements of the alert that speak of other alerts too.
    #[arg(long, requires = "alert")]
    pub(crate) shared_acknowledgements: bool,
    /// Also shows, at the origin, what the log says became of the alert: it tells how many nodes
    /// have it.
    #[arg(long, requires = "alert")]
    pub(crate) alert_entries: bool,
}

/// What a build came to, without the bundle itself.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    bundle: PathBuf,
    index: PathBuf,
    bytes: u64,
    exercise: bool,
    statements: u64,
    leaves: u64,
    nodes: Vec<EvidenceNode>,
    cosigned_by: Vec<String>,
    left_out: Vec<(String, String)>,
    proved: Vec<String>,
    not_proved: Vec<String>,
}

/// Runs one command about evidence.
pub(crate) async fn evidence(
    client: &Client,
    command: Evidence,
    out: Output,
) -> Result<(), Failure> {
    let Evidence::Build { matter, reason, output, shown } = command;
    let Matter { hit, case, statement, alert } = matter;
    let Shown { partner, query_contents, shared_acknowledgements, alert_entries } = shown;
    let bundle = with_ending(&output, "evidence");
    let index = with_ending(&output, "html");
    for path in [&bundle, &index] {
        if path.exists() {
            return Err(there(path));
        }
    }
    let request = EvidenceBuild {
        hit,
        case,
        statement,
        alert,
        partner,
        reason,
        query_contents,
        shared_acknowledgements,
        alert_entries,
    };
    let mut progress = Progress::new(out.is_json());
    let mut line = |line| progress.line(line);
    let built = client.call("/v1/evidence/build", &request, &mut line).await;
    progress.finish()?;
    let built: EvidenceBuilt = built?;
    let bytes = hex::decode(&built.bundle).map_err(|_| {
        Failure::new(Exit::Internal, "the node's bundle cannot be read", "report this as a defect")
    })?;
    write_new(&bundle, &bytes)?;
    write_new(&index, built.page.as_bytes())?;
    let written = Written {
        bundle,
        index,
        bytes: bytes.len() as u64,
        exercise: built.exercise,
        statements: built.statements,
        leaves: built.leaves,
        nodes: built.nodes,
        cosigned_by: built.cosigned_by,
        left_out: built.left_out,
        proved: built.proved,
        not_proved: built.not_proved,
    };
    out.show(&written, people);
    Ok(())
}

/// `NAME`, `NAME.evidence` and `NAME.html` name the same two files.
fn with_ending(output: &Path, ending: &str) -> PathBuf {
    let is_ours = output.extension().is_some_and(|own| own == "evidence" || own == "html");
    let mut name = if is_ours { output.with_extension("") } else { output.to_path_buf() };
    name.as_mut_os_string().push(format!(".{ending}"));
    name
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => there(path),
        _ => Failure::invalid(
            format!("{} cannot be written", path.display()),
            "look at the folder's rights and space",
        ),
    })
}

fn there(path: &Path) -> Failure {
    Failure::invalid(format!("{} exists", path.display()), "name another file with --output")
}

fn people(written: &Written) -> String {
    let cell = |text: &str| text.to_owned();
    let mut rows = vec![
        vec![cell("bundle"), written.bundle.display().to_string()],
        vec![cell("index"), written.index.display().to_string()],
        vec![cell("statements"), number(written.statements)],
        vec![cell("bytes"), number(written.bytes)],
        vec![cell("checkpoint"), format!("{} leaves", number(written.leaves))],
    ];
    let cosigned = match written.cosigned_by.as_slice() {
        [] => "nobody; 'symbolon audit cosign' asks partners".to_owned(),
        names => names.join(", "),
    };
    rows.push(vec![cell("cosigned by"), cosigned]);
    for node in &written.nodes {
        rows.push(vec![format!("words of {}", node.name), node.words.join(" ")]);
    }
    for (what, why) in &written.left_out {
        rows.push(vec![cell("left out"), format!("{what}; {why}")]);
    }
    let exercise = if written.exercise { "EXERCISE\n" } else { "" };
    format!(
        "{exercise}{}\nThe bundle verifies. Anybody checks it offline with 'symbolon-verify {}'.\n",
        table(&rows),
        written.bundle.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_gives_two_files() {
        for name in ["out/t-7", "out/t-7.evidence", "out/t-7.html"] {
            assert_eq!(with_ending(Path::new(name), "evidence"), Path::new("out/t-7.evidence"));
            assert_eq!(with_ending(Path::new(name), "html"), Path::new("out/t-7.html"));
        }
        let dotted = with_ending(Path::new("case-12.2026"), "html");
        assert_eq!(dotted, Path::new("case-12.2026.html"));
    }
}
