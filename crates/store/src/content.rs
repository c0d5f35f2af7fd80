//! What alerts say: each under a secret of its own, so that wiping the secret erases the alert.
//!
//! Implements spec/store.md#contents-of-alerts.
//!
//! Invariants: content is never on the disk but under its alert's secret; a secret is overwritten
//! where it lies, and once that is acknowledged it is in no file.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::alert::AlertKey;
use crate::backend::{Expect, Op};
use crate::crypter::{Cell, Crypter, derive};
use crate::sent::SentStep;
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError, label};

/// A change to an alert that its secret has a part in.
pub(crate) enum AlertStep {
    /// A row that must not be there yet: neither then is a secret.
    New(AlertKey, Zeroizing<Vec<u8>>),
    Content(AlertKey, Slot, Zeroizing<Vec<u8>>),
    Erase(AlertKey),
    Sent(Box<SentStep>),
    Behind(MadeSecrets),
}

/// Which of the two contents that an alert may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// What it says.
    Current,
    /// What it is to say once somebody has said yes.
    Pending,
}

impl Slot {
    /// The key of the content's row.
    fn key(self, alert: &AlertKey) -> Vec<u8> {
        let mut key = alert.encode();
        match self {
            Self::Current => {}
            Self::Pending => key.push(1),
        }
        key
    }
}

/// The secret of one alert.
#[derive(Clone)]
pub(crate) struct AlertSecret(Zeroizing<[u8; 32]>);

/// What one write knows of secrets by its earlier steps.
#[derive(Default)]
pub(crate) struct AlertSecrets {
    known: BTreeMap<AlertKey, Option<AlertSecret>>,
    made: Vec<MadeSecret>,
}

/// A secret that a write makes, and the SHA-256 of the row that will hold it.
#[derive(Clone)]
struct MadeSecret {
    alert: AlertKey,
    secret: AlertSecret,
    digest: [u8; 32],
}

/// The secrets that a write makes which is on its way to the disk: what lets another write go
/// behind it, see [`Write::behind`].
#[derive(Clone)]
#[must_use]
pub struct MadeSecrets(Arc<[MadeSecret]>);

impl AlertSecrets {
    pub(crate) fn into_made(self) -> MadeSecrets {
        MadeSecrets(self.made.into())
    }
}

/// The secret that is there, or what to expect of its row when one is made.
enum Found {
    There(AlertSecret),
    Missing(Expect),
}

impl AlertSecret {
    /// What tells it from the other secrets that an alert may have had.
    pub(crate) fn name(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = *derive(label::ALERT_SECRET_NAME, &*self.0);
        [a, b, c, d, e, f, g, h]
    }

    pub(crate) fn open(
        &self,
        cell: &Cell<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        Crypter::open_under(&self.0, cell, sealed)
    }
}

impl Write {
    /// Keeps what an alert says, in place of what was there: under the secret of the alert, which
    /// is made where there is none. [`StoreError::Conflict`] where it is erased meanwhile.
    pub fn alert_content(self, key: &AlertKey, slot: Slot, plain: &[u8]) -> Self {
        let plain = Zeroizing::new(plain.to_vec());
        self.step(Step::Alert(AlertStep::Content(*key, slot, plain)))
    }

    /// Drops one content of an alert; the secret and the other content stay.
    pub fn alert_content_delete(self, key: &AlertKey, slot: Slot) -> Self {
        self.step(Step::Delete { table: Table::AlertContent, key: slot.key(key) })
    }

    /// Erases what an alert says, and whatever else lies under its secret: once the write is
    /// acknowledged, no file holds the secret.
    pub fn alert_erase(self, key: &AlertKey) -> Self {
        self.step(Step::Alert(AlertStep::Erase(*key)))
    }

    /// Goes behind a write of the same store that was submitted and is not durable yet: what this
    /// one keeps of the new alerts in that one lies under their secrets. Submit it after that one;
    /// [`StoreError::Conflict`] where that one was refused, or such an alert is erased meanwhile.
    pub fn behind(self, earlier: &MadeSecrets) -> Self {
        self.step(Step::Alert(AlertStep::Behind(earlier.clone())))
    }
}

impl Store {
    /// What an alert says; `None` where it is erased, or was never there.
    ///
    /// # Errors
    /// What reading gives.
    pub fn alert_content_fetch(
        &self,
        key: &AlertKey,
        slot: Slot,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(secret) = self.alert_secret(key)? else {
            return Ok(None);
        };
        let row = slot.key(key);
        let sealed = self.backend.fetch(Table::AlertContent, &row)?;
        sealed.map(|sealed| secret.open(&self.cell(Table::AlertContent, &row), &sealed)).transpose()
    }

    /// The secret of an alert, where it is not erased.
    pub(crate) fn alert_secret(&self, key: &AlertKey) -> Result<Option<AlertSecret>, StoreError> {
        let row = key.encode();
        let Some(sealed) = self.backend.fetch(Table::AlertSecret, &row)? else {
            return Ok(None);
        };
        self.secret_opened(&row, &sealed)
    }

    fn secret_opened(&self, row: &[u8], sealed: &[u8]) -> Result<Option<AlertSecret>, StoreError> {
        if sealed.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let plain = self.crypter.open(&self.cell(Table::AlertSecret, row), sealed)?;
        let secret: &[u8; 32] = plain
            .first_chunk()
            .filter(|_| plain.len() == 32)
            .ok_or(StoreError::Damaged { what: "an alert's secret is misshapen" })?;
        Ok(Some(AlertSecret(Zeroizing::new(*secret))))
    }

    pub(crate) fn prepare_alert(
        &self,
        step: AlertStep,
        ops: &mut Vec<Op>,
        secrets: &mut AlertSecrets,
    ) -> Result<(), StoreError> {
        match step {
            AlertStep::New(key, plain) => {
                ops.push(self.sealed(Table::Alert, key.encode(), &plain, Expect::Absent)?);
                secrets.known.insert(key, None);
            }
            AlertStep::Content(key, slot, plain) => {
                let secret = match self.secret_found(&key, ops, secrets)? {
                    Found::There(secret) => secret,
                    Found::Missing(expect) => self.secret_made(&key, expect, ops, secrets)?,
                };
                let (table, key) = (Table::AlertContent, slot.key(&key));
                let value = self.crypter.seal_under(&secret.0, &self.cell(table, &key), &plain)?;
                ops.push(Op::Put { table, key, value, expect: Expect::Any });
            }
            AlertStep::Erase(key) => {
                secrets.known.remove(&key);
                ops.push(Op::Wipe { table: Table::AlertSecret, key: key.encode() });
                for slot in [Slot::Current, Slot::Pending] {
                    let (table, key) = (Table::AlertContent, slot.key(&key));
                    ops.push(Op::Delete { table, key, expect: Expect::Any });
                }
            }
            AlertStep::Sent(step) => self.prepare_sent(*step, ops, secrets)?,
            AlertStep::Behind(earlier) => {
                for MadeSecret { alert, secret, digest } in earlier.0.iter() {
                    let (table, key) = (Table::AlertSecret, alert.encode());
                    ops.push(Op::Check { table, key, expect: Expect::Digest(*digest) });
                    secrets.known.insert(*alert, Some(secret.clone()));
                }
            }
        }
        Ok(())
    }

    /// Seals under the secret of an alert, for a cell beside its content; gives the name of that
    /// secret, too.
    ///
    /// # Errors
    /// [`StoreError::Absent`] where the alert is erased.
    pub(crate) fn sealed_under(
        &self,
        alert: &AlertKey,
        cell: &Cell<'_>,
        plain: &[u8],
        ops: &mut Vec<Op>,
        secrets: &mut AlertSecrets,
    ) -> Result<(Vec<u8>, [u8; 8]), StoreError> {
        match self.secret_found(alert, ops, secrets)? {
            Found::There(secret) => {
                Ok((self.crypter.seal_under(&secret.0, cell, plain)?, secret.name()))
            }
            Found::Missing(_) => Err(StoreError::Absent { what: "content of the alert" }),
        }
    }

    /// A secret that is there is expected to be there still when the write is applied: nothing may
    /// come to lie under one that was wiped meanwhile.
    fn secret_found(
        &self,
        key: &AlertKey,
        ops: &mut Vec<Op>,
        secrets: &mut AlertSecrets,
    ) -> Result<Found, StoreError> {
        match secrets.known.get(key) {
            Some(Some(secret)) => return Ok(Found::There(secret.clone())),
            Some(None) => return Ok(Found::Missing(Expect::Absent)),
            None => {}
        }
        let (table, row) = (Table::AlertSecret, key.encode());
        let Some(sealed) = self.backend.fetch(table, &row)? else {
            return Ok(Found::Missing(Expect::Absent));
        };
        let expect = Expect::Digest(Sha256::digest(&sealed).into());
        let Some(secret) = self.secret_opened(&row, &sealed)? else {
            return Ok(Found::Missing(expect));
        };
        ops.push(Op::Check { table, key: row, expect });
        secrets.known.insert(*key, Some(secret.clone()));
        Ok(Found::There(secret))
    }

    fn secret_made(
        &self,
        key: &AlertKey,
        expect: Expect,
        ops: &mut Vec<Op>,
        secrets: &mut AlertSecrets,
    ) -> Result<AlertSecret, StoreError> {
        let secret = AlertSecret(Zeroizing::new(self.crypter.random()));
        let (table, row) = (Table::AlertSecret, key.encode());
        let value = self.crypter.seal(&self.cell(table, &row), secret.0.as_slice())?;
        let made = MadeSecret {
            alert: *key,
            secret: secret.clone(),
            digest: Sha256::digest(&value).into(),
        };
        ops.push(Op::Put { table, key: row, value, expect });
        secrets.made.push(made);
        secrets.known.insert(*key, Some(secret.clone()));
        Ok(secret)
    }
}
