//! Partners: exchanging cards, reading words, agreeing, suspending. Sends nothing.
//!
//! Implements spec/identity.md.

use std::collections::BTreeMap;

use symbolon_audit::{Act, AgreementEvent, Entry};
use symbolon_ident::Class;
use symbolon_record::RecordKind;
use symbolon_store::{Partner, PartnerState, Route, Write};
use symbolon_trust::{
    Agreement, ClassTerms, DOCUMENT_VERSION, Mode, NodeId, SignedAgreement, SignedCard,
    VerifiedAgreement, VerifiedCard,
};
use zeroize::Zeroizing;

use crate::api::{
    AgreementAccept, AgreementFile, AgreementPropose, AgreementShown, CardShown, Nothing,
    PartnerAdd, PartnerChange, PartnerShown, Report,
};
use crate::desk::{Known, hex};
use crate::evidence::keep::card_keep;
use crate::identity::card_entry;
use crate::limits::DAY_SECONDS;
use crate::{Desk, DeskError, Officer};

/// A proposal begins a little in the past, so that a partner whose clock lags can sign it at once.
const CLOCK_ROOM_SECONDS: u64 = 600;

impl Desk {
    /// The own card, to be given to a partner.
    ///
    /// # Errors
    /// None that a working node meets.
    pub fn partner_card(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<CardShown, DeskError> {
        let identity = self.identity();
        let card = identity.card.card();
        Ok(CardShown {
            armored: identity.signed_card.armor(),
            name: card.name.to_string(),
            country: card.country.to_string(),
            fingerprint: hex(identity.node().as_bytes()),
            words: words(&identity.node()),
            sequence: card.sequence,
            not_after: card.not_after,
            addresses: card.addresses.clone(),
        })
    }

    /// Shows a partner's card, and stores it once its fingerprint was confirmed by a person.
    ///
    /// # Errors
    /// [`DeskError`] for a damaged, expired, older or foreign card.
    pub fn partner_add(
        &self,
        officer: &Officer,
        request: PartnerAdd,
        _report: &mut dyn Report,
    ) -> Result<PartnerShown, DeskError> {
        let signed = SignedCard::parse(&request.card)?;
        let card = signed.verify(self.now())?;
        let name = card.card().name.to_string();
        if card.id() == self.identity().node() {
            return Err(DeskError::invalid(
                "this is the card of this node itself",
                "take the file that the partner sent",
            ));
        }
        let held = self.partner(&card.id());
        self.name_is_free(&card)?;
        if let Some(held) = &held {
            card.replaces(&held.card)?;
        }
        let Some(confirmed) = request.confirmed_fingerprint else {
            let state = held.map_or("not_added".to_owned(), |held| state(&held.row));
            return Ok(shown(&card, &name, state, None, String::new()));
        };
        if confirmed != hex(card.id().as_bytes()) {
            return Err(DeskError::refused(
                "the confirmed fingerprint is not that of the card",
                "look at the card again and compare its words",
            ));
        }
        let act = if held.is_some() { Act::Replaced } else { Act::Accepted };
        let row = self.partner_row(&signed, &card, held.as_deref());
        let entry = card_entry(&card, self.now(), officer.as_str(), act);
        let write = kept(Write::new(), &signed, &card, held.as_deref())?;
        self.store.commit(write.partner(row).log(entry))?;
        self.partners_load()?;
        self.partner_shown(&card.id())
    }

    /// Keeps a newer card that came with a hello; the old card's root signed it.
    ///
    /// # Errors
    /// [`DeskError`] where it does not replace the one held.
    pub fn partner_renewed(&self, signed: &SignedCard) -> Result<(), DeskError> {
        let card = signed.verify(self.now())?;
        let held = self.partner(&card.id()).ok_or_else(|| {
            DeskError::not_found("the card is of no partner", "add the partner first")
        })?;
        card.replaces(&held.card)?;
        self.name_is_free(&card)?;
        let row = self.partner_row(signed, &card, Some(&held));
        let entry = card_entry(&card, self.now(), Officer::node().as_str(), Act::Replaced);
        let write = kept(Write::new(), signed, &card, Some(&held))?;
        self.store.commit(write.partner(row).log(entry))?;
        self.partners_load()
    }

    /// Rules of policy name partners by the names on their cards, so no two may share one.
    fn name_is_free(&self, card: &VerifiedCard) -> Result<(), DeskError> {
        let name = card.card().name.as_str();
        if self.partners().values().any(|k| k.name() == name && k.node() != card.id()) {
            return Err(DeskError::refused(
                "another partner has this name",
                "ask the partner for a card with another name",
            ));
        }
        Ok(())
    }

    fn partner_row(
        &self,
        signed: &SignedCard,
        card: &VerifiedCard,
        held: Option<&Known>,
    ) -> Partner {
        let now = self.now();
        let pins = card.card().tls_pins.iter();
        Partner {
            node: card.id(),
            name: card.card().name.to_string(),
            card: signed.encode(),
            pins: pins.map(|pin| serde_bytes::ByteArray::new(pin.0)).collect(),
            agreement: held.and_then(|held| held.row.agreement.clone()),
            proposal: held.and_then(|held| held.row.proposal.clone()),
            state: held.map_or(PartnerState::Pending, |held| held.row.state),
            notes: held.map(|held| held.row.notes.clone()).unwrap_or_default(),
            added_at: held.map_or(now, |held| held.row.added_at),
            changed_at: now,
            drill: held.and_then(|held| held.row.drill.clone()),
            route: held.map_or(Route::Direct, |held| held.row.route),
        }
    }

    /// All partners.
    ///
    /// # Errors
    /// None that a working node meets.
    pub fn partner_list(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Vec<PartnerShown>, DeskError> {
        self.partners().keys().map(|node| self.partner_shown(node)).collect()
    }

    /// Proposes an agreement: signs it for this node.
    ///
    /// # Errors
    /// [`DeskError`] for terms that no agreement can have.
    pub fn partner_agree(
        &self,
        officer: &Officer,
        request: AgreementPropose,
        _report: &mut dyn Report,
    ) -> Result<AgreementFile, DeskError> {
        let partner = self.partner_named(&request.partner)?;
        let identity = self.identity();
        let seed = self.surroundings.seed();
        let id = seed.first_chunk().copied().unwrap_or_default();
        let mut kinds = request.kinds;
        if kinds.is_empty() {
            kinds = RecordKind::ALL.iter().map(ToString::to_string).collect();
        }
        for kind in &kinds {
            kind.parse::<RecordKind>()?;
        }
        let mut parties = [identity.node(), partner.node()];
        parties.sort_unstable();
        let not_before = self.now().saturating_sub(CLOCK_ROOM_SECONDS);
        let agreement = Agreement {
            version: DOCUMENT_VERSION,
            id,
            parties,
            mode: if request.exercise { Mode::Exercise } else { Mode::Live },
            purposes: request.purposes,
            kinds,
            classes: classes(&request.budgets)?,
            epoch_length_seconds: request.epoch_seconds,
            retention_days: request.retention_days,
            not_before,
            not_after: not_before + u64::from(request.days) * DAY_SECONDS,
        };
        let signed = SignedAgreement::propose(agreement, identity.root())?;
        let mut row = partner.row.clone();
        row.proposal = Some(signed.encode());
        row.changed_at = self.now();
        let entry = self.agreement_entry(officer, &signed, partner.node(), Act::Made);
        self.store.commit(Write::new().partner(row).log(entry))?;
        self.partners_load()?;
        Ok(self.agreement_file(&signed, false))
    }

    /// Shows an agreement file; with the digest of its terms confirmed, signs the partner's
    /// proposal or stores what both have signed.
    ///
    /// # Errors
    /// [`DeskError`] for a damaged or expired file, or one between others.
    pub fn partner_accept(
        &self,
        officer: &Officer,
        request: AgreementAccept,
        _report: &mut dyn Report,
    ) -> Result<AgreementFile, DeskError> {
        let identity = self.identity();
        let mut signed = SignedAgreement::parse(&request.armored)?;
        let other = signed.agreement().parties.iter().find(|party| **party != identity.node());
        let partner = other.and_then(|other| self.partner(other)).ok_or_else(|| {
            DeskError::not_found(
                "the agreement is not with a partner of this node",
                "add the partner's card first, with 'symbolon partner add'",
            )
        })?;
        let _evidence = signed.signed_by(&partner.card).map_err(|error| {
            let remedy = "give the file to the partner, who accepts it first";
            DeskError::refused(error.to_string(), remedy)
        })?;
        let Some(confirmed) = request.confirmed_digest else {
            return Ok(self.agreement_file(&signed, false));
        };
        if confirmed != self.agreement_digest(&signed) {
            return Err(DeskError::refused(
                "the confirmed terms are not those of the file",
                "read the terms again",
            ));
        }
        if signed.signed_by(&identity.card).is_err() {
            signed = signed.countersign(identity.root())?;
        }
        let verified = signed.verify(&identity.card, &partner.card, self.now())?;
        let mut row = partner.row.clone();
        match verified.mode() {
            Mode::Live => row.agreement = Some(signed.encode()),
            Mode::Exercise => row.drill = Some(signed.encode()),
        }
        row.proposal = None;
        row.changed_at = self.now();
        if row.state == PartnerState::Pending && verified.mode() == Mode::Live {
            row.state = PartnerState::Active;
        }
        let mut write = Write::new().partner(row);
        let seed_name = epoch_seed_name(&verified, &partner.node());
        if self.store.setting_fetch(&seed_name)?.is_none() {
            let seed = Zeroizing::new(self.surroundings.seed());
            write = write.setting_new(&seed_name, &*seed);
        }
        let entry = self.agreement_entry(officer, &signed, partner.node(), Act::Accepted);
        self.store.commit(write.log(entry))?;
        self.partners_load()?;
        self.epochs.forget(&partner.node());
        Ok(self.agreement_file(&signed, true))
    }

    /// Stops all traffic with a partner.
    ///
    /// # Errors
    /// [`DeskError`] where there is no such partner.
    pub fn partner_suspend(
        &self,
        officer: &Officer,
        request: PartnerChange,
        _report: &mut dyn Report,
    ) -> Result<PartnerShown, DeskError> {
        self.partner_change(officer, &request, Act::Suspended)
    }

    /// Lets traffic with a partner go on.
    ///
    /// # Errors
    /// [`DeskError`] where there is no such partner.
    pub fn partner_resume(
        &self,
        officer: &Officer,
        request: PartnerChange,
        _report: &mut dyn Report,
    ) -> Result<PartnerShown, DeskError> {
        self.partner_change(officer, &request, Act::Resumed)
    }

    fn partner_change(
        &self,
        officer: &Officer,
        request: &PartnerChange,
        act: Act,
    ) -> Result<PartnerShown, DeskError> {
        let partner = self.partner_named(&request.partner)?;
        let mut row = partner.row.clone();
        row.state = match (act, row.agreement.is_some()) {
            (Act::Suspended, _) => PartnerState::Suspended,
            (_, true) => PartnerState::Active,
            (_, false) => PartnerState::Pending,
        };
        row.changed_at = self.now();
        row.notes.clone_from(&request.reason);
        let digest = symbolon_codec::sha256("", &[partner.node().as_bytes()]);
        let name = if act == Act::Suspended { "partner suspended" } else { "partner resumed" };
        let words = format!("{name}: {}: {}", partner.name(), request.reason);
        let entry = Entry::admin(self.who(officer), &words, digest);
        self.store.commit(Write::new().partner(row).log(entry))?;
        self.partners_load()?;
        self.partner_shown(&partner.node())
    }

    pub(crate) fn partner_shown(&self, node: &NodeId) -> Result<PartnerShown, DeskError> {
        let known = self.partner(node).ok_or_else(|| {
            DeskError::not_found("there is no such partner", "'symbolon partner list' shows them")
        })?;
        let agreement = known.row.agreement.as_ref().or(known.row.proposal.as_ref());
        let agreement = agreement.map(|bytes| SignedAgreement::decode(bytes)).transpose()?;
        let agreement = agreement.map(|signed| self.agreement_shown(&signed));
        let route = self.route_shown(known.row.route);
        Ok(shown(&known.card, known.name(), state(&known.row), agreement, route))
    }

    fn agreement_entry(
        &self,
        officer: &Officer,
        signed: &SignedAgreement,
        partner: NodeId,
        act: Act,
    ) -> Entry {
        let digest = agreement_digest(signed);
        Entry::agreement(self.who(officer), AgreementEvent { partner, digest, act })
    }

    fn agreement_file(&self, signed: &SignedAgreement, stored: bool) -> AgreementFile {
        let terms = self.agreement_shown(signed);
        AgreementFile { armored: signed.armor(), terms, stored }
    }

    fn agreement_digest(&self, signed: &SignedAgreement) -> String {
        hex(&agreement_digest(signed))
    }

    fn agreement_shown(&self, signed: &SignedAgreement) -> AgreementShown {
        let (terms, identity) = (signed.agreement(), self.identity());
        let name = |node: &NodeId| match self.partner(node) {
            Some(partner) => partner.name().to_owned(),
            None if *node == identity.node() => identity.card.card().name.to_string(),
            None => node.to_string(),
        };
        let budgets = terms.classes.iter();
        let complete = signed.signed_by(&identity.card).is_ok()
            && terms.parties.iter().any(|party| {
                self.partner(party).is_some_and(|known| signed.signed_by(&known.card).is_ok())
            });
        AgreementShown {
            digest: self.agreement_digest(signed),
            parties: terms.parties.iter().map(name).collect(),
            purposes: terms.purposes.clone(),
            kinds: terms.kinds.clone(),
            budgets: budgets.map(|t| (t.class.to_string(), t.budget_per_epoch)).collect(),
            epoch_seconds: terms.epoch_length_seconds,
            retention_days: terms.retention_days,
            not_before: terms.not_before,
            not_after: terms.not_after,
            complete,
        }
    }
}

/// Where the seed of an agreement's OPRF keys lies.
pub(crate) fn epoch_seed_name(agreement: &VerifiedAgreement, partner: &NodeId) -> String {
    let partner: String = hex(partner.as_bytes()).chars().take(32).collect();
    format!("epoch-seed/{partner}/{}", hex(&agreement.agreement().id))
}

/// Names the terms, signed or not: over the agreement without its signatures.
fn agreement_digest(signed: &SignedAgreement) -> [u8; 32] {
    let terms = symbolon_codec::encode(signed.agreement());
    symbolon_codec::sha256("symbolon/1 agreement digest", &[&terms])
}

fn classes(budgets: &BTreeMap<String, u64>) -> Result<Vec<ClassTerms>, DeskError> {
    let mut classes = Vec::new();
    for (class, budget_per_epoch) in budgets {
        let class: Class = class.parse()?;
        classes.push(ClassTerms { class, budget_per_epoch: *budget_per_epoch });
    }
    classes.sort_unstable_by_key(|terms| terms.class);
    Ok(classes)
}

fn words(node: &NodeId) -> Vec<String> {
    node.words().iter().map(|word| (*word).to_owned()).collect()
}

fn state(row: &Partner) -> String {
    match row.state {
        PartnerState::Pending => "pending",
        PartnerState::Active => "active",
        PartnerState::Suspended => "suspended",
    }
    .to_owned()
}

fn shown(
    card: &VerifiedCard,
    name: &str,
    state: String,
    agreement: Option<AgreementShown>,
    route: String,
) -> PartnerShown {
    PartnerShown {
        name: name.to_owned(),
        country: card.card().country.to_string(),
        fingerprint: hex(card.id().as_bytes()),
        words: words(&card.id()),
        state,
        addresses: card.card().addresses.clone(),
        card_not_after: card.card().not_after,
        agreement,
        route,
    }
}

/// Keeps a card and the one that it replaces for later evidence.
fn kept(
    mut write: Write,
    signed: &SignedCard,
    card: &VerifiedCard,
    held: Option<&Known>,
) -> Result<Write, DeskError> {
    if let Some(held) = held {
        let old = SignedCard::decode(&held.row.card)?;
        write = card_keep(write, &held.node(), &old, held.card.card().sequence);
    }
    Ok(card_keep(write, &card.id(), signed, card.card().sequence))
}
