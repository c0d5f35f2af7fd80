//! Puts one question to Cedar.
//!
//! Implements spec/policy.md#decision. The only place where Cedar's authorizer is called.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName,
    EntityUid, Request, RestrictedExpression,
};
use symbolon_record::Field;

use crate::Action;
use crate::question::{Flag, Question, Value};
use crate::rule::Rule;
use crate::ruling::{Ruling, Verdict};

/// Cedar's rules with ours beside them.
pub(crate) struct Rules {
    pub(crate) cedar: cedar_policy::PolicySet,
    pub(crate) by_name: HashMap<String, Rule>,
}

impl Rules {
    /// One ruling, or one per field for `disclose`, in the order of [`Field::ALL`].
    pub(crate) fn ask(&self, question: &Question) -> Vec<Ruling> {
        let Some(entities) = entities(question) else {
            let count = if question.action == Action::Disclose { Field::ALL.len() } else { 1 };
            return vec![Ruling::new(Verdict::Error, []); count];
        };
        let ask = |field| self.ask_one(question, &entities, field);
        match question.action {
            Action::Disclose => Field::ALL.iter().map(|&field| ask(Some(field))).collect(),
            _ => vec![ask(None)],
        }
    }

    fn ask_one(&self, question: &Question, entities: &Entities, field: Option<Field>) -> Ruling {
        let Some(request) = request(question, field) else {
            return Ruling::new(Verdict::Error, []);
        };
        let response = Authorizer::new().is_authorized(&request, &self.cedar, entities);
        let diagnostics = response.diagnostics();
        let mut errors = diagnostics.errors().map(failed).peekable();
        // Cedar skips a rule that errs. A forbid must not be skipped, so nothing is allowed.
        if errors.peek().is_some() {
            return Ruling::new(Verdict::Error, errors);
        }
        let reasons: Vec<&str> = diagnostics.reason().map(AsRef::as_ref).collect();
        match response.decision() {
            Decision::Allow => {
                let permits: Vec<_> =
                    reasons.iter().filter_map(|name| self.by_name.get(*name)).collect();
                Ruling::permitted(&permits, field, &question.partner)
            }
            Decision::Deny if reasons.is_empty() => Ruling::new(Verdict::NoRule, []),
            Decision::Deny => Ruling::new(Verdict::Forbidden, reasons),
        }
    }
}

/// The name of the rule that failed.
fn failed(error: &AuthorizationError) -> &str {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().as_ref(),
    }
}

/// The partner and the record as Cedar sees them.
fn entities(question: &Question) -> Option<Entities> {
    let entity = |uid, attributes| {
        Entity::new(uid, expressions(attributes)?.into_iter().collect(), HashSet::new()).ok()
    };
    let partner = entity(uid("Partner", &question.partner)?, &question.partner_attributes)?;
    let record = entity(record_uid(question)?, &question.record_attributes)?;
    Entities::from_entities([partner, record], None).ok()
}

fn request(question: &Question, field: Option<Field>) -> Option<Request> {
    let mut context = expressions(&question.context)?;
    if let Some(field) = field {
        let asked = RestrictedExpression::new_entity_uid(uid("Field", field.as_str())?);
        context.push(("field".to_owned(), asked));
    }
    Request::new(
        uid("Partner", &question.partner)?,
        uid("Action", question.action.as_str())?,
        record_uid(question)?,
        Context::from_pairs(context).ok()?,
        None,
    )
    .ok()
}

/// A record that no rule names is nameless to the rules.
fn record_uid(question: &Question) -> Option<EntityUid> {
    uid("Record", question.record.as_deref().unwrap_or_default())
}

fn uid(of: &str, name: &str) -> Option<EntityUid> {
    let of = EntityTypeName::from_str(of).ok()?;
    Some(EntityUid::from_type_name_and_id(of, EntityId::new(name)))
}

fn expressions(
    attributes: &BTreeMap<&'static str, Value>,
) -> Option<Vec<(String, RestrictedExpression)>> {
    let expression = |(name, value): (&&str, &Value)| Some(((*name).to_owned(), express(value)?));
    attributes.iter().map(expression).collect()
}

fn express(value: &Value) -> Option<RestrictedExpression> {
    let entity = |of, name: &str| Some(RestrictedExpression::new_entity_uid(uid(of, name)?));
    Some(match value {
        Value::Name(of, name) => entity(of.as_str(), name)?,
        Value::Names(of, names) => {
            let names: Option<Vec<_>> =
                names.iter().map(|name| entity(of.as_str(), name)).collect();
            RestrictedExpression::new_set(names?)
        }
        Value::Number(number) => RestrictedExpression::new_long(*number),
        Value::Flag(flag) => RestrictedExpression::new_bool(*flag == Flag::Yes),
        Value::Minute(seconds) => minute(*seconds)?,
    })
}

/// An instant, without a calendar: Cedar counts from the epoch by itself.
fn minute(seconds: u64) -> Option<RestrictedExpression> {
    let text = format!("datetime(\"1970-01-01\").offset(duration(\"{seconds}s\"))");
    RestrictedExpression::from_str(&text).ok()
}
