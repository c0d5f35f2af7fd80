//! The command line: what can be said, by noun and verb. What it does stands in the files below.
//!
//! Implements spec/node.md#commands.

mod alert;
pub(crate) mod alerts;
mod commands;
mod courier;
mod evidence;
mod export;
mod far;
mod form;
mod hotline;
mod identify;
mod output;
mod oversight;
mod progress;
mod spool;
pub(crate) mod tables;
mod watch;
mod witness;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use alert::Alert;
pub(crate) use commands::{init, read_text, run};
pub(crate) use courier::Courier;
pub(crate) use hotline::Hotline;
pub(crate) use identify::identify;
pub(crate) use output::{Output, number, table};
pub(crate) use progress::Progress;
pub(crate) use watch::Watch;

/// The node that states run to find what both already hold, and to release only what policy grants.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Folder of the node.
    #[arg(long, global = true, env = "SYMBOLON_DATA", default_value = "symbolon-data")]
    pub(crate) data: PathBuf,
    /// Writes the result as one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Who is asking; goes into the log.
    #[arg(long, global = true, env = "SYMBOLON_OFFICER")]
    pub(crate) officer: Option<String>,
    /// The auditors' socket of the node: the few calls that an auditor may make go through it.
    #[arg(long, global = true, env = "SYMBOLON_AUDITOR_SOCKET", value_name = "PATH")]
    pub(crate) auditor_socket: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 internal error, 2 input not usable, 3 no such thing, 4 refused by policy,
agreement, budget or state, 5 node not running or a partner not asked, 6 a check does not hold.
Times are UTC.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a node: keys, database, configuration and a policy to start from.
    Init(Init),
    /// Runs the node until it is told to stop (SIGTERM, Ctrl-C).
    Run(Unlock),
    /// Shows the node in a few lines.
    Status,
    /// Partners: cards, words, agreements.
    #[command(subcommand)]
    Partner(Partner),
    /// Records: import and reading.
    #[command(subcommand)]
    Record(Record),
    /// Says what a pasted text may be: kind, check digits, canonical form. Asks nobody.
    Identify {
        /// The text; `-` reads it from standard input, so that it is in no list of processes.
        text: String,
    },
    /// Asks partners about one identifier, or about a file of them.
    Query(Query),
    /// Matches all own identifiers against a partner's tag sets.
    #[command(subcommand)]
    Exchange(Exchange),
    /// Hits: what both hold.
    #[command(subcommand)]
    Hit(Hit),
    /// Alerts: handed in here, or from a machine without a node.
    #[command(subcommand)]
    Alert(Box<Alert>),
    /// Watch rules: which received alerts somebody wants to hear of.
    #[command(subcommand)]
    Watch(Watch),
    /// What waits for somebody, the nearest deadline first.
    Inbox {
        /// Rows.
        #[arg(long)]
        limit: Option<u32>,
    },
    /// Courier files: alerts and acknowledgements for a partner that no cable reaches.
    #[command(subcommand)]
    Courier(Courier),
    /// Who has an own alert, and how far each is.
    Acks {
        /// Id of the alert.
        id: String,
    },
    /// Hotlines: who may hand in alerts from outside.
    #[command(subcommand)]
    Hotline(Hotline),
    /// Policy: who may be told what.
    #[command(subcommand)]
    Policy(Policy),
    /// The log: what happened, with proof.
    #[command(subcommand)]
    Audit(Audit),
    /// Evidence for a third: a bundle that 'symbolon-verify' checks offline.
    #[command(subcommand)]
    Evidence(Evidence),
    /// Says what is wrong, on which side, and what to do.
    Doctor,
    /// Measures this machine and this build.
    Bench(Bench),
    /// Plays the main job with three nodes on this machine.
    Demo(Demo),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Short name, as partners will see it: lower-case letters, digits, hyphen.
    #[arg(long)]
    pub(crate) name: String,
    /// Country: ISO 3166-1 code or English name.
    #[arg(long)]
    pub(crate) country: String,
    /// Where to listen for partners (UDP).
    #[arg(long, default_value = "0.0.0.0:4433")]
    pub(crate) listen: std::net::SocketAddr,
    /// Address that partners dial, `host:port`; may be given up to four times.
    #[arg(long = "address", required = true)]
    pub(crate) addresses: Vec<String>,
    #[command(flatten)]
    pub(crate) unlock: Unlock,
}

/// How the data directory is opened.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct Unlock {
    /// File with the passphrase, `-` for standard input. Its first line counts.
    #[arg(long, env = "SYMBOLON_PASSPHRASE_FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// File with a random key instead of a passphrase; `init` makes it if there is none.
    #[arg(long, env = "SYMBOLON_KEY_FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Partner {
    /// Shows the own card and its twelve words, or writes it to a file.
    Card {
        /// Where the card goes.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Takes a partner's card: shows twelve words, and asks whether the partner reads the same.
    Add {
        /// The card file.
        file: PathBuf,
        /// The twelve words as the partner read them, in place of the question.
        #[arg(long)]
        words: Option<String>,
    },
    /// Proposes an agreement, signed by this node.
    Agree {
        /// Partner.
        partner: String,
        /// Purpose; may be repeated.
        #[arg(long = "purpose", required = true)]
        purposes: Vec<String>,
        /// Class and its budget per epoch, such as `document=100000`; may be repeated.
        #[arg(long = "class", required = true, value_parser = budget)]
        classes: Vec<(String, u64)>,
        /// Record kind; may be repeated. All kinds if none is named.
        #[arg(long = "kind")]
        kinds: Vec<String>,
        /// Length of an epoch, in days.
        #[arg(long, default_value_t = 7)]
        epoch_days: u64,
        /// How long released records may be kept, in days.
        #[arg(long, default_value_t = 365)]
        retention_days: u32,
        /// How long the agreement lasts, in days.
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// An agreement on drills, beside the one on real data.
        #[arg(long)]
        exercise: bool,
        /// Where the file goes that the partner signs.
        #[arg(long)]
        out: PathBuf,
    },
    /// Takes an agreement file: signs the partner's proposal, or stores one that both have signed.
    Accept {
        /// The agreement file.
        file: PathBuf,
        /// Where the file goes that both have signed.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Accepts the terms without asking. Read them first.
        #[arg(long)]
        yes: bool,
    },
    /// Lists partners, agreements and their ends.
    List,
    /// Sets by which way alerts reach a partner.
    Route {
        /// Partner.
        partner: String,
        /// `direct`, `relay:NAME` or `courier`.
        route: String,
    },
    /// Stops all traffic with a partner.
    Suspend {
        /// Partner.
        partner: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Lets traffic with a partner go on.
    Resume {
        /// Partner.
        partner: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// Imports CSV or JSON Lines. The same file again changes nothing.
    Import {
        /// The file, `-` for standard input.
        file: PathBuf,
        /// The mapping file (spec/import.md).
        #[arg(long)]
        mapping: PathBuf,
        /// Where refused rows and warnings go, as CSV: row, column, severity, rule.
        #[arg(long)]
        errors: Option<PathBuf>,
    },
    /// Lists records.
    List {
        /// Rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Begins behind this id.
        #[arg(long)]
        after: Option<String>,
    },
    /// Shows one record. The reading is logged.
    Show {
        /// Id.
        id: String,
        /// Why it is read.
        #[arg(long)]
        reason: String,
    },
}

/// Why something is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct Why {
    /// Purpose, one that the agreement names.
    #[arg(long)]
    pub(crate) purpose: String,
    /// Case reference.
    #[arg(long)]
    pub(crate) case: String,
    /// Legal basis.
    #[arg(long, default_value = "")]
    pub(crate) legal_basis: String,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Kind of the identifier, such as `passport`, `imo_ship`, `email`.
    #[arg(required_unless_present = "file")]
    pub(crate) kind: Option<String>,
    /// The identifier as written.
    #[arg(required_unless_present = "file")]
    pub(crate) text: Option<String>,
    /// Who issued it.
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// Birth date, for a person's name.
    #[arg(long)]
    pub(crate) date: Option<String>,
    /// CSV with columns kind,text and optionally issuer,date, instead of one identifier.
    #[arg(long, conflicts_with_all = ["kind", "text", "issuer", "date"])]
    pub(crate) file: Option<PathBuf>,
    /// Partner; may be repeated. All partners if none is named.
    #[arg(long = "partner")]
    pub(crate) partners: Vec<String>,
    #[command(flatten)]
    pub(crate) why: Why,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Exchange {
    /// Builds and publishes the tag sets that partners may match against.
    Publish {
        /// Partner; may be repeated. All partners if none is named.
        #[arg(long = "partner")]
        partners: Vec<String>,
    },
    /// Asks a partner about every own identifier that policy and budget allow. Resumes.
    Run {
        /// Partner.
        partner: String,
        /// Class; may be repeated. All agreed classes if none is named.
        #[arg(long = "class")]
        classes: Vec<String>,
        /// How: `oprf` evaluates each key, `psi` matches the whole set at once; `auto` takes what
        /// costs less.
        #[arg(long, default_value = "auto")]
        engine: String,
        /// Stays, and runs again whenever the partner has published anew; says only what is new.
        #[arg(long)]
        watch: bool,
        /// With --watch: looks again after so many seconds.
        #[arg(long, default_value_t = 300, requires = "watch",
              value_parser = clap::value_parser!(u64).range(1..=86_400))]
        every: u64,
        #[command(flatten)]
        why: Why,
    },
    /// Lists exchanges.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hit {
    /// Lists hits.
    List {
        /// Only those of this partner.
        #[arg(long)]
        partner: Option<String>,
        /// Only those in this state: found, released, nothing.
        #[arg(long)]
        state: Option<String>,
        /// Only those at least this strong: weak, medium, strong.
        #[arg(long)]
        strength: Option<String>,
        /// Rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Begins behind this id.
        #[arg(long)]
        after: Option<String>,
    },
    /// Shows a hit and what was released.
    Show {
        /// Id.
        id: String,
        /// Why it is read; the hit's case if nothing is said.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Tells the partner that this node holds the identifier too, and asks for what it grants.
    Confirm {
        /// Id.
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Checks a policy file, or the policy in force.
    Check {
        /// The file.
        file: Option<PathBuf>,
    },
    /// Shows exactly what a partner would get for a record.
    Preview {
        /// Id of the record.
        record: String,
        /// Partner.
        partner: String,
        /// Purpose.
        #[arg(long)]
        purpose: String,
        /// Why it is read; goes into the log.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Names the deciding rule for every field.
    Explain {
        /// Id of the record.
        record: String,
        /// Partner.
        partner: String,
        /// Purpose.
        #[arg(long)]
        purpose: String,
        /// Why it is read; goes into the log.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Recomputes the whole log and checks its checkpoint.
    Verify,
    /// Shows entries, without contents.
    Show {
        /// First leaf.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Entries.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Writes the log as static tiles (C2SP tlog-tiles) that other people's tools verify. What a
    /// folder already holds of the same log is kept, so that exporting again adds what is new.
    Export {
        /// The folder.
        folder: PathBuf,
        /// Why; goes into the log.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Asks partners to cosign the log as it is, and shows the checkpoint with its cosignatures.
    Cosign {
        /// Partner; may be repeated. All partners if none is named.
        #[arg(long = "partner")]
        partners: Vec<String>,
    },
    /// Shows alarms. One stays until a person closes it.
    Alarms {
        /// The closed ones as well.
        #[arg(long)]
        closed: bool,
    },
    /// Closes an alarm. Its proof is kept.
    Close {
        /// Id.
        id: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Shows receipts that partners have owed for too long.
    Overdue {
        /// Partner. All partners if none is named.
        #[arg(long)]
        partner: Option<String>,
        /// Owed for at least this many hours.
        #[arg(long, default_value_t = 24)]
        hours: u64,
    },
    /// Compares what passed with a partner by both logs, and names every difference.
    Reconcile {
        /// Partner.
        partner: String,
    },
    /// For an auditor: shows what a query or an exchange asked, recomputed from identifiers and
    /// blinds and compared with the log. Opening is itself logged. Through the auditors' socket
    /// only what 'audit grant' opened.
    Open {
        /// Id that `query` or `exchange run` printed.
        query: String,
        /// Why it is opened.
        #[arg(long)]
        reason: String,
    },
    /// Opens a query or an exchange to an auditor for some days.
    Grant {
        /// Id that `query` or `exchange run` printed.
        query: String,
        /// The auditor's name.
        #[arg(long, value_name = "AUDITOR")]
        to: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
        /// For how many days.
        #[arg(long, default_value_t = 7)]
        days: u32,
    },
    /// Ends what 'audit grant' opened.
    Revoke {
        /// Id of the query, as it was opened.
        query: String,
        /// The auditor's name.
        #[arg(long, value_name = "AUDITOR")]
        from: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Shows what is opened to whom.
    Grants,
    /// Counts entries, hits and statements by partner and kind.
    Counts {
        /// From this day on, YYYY-MM-DD (UTC).
        #[arg(long, value_parser = oversight::day)]
        from: Option<u64>,
        /// Up to and without this day.
        #[arg(long, value_parser = oversight::day)]
        to: Option<u64>,
    },
    /// Destroys salt and body of older entries. Their leaves stay, and the log goes on to verify.
    Erase {
        /// Entries from before this day, YYYY-MM-DD (UTC).
        #[arg(long, value_parser = oversight::day, value_name = "DAY")]
        before: u64,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
        /// Without asking at the terminal.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Writes what was signed in a matter, with proof, and an index to read: NAME.evidence and
    /// NAME.html. The making is logged.
    Build {
        #[command(flatten)]
        matter: evidence::Matter,
        /// Why; goes into the log and the bundle.
        #[arg(long)]
        reason: String,
        /// NAME of the two files. Neither may exist.
        #[arg(long)]
        output: PathBuf,
        #[command(flatten)]
        shown: evidence::Shown,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure: tag-set, log, import, start, query, batch, alerts; all if none is named.
    pub(crate) jobs: Vec<String>,
    /// Records of the large store.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) records: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leaves the nodes running and shows the commands to talk to them.
    #[arg(long)]
    pub(crate) keep: bool,
}

fn budget(text: &str) -> Result<(String, u64), String> {
    let (class, amount) = text.split_once('=').ok_or("write it as class=amount")?;
    let amount = amount.parse().map_err(|_| "the amount is a whole number of elements")?;
    Ok((class.to_owned(), amount))
}
