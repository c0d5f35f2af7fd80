//! What is handed in under an idempotency key is done once; a repeat is answered as the first time.
//!
//! Implements spec/alerts.md#acceptance.
//!
//! Invariant: a key is kept in the commit that does what was handed in under it.

use std::sync::atomic::Ordering;

use symbolon_audit::{Entry, Receipt};
use symbolon_codec::sha256;
use symbolon_record::{Record, RecordId};
use symbolon_store::{Alert, AlertKey, StoreError, Submission, Write};
use symbolon_trust::NodeId;

use super::audience::Audience;
use super::coming::Accepting;
use super::{Repeated, alert_leaf};
use crate::api::AlertSent;
use crate::limits::{DAY_SECONDS, IDEMPOTENCY_KEY_BYTES, SUBMISSION_DAYS, SUBMISSION_LOOK_SECONDS};
use crate::{Desk, DeskError, Officer};

const LABEL: &str = "symbolon/1 submission";
const LEAF_LABEL: &str = "symbolon/1 submission leaf";

/// One handing in: by whom, under which key if any, and the digest of all that it says.
pub(super) struct Submitting<'a> {
    officer: &'a Officer,
    key: Option<&'a str>,
    digest: [u8; 32],
}

impl<'a> Submitting<'a> {
    /// # Errors
    /// [`DeskError`] for a key that others may have by chance.
    pub(super) fn new(
        officer: &'a Officer,
        key: Option<&'a str>,
        digest: [u8; 32],
    ) -> Result<Submitting<'a>, DeskError> {
        key.map_or(Ok(()), checked)?;
        Ok(Submitting { officer, key, digest })
    }

    /// Adds to a write that its key was used for `alert`.
    pub(super) fn kept(&self, write: Write, alert: RecordId, accepted_at: u64) -> Write {
        let Some(key) = self.key else { return write };
        let known = Submission { alert, body_hash: self.digest, accepted_at };
        write.submission_new(self.officer.as_str(), key.as_bytes(), &known)
    }

    /// Logs it, under a name by which a repeat finds the leaf; without a key there is no repeat.
    pub(super) fn logged(&self, write: Write, entry: Entry) -> Write {
        match self.leaf() {
            Some(name) => write.log_named(entry, name),
            None => write.log(entry),
        }
    }

    fn leaf(&self) -> Option<[u8; 32]> {
        let key = self.key?;
        Some(sha256(LEAF_LABEL, &[self.officer.as_str().as_bytes(), key.as_bytes()]))
    }
}

/// The digest of a change: of a form, or of a reason.
pub(super) fn change_digest(verb: &str, id: &str, says: &[u8]) -> [u8; 32] {
    sha256(LABEL, &[verb.as_bytes(), id.as_bytes(), says])
}

/// A key that no two submissions share by chance.
fn checked(key: &str) -> Result<(), DeskError> {
    let is_plain = key.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'));
    if IDEMPOTENCY_KEY_BYTES.contains(&key.len()) && is_plain {
        return Ok(());
    }
    Err(DeskError::invalid(
        "the idempotency key is not usable",
        "make 16 to 64 random letters and digits before the first attempt",
    ))
}

impl Desk {
    /// The alert that was handed in or changed under this very key before.
    ///
    /// # Errors
    /// [`DeskError`] where the key was used for something else.
    pub(super) fn submitted(&self, what: &Submitting<'_>) -> Result<Option<Alert>, DeskError> {
        let Some(key) = what.key else { return Ok(None) };
        let known = self.store.submission_fetch(what.officer.as_str(), key.as_bytes())?;
        let Some(known) = known else { return Ok(None) };
        if known.body_hash != what.digest {
            return Err(DeskError::invalid(
                "this idempotency key was used for another alert or change",
                "make a fresh key for each of them, and keep it for its retries",
            ));
        }
        let key = AlertKey { origin: self.identity().node(), id: known.alert };
        self.store.alert_fetch(&key)?.map(Some).ok_or_else(gone)
    }

    /// The answer to what was done before.
    pub(super) fn submitted_again(
        &self,
        what: &Submitting<'_>,
        alert: &Alert,
    ) -> Result<AlertSent, DeskError> {
        // What changed nothing left no leaf of its own.
        let own = match what.leaf() {
            Some(name) => self.store.log_receipt(&name)?,
            None => None,
        };
        let receipt = match own {
            Some(receipt) => receipt,
            None => self.store.log_receipt(&alert_leaf(&alert.key))?.ok_or_else(gone)?,
        };
        Ok(self.alert_sent(what.officer, alert, &Audience::default(), receipt, Repeated::Yes))
    }

    /// The answer to a change that says nothing new: nothing changes, now and when it comes again.
    pub(super) fn unchanged(
        &self,
        what: &Submitting<'_>,
        alert: &Alert,
        audience: &Audience,
    ) -> Result<AlertSent, DeskError> {
        if what.key.is_some() {
            self.store.commit(what.kept(Write::new(), alert.key.id, self.now()))?;
        }
        let receipt = self.store.log_receipt(&alert_leaf(&alert.key))?.ok_or_else(gone)?;
        Ok(self.alert_sent(what.officer, alert, audience, receipt, Repeated::Yes))
    }

    /// Commits an acceptance; nothing where the very submission was accepted meanwhile. While it is
    /// on its way to the disk, the alert is sealed for partners that a push is on its way to.
    pub(super) fn accepted(
        &self,
        write: Write,
        alert: &Alert,
        record: Record,
        places: Vec<(NodeId, u64)>,
    ) -> Result<Option<Receipt>, DeskError> {
        let submitted = self.store.submit(write)?;
        let coming = Accepting { alert: alert.clone(), record, secrets: submitted.secrets() };
        let nodes: Vec<NodeId> = places.iter().map(|(node, _)| *node).collect();
        let announced = self.alerts.coming.announce(places, coming);
        self.tell_coming(&nodes);
        let done = submitted.wait();
        drop(announced);
        match done {
            Ok(done) => {
                // Whoever sealed it meanwhile may have failed to.
                self.tell_queued(&nodes);
                let receipt = done.last();
                let receipt = receipt.ok_or_else(|| DeskError::internal("no receipt"))?;
                Ok(Some(receipt))
            }
            Err(StoreError::Repeated) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets the keys of what was handed in long ago: nobody may repeat it by then.
    pub(crate) fn submissions_forget(&self) -> Result<(), DeskError> {
        let now = self.now();
        let last = self.alerts.forgot_at.load(Ordering::Relaxed);
        if now < last.saturating_add(SUBMISSION_LOOK_SECONDS) {
            return Ok(());
        }
        self.store.submission_purge(now.saturating_sub(SUBMISSION_DAYS * DAY_SECONDS))?;
        self.alerts.forgot_at.store(now, Ordering::Relaxed);
        Ok(())
    }
}

fn gone() -> DeskError {
    DeskError::internal("an accepted alert is gone")
}
