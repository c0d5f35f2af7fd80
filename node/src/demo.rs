//! `symbolon demo`: three nodes on this machine play the main job; everything on the way is real.
//!
//! Implements spec/node.md#demo. The nodes are child processes of this program that talk QUIC over
//! loopback; this file only says to each of them what an operator would.

mod alarm;
mod nodes;
mod story;

use serde::Serialize;

use crate::cli::{Demo, Output};
use crate::exit::Failure;

/// What the demo found, for programs.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    /// Records by node.
    records: Vec<(String, u64)>,
    /// Distinct identifiers that both held, by asking and answering node.
    shared: Vec<(String, String, u64)>,
    /// What became of the confirmed hit.
    confirmed: String,
    /// Fields released and withheld.
    fields_released: usize,
    /// Fields withheld.
    fields_withheld: usize,
    /// True when a partner that was down showed as not asked.
    not_asked_shown: bool,
    /// From handing in the alert until the first partner's signed acknowledgement.
    alert_ms: u64,
    /// Own records that the alert met at that partner.
    alert_matches: usize,
    /// Recipients that proved to have deleted it.
    deletions_proven: usize,
    /// Logs that verify.
    logs_verified: usize,
}

/// Plays the demo, and cleans up behind it however it ends.
pub(crate) fn demo(demo: &Demo, json: bool) -> Result<(), Failure> {
    let out = Output::new(json);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(crate::exit::Exit::Internal, error.to_string(), ""))?;
    runtime.block_on(async {
        // Whatever had started ends when it is dropped.
        let mut nodes = tokio::select! {
            started = nodes::Nodes::start(out) => started?,
            _ = tokio::signal::ctrl_c() => return Err(stopped()),
        };
        let played = tokio::select! {
            played = story::play(&mut nodes, out) => played,
            _ = tokio::signal::ctrl_c() => Err(stopped()),
        };
        if let (Ok(_), true) = (&played, demo.keep) {
            nodes.show_commands(out);
            let _ = tokio::signal::ctrl_c().await;
        }
        nodes.stop().await;
        let outcome = played?;
        out.show(&outcome, |_| String::new());
        Ok(())
    })
}

fn stopped() -> Failure {
    Failure::new(crate::exit::Exit::Unavailable, "stopped before the end", "run it again")
}
