//! `symbolon-verify`: checks one bundle and says what it proves. Reads one file, writes at most
//! one.
//!
//! Implements spec/evidence.md#program.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use symbolon_verify::limits::BUNDLE_BYTES_MAX;
use symbolon_verify::{Exit, Mode, Refused, Report, Root, Verified, verify};

const USAGE: &str = "\
symbolon-verify BUNDLE [--root WORDS-OR-HEX ...] [--html FILE] [--json]

Checks an evidence bundle offline and says what it proves.
  --root WORDS-OR-HEX  a root that a node here must have, as its twelve words in one argument or as
                       64 hexadecimal digits; give one for every node that speaks in the bundle
  --html FILE          writes the index to a new file, to be read or printed
  --json               writes the result as one JSON object
Exit codes: 0 holds, 1 the result could not be written, 2 command line or file not usable,
3 no bundle of a known form, 4 holds but under another root, 6 does not hold.
";

/// What the command line says.
#[derive(Default)]
struct Arguments {
    bundle: Option<PathBuf>,
    roots: Vec<Root>,
    html: Option<PathBuf>,
    json: bool,
    help: bool,
}

fn main() -> ExitCode {
    let (text, exit) = match parse(std::env::args_os().skip(1)) {
        Ok(arguments) if arguments.help => (USAGE.to_owned(), None),
        Ok(arguments) => run(&arguments),
        Err(message) => (format!("{message}\n{USAGE}"), Some(Exit::Invalid)),
    };
    let written = match exit {
        Some(Exit::Invalid) => io::stderr().lock().write_all(text.as_bytes()),
        _ => io::stdout().lock().write_all(text.as_bytes()),
    };
    match (written, exit) {
        (Ok(()), None) => ExitCode::SUCCESS,
        (Ok(()), Some(exit)) => ExitCode::from(exit as u8),
        (Err(_), _) => ExitCode::from(Exit::Internal as u8),
    }
}

fn parse(mut words: impl Iterator<Item = std::ffi::OsString>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--json") => arguments.json = true,
            Some("--help" | "-h") => arguments.help = true,
            Some("--html") => {
                let file = words.next().ok_or("--html needs the name of a file")?;
                arguments.html = Some(PathBuf::from(file));
            }
            Some("--root") => {
                let text = words.next().ok_or("--root needs twelve words or 64 digits")?;
                let root = text.to_str().and_then(Root::parse);
                arguments.roots.push(root.ok_or(
                    "a root is twelve words of the list in one argument, or 64 hexadecimal digits",
                )?);
            }
            Some(option) if option.starts_with("--") => {
                return Err("there is no such option".to_owned());
            }
            _ if arguments.bundle.is_none() => arguments.bundle = Some(PathBuf::from(word)),
            _ => return Err("there is more than one bundle".to_owned()),
        }
    }
    if arguments.bundle.is_none() && !arguments.help {
        return Err("no bundle is named".to_owned());
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> (String, Option<Exit>) {
    let bytes = match arguments.bundle.as_ref().map(read) {
        Some(Ok(bytes)) => bytes,
        _ => return ("the bundle cannot be read\n".to_owned(), Some(Exit::Invalid)),
    };
    let verified = match verify(&bytes) {
        Ok(verified) => verified,
        Err(refused) => return (refusal(&refused, arguments.json), Some(refused.reason().exit())),
    };
    if !arguments.roots.is_empty()
        && let Err(refused) = verified.compare_roots(&arguments.roots)
    {
        return (refusal(&refused, arguments.json), Some(refused.reason().exit()));
    }
    if let Some(file) = &arguments.html
        && write_new(file, verified.page()).is_err()
    {
        let text = "the index is not written: the file exists or its folder is not writable\n";
        return (text.to_owned(), Some(Exit::Invalid));
    }
    let are_compared = !arguments.roots.is_empty();
    if arguments.json {
        (as_json(&verified, are_compared), None)
    } else {
        (as_text(&verified, are_compared), None)
    }
}

/// At most one byte more than a bundle may have.
fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_new(path: &PathBuf, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn refusal(refused: &Refused, is_json: bool) -> String {
    let reason = refused.reason();
    if is_json {
        let value = json!({
            "holds": false,
            "reason": reason.code(),
            "words": reason.words(),
            "part": refused.part(),
        });
        return format!("{value}\n");
    }
    format!("DOES NOT HOLD: {}\n{}: {}\n", reason.words(), reason.code(), refused.part())
}

fn as_json(verified: &Verified, are_compared: bool) -> String {
    let Report { sections, proved, not_proved } = verified.report();
    let roots: Vec<_> = verified.parties().map(|node| node.to_string()).collect();
    let compared = if are_compared { "expected" } else { "not_compared" };
    let value = json!({
        "holds": true,
        "mode": verified.mode().as_str(),
        "roots": compared,
        "nodes": roots,
        "sections": sections,
        "proved": proved,
        "not_proved": not_proved,
    });
    format!("{value}\n")
}

fn as_text(verified: &Verified, are_compared: bool) -> String {
    let report = verified.report();
    let mut text = String::new();
    if verified.mode() == Mode::Exercise {
        text.push_str("EXERCISE\n\n");
    }
    for section in &report.sections {
        text.push_str(&format!("{}\n", section.title));
        for (label, value) in &section.rows {
            text.push_str(&format!("  {label}: {value}\n"));
        }
        text.push('\n');
    }
    for (title, lines) in [("PROVED", &report.proved), ("NOT PROVED", &report.not_proved)] {
        text.push_str(&format!("{title}\n"));
        for line in lines {
            text.push_str(&format!("  - {line}\n"));
        }
        text.push('\n');
    }
    if verified.mode() == Mode::Exercise {
        text.push_str("EXERCISE: all of this was said in a drill and is about nothing real.\n");
    }
    text.push_str(if are_compared {
        "HOLDS, and the roots are the ones that were given.\n"
    } else {
        "HOLDS, if the words above are those of the nodes: no root was given to compare with. Have \
         each state read its twelve words over a channel that you trust, or give them with --root.\n"
    });
    text
}
