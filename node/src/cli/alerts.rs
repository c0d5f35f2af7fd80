//! Alerts as officers work with them: shown, changed, acknowledged, approved; and the inbox.
//!
//! Implements spec/alerts.md#commands.

use clap::Subcommand;
use symbolon_desk::api::*;

use super::commands::Runner;
use super::far::{Far, Matter, id_at};
use super::form::Form;
use super::output::{number, table, time};
use super::tables::row;
use crate::exit::Failure;
use crate::hotline::Call;

/// What stands above everything that is a drill.
const EXERCISE: &str = "EXERCISE EXERCISE EXERCISE: not a live alert\n";

#[derive(Debug, Subcommand)]
pub(crate) enum Work {
    /// Shows what a form would send, to whom, and who would not get it. Sends nothing.
    Preview {
        #[command(flatten)]
        form: Form,
    },
    /// What to write for each kind of alert.
    Templates,
    /// Lists alerts, sent and received.
    List {
        /// Only `sent` or only `received` ones.
        #[arg(long)]
        direction: Option<String>,
        /// Where the page begins: `next` of the page before.
        #[arg(long)]
        after: Option<String>,
        /// Rows.
        #[arg(long)]
        limit: Option<u32>,
        #[command(flatten)]
        far: Far,
    },
    /// Says in one line how an alert stands.
    State {
        /// Id; with --enrolment also its key in the spool.
        id: String,
        #[command(flatten)]
        far: Far,
    },
    /// Shows an alert and the own records that it meets. The reading is logged.
    Show {
        /// Id.
        id: String,
        /// Why; goes into the log.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Acknowledges a received alert: the sender learns that it was read or acted on.
    Ack {
        /// Id.
        id: String,
        /// It has been acted on, not only read.
        #[arg(long)]
        acted: bool,
        /// What came of it; stays in this node.
        #[arg(long, default_value = "", requires = "acted")]
        outcome: String,
    },
    /// Lets an alert go out that waits for a second officer.
    Approve {
        /// Id.
        id: String,
    },
    /// Keeps an alert from going out.
    Decline {
        /// Id.
        id: String,
    },
    /// Replaces what an own alert says; everybody who has it gets the new version. With
    /// --enrolment it is kept and sent as 'alert send' does it.
    Update {
        /// Id; with --enrolment also its key in the spool.
        id: String,
        #[command(flatten)]
        form: Form,
        #[command(flatten)]
        far: Far,
        /// How long to try before the change is left in the spool, in seconds.
        #[arg(long, default_value_t = 20)]
        wait: u64,
    },
    /// Takes an own alert back; everybody who has it deletes it and proves it. With --enrolment
    /// it is kept and sent as 'alert send' does it.
    Withdraw {
        /// Id; with --enrolment also its key in the spool.
        id: String,
        #[command(flatten)]
        far: Far,
        /// How long to try before this is left in the spool, in seconds.
        #[arg(long, default_value_t = 20)]
        wait: u64,
        /// `error`, `resolved`, `superseded`, `no_longer_shared` or `ordered`.
        #[arg(long)]
        reason: String,
    },
    /// Takes an own alert back from everybody but the partners named.
    Narrow {
        /// Id.
        id: String,
        /// A partner that keeps it; may be given again.
        #[arg(long = "keep", required = true)]
        keep: Vec<String>,
    },
    /// Contests an alert: matches on it count less, and its origin or its recipients are told.
    Contest {
        /// Id.
        id: String,
        /// `wrong_identity`, `wrong_facts`, `unlawful`, `duplicate` or `other`.
        #[arg(long)]
        reason: String,
    },
}

impl Runner {
    pub(super) async fn work(&self, command: Work) -> Result<(), Failure> {
        match command {
            Work::Preview { form } => {
                let request = serde_json::json!({ "form": form.fill()? });
                self.show("alert/preview", &request, previewed).await
            }
            Work::Templates => self.show("alert/templates", &Nothing {}, templates).await,
            Work::List { direction, after, limit, far } => {
                let list = AlertList { direction, after, limit };
                if far.is_named() {
                    let page = self.asked(&far, "alert/list", &list).await?;
                    self.out.show(&page, listed);
                    return Ok(());
                }
                self.show("alert/list", &list, listed).await
            }
            Work::State { id, far } => {
                if far.is_named() {
                    let name = AlertName { id: id_at(&far, &id)? };
                    let line = self.asked(&far, "alert/state", &name).await?;
                    self.out.show(&line, stated);
                    return Ok(());
                }
                self.show("alert/state", &AlertName { id }, stated).await
            }
            Work::Show { id, reason } => {
                self.show("alert/show", &AlertShow { id, reason }, shown).await
            }
            Work::Ack { id, acted, outcome } => {
                let stage = if acted { "acted" } else { "read" }.to_owned();
                let ack = AlertAck { id, stage, outcome };
                self.show("alert/ack", &ack, |name: &AlertName| acknowledged(name, &ack.stage))
                    .await
            }
            Work::Approve { id } => self.show("alert/approve", &AlertName { id }, sent).await,
            Work::Decline { id } => self.show("alert/decline", &AlertName { id }, sent).await,
            Work::Update { id, form, far, wait } if far.is_named() => {
                let matter = Matter { call: Call::Update, about: Some(id) };
                let request = || Ok(serde_json::json!({ "form": form.fill()? }));
                self.far(&far, matter, wait, request).await
            }
            Work::Update { id, form, .. } => {
                let request = serde_json::json!({ "id": id, "form": form.fill()? });
                self.show("alert/update", &request, sent).await
            }
            Work::Withdraw { id, reason, far, wait } if far.is_named() => {
                let matter = Matter { call: Call::Withdraw, about: Some(id) };
                let request = || Ok(serde_json::json!({ "reason": reason }));
                self.far(&far, matter, wait, request).await
            }
            Work::Withdraw { id, reason, .. } => {
                self.show(
                    "alert/withdraw",
                    &AlertWithdraw { id, reason, idempotency_key: None },
                    acks,
                )
                .await
            }
            Work::Narrow { id, keep } => {
                self.show("alert/narrow", &AlertNarrow { id, keep }, acks).await
            }
            Work::Contest { id, reason } => {
                let told = |name: &AlertName| format!("alert {} is contested\n", name.id);
                self.show("alert/contest", &AlertContest { id, reason }, told).await
            }
        }
    }

    pub(super) async fn inbox(&self, limit: Option<u32>) -> Result<(), Failure> {
        self.show("inbox/list", &InboxList { limit }, inbox).await
    }

    pub(super) async fn acks(&self, id: String) -> Result<(), Failure> {
        self.show("alert/acks", &AlertName { id }, acks).await
    }
}

fn acknowledged(name: &AlertName, stage: &str) -> String {
    let words = match stage {
        "acted" => "acted on",
        other => other,
    };
    format!("alert {} is acknowledged as {words}; its origin is told\n", name.id)
}

/// What became of a submission.
pub(super) fn sent(sent: &AlertSent) -> String {
    let names = match sent.recipients.as_slice() {
        [] => "none yet".to_owned(),
        names => names.join(", "),
    };
    let mut rows = vec![
        row(["alert", &sent.id]),
        row(["state", &sent.state]),
        row(["class", &sent.class]),
        row(["recipients", &names]),
        row(["log position", &sent.log_index.to_string()]),
        row(["leaf", &sent.leaf_hash]),
        row(["expires", &time(sent.expires_on)]),
    ];
    if sent.repeated {
        rows.push(row(["repeated", "this was accepted before; nothing was changed"]));
    }
    let next = if sent.awaiting > 0 {
        format!(
            "{} more after a second officer's 'symbolon alert approve {}'\n",
            number(sent.awaiting as u64),
            sent.id
        )
    } else {
        String::new()
    };
    banner(sent.exercise) + &table(&rows) + &next
}

pub(crate) fn previewed(preview: &AlertPreviewed) -> String {
    let mut text = banner(preview.exercise);
    if !preview.identifiers.is_empty() {
        let mut rows = vec![row(["field", "kind", "canonical form", "check", "strength"])];
        for one in &preview.identifiers {
            let check = one.check.replace('_', " ");
            rows.push(row([&one.field, &one.kind, &one.canonical, &check, &one.strength]));
        }
        text += &(table(&rows) + "\n");
    }
    for recipient in &preview.recipients {
        let release = match recipient.release.as_str() {
            "automatic" => "at once",
            _ => "after a second officer's yes",
        };
        text += &format!("{} would get, {release}:\n", recipient.partner);
        let fields = recipient.fields.iter();
        let rows: Vec<_> = fields.map(|field| row([&field.field, &field.value])).collect();
        text += &(table(&rows) + "\n");
    }
    for withheld in &preview.withheld {
        text += &format!("{} gets nothing: {}\n", withheld.partner, withheld.reasons.join("; "));
    }
    if preview.recipients.is_empty() {
        text += "Nobody would get it.\n";
    }
    text + "Nothing was sent.\n"
}

fn templates(templates: &AlertTemplates) -> String {
    let shown = templates.templates.iter().map(|one| {
        table(&[
            row([one.kind.as_str(), one.about.as_str()]),
            row(["  what", &one.what]),
            row(["  where", &one.place]),
            row(["  when", &one.when]),
            row(["  urgency", &one.urgency]),
            row(["  identifiers", &one.identifiers.join(", ")]),
        ])
    });
    shown.collect::<Vec<_>>().join("\n")
}

fn listed(page: &AlertPage) -> String {
    let head = ["id", "from", "class", "state", "came in", "act by", "rings", "title"];
    let mut rows = vec![row(head)];
    for alert in &page.alerts {
        rows.push(row([
            &alert.id,
            alert.origin.as_deref().unwrap_or("this node"),
            &alert.class,
            &state(alert),
            &time(alert.accepted_at),
            &time(alert.act_by),
            &rings(alert),
            &title(alert),
        ]));
    }
    let next = page.next.as_ref().map(|next| format!("more: --after {next}\n"));
    table(&rows) + &next.unwrap_or_default()
}

fn stated(alert: &AlertRow) -> String {
    let rows = [
        row(["alert", &alert.id]),
        row(["state", &state(alert)]),
        row(["class", &alert.class]),
        row(["came in", &time(alert.accepted_at)]),
        row(["act by", &time(alert.act_by)]),
        row(["deleted on", &time(alert.expires_on)]),
        row(["title", &alert.title]),
    ];
    let told = rows.into_iter().filter(|row| row.iter().all(|cell| !cell.is_empty()));
    banner(alert.exercise) + &table(&told.collect::<Vec<_>>())
}

fn title(alert: &AlertRow) -> String {
    if alert.exercise { format!("[EXERCISE] {}", alert.title) } else { alert.title.clone() }
}

fn state(alert: &AlertRow) -> String {
    if alert.contested { format!("{}, contested", alert.state) } else { alert.state.clone() }
}

fn rings(alert: &AlertRow) -> String {
    match (alert.rings, alert.matches) {
        (true, matches) => format!("yes, {matches} own"),
        (false, 0) => "no".to_owned(),
        (false, matches) => format!("no, {matches} weak"),
    }
}

pub(crate) fn shown(alert: &AlertShown) -> String {
    let line = &alert.alert;
    let mut rows = vec![
        row(["alert", &line.id]),
        row(["from", line.origin.as_deref().unwrap_or("this node")]),
        row(["class", &line.class]),
        row(["state", &state(line)]),
        row(["act by", &time(line.act_by)]),
        row(["deleted on", &time(line.expires_on)]),
    ];
    for (name, at) in [("read", alert.read_at), ("acted on", alert.acted_at)] {
        rows.extend(at.map(|at| row([name, &time(at)])));
    }
    rows.extend(alert.outcome.iter().map(|outcome| row(["outcome", outcome])));
    rows.extend(alert.fields.iter().map(|field| row([&field.field, &field.value])));
    let mut text = banner(line.exercise) + &table(&rows);
    for met in &alert.matches {
        let compared: Vec<&str> = met.compared.iter().map(|one| one.words.as_str()).collect();
        text += &format!("meets own record {}: {}\n", met.record, compared.join("; "));
    }
    text
}

pub(crate) fn acks(acks: &AlertAcks) -> String {
    let mut rows =
        vec![row(["partner", "state", "overdue", "delivered", "read", "acted on", "deleted"])];
    let at = |at: Option<u64>| at.map(time).unwrap_or_default();
    for one in &acks.recipients {
        rows.push(row([
            &one.partner,
            &one.state,
            if one.overdue { "OVERDUE" } else { "" },
            &at(one.delivered_at),
            &at(one.read_at),
            &at(one.acted_at),
            &at(one.deleted_at),
        ]));
    }
    let mut text = format!("alert {}, {}\n{}", acks.id, acks.state, table(&rows));
    for one in &acks.recipients {
        if let Some(DeletionProved { position, size }) = one.deletion_proved {
            let partner = &one.partner;
            text.push_str(&format!(
                "{partner}: deletion proved in the partner's log at position {position} of checkpoint size {size}\n"
            ));
        } else if one.deleted_at.is_some() {
            text.push_str(&format!(
                "{}: deletion signed, not proved in the partner's log yet\n",
                one.partner
            ));
        }
    }
    text
}

fn inbox(page: &InboxPage) -> String {
    if page.items.is_empty() {
        return "nothing waits\n".to_owned();
    }
    let mut rows = vec![row(["by", "", "what", "class", "alert", "title", "to do"])];
    for item in &page.items {
        rows.push(row([
            &time(item.deadline),
            if item.overdue { "OVERDUE" } else { "" },
            &item.kind,
            &item.alert.class,
            &item.alert.id,
            &title(&item.alert),
            &item.remedy,
        ]));
    }
    table(&rows)
}

fn banner(exercise: bool) -> String {
    if exercise { EXERCISE.to_owned() } else { String::new() }
}
