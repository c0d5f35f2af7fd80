//! `symbolon courier`: writes what waits for a partner to one file, and reads such a file.
//!
//! Implements spec/relay.md#courier-file.
//!
//! Invariants: a file stands under its name only when it is whole; what is read is handed to the
//! node piece by piece, in its order, and only as far as its manifest goes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use clap::Subcommand;
use serde::Serialize;
use symbolon_desk::api::*;
use symbolon_web::Line;

use super::commands::Runner;
use super::output::{number, table, time};
use super::progress::Progress as Bar;
use super::tables::row;
use crate::exit::{Exit, Failure};

/// The first line of every courier file.
const MAGIC: &[u8] = b"symbolon/1 courier\n";
/// One envelope in a file, in bytes.
const ENVELOPE_BYTES_MAX: usize = 526_336;
/// Envelopes handed to the node at once, and their bytes unless one alone has more.
const PIECE_ENVELOPES: usize = 64;
const PIECE_BYTES: usize = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Courier {
    /// Writes everything that waits for a partner to a file. It goes on waiting until the partner
    /// has acknowledged it, so a file that is lost is made good by the next.
    Write {
        /// Partner.
        partner: String,
        /// Where the file goes.
        #[arg(long)]
        out: PathBuf,
        /// What is a drill, in place of what is real.
        #[arg(long)]
        exercise: bool,
    },
    /// Takes what a partner's file holds. The same file again is harmless.
    Read {
        /// The file.
        file: PathBuf,
    },
}

/// What a file that was written holds.
#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    partner: String,
    exercise: bool,
    envelopes: u64,
    first: u64,
    next: u64,
    bytes: u64,
    expires: u64,
    more: bool,
}

/// What became of a file that was read.
#[derive(Debug, Default, Serialize)]
struct Taken {
    partner: String,
    exercise: bool,
    envelopes: u64,
    applied: u64,
    repeated: u64,
    ahead: u64,
    refused: u64,
    /// Envelopes that the manifest names and that are not here as it names them.
    missing: u64,
    /// Place of the first statement that the file should hold, and the place behind the last.
    first: u64,
    next: u64,
    /// Place that this node awaits in the partner's stream.
    awaited: u64,
    /// What is wrong with the file, where something is.
    problem: Option<String>,
    /// What to ask the partner for.
    ask_for: Option<String>,
}

impl Runner {
    pub(super) async fn courier(&self, command: Courier) -> Result<(), Failure> {
        match command {
            Courier::Write { partner, out, exercise } => {
                self.courier_write(partner, &out, exercise).await
            }
            Courier::Read { file } => self.courier_read(&file).await,
        }
    }

    async fn courier_write(
        &self,
        partner: String,
        out: &Path,
        exercise: bool,
    ) -> Result<(), Failure> {
        if out.exists() {
            let message = format!("{} exists", out.display());
            return Err(Failure::invalid(message, "name another file with --out"));
        }
        let begin = CourierBegin { partner: partner.clone(), exercise };
        let begun: CourierBegun = self.call("courier/begin", &begin).await?;
        let name = CourierName { parcel: begun.parcel };
        let unwritable = |_: io::Error| unwritable(out);
        // The manifest comes first and is known last.
        let (pieces_path, whole_path) = (beside(out, "pieces"), beside(out, "part"));
        let _left = [Remove(&pieces_path), Remove(&whole_path)];
        let mut pieces = BufWriter::new(fresh(&pieces_path).map_err(unwritable)?);
        let mut bar = Bar::new(self.out.is_json());
        let mut done = 0;
        loop {
            let piece: CourierPiece = self.call("courier/piece", &name).await?;
            if piece.envelopes.is_empty() {
                break;
            }
            for text in &piece.envelopes {
                framed(&mut pieces, &decoded(text)?).map_err(unwritable)?;
            }
            done += piece.envelopes.len() as u64;
            step(&mut bar, "writing", done, begun.statements.max(done));
        }
        bar.finish()?;
        let closed: CourierClosed = self.call("courier/close", &name).await?;
        let written = || -> io::Result<u64> {
            let mut pieces = pieces.into_inner().map_err(io::IntoInnerError::into_error)?;
            pieces.rewind()?;
            let mut whole = BufWriter::new(fresh(&whole_path)?);
            whole.write_all(MAGIC)?;
            framed(&mut whole, &Base64::decode_vec(&closed.manifest).map_err(io::Error::other)?)?;
            io::copy(&mut pieces, &mut whole)?;
            let whole = whole.into_inner().map_err(io::IntoInnerError::into_error)?;
            whole.sync_all()?;
            std::fs::rename(&whole_path, out)?;
            let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
            // Not every medium can sync a folder; the file itself is there.
            let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|it| it.sync_all());
            Ok(whole.metadata()?.len())
        };
        let bytes = written().map_err(unwritable)?;
        let written = Written {
            file: out.to_path_buf(),
            partner,
            exercise,
            envelopes: closed.envelopes,
            first: closed.first,
            next: closed.next,
            bytes,
            expires: closed.expires,
            more: begun.more,
        };
        self.out.show(&written, people_written);
        Ok(())
    }

    async fn courier_read(&self, path: &Path) -> Result<(), Failure> {
        let unreadable = |_: io::Error| {
            let message = format!("{} cannot be read", path.display());
            Failure::invalid(message, "look at its rights and at the medium")
        };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut magic = [0; MAGIC.len()];
        let is_ours = file.read_exact(&mut magic).is_ok() && magic == MAGIC;
        let manifest = if is_ours { envelope(&mut file).map_err(unreadable)? } else { Next::End };
        let Next::Envelope(manifest) = manifest else {
            let message = format!("{} is no courier file, or only its beginning", path.display());
            return Err(Failure::invalid(message, "nothing was taken; take the whole file"));
        };
        let open = CourierOpen { manifest: Base64::encode_string(&manifest) };
        let opened: CourierOpened = self.call("courier/open", &open).await?;
        let mut taken = Taken {
            partner: opened.partner.clone(),
            exercise: opened.exercise,
            envelopes: opened.envelopes,
            first: opened.first,
            next: opened.next,
            awaited: opened.awaited,
            ..Taken::default()
        };
        let mut bar = Bar::new(self.out.is_json());
        let read = self.courier_take(&mut file, &opened, &mut taken, &mut bar).await;
        bar.finish()?;
        let read = read?;
        taken.missing = opened.envelopes - read;
        if taken.ahead > 0 || taken.awaited < taken.next {
            taken.ask_for = Some(format!(
                "a new file of {}, from place {} on: 'symbolon courier write' there",
                taken.partner, taken.awaited
            ));
        } else if taken.missing > 0 {
            let again = "a new file of {}: 'symbolon courier write' there";
            taken.ask_for = Some(again.replace("{}", &taken.partner));
        }
        self.out.show(&taken, people_taken);
        match &taken.problem {
            None if taken.ahead == 0 && taken.refused == 0 => Ok(()),
            None => {
                let message = "not everything in the file could be applied";
                Err(Failure::new(Exit::CheckFailed, message, "see what to ask the partner for"))
            }
            Some(problem) => {
                let remedy = "what came before it was taken; see what to ask the partner for";
                Err(Failure::new(Exit::CheckFailed, problem.clone(), remedy))
            }
        }
    }

    /// Hands the envelopes to the node as far as they are those of the manifest; gives how many.
    async fn courier_take(
        &self,
        file: &mut impl Read,
        opened: &CourierOpened,
        taken: &mut Taken,
        bar: &mut Bar,
    ) -> Result<u64, Failure> {
        let mut index = 0;
        while taken.problem.is_none() && index < opened.envelopes {
            let (mut envelopes, mut bytes) = (Vec::new(), 0);
            while envelopes.len() < PIECE_ENVELOPES
                && bytes < PIECE_BYTES
                && index + (envelopes.len() as u64) < opened.envelopes
            {
                // A medium that fails in the middle is a file that ends there.
                match envelope(file).unwrap_or(Next::Cut) {
                    Next::Envelope(one) => {
                        bytes += one.len();
                        envelopes.push(Base64::encode_string(&one));
                    }
                    Next::End | Next::Cut => {
                        taken.problem = Some("the file ends before its last envelope".to_owned());
                        break;
                    }
                }
            }
            if envelopes.is_empty() {
                break;
            }
            let count = envelopes.len() as u64;
            let take = CourierTake { parcel: opened.parcel.clone(), index, envelopes };
            let piece: CourierTaken = self.call("courier/take", &take).await?;
            taken.applied += piece.applied;
            taken.repeated += piece.repeated;
            taken.ahead += piece.ahead;
            taken.refused += piece.refused;
            taken.awaited = piece.awaited;
            index = piece.broken.unwrap_or(index + count);
            if piece.broken.is_some() {
                let number = index + 1;
                taken.problem =
                    Some(format!("envelope {number} is not the one that the manifest names"));
            }
            step(bar, "reading", index, opened.envelopes);
        }
        if taken.problem.is_none() && !matches!(envelope(file), Ok(Next::End)) {
            taken.problem = Some("the file goes on behind its last envelope".to_owned());
        }
        Ok(index)
    }
}

/// What follows in a file.
enum Next {
    Envelope(Vec<u8>),
    /// The file ends where an envelope could begin.
    End,
    /// It ends within one, or announces one that cannot be.
    Cut,
}

fn envelope(file: &mut impl Read) -> io::Result<Next> {
    let mut length = Vec::new();
    file.take(4).read_to_end(&mut length)?;
    let Some(length) = length.first_chunk::<4>() else {
        return Ok(if length.is_empty() { Next::End } else { Next::Cut });
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length == 0 || length > ENVELOPE_BYTES_MAX {
        return Ok(Next::Cut);
    }
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes)?;
    Ok(if bytes.len() == length { Next::Envelope(bytes) } else { Next::Cut })
}

fn framed(out: &mut impl Write, envelope: &[u8]) -> io::Result<()> {
    let length = u32::try_from(envelope.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(envelope)
}

fn decoded(text: &str) -> Result<Vec<u8>, Failure> {
    Base64::decode_vec(text).map_err(|_| {
        let remedy = "use the same version of symbolon for the node and for this command";
        Failure::new(Exit::Internal, "the node's answer cannot be read", remedy)
    })
}

/// Removes a file when it is no longer needed, whatever became of it.
struct Remove<'a>(&'a Path);

impl Drop for Remove<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// A name beside `out`, in the same folder, so that the file can be given its own name at once.
fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.to_path_buf();
    name.as_mut_os_string().push(format!(".{}.{ending}", std::process::id()));
    name
}

fn fresh(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(|error| {
        match error.kind() {
            ErrorKind::AlreadyExists => io::Error::other("left by a command that was killed"),
            _ => error,
        }
    })
}

fn unwritable(out: &Path) -> Failure {
    Failure::invalid(
        format!("{} cannot be written", out.display()),
        "look at the folder's rights and space; nothing is lost, write it again",
    )
}

fn step(bar: &mut Bar, stage: &str, done: u64, total: u64) {
    let progress = Progress { stage: stage.to_owned(), done, total: Some(total) };
    bar.line(Line::Progress(progress));
}

fn banner(exercise: bool) -> &'static str {
    if exercise { "EXERCISE EXERCISE EXERCISE: not live\n" } else { "" }
}

fn places(first: u64, next: u64) -> String {
    if next > first { format!("{first} to {}", next - 1) } else { "none".to_owned() }
}

fn people_written(written: &Written) -> String {
    let rows = [
        row(["file", &written.file.display().to_string()]),
        row(["for", &written.partner]),
        row(["envelopes", &number(written.envelopes)]),
        row(["places", &places(written.first, written.next)]),
        row(["bytes", &number(written.bytes)]),
        row(["readable until", &time(written.expires)]),
    ];
    let more = if written.more {
        "More waits than one file holds: write another when this one is acknowledged.\n"
    } else {
        ""
    };
    format!(
        "{}{}{more}It goes on waiting until {} has acknowledged it.\n",
        banner(written.exercise),
        table(&rows),
        written.partner
    )
}

fn people_taken(taken: &Taken) -> String {
    let mut rows = vec![
        row(["from", &taken.partner]),
        row(["envelopes", &number(taken.envelopes)]),
        row(["places", &places(taken.first, taken.next)]),
        row(["applied", &number(taken.applied)]),
        row(["repeated", &number(taken.repeated)]),
        row(["ahead", &number(taken.ahead)]),
        row(["refused", &number(taken.refused)]),
        row(["missing", &number(taken.missing)]),
    ];
    rows.extend(taken.problem.iter().map(|problem| row(["problem", problem])));
    rows.extend(taken.ask_for.iter().map(|what| row(["ask for", what])));
    let next = format!(
        "'symbolon courier write {}' makes the file with the acknowledgements.\n",
        taken.partner
    );
    format!("{}{}{next}", banner(taken.exercise), table(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_where_it_is_cut_and_ends_where_it_ends() {
        let mut bytes = Vec::new();
        framed(&mut bytes, b"one").unwrap();
        framed(&mut bytes, b"two").unwrap();
        let mut file = bytes.as_slice();
        for expected in [b"one", b"two"] {
            assert!(matches!(envelope(&mut file).unwrap(), Next::Envelope(one) if one == expected));
        }
        assert!(matches!(envelope(&mut file).unwrap(), Next::End));
        for cut in (1..14).filter(|cut| *cut != 7) {
            let mut file = &bytes[..cut];
            while let Next::Envelope(_) = envelope(&mut file).unwrap() {}
            assert!(file.is_empty());
        }
        for length in [0_u32, 526_337, u32::MAX] {
            let bytes = [&length.to_be_bytes()[..], &[7; 64]].concat();
            assert!(matches!(envelope(&mut bytes.as_slice()).unwrap(), Next::Cut), "{length}");
        }
    }
}
