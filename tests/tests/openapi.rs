//! The OpenAPI file of the hotlines' door against the router, the types, and the real door.
//!
//! Holds spec/hotlines.md#calls and the program together.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use symbolon_desk::Role;
use symbolon_desk::api::{
    AlertForm, AlertList, AlertName, AlertSend, AlertUpdate, AlertWithdraw, IdentifierForm,
    ItemForm, NodeHello, Nothing, SourceForm, SubjectForm,
};
use symbolon_tests::{HotlineClient, Node, root};

fn document() -> Value {
    let text = std::fs::read_to_string(root().join("spec/hotline.openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The part of JSON Schema that the file uses; any other word in it is an error.
fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("{why}: {value} against {schema}"));
    for (word, rule) in schema.as_object().unwrap() {
        let texts = || rule.as_array().unwrap().iter().any(|one| one == value);
        match word.as_str() {
            "$ref" => {
                let target = rule.as_str().unwrap().trim_start_matches('#');
                check(document, document.pointer(target).unwrap(), value)?;
            }
            "description" | "pattern" => {}
            "enum" if !texts() => return wrong("not one of these"),
            "type" if !kinds(rule).iter().any(|kind| is_kind(kind, value)) => return wrong("type"),
            "minimum" if value.as_i64() < rule.as_i64() => return wrong("too small"),
            "maximum" if value.as_i64() > rule.as_i64() => return wrong("too large"),
            "maxItems" if value.as_array().map(Vec::len) > Some(0) => return wrong("too many"),
            "enum" | "type" | "minimum" | "maximum" | "maxItems" => {}
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(document, rule, item)?;
                }
            }
            "oneOf" => {
                let fits = |one: &&Value| check(document, one, value).is_ok();
                if rule.as_array().unwrap().iter().filter(fits).count() != 1 {
                    return wrong("fits none or several");
                }
            }
            "required" => {
                let Some(value) = value.as_object() else { continue };
                let missing = |name: &&Value| !value.contains_key(name.as_str().unwrap());
                if let Some(name) = rule.as_array().unwrap().iter().find(missing) {
                    return wrong(&format!("{name} is missing"));
                }
            }
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(name) {
                        check(document, rule, value)?;
                    }
                }
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    if !known.contains_key(name) {
                        return wrong(&format!("{name} is unknown"));
                    }
                }
            }
            other => panic!("the file uses {other}, which this test does not read"),
        }
    }
    Ok(())
}

fn kinds(rule: &Value) -> Vec<&str> {
    match rule {
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        kind => vec![kind.as_str().unwrap()],
    }
}

fn is_kind(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    }
}

/// The fields that a type reads, which serde names when it meets another.
fn fields<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(json!({ "no such field": 1 })) else {
        panic!("a type that takes unknown fields");
    };
    let text = error.to_string();
    let (_, expected) = text.split_once("expected").unwrap_or_default();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_file_has_the_calls_of_the_router_and_the_fields_of_the_types() {
    let document = document();
    let documented: BTreeSet<&str> =
        document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let routed: BTreeSet<&str> = symbolon_web::paths(Role::Hotline).into_iter().collect();
    assert_eq!(documented, routed);
    let agree = |name: &str, fields: BTreeSet<String>| {
        let properties = &document["components"]["schemas"][name]["properties"];
        let documented = properties.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, documented, "{name}");
    };
    agree("Nothing", fields::<Nothing>());
    agree("NodeHello", fields::<NodeHello>());
    agree("AlertForm", fields::<AlertForm>());
    agree("AlertSend", fields::<AlertSend>());
    agree("AlertUpdate", fields::<AlertUpdate>());
    agree("AlertWithdraw", fields::<AlertWithdraw>());
    agree("AlertName", fields::<AlertName>());
    agree("AlertList", fields::<AlertList>());
    agree("Subject", fields::<SubjectForm>());
    agree("Item", fields::<ItemForm>());
    agree("Source", fields::<SourceForm>());
    // Of two shapes, so that serde names no field: read what the file's fields make.
    let properties = &document["components"]["schemas"]["Identifier"]["oneOf"][1]["properties"];
    let names = properties.as_object().unwrap().keys();
    let full: Map<String, Value> = names.map(|name| (name.clone(), json!("x"))).collect();
    let read: IdentifierForm = serde_json::from_value(Value::Object(full.clone())).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), Value::Object(full));
}

#[test]
fn every_example_is_accepted_and_every_required_field_is_required() {
    let folder = tempfile::tempdir().unwrap();
    let document = document();
    let mut node = Node::new(folder.path(), "north", "NOR");
    let door = HotlineClient::door(&node);
    node.start();
    let more = ["--burst", "200"];
    let https = HotlineClient::enrol(&node, door, "harbour", &more).https();
    let send = json!({ "form": HotlineClient::form("portal alarm") }).to_string();
    let one = https.post("alert/send", send.as_bytes()).unwrap();
    let own = one.body["result"]["id"].clone();
    assert!(own.is_string(), "{one:?}");
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let call = path.trim_start_matches("/v1/");
        let body = &item["post"]["requestBody"]["content"]["application/json"];
        let answer = "/responses/200/content/application~1x-ndjson/schema";
        let answer = item["post"].pointer(answer).unwrap();
        for (name, example) in body["examples"].as_object().unwrap() {
            let mut example = example["value"].clone();
            check(&document, &body["schema"], &example).unwrap();
            // The examples name an alert that only they know.
            if example.get("id").is_some() {
                example["id"] = own.clone();
            }
            for (at, field) in required(&document, &body["schema"], &example) {
                let mut without = example.clone();
                without.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(&field);
                let said = https.post(call, without.to_string().as_bytes()).unwrap();
                assert_eq!(said.status, 400, "{call}, {name} without {at}/{field}: {said:?}");
                let failed = document.pointer("/components/schemas/Error").unwrap();
                check(&document, failed, &said.body).unwrap();
            }
            let said = https.post(call, example.to_string().as_bytes()).unwrap();
            assert_eq!(said.status, 200, "{call}, {name}: {said:?}");
            check(&document, answer, &said.body).unwrap_or_else(|why| panic!("{call}: {why}"));
            tried += 1;
        }
    }
    assert!(tried >= 10, "{tried}");
}

/// Every required field of a value, with the place of the object that it stands in.
fn required(document: &Value, schema: &Value, value: &Value) -> Vec<(String, String)> {
    let schema = match schema["$ref"].as_str() {
        Some(target) => document.pointer(target.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        found.push((String::new(), name.to_owned()));
        let inner = required(document, &schema["properties"][name], &value[name]);
        found.extend(inner.into_iter().map(|(at, field)| (format!("/{name}{at}"), field)));
    }
    found
}
