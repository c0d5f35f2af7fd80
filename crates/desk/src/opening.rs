//! Queries opened to an auditor: by an officer, for a time, query by query; logged and revocable.
//!
//! Implements spec/accountability.md#roles.
//!
//! Invariant: an auditor sees what a query asked only while an opening of that very query is in
//! force.

use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use symbolon_audit::{Act, Entry, OpeningEvent};
use symbolon_codec::sha256;
use symbolon_store::{Query, Write};

use crate::api::{AuditGrant, AuditRevoke, GrantShown, Nothing, Report};
use crate::desk::hex;
use crate::limits::{DAY_SECONDS, GRANT_DAYS, GRANT_DAYS_MAX};
use crate::officer::Sight;
use crate::read::reason_given;
use crate::{Desk, DeskError, Officer, Role};

/// Openings lie under this name and a digest of whom and what: names of rows are not sealed.
const PREFIX: &str = "audit/grant/";
/// An opening, as it is kept.
#[derive(Clone, Serialize_tuple, Deserialize_tuple)]
struct Grant {
    query: String,
    auditor: String,
    until: u64,
    by: String,
    reason: String,
}

impl Grant {
    fn shown(self, now: u64) -> GrantShown {
        let Grant { query, auditor, until, by, reason } = self;
        GrantShown { query, auditor, until, by, reason, in_force: until > now }
    }

    /// What the log says of it.
    fn event(&self, act: Act) -> OpeningEvent {
        let Grant { query, auditor, until, reason, .. } = self.clone();
        OpeningEvent { query, auditor, until, reason, act }
    }
}

fn name(query: &str, auditor: &str) -> String {
    let digest = sha256("symbolon/1 opening", &[auditor.as_bytes(), b"/", query.as_bytes()]);
    format!("{PREFIX}{}", hex(&digest))
}

impl Desk {
    /// Opens a query to an auditor for some days.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown query, an auditor without a usable name, or no reason.
    pub fn audit_grant(
        &self,
        officer: &Officer,
        request: AuditGrant,
        _report: &mut dyn Report,
    ) -> Result<GrantShown, DeskError> {
        let _sight = officer.sight()?;
        let reason = reason_given(&request.reason)?.to_owned();
        let auditor = Officer::parse(&request.to, Role::Auditor)?.as_str().to_owned();
        let days = request.days.unwrap_or(GRANT_DAYS);
        if !(1..=GRANT_DAYS_MAX).contains(&days) {
            let remedy = format!("give --days from 1 to {GRANT_DAYS_MAX}");
            return Err(DeskError::invalid(
                "the opening would last too long or not at all",
                remedy,
            ));
        }
        let (query, _) = self.query_scope(&request.query)?;
        let until = self.now().saturating_add(u64::from(days) * DAY_SECONDS);
        let by = officer.as_str().to_owned();
        let grant = Grant { query, auditor, until, by, reason };
        let entry = Entry::opening(self.who(officer), grant.event(Act::Made));
        let kept = symbolon_codec::encode(&grant);
        let write = Write::new().setting(&name(&grant.query, &grant.auditor), &kept).log(entry);
        self.store.commit(write)?;
        Ok(grant.shown(self.now()))
    }

    /// Ends an opening before its time.
    ///
    /// # Errors
    /// [`DeskError`] where there is none, or no reason.
    pub fn audit_revoke(
        &self,
        officer: &Officer,
        request: AuditRevoke,
        _report: &mut dyn Report,
    ) -> Result<GrantShown, DeskError> {
        let _sight = officer.sight()?;
        let reason = reason_given(&request.reason)?.to_owned();
        let auditor = Officer::parse(&request.from, Role::Auditor)?;
        let (query, _) = self.query_scope(&request.query)?;
        let name = name(&query, auditor.as_str());
        let grant = self.grant(&name)?.ok_or_else(|| {
            let remedy = "'symbolon audit grants' shows what is opened to whom";
            DeskError::not_found("this query is not opened to this auditor", remedy)
        })?;
        let ended = Grant { until: self.now(), reason, ..grant };
        let entry = Entry::opening(self.who(officer), ended.event(Act::Ended));
        self.store.commit(Write::new().setting_delete(&name).log(entry))?;
        Ok(ended.shown(self.now()))
    }

    /// What is opened to whom; to an auditor, what is opened to itself.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn audit_grants(
        &self,
        officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Vec<GrantShown>, DeskError> {
        let mut grants = Vec::new();
        for name in self.store.setting_names(PREFIX)? {
            let Some(grant) = self.grant(&name)? else { continue };
            if officer.role() == Role::Officer || grant.auditor == officer.as_str() {
                grants.push(grant.shown(self.now()));
            }
        }
        grants.sort_by_key(|grant| grant.until);
        Ok(grants)
    }

    /// Forgets openings that are over; the log keeps that they were.
    pub(crate) fn grants_purge(&self) -> Result<(), DeskError> {
        for name in self.store.setting_names(PREFIX)? {
            if self.grant(&name)?.is_some_and(|grant| grant.until <= self.now()) {
                self.store.commit(Write::new().setting_delete(&name))?;
            }
        }
        Ok(())
    }

    /// Evidence that `officer` may see what a query asked: its batches, named by `scope`, or the
    /// whole query that they belong to.
    pub(crate) fn query_sight<'a>(
        &self,
        officer: &'a Officer,
        scope: &str,
        queries: &[Query],
    ) -> Result<Sight<'a>, DeskError> {
        if officer.role() == Role::Officer {
            return officer.sight();
        }
        let whole = queries.first().map(|query| hex(&query.group)).unwrap_or_default();
        for query in [scope, &whole] {
            let grant = self.grant(&name(query, officer.as_str()))?;
            if grant.is_some_and(|grant| grant.until > self.now()) {
                return Ok(officer.dangerous_sight_of_opened());
            }
        }
        let name = officer.as_str().trim_start_matches("auditor/");
        Err(DeskError::refused(
            "this query is not opened to this auditor, or not any more",
            format!("ask an officer for 'symbolon audit grant QUERY --to {name} --reason …'"),
        ))
    }

    fn grant(&self, name: &str) -> Result<Option<Grant>, DeskError> {
        let Some(bytes) = self.store.setting_fetch(name)? else {
            return Ok(None);
        };
        let grant = symbolon_codec::decode(&bytes, 8 * 1024);
        grant.map(Some).map_err(|_| DeskError::internal("an opening does not decode"))
    }
}
