//! Checking a policy, and showing what a partner would get under the one in force.
//!
//! Implements spec/policy.md#preview.
//!
//! Invariant: the payload shown is made by the function that makes the payload sent.

use symbolon_disclosure::preview;
use symbolon_ident::Class;
use symbolon_policy::{Action, Decision, PolicySet, Reason, Request};

use crate::api::{
    Decided, FieldDecision, FieldShown, PolicyCheck, PolicyPreview, PolicyReport, PreviewShown,
    Report,
};
use crate::desk::hex;
use crate::read::{Shown, reason_bounded};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Checks a policy text, or the policy in force.
    ///
    /// # Errors
    /// [`DeskError`] with the line and rule that is wrong.
    pub fn policy_check(
        &self,
        _officer: &Officer,
        request: PolicyCheck,
        _report: &mut dyn Report,
    ) -> Result<PolicyReport, DeskError> {
        let in_force = self.policy();
        let report = |policy: &PolicySet| PolicyReport {
            digest: hex(&policy.digest()),
            rules: policy.rules().iter().map(ToString::to_string).collect(),
            in_force: policy.digest() == in_force.digest(),
        };
        match request.text {
            None => Ok(report(&in_force)),
            Some(text) => Ok(report(&PolicySet::parse(&text)?)),
        }
    }

    /// What a partner would get for a record, and why; a reading of the record, and logged as one.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown record or partner, or a partner without agreement.
    pub fn policy_preview(
        &self,
        officer: &Officer,
        request: PolicyPreview,
        _report: &mut dyn Report,
    ) -> Result<PreviewShown, DeskError> {
        let sight = officer.sight()?;
        let given = reason_bounded(&request.reason)?;
        let record = self.record_named(&request.record)?;
        let partner = self.partner_named(&request.partner)?;
        let agreement = partner.agreement.as_ref().ok_or_else(|| {
            DeskError::refused("there is no agreement with this partner", "agree first")
        })?;
        let reason = match given {
            "" => format!("preview of what {} would get", partner.name()),
            given => given.to_owned(),
        };
        let (object, id) = ("record", record.id().to_string());
        self.note_shown(&sight, Shown { object, id, count: 1, reason: &reason })?;
        let (context, policy, now) = (partner.context(agreement), self.policy(), self.now());
        let identifiers = record.content().subjects.iter().flat_map(|s| &s.identifiers);
        let class: Option<Class> = identifiers.map(|identifier| identifier.kind.class()).next();
        let decide = |action: Action| {
            let (record, purpose) = (&record, request.purpose.as_str());
            let class = class.filter(|_| action.needs_class());
            let partner = &context;
            policy.decide(&Request { action, partner, record, purpose, class, urgency: None, now })
        };
        let (disclosed, fields, released, payload) = match decide(Action::Disclose) {
            Decision::Allow(grant) => {
                let shown = preview(&grant, &record, None, None)?;
                let lines = shown.lines().into_iter();
                let released = lines
                    .map(|(field, value)| FieldShown { field: field.as_str().to_owned(), value })
                    .collect();
                let fields = fields(grant.explain(), grant.fields());
                let decided = Decided { allowed: true, reasons: Vec::new() };
                (decided, fields, released, hex(shown.as_bytes()))
            }
            Decision::Deny(denial) => {
                let fields = fields(denial.explain(), &[]);
                let decided = Decided { allowed: false, reasons: reasons(denial.explain()) };
                (decided, fields, Vec::new(), String::new())
            }
        };
        Ok(PreviewShown {
            matched: decided(&decide(Action::Match)),
            confirmed: decided(&decide(Action::Confirm)),
            disclosed,
            fields,
            released,
            payload,
        })
    }
}

fn decided(decision: &Decision) -> Decided {
    match decision {
        Decision::Allow(grant) => Decided { allowed: true, reasons: reasons(grant.explain()) },
        Decision::Deny(denial) => Decided { allowed: false, reasons: reasons(denial.explain()) },
    }
}

fn reasons(explained: &[Reason]) -> Vec<String> {
    let mut reasons: Vec<String> =
        explained.iter().filter(|r| r.field.is_none()).map(ToString::to_string).collect();
    if reasons.is_empty() {
        reasons = explained.iter().map(ToString::to_string).collect();
        reasons.sort();
        reasons.dedup();
    }
    reasons
}

fn fields(explained: &[Reason], granted: &[symbolon_policy::GrantedField]) -> Vec<FieldDecision> {
    let mut fields = Vec::new();
    for reason in explained {
        let Some(field) = reason.field else { continue };
        let grant = granted.iter().find(|granted| granted.field == field);
        let transforms = grant.map(|granted| granted.transforms.as_slice()).unwrap_or_default();
        fields.push(FieldDecision {
            field: field.as_str().to_owned(),
            granted: grant.is_some(),
            transforms: transforms.iter().map(ToString::to_string).collect(),
            rules: vec![reason.to_string()],
        });
    }
    fields
}
