//! Reads a rule's syntax tree: the fields it is confined to, the attributes it looks at.
//!
//! Implements spec/policy.md#fields. Works on Cedar's JSON form of a policy.

use std::collections::BTreeSet;

use serde_json::Value;
use symbolon_record::Field;

/// The fields to which the rule's `when` clauses confine it, or none where they do not.
///
/// Only three plain forms count, alone or joined by `&&` and `||`: `context.field == Field::"x"`,
/// `context.field in [..]` and `[..].contains(context.field)`. A rule that passes for any other
/// field in spite of such a form does not exist: each form is false for every other field.
pub(crate) fn fields(policy: &Value) -> Option<BTreeSet<Field>> {
    let conditions = policy.get("conditions")?.as_array()?;
    let whens = conditions.iter().filter(|c| c.get("kind").and_then(Value::as_str) == Some("when"));
    whens.filter_map(|when| confined(when.get("body")?)).reduce(|a, b| &a & &b)
}

fn confined(body: &Value) -> Option<BTreeSet<Field>> {
    let (operator, parts) = body.as_object()?.iter().next()?;
    let (left, right) = (parts.get("left")?, parts.get("right")?);
    match operator.as_str() {
        "&&" => match (confined(left), confined(right)) {
            (Some(a), Some(b)) => Some(&a & &b),
            (a, b) => a.or(b),
        },
        "||" => Some(&confined(left)? | &confined(right)?),
        "==" if is_asked(left) => named(right),
        "==" if is_asked(right) => named(left),
        "in" if is_asked(left) => named(right),
        "contains" if is_asked(right) => named(left),
        _ => None,
    }
}

/// `context.field`.
fn is_asked(body: &Value) -> bool {
    let access = body.get(".");
    let variable = access.and_then(|a| a.get("left")?.get("Var")?.as_str());
    let attribute = access.and_then(|a| a.get("attr")?.as_str());
    variable == Some("context") && attribute == Some("field")
}

/// One field or a list of fields, written out.
fn named(body: &Value) -> Option<BTreeSet<Field>> {
    if let Some(list) = body.get("Set").or_else(|| body.get("Value")).and_then(Value::as_array) {
        return list.iter().map(one).collect();
    }
    one(body).map(|field| BTreeSet::from([field]))
}

fn one(body: &Value) -> Option<Field> {
    let entity = body.get("Value").unwrap_or(body).get("__entity")?;
    (entity.get("type")?.as_str()? == "Field").then_some(())?;
    entity.get("id")?.as_str()?.parse().ok()
}

/// Adds every attribute name that the rule looks at, by `.` or `has`.
pub(crate) fn attributes(body: &Value, found: &mut BTreeSet<String>) {
    match body {
        Value::Object(map) => {
            let attribute = map.get("attr").and_then(Value::as_str);
            found.extend(attribute.map(str::to_owned));
            map.values().for_each(|value| attributes(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| attributes(value, found)),
        _ => {}
    }
}
