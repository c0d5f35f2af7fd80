//! The one function that makes a grant.
//!
//! Implements spec/policy.md#decision. Bounds first, then memory, then Cedar.
//!
//! Invariants: default deny; an error denies; a forbid wins; no rule exceeds a bound; a field that
//! is not in the reasons as granted is not in the grant.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use symbolon_record::Field;

use crate::bounds;
use crate::grant::Subject;
use crate::question::Question;
use crate::rule::Release;
use crate::ruling::{Ruling, Verdict};
use crate::{
    Action, Cause, Decision, Denial, Effect, Grant, GrantedField, PolicySet, Reason, Request,
};

impl PolicySet {
    /// Whether `request` is permitted, which fields of the record that lets out, and why.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let subject = Subject {
            action: request.action,
            partner: request.partner.node,
            record: request.record.id(),
            version: request.record.version(),
            policy_digest: self.digest(),
            decided_at: request.now,
            purpose: request.purpose.to_owned(),
        };
        if let Some(bound) = bounds::exceeded(request) {
            let cause = Cause::Outside(bound);
            let reason = Reason { field: None, effect: Effect::Withheld, cause, rules: Vec::new() };
            return Decision::Deny(Denial { subject, reasons: vec![reason] });
        }
        let rulings = self.rulings(request);
        match request.action {
            Action::Disclose => disclose(subject, &rulings),
            _ => whole(subject, &rulings),
        }
    }

    /// What the rules say, from memory where they have said it before.
    fn rulings(&self, request: &Request<'_>) -> Arc<[Ruling]> {
        let reads = self.reads.get(&request.action);
        let question = Question::new(request, reads);
        if let Some(answer) = self.memo.fetch(&question) {
            return answer;
        }
        let answer: Arc<[Ruling]> = self.rules.ask(&question).into();
        self.asked.fetch_add(answer.len() as u64, Ordering::Relaxed);
        self.memo.keep(question, Arc::clone(&answer));
        answer
    }
}

/// A disclosure is allowed where at least one field is.
fn disclose(subject: Subject, rulings: &[Ruling]) -> Decision {
    let pairs = || Field::ALL.iter().copied().zip(rulings);
    let reasons = pairs().map(|(field, ruling)| reason(Some(field), ruling)).collect();
    let fields: Vec<_> = pairs()
        .filter_map(|(field, ruling)| match &ruling.verdict {
            Verdict::Permitted(transforms, _) => {
                Some(GrantedField { field, transforms: transforms.clone() })
            }
            _ => None,
        })
        .collect();
    if fields.is_empty() {
        Decision::Deny(Denial { subject, reasons })
    } else {
        Decision::Allow(Grant { subject, fields, reasons, release: Release::AfterYes })
    }
}

/// Any other action is allowed as a whole or not.
fn whole(subject: Subject, rulings: &[Ruling]) -> Decision {
    let reasons: Vec<_> = rulings.iter().map(|ruling| reason(None, ruling)).collect();
    let granted = reasons.iter().all(|reason| reason.effect == Effect::Granted);
    if granted && !reasons.is_empty() {
        let releases = rulings.iter().map(|ruling| match ruling.verdict {
            Verdict::Permitted(_, release) => release,
            _ => Release::AfterYes,
        });
        let release = releases.max().unwrap_or(Release::AfterYes);
        Decision::Allow(Grant { subject, fields: Vec::new(), reasons, release })
    } else {
        Decision::Deny(Denial { subject, reasons })
    }
}

fn reason(field: Option<Field>, ruling: &Ruling) -> Reason {
    let cause = match ruling.verdict {
        Verdict::Permitted(..) => Cause::Permitted,
        Verdict::Forbidden => Cause::Forbidden,
        Verdict::NoRule => Cause::NoRule,
        Verdict::SourceUnnamed => Cause::SourceUnnamed,
        Verdict::NeedsApproval => Cause::NeedsApproval,
        Verdict::Prose => Cause::Prose,
        Verdict::Error => Cause::RuleError,
    };
    let granted = cause == Cause::Permitted;
    let effect = if granted { Effect::Granted } else { Effect::Withheld };
    Reason { field, effect, cause, rules: ruling.rules.clone() }
}
