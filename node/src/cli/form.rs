//! The form of an alert from flags, a file, standard input or questions at the terminal. What it
//! means is the node's to say.
//!
//! Implements spec/hotlines.md#form.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::commands::read;
use crate::exit::{Exit, Failure};

/// The five fields that a form must have, and what is asked for each.
const REQUIRED: [(&str, &str); 5] = [
    ("kind", "Kind (such as suspicious_order or material_out_of_control)"),
    ("what", "What, in one line"),
    ("where", "Where (place, COUNTRY; or unknown)"),
    ("when", "When, UTC (2026-11-22T03:10Z, 2026-11-22, 2026-11; or unknown)"),
    ("urgency", "Urgency (flash, urgent, routine)"),
];

/// The form of an alert. What a flag says stands over what the file says.
#[derive(Debug, Default, Args)]
pub(crate) struct Form {
    /// The form as JSON; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    form: Option<PathBuf>,
    /// Record kind.
    #[arg(long)]
    kind: Option<String>,
    /// What, in one line.
    #[arg(long)]
    what: Option<String>,
    /// Place, or `unknown`.
    #[arg(long = "where", value_name = "PLACE")]
    place: Option<String>,
    /// Country of the place: ISO 3166-1 code.
    #[arg(long)]
    country: Option<String>,
    /// Time in UTC: 2026-11-22T03:10Z, a day, a month, or `unknown`.
    #[arg(long)]
    when: Option<String>,
    /// `flash`, `urgent` or `routine`.
    #[arg(long)]
    urgency: Option<String>,
    /// What is known, in words.
    #[arg(long)]
    narrative: Option<String>,
    /// Identifier as pasted, or KIND=TEXT; may be repeated.
    #[arg(long = "identifier")]
    identifiers: Vec<String>,
    /// Place or country passed, in order; may be repeated.
    #[arg(long = "route")]
    route: Vec<String>,
    /// Reliability and credibility, such as B2.
    #[arg(long)]
    evaluation: Option<String>,
    /// Kind of the source.
    #[arg(long)]
    source_kind: Option<String>,
    /// The source, described; leaves the node only by a rule that names it.
    #[arg(long)]
    source: Option<String>,
    /// The source's own reference.
    #[arg(long)]
    source_reference: Option<String>,
    /// Traffic light: red, amber+strict, amber, green, clear.
    #[arg(long)]
    tlp: Option<String>,
    /// Country that it may be released to: ISO 3166-1 code; may be repeated.
    #[arg(long = "releasable-to")]
    releasable_to: Vec<String>,
    /// Purpose that it serves, one that the agreement names.
    #[arg(long)]
    purpose: Option<String>,
    /// Legal basis.
    #[arg(long)]
    legal_basis: Option<String>,
    /// Case reference.
    #[arg(long = "case")]
    case_reference: Option<String>,
    /// Days after which it is deleted everywhere.
    #[arg(long)]
    expires_days: Option<u32>,
    /// Partner that alone shall have it; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Partner that shall not have it; may be repeated.
    #[arg(long)]
    except: Vec<String>,
    /// This is an exercise: it never mixes with live alerts.
    #[arg(long)]
    exercise: bool,
}

impl Form {
    /// The whole form. What is missing is asked at the terminal, where there is one.
    pub(super) fn fill(self) -> Result<Value, Failure> {
        let mut form = match &self.form {
            Some(path) => object(&read(path)?)?,
            None => Map::new(),
        };
        let is_from_stdin = self.form.as_deref().is_some_and(|path| path == "-");
        self.over(&mut form);
        let missing = |form: &Map<String, Value>| {
            REQUIRED.into_iter().find(|(field, _)| !form.contains_key(*field))
        };
        while let Some((field, question)) = missing(&form) {
            if is_from_stdin || !io::stdin().is_terminal() {
                return Err(Failure::invalid(
                    format!("the form has no '{field}'"),
                    "give kind, what, where, when and urgency; 'unknown' is an answer to where and when",
                ));
            }
            let answer = asked(question)?;
            if !answer.is_empty() {
                let value = if field == "where" { place_of(&answer) } else { json!(answer) };
                form.insert(field.to_owned(), value);
            }
        }
        Ok(Value::Object(form))
    }

    fn over(self, form: &mut Map<String, Value>) {
        let lines = [
            ("kind", self.kind),
            ("what", self.what),
            ("when", self.when),
            ("urgency", self.urgency),
            ("narrative", self.narrative),
            ("evaluation", self.evaluation),
            ("tlp", self.tlp),
            ("purpose", self.purpose),
            ("legal_basis", self.legal_basis),
            ("case_reference", self.case_reference),
        ];
        for (field, text) in lines {
            if let Some(text) = text {
                form.insert(field.to_owned(), json!(text));
            }
        }
        match (self.place.as_deref(), self.country) {
            (None, None) => {}
            (Some("unknown"), None) => {
                form.insert("where".to_owned(), json!("unknown"));
            }
            (name, country) => {
                let name = name.map(|name| json!(name));
                within(form, "where", [("name", name), ("country", country.map(Value::String))]);
            }
        }
        let source = [
            ("kind", self.source_kind.map(Value::String)),
            ("description", self.source.map(Value::String)),
            ("reference", self.source_reference.map(Value::String)),
        ];
        within(form, "source", source);
        let identifiers: Vec<Value> =
            self.identifiers.iter().map(|text| identifier(text)).collect();
        if !identifiers.is_empty() {
            form.insert("identifiers".to_owned(), json!(identifiers));
        }
        let lists = [
            ("route", self.route),
            ("releasable_to", self.releasable_to),
            ("only", self.only),
            ("except", self.except),
        ];
        for (field, list) in lists {
            if !list.is_empty() {
                form.insert(field.to_owned(), json!(list));
            }
        }
        if let Some(days) = self.expires_days {
            form.insert("expires_days".to_owned(), json!(days));
        }
        if self.exercise {
            form.insert("exercise".to_owned(), json!(true));
        }
    }
}

/// Puts what was given into the object `field` of the form.
fn within<const N: usize>(
    form: &mut Map<String, Value>,
    field: &str,
    given: [(&str, Option<Value>); N],
) {
    if given.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    let mut object = match form.remove(field) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    for (name, value) in given {
        if let Some(value) = value {
            object.insert(name.to_owned(), value);
        }
    }
    form.insert(field.to_owned(), Value::Object(object));
}

/// `KIND=TEXT` where what stands before the sign can be a kind, else the text as pasted.
pub(super) fn identifier(text: &str) -> Value {
    match text.split_once('=') {
        Some((kind, rest))
            if !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == '_') =>
        {
            json!({ "kind": kind, "text": rest })
        }
        _ => json!(text),
    }
}

/// `Oslo, NOR`, a place alone, or `unknown`.
pub(super) fn place_of(answer: &str) -> Value {
    match answer.rsplit_once(',') {
        _ if answer == "unknown" => json!("unknown"),
        Some((name, country)) if country.trim().len() == 3 => {
            json!({ "name": name.trim(), "country": country.trim().to_ascii_uppercase() })
        }
        _ => json!({ "name": answer }),
    }
}

fn object(text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(form)) => Ok(form),
        _ => Err(Failure::invalid(
            "the form is not one JSON object",
            "spec/hotlines.md shows the fields; a smallest form has five",
        )),
    }
}

fn asked(question: &str) -> Result<String, Failure> {
    let mut error = io::stderr().lock();
    let _ = write!(error, "{question}: ").and_then(|()| error.flush());
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(count) if count > 0 => Ok(answer.trim().to_owned()),
        _ => Err(Failure::new(Exit::Refused, "the form was not filled, nothing is kept", "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_stand_over_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("form.json");
        let text = json!({
            "kind": "incident", "what": "old", "where": "unknown", "when": "unknown",
            "urgency": "routine", "tlp": "green", "source": { "kind": "authority" },
        });
        std::fs::write(&path, text.to_string()).unwrap();
        let form = Form {
            form: Some(path),
            what: Some("new".into()),
            place: Some("Oslo".into()),
            country: Some("NOR".into()),
            identifiers: vec!["IMO 9074729".into(), "email=a@b.org".into()],
            purpose: Some("nonproliferation".into()),
            source: Some("the portal".into()),
            exercise: true,
            ..Form::default()
        };
        let expected = json!({
            "kind": "incident", "what": "new", "where": { "name": "Oslo", "country": "NOR" },
            "when": "unknown", "urgency": "routine", "exercise": true,
            "tlp": "green", "purpose": "nonproliferation",
            "source": { "kind": "authority", "description": "the portal" },
            "identifiers": ["IMO 9074729", { "kind": "email", "text": "a@b.org" }],
        });
        assert_eq!(form.fill().unwrap(), expected);
    }

    #[test]
    fn places_are_read_as_people_write_them() {
        assert_eq!(place_of("Oslo, nor"), json!({ "name": "Oslo", "country": "NOR" }));
        assert_eq!(place_of("berth 4, east quay"), json!({ "name": "berth 4, east quay" }));
        assert_eq!(place_of("unknown"), json!("unknown"));
        assert_eq!(identifier("https://x.example/?a=b"), json!("https://x.example/?a=b"));
    }
}
