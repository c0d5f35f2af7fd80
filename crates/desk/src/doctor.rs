//! The node's health in plain words: what, on which side, and what to do.
//!
//! Implements spec/node.md#commands.

use symbolon_ident::profile_id;
use symbolon_store::{BudgetKey, Direction, SetSide, SetState};
use symbolon_trust::VerifiedAgreement;

use crate::api::{DoctorReport, Finding, Health, Nothing, Quiet, Report};
use crate::desk::{Known, hex};
use crate::limits::{
    COSIGNED_SECONDS_MAX, DAY_SECONDS, EXPIRY_WARNING_DAYS, NOTICES_MAX, RECEIPT_OVERDUE_SECONDS,
};
use crate::{Desk, DeskError, Officer};

impl Desk {
    /// Looks at everything that can stop work, here and with each partner.
    ///
    /// # Errors
    /// [`DeskError`] where the store cannot be read.
    pub fn doctor(
        &self,
        officer: &Officer,
        _request: Nothing,
        report: &mut dyn Report,
    ) -> Result<DoctorReport, DeskError> {
        let mut findings = Vec::new();
        let log = self.audit_verify(officer, Nothing {}, &mut Quiet)?;
        findings.push(match log.problems.first() {
            None => well("log", None, format!("{} leaves, root and checkpoint hold", log.size)),
            Some(problem) => failing(
                "log",
                None,
                problem.clone(),
                "here: stop the node, keep its folder as it is, call the auditor",
            ),
        });
        findings.push(match self.alarms_open()? {
            0 => well("alarms", None, "none is open".to_owned()),
            open => failing(
                "alarms",
                None,
                format!("{open} open"),
                "here: 'symbolon audit alarms' shows them; a person closes them",
            ),
        });
        if self.notices_waiting() >= NOTICES_MAX {
            findings.push(failing(
                "notices",
                None,
                format!("{NOTICES_MAX} notices of watch rules wait, and further ones are left out"),
                "here: the node's log names why they do not leave; mend their targets, or remove \
                 the rules ('symbolon watch list')",
            ));
        }
        let identity = self.identity();
        let until = identity.card.card().not_after;
        findings.push(self.expiry("card", None, until, "here: restart the node to renew its card"));
        let partners = self.partners();
        for (index, partner) in partners.values().enumerate() {
            report.progress("looking at partners", index as u64, Some(partners.len() as u64));
            self.examine(partner, &mut findings)?;
        }
        let state = findings.iter().map(|finding| finding.state).max().unwrap_or(Health::Well);
        Ok(DoctorReport { state, findings })
    }

    fn examine(&self, partner: &Known, findings: &mut Vec<Finding>) -> Result<(), DeskError> {
        let name = Some(partner.name().to_owned());
        let card = partner.card.card();
        let remedy = "there: the partner sends a new card";
        findings.push(self.expiry("card", name.clone(), card.not_after, remedy));
        let (own, theirs) = (*profile_id().as_bytes(), card.profile);
        findings.push(if own == theirs {
            well("profile", name.clone(), "the same rules for identifiers".to_owned())
        } else {
            let short = |profile: &[u8]| hex(profile).chars().take(16).collect::<String>();
            failing(
                "profile",
                name.clone(),
                format!(
                    "the rules for identifiers differ, so nothing is matched: {} here, {} there",
                    short(&own),
                    short(&theirs)
                ),
                "both: run versions with the same profile, then exchange cards again",
            )
        });
        let agreement = match partner.in_force(self.now()) {
            Ok(agreement) => agreement,
            Err(cause) => {
                let remedy =
                    "both: 'symbolon partner agree' here, 'partner accept' there; or resume";
                findings.push(failing("agreement", name, cause, remedy));
                return Ok(());
            }
        };
        let until = agreement.agreement().not_after;
        let remedy = "both: agree anew before this one ends";
        findings.push(self.expiry("agreement", name.clone(), until, remedy));
        findings.push(match self.link()?.epochs(&partner.node()) {
            Ok(epochs) => {
                let sets = epochs.signed().map_or(0, |cards| cards.len());
                let line = format!("reached; it publishes {sets} tag sets for this node");
                well("partner", name.clone(), line)
            }
            Err(error) => failing("partner", name.clone(), error.to_string(), error.remedy()),
        });
        self.examine_receipts(partner, findings)?;
        self.examine_matching(partner, agreement, findings)
    }

    fn examine_receipts(
        &self,
        partner: &Known,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DeskError> {
        let name = Some(partner.name().to_owned());
        let old = |at: u64, seconds: u64| at <= self.now().saturating_sub(seconds);
        let owed = self.store.owed_list(&partner.node())?;
        let overdue = owed.iter().filter(|owed| old(owed.since, RECEIPT_OVERDUE_SECONDS)).count();
        findings.push(match overdue {
            0 => well("receipts", name.clone(), "none is overdue".to_owned()),
            count => warning(
                "receipts",
                name.clone(),
                format!("{count} are overdue"),
                "there: 'symbolon audit overdue' names them; 'audit reconcile' compares the logs",
            ),
        });
        findings.push(match self.last_cosigned(&partner.node())? {
            Some(last) if !old(last.at, COSIGNED_SECONDS_MAX) => {
                well("cosigning", name, format!("it cosigned {} leaves of this log", last.size))
            }
            Some(last) => warning(
                "cosigning",
                name,
                format!("the last cosignature is of {} leaves and old", last.size),
                "both: is the partner reached? 'symbolon audit cosign' asks again and says why",
            ),
            None => warning(
                "cosigning",
                name,
                "it has not cosigned this log yet".to_owned(),
                "here: 'symbolon audit cosign' asks it and says why",
            ),
        });
        Ok(())
    }

    fn examine_matching(
        &self,
        partner: &Known,
        agreement: &VerifiedAgreement,
        findings: &mut Vec<Finding>,
    ) -> Result<(), DeskError> {
        let name = Some(partner.name().to_owned());
        let Ok(epoch) = agreement.epoch_at(self.now()) else {
            return Ok(());
        };
        let sets = self.store.tag_set_list(SetSide::Own, Some(&partner.node()))?;
        for terms in &agreement.agreement().classes {
            let is_published = sets.iter().any(|(set, head)| {
                (set.class, set.epoch) == (terms.class, epoch.number)
                    && head.state == SetState::Complete
            });
            if !is_published {
                findings.push(warning(
                    "tag set",
                    name.clone(),
                    format!("nothing is published for class {} in this epoch", terms.class),
                    "here: 'symbolon exchange publish'",
                ));
            }
            for (direction, side) in [(Direction::Asked, "here"), (Direction::Answered, "there")] {
                let key = BudgetKey {
                    partner: partner.node(),
                    class: terms.class,
                    epoch: epoch.number,
                    direction,
                };
                let (spent, limit) = (self.store.budget_spent(&key)?, terms.budget_per_epoch);
                if spent >= limit / 10 * 9 {
                    findings.push(warning(
                        "budget",
                        name.clone(),
                        format!("class {}: {spent} of {limit} spent in this epoch", terms.class),
                        &format!("{side}: wait for the next epoch, or agree on more"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn expiry(&self, area: &str, partner: Option<String>, until: u64, remedy: &str) -> Finding {
        let days = until.saturating_sub(self.now()) / DAY_SECONDS;
        let line = format!("valid for {days} more days");
        if until <= self.now() {
            failing(area, partner, "has expired".to_owned(), remedy)
        } else if days < EXPIRY_WARNING_DAYS {
            warning(area, partner, line, remedy)
        } else {
            well(area, partner, line)
        }
    }
}

fn well(area: &str, partner: Option<String>, cause: String) -> Finding {
    Finding { area: area.to_owned(), partner, state: Health::Well, cause, remedy: None }
}

fn warning(area: &str, partner: Option<String>, cause: String, remedy: &str) -> Finding {
    let remedy = Some(remedy.to_owned());
    Finding { area: area.to_owned(), partner, state: Health::Warning, cause, remedy }
}

fn failing(area: &str, partner: Option<String>, cause: String, remedy: &str) -> Finding {
    Finding { state: Health::Failing, ..warning(area, partner, cause, remedy) }
}
