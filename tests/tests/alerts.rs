//! Alerts between real nodes: released, delivered once and in order, changed, contested, taken
//! back, over; with the acknowledgements that prove each step.
//!
//! Holds the program to spec/alerts.md.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use serde_json::{Value, json};
use symbolon_tests::{Node, PURPOSE, columns, neighbours, row, wait_for};

fn budgets() -> Value {
    json!({ "document": 100_000 })
}

/// Five fields and the number of a ship.
fn form(what: &str, urgency: &str) -> Value {
    json!({
        "kind": "material_out_of_control", "what": what, "where": "NO", "when": "2026-11-20",
        "urgency": urgency, "tlp": "green", "identifiers": ["IMO 9074729"],
    })
}

fn send(node: &Node, form: &Value) -> Value {
    node.call("alert/send", &json!({ "form": form }))
}

/// The only alert that a node has received, once it has.
fn received(node: &Node) -> Value {
    wait_for("an alert comes in", 20, || {
        let page = node.call("alert/list", &json!({ "direction": "received" }));
        page["alerts"].as_array().unwrap().first().cloned()
    })
}

/// How far the only recipient is, once it is there.
fn wait_state(node: &Node, id: &str, state: &str) -> Value {
    wait_for(&format!("the recipient has {state}"), 20, || {
        let acks = node.call("alert/acks", &json!({ "id": id }));
        let row = acks["recipients"].as_array()?.first()?.clone();
        (row["state"] == state).then_some(row)
    })
}

fn as_duty(node: &Node, arguments: &[&str]) -> Value {
    let arguments = [&["--officer", "duty", "--json"], arguments].concat();
    let output = node.command(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_alert_is_released_read_changed_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &budgets());
    let table = columns() + &row("R-1", "green", "Person 1", "imo_ship", "9074729");
    assert!(south.import(&table).unwrap().result.is_some());

    // The preview says who would get it, and is what is sent.
    let form = form("Portal alarm", "urgent");
    let preview = north.call("alert/preview", &json!({ "form": form }));
    assert_eq!(preview["recipients"][0]["partner"], "south", "{preview}");
    assert_eq!(preview["recipients"][0]["release"], "after_yes");
    assert_eq!(preview["identifiers"][0]["kind"], "imo_ship");

    // Urgent ones wait for the yes of another person than the sender.
    let sent = send(&north, &form);
    let id = sent["id"].as_str().unwrap();
    assert_eq!((&sent["state"], &sent["awaiting"]), (&json!("waiting"), &json!(1)), "{sent}");
    assert_eq!(north.call("inbox/list", &json!({}))["items"][0]["kind"], "approve");
    let own_yes = north.post("alert/approve", &json!({ "id": id })).unwrap();
    assert_eq!(own_yes.error.unwrap()["code"], "refused");
    let approved = as_duty(&north, &["alert", "approve", id]);
    assert_eq!(approved["state"], "active");
    let delivered = wait_state(&north, id, "delivered");
    assert!(delivered["their_index"].is_u64() && delivered["read_at"].is_null());

    // The recipient meets its own record at once, and is shown what agrees.
    let there = received(&south);
    assert_eq!((&there["id"], &there["rings"]), (&json!(id), &json!(true)), "{there}");
    assert_eq!(south.call("inbox/list", &json!({}))["items"][0]["alert"]["id"], id);
    let shown = south.call("alert/show", &json!({ "id": id, "reason": "on duty" }));
    let agreeing = shown["matches"][0]["compared"].as_array().unwrap();
    assert!(agreeing.iter().any(|one| one["words"] == "same imo ship"), "{shown}");
    let fields = shown["fields"].as_array().unwrap();
    let previewed = preview["recipients"][0]["fields"].as_array().unwrap();
    // Only the times of the two forms differ.
    let kept = |list: &[Value]| -> Vec<Value> {
        list.iter().filter(|field| field["field"] != "validity").cloned().collect()
    };
    assert_eq!(kept(fields), kept(previewed));

    let _read = south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    let _read_again = south.call("alert/ack", &json!({ "id": id, "stage": "read" }));
    wait_state(&north, id, "read");
    let acted = json!({ "id": id, "stage": "acted", "outcome": "secured" });
    let _acted = south.call("alert/ack", &acted);
    let row = wait_state(&north, id, "acted");
    assert!(row["read_at"].as_u64() <= row["acted_at"].as_u64());
    assert_eq!(south.call("inbox/list", &json!({}))["items"], json!([]));

    // An update is a new version; the same again is none.
    let mut changed = form.clone();
    changed["what"] = json!("Portal alarm, false");
    let update = json!({ "id": id, "form": changed });
    assert_eq!(north.call("alert/update", &update)["id"], id);
    let first = as_duty(&north, &["alert", "approve", id]);
    assert_ne!(first["version"], sent["version"]);
    let same = north.call("alert/update", &update);
    assert_eq!((&same["repeated"], &same["version"]), (&json!(true), &first["version"]));
    wait_for("the new version comes in", 20, || {
        let row = received(&south);
        (row["title"] == "Portal alarm, false").then_some(())
    });

    // Nobody but the origin edits.
    let theirs = south.post("alert/update", &update).unwrap();
    assert_eq!(theirs.error.unwrap()["code"], "not_found");
    let withdraw = json!({ "id": id, "reason": "error" });
    assert_eq!(
        south.post("alert/withdraw", &withdraw).unwrap().error.unwrap()["code"],
        "not_found"
    );

    // A contest travels, and what it meets rings no more.
    let contest = json!({ "id": id, "reason": "wrong_facts" });
    let _contested = south.call("alert/contest", &contest);
    assert_eq!(received(&south)["rings"], false);
    wait_for("the origin learns of the contest", 20, || {
        let items = north.call("inbox/list", &json!({}))["items"].clone();
        items.as_array().unwrap().iter().any(|item| item["kind"] == "contested").then_some(())
    });

    // Taken back: deleted there, with proof.
    let _withdrawn = north.call("alert/withdraw", &withdraw);
    let deleted = wait_state(&north, id, "deleted");
    assert!(deleted["deleted_at"].is_u64() && deleted["their_index"].is_u64());
    let there = received(&south);
    assert_eq!((&there["state"], &there["title"]), (&json!("withdrawn"), &json!("")));
    assert_eq!(south.call("alert/show", &json!({ "id": id }))["fields"], json!([]));
    assert_eq!(south.call("inbox/list", &json!({}))["items"], json!([]));
    for (node, other) in [(&north, "south"), (&south, "north")] {
        node.log_holds();
        let agreed = node.call("audit/reconcile", &json!({ "partner": other }));
        assert_eq!(agreed["agrees"], true, "{agreed}");
    }
}

#[test]
fn what_waited_for_a_week_comes_in_order_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut north, mut south) = neighbours(folder.path(), &budgets());
    south.stop();
    let mut titles = Vec::new();
    for number in 0..150 {
        let what = format!("Alarm {number}");
        // Policy lets flashes on loose material out at once.
        let sent = send(&north, &form_without_identifiers(&what));
        assert_eq!(sent["recipients"], json!(["south"]), "{sent}");
        titles.push(what);
    }
    // Both die; a week later both come back.
    north.kill();
    north.start_later(6);
    south.start_later(6);
    wait_for("all of them come in", 60, || {
        let page = south.call("alert/list", &json!({ "direction": "received", "limit": 1000 }));
        (page["alerts"].as_array().unwrap().len() == titles.len()).then_some(())
    });
    let page = south.call("alert/list", &json!({ "direction": "received", "limit": 1000 }));
    let alerts = page["alerts"].as_array().unwrap();
    let mut came: Vec<_> = alerts.iter().map(|alert| alert["title"].as_str().unwrap()).collect();
    came.sort_unstable();
    titles.sort_unstable();
    assert_eq!(came, titles, "each once");
    north.log_holds();
    south.log_holds();
}

fn form_without_identifiers(what: &str) -> Value {
    let mut form = form(what, "flash");
    form.as_object_mut().unwrap().remove("identifiers");
    form
}

#[test]
fn a_drill_stays_a_drill() {
    let folder = tempfile::tempdir().unwrap();
    let (north, south) = neighbours(folder.path(), &budgets());
    let table = columns() + &row("R-1", "green", "Person 1", "imo_ship", "9074729");
    assert!(south.import(&table).unwrap().result.is_some());
    let mut drill = form("Drill", "flash");
    drill["exercise"] = json!(true);

    // Without an agreement on drills nobody gets one.
    let preview = north.call("alert/preview", &json!({ "form": drill }));
    assert_eq!(preview["recipients"], json!([]), "{preview}");
    agree_on_drills(&north, &south);
    let sent = send(&north, &drill);
    assert_eq!((&sent["exercise"], &sent["recipients"]), (&json!(true), &json!(["south"])));
    let id = sent["id"].as_str().unwrap();
    wait_state(&north, id, "delivered");
    let there = received(&south);
    // It meets nothing that is real.
    assert_eq!((&there["exercise"], &there["matches"]), (&json!(true), &json!(0)), "{there}");
    let shown = south.command(&["alert", "show", id]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.starts_with("EXERCISE"), "{text}");

    // It cannot become real, by its origin or anybody else.
    let live = form("Drill", "flash");
    let update = json!({ "id": id, "form": live });
    assert_eq!(north.post("alert/update", &update).unwrap().error.unwrap()["code"], "refused");
    let events = |node: &Node, kind: &str| {
        let counts = node.call("audit/counts", &json!({}));
        counts.to_string().matches(&format!("\"{kind}\"")).count()
    };
    assert_eq!((events(&north, "exercise"), events(&north, "alert")), (1, 0));
    // Nothing of it stands among the records.
    assert_eq!(south.call("node/status", &json!({}))["records"], 1);
}

fn agree_on_drills(one: &Node, other: &Node) {
    let propose = json!({
        "partner": other.name, "purposes": [PURPOSE], "budgets": budgets(),
        "epoch_seconds": 7 * 86_400, "retention_days": 365, "days": 365, "exercise": true,
    });
    let mut file = one.call("partner/agree", &propose);
    for node in [other, one] {
        let accept =
            json!({ "armored": file["armored"], "confirmed_digest": file["terms"]["digest"] });
        file = node.call("partner/accept", &accept);
    }
}
