//! Watch rules on the command line: previewed, kept, listed, removed, and their digest.
//!
//! Implements spec/watch.md#commands.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use symbolon_desk::api::{
    Nothing, WatchDigested, WatchFitShown, WatchName, WatchPreviewed, WatchShown, Watches,
};

use super::commands::Runner;
use super::form::{identifier, place_of};
use super::output::{number, table, time};
use super::tables::row;
use crate::clock;
use crate::exit::Failure;

const DAY_SECONDS: u64 = 86_400;

#[derive(Debug, Subcommand)]
pub(crate) enum Watch {
    /// Shows what a rule would have fitted in the last 30 days. Keeps nothing.
    Preview {
        #[command(flatten)]
        form: RuleForm,
    },
    /// Keeps a rule that was previewed.
    Add {
        #[command(flatten)]
        form: RuleForm,
        /// How many alerts its preview showed: whoever saw something else looks again.
        #[arg(long)]
        fits: u64,
        /// Id of the rule that it replaces.
        #[arg(long)]
        replaces: Option<String>,
    },
    /// Lists the rules.
    List,
    /// Removes a rule, and what it has gathered.
    Remove {
        /// Id.
        id: String,
    },
    /// What fitted the rules, by rule; what called at once is marked.
    Digest {
        /// How many days back.
        #[arg(long, default_value_t = 1)]
        days: u64,
        /// One rule only.
        #[arg(long)]
        id: Option<String>,
    },
}

/// A rule: it fits alerts that meet every flag given, each in one of its values.
#[derive(Debug, Default, Args)]
pub(crate) struct RuleForm {
    /// Its name.
    #[arg(long)]
    name: String,
    /// `flash`, `urgent` or `routine`; may be repeated, as may all below.
    #[arg(long = "class")]
    classes: Vec<String>,
    /// Record kind.
    #[arg(long = "kind")]
    kinds: Vec<String>,
    /// The beginning of a control code, such as 2B or nsg:3.A.
    #[arg(long = "item")]
    items: Vec<String>,
    /// Country of a subject, an event or a route.
    #[arg(long = "country")]
    countries: Vec<String>,
    /// Place or country where something happened or that was passed.
    #[arg(long = "route")]
    routes: Vec<String>,
    /// Identifier as pasted, or KIND=TEXT. It is not kept, only this node's mark of it.
    #[arg(long = "identifier")]
    identifiers: Vec<String>,
    /// For drills instead of real alerts.
    #[arg(long)]
    exercise: bool,
    /// Speaks at once of what is flash; without it, once a day.
    #[arg(long)]
    ring: bool,
    /// `inbox`, `syslog`, `lines`, or an address that begins with https://.
    #[arg(long = "target")]
    targets: Vec<String>,
}

impl RuleForm {
    fn fill(self) -> Value {
        let mut form = Map::new();
        form.insert("name".to_owned(), json!(self.name));
        form.insert("exercise".to_owned(), json!(self.exercise));
        if self.ring {
            form.insert("delivery".to_owned(), json!("ring"));
        }
        let lists = [
            ("classes", self.classes),
            ("kinds", self.kinds),
            ("items", self.items),
            ("countries", self.countries),
            ("targets", self.targets),
        ];
        for (field, list) in lists {
            form.insert(field.to_owned(), json!(list));
        }
        let routes: Vec<Value> = self.routes.iter().map(|text| route(text)).collect();
        form.insert("routes".to_owned(), json!(routes));
        let identifiers: Vec<Value> =
            self.identifiers.iter().map(|text| identifier(text)).collect();
        form.insert("identifiers".to_owned(), json!(identifiers));
        Value::Object(form)
    }
}

/// `Oslo, NOR`, or one text that the node reads: a country's code or a place.
fn route(text: &str) -> Value {
    if text.contains(',') { place_of(text) } else { json!(text) }
}

impl Runner {
    pub(super) async fn watch(&self, command: Watch) -> Result<(), Failure> {
        match command {
            Watch::Preview { form } => {
                let request = json!({ "form": form.fill() });
                self.show("watch/preview", &request, previewed).await
            }
            Watch::Add { form, fits, replaces } => {
                let mut request = json!({ "form": form.fill(), "fits": fits });
                if let (Some(id), Some(request)) = (replaces, request.as_object_mut()) {
                    request.insert("id".to_owned(), json!(id));
                }
                let saved = |rule: &WatchShown| format!("watch rule {} is kept\n", rule.id);
                self.show("watch/save", &request, saved).await
            }
            Watch::List => self.show("watch/list", &Nothing {}, listed).await,
            Watch::Remove { id } => {
                let removed = |rule: &WatchShown| format!("watch rule {} is removed\n", rule.id);
                self.show("watch/remove", &WatchName { id }, removed).await
            }
            Watch::Digest { days, id } => {
                let since = clock::now().saturating_sub(days.saturating_mul(DAY_SECONDS));
                let mut request = json!({ "since": since });
                if let (Some(id), Some(request)) = (id, request.as_object_mut()) {
                    request.insert("id".to_owned(), json!(id));
                }
                self.show("watch/digest", &request, digested).await
            }
        }
    }
}

fn previewed(preview: &WatchPreviewed) -> String {
    let mut text = format!(
        "fits {} of {} alerts of the last {} days; {} would have called at once\n",
        number(preview.fits),
        number(preview.alerts),
        preview.days,
        number(preview.rings)
    );
    if preview.deleted > 0 {
        let deleted = number(preview.deleted);
        text += &format!("{deleted} of them are deleted: nobody can tell whether they fit\n");
    }
    text += &fits(&preview.newest);
    text += &format!(
        "to keep it: 'symbolon watch add' with the same flags and --fits {}\n",
        preview.fits
    );
    text
}

fn fits(alerts: &[WatchFitShown]) -> String {
    if alerts.is_empty() {
        return String::new();
    }
    let mut rows = vec![row(["time", "", "class", "from", "alert", "state", "because"])];
    for fit in alerts {
        rows.push(row([
            &time(fit.at),
            if fit.rings { "RING" } else { "" },
            &fit.class,
            &fit.origin,
            &fit.alert,
            &fit.state,
            &fit.why.join(", "),
        ]));
    }
    table(&rows)
}

fn listed(watches: &Watches) -> String {
    if watches.watches.is_empty() {
        return "there is no watch rule; 'symbolon watch preview' tries one\n".to_owned();
    }
    let mut rows = vec![row(["id", "name", "", "asks for", "delivery", "targets"])];
    for rule in &watches.watches {
        rows.push(row([
            &rule.id,
            &rule.name,
            if rule.exercise { "EXERCISE" } else { "" },
            &rule.asks.join(", "),
            &rule.delivery,
            &rule.targets.join(", "),
        ]));
    }
    table(&rows)
}

fn digested(digest: &WatchDigested) -> String {
    let mut text = String::new();
    for rule in &digest.rules {
        let drill = if rule.exercise { " (EXERCISE)" } else { "" };
        let more = if rule.more { " and more" } else { "" };
        let count = number(rule.alerts.len() as u64);
        text += &format!("{}{drill}: {count}{more}\n{}", rule.name, fits(&rule.alerts));
    }
    if text.is_empty() { "there is no watch rule\n".to_owned() } else { text }
}
