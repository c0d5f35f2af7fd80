//! Watch rules: previewed before they are kept, applied to what comes in, gathered into digests.
//!
//! Implements spec/watch.md.
//!
//! Invariants: a rule is kept only with the number that its preview showed; what leaves the node
//! by a rule says nothing of what an alert says.

mod form;
mod notice;
mod rule;

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use symbolon_audit::Entry;
use symbolon_codec::sha256;
use symbolon_disclosure::{Alerted, Kept, Payload};
use symbolon_record::AlertClass;
use symbolon_store::{
    Alert, AlertKey, NoticeId, Rings, Slot, Watch, WatchFit, WatchId, WatchState, Write,
};
use symbolon_trust::Mode;

pub use notice::{NoticeDue, NoticeLine};
pub use rule::Target;

use crate::alert::class_of;
use crate::api::{
    Nothing, Report, WatchDigest, WatchDigested, WatchFitShown, WatchGathered, WatchName,
    WatchPreview, WatchPreviewed, WatchSave, WatchShown, Watches,
};
use crate::limits::{
    DAY_SECONDS, WATCH_FITS_SHOWN_MAX, WATCH_KEPT_DAYS, WATCH_PREVIEW_DAYS, WATCH_SCAN_ALERTS,
    WATCHES_MAX,
};
use crate::read::Shown;
use crate::{Desk, DeskError, Officer};
use notice::Waiting;
use rule::{Delivery, Rule, Seen, Why};

/// The rules in memory, as the store has them; read when they are first needed.
#[derive(Default)]
pub(crate) struct Rules {
    kept: RwLock<Option<Arc<Vec<Ready>>>>,
    /// Where webhooks may be.
    hosts: OnceLock<Vec<String>>,
    waiting: Waiting,
}

/// A rule that was read.
struct Ready {
    watch: Watch,
    rule: Rule,
}

/// What a rule met in the alerts that are here.
#[derive(Default)]
struct Met {
    alerts: u64,
    deleted: u64,
    fits: u64,
    rings: u64,
    newest: Vec<WatchFitShown>,
}

impl Desk {
    /// Names the hosts that webhooks may be at, each with its port where an address has one; a
    /// second call changes nothing. Without it there is none.
    pub fn notice_hosts(&self, hosts: Vec<String>) {
        let _ = self.rules.hosts.set(hosts);
    }

    /// Shows what a rule would have fitted in the last 30 days; nothing is kept. That it was shown
    /// is logged.
    ///
    /// # Errors
    /// [`DeskError`] that names the field and the remedy.
    pub fn watch_preview(
        &self,
        officer: &Officer,
        request: WatchPreview,
        report: &mut dyn Report,
    ) -> Result<WatchPreviewed, DeskError> {
        let sight = officer.sight()?;
        let rule = self.watch_form_read(&request.form)?;
        let met = self.watch_met(&rule, report)?;
        let (object, id, count) = ("alerts", String::new(), met.newest.len());
        self.note_shown(&sight, Shown { object, id, count, reason: "watch rule" })?;
        Ok(WatchPreviewed {
            days: WATCH_PREVIEW_DAYS,
            alerts: met.alerts,
            deleted: met.deleted,
            fits: met.fits,
            rings: met.rings,
            newest: met.newest,
        })
    }

    /// Keeps a rule, if it still fits as many alerts as its preview showed.
    ///
    /// # Errors
    /// [`DeskError`] that names the field and the remedy, or where the number is another by now.
    pub fn watch_save(
        &self,
        officer: &Officer,
        request: WatchSave,
        report: &mut dyn Report,
    ) -> Result<WatchShown, DeskError> {
        let _sight = officer.sight()?;
        let rule = self.watch_form_read(&request.form)?;
        let fits = self.watch_met(&rule, report)?.fits;
        if fits != request.fits {
            return Err(DeskError::refused(
                format!("the rule fits {fits} alerts of the last 30 days, not {}", request.fits),
                "look at it again: 'symbolon watch preview', then give the number that it shows",
            ));
        }
        let now = self.now();
        let before = request.id.as_deref().map(|id| self.watch_found(id)).transpose()?;
        let watch = match before {
            Some(before) => Watch {
                name: request.form.name.trim().to_owned(),
                changed_at: now,
                rule: rule.encode(),
                ..before
            },
            None if self.watches()?.len() >= WATCHES_MAX => {
                return Err(DeskError::refused(
                    format!("there are {WATCHES_MAX} watch rules already"),
                    "remove one: 'symbolon watch list', 'symbolon watch remove'",
                ));
            }
            None => Watch {
                id: WatchId::generate(self.surroundings.now_ms(), self.surroundings.seed()),
                name: request.form.name.trim().to_owned(),
                made_by: officer.as_str().to_owned(),
                made_at: now,
                changed_at: now,
                state: WatchState::On,
                rule: rule.encode(),
            },
        };
        let act = format!("watch rule {} saved", watch.id);
        let entry = Entry::admin(self.who(officer), &act, sha256("", &[&watch.rule]));
        self.store.commit(Write::new().watch(&watch).log(entry))?;
        self.watches_changed();
        Ok(shown(&Ready { watch, rule }))
    }

    /// All rules. Identifiers are shown by kind only.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn watch_list(
        &self,
        officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Watches, DeskError> {
        let sight = officer.sight()?;
        let watches: Vec<_> = self.watches()?.iter().map(shown).collect();
        let (object, id, count) = ("watch rules", String::new(), watches.len());
        self.note_shown(&sight, Shown { object, id, count, reason: "" })?;
        Ok(Watches { watches })
    }

    /// Removes a rule, and what is noted of the alerts that fitted it.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id.
    pub fn watch_remove(
        &self,
        officer: &Officer,
        request: WatchName,
        _report: &mut dyn Report,
    ) -> Result<WatchShown, DeskError> {
        let _sight = officer.sight()?;
        let watch = self.watch_found(&request.id)?;
        let act = format!("watch rule {} removed", watch.id);
        let entry = Entry::admin(self.who(officer), &act, sha256("", &[&watch.rule]));
        self.store.commit(Write::new().watch_delete(watch.id).log(entry))?;
        self.watches_changed();
        let rule = Rule::decode(&watch.rule)?;
        Ok(shown(&Ready { watch, rule }))
    }

    /// What fitted the rules since a time, what rang among it; that it was shown is logged.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown id.
    pub fn watch_digest(
        &self,
        officer: &Officer,
        request: WatchDigest,
        _report: &mut dyn Report,
    ) -> Result<WatchDigested, DeskError> {
        let sight = officer.sight()?;
        let only = request.id.as_deref().map(|id| self.watch_found(id)).transpose()?;
        let until = self.now();
        let (mut rules, mut count) = (Vec::new(), 0);
        for ready in self.watches()?.iter() {
            if only.as_ref().is_some_and(|only| only.id != ready.watch.id) {
                continue;
            }
            let fits = self.store.watch_fit_scan(
                ready.watch.id,
                request.since,
                None,
                WATCH_FITS_SHOWN_MAX + 1,
            )?;
            let mut alerts = Vec::new();
            for fit in fits.iter().take(WATCH_FITS_SHOWN_MAX) {
                // What is no longer known of an alert is not told by its rule either.
                let Some(alert) = self.store.alert_fetch(&fit.alert)? else { continue };
                alerts.push(self.fit_shown(&alert, fit.at, fit.rings, Vec::new())?);
            }
            count += alerts.len();
            rules.push(WatchGathered {
                id: ready.watch.id.to_string(),
                name: ready.watch.name.clone(),
                exercise: ready.rule.mode == Mode::Exercise,
                alerts,
                more: fits.len() > WATCH_FITS_SHOWN_MAX,
            });
        }
        let (object, id) = ("alerts", String::new());
        self.note_shown(&sight, Shown { object, id, count, reason: "watch digest" })?;
        Ok(WatchDigested { until, rules })
    }

    /// Holds an alert that comes in against the rules: what fits is noted in the write that takes
    /// the alert, and so is every notice that is to leave. Says whether somebody is called.
    pub(crate) fn watch_applied(
        &self,
        key: &AlertKey,
        alerted: &Alerted,
        mode: Mode,
        mut write: Write,
    ) -> Result<(Write, Rings), DeskError> {
        let (watches, now) = (self.watches()?, self.now());
        let mut calls = Rings::Silent;
        if watches.iter().all(|ready| ready.rule.mode != mode) {
            return Ok((write, calls));
        }
        let class = alerted.class;
        let seen = Seen::new(&alerted.view, class, mode, |key| self.store.record_mark(key));
        for Ready { watch, rule } in watches.iter().filter(|ready| ready.is_on()) {
            let Some(why) = rule.fits(&seen) else { continue };
            let (rings, code) = (rule.rings(class, &why), class.code());
            if rings == Rings::Rings && rule.targets.contains(&Target::Inbox) {
                calls = Rings::Rings;
            }
            let (watch, alert) = (watch.id, *key);
            let fit = WatchFit { watch, at: now, alert, class: code, mode, rings };
            write = self.notices_made(write.watch_fit(&fit), &fit, &rule.targets);
        }
        Ok((write, calls))
    }

    /// Forgets what fitted the rules too long ago for any digest.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn watch_purge(&self) -> Result<(), DeskError> {
        let before = self.now().saturating_sub(WATCH_KEPT_DAYS * DAY_SECONDS);
        for ready in self.watches()?.iter() {
            loop {
                let fits = self.store.watch_fit_scan(ready.watch.id, 0, None, WATCH_SCAN_ALERTS)?;
                let is_full = fits.len() == WATCH_SCAN_ALERTS;
                let old: Vec<_> = fits.iter().filter(|fit| fit.at < before).collect();
                if old.is_empty() {
                    break;
                }
                let is_more = is_full && old.len() == fits.len();
                let write = old.into_iter().fold(Write::new(), Write::watch_fit_delete);
                self.store.commit(write)?;
                if !is_more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Everything received in the last days that a rule would have fitted.
    fn watch_met(&self, rule: &Rule, report: &mut dyn Report) -> Result<Met, DeskError> {
        let since = self.now().saturating_sub(WATCH_PREVIEW_DAYS * DAY_SECONDS);
        let (own, mut after, mut met) = (self.identity().node(), None::<AlertKey>, Met::default());
        loop {
            let page = self.store.alert_scan(None, after.as_ref(), WATCH_SCAN_ALERTS)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            let is_looked_at = |alert: &&Alert| {
                alert.key.origin != own && alert.accepted_at >= since && alert.mode == rule.mode
            };
            for alert in page.iter().filter(is_looked_at) {
                self.watch_look(rule, alert, &mut met)?;
            }
            report.progress("looking at alerts", met.alerts, None);
        }
        met.newest.sort_by_key(|met| std::cmp::Reverse(met.at));
        met.newest.truncate(WATCH_FITS_SHOWN_MAX);
        Ok(met)
    }

    fn watch_look(&self, rule: &Rule, alert: &Alert, met: &mut Met) -> Result<(), DeskError> {
        met.alerts += 1;
        let Some(signed) = self.store.alert_content_fetch(&alert.key, Slot::Current)? else {
            met.deleted += 1;
            return Ok(());
        };
        let kept = Kept::decode(&signed)?;
        let Payload::Alert(alerted) = kept.payload() else {
            return Err(DeskError::internal("the content of an alert is damaged"));
        };
        let seen =
            Seen::new(&alerted.view, alerted.class, alert.mode, |key| self.store.record_mark(key));
        if let Some(why) = rule.fits(&seen) {
            let rings = rule.rings(alerted.class, &why);
            met.fits += 1;
            met.rings += u64::from(rings == Rings::Rings);
            let why = why.iter().map(Why::to_string).collect();
            met.newest.push(self.fit_shown(alert, alert.accepted_at, rings, why)?);
            if met.newest.len() > 2 * WATCH_FITS_SHOWN_MAX {
                met.newest.sort_by_key(|met| std::cmp::Reverse(met.at));
                met.newest.truncate(WATCH_FITS_SHOWN_MAX);
            }
        }
        Ok(())
    }

    fn fit_shown(
        &self,
        alert: &Alert,
        at: u64,
        rings: Rings,
        why: Vec<String>,
    ) -> Result<WatchFitShown, DeskError> {
        Ok(WatchFitShown {
            alert: alert.key.id.to_string(),
            origin: self.name_of(alert.key.origin),
            class: class_of(alert)?.as_str().to_owned(),
            state: crate::alert::state_name(alert.state).to_owned(),
            at,
            rings: rings == Rings::Rings,
            why,
        })
    }

    fn watch_found(&self, id: &str) -> Result<Watch, DeskError> {
        let none = || {
            DeskError::not_found("there is no such watch rule", "'symbolon watch list' shows them")
        };
        let id: WatchId = id.parse().map_err(|_| none())?;
        self.store.watch_fetch(id)?.ok_or_else(none)
    }

    fn watches(&self) -> Result<Arc<Vec<Ready>>, DeskError> {
        let kept = self.rules.kept.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        // Read while nobody else changes them, so that an older state never takes the place of a
        // newer one.
        let mut kept = self.rules.kept.write().unwrap_or_else(PoisonError::into_inner);
        let watches = self.store.watch_list()?.into_iter();
        let ready = watches.map(|watch| Ok(Ready { rule: Rule::decode(&watch.rule)?, watch }));
        let ready = Arc::new(ready.collect::<Result<Vec<_>, DeskError>>()?);
        *kept = Some(Arc::clone(&ready));
        Ok(ready)
    }

    fn watches_changed(&self) {
        *self.rules.kept.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn notice_id(&self) -> NoticeId {
        NoticeId::generate(self.surroundings.now_ms(), self.surroundings.seed())
    }
}

impl Ready {
    fn is_on(&self) -> bool {
        self.watch.state == WatchState::On
    }
}

fn shown(ready: &Ready) -> WatchShown {
    let Ready { watch, rule } = ready;
    WatchShown {
        id: watch.id.to_string(),
        name: watch.name.clone(),
        made_by: watch.made_by.clone(),
        changed_at: watch.changed_at,
        exercise: rule.mode == Mode::Exercise,
        asks: asks(rule),
        delivery: match rule.delivery {
            Delivery::Digest => "digest".to_owned(),
            Delivery::Ring => "ring".to_owned(),
        },
        targets: rule.targets.iter().map(ToString::to_string).collect(),
    }
}

/// What a rule asks for, as the reasons of a fit say it.
fn asks(rule: &Rule) -> Vec<String> {
    let classes = rule.classes.iter().map(|class| Why::Class(*class).to_string());
    let kinds = rule.kinds.iter().map(|kind| Why::Kind(*kind).to_string());
    let items = rule.items.iter().map(|item| Why::Item(item.clone()).to_string());
    let countries = rule.countries.iter().map(|country| Why::Country(*country).to_string());
    let places = rule.places.iter().map(|place| Why::Place(place.clone()).to_string());
    let identifiers =
        rule.identifiers.iter().map(|one| format!("identifier {}", one.kind.as_str()));
    classes.chain(kinds).chain(items).chain(countries).chain(places).chain(identifiers).collect()
}

/// The name of a class in what leaves the node.
fn class_name(code: u8) -> &'static str {
    AlertClass::from_code(code).map_or("unknown", AlertClass::as_str)
}
