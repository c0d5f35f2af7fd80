//! Openings for auditors, erasures and counts: the calls, and how their results look.
//!
//! Implements spec/node.md#commands.

use symbolon_desk::api::*;

use super::Audit;
use super::commands::{Runner, ask};
use super::output::{number, table, time};
use super::tables::row;
use crate::exit::{Exit, Failure};

/// A day as its first second in UTC.
pub(crate) fn day(text: &str) -> Result<u64, String> {
    let wrong = "write the day as YYYY-MM-DD";
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong)?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong)?;
    u64::try_from(start.timestamp().as_second()).map_err(|_| wrong.to_owned())
}

impl Runner {
    pub(super) async fn oversight(&self, command: Audit) -> Result<(), Failure> {
        match command {
            Audit::Grant { query, to, reason, days } => {
                let request = AuditGrant { query, to, reason, days: Some(days) };
                self.show("audit/grant", &request, granted).await
            }
            Audit::Revoke { query, from, reason } => {
                let request = AuditRevoke { query, from, reason };
                self.show("audit/revoke", &request, revoked).await
            }
            Audit::Grants => {
                let people = |list: &Vec<GrantShown>| grants(list);
                self.show("audit/grants", &Nothing {}, people).await
            }
            Audit::Counts { from, to } => {
                self.show("audit/counts", &AuditCounts { from, to }, counts).await
            }
            Audit::Erase { before, reason, yes } => self.erase(before, reason, yes).await,
            _ => Err(Failure::new(Exit::Internal, "this command stands elsewhere", "")),
        }
    }

    async fn erase(&self, before: u64, reason: String, yes: bool) -> Result<(), Failure> {
        let look = AuditErase { before, reason: reason.clone(), confirmed: false };
        let would: ErasureShown = self.call("audit/erase", &look).await?;
        if !yes {
            let question = format!(
                "Destroy what {} entries from before {} say, and what their queries asked? Nothing \
                 brings it back. [yes/no] ",
                number(would.entries),
                time(before)
            );
            ask(&question, "look at the count with --json, and give --yes")?;
        }
        let request = AuditErase { before, reason, confirmed: true };
        self.show("audit/erase", &request, erased).await
    }
}

fn granted(grant: &GrantShown) -> String {
    format!("query {} is open to {} until {}\n", grant.query, grant.auditor, time(grant.until))
}

fn revoked(grant: &GrantShown) -> String {
    format!("query {} is no longer open to {}\n", grant.query, grant.auditor)
}

fn grants(grants: &[GrantShown]) -> String {
    let mut rows = vec![row(["query", "auditor", "until", "by", "because"])];
    for grant in grants {
        let until = if grant.in_force { time(grant.until) } else { "over".to_owned() };
        rows.push(row([&grant.query, &grant.auditor, &until, &grant.by, &grant.reason]));
    }
    table(&rows)
}

fn counts(counts: &CountsShown) -> String {
    let parts =
        [("entries", &counts.entries), ("hits", &counts.hits), ("statements", &counts.statements)];
    let mut rows = vec![row(["", "partner", "kind", "count"])];
    for (part, counted) in parts {
        for one in counted {
            let partner = one.partner.as_deref().unwrap_or_default();
            rows.push(row([part, partner, &one.what, &number(one.count)]));
        }
    }
    format!(
        "{}{} records now; {} leaves in all, {} of them erased\n",
        table(&rows),
        number(counts.records),
        number(counts.log_size),
        number(counts.erased)
    )
}

fn erased(erased: &ErasureShown) -> String {
    format!(
        "{} entries erased, and what {} queries asked; the log has {} leaves as before and one for \
         each erasure\n",
        number(erased.entries),
        number(erased.queries),
        number(erased.log_size)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_utc() {
        assert_eq!(day("1970-01-02"), Ok(86_400));
        // 2026-01-01: 20,454 days after the epoch, fourteen of the years between being leap years.
        assert_eq!(day("2026-01-01"), Ok((56 * 365 + 14) * 86_400));
        for wrong in ["2026-13-01", "1969-12-31", "01.02.2026", "yesterday", ""] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
