//! What each command does: one call of the node's API, and its result on the screen.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::*;

use super::output::Output;
use super::progress::Progress;
use super::{
    Audit, Cli, Command, Exchange, Hit, Partner, Policy, Query, Record, Why, evidence, export,
    tables, witness,
};
use crate::client::Client;
use crate::exit::{Exit, Failure};

/// A file that a command reads whole, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Makes a node and says what comes next.
pub(crate) fn init(cli: &Cli, init: &super::Init) -> Result<(), Failure> {
    crate::init::init(&cli.data, init, symbolon_policy::SAMPLE)?;
    let made = Made { data: cli.data.display().to_string(), name: init.name.clone() };
    Output::new(cli.json).show(&made, |made| {
        format!(
            "Node {} is in {}.\nStart it with 'symbolon --data {} run'; then 'symbolon --data {} \
             partner card' shows the card for your partners.\n",
            made.name, made.data, made.data, made.data
        )
    });
    Ok(())
}

/// A node that was made.
#[derive(Serialize)]
struct Made {
    data: String,
    name: String,
}

/// Reads a small text file, or standard input for `-`.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    read(path)
}

/// Runs one command against the node.
pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let officer = cli.officer.clone().or_else(|| std::env::var("USER").ok());
    let officer = officer.as_deref().unwrap_or("operator");
    let client = match &cli.auditor_socket {
        Some(path) => Client::at(path.clone(), officer),
        None => Client::new(&cli.data, officer),
    };
    let run = Runner { client, out: Output::new(cli.json) };
    match cli.command {
        Command::Status => run.show("node/status", &Nothing {}, tables::status).await,
        Command::Partner(command) => run.partner(command).await,
        Command::Record(command) => run.record(command).await,
        Command::Query(query) => run.query(query).await,
        Command::Exchange(command) => run.exchange(command).await,
        Command::Hit(command) => run.hit(command).await,
        Command::Alert(command) => run.alert(*command).await,
        Command::Hotline(command) => run.hotline(command).await,
        Command::Watch(command) => run.watch(command).await,
        Command::Policy(command) => run.policy(command).await,
        Command::Audit(command) => run.audit(command).await,
        Command::Evidence(command) => evidence::evidence(&run.client, command, run.out).await,
        Command::Inbox { limit } => run.inbox(limit).await,
        Command::Acks { id } => run.acks(id).await,
        Command::Courier(command) => run.courier(command).await,
        Command::Doctor => run.doctor().await,
        Command::Init(_)
        | Command::Run(_)
        | Command::Identify { .. }
        | Command::Bench(_)
        | Command::Demo(_) => {
            Err(Failure::new(Exit::Internal, "this command is not a call of the node", ""))
        }
    }
}

pub(super) struct Runner {
    client: Client,
    pub(super) out: Output,
}

impl Runner {
    pub(super) async fn call<R: DeserializeOwned>(
        &self,
        call: &str,
        request: &impl Serialize,
    ) -> Result<R, Failure> {
        let mut progress = Progress::new(self.out.is_json());
        let mut line = |line| progress.line(line);
        let result = self.client.call(&format!("/v1/{call}"), request, &mut line).await;
        progress.finish()?;
        result
    }

    pub(super) async fn show<R: DeserializeOwned + Serialize>(
        &self,
        call: &str,
        request: &impl Serialize,
        people: impl FnOnce(&R) -> String,
    ) -> Result<(), Failure> {
        let result = self.call(call, request).await?;
        self.out.show(&result, people);
        Ok(())
    }

    async fn partner(&self, command: Partner) -> Result<(), Failure> {
        match command {
            Partner::Card { out } => {
                let card: CardShown = self.call("partner/card", &Nothing {}).await?;
                if let Some(path) = out {
                    write(&path, &card.armored)?;
                }
                self.out.show(&card, tables::card);
                Ok(())
            }
            Partner::Add { file, words } => self.partner_add(&file, words).await,
            Partner::Agree {
                partner,
                purposes,
                classes,
                kinds,
                epoch_days,
                retention_days,
                days,
                exercise,
                out,
            } => {
                let propose = AgreementPropose {
                    partner,
                    purposes,
                    kinds,
                    budgets: classes.into_iter().collect(),
                    epoch_seconds: epoch_days.saturating_mul(86_400),
                    retention_days,
                    days,
                    exercise,
                };
                let file: AgreementFile = self.call("partner/agree", &propose).await?;
                write(&out, &file.armored)?;
                self.out.show(&file, |file| tables::agreement(&file.terms));
                self.out.note(&format!(
                    "\nGive {} to the partner, who runs 'symbolon partner accept' on it.",
                    out.display()
                ));
                Ok(())
            }
            Partner::Accept { file, out, yes } => self.partner_accept(&file, out, yes).await,
            Partner::List => {
                let people = |list: &Vec<PartnerShown>| tables::partners(list);
                self.show("partner/list", &Nothing {}, people).await
            }
            Partner::Route { partner, route } => {
                let told =
                    |shown: &PartnerShown| format!("partner {}: {}\n", shown.name, shown.route);
                self.show("partner/route", &PartnerRoute { partner, route }, told).await
            }
            Partner::Suspend { partner, reason } => {
                self.show("partner/suspend", &PartnerChange { partner, reason }, changed).await
            }
            Partner::Resume { partner, reason } => {
                self.show("partner/resume", &PartnerChange { partner, reason }, changed).await
            }
        }
    }

    async fn partner_add(&self, file: &Path, words: Option<String>) -> Result<(), Failure> {
        let card = read(file)?;
        let look = PartnerAdd { card: card.clone(), confirmed_fingerprint: None };
        let shown: PartnerShown = self.call("partner/add", &look).await?;
        match words {
            Some(words) => {
                let read: Vec<String> =
                    words.split_whitespace().map(str::to_ascii_lowercase).collect();
                if read != shown.words {
                    return Err(Failure::new(
                        Exit::Refused,
                        "the words are not those of the card",
                        "somebody changed the card on its way; get it again by another way",
                    ));
                }
            }
            None => {
                self.out.note(&tables::partner(&shown));
                let question = format!(
                    "Call {} on a number you know already. Does the partner read the same twelve \
                     words? [yes/no] ",
                    shown.name
                );
                ask(&question, "compare the words and give them with --words")?;
            }
        }
        let add = PartnerAdd { card, confirmed_fingerprint: Some(shown.fingerprint) };
        let people = |partner: &PartnerShown| format!("partner {} added\n", partner.name);
        self.show("partner/add", &add, people).await
    }

    async fn partner_accept(
        &self,
        file: &Path,
        out: Option<std::path::PathBuf>,
        yes: bool,
    ) -> Result<(), Failure> {
        let armored = read(file)?;
        let look = AgreementAccept { armored: armored.clone(), confirmed_digest: None };
        let shown: AgreementFile = self.call("partner/accept", &look).await?;
        if !yes {
            self.out.note(&tables::agreement(&shown.terms));
            ask("Accept these terms? [yes/no] ", "read the terms and give --yes")?;
        }
        let accept = AgreementAccept { armored, confirmed_digest: Some(shown.terms.digest) };
        let accepted: AgreementFile = self.call("partner/accept", &accept).await?;
        if let Some(path) = &out {
            write(path, &accepted.armored)?;
        }
        self.out.show(&accepted, |file| tables::agreement(&file.terms));
        if let Some(path) = out {
            self.out.note(&format!(
                "\nGive {} back to the partner, who runs 'symbolon partner accept' on it.",
                path.display()
            ));
        }
        Ok(())
    }

    async fn record(&self, command: Record) -> Result<(), Failure> {
        match command {
            Record::Import { file, mapping, errors } => {
                let request = RecordImport {
                    mapping: read(&mapping)?,
                    name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                };
                let mut progress = Progress::new(self.out.is_json());
                if let Some(path) = &errors {
                    progress.errors_to(path)?;
                }
                let mut line = |line| progress.line(line);
                let call = "/v1/record/import";
                let input = open(&file)?;
                let result = self.client.upload(call, &request, input, &mut line).await;
                progress.finish()?;
                let report: ImportReport = result?;
                self.out.show(&report, tables::import);
                if report.rows_refused > 0 && errors.is_none() {
                    self.out.note("Name a file with --errors to see which rows, and why.");
                }
                Ok(())
            }
            Record::List { limit, after } => {
                let request = RecordList { after, limit: Some(limit) };
                self.show("record/list", &request, tables::records).await
            }
            Record::Show { id, reason } => {
                self.show("record/show", &RecordShow { id, reason }, tables::record).await
            }
        }
    }

    async fn query(&self, query: Query) -> Result<(), Failure> {
        let identifiers = match (query.file, query.kind, query.text) {
            (Some(path), ..) => identifiers(&path)?,
            (None, Some(kind), Some(text)) => {
                vec![IdentifierText { kind, text, issuer: query.issuer, date: query.date }]
            }
            _ => {
                return Err(Failure::invalid("nothing is asked", "give a kind and a text"));
            }
        };
        let ask = QueryAsk { identifiers, partners: query.partners, reason: query.why.into() };
        let report: QueryReport = self.call("query/ask", &ask).await?;
        self.out.show(&report, tables::query);
        let answers = || report.identifiers.iter().flat_map(|identifier| &identifier.answers);
        if answers().next().is_some() && answers().all(|a| a.outcome == Outcome::NotAsked) {
            return Err(Failure::new(Exit::Unavailable, "no partner was asked", "see the causes"));
        }
        Ok(())
    }

    async fn exchange(&self, command: Exchange) -> Result<(), Failure> {
        match command {
            Exchange::Publish { partners } => {
                self.show("exchange/publish", &TagSetPublish { partners }, tables::published).await
            }
            Exchange::Run { partner, classes, engine, watch, every, why } => {
                let reason = why.into();
                let request = ExchangeRun { partner, classes, engine: Some(engine), reason };
                let report: ExchangeReport = self.call("exchange/run", &request).await?;
                self.out.show(&report, tables::exchange);
                if watch { self.exchange_watch(&request, report, every).await } else { Ok(()) }
            }
            Exchange::List => {
                let people = |list: &Vec<ExchangeReport>| tables::exchanges(list);
                self.show("exchange/list", &Nothing {}, people).await
            }
        }
    }

    /// Runs an exchange again and again, and says what is new: hits, or another cause why a class
    /// is not asked. A node that is away, perhaps for a newer version, is waited for.
    async fn exchange_watch(
        &self,
        request: &ExchangeRun,
        mut last: ExchangeReport,
        every_seconds: u64,
    ) -> Result<(), Failure> {
        let causes = |report: &ExchangeReport| -> Vec<_> {
            let rows = report.classes.iter();
            rows.map(|row| (row.class.clone(), row.not_asked.clone())).collect()
        };
        loop {
            tokio::time::sleep(std::time::Duration::from_secs(every_seconds)).await;
            let report: ExchangeReport = match self.call("exchange/run", request).await {
                Err(failure) if failure.exit == Exit::Unavailable => continue,
                report => report?,
            };
            if report.hits_new > 0 || causes(&report) != causes(&last) {
                self.out.show(&report, tables::exchange);
            }
            last = report;
        }
    }

    async fn hit(&self, command: Hit) -> Result<(), Failure> {
        match command {
            Hit::List { partner, state, strength, limit, after } => {
                let request = HitList { partner, state, strength, after, limit: Some(limit) };
                self.show("hit/list", &request, tables::hits).await
            }
            Hit::Show { id, reason } => {
                self.show("hit/show", &HitShow { id, reason }, tables::hit).await
            }
            Hit::Confirm { id, why } => {
                let request = HitConfirm { id, reason: why.into() };
                let report: ConfirmReport = self.call("hit/confirm", &request).await?;
                self.out.show(&report, tables::confirmed);
                match report.outcome.as_str() {
                    "not_asked" => Err(Failure::new(
                        Exit::Unavailable,
                        "the partner was not asked",
                        "confirm again later; the hit stays as it is",
                    )),
                    _ => Ok(()),
                }
            }
        }
    }

    async fn policy(&self, command: Policy) -> Result<(), Failure> {
        match command {
            Policy::Check { file } => {
                let text = file.as_deref().map(read).transpose()?;
                self.show("policy/check", &PolicyCheck { text }, tables::policy).await
            }
            Policy::Preview { record, partner, purpose, reason } => {
                let request = PolicyPreview { record, partner, purpose, reason };
                self.show("policy/preview", &request, tables::preview).await
            }
            Policy::Explain { record, partner, purpose, reason } => {
                let request = PolicyPreview { record, partner, purpose, reason };
                self.show("policy/preview", &request, tables::explain).await
            }
        }
    }

    async fn audit(&self, command: Audit) -> Result<(), Failure> {
        match command {
            Audit::Verify => {
                let report: AuditReport = self.call("audit/verify", &Nothing {}).await?;
                self.out.show(&report, tables::audit);
                if report.holds {
                    return Ok(());
                }
                Err(Failure::new(
                    Exit::CheckFailed,
                    "the log does not hold",
                    "stop the node, keep its folder as it is, and call the auditor",
                ))
            }
            Audit::Show { from, limit } => {
                let request = AuditShow { from, limit: Some(limit) };
                self.show("audit/show", &request, tables::entries).await
            }
            Audit::Export { folder, reason } => {
                let exported = export::export(&self.client, &folder, &reason, self.out).await?;
                self.out.show(&exported, tables::exported);
                Ok(())
            }
            Audit::Cosign { partners } => {
                let request = CosignRequest { partners };
                self.show("audit/cosign", &request, witness::cosigned).await
            }
            Audit::Alarms { closed } => {
                self.show("audit/alarms", &AlarmsShow { closed }, witness::alarms).await
            }
            Audit::Close { id, reason } => {
                self.show("audit/close", &AlarmClose { id, reason }, witness::alarms).await
            }
            Audit::Overdue { partner, hours } => {
                let seconds = Some(hours.saturating_mul(3600));
                let request = OverdueShow { partner, seconds };
                self.show("audit/overdue", &request, witness::overdue).await
            }
            Audit::Reconcile { partner } => {
                let report: Reconciled =
                    self.call("audit/reconcile", &Reconcile { partner }).await?;
                self.out.show(&report, witness::reconciled);
                if report.agrees {
                    return Ok(());
                }
                Err(Failure::new(
                    Exit::CheckFailed,
                    "the two logs disagree",
                    "ask the partner's auditor about each difference; its account is kept",
                ))
            }
            Audit::Open { query, reason } => {
                let request = AuditOpen { query, reason };
                let opened: AuditOpened = self.call("audit/open", &request).await?;
                self.out.show(&opened, tables::opened);
                if opened.holds {
                    return Ok(());
                }
                Err(Failure::new(
                    Exit::CheckFailed,
                    "a query is not the one in the log",
                    "keep the node's folder as it is, and find out who changed it",
                ))
            }
            oversight => self.oversight(oversight).await,
        }
    }

    async fn doctor(&self) -> Result<(), Failure> {
        let report: DoctorReport = self.call("node/doctor", &Nothing {}).await?;
        self.out.show(&report, tables::doctor);
        match report.state {
            Health::Failing => {
                Err(Failure::new(Exit::CheckFailed, "something does not work", "see the findings"))
            }
            _ => Ok(()),
        }
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Reason {
        Reason { purpose: why.purpose, case: why.case, legal_basis: why.legal_basis }
    }
}

fn changed(partner: &PartnerShown) -> String {
    format!("partner {} is {}\n", partner.name, partner.state)
}

/// Asks at the terminal; without one, says what to give instead.
pub(super) fn ask(question: &str, instead: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::invalid("this needs a person's yes", instead));
    }
    let mut error = io::stderr().lock();
    let _ = error.write_all(question.as_bytes()).and_then(|()| error.flush());
    let mut answer = String::new();
    match io::stdin().read_line(&mut answer) {
        Ok(_) if answer.trim() == "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Refused, "not confirmed, nothing was changed", "")),
    }
}

fn identifiers(path: &Path) -> Result<Vec<IdentifierText>, Failure> {
    let unreadable = |row: u64| {
        Failure::invalid(
            format!("row {row} of {} cannot be read", path.display()),
            "it is CSV with a header: kind,text and optionally issuer,date",
        )
    };
    let mut reader = csv::Reader::from_reader(open(path)?);
    let mut identifiers = Vec::new();
    for (index, row) in reader.deserialize().enumerate() {
        let mut row: IdentifierText = row.map_err(|_| unreadable(index as u64 + 2))?;
        row.issuer = row.issuer.filter(|issuer| !issuer.is_empty());
        row.date = row.date.filter(|date| !date.is_empty());
        identifiers.push(row);
    }
    Ok(identifiers)
}

fn open(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>).map_err(|_| {
        Failure::invalid(
            format!("{} cannot be opened", path.display()),
            "look at its name and rights",
        )
    })
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    match read {
        Ok(count) if count as u64 <= FILE_BYTES_MAX => Ok(text),
        _ => Err(Failure::invalid(
            format!("{} cannot be read as text", path.display()),
            "is it the right file?",
        )),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|_| {
        Failure::invalid(
            format!("{} cannot be written", path.display()),
            "look at the folder's rights and space",
        )
    })
}
