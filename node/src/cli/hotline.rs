//! Hotlines: the commands of the node's officers, and those of the machine that calls.
//!
//! Implements spec/hotlines.md#enrolment.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use symbolon_desk::Enrolment;
use symbolon_desk::api::*;

use super::commands::{Runner, ask, read};
use super::output::{number, table, time};
use super::spool::Place;
use super::tables::row;
use crate::entropy;
use crate::exit::Failure;
use crate::hotline::{ClientKey, Learned, Remote};

#[derive(Debug, Subcommand)]
pub(crate) enum Hotline {
    /// Enrols a hotline and writes its enrolment file, which is a secret and is made once.
    Add {
        /// Name: lower-case letters, digits, hyphen.
        name: String,
        /// Submissions in an hour.
        #[arg(long, default_value_t = 60)]
        quota: u32,
        /// Submissions at once.
        #[arg(long, default_value_t = 20)]
        burst: u32,
        /// Record kind that it may hand in; may be repeated. All kinds if none is named.
        #[arg(long = "kind")]
        kinds: Vec<String>,
        /// Its certificate (PEM): the hotline proves itself by the key in it as well.
        #[arg(long)]
        certificate: Option<PathBuf>,
        /// It has no token: the certificate alone proves it.
        #[arg(long, requires = "certificate")]
        no_token: bool,
        /// Where the enrolment file goes. It must not exist.
        #[arg(long)]
        output: PathBuf,
    },
    /// Lists hotlines, their quotas and what was refused.
    List,
    /// Refuses all calls of a hotline.
    Suspend {
        /// Hotline.
        name: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Lets a hotline call again.
    Resume {
        /// Hotline.
        name: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Gives a hotline a new token or certificate. What it had is worth nothing from then on.
    Renew {
        /// Hotline.
        name: String,
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
        /// Its new certificate (PEM).
        #[arg(long)]
        certificate: Option<PathBuf>,
        /// Where the new enrolment file goes. It must not exist.
        #[arg(long)]
        output: PathBuf,
    },
    /// On the hotline's machine: makes a client key and its certificate in one PEM file.
    Key {
        /// Where the file goes. It must not exist.
        #[arg(long)]
        output: PathBuf,
    },
    /// On the hotline's machine: asks the node whether the credentials work, and which keys its
    /// door has and will have.
    Test {
        #[command(flatten)]
        place: Place,
    },
    /// The key of the node's door, by which hotlines know it.
    #[command(subcommand)]
    DoorKey(DoorKey),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DoorKey {
    /// Shows the pins of the key that answers and of the next one, and which hotlines were not
    /// seen to know the next.
    Show,
    /// Makes the next key. Enrolment files name both from now on, and each hotline learns it when
    /// it calls; the door goes on answering with the one that it has.
    Next {
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
    },
    /// Has the door answer with the next key from now on, and destroys the one before. A hotline
    /// that does not know it needs a new enrolment file.
    Switch {
        /// Why; goes into the log.
        #[arg(long)]
        reason: String,
        /// Without asking at the terminal, also where hotlines were not seen to know it.
        #[arg(long)]
        yes: bool,
    },
}

/// What a machine without a node calls with.
#[derive(Debug, Clone, Args)]
pub(crate) struct With {
    /// The enrolment file.
    #[arg(long, env = "SYMBOLON_ENROLMENT")]
    pub(crate) enrolment: PathBuf,
    /// The hotline's own key and certificate (PEM), where it was enrolled with one.
    #[arg(long, env = "SYMBOLON_CLIENT_KEY")]
    pub(crate) client_key: Option<PathBuf>,
}

impl With {
    /// What the enrolment file says.
    pub(super) fn read(&self) -> Result<Enrolment, Failure> {
        let read = Enrolment::parse(&read(&self.enrolment)?);
        read.map_err(|error| crate::init::desk_failure(&error))
    }

    /// The way to the node.
    pub(super) fn remote(
        &self,
        enrolment: Enrolment,
        learned: &Learned,
    ) -> Result<Remote, Failure> {
        let key = self.client_key.as_deref().map(ClientKey::read).transpose()?;
        Remote::new(enrolment, key.as_ref(), learned.pins())
    }
}

/// A client key that was made.
#[derive(Serialize)]
struct KeyMade {
    file: String,
    certificate_pin: String,
}

impl Runner {
    pub(super) async fn hotline(&self, command: Hotline) -> Result<(), Failure> {
        match command {
            Hotline::Add { name, quota, burst, kinds, certificate, no_token, output } => {
                free(&output)?;
                let proof = match (&certificate, no_token) {
                    (None, _) => Proof::Token,
                    (Some(_), false) => Proof::Both,
                    (Some(_), true) => Proof::Certificate,
                };
                let certificate_pin = pin(certificate.as_deref())?;
                let quota_per_hour = quota;
                let request =
                    HotlineAdd { name, quota_per_hour, burst, kinds, proof, certificate_pin };
                let enrolled: Enrolled = self.call("hotline/add", &request).await?;
                self.enrolled(&enrolled, &output)
            }
            Hotline::List => {
                let people = |list: &Vec<HotlineShown>| hotlines(list);
                self.show("hotline/list", &Nothing {}, people).await
            }
            Hotline::Suspend { name, reason } => {
                self.show("hotline/suspend", &HotlineChange { name, reason }, changed).await
            }
            Hotline::Resume { name, reason } => {
                self.show("hotline/resume", &HotlineChange { name, reason }, changed).await
            }
            Hotline::Renew { name, reason, certificate, output } => {
                free(&output)?;
                let certificate_pin = pin(certificate.as_deref())?;
                let request = HotlineRenew { name, reason, certificate_pin };
                let enrolled: Enrolled = self.call("hotline/renew", &request).await?;
                self.enrolled(&enrolled, &output)
            }
            Hotline::Key { output } => {
                let (text, pin) = ClientKey::generate(entropy::seed())?;
                secret(&output, &text)?;
                let file = output.display().to_string();
                let made = KeyMade { file, certificate_pin: hex::encode(pin) };
                self.out.show(&made, |made| {
                    format!(
                        "The key is in {} and stays on this machine. Give the certificate in it (the \
                         second part) to the node's officer.\nIts pin is {}\n",
                        made.file, made.certificate_pin
                    )
                });
                Ok(())
            }
            Hotline::Test { place } => {
                let hello = place.sender()?.greet().await?;
                self.out.show(&hello, greeted);
                Ok(())
            }
            Hotline::DoorKey(DoorKey::Show) => self.show("door/show", &Nothing {}, door_keys).await,
            Hotline::DoorKey(DoorKey::Next { reason }) => {
                self.show("door/next", &DoorNext { reason }, door_keys).await
            }
            Hotline::DoorKey(DoorKey::Switch { reason, yes }) => {
                self.door_switch(reason, yes).await
            }
        }
    }

    async fn door_switch(&self, reason: String, yes: bool) -> Result<(), Failure> {
        let look = DoorSwitch { reason: reason.clone(), confirmed: false };
        let before: DoorShown = self.call("door/switch", &look).await?;
        if !yes && !before.unlearned.is_empty() {
            let question = format!(
                "{} of {} hotlines were not seen to know the next key and need new enrolment files \
                 then: {}. Change the key all the same? [yes/no] ",
                before.unlearned.len(),
                before.hotlines,
                before.unlearned.join(", ")
            );
            let instead = format!(
                "{} of {} hotlines were not seen to know the next key; let each call once, or give \
                 --yes",
                before.unlearned.len(),
                before.hotlines
            );
            ask(&question, &instead)?;
        }
        let request = DoorSwitch { reason, confirmed: true };
        self.show("door/switch", &request, door_keys).await
    }

    fn enrolled(&self, enrolled: &Enrolled, output: &Path) -> Result<(), Failure> {
        secret(output, &enrolled.enrolment)?;
        self.out.show(enrolled, |enrolled| {
            format!(
                "Hotline {} is enrolled.\nIts enrolment file is {}: a secret, made once. Carry it \
                 to the hotline's machine by a way you trust, and delete it here.\nThere, \
                 'symbolon hotline test --enrolment FILE' says whether it works.\n\n{}",
                enrolled.hotline.name,
                output.display(),
                hotlines(std::slice::from_ref(&enrolled.hotline)),
            )
        });
        Ok(())
    }
}

/// Looks before the call whether the file could be written after it: what it holds is shown once.
fn free(output: &Path) -> Result<(), Failure> {
    let folder = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    let has_folder = folder.is_none_or(Path::is_dir);
    if has_folder && std::fs::symlink_metadata(output).is_err() {
        return Ok(());
    }
    Err(Failure::invalid(
        format!("{} exists already, or its folder does not", output.display()),
        "name another file with --output",
    ))
}

/// Writes a secret for this user alone, never over something else.
fn secret(path: &Path, text: &str) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|_| {
            Failure::invalid(
                format!("{} cannot be made", path.display()),
                "name a new file in a folder of your own; after an enrolment, renew the hotline",
            )
        })
}

fn pin(certificate: Option<&Path>) -> Result<Option<String>, Failure> {
    let pin = certificate.map(ClientKey::pin_in).transpose()?;
    Ok(pin.map(hex::encode))
}

fn changed(hotline: &HotlineShown) -> String {
    format!("hotline {} is {}\n", hotline.name, hotline.state)
}

fn door_keys(shown: &DoorShown) -> String {
    let mut rows = vec![row(["pin", &shown.pin])];
    if let Some(next) = &shown.next {
        let unlearned = match shown.unlearned.as_slice() {
            [] => "no hotline".to_owned(),
            names => names.join(", "),
        };
        rows.push(row(["next", next]));
        rows.push(row(["not seen to know it", &unlearned]));
    }
    table(&rows)
}

fn greeted(hello: &Hello) -> String {
    let left = hello.submissions_left.map_or_else(|| "-".to_owned(), number);
    table(&[
        row(["node", &format!("{} ({})", hello.node, hello.country)]),
        row(["its time", &time(hello.now)]),
        row(["known here as", hello.hotline.as_deref().unwrap_or("an officer")]),
        row(["may hand in now", &left]),
    ])
}

fn hotlines(hotlines: &[HotlineShown]) -> String {
    let mut rows =
        vec![row(["hotline", "state", "proof", "in an hour", "at once", "kinds", "refused"])];
    for hotline in hotlines {
        let kinds =
            if hotline.kinds.is_empty() { "all".to_owned() } else { hotline.kinds.join(", ") };
        rows.push(row([
            &hotline.name,
            &hotline.state,
            hotline.proof.as_str(),
            &number(hotline.quota_per_hour.into()),
            &number(hotline.burst.into()),
            &kinds,
            &number(hotline.refused),
        ]));
    }
    table(&rows)
}
