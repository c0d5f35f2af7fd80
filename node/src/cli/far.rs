//! Calls from a machine without a node: to one node or to several, each kept before it is sent.
//!
//! Implements spec/hotlines.md#client.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use symbolon_record::RecordId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::commands::Runner;
use super::hotline::With;
use super::output::{table, time};
use super::spool::{Place, text, until, warn};
use super::tables::row;
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::hotline::{
    Body, Call, Outcome, Receipt, RemoteError, Sender, SpoolError, Spooled, Stage, fresh_key,
};

/// Says that an enrolment has no client key.
const NO_KEY: &str = "-";

/// The nodes of hotlines that a call goes to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Far {
    /// The enrolment file of a hotline: the call goes to its node, and not to this machine's. May
    /// be repeated for several nodes.
    #[arg(long = "enrolment", value_name = "FILE", env = "SYMBOLON_ENROLMENT")]
    enrolments: Vec<PathBuf>,
    /// The hotline's own key and certificate (PEM), where it was enrolled with one. With several
    /// enrolments one for each, in their order; `-` for none.
    #[arg(long = "client-key", value_name = "FILE", env = "SYMBOLON_CLIENT_KEY")]
    #[arg(requires = "enrolments")]
    client_keys: Vec<PathBuf>,
    /// Folder of the spool; beside the enrolment file if none is named. With several enrolments
    /// one for each, in their order.
    #[arg(long = "spool", value_name = "FOLDER", requires = "enrolments")]
    spools: Vec<PathBuf>,
}

impl Far {
    /// Whether the call goes away at all, and not to the node of this machine.
    pub(super) fn is_named(&self) -> bool {
        !self.enrolments.is_empty()
    }

    fn senders(&self) -> Result<Vec<Sender>, Failure> {
        let count = self.enrolments.len();
        for (given, name) in [(&self.client_keys, "--client-key"), (&self.spools, "--spool")] {
            if !given.is_empty() && given.len() != count {
                return Err(Failure::invalid(
                    format!("there are {} {name} for {count} enrolments", given.len()),
                    "give one for each enrolment, in their order, or none at all",
                ));
            }
        }
        let mut senders: Vec<Sender> = Vec::new();
        for (index, enrolment) in self.enrolments.iter().enumerate() {
            let enrolment = enrolment.clone();
            let key = self.client_keys.get(index).filter(|path| *path != Path::new(NO_KEY));
            let with = With { enrolment, client_key: key.cloned() };
            let spool = self.spools.get(index).cloned();
            let sender = Place { with, spool }.sender()?;
            let folder = |sender: &Sender| std::fs::canonicalize(sender.spool.folder()).ok();
            if senders.iter().any(|other| folder(other) == folder(&sender)) {
                return Err(Failure::invalid(
                    "two of the enrolments have the same spool",
                    "name each enrolment once, and a spool of its own for each",
                ));
            }
            senders.push(sender);
        }
        Ok(senders)
    }

    fn one(&self) -> Result<Sender, Failure> {
        let mut senders = self.senders()?;
        match (senders.pop(), senders.pop()) {
            (Some(one), None) => Ok(one),
            _ => Err(Failure::invalid(
                "this asks one node",
                "name one enrolment; ask the others after it",
            )),
        }
    }
}

/// What is handed in.
pub(super) struct Matter {
    pub(super) call: Call,
    /// The alert that it is about, where it is about one: its id, or its key in the spool.
    pub(super) about: Option<String>,
}

impl Matter {
    fn body(&self, sender: &Sender, request: &Map<String, Value>) -> Result<Body, Failure> {
        let mut body = Body { call: self.call, about: None, request: request.clone() };
        let Some(named) = &self.about else { return Ok(body) };
        match named_in(sender, named)? {
            Named::Id(id) => {
                body.request.insert("id".to_owned(), Value::String(id));
            }
            Named::Kept(own, Stage::Waiting | Stage::Sent) => {
                body.about = Some(own.key().to_owned());
            }
            Named::Kept(_, Stage::Refused) => {
                return Err(Failure::new(
                    Exit::Refused,
                    "this alert was refused or is put aside; it is not at the node as far as is \
                     known here",
                    "'symbolon alert spool list' says why",
                ));
            }
        }
        Ok(body)
    }
}

/// How an alert is called.
enum Named {
    Kept(Spooled, Stage),
    Id(String),
}

fn named_in(sender: &Sender, named: &str) -> Result<Named, Failure> {
    match sender.spool.find(named) {
        Ok((own, stage)) => Ok(Named::Kept(own, stage)),
        // Without its hyphens an id could be another spool's key.
        Err(SpoolError::Missing) if named.contains('-') && named.parse::<RecordId>().is_ok() => {
            Ok(Named::Id(named.to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// What became of a call at one node.
struct Delivered {
    node: String,
    hotline: String,
    key: String,
    state: Stage,
    outcome: Result<Receipt, Failure>,
}

/// The same for programs.
#[derive(Serialize)]
struct DeliveredShown<'a> {
    node: &'a str,
    hotline: &'a str,
    key: &'a str,
    state: Stage,
    /// What a call to this node alone would have ended with.
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<&'a Receipt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Delivered {
    fn shown(&self) -> DeliveredShown<'_> {
        let failure = self.outcome.as_ref().err();
        DeliveredShown {
            node: &self.node,
            hotline: &self.hotline,
            key: &self.key,
            state: self.state,
            exit: failure.map_or(0, |failure| failure.exit as u8),
            receipt: self.outcome.as_ref().ok(),
            why: failure.map(ToString::to_string),
        }
    }
}

impl Runner {
    /// Has a call wait in every spool before the first is sent, then sends each by itself: a node
    /// that is down holds up no other.
    pub(super) async fn far(
        &self,
        far: &Far,
        matter: Matter,
        wait: u64,
        request: impl FnOnce() -> Result<Value, Failure>,
    ) -> Result<(), Failure> {
        // First, so that nobody fills a form that then has no way to go.
        let senders = far.senders()?;
        let nothing = Map::new();
        senders.iter().try_for_each(|sender| matter.body(sender, &nothing).map(drop))?;
        let Value::Object(request) = request()? else {
            return Err(Failure::new(Exit::Internal, "a request is no object", ""));
        };
        let kept = kept(&senders, &matter, &request)?;
        let deadline = until(wait);
        let mut under_way = JoinSet::new();
        for (place, (sender, own)) in senders.into_iter().zip(kept).enumerate() {
            under_way.spawn(async move { (place, delivered(sender, own, deadline).await) });
        }
        let mut all = Vec::new();
        while let Some(done) = under_way.join_next().await {
            all.push(done.map_err(|_| Failure::new(Exit::Internal, "a sending broke off", ""))?);
        }
        all.sort_unstable_by_key(|(place, _)| *place);
        let mut all: Vec<Delivered> = all.into_iter().map(|(_, one)| one).collect();
        if all.len() > 1 {
            return self.each(&all);
        }
        match all.pop().map(|one| one.outcome) {
            Some(Ok(receipt)) => {
                self.out.show(&receipt, receipted);
                Ok(())
            }
            Some(Err(failure)) => Err(failure),
            None => Err(Failure::invalid("no enrolment is named", "give --enrolment")),
        }
    }

    /// One line for each node; the worst of them is the exit code.
    fn each(&self, all: &[Delivered]) -> Result<(), Failure> {
        let shown: Vec<_> = all.iter().map(Delivered::shown).collect();
        self.out.show(&shown, |shown| {
            let mut rows = vec![row(["node", "state", "key", ""])];
            for one in shown {
                let said = one.receipt.map(|receipt| {
                    let place = text(&receipt.answer, "log_index");
                    format!("alert {}, log position {place}", text(&receipt.answer, "id"))
                });
                let said = said.or_else(|| one.why.clone()).unwrap_or_default();
                rows.push(row([one.node, one.state.as_str(), one.key, &said]));
            }
            table(&rows)
        });
        let failures = all.iter().filter_map(|one| one.outcome.as_ref().err());
        let Some(worst) = failures.clone().map(|failure| failure.exit).max_by_key(Exit::rank)
        else {
            return Ok(());
        };
        let (failed, count) = (failures.count(), all.len());
        let message = format!("{failed} of {count} nodes do not have it as far as is known here");
        Err(Failure::new(worst, message, "see the line of each"))
    }

    /// Asks the one node of a hotline.
    pub(super) async fn asked<R: DeserializeOwned>(
        &self,
        far: &Far,
        path: &str,
        request: &impl Serialize,
    ) -> Result<R, Failure> {
        let unreadable = || Failure::from(RemoteError::Unreadable);
        let request = serde_json::to_value(request).map_err(|_| unreadable())?;
        let answer = far.one()?.remote.call(path, &request).await?;
        serde_json::from_value(answer).map_err(|_| unreadable())
    }
}

/// The id of an alert at the one node of a hotline.
pub(super) fn id_at(far: &Far, named: &str) -> Result<String, Failure> {
    let sender = far.one()?;
    let not_there = |message: &str| {
        let remedy = "'symbolon alert spool list' says why, 'alert spool flush' sends what waits";
        Failure::new(Exit::Unavailable, message, remedy)
    };
    match named_in(&sender, named)? {
        Named::Id(id) => Ok(id),
        Named::Kept(own, Stage::Sent) => {
            let receipt = sender.spool.receipt(&own)?;
            let id = receipt.and_then(|receipt| receipt.id());
            id.ok_or_else(|| Failure::invalid("the receipt names no alert", "ask by the id"))
        }
        Named::Kept(_, Stage::Waiting) => Err(not_there("the alert waits here to be sent")),
        Named::Kept(_, Stage::Refused) => Err(not_there("the alert is put aside here")),
    }
}

/// Keeps the call in every spool, under one key: at each node it names another alert, and here one
/// name is enough. Where a spool cannot take it, none has it.
fn kept(
    senders: &[Sender],
    matter: &Matter,
    request: &Map<String, Value>,
) -> Result<Vec<Spooled>, Failure> {
    let (key, now_ms) = (fresh_key(), clock::now_ms());
    let mut kept = Vec::new();
    for sender in senders {
        let put = matter.body(sender, request);
        let put = put.and_then(|body| Ok(sender.spool.put(&key, now_ms, body)?));
        match put {
            Ok(own) => kept.push(own),
            Err(failure) => {
                for (sender, own) in senders.iter().zip(&kept) {
                    sender.spool.discard(own.key())?;
                }
                return Err(failure);
            }
        }
    }
    Ok(kept)
}

async fn delivered(sender: Sender, own: Spooled, deadline: Instant) -> Delivered {
    let outcome = sent(&sender, &own, deadline).await;
    if outcome.is_ok() {
        sender.greet_daily().await;
    }
    let enrolment = sender.remote.enrolment();
    let state = match &outcome {
        Ok(_) => Stage::Sent,
        Err(_) => sender.spool.find(own.key()).map_or(Stage::Waiting, |(_, stage)| stage),
    };
    let (node, hotline) = (enrolment.node.clone(), enrolment.hotline.clone());
    Delivered { node, hotline, key: own.key().to_owned(), state, outcome }
}

async fn sent(sender: &Sender, own: &Spooled, deadline: Instant) -> Result<Receipt, Failure> {
    let mut refusal = None;
    let cause = {
        let mut each = |spooled: &Spooled, outcome: Outcome| match outcome {
            Outcome::Refused(why) if spooled == own => refusal = Some(why),
            Outcome::Refused(why) => {
                warn(&format!("alert {}: {}: {}", spooled.key(), why.message, why.remedy));
            }
            Outcome::Skipped(error) => warn(&error.to_string()),
            Outcome::Sent(_) => {}
        };
        sender.flush(deadline, &mut each).await?
    };
    if let Some(receipt) = sender.spool.receipt(own)? {
        return Ok(receipt);
    }
    if let Some(why) = refusal {
        let key = own.key();
        let mut failure = Failure::from_code(&why.code, why.message, why.remedy);
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
        "{}; the next 'symbolon alert send', 'alert spool flush' or a running 'alert spool watch' \
         sends it",
        failure.remedy
    );
    Err(failure)
}

/// A receipt for people.
pub(super) fn receipted(receipt: &Receipt) -> String {
    let what = match receipt.call {
        Call::Send => "has the alert",
        Call::Update => "has the new version",
        Call::Withdraw => "has taken the alert back",
    };
    format!(
        "The node {} {what}, {}.\n{}",
        receipt.node,
        time(receipt.received_at),
        answered(&receipt.answer)
    )
}

/// The node's answer to a call.
fn answered(answer: &Value) -> String {
    let lines = [
        ("alert", "id"),
        ("state", "state"),
        ("class", "class"),
        ("after a yes to", "awaiting"),
        ("log position", "log_index"),
        ("leaf", "leaf_hash"),
    ];
    let told = lines.iter().filter(|(_, field)| answer.get(field).is_some());
    let mut rows: Vec<_> = told.map(|(name, field)| row([name, &text(answer, field)])).collect();
    if answer.get("exercise") == Some(&Value::Bool(true)) {
        rows.insert(0, row(["EXERCISE", "not a live alert"]));
    }
    table(&rows)
}
