//! Who gets an alert: policy says it partner by partner, at the origin, before anything is sent.
//!
//! Implements spec/alerts.md#audience.
//!
//! Invariant: the audience never travels.

use std::sync::Arc;

use symbolon_disclosure::{AlertTerms, preview_alert};
use symbolon_policy::{Action, Decision, Denial, Grant, Reason, Release, Request};
use symbolon_record::{AlertClass, Record};
use symbolon_trust::{NodeId, VerifiedAgreement};

use super::mode_of;
use crate::api::{AlertForm, FieldShown, RecipientPreview, WithheldFrom};
use crate::desk::{Known, hex};
use crate::{Desk, DeskError};

/// Who gets an alert and who does not.
#[derive(Default)]
pub(super) struct Audience {
    pub(super) recipients: Vec<Chosen>,
    pub(super) withheld: Vec<WithheldFrom>,
}

/// A partner that policy lets an alert go to.
pub(super) struct Chosen {
    partner: Arc<Known>,
    release: Release,
}

/// Why a partner does not get an alert.
#[derive(Debug)]
pub(super) enum Barred {
    /// Nothing stands between the two nodes that covers it.
    NotAgreed(String),
    /// Policy says no; whoever acts on that logs it.
    Denied(Box<Denial>),
}

impl Barred {
    fn reasons(&self) -> Vec<String> {
        let denial = match self {
            Self::NotAgreed(cause) => return vec![cause.clone()],
            Self::Denied(denial) => denial,
        };
        let explained = denial.explain();
        let whole = explained.iter().filter(|reason| reason.field.is_none());
        let mut words: Vec<String> = whole.map(Reason::to_string).collect();
        if words.is_empty() {
            words.push("no field of it may be shown".to_owned());
        }
        words
    }
}

/// Both permissions that an alert needs.
pub(super) struct Grants {
    pub(super) push: Grant,
    pub(super) fields: Grant,
}

impl Chosen {
    pub(super) fn node(&self) -> NodeId {
        self.partner.node()
    }

    pub(super) fn name(&self) -> &str {
        self.partner.name()
    }
}

impl Audience {
    /// Those to whom it goes at once.
    pub(super) fn automatic(&self) -> impl Iterator<Item = NodeId> {
        let at_once = self.recipients.iter().filter(|one| one.release == Release::Automatic);
        at_once.map(Chosen::node)
    }

    pub(super) fn automatic_names(&self) -> Vec<String> {
        let at_once = self.recipients.iter().filter(|one| one.release == Release::Automatic);
        at_once.map(|one| one.name().to_owned()).collect()
    }

    /// How many it goes to after a yes only.
    pub(super) fn awaiting(&self) -> usize {
        self.recipients.iter().filter(|one| one.release == Release::AfterYes).count()
    }
}

impl Desk {
    /// Whom policy lets have the alert, among those that the form names.
    pub(super) fn audience(
        &self,
        record: &Record,
        class: AlertClass,
        form: &AlertForm,
    ) -> Result<Audience, DeskError> {
        for name in form.only.iter().chain(&form.except) {
            self.partner_named(name)?;
        }
        let named = |partner: &Known| {
            let name = partner.name();
            (form.only.is_empty() || form.only.iter().any(|only| only == name))
                && !form.except.iter().any(|except| except == name)
        };
        let mut audience = Audience::default();
        for partner in self.partners().values().filter(|partner| named(partner)) {
            self.choose(partner, record, class, &mut audience);
        }
        Ok(audience)
    }

    /// Whom policy still lets have it, among those chosen before.
    pub(super) fn audience_again(
        &self,
        record: &Record,
        class: AlertClass,
        nodes: &[NodeId],
    ) -> Result<Audience, DeskError> {
        let mut audience = Audience::default();
        for partner in nodes.iter().filter_map(|node| self.partner(node)) {
            self.choose(&partner, record, class, &mut audience);
        }
        Ok(audience)
    }

    fn choose(
        &self,
        partner: &Arc<Known>,
        record: &Record,
        class: AlertClass,
        audience: &mut Audience,
    ) {
        match self.may_have(partner, record, class) {
            Ok(grants) => {
                let release = grants.push.release();
                audience.recipients.push(Chosen { partner: Arc::clone(partner), release });
            }
            Err(barred) => {
                let (partner, reasons) = (partner.name().to_owned(), barred.reasons());
                audience.withheld.push(WithheldFrom { partner, reasons });
            }
        }
    }

    /// Both permissions, or why not.
    pub(super) fn may_have(
        &self,
        partner: &Known,
        record: &Record,
        class: AlertClass,
    ) -> Result<Grants, Barred> {
        let now = self.now();
        let agreement = partner.in_force_for(mode_of(record), now).map_err(Barred::NotAgreed)?;
        let context = partner.context(agreement);
        let purpose = purpose(record, agreement);
        let policy = self.policy();
        let decide = |action: Action| {
            let urgency = (action == Action::Alert).then_some(class);
            let (partner, purpose) = (&context, purpose.as_str());
            policy.decide(&Request { action, partner, record, purpose, class: None, urgency, now })
        };
        let push = granted(decide(Action::Alert))?;
        let fields = granted(decide(Action::Disclose))?;
        Ok(Grants { push, fields })
    }

    /// What a partner would see: made by the function that makes the payload sent.
    pub(super) fn recipient_preview(
        &self,
        chosen: &Chosen,
        record: &Record,
        class: AlertClass,
    ) -> Result<RecipientPreview, DeskError> {
        let grants = self.may_have(&chosen.partner, record, class);
        let grants = grants.map_err(|barred| {
            let words = barred.reasons().join("; ");
            DeskError::refused(words, "'symbolon policy preview' tells more")
        })?;
        let (now, clocks) = (self.now(), self.alerts.clocks.get().copied().unwrap_or_default());
        let terms = AlertTerms {
            class,
            previous: None,
            read_by: clocks.read_by(class, now, record),
            act_by: clocks.act_by(class, now, record),
            expires_on: record.content().expires_on,
        };
        let preview = preview_alert(&grants.push, &grants.fields, record, &terms)?;
        let lines = preview.lines().into_iter();
        let fields =
            lines.map(|(field, value)| FieldShown { field: field.as_str().to_owned(), value });
        let release = match chosen.release {
            Release::Automatic => "automatic",
            Release::AfterYes => "after_yes",
        };
        Ok(RecipientPreview {
            partner: chosen.name().to_owned(),
            release: release.to_owned(),
            fields: fields.collect(),
            payload: hex(preview.as_bytes()),
        })
    }
}

/// The purpose that the record names, or the first one agreed.
fn purpose(record: &Record, agreement: &VerifiedAgreement) -> String {
    let named = record.content().handling.purposes.first();
    let purpose = named.or_else(|| agreement.agreement().purposes.first());
    purpose.cloned().unwrap_or_default()
}

fn granted(decision: Decision) -> Result<Grant, Barred> {
    match decision {
        Decision::Allow(grant) => Ok(grant),
        Decision::Deny(denial) => Err(Barred::Denied(Box::new(denial))),
    }
}
