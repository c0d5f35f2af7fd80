//! The spool on a hotline's machine: what waits, what was put aside, and the newest receipts.
//!
//! Implements spec/hotlines.md#spool.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::commands::Runner;
use super::far::receipted;
use super::hotline::With;
use super::output::{number, table, time};
use super::tables::row;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::hotline::{
    Call, GREETING_PAUSE, Learned, Outcome, RECEIPTS_LISTED_MAX, Receipt, Sender, Spool, Spooled,
    Stage, WATCH_SECONDS, fresh_key,
};

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
    /// Has an alert that was refused or put aside wait again, under a new key. If the node has it
    /// already, it is there twice then: look with 'alert list' first.
    Release {
        /// Its key, or the beginning of it.
        key: String,
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
    pub(super) with: With,
    /// Folder of the spool; beside the enrolment file if none is named.
    #[arg(long)]
    pub(super) spool: Option<PathBuf>,
}

impl Place {
    pub(super) fn sender(&self) -> Result<Sender, Failure> {
        let enrolment = self.with.read()?;
        let folder = self.spool.clone().unwrap_or_else(|| {
            let mut name = self.with.enrolment.clone().into_os_string();
            name.push(".spool");
            PathBuf::from(name)
        });
        let of = (enrolment.node.as_str(), enrolment.hotline.as_str());
        let spool = Spool::open(&folder, of, clock::now_ms())?;
        let learned = Learned::read(&folder, &enrolment);
        let remote = self.with.remote(enrolment, &learned)?;
        Ok(Sender { remote, spool, learned })
    }
}

/// One alert of a spool, in a list.
#[derive(Serialize)]
struct SpooledShown {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<Call>,
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
    pub(super) async fn spool(&self, command: SpoolCommand) -> Result<(), Failure> {
        match command {
            SpoolCommand::List { place } => self.spool_list(&place.sender()?),
            SpoolCommand::Flush { place, wait } => self.spool_flush(&place.sender()?, wait).await,
            SpoolCommand::Watch { place } => self.spool_watch(&place).await,
            SpoolCommand::Release { key, place } => {
                let spool = place.sender()?.spool;
                let released = spool.release(&key, &fresh_key(), clock::now_ms())?;
                let shown = json!({ "released": released.key() });
                self.out.show(&shown, |_| {
                    format!(
                        "it waits as alert {}; 'symbolon alert spool flush' sends it\n",
                        released.key()
                    )
                });
                Ok(())
            }
            SpoolCommand::Drop { key, place } => {
                let dropped = place.sender()?.spool.discard(&key)?;
                let shown = json!({ "dropped": dropped.key() });
                self.out.show(&shown, |_| format!("alert {} is deleted here\n", dropped.key()));
                Ok(())
            }
        }
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
                    call: spool.call(spooled, stage),
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
        if !flushed.sent.is_empty() {
            sender.greet_daily().await;
        }
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
                "some were refused, or are too old to be sent without a person",
                "'symbolon alert spool list' says why, and what to do with each",
            )),
        }
    }

    /// Looks at the spool at a steady pace until it is told to stop. An empty spool costs a look
    /// into a folder, and a call once a day. The files are read anew each time: an enrolment may
    /// have been renewed, and a key of the node learned by another command.
    async fn spool_watch(&self, place: &Place) -> Result<(), Failure> {
        let _usable = place.sender()?;
        let mut beat = interval(Duration::from_secs(WATCH_SECONDS));
        let mut greeted: Option<Instant> = None;
        loop {
            beat.tick().await;
            let looked = async {
                let sender = place.sender()?;
                let (flushed, failure) = flushed(&sender, WATCH_SECONDS).await?;
                for receipt in &flushed.sent {
                    self.out.show(receipt, receipted);
                }
                if greeted.is_none_or(|at| at.elapsed() >= GREETING_PAUSE) {
                    sender.greet_daily().await;
                    greeted = Some(Instant::now());
                }
                failure.map_or(Ok(()), Err)
            };
            if let Err(failure) = looked.await {
                warn(&failure.to_string());
            }
        }
    }
}

async fn flushed(sender: &Sender, wait: u64) -> Result<(Flushed, Option<Failure>), Failure> {
    let mut flushed = Flushed::default();
    let mut each = |spooled: &Spooled, outcome: Outcome| match outcome {
        Outcome::Sent(receipt) => flushed.sent.push(receipt),
        Outcome::Refused(why) => {
            warn(&format!("alert {}: {}: {}", spooled.key(), why.message, why.remedy));
            flushed.refused.push(spooled.key().to_owned());
        }
        Outcome::Skipped(error) => warn(&error.to_string()),
    };
    let cause = sender.flush(until(wait), &mut each).await?;
    flushed.waiting = sender.spool.list(Stage::Waiting)?.len();
    Ok((flushed, cause.map(Failure::from)))
}

pub(super) fn until(seconds: u64) -> Instant {
    // A day is as good as for ever, and no clock overflows.
    Instant::now() + Duration::from_secs(seconds.min(86_400))
}

pub(super) fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "symbolon: {text}");
}

/// A field of an answer, for people.
pub(super) fn text(answer: &Value, field: &str) -> String {
    match answer.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "-".to_owned(),
    }
}

fn listed(shown: &[SpooledShown]) -> String {
    let mut rows = vec![row(["key", "call", "made", "state", ""])];
    for one in shown {
        let more = match (&one.refusal, &one.receipt) {
            (Some(why), _) => why.clone(),
            (None, Some(receipt)) => format!("log position {}", text(&receipt.answer, "log_index")),
            (None, None) => String::new(),
        };
        let call = one.call.map_or("-", Call::path);
        rows.push(row([&one.key, call, &time(one.made_at), one.state.as_str(), &more]));
    }
    table(&rows)
}
