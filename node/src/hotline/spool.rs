//! The spool: one file for each alert, on the disk before anything is sent. No network here.
//!
//! Implements spec/hotlines.md#spool.
//!
//! Invariant: a file is removed only after its receipt, or its refusal, is on the disk.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_web::ErrorLine;

use super::limits::{SPOOL_FILES_MAX, SPOOLED_BYTES_MAX};

/// The only version so far.
const VERSION: u8 = 1;
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Digits of Unix milliseconds: enough until the year 2286, so that names sort by time.
const TIME_DIGITS: usize = 13;
/// After so long a file that was never finished is swept away.
const UNFINISHED_MS_MAX: u64 = 86_400_000;

/// What became of an alert, by the ending of its file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It is to be sent.
    Waiting,
    /// The node refused it; a person must look.
    Refused,
    /// The node has it.
    Sent,
}

impl Stage {
    const fn ending(self) -> &'static str {
        match self {
            Self::Waiting => "alert",
            Self::Refused => "refused",
            Self::Sent => "receipt",
        }
    }

    fn of(ending: &str) -> Option<Stage> {
        [Self::Waiting, Self::Refused, Self::Sent].into_iter().find(|one| one.ending() == ending)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Sent => "sent",
        }
    }
}

/// Names one alert of a spool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spooled {
    /// Unix milliseconds, then the idempotency key.
    name: String,
}

impl Spooled {
    fn parse(name: &str) -> Option<Spooled> {
        let (time, key) = name.split_once('-')?;
        let is_time = time.len() == TIME_DIGITS && time.bytes().all(|c| c.is_ascii_digit());
        let is_key = key.len() == 32 && key.bytes().all(|c| c.is_ascii_hexdigit());
        (is_time && is_key).then(|| Spooled { name: name.to_owned() })
    }

    /// When it was made, Unix milliseconds.
    pub(crate) fn made_at_ms(&self) -> u64 {
        self.name.split_once('-').and_then(|(time, _)| time.parse().ok()).unwrap_or_default()
    }

    /// Its idempotency key.
    pub(crate) fn key(&self) -> &str {
        self.name.split_once('-').map_or("", |(_, key)| key)
    }
}

/// An alert as it lies in its file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u8,
    /// The node and the hotline that it was made for.
    node: String,
    hotline: String,
    /// The body of the call, the same at every attempt.
    request: Value,
    /// Why the node refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<ErrorLine>,
}

/// What the node said when it had an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Receipt {
    version: u8,
    /// The node's name.
    pub(crate) node: String,
    /// The hotline.
    pub(crate) hotline: String,
    /// The idempotency key that it was sent with.
    pub(crate) idempotency_key: String,
    /// When the answer came, Unix seconds.
    pub(crate) received_at: u64,
    /// The node's answer: id, state, log position and leaf hash.
    pub(crate) answer: Value,
}

/// Why a spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The disk, or its rights.
    #[error("the spool {0} cannot be read or written")]
    File(PathBuf, #[source] io::Error),
    /// Too much waits.
    #[error("{SPOOL_FILES_MAX} alerts wait in the spool already")]
    Full,
    /// A file is not what it should be.
    #[error("the file {0} of the spool cannot be read")]
    Damaged(PathBuf),
    /// It was made for another node or hotline.
    #[error("the file {0} of the spool belongs to another hotline")]
    Foreign(PathBuf),
    /// There is no such alert.
    #[error("there is no such alert in the spool")]
    Missing,
}

/// A folder of alerts for one node from one hotline.
pub(crate) struct Spool {
    folder: PathBuf,
    node: String,
    hotline: String,
}

impl Spool {
    /// Opens the folder; makes it where it is not there.
    pub(crate) fn open(
        folder: &Path,
        (node, hotline): (&str, &str),
        now_ms: u64,
    ) -> Result<Spool, SpoolError> {
        let spool = Spool {
            folder: folder.to_path_buf(),
            node: node.to_owned(),
            hotline: hotline.to_owned(),
        };
        let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
        made.map_err(|error| spool.failed(error))?;
        for name in spool.names()? {
            let unfinished = name.strip_prefix('.').and_then(|name| name.strip_suffix(".new"));
            let old = unfinished.and_then(|name| Spooled::parse(name.rsplit_once('.')?.0));
            if old.is_some_and(|old| old.made_at_ms() + UNFINISHED_MS_MAX < now_ms) {
                let _ = std::fs::remove_file(folder.join(name));
            }
        }
        Ok(spool)
    }

    /// Where it lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the body of a call; when this returns it is on the disk.
    pub(crate) fn put(
        &self,
        key: &[u8; 16],
        now_ms: u64,
        request: Value,
    ) -> Result<Spooled, SpoolError> {
        if self.list(Stage::Waiting)?.len() >= SPOOL_FILES_MAX {
            return Err(SpoolError::Full);
        }
        let spooled = Spooled { name: format!("{now_ms:0TIME_DIGITS$}-{}", hex::encode(key)) };
        let (node, hotline) = (self.node.clone(), self.hotline.clone());
        let kept = Kept { version: VERSION, node, hotline, request, refusal: None };
        self.write(&spooled, Stage::Waiting, &kept)?;
        Ok(spooled)
    }

    /// All alerts at one stage, the oldest first. What has its receipt is no longer waiting, also
    /// where a kill came between the two.
    pub(crate) fn list(&self, stage: Stage) -> Result<Vec<Spooled>, SpoolError> {
        let mut found: Vec<(Stage, Spooled)> = Vec::new();
        for name in self.names()? {
            let parsed = name.rsplit_once('.');
            if let Some((name, ending)) = parsed
                && let (Some(spooled), Some(stage)) = (Spooled::parse(name), Stage::of(ending))
            {
                found.push((stage, spooled));
            }
        }
        if stage == Stage::Waiting {
            let is_settled = |one: &Spooled| {
                found.iter().any(|(stage, other)| *stage != Stage::Waiting && other == one)
            };
            let settled: Vec<Spooled> = found
                .iter()
                .filter(|(stage, one)| *stage == Stage::Waiting && is_settled(one))
                .map(|(_, one)| one.clone())
                .collect();
            for one in &settled {
                self.remove(one, Stage::Waiting)?;
            }
            found.retain(|(stage, one)| *stage != Stage::Waiting || !settled.contains(one));
        }
        let mut list: Vec<Spooled> =
            found.into_iter().filter(|(at, _)| *at == stage).map(|(_, one)| one).collect();
        list.sort_unstable();
        Ok(list)
    }

    /// The body of the call; nothing where another process has settled it meanwhile.
    pub(crate) fn request(&self, spooled: &Spooled) -> Result<Option<Value>, SpoolError> {
        let kept = self.read::<Kept>(spooled, Stage::Waiting)?;
        match kept {
            Some(kept) if kept.node != self.node || kept.hotline != self.hotline => {
                Err(SpoolError::Foreign(self.path(spooled, Stage::Waiting)))
            }
            kept => Ok(kept.map(|kept| kept.request)),
        }
    }

    /// Why an alert was refused.
    pub(crate) fn refusal(&self, spooled: &Spooled) -> Result<Option<ErrorLine>, SpoolError> {
        Ok(self.read::<Kept>(spooled, Stage::Refused)?.and_then(|kept| kept.refusal))
    }

    /// The receipt of an alert.
    pub(crate) fn receipt(&self, spooled: &Spooled) -> Result<Option<Receipt>, SpoolError> {
        self.read(spooled, Stage::Sent)
    }

    /// The node has it: keeps the receipt, then lets the alert itself go.
    pub(crate) fn sent(
        &self,
        spooled: &Spooled,
        answer: Value,
        received_at: u64,
    ) -> Result<Receipt, SpoolError> {
        let receipt = Receipt {
            version: VERSION,
            node: self.node.clone(),
            hotline: self.hotline.clone(),
            idempotency_key: spooled.key().to_owned(),
            received_at,
            answer,
        };
        self.write(spooled, Stage::Sent, &receipt)?;
        self.remove(spooled, Stage::Waiting)?;
        Ok(receipt)
    }

    /// The node refused it: keeps it with the reason, out of the way of the others.
    pub(crate) fn refused(&self, spooled: &Spooled, why: &ErrorLine) -> Result<(), SpoolError> {
        let Some(kept) = self.read::<Kept>(spooled, Stage::Waiting)? else { return Ok(()) };
        let kept = Kept { refusal: Some(why.clone()), ..kept };
        self.write(spooled, Stage::Refused, &kept)?;
        self.remove(spooled, Stage::Waiting)
    }

    /// Removes an alert that waits or was refused, by its key or the beginning of it.
    pub(crate) fn discard(&self, key: &str) -> Result<Spooled, SpoolError> {
        for stage in [Stage::Waiting, Stage::Refused] {
            let list = self.list(stage)?;
            let mut fitting = list.into_iter().filter(|one| one.key().starts_with(key));
            if let (Some(found), None) = (fitting.next(), fitting.next()) {
                self.remove(&found, stage)?;
                return Ok(found);
            }
        }
        Err(SpoolError::Missing)
    }

    fn path(&self, spooled: &Spooled, stage: Stage) -> PathBuf {
        self.folder.join(format!("{}.{}", spooled.name, stage.ending()))
    }

    fn names(&self) -> Result<Vec<String>, SpoolError> {
        let read = std::fs::read_dir(&self.folder).map_err(|error| self.failed(error))?;
        let names = read.map(|entry| entry.map(|entry| entry.file_name()));
        let names: io::Result<Vec<_>> = names.collect();
        let names = names.map_err(|error| self.failed(error))?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    fn read<T: for<'a> Deserialize<'a>>(
        &self,
        spooled: &Spooled,
        stage: Stage,
    ) -> Result<Option<T>, SpoolError> {
        let path = self.path(spooled, stage);
        let mut bytes = Vec::new();
        let read =
            File::open(&path).and_then(|file| file.take(SPOOLED_BYTES_MAX).read_to_end(&mut bytes));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| SpoolError::Damaged(path))
    }

    /// Whole or not at all: written beside its place, made durable, moved there, made durable.
    fn write(
        &self,
        spooled: &Spooled,
        stage: Stage,
        what: &impl Serialize,
    ) -> Result<(), SpoolError> {
        let path = self.path(spooled, stage);
        let beside = self.folder.join(format!(".{}.{}.new", spooled.name, stage.ending()));
        let bytes = serde_json::to_vec(what).unwrap_or_default();
        // What a kill left unfinished.
        let _ = std::fs::remove_file(&beside);
        let made = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&beside);
        made.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| {
                let _ = std::fs::remove_file(&beside);
                self.failed(error)
            })
    }

    fn remove(&self, spooled: &Spooled, stage: Stage) -> Result<(), SpoolError> {
        match std::fs::remove_file(self.path(spooled, stage)) {
            Ok(()) => {}
            // Another process was as fast.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed(error)),
        }
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> SpoolError {
        SpoolError::File(self.folder.clone(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn opened(folder: &Path) -> Spool {
        Spool::open(folder, ("north", "harbour"), NOW).unwrap()
    }

    #[test]
    fn alerts_wait_in_order_until_their_receipt_is_there() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("spool");
        let spool = opened(&folder);
        let later = spool.put(&[1; 16], NOW + 1, json!({ "form": 2 })).unwrap();
        let first = spool.put(&[9; 16], NOW, json!({ "form": 1 })).unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), [first.clone(), later.clone()]);
        assert_eq!(spool.request(&first).unwrap(), Some(json!({ "form": 1 })));
        for entry in std::fs::read_dir(&folder).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, FILE_MODE);
        }
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, FOLDER_MODE);

        let receipt = spool.sent(&first, json!({ "log_index": 7 }), NOW / 1000).unwrap();
        assert_eq!(receipt.idempotency_key, "09".repeat(16));
        assert_eq!(spool.receipt(&first).unwrap().unwrap().answer["log_index"], 7);
        assert_eq!(spool.list(Stage::Waiting).unwrap(), std::slice::from_ref(&later));
        let why = ErrorLine {
            code: "invalid".into(),
            message: "no".into(),
            remedy: "yes".into(),
            retry_seconds: None,
        };
        spool.refused(&later, &why).unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), []);
        assert_eq!(spool.refusal(&later).unwrap().unwrap().message, "no");
        assert!(matches!(spool.discard("77"), Err(SpoolError::Missing)));
        assert_eq!(spool.discard("01").unwrap(), later);
        assert_eq!(spool.list(Stage::Refused).unwrap(), []);
    }

    #[test]
    fn a_kill_between_receipt_and_removal_sends_nothing_again() {
        let place = tempfile::tempdir().unwrap();
        let spool = opened(place.path());
        let one = spool.put(&[1; 16], NOW, json!({})).unwrap();
        let path = spool.path(&one, Stage::Waiting);
        let bytes = std::fs::read(&path).unwrap();
        spool.sent(&one, json!({}), 1).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), []);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_not_its_own_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let spool = opened(place.path());
        for name in ["notes.txt", "1795000000000-zz.alert", ".x.new", "README"] {
            std::fs::write(place.path().join(name), "x").unwrap();
        }
        let unfinished = place.path().join(format!(".{NOW}-{}.alert.new", "ab".repeat(16)));
        std::fs::write(&unfinished, "half").unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), []);
        let one = spool.put(&[1; 16], NOW, json!({})).unwrap();
        let foreign = Spool::open(place.path(), ("south", "harbour"), NOW).unwrap();
        assert!(matches!(foreign.request(&one), Err(SpoolError::Foreign(_))));
        std::fs::write(spool.path(&one, Stage::Waiting), "{").unwrap();
        assert!(matches!(spool.request(&one), Err(SpoolError::Damaged(_))));
        assert!(unfinished.exists(), "somebody may be writing it");
        Spool::open(place.path(), ("north", "harbour"), NOW + 2 * UNFINISHED_MS_MAX).unwrap();
        assert!(!unfinished.exists());
        assert!(place.path().join("notes.txt").exists());
    }
}
