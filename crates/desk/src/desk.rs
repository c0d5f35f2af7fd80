//! The desk: what all use cases share. Holds the store, the keys, the policy and the partners.
//!
//! Implements spec/architecture.md#layers.
//!
//! Invariant: the partners in memory are those of the store; every change goes through the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use symbolon_audit::{Act, Entry, LogSeen, PolicyEvent, Who};
use symbolon_ident::profile_id;
use symbolon_policy::{PartnerContext, PolicySet};
use symbolon_protocol::{Local, Partner as Remote};
use symbolon_store::{Partner, PartnerState, Store, Write};
use symbolon_tlog::Checkpoint;
use symbolon_trust::{Mode, NodeId, SignedAgreement, SignedCard, VerifiedAgreement, VerifiedCard};

use crate::account::EachMinute;
use crate::alert::Alerts;
use crate::api::{Nothing, Report, Status};
use crate::asking::Asking;
use crate::bulk_serve::Bulks;
use crate::hotline::Hotlines;
use crate::identity::Identity;
use crate::relay::Relay;
use crate::surroundings::{Link, Surroundings};
use crate::tag_set::Epochs;
use crate::watch::Rules;
use crate::{DeskError, Officer, bulk};

/// Everything a use case works with. Share it behind an `Arc`.
pub struct Desk {
    pub(crate) store: Arc<Store>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    pub(crate) workers: usize,
    link: OnceLock<Arc<dyn Link>>,
    identity: RwLock<Arc<Identity>>,
    policy: RwLock<Arc<PolicySet>>,
    partners: RwLock<Arc<BTreeMap<NodeId, Arc<Known>>>>,
    checkpoint: Mutex<Option<(u64, String)>>,
    pub(crate) asking: Asking,
    pub(crate) epochs: Epochs,
    pub(crate) bulks: Bulks,
    pub(crate) accounts: EachMinute,
    pub(crate) alerts: Alerts,
    pub(crate) rules: Rules,
    pub(crate) hotlines: Hotlines,
    pub(crate) relay: Relay,
    pub(crate) publishing: Mutex<()>,
    /// Held while the kept checkpoint is replaced.
    pub(crate) keeping: Mutex<()>,
    /// Held while an alarm is raised.
    pub(crate) alarming: Mutex<()>,
    pub(crate) log_retention_days: OnceLock<u32>,
    /// Items of one partition of a bulk match.
    pub(crate) bulk_partition_items: OnceLock<u64>,
}

/// A partner with its card and agreement verified, whatever their dates.
pub struct Known {
    pub(crate) row: Partner,
    pub(crate) card: Arc<VerifiedCard>,
    pub(crate) agreement: Option<Arc<VerifiedAgreement>>,
    /// The agreement on drills.
    pub(crate) drill: Option<Arc<VerifiedAgreement>>,
}

impl Known {
    /// Short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Root fingerprint.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.row.node
    }

    /// The newest card held.
    #[must_use]
    pub fn card(&self) -> &Arc<VerifiedCard> {
        &self.card
    }

    /// Whether anything at all is said to this partner now, hellos included.
    #[must_use]
    pub fn is_welcome(&self) -> bool {
        self.row.state != PartnerState::Suspended
    }

    /// The agreement, where the partner is active and it is in force at `now`.
    ///
    /// # Errors
    /// One line on why nothing may be asked or answered.
    pub(crate) fn in_force(&self, now: u64) -> Result<&Arc<VerifiedAgreement>, String> {
        self.in_force_for(Mode::Live, now)
    }

    /// The same for what is real or for drills.
    ///
    /// # Errors
    /// As [`Known::in_force`].
    pub(crate) fn in_force_for(
        &self,
        mode: Mode,
        now: u64,
    ) -> Result<&Arc<VerifiedAgreement>, String> {
        match (self.row.state, mode) {
            (PartnerState::Suspended, _) => return Err("the partner is suspended here".to_owned()),
            (PartnerState::Pending, Mode::Live) => {
                return Err("there is no agreement yet".to_owned());
            }
            (PartnerState::Pending | PartnerState::Active, _) => {}
        }
        let agreement = match mode {
            Mode::Live => self.agreement.as_ref().ok_or("there is no agreement yet")?,
            Mode::Exercise => self.drill.as_ref().ok_or("there is no agreement on drills")?,
        };
        agreement.active(now).map_err(|error| error.to_string())?;
        self.card.active(now).map_err(|error| error.to_string())?;
        Ok(agreement)
    }

    pub(crate) fn context<'a>(&'a self, agreement: &'a VerifiedAgreement) -> PartnerContext<'a> {
        let country = self.card.card().country;
        PartnerContext { node: self.node(), name: self.name(), country, agreement }
    }
}

impl Desk {
    /// A desk over an opened store, whose identity exists. A policy that is new here is logged.
    ///
    /// # Errors
    /// [`DeskError`] where the store lacks a part, or the policy cannot be logged.
    pub fn open(
        store: Arc<Store>,
        surroundings: Arc<dyn Surroundings>,
        policy: PolicySet,
        workers: usize,
    ) -> Result<Desk, DeskError> {
        let identity = Identity::open(&store)?;
        bulk::set::forget_left(&store)?;
        let desk = Desk {
            store,
            surroundings,
            workers,
            link: OnceLock::new(),
            identity: RwLock::new(Arc::new(identity)),
            policy: RwLock::new(Arc::new(policy)),
            partners: RwLock::default(),
            checkpoint: Mutex::new(None),
            asking: Asking::default(),
            epochs: Epochs::default(),
            bulks: Bulks::default(),
            accounts: EachMinute::default(),
            alerts: Alerts::default(),
            rules: Rules::default(),
            hotlines: Hotlines::default(),
            relay: Relay::default(),
            publishing: Mutex::new(()),
            keeping: Mutex::new(()),
            alarming: Mutex::new(()),
            log_retention_days: OnceLock::new(),
            bulk_partition_items: OnceLock::new(),
        };
        desk.partners_load()?;
        desk.hotlines_load()?;
        desk.policy_note()?;
        Ok(desk)
    }

    /// Gives the desk its way to partners; a second call changes nothing.
    pub fn connect(&self, link: Arc<dyn Link>) {
        let _ = self.link.set(link);
    }

    /// The store, for what lies below the desk: the transport's key.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn link(&self) -> Result<&Arc<dyn Link>, DeskError> {
        self.link.get().ok_or_else(|| {
            DeskError::unavailable("the node does not reach partners yet", "try again")
        })
    }

    /// The node's own keys and card, as they are now.
    #[must_use]
    pub fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.identity.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Arc<PolicySet> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Logs the policy in force where it is not the one logged last.
    fn policy_note(&self) -> Result<(), DeskError> {
        const LAST: &str = "policy/digest";
        let digest = self.policy().digest();
        if self.store.setting_fetch(LAST)?.is_some_and(|last| **last == digest) {
            return Ok(());
        }
        let event = PolicyEvent { digest, act: Act::Accepted };
        let entry = Entry::policy(self.who(&Officer::node()), event);
        self.store.commit(Write::new().setting(LAST, &digest).log(entry))?;
        Ok(())
    }

    pub(crate) fn now(&self) -> u64 {
        self.surroundings.now()
    }

    pub(crate) fn who<'a>(&self, officer: &'a Officer) -> Who<'a> {
        Who { now: self.now(), actor: officer.as_str() }
    }

    /// All partners.
    #[must_use]
    pub fn partners(&self) -> Arc<BTreeMap<NodeId, Arc<Known>>> {
        Arc::clone(&self.partners.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn partner(&self, node: &NodeId) -> Option<Arc<Known>> {
        self.partners().get(node).cloned()
    }

    /// The partner of this name.
    pub(crate) fn partner_named(&self, name: &str) -> Result<Arc<Known>, DeskError> {
        let partners = self.partners();
        let found = partners.values().find(|partner| partner.name() == name).cloned();
        found.ok_or_else(|| {
            let remedy = "'symbolon partner list' shows the partners of this node";
            DeskError::not_found("there is no partner of this name", remedy)
        })
    }

    /// The partners of these names; all of them where none is named.
    pub(crate) fn partners_named(&self, names: &[String]) -> Result<Vec<Arc<Known>>, DeskError> {
        if names.is_empty() {
            return Ok(self.partners().values().cloned().collect());
        }
        names.iter().map(|name| self.partner_named(name)).collect()
    }

    /// Reads all partners from the store and verifies them again.
    pub(crate) fn partners_load(&self) -> Result<(), DeskError> {
        let identity = self.identity();
        let mut partners = BTreeMap::new();
        for row in self.store.partner_list()? {
            let card = SignedCard::decode(&row.card)?.verify_whatever_the_date()?;
            let verified = |bytes: &Vec<u8>| {
                let signed = SignedAgreement::decode(bytes)?;
                signed.verify_whatever_the_date(&identity.card, &card).map(Arc::new)
            };
            let agreement = row.agreement.as_ref().map(verified).transpose()?;
            let drill = row.drill.as_ref().map(verified).transpose()?;
            let known = Known { card: Arc::new(card), agreement, drill, row };
            partners.insert(known.node(), Arc::new(known));
        }
        *self.partners.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(partners);
        Ok(())
    }

    /// The size of the own log and a signed checkpoint over it. Signing costs a fraction of a
    /// millisecond, so one signature serves as long as the log does not grow.
    ///
    /// # Errors
    /// [`DeskError`] from the store or the signer.
    pub fn checkpoint(&self) -> Result<(u64, String), DeskError> {
        let head = self.store.log_head()?;
        let mut kept = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((size, text)) = kept.as_ref().filter(|(size, _)| *size >= head.size) {
            return Ok((*size, text.clone()));
        }
        let text = self.checkpoint_of(head)?;
        *kept = Some((head.size, text.clone()));
        Ok((head.size, text))
    }

    /// A signed checkpoint over the own log as it is, or will be once a write is durable that was
    /// foreseen: what holds it goes through [`symbolon_store::Store::commit_foreseen`] then.
    pub(crate) fn checkpoint_of(&self, head: LogSeen) -> Result<String, DeskError> {
        let identity = self.identity();
        let checkpoint = Checkpoint::new(identity.log.origin(), head.size, head.root)?;
        Ok(identity.log.sign(&checkpoint)?.to_string())
    }

    /// What this node says of itself in a hello.
    ///
    /// # Errors
    /// [`DeskError`] from the store or the signer.
    pub fn local(&self) -> Result<Local, DeskError> {
        let identity = self.identity();
        let (log_size, checkpoint) = self.checkpoint()?;
        Ok(Local {
            card: Arc::clone(&identity.card),
            signed_card: Arc::clone(&identity.signed_card),
            key: Arc::clone(&identity.signing),
            profile: *profile_id().as_bytes(),
            checkpoint,
            log_size,
        })
    }

    /// What is known of a partner for a hello; nothing where it is suspended or unknown.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn remote(&self, node: &NodeId) -> Result<Option<Remote>, DeskError> {
        let Some(known) = self.partner(node).filter(|known| known.is_welcome()) else {
            return Ok(None);
        };
        let seen = self.store.partner_seen(node)?;
        Ok(Some(Remote { card: Arc::clone(&known.card), seen }))
    }

    /// What falls due with time: keys, cards, tag sets of ended epochs, admitted envelopes that
    /// have expired, submissions that nobody may repeat. Call it once a minute or so.
    ///
    /// # Errors
    /// [`DeskError`] from the first part that failed; the others are tried next time.
    pub fn tend(&self) -> Result<(), DeskError> {
        if let Some(renewed) = self.identity().renew(&self.store, &*self.surroundings)? {
            *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
        }
        self.store.envelope_purge(self.now())?;
        self.watch_purge()?;
        self.tag_sets_prune()?;
        self.bulks_prune();
        self.grants_purge()?;
        self.relay_purge()?;
        self.submissions_forget()?;
        self.retain()?;
        self.checkpoint_keep()
    }

    /// The node in a few lines.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn status(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Status, DeskError> {
        let identity = self.identity();
        let card = identity.card.card();
        Ok(Status {
            name: card.name.to_string(),
            country: card.country.to_string(),
            fingerprint: hex(identity.node().as_bytes()),
            records: self.store.record_count()?,
            partners: self.partners().len() as u64,
            relayed: self.relayed()?,
            log_size: self.store.log_size(),
            policy_digest: hex(&self.policy().digest()),
            profile: hex(profile_id().as_bytes()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
