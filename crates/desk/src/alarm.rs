//! Alarms: raised by the node, closed by people only.
//!
//! Implements spec/accountability.md#alarms.
//!
//! Invariant: what raises an alarm is in the log in the same write, and closing it as well.

use symbolon_audit::{Entry, QueryEvidence};
use symbolon_codec::sha256;
use symbolon_store::{Alarm, AlarmId, Closing, Write};
use symbolon_tlog::{AuthenticCheckpoint, CheckpointVerifier, Hash, SplitView, VerifiedCheckpoint};
use symbolon_trust::NodeId;

use crate::api::{AlarmClose, AlarmShown, Alarms, AlarmsShow, Report};
use crate::asking::lock;
use crate::desk::Known;
use crate::limits::REASON_BYTES_MAX;
use crate::{Desk, DeskError, Officer};

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// A partner's log showed two histories, and both are signed.
    SplitView,
    /// A partner says that this node's log does not continue what it saw of it.
    OwnLogRefused,
}

impl AlarmKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SplitView => "split_view",
            Self::OwnLogRefused => "own_log_refused",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::SplitView => {
                "suspend the partner, keep the proof, and ask its agency which of its logs is the \
                 true one"
            }
            Self::OwnLogRefused => {
                "was this node restored from a backup? call the auditor; compare both logs"
            }
        }
    }
}

impl Desk {
    /// Raises an alarm, unless the same one stands open or was proved before.
    pub(crate) fn alarm_raise(
        &self,
        kind: AlarmKind,
        partner: &Known,
        words: String,
        proof: String,
    ) -> Result<(), DeskError> {
        let _one_at_a_time = lock(&self.alarming);
        let is_known = |alarm: &Alarm| {
            alarm.kind == kind.as_str()
                && alarm.partner == Some(partner.node())
                && (alarm.closing.is_none() || !alarm.proof.is_empty())
        };
        if self.store.alarm_list()?.iter().any(is_known) {
            return Ok(());
        }
        let alarm = Alarm {
            id: AlarmId::generate(self.surroundings.now_ms(), self.surroundings.seed()),
            kind: kind.as_str().to_owned(),
            partner: Some(partner.node()),
            raised_at: self.now(),
            words,
            proof,
            closing: None,
        };
        let act = format!("alarm {} raised: {}", alarm.id, alarm.kind);
        let digest = sha256("", &[alarm.proof.as_bytes()]);
        let entry = Entry::admin(self.who(&Officer::node()), &act, digest);
        self.store.commit(Write::new().alarm_new(&alarm).log(entry))?;
        Ok(())
    }

    /// A hello showed a checkpoint that contradicts what was seen of the partner's log.
    ///
    /// # Errors
    /// [`DeskError`] where the proof cannot be kept.
    pub fn contradicted(&self, node: &NodeId, shown: VerifiedCheckpoint) -> Result<(), DeskError> {
        match self.partner(node) {
            Some(partner) => self.split_view(&partner, &shown.into(), &[]),
            None => Ok(()),
        }
    }

    /// The evidence of a query does not continue what was seen. That alone may be an old proof.
    pub(crate) fn contradicted_by_query(&self, partner: &Known, evidence: &QueryEvidence) {
        let shown = CheckpointVerifier::parse(&partner.card.card().log)
            .and_then(|verifier| verifier.verify_text(&evidence.checkpoint));
        if let Ok(shown) = shown {
            // The query is refused whether or not the proof can be kept.
            let _ = self.split_view(partner, &shown.into(), &evidence.consistency);
        }
    }

    /// Compares a signed checkpoint of a partner with the one kept of it, and keeps the proof where
    /// the two contradict each other.
    pub(crate) fn split_view(
        &self,
        partner: &Known,
        shown: &AuthenticCheckpoint,
        proof: &[Hash],
    ) -> Result<(), DeskError> {
        let Some(kept) = self.store.partner_checkpoint(&partner.node())? else {
            return Ok(());
        };
        let verifier = CheckpointVerifier::parse(&partner.card.card().log)?;
        let kept = AuthenticCheckpoint::from(verifier.verify_text(&kept)?);
        let Some(split) = SplitView::find(&kept, shown, proof) else {
            return Ok(());
        };
        let words = format!(
            "the log of {} shows two histories: {} leaves and {} leaves that no one log can have, \
             both signed",
            partner.name(),
            split.older().checkpoint().size(),
            split.newer().checkpoint().size()
        );
        self.alarm_raise(AlarmKind::SplitView, partner, words, split.to_string())
    }

    /// Number of alarms that nobody has closed.
    pub(crate) fn alarms_open(&self) -> Result<usize, DeskError> {
        Ok(self.store.alarm_list()?.iter().filter(|alarm| alarm.closing.is_none()).count())
    }

    /// Alarms, the newest first; the closed ones where they are asked for.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn audit_alarms(
        &self,
        _officer: &Officer,
        request: AlarmsShow,
        _report: &mut dyn Report,
    ) -> Result<Alarms, DeskError> {
        let wanted = |alarm: &Alarm| request.closed || alarm.closing.is_none();
        let alarms = self.store.alarm_list()?.into_iter().rev().filter(wanted);
        let shown = alarms.map(|alarm| AlarmShown {
            id: alarm.id.to_string(),
            remedy: remedy(&alarm.kind).to_owned(),
            kind: alarm.kind,
            partner: alarm.partner.map(|node| self.name_of(node)),
            raised_at: alarm.raised_at,
            words: alarm.words,
            proof: Some(alarm.proof).filter(|proof| !proof.is_empty()),
            closed_at: alarm.closing.as_ref().map(|closing| closing.at),
            closed_by: alarm.closing.as_ref().map(|closing| closing.officer.clone()),
            closed_because: alarm.closing.map(|closing| closing.reason),
        });
        Ok(Alarms { alarms: shown.collect() })
    }

    /// Closes an alarm. Its proof is kept.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown or closed one, or without a reason.
    pub fn audit_close(
        &self,
        officer: &Officer,
        request: AlarmClose,
        report: &mut dyn Report,
    ) -> Result<Alarms, DeskError> {
        if request.reason.is_empty() || request.reason.len() > REASON_BYTES_MAX {
            return Err(DeskError::invalid(
                "closing an alarm needs a reason",
                format!("give --reason, {REASON_BYTES_MAX} bytes at most; it goes into the log"),
            ));
        }
        let remedy = "'symbolon audit alarms' shows the ids";
        let id: AlarmId = request
            .id
            .parse()
            .map_err(|_| DeskError::invalid("this is no id of an alarm", remedy))?;
        let alarm = self.store.alarm_fetch(id)?;
        let mut alarm =
            alarm.ok_or_else(|| DeskError::not_found("there is no such alarm", remedy))?;
        if alarm.closing.is_some() {
            return Err(DeskError::refused("the alarm is closed already", "nothing is to be done"));
        }
        let act = format!("alarm {} closed: {}", alarm.id, request.reason);
        let digest = sha256("", &[alarm.proof.as_bytes()]);
        alarm.closing = Some(Closing {
            at: self.now(),
            officer: officer.as_str().to_owned(),
            reason: request.reason,
        });
        let entry = Entry::admin(self.who(officer), &act, digest);
        self.store.commit(Write::new().alarm(&alarm).log(entry))?;
        self.audit_alarms(officer, AlarmsShow { closed: false }, report)
    }
}

fn remedy(kind: &str) -> &'static str {
    let all = [AlarmKind::SplitView, AlarmKind::OwnLogRefused];
    let known = all.into_iter().find(|known| known.as_str() == kind);
    known.map_or("look at it with a newer version of this program", AlarmKind::remedy)
}
