//! The spool: one file for each alert, on the disk before anything is sent. No network here.
//!
//! Implements spec/hotlines.md#spool.
//!
//! Invariant: a file is removed only after its receipt, or its refusal, is on the disk.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use symbolon_web::ErrorLine;

use super::limits::{CLOCK_AHEAD_MS_MAX, DAY_MS, SPOOL_DAYS, SPOOL_FILES_MAX, SPOOLED_BYTES_MAX};

/// The only version so far.
const VERSION: u8 = 1;
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Digits of Unix milliseconds: enough until the year 2286, so that names sort by time.
const TIME_DIGITS: usize = 13;
/// After so long a file that was never finished is swept away.
const UNFINISHED_MS_MAX: u64 = DAY_MS;

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

/// The call that a file of the spool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Call {
    /// A new alert.
    #[serde(rename = "alert/send")]
    Send,
    /// What an alert says now.
    #[serde(rename = "alert/update")]
    Update,
    /// An alert is taken back.
    #[serde(rename = "alert/withdraw")]
    Withdraw,
}

impl Call {
    /// Its path at the door.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Send => "alert/send",
            Self::Update => "alert/update",
            Self::Withdraw => "alert/withdraw",
        }
    }
}

/// What is to be sent.
#[derive(Clone, PartialEq)]
pub(crate) struct Body {
    pub(crate) call: Call,
    /// The key of the alert's own file, where the call is about one that had no id yet.
    pub(crate) about: Option<String>,
    /// The body of the call but for its idempotency key, which is the file's, and the id of what
    /// it is about: the same at every attempt.
    pub(crate) request: Map<String, Value>,
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

    /// Whether it may be sent without a person: the node still knows its key if it has it already.
    /// Of what comes from the future nobody knows how old it is.
    pub(crate) fn is_sure(&self, now_ms: u64) -> bool {
        let made_at = self.made_at_ms();
        made_at <= now_ms + CLOCK_AHEAD_MS_MAX && now_ms <= made_at + SPOOL_DAYS * DAY_MS
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
    call: Call,
    /// The key of the alert's own file, where the call is about one that had no id yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    request: Map<String, Value>,
    /// Why it was put aside, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<ErrorLine>,
}

/// What the node said when it had an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Receipt {
    version: u8,
    /// The call that was answered.
    pub(crate) call: Call,
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

impl Receipt {
    /// The alert that the node spoke of.
    pub(crate) fn id(&self) -> Option<String> {
        self.answer.get("id").and_then(Value::as_str).map(str::to_owned)
    }
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
    /// What it is about never came to the node.
    #[error("the alert that this change is about is not at the node")]
    Baseless,
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

    /// Keeps a call; when this returns it is on the disk.
    pub(crate) fn put(
        &self,
        key: &[u8; 16],
        now_ms: u64,
        body: Body,
    ) -> Result<Spooled, SpoolError> {
        let spooled = self.next(key, now_ms)?;
        let (node, hotline) = (self.node.clone(), self.hotline.clone());
        let Body { call, about, request } = body;
        let kept = Kept { version: VERSION, node, hotline, call, about, request, refusal: None };
        self.write(&spooled, Stage::Waiting, &kept)?;
        Ok(spooled)
    }

    /// A name behind all that wait, also where the clock went back a little.
    fn next(&self, key: &[u8; 16], now_ms: u64) -> Result<Spooled, SpoolError> {
        let waiting = self.list(Stage::Waiting)?;
        if waiting.len() >= SPOOL_FILES_MAX {
            return Err(SpoolError::Full);
        }
        let times = waiting.iter().map(Spooled::made_at_ms);
        let last = times.filter(|at| *at <= now_ms + CLOCK_AHEAD_MS_MAX).max();
        let at = last.map_or(now_ms, |last| now_ms.max(last + 1));
        Ok(Spooled { name: format!("{at:0TIME_DIGITS$}-{}", hex::encode(key)) })
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
            let (waiting, done): (Vec<_>, Vec<_>) =
                found.iter().partition(|(stage, _)| *stage == Stage::Waiting);
            let done: BTreeSet<&Spooled> = done.into_iter().map(|(_, one)| one).collect();
            let settled = waiting.into_iter().map(|(_, one)| one).filter(|one| done.contains(one));
            let settled: BTreeSet<Spooled> = settled.cloned().collect();
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

    /// The call; nothing where another process has settled it meanwhile.
    pub(crate) fn waiting(&self, spooled: &Spooled) -> Result<Option<Body>, SpoolError> {
        let kept = self.read::<Kept>(spooled, Stage::Waiting)?;
        match kept {
            Some(kept) if kept.node != self.node || kept.hotline != self.hotline => {
                Err(SpoolError::Foreign(self.path(spooled, Stage::Waiting)))
            }
            kept => Ok(kept.map(|kept| {
                let Kept { call, about, request, .. } = kept;
                Body { call, about, request }
            })),
        }
    }

    /// The call of a file, where it can be read.
    pub(crate) fn call(&self, spooled: &Spooled, stage: Stage) -> Option<Call> {
        match stage {
            Stage::Sent => Some(self.receipt(spooled).ok()??.call),
            Stage::Waiting | Stage::Refused => Some(self.read::<Kept>(spooled, stage).ok()??.call),
        }
    }

    /// The one file, at whatever stage, whose key is or begins with `key`.
    pub(crate) fn find(&self, key: &str) -> Result<(Spooled, Stage), SpoolError> {
        if key.is_empty() {
            return Err(SpoolError::Missing);
        }
        let mut fitting = Vec::new();
        for stage in [Stage::Sent, Stage::Refused, Stage::Waiting] {
            let list = self.list(stage)?.into_iter();
            let new = list.filter(|one| one.key().starts_with(key));
            fitting.extend(new.map(|one| (one, stage)));
        }
        match (fitting.pop(), fitting.pop()) {
            (Some(found), None) => Ok(found),
            _ => Err(SpoolError::Missing),
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
        call: Call,
        answer: Value,
        received_at: u64,
    ) -> Result<Receipt, SpoolError> {
        let receipt = Receipt {
            version: VERSION,
            call,
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

    /// It is refused, or not to be sent without a person: keeps it with the reason, out of the way
    /// of the others.
    pub(crate) fn refused(&self, spooled: &Spooled, why: &ErrorLine) -> Result<(), SpoolError> {
        let Some(kept) = self.read::<Kept>(spooled, Stage::Waiting)? else { return Ok(()) };
        let kept = Kept { refusal: Some(why.clone()), ..kept };
        self.write(spooled, Stage::Refused, &kept)?;
        self.remove(spooled, Stage::Waiting)
    }

    /// Removes an alert that waits or was refused, by its key or the beginning of it.
    pub(crate) fn discard(&self, key: &str) -> Result<Spooled, SpoolError> {
        match self.find(key)? {
            (found, stage @ (Stage::Waiting | Stage::Refused)) => {
                self.remove(&found, stage)?;
                Ok(found)
            }
            (_, Stage::Sent) => Err(SpoolError::Missing),
        }
    }

    /// Has what was put aside wait again, as a submission of its own behind all others.
    pub(crate) fn release(
        &self,
        key: &str,
        new_key: &[u8; 16],
        now_ms: u64,
    ) -> Result<Spooled, SpoolError> {
        let (spooled, Stage::Refused) = self.find(key)? else { return Err(SpoolError::Missing) };
        let kept = self.read::<Kept>(&spooled, Stage::Refused)?.ok_or(SpoolError::Missing)?;
        if let Some(about) = &kept.about
            && !matches!(self.find(about), Ok((_, Stage::Sent)))
        {
            return Err(SpoolError::Baseless);
        }
        let released = self.next(new_key, now_ms)?;
        // One step: at no moment are there two of it, or none.
        let (from, to) =
            (self.path(&spooled, Stage::Refused), self.path(&released, Stage::Waiting));
        std::fs::rename(from, to)
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| self.failed(error))?;
        Ok(released)
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

    fn body(number: u8) -> Body {
        let request = Map::from_iter([("form".to_owned(), json!(number))]);
        Body { call: Call::Send, about: None, request }
    }

    fn why() -> ErrorLine {
        let (code, message, remedy) = ("invalid".into(), "no".into(), "yes".into());
        ErrorLine { code, message, remedy, retry_seconds: None }
    }

    fn opened(folder: &Path) -> Spool {
        Spool::open(folder, ("north", "harbour"), NOW).unwrap()
    }

    #[test]
    fn alerts_wait_in_order_until_their_receipt_is_there() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("spool");
        let spool = opened(&folder);
        let first = spool.put(&[9; 16], NOW, body(1)).unwrap();
        // The clock goes back between the two.
        let later = spool.put(&[1; 16], NOW - 5, body(2)).unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), [first.clone(), later.clone()]);
        assert!(spool.waiting(&first).unwrap() == Some(body(1)));
        for entry in std::fs::read_dir(&folder).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, FILE_MODE);
        }
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, FOLDER_MODE);

        let receipt = spool.sent(&first, Call::Send, json!({ "log_index": 7 }), NOW / 1000);
        let receipt = receipt.unwrap();
        assert_eq!(receipt.idempotency_key, "09".repeat(16));
        assert_eq!(spool.receipt(&first).unwrap().unwrap().answer["log_index"], 7);
        assert_eq!(spool.list(Stage::Waiting).unwrap(), std::slice::from_ref(&later));
        spool.refused(&later, &why()).unwrap();
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
        let one = spool.put(&[1; 16], NOW, body(1)).unwrap();
        let path = spool.path(&one, Stage::Waiting);
        let bytes = std::fs::read(&path).unwrap();
        spool.sent(&one, Call::Send, json!({}), 1).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(spool.list(Stage::Waiting).unwrap(), []);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_too_old_to_be_sure_of_is_not_sent_and_can_be_released() {
        let place = tempfile::tempdir().unwrap();
        let spool = opened(place.path());
        let one = spool.put(&[1; 16], NOW, body(1)).unwrap();
        let most = SPOOL_DAYS * DAY_MS;
        assert!(one.is_sure(NOW) && one.is_sure(NOW + most) && one.is_sure(NOW - DAY_MS));
        assert!(!one.is_sure(NOW + most + 1) && !one.is_sure(NOW - DAY_MS - 1));
        assert!(matches!(spool.release("01", &[2; 16], NOW), Err(SpoolError::Missing)), "it waits");
        spool.refused(&one, &why()).unwrap();
        let released = spool.release("01", &[2; 16], NOW + most).unwrap();
        assert_eq!((released.key(), released.made_at_ms()), ("02".repeat(16).as_str(), NOW + most));
        assert_eq!(spool.list(Stage::Waiting).unwrap(), std::slice::from_ref(&released));
        assert_eq!(spool.list(Stage::Refused).unwrap(), []);
        assert!(spool.waiting(&released).unwrap() == Some(body(1)));
        // A change goes nowhere before what it changes.
        let about = Some(released.key().to_owned());
        let change = Body { call: Call::Withdraw, about, request: Map::new() };
        let change = spool.put(&[3; 16], NOW + most, change).unwrap();
        spool.refused(&change, &why()).unwrap();
        assert!(matches!(spool.release("03", &[4; 16], NOW), Err(SpoolError::Baseless)));
        spool.sent(&released, Call::Send, json!({}), 1).unwrap();
        spool.release("03", &[4; 16], NOW).unwrap();
        assert!(matches!(spool.find("0"), Err(SpoolError::Missing)), "it fits more than one");
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
        let one = spool.put(&[1; 16], NOW, body(1)).unwrap();
        let foreign = Spool::open(place.path(), ("south", "harbour"), NOW).unwrap();
        assert!(matches!(foreign.waiting(&one), Err(SpoolError::Foreign(_))));
        std::fs::write(spool.path(&one, Stage::Waiting), "{").unwrap();
        assert!(matches!(spool.waiting(&one), Err(SpoolError::Damaged(_))));
        assert!(unfinished.exists(), "somebody may be writing it");
        Spool::open(place.path(), ("north", "harbour"), NOW + 2 * UNFINISHED_MS_MAX).unwrap();
        assert!(!unfinished.exists());
        assert!(place.path().join("notes.txt").exists());
    }
}
