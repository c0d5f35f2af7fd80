//! Import: rows to records, on all cores, in order of nothing but their groups.
//!
//! Implements spec/import.md#assembly.
//!
//! Invariants: memory does not grow with the file; the same file again changes nothing.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use symbolon_audit::{Entry, ImportEvent};
use symbolon_codec::sha256;
use symbolon_interop::{Assembled, Draft, Group, Groups, InteropError, Mapping, Severity};
use symbolon_record::Record;
use symbolon_store::{External, IndexKey, Submitted, Write};

use crate::api::{ImportReport, RecordImport, Report, RowProblem};
use crate::asking::lock;
use crate::limits::IMPORT_COMMIT_RECORDS;
use crate::{Desk, DeskError, Officer};

/// Groups that wait for a core, and drafts that wait for the store.
const WAITING_MAX: usize = 256;
/// Rows between two reports of progress.
const REPORT_ROWS: u64 = 1_000;
const RUN: &str = "import/run";

impl Desk {
    /// Imports a file by a mapping.
    ///
    /// # Errors
    /// [`DeskError`] for a mapping or a file that cannot be used at all; rows that cannot be taken
    /// are reported one by one. What was committed before an error stays, and importing again goes
    /// over it without a trace.
    pub fn record_import(
        &self,
        officer: &Officer,
        request: RecordImport,
        input: &mut (dyn Read + Send),
        report: &mut dyn Report,
    ) -> Result<ImportReport, DeskError> {
        let mapping = Mapping::parse(&request.mapping)?;
        let mut groups = Groups::open(input, &mapping)?;
        let columns = groups.columns();
        let run = self.next_run()?;
        let (origin, now) = (*self.identity().node().as_bytes(), self.now());
        let (feed, waiting) = sync_channel::<Group>(WAITING_MAX);
        let (give, drafts) = sync_channel::<Assembled>(WAITING_MAX);
        let waiting = Mutex::new(waiting);
        let mut intake = Intake::new(self, run);
        let read = std::thread::scope(|scope| {
            let reading = scope.spawn(move || read_all(&mut groups, &feed));
            for _ in 0..self.workers.max(1) {
                let (give, waiting, mapping, columns) =
                    (give.clone(), &waiting, &mapping, &columns);
                scope.spawn(move || {
                    while let Some(group) = next(waiting) {
                        if give.send(mapping.assemble(columns, group, origin, now)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(give);
            let taken = intake.take_all(&drafts, report);
            // Threads that still have something to give must see that nobody takes it.
            drop(drafts);
            while taken.is_err() && next(&waiting).is_some() {}
            let read = reading.join();
            taken?;
            match read {
                Ok(read) => read.map_err(DeskError::from),
                Err(_) => Err(DeskError::internal("reading the file ended unexpectedly")),
            }
        });
        let mut done = intake.finish()?;
        let event = ImportEvent {
            run,
            mapping_digest: sha256("", &[request.mapping.as_bytes()]),
            rows: done.rows,
            created: done.records_new,
            changed: done.records_changed,
            unchanged: done.records_same,
            failed: done.rows_refused,
        };
        let receipt = self.logged(Write::new().log(Entry::import(self.who(officer), event)))?;
        read?;
        done.log_index = receipt.leaf_index;
        Ok(done)
    }

    fn next_run(&self) -> Result<u64, DeskError> {
        let last = self.store.progress_fetch(RUN)?;
        let last = last.and_then(|last| last.as_slice().try_into().ok()).map(u64::from_be_bytes);
        let run = last.unwrap_or_default() + 1;
        self.store.commit(Write::new().progress(RUN, &run.to_be_bytes()))?;
        Ok(run)
    }
}

fn read_all<R: Read>(groups: &mut Groups<R>, feed: &SyncSender<Group>) -> Result<(), InteropError> {
    while let Some(group) = groups.read()? {
        if feed.send(group).is_err() {
            break;
        }
    }
    Ok(())
}

fn next(waiting: &Mutex<Receiver<Group>>) -> Option<Group> {
    lock(waiting).recv().ok()
}

/// Drafts on their way into the store.
struct Intake<'a> {
    desk: &'a Desk,
    run: u64,
    write: Write,
    records: usize,
    /// What this write and the one under way hold: they are not found in the store yet.
    pending: HashMap<String, ()>,
    under_way: Option<Submitted>,
    done: ImportReport,
}

impl<'a> Intake<'a> {
    fn new(desk: &'a Desk, run: u64) -> Intake<'a> {
        Intake {
            desk,
            run,
            write: Write::new(),
            records: 0,
            pending: HashMap::new(),
            under_way: None,
            done: ImportReport::default(),
        }
    }

    fn take_all(
        &mut self,
        drafts: &Receiver<Assembled>,
        report: &mut dyn Report,
    ) -> Result<(), DeskError> {
        let mut reported = 0;
        for assembled in drafts {
            self.done.rows += assembled.rows;
            for problem in assembled.problems {
                match problem.severity {
                    Severity::Refused => self.done.rows_refused += 1,
                    Severity::Warning => self.done.rows_warned += 1,
                }
                report.row(RowProblem {
                    row: problem.row,
                    column: problem.column,
                    rule: problem.rule,
                    severity: problem.severity.as_str().to_owned(),
                });
            }
            if let Some(draft) = assembled.draft {
                self.take(draft)?;
            }
            if self.done.rows / REPORT_ROWS != reported {
                reported = self.done.rows / REPORT_ROWS;
                report.progress("importing rows", self.done.rows, None);
            }
        }
        Ok(())
    }

    fn take(&mut self, draft: Draft) -> Result<(), DeskError> {
        if self.pending.contains_key(&draft.external) {
            self.settle()?;
        }
        let Draft { external, content, keys } = draft;
        let keys: Vec<IndexKey> = keys
            .into_iter()
            .map(|key| IndexKey { subject: u16::try_from(key.subject).unwrap_or(0), key: key.key })
            .collect();
        let write = std::mem::take(&mut self.write);
        let record = match self.desk.store.record_by_external(&external)? {
            None => {
                let seed = self.desk.surroundings.seed();
                let now_ms = self.desk.surroundings.now_ms();
                let record = Record::generate(content, now_ms, seed)?;
                self.done.records_new += 1;
                self.done.match_keys += keys.len() as u64;
                self.write = write.record_create(&record, keys);
                record
            }
            Some(known) => {
                let held = self.desk.store.record_fetch(known.record)?;
                let held = held.ok_or_else(|| DeskError::internal("an imported record is gone"))?;
                let revised = if known.run == self.run {
                    merged(&held, content)?
                } else {
                    replaced(&held, content)?
                };
                if revised.version() == held.version() {
                    self.done.records_same += u64::from(known.run != self.run);
                    self.write = write;
                } else {
                    let keys = keys_of(&revised);
                    self.done.records_changed += u64::from(known.run != self.run);
                    self.done.match_keys += keys.len() as u64;
                    self.write = write.record(&revised, keys);
                }
                revised
            }
        };
        let (record, version) = (record.id(), record.version());
        let seen = External { record, version, run: self.run };
        self.write = std::mem::take(&mut self.write).external(&external, seen);
        self.pending.insert(external, ());
        self.records += 1;
        if self.records >= IMPORT_COMMIT_RECORDS { self.submit() } else { Ok(()) }
    }

    /// Sends the write on and waits for the one before, so that one is sealed while another is
    /// written.
    fn submit(&mut self) -> Result<(), DeskError> {
        let write = std::mem::take(&mut self.write);
        let submitted = self.desk.store.submit(write)?;
        if let Some(before) = self.under_way.replace(submitted) {
            before.wait()?;
        }
        self.records = 0;
        // What is durable is found in the store; only the write under way must be remembered, and
        // remembering a little more than that does no harm but to wait.
        if self.pending.len() > 2 * IMPORT_COMMIT_RECORDS {
            self.settle()?;
        }
        Ok(())
    }

    /// Waits until everything taken so far is durable.
    fn settle(&mut self) -> Result<(), DeskError> {
        if !self.write.is_empty() {
            let write = std::mem::take(&mut self.write);
            let submitted = self.desk.store.submit(write)?;
            if let Some(before) = self.under_way.replace(submitted) {
                before.wait()?;
            }
        }
        if let Some(under_way) = self.under_way.take() {
            under_way.wait()?;
        }
        self.records = 0;
        self.pending.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<ImportReport, DeskError> {
        self.settle()?;
        Ok(self.done)
    }
}

/// The record with what the file says now. Dates alone make no new version: they follow the day
/// of the import.
fn replaced(held: &Record, mut content: symbolon_record::Content) -> Result<Record, DeskError> {
    let now = content.clone();
    (content.review_on, content.expires_on) = (held.content().review_on, held.content().expires_on);
    let same = held.revise(content)?;
    if same.version() == held.version() { Ok(same) } else { Ok(held.revise(now)?) }
}

/// Two groups of one key in one file are one record.
fn merged(held: &Record, more: symbolon_record::Content) -> Result<Record, DeskError> {
    let mut content = held.content().clone();
    let (Some(subject), Some(other)) =
        (content.subjects.first_mut(), more.subjects.into_iter().next())
    else {
        return Ok(held.clone());
    };
    extend(&mut subject.names, other.names);
    extend(&mut subject.dates, other.dates);
    extend(&mut subject.countries, other.countries);
    extend(&mut subject.identifiers, other.identifiers);
    extend(&mut content.items, more.items);
    extend(&mut content.events, more.events);
    Ok(held.revise(content)?)
}

fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for value in more {
        if !list.contains(&value) {
            list.push(value);
        }
    }
}

/// The match keys of every identifier of a record.
fn keys_of(record: &Record) -> Vec<IndexKey> {
    let mut keys = Vec::new();
    for (subject, identifiers) in
        record.content().subjects.iter().map(|subject| &subject.identifiers).enumerate()
    {
        let subject = u16::try_from(subject).unwrap_or(u16::MAX);
        for canonical in identifiers.iter().filter_map(|identifier| identifier.canonical().ok()) {
            let own = canonical.keys().iter().cloned();
            keys.extend(own.map(|key| IndexKey { subject, key }));
        }
    }
    keys
}
