//! Handing in alerts: through the node of this machine, or as a hotline from one without a node.
//!
//! Implements spec/hotlines.md#client.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::alerts::{self, Work};
use super::commands::Runner;
use super::form::Form;
use super::hotline::With;
use super::output::{number, table, time};
use super::tables::row;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::hotline::{
    Outcome, RECEIPTS_LISTED_MAX, Receipt, Sender, Spool, Spooled, Stage, WATCH_SECONDS,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// Hands in an alert. With --enrolment it goes to a hotline's node: it is on this machine's
    /// disk before it is sent, and is sent once, whatever breaks in between.
    Send {
        #[command(flatten)]
        form: Form,
        /// The enrolment file of a hotline; without it the alert goes to the node of this machine.
        #[arg(long, env = "SYMBOLON_ENROLMENT")]
        enrolment: Option<PathBuf>,
        /// The hotline's own key and certificate (PEM), where it was enrolled with one.
        #[arg(long, env = "SYMBOLON_CLIENT_KEY", requires = "enrolment")]
        client_key: Option<PathBuf>,
        /// Folder of the spool; beside the enrolment file if none is named.
        #[arg(long, requires = "enrolment")]
        spool: Option<PathBuf>,
        /// How long to try before the alert is left in the spool, in seconds.
        #[arg(long, default_value_t = 20)]
        wait: u64,
        /// Shows who would get it and sends nothing.
        #[arg(long, conflicts_with = "enrolment")]
        preview: bool,
    },
    /// What waits on a hotline's machine to be sent.
    #[command(subcommand)]
    Spool(SpoolCommand),
    #[command(flatten)]
    Work(Work),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SpoolCommand {
    /// Lists what waits, what was refused and why, and the newest receipts.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Sends what waits, the oldest first.
    Flush {
        #[command(flatten)]
        place: Place,
        /// How long to try, in seconds.
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
    /// Stays, and sends whatever waits.
    Watch {
        #[command(flatten)]
        place: Place,
    },
    /// Deletes an alert that waits or was refused. It is not sent then.
    Drop {
        /// Its key, or the beginning of it.
        key: String,
        #[command(flatten)]
        place: Place,
    },
}

/// A spool and its node.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    with: With,
    /// Folder of the spool; beside the enrolment file if none is named.
    #[arg(long)]
    spool: Option<PathBuf>,
}

impl Place {
    fn sender(&self) -> Result<Sender, Failure> {
        let remote = self.with.remote()?;
        let folder = self.spool.clone().unwrap_or_else(|| {
            let mut name = self.with.enrolment.clone().into_os_string();
            name.push(".spool");
            PathBuf::from(name)
        });
        let of = (remote.enrolment().node.as_str(), remote.enrolment().hotline.as_str());
        let spool = Spool::open(&folder, of, clock::now_ms())?;
        Ok(Sender { remote, spool })
    }
}

/// One alert of a spool, in a list.
#[derive(Serialize)]
struct SpooledShown {
    key: String,
    state: Stage,
    made_at: u64,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
}

/// What a flush did.
#[derive(Default, Serialize)]
struct Flushed {
    sent: Vec<Receipt>,
    refused: Vec<String>,
    waiting: usize,
}

impl Runner {
    pub(super) async fn alert(&self, command: Alert) -> Result<(), Failure> {
        match command {
            Alert::Send { form, enrolment: None, preview, .. } => {
                let request = json!({ "form": form.fill()? });
                if preview {
                    return self.show("alert/preview", &request, alerts::previewed).await;
                }
                self.show("alert/send", &request, alerts::sent).await
            }
            Alert::Send { form, enrolment: Some(enrolment), client_key, spool, wait, .. } => {
                let place = Place { with: With { enrolment, client_key }, spool };
                // First, so that nobody fills a form that then has no way to go.
                let sender = place.sender()?;
                let own = sender.keep(form.fill()?)?;
                self.send(&sender, &own, wait).await
            }
            Alert::Work(work) => self.work(work).await,
            Alert::Spool(SpoolCommand::List { place }) => self.spool_list(&place.sender()?),
            Alert::Spool(SpoolCommand::Flush { place, wait }) => {
                self.spool_flush(&place.sender()?, wait).await
            }
            Alert::Spool(SpoolCommand::Watch { place }) => self.spool_watch(&place.sender()?).await,
            Alert::Spool(SpoolCommand::Drop { key, place }) => {
                let dropped = place.sender()?.spool.discard(&key)?;
                let shown = json!({ "dropped": dropped.key() });
                self.out.show(&shown, |_| format!("alert {} is deleted here\n", dropped.key()));
                Ok(())
            }
        }
    }

    async fn send(&self, sender: &Sender, own: &Spooled, wait: u64) -> Result<(), Failure> {
        let mut refusal = None;
        let cause = {
            let mut each = |spooled: &Spooled, outcome: Outcome| match outcome {
                Outcome::Refused(error) if spooled == own => refusal = Some(error),
                Outcome::Refused(error) => warn(&format!("alert {}: {error}", spooled.key())),
                Outcome::Skipped(error) => warn(&error.to_string()),
                Outcome::Sent(_) => {}
            };
            sender.flush(until(wait), &mut each).await?
        };
        if let Some(receipt) = sender.spool.receipt(own)? {
            self.out.show(&receipt, receipted);
            return Ok(());
        }
        if let Some(error) = refusal {
            let key = own.key();
            let mut failure = Failure::from(error);
            failure.remedy = format!(
                "{}; it is kept: send a corrected one, then 'symbolon alert spool drop {key}'",
                failure.remedy
            );
            return Err(failure);
        }
        let mut failure = cause.map_or_else(
            || Failure::new(Exit::Unavailable, "another process is sending it", ""),
            Failure::from,
        );
        failure.message = format!("{}; the alert is spooled as {}", failure.message, own.key());
        failure.remedy = format!(
            "{}; the next 'symbolon alert send', 'alert spool flush' or a running 'alert spool \
             watch' sends it",
            failure.remedy
        );
        Err(failure)
    }

    fn spool_list(&self, sender: &Sender) -> Result<(), Failure> {
        let spool = &sender.spool;
        let mut shown = Vec::new();
        for stage in [Stage::Waiting, Stage::Refused, Stage::Sent] {
            let list = spool.list(stage)?;
            let skipped = match stage {
                Stage::Sent => list.len().saturating_sub(RECEIPTS_LISTED_MAX),
                Stage::Waiting | Stage::Refused => 0,
            };
            for spooled in list.iter().skip(skipped) {
                let refusal = match stage {
                    Stage::Refused => spool.refusal(spooled)?,
                    Stage::Waiting | Stage::Sent => None,
                };
                let receipt = match stage {
                    Stage::Sent => spool.receipt(spooled)?,
                    Stage::Waiting | Stage::Refused => None,
                };
                shown.push(SpooledShown {
                    key: spooled.key().to_owned(),
                    state: stage,
                    made_at: spooled.made_at_ms() / 1_000,
                    refusal: refusal.map(|line| format!("{}: {}", line.message, line.remedy)),
                    receipt,
                });
            }
        }
        self.out.show(&shown, |shown| {
            format!("{}The spool is {}.\n", listed(shown), spool.folder().display())
        });
        Ok(())
    }

    async fn spool_flush(&self, sender: &Sender, wait: u64) -> Result<(), Failure> {
        let (flushed, failure) = flushed(sender, wait).await?;
        self.out.show(&flushed, |flushed| {
            format!(
                "{} sent, {} refused, {} wait\n",
                number(flushed.sent.len() as u64),
                number(flushed.refused.len() as u64),
                number(flushed.waiting as u64)
            )
        });
        match failure {
            Some(failure) => Err(failure),
            None if flushed.refused.is_empty() => Ok(()),
            None => Err(Failure::new(
                Exit::Refused,
                "the node refused some of them",
                "'symbolon alert spool list' says why; send corrected ones and drop these",
            )),
        }
    }

    /// Looks at the spool at a steady pace until it is told to stop. An empty spool costs a look
    /// into a folder, and no call.
    async fn spool_watch(&self, sender: &Sender) -> Result<(), Failure> {
        let mut beat = interval(Duration::from_secs(WATCH_SECONDS));
        loop {
            beat.tick().await;
            let (flushed, failure) = flushed(sender, WATCH_SECONDS).await?;
            for receipt in &flushed.sent {
                self.out.show(receipt, receipted);
            }
            if let Some(failure) = failure {
                warn(&failure.to_string());
            }
        }
    }
}

async fn flushed(sender: &Sender, wait: u64) -> Result<(Flushed, Option<Failure>), Failure> {
    let mut flushed = Flushed::default();
    let mut each = |spooled: &Spooled, outcome: Outcome| match outcome {
        Outcome::Sent(receipt) => flushed.sent.push(receipt),
        Outcome::Refused(error) => {
            warn(&format!("alert {}: {error}", spooled.key()));
            flushed.refused.push(spooled.key().to_owned());
        }
        Outcome::Skipped(error) => warn(&error.to_string()),
    };
    let cause = sender.flush(until(wait), &mut each).await?;
    flushed.waiting = sender.spool.list(Stage::Waiting)?.len();
    Ok((flushed, cause.map(Failure::from)))
}

fn until(seconds: u64) -> Instant {
    // A day is as good as for ever, and no clock overflows.
    Instant::now() + Duration::from_secs(seconds.min(86_400))
}

fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "symbolon: {text}");
}

fn text(answer: &Value, field: &str) -> String {
    match answer.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}

/// The node's answer to a form.
fn answered(answer: &Value) -> String {
    let recipients = answer.get("recipients").and_then(Value::as_array);
    let names: Vec<&str> = recipients.into_iter().flatten().filter_map(Value::as_str).collect();
    let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    let mut rows = vec![
        row(["alert", &text(answer, "id")]),
        row(["state", &text(answer, "state")]),
        row(["class", &text(answer, "class")]),
        row(["goes to", &names]),
        row(["after a yes to", &text(answer, "awaiting")]),
        row(["log position", &text(answer, "log_index")]),
        row(["leaf", &text(answer, "leaf_hash")]),
    ];
    if answer.get("exercise") == Some(&Value::Bool(true)) {
        rows.insert(0, row(["EXERCISE", "not a live alert"]));
    }
    table(&rows)
}

fn receipted(receipt: &Receipt) -> String {
    format!(
        "The node {} has the alert, {}.\n{}",
        receipt.node,
        time(receipt.received_at),
        answered(&receipt.answer)
    )
}

fn listed(shown: &[SpooledShown]) -> String {
    let mut rows = vec![row(["key", "made", "state", ""])];
    for one in shown {
        let more = match (&one.refusal, &one.receipt) {
            (Some(why), _) => why.clone(),
            (None, Some(receipt)) => format!("log position {}", text(&receipt.answer, "log_index")),
            (None, None) => String::new(),
        };
        rows.push(row([&one.key, &time(one.made_at), one.state.as_str(), &more]));
    }
    table(&rows)
}
