//! The chapter of the demo about alerts: raised, delivered, met, acted on, taken back.

use std::time::Duration;

use symbolon_desk::api::{
    AckRow, AlertAck, AlertAcks, AlertForm, AlertList, AlertName, AlertPage, AlertPreview,
    AlertPreviewed, AlertSend, AlertSent, AlertShow, AlertShown, AlertWithdraw, IdentifierForm,
    PlaceForm,
};
use tokio::time::{Instant, interval};

use super::Outcome;
use super::nodes::Nodes;
use super::story::{indent, step};
use crate::cli::{Output, alerts};
use crate::exit::{Exit, Failure};
use crate::loopback::LoopbackNode;

/// After so long a partner that is there has what was sent to it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Raises an alert while a partner is down; gives its id.
pub(super) async fn raise(
    nodes: &Nodes,
    out: Output,
    outcome: &mut Outcome,
) -> Result<String, Failure> {
    step(out, 8, "A portal alarm at a quay of north: who may have it has it, seconds later");
    let (north, south) = (nodes.node("north")?, nodes.node("south")?);
    let form = form();
    let previewed: AlertPreviewed =
        north.call("alert/preview", &AlertPreview { form: form.clone() }).await?;
    out.note(
        "  Before it goes out, north sees to whom, and what of it; nobody else gets a byte:\n",
    );
    out.note(&indent(&alerts::previewed(&previewed)));
    let begun = Instant::now();
    let sent: AlertSent =
        north.call("alert/send", &AlertSend { form, idempotency_key: None }).await?;
    let row = reached(north, &sent.id, "south", "delivered", is_in("delivered")).await?;
    outcome.alert_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
    let leaf = row.their_index.map_or_else(String::new, |leaf| leaf.to_string());
    out.note(&format!(
        "  Sent and acknowledged by south in {} ms, signed, at leaf {leaf} of south's log.\n  \
         East is still down: its copy waits in north's store.\n",
        outcome.alert_ms
    ));
    meet(south, out, outcome).await?;
    Ok(sent.id)
}

/// The recipient reads it beside what it knows itself, and acts.
async fn meet(south: &LoopbackNode, out: Output, outcome: &mut Outcome) -> Result<(), Failure> {
    let list = AlertList { direction: Some("received".to_owned()), after: None, limit: None };
    let page: AlertPage = south.call("alert/list", &list).await?;
    let row = page.alerts.first();
    let row = row.ok_or_else(|| Failure::new(Exit::Internal, "the alert is not there", ""))?;
    let show = AlertShow { id: row.id.clone(), reason: "demo".to_owned() };
    let shown: AlertShown = south.call("alert/show", &show).await?;
    outcome.alert_matches = shown.matches.len();
    out.note("  At south it rings, for it meets a case of south's own:\n");
    out.note(&indent(&alerts::shown(&shown)));
    let ack = AlertAck {
        id: row.id.clone(),
        stage: "acted".to_owned(),
        outcome: "border posts told".to_owned(),
    };
    let _: AlertName = south.call("alert/ack", &ack).await?;
    Ok(())
}

/// East comes back and catches up; then north takes the alert back everywhere.
pub(super) async fn take_back(
    nodes: &mut Nodes,
    out: Output,
    id: &str,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    step(out, 9, "East is started again and catches up; then the alarm turns out to be an error");
    nodes.restart("east").await?;
    let north = nodes.node("north")?;
    reached(north, id, "east", "delivered", is_in("delivered")).await?;
    reached(north, id, "south", "acted on", is_in("acted")).await?;
    let acks: AlertAcks = north.call("alert/acks", &AlertName { id: id.to_owned() }).await?;
    out.note(&indent(&alerts::acks(&acks)));
    let withdraw =
        AlertWithdraw { id: id.to_owned(), reason: "error".to_owned(), idempotency_key: None };
    let _: AlertAcks = north.call("alert/withdraw", &withdraw).await?;
    for partner in ["south", "east"] {
        let is_proved = |row: &AckRow| row.deletion_proved.is_some();
        reached(north, id, partner, "proved the deletion of", is_proved).await?;
    }
    let acks: AlertAcks = north.call("alert/acks", &AlertName { id: id.to_owned() }).await?;
    outcome.deletions_proven =
        acks.recipients.iter().filter(|row| row.deletion_proved.is_some()).count();
    out.note(
        "  Withdrawn. Each recipient destroyed the key of its copy, signed for it, and opened the \
         leaf of its log that says so:\n",
    );
    out.note(&indent(&alerts::acks(&acks)));
    Ok(())
}

fn form() -> AlertForm {
    AlertForm {
        kind: Some("material_out_of_control".to_owned()),
        what: Some(
            "Portal alarm, neutrons, on a container declared as milking machines".to_owned(),
        ),
        place: Some(PlaceForm::Text("Oslo, NOR".to_owned())),
        when: Some("unknown".to_owned()),
        urgency: Some("flash".to_owned()),
        tlp: Some("green".to_owned()),
        identifiers: vec![IdentifierForm::Parts {
            kind: Some("passport".to_owned()),
            text: "X-407 9126".to_owned(),
            issuer: Some("Utopia".to_owned()),
            date: None,
        }],
        ..AlertForm::default()
    }
}

/// Whether a recipient is in a state.
fn is_in(state: &'static str) -> impl Fn(&AckRow) -> bool {
    move |row| row.state == state
}

/// A recipient's row, once it is as far as that; `what` says it to whoever waited in vain.
async fn reached(
    node: &LoopbackNode,
    id: &str,
    partner: &str,
    what: &str,
    is_reached: impl Fn(&AckRow) -> bool,
) -> Result<AckRow, Failure> {
    let (begun, mut tick) = (Instant::now(), interval(LOOK));
    loop {
        tick.tick().await;
        let acks: AlertAcks = node.call("alert/acks", &AlertName { id: id.to_owned() }).await?;
        let row = acks.recipients.into_iter().find(|row| row.partner == partner);
        if let Some(row) = row.filter(&is_reached) {
            return Ok(row);
        }
        if begun.elapsed() > PATIENCE {
            let cause = format!("{partner} has not {what} the alert");
            return Err(Failure::new(Exit::Unavailable, cause, "run the demo again"));
        }
    }
}
