//! Handing in alerts: through the node of this machine, or as a hotline from one without a node.
//!
//! Implements spec/hotlines.md#client.

use clap::Subcommand;
use serde_json::json;

use super::alerts::{self, Work};
use super::commands::Runner;
use super::far::{Far, Matter};
use super::form::Form;
use super::spool::SpoolCommand;
use crate::exit::Failure;
use crate::hotline::Call;

#[derive(Debug, Subcommand)]
pub(crate) enum Alert {
    /// Hands in an alert. With --enrolment it goes to a hotline's node: it is on this machine's
    /// disk before it is sent, and is sent once, whatever breaks in between. With several of them
    /// it goes to several nodes, each by itself, and each has an alert of its own.
    Send {
        #[command(flatten)]
        form: Form,
        #[command(flatten)]
        far: Far,
        /// How long to try before the alert is left in the spool, in seconds.
        #[arg(long, default_value_t = 20)]
        wait: u64,
        /// Shows who would get it and sends nothing.
        #[arg(long, conflicts_with = "enrolments")]
        preview: bool,
    },
    /// What waits on a hotline's machine to be sent.
    #[command(subcommand)]
    Spool(SpoolCommand),
    #[command(flatten)]
    Work(Work),
}

impl Runner {
    pub(super) async fn alert(&self, command: Alert) -> Result<(), Failure> {
        match command {
            Alert::Send { form, far, wait, .. } if far.is_named() => {
                let matter = Matter { call: Call::Send, about: None };
                self.far(&far, matter, wait, || Ok(json!({ "form": form.fill()? }))).await
            }
            Alert::Send { form, preview, .. } => {
                let request = json!({ "form": form.fill()? });
                if preview {
                    return self.show("alert/preview", &request, alerts::previewed).await;
                }
                self.show("alert/send", &request, alerts::sent).await
            }
            Alert::Work(work) => self.work(work).await,
            Alert::Spool(command) => self.spool(command).await,
        }
    }
}
