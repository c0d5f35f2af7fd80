//! The node's own keys and card: made once, opened at every start, rotated; shown to nobody.
//!
//! Implements spec/identity.md.
//!
//! Invariant: every secret here lies in the store sealed, and leaves memory with the identity.

use std::sync::Arc;

use symbolon_audit::{Act, CardEvent, Entry, Who};
use symbolon_disclosure::{Author, RecipientSecret};
use symbolon_ident::{Country, profile_id};
use symbolon_store::{Store, Write};
use symbolon_tlog::{CheckpointSigner, CosignatureSigner};
use symbolon_trust::{
    DOCUMENT_VERSION, EnvelopeKey, IdentityKey, Mode, NodeCard, NodeId, NodeName, SignedCard,
    TlsPin, VerifiedCard,
};
use zeroize::Zeroizing;

use crate::desk::hex;
use crate::evidence::keep::card_keep;
use crate::limits::{CARD_DAYS, DAY_SECONDS, ENVELOPE_KEY_DAYS, ENVELOPE_KEY_FRESH_DAYS};
use crate::surroundings::Surroundings;
use crate::{DeskError, Officer};

const ROOT: &str = "identity/root";
const SIGNING: &str = "identity/signing";
const LOG: &str = "identity/log";
const TLS: &str = "identity/tls";
const CARD: &str = "identity/card";
const ENVELOPE_PREFIX: &str = "identity/envelope/";

/// What a new node says of itself.
pub struct Birth {
    /// Short name.
    pub name: NodeName,
    /// Country.
    pub country: Country,
    /// Addresses that partners dial.
    pub addresses: Vec<String>,
    /// Private key of the TLS container, as the transport made it.
    pub tls_key: Zeroizing<Vec<u8>>,
    /// SHA-256 of its public key.
    pub tls_pin: [u8; 32],
}

/// The node's own keys and card.
pub struct Identity {
    root: IdentityKey,
    /// Signs everything but cards and agreements.
    pub(crate) signing: Arc<IdentityKey>,
    pub(crate) log: CheckpointSigner,
    /// Cosigns the logs of partners.
    pub(crate) cosigner: CosignatureSigner,
    pub(crate) card: Arc<VerifiedCard>,
    pub(crate) signed_card: Arc<SignedCard>,
    pub(crate) recipients: Vec<RecipientSecret>,
}

/// Makes the keys and the first card of a node and keeps them.
///
/// # Errors
/// [`DeskError`] for addresses that no card can carry, or from the store.
pub fn identity_create(
    store: &Store,
    birth: Birth,
    surroundings: &dyn Surroundings,
) -> Result<(), DeskError> {
    let now = surroundings.now();
    let seeds = [ROOT, SIGNING, LOG].map(|name| (name, Zeroizing::new(surroundings.seed())));
    let [(_, root), (_, signing), (_, log)] = &seeds;
    let (root, signing) = (IdentityKey::generate(**root)?, IdentityKey::generate(**signing)?);
    let log = CheckpointSigner::from_seed(&log_origin(&root.public().fingerprint()), log)?;
    let envelopes = EnvelopeSecret::both(surroundings);
    let card = NodeCard {
        version: DOCUMENT_VERSION,
        root: root.public().clone(),
        name: birth.name,
        country: birth.country,
        sequence: 1,
        not_before: now,
        not_after: now + CARD_DAYS * DAY_SECONDS,
        signing: signing.public().clone(),
        envelope_keys: envelopes.iter().map(|envelope| envelope.key.clone()).collect(),
        tls_pins: vec![TlsPin(birth.tls_pin)],
        addresses: birth.addresses,
        log: log.verifier().vkeys().to_vec(),
        profile: *profile_id().as_bytes(),
    };
    let signed = SignedCard::sign(card, &root).map_err(|error| {
        DeskError::invalid(error.to_string(), "give one to four addresses as host:port")
    })?;
    let verified = signed.verify(now)?;
    let mut write = Write::new().setting_new(CARD, &signed.encode()).setting(TLS, &birth.tls_key);
    for (name, seed) in &seeds {
        write = write.setting(name, &**seed);
    }
    for envelope in &envelopes {
        write = write.setting(&envelope.name(), &*envelope.seed);
    }
    write = card_keep(write, &verified.id(), &signed, 1);
    store.commit(write.log(card_entry(&verified, now, Officer::node().as_str(), Act::Made)))?;
    Ok(())
}

impl Identity {
    /// Opens the keys and the card of this node.
    ///
    /// # Errors
    /// [`DeskError`] where a part is missing or damaged.
    pub fn open(store: &Store) -> Result<Identity, DeskError> {
        let (root, signing) = (seed(store, ROOT)?, seed(store, SIGNING)?);
        let (root, signing) = (IdentityKey::generate(*root)?, IdentityKey::generate(*signing)?);
        let origin = log_origin(&root.public().fingerprint());
        let log_seed = seed(store, LOG)?;
        let log = CheckpointSigner::from_seed(&origin, &log_seed)?;
        let cosigner = CosignatureSigner::of_log(&origin, &log_seed)?;
        let card = store.setting_fetch(CARD)?.ok_or_else(|| missing(CARD))?;
        let signed_card = SignedCard::decode(&card)?;
        let card = signed_card.verify_whatever_the_date()?;
        let mut recipients = Vec::new();
        for name in store.setting_names(ENVELOPE_PREFIX)? {
            let mode = envelope_mode(&name).ok_or_else(|| missing(&name))?;
            recipients.push(RecipientSecret::generate(*seed(store, &name)?, mode));
        }
        Ok(Identity {
            root,
            signing: Arc::new(signing),
            log,
            cosigner,
            card: Arc::new(card),
            signed_card: Arc::new(signed_card),
            recipients,
        })
    }

    /// Private key of the TLS container.
    ///
    /// # Errors
    /// [`DeskError`] where it is missing.
    pub fn tls_key(store: &Store) -> Result<Zeroizing<Vec<u8>>, DeskError> {
        store.setting_fetch(TLS)?.ok_or_else(|| missing(TLS))
    }

    /// The node's name everywhere but in front of people.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.card.id()
    }

    /// The root key, which signs cards and agreements.
    pub(crate) fn root(&self) -> &IdentityKey {
        &self.root
    }

    /// The author of envelopes.
    pub(crate) fn author(&self) -> Author<'_> {
        Author { node: self.node(), key: &self.signing }
    }

    /// Renews the card before its end, and the envelope keys weekly; destroys envelope keys that
    /// nothing may be sealed to any more. `None` where nothing is due.
    ///
    /// # Errors
    /// [`DeskError`] from signing or the store.
    pub(crate) fn renew(
        &self,
        store: &Store,
        surroundings: &dyn Surroundings,
    ) -> Result<Option<Identity>, DeskError> {
        let now = surroundings.now();
        let card = self.card.card();
        let fresh_until = now + (ENVELOPE_KEY_DAYS - ENVELOPE_KEY_FRESH_DAYS) * DAY_SECONDS;
        let is_fresh = Mode::ALL.iter().all(|mode| {
            let mut keys = card.envelope_keys.iter().filter(|key| key.mode == *mode);
            keys.any(|key| key.not_after > fresh_until)
        });
        let lasts = card.not_after > now + CARD_DAYS / 4 * DAY_SECONDS;
        // A new version of the program may have other rules: partners must learn it from the card.
        let is_of_this_profile = card.profile == *profile_id().as_bytes();
        if is_fresh && lasts && is_of_this_profile {
            return Ok(None);
        }
        let envelopes = EnvelopeSecret::both(surroundings);
        let mut renewed = card.clone();
        renewed.sequence += 1;
        renewed.not_before = now;
        renewed.not_after = now + CARD_DAYS * DAY_SECONDS;
        // Of each mode the new key, and the newest of those that partners may still use.
        renewed.envelope_keys.clear();
        for envelope in &envelopes {
            let mode = envelope.key.mode;
            let old = card.envelope_keys.iter().filter(|key| key.mode == mode);
            let old = old.filter(|key| key.not_after > now).max_by_key(|key| key.not_before);
            renewed.envelope_keys.push(envelope.key.clone());
            renewed.envelope_keys.extend(old.cloned());
        }
        renewed.profile = *profile_id().as_bytes();
        let signed = SignedCard::sign(renewed, &self.root)?;
        let verified = signed.verify(now)?;
        let mut write = Write::new().setting(CARD, &signed.encode());
        for envelope in &envelopes {
            write = write.setting(&envelope.name(), &*envelope.seed);
        }
        for name in store.setting_names(ENVELOPE_PREFIX)? {
            if envelope_end(&name).is_some_and(|end| end <= now) {
                write = write.setting_delete(&name);
            }
        }
        write = card_keep(write, &self.node(), &self.signed_card, card.sequence);
        write = card_keep(write, &self.node(), &signed, verified.card().sequence);
        let entry = card_entry(&verified, now, Officer::node().as_str(), Act::Replaced);
        store.commit(write.log(entry))?;
        Identity::open(store).map(Some)
    }
}

pub(crate) fn card_entry(card: &VerifiedCard, now: u64, actor: &str, act: Act) -> Entry {
    let (node, sequence, digest) = (card.id(), card.card().sequence, card.digest());
    Entry::card(Who { now, actor }, CardEvent { node, sequence, digest, act })
}

/// Origin of a node's log (spec/log.md#names).
pub(crate) fn log_origin(node: &NodeId) -> String {
    format!("symbolon/1/log/{}", hex(node.as_bytes()))
}

/// A fresh envelope key, and the seed that is kept of it.
struct EnvelopeSecret {
    seed: Zeroizing<[u8; 32]>,
    key: EnvelopeKey,
}

impl EnvelopeSecret {
    /// One of each mode, valid from now on.
    fn both(surroundings: &dyn Surroundings) -> [Self; 2] {
        let now = surroundings.now();
        Mode::ALL.map(|mode| {
            let seed = Zeroizing::new(surroundings.seed());
            let secret = RecipientSecret::generate(*seed, mode);
            Self { seed, key: secret.envelope_key(now, now + ENVELOPE_KEY_DAYS * DAY_SECONDS) }
        })
    }

    /// The end of validity leads, and the mode follows: old keys are found, and keys opened in
    /// their mode, by the name alone.
    fn name(&self) -> String {
        let EnvelopeKey { kid, not_after, mode, .. } = &self.key;
        format!("{ENVELOPE_PREFIX}{not_after:012}-{mode}-{}", hex(kid))
    }
}

fn envelope_end(name: &str) -> Option<u64> {
    name.strip_prefix(ENVELOPE_PREFIX)?.split('-').next()?.parse().ok()
}

fn envelope_mode(name: &str) -> Option<Mode> {
    let mode = name.strip_prefix(ENVELOPE_PREFIX)?.split('-').nth(1)?;
    Mode::ALL.into_iter().find(|known| known.as_str() == mode)
}

fn seed(store: &Store, name: &str) -> Result<Zeroizing<[u8; 32]>, DeskError> {
    let bytes = store.setting_fetch(name)?.ok_or_else(|| missing(name))?;
    let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| missing(name))?;
    Ok(Zeroizing::new(seed))
}

fn missing(name: &str) -> DeskError {
    DeskError::internal(format!("the store holds no usable '{name}'; restore it from a backup"))
}
