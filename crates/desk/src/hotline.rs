//! Hotlines: enrolment, credentials and quota. What they hand in is another file's business.
//!
//! Implements spec/hotlines.md.
//!
//! Invariants: a token is kept as its hash only and shown once; nothing that a hotline sends is
//! parsed or stored before its credentials and its quota were checked; the hotlines in memory are
//! those of the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use symbolon_audit::Entry;
use symbolon_codec::sha256;
use symbolon_record::RecordKind;
use symbolon_store::{Hotline, HotlineState, Write};
use symbolon_trust::NodeName;
use zeroize::Zeroizing;

use crate::api::{
    Enrolled, HotlineAdd, HotlineChange, HotlineRenew, HotlineShown, Nothing, Proof, Report,
};
use crate::asking::lock;
use crate::desk::hex;
use crate::door::Door;
use crate::enrolment::{Enrolment, pin_parse};
use crate::limits::{HOTLINE_BURST_MAX, HOTLINE_QUOTA_MAX, HOTLINES_MAX};
use crate::meter::{Demand, Meter, Passed, Reserved};
use crate::read::reason_given;
use crate::{Desk, DeskError, Officer, Role};

/// Separates the digests made here from others.
const LABEL: &str = "symbolon/1 hotline";
/// Where the reserved submissions of an hour lie, by hotline.
const RESERVED: &str = "hotline/reserved/";
/// What a token begins with is the name; this stands between it and the secret.
const TOKEN_MARK: char = '.';

/// What somebody at the door shows.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The bearer token, as it came.
    pub token: Option<&'a str>,
    /// The pin of the certificate whose key the TLS handshake proved.
    pub certificate_pin: Option<[u8; 32]>,
}

/// Evidence that a hotline may make one call. Its seat is given back when this is dropped.
pub struct Admitted {
    officer: Officer,
    meter: Arc<Mutex<Meter>>,
    reserve: Option<Reserved>,
}

impl Admitted {
    /// Who acts.
    #[must_use]
    pub fn officer(&self) -> &Officer {
        &self.officer
    }

    /// Whether [`Desk::hotline_reserve`] has something to keep.
    #[must_use]
    pub fn is_owing(&self) -> bool {
        self.reserve.is_some()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        lock(&self.meter).leave();
    }
}

/// All hotlines, as the door needs them.
#[derive(Default)]
pub(crate) struct Hotlines {
    known: RwLock<Arc<BTreeMap<String, Line>>>,
    pub(crate) door: OnceLock<Door>,
    /// Held while one is changed, or the key of the door.
    pub(crate) changing: Mutex<()>,
}

/// One hotline and its counts.
#[derive(Clone)]
struct Line {
    row: Hotline,
    meter: Arc<Mutex<Meter>>,
}

impl Hotlines {
    fn all(&self) -> Arc<BTreeMap<String, Line>> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Line {
    fn proof(&self) -> Proof {
        match (self.row.token_hash, self.row.certificate_pin) {
            (Some(_), Some(_)) => Proof::Both,
            (None, Some(_)) => Proof::Certificate,
            (_, None) => Proof::Token,
        }
    }

    fn shown(&self) -> HotlineShown {
        let (row, meter) = (&self.row, lock(&self.meter));
        HotlineShown {
            name: row.name.clone(),
            state: state(row.state).to_owned(),
            proof: self.proof(),
            certificate_pin: row.certificate_pin.map(|pin| hex(&pin)),
            quota_per_hour: row.quota_per_hour,
            burst: row.burst,
            kinds: row.kinds.clone(),
            made_at: row.made_at,
            changed_at: row.changed_at,
            heard_at: meter.heard_at,
            refused: meter.refused,
        }
    }

    /// Every part of the proof that was enrolled must be there.
    fn is_proved(&self, secret: Option<&[u8; 32]>, credentials: &Credentials<'_>) -> bool {
        let token_fits = token_fits(self.row.token_hash.as_ref(), secret);
        let needs_token = self.row.token_hash.is_some();
        let pin_fits = self.row.certificate_pin == credentials.certificate_pin;
        let needs_pin = self.row.certificate_pin.is_some();
        (needs_token || needs_pin) && (!needs_token || token_fits) && (!needs_pin || pin_fits)
    }
}

impl Desk {
    /// Reads all hotlines from the store; the counts of those that stay go on.
    pub(crate) fn hotlines_load(&self) -> Result<(), DeskError> {
        let known = self.hotlines.all();
        let mut lines = BTreeMap::new();
        for row in self.store.hotline_list()? {
            let quota = |row: &Hotline| (row.quota_per_hour, row.burst);
            let kept = known.get(&row.name).filter(|line| quota(&line.row) == quota(&row));
            let meter = match kept {
                Some(line) => Arc::clone(&line.meter),
                None => Arc::new(Mutex::new(self.meter(&row)?)),
            };
            lines.insert(row.name.clone(), Line { row, meter });
        }
        let mut known = self.hotlines.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(lines);
        Ok(())
    }

    fn meter(&self, row: &Hotline) -> Result<Meter, DeskError> {
        let kept = self.store.progress_fetch(&reserved_name(&row.name))?;
        let kept = kept.and_then(|bytes| Reserved::decode(&bytes)).unwrap_or_default();
        Ok(Meter::new(row.quota_per_hour, row.burst, kept, self.surroundings.now_ms()))
    }

    /// Whether a TLS handshake with this key is worth finishing: some hotline has it.
    #[must_use]
    pub fn hotline_has_key(&self, pin: &[u8; 32]) -> bool {
        self.hotlines.all().values().any(|line| line.row.certificate_pin.as_ref() == Some(pin))
    }

    /// Lets a call of a hotline through, or refuses it, in memory alone: a flood costs no disk.
    /// Before anything of the call is read, [`Desk::hotline_reserve`] must hold.
    ///
    /// # Errors
    /// [`DeskError`] with [`crate::Fault::Credentials`], or beyond the quota with
    /// [`crate::Fault::Busy`].
    pub fn hotline_admit(
        &self,
        credentials: &Credentials<'_>,
        demand: Demand,
    ) -> Result<Admitted, DeskError> {
        let unknown = || {
            DeskError::credentials(
                "the credentials are not those of a hotline that is enrolled here",
                "use the newest enrolment file; 'symbolon hotline renew' at the node makes one",
            )
        };
        let known = self.hotlines.all();
        let (name, secret) = match credentials.token.and_then(token_parse) {
            Some((name, secret)) => (Some(name), Some(secret)),
            None => (None, None),
        };
        let named = match name {
            Some(name) => known.get(name),
            None => known.values().find(|line| {
                credentials.certificate_pin.is_some()
                    && line.row.certificate_pin == credentials.certificate_pin
            }),
        };
        let is_proved = match named {
            Some(line) => line.is_proved(secret.as_ref(), credentials),
            // A name that nobody has costs the same comparison.
            None => token_fits(None, secret.as_ref()),
        };
        let line = named.filter(|_| is_proved).ok_or_else(unknown)?;
        if line.row.state != HotlineState::Active {
            return Err(DeskError::credentials(
                "this hotline is suspended",
                "ask the node's officer; what is spooled stays and is sent once it is resumed",
            ));
        }
        let meter = Arc::clone(&line.meter);
        let passed = lock(&meter).admit(demand, self.surroundings.now_ms());
        let passed = passed.map_err(|seconds| {
            DeskError::busy("the hotline has used up what it may do for now", seconds)
        })?;
        let reserve = match passed {
            Passed::Free => None,
            Passed::Reserve(reserved) => Some(reserved),
        };
        // Made before the name is read again, so that the seat is given back in any case.
        let officer = Officer::parse(&line.row.name, Role::Hotline);
        let Ok(officer) = officer else {
            lock(&meter).leave();
            return Err(unknown());
        };
        Ok(Admitted { officer, meter, reserve })
    }

    /// Makes the part of the quota that a call belongs to outlive a restart. Blocks on the disk,
    /// once in many calls.
    ///
    /// # Errors
    /// [`DeskError`] from the store.
    pub fn hotline_reserve(&self, admitted: &Admitted) -> Result<(), DeskError> {
        if let (Some(reserved), Some(name)) = (admitted.reserve, admitted.officer.hotline()) {
            let write = Write::new().progress(&reserved_name(name), &reserved.encode());
            self.store.commit(write)?;
        }
        Ok(())
    }

    /// Whether a hotline may hand in records of `kind`; officers may hand in any.
    ///
    /// # Errors
    /// [`DeskError`] with [`crate::Fault::Refused`].
    pub fn hotline_may(&self, officer: &Officer, kind: RecordKind) -> Result<(), DeskError> {
        let Some(name) = officer.hotline() else { return Ok(()) };
        let known = self.hotlines.all();
        let kinds = known.get(name).map(|line| line.row.kinds.as_slice());
        match kinds {
            Some(kinds) if kinds.is_empty() || kinds.iter().any(|one| one == kind.as_str()) => {
                Ok(())
            }
            _ => Err(DeskError::refused(
                "this hotline may not hand in this kind",
                "choose a kind that it is enrolled for, or ask the node's officer",
            )),
        }
    }

    /// What a hotline may hand in now before it is told to wait.
    pub(crate) fn hotline_left(&self, officer: &Officer) -> Option<u64> {
        let known = self.hotlines.all();
        let line = officer.hotline().and_then(|name| known.get(name))?;
        Some(lock(&line.meter).left(self.surroundings.now_ms()))
    }

    pub(crate) fn hotline_names(&self) -> Vec<String> {
        self.hotlines.all().keys().cloned().collect()
    }

    /// Enrols a hotline.
    ///
    /// # Errors
    /// [`DeskError`] for a name that is taken or not usable, numbers out of bounds, or no door.
    pub fn hotline_add(
        &self,
        officer: &Officer,
        request: HotlineAdd,
        _report: &mut dyn Report,
    ) -> Result<Enrolled, DeskError> {
        let _one_at_a_time = lock(&self.hotlines.changing);
        let door = self.door()?;
        let name = NodeName::parse(&request.name).map_err(|_| {
            let remedy = "use 1 to 32 lower-case letters, digits and hyphens";
            DeskError::invalid("the name is not usable for a hotline", remedy)
        })?;
        let known = self.hotlines.all();
        if known.contains_key(name.as_str()) {
            let remedy = "choose another name, or use 'symbolon hotline renew'";
            return Err(DeskError::refused("there is a hotline of this name already", remedy));
        }
        if known.len() >= HOTLINES_MAX {
            let remedy = format!("a node has {HOTLINES_MAX} hotlines at most");
            return Err(DeskError::refused("there are too many hotlines", remedy));
        }
        bounds(&request)?;
        let pin = self.pin_free(request.certificate_pin.as_deref(), name.as_str())?;
        if pin.is_some() != (request.proof != Proof::Token) {
            return Err(DeskError::invalid(
                "the proof and the certificate do not go together",
                "give a certificate where the proof is 'certificate' or 'both', and only there",
            ));
        }
        let token = (request.proof != Proof::Certificate).then(|| self.token(name.as_str()));
        let now = self.now();
        let row = Hotline {
            name: name.as_str().to_owned(),
            token_hash: token.as_ref().map(|(_, hash)| *hash),
            certificate_pin: pin,
            quota_per_hour: request.quota_per_hour,
            burst: request.burst,
            state: HotlineState::Active,
            made_at: now,
            changed_at: now,
            kinds: request.kinds,
        };
        let act = format!(
            "hotline {} enrolled: {} in an hour, {} at once",
            row.name, row.quota_per_hour, row.burst
        );
        self.hotline_keep(officer, &row, &act)?;
        self.door_learned_by_file(&row.name)?;
        self.enrolled(door, &row.name, token.map(|(token, _)| token))
    }

    /// All hotlines.
    ///
    /// # Errors
    /// None.
    pub fn hotline_list(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<Vec<HotlineShown>, DeskError> {
        Ok(self.hotlines.all().values().map(Line::shown).collect())
    }

    /// Stops a hotline: its calls are refused from now on.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown one, or without a reason.
    pub fn hotline_suspend(
        &self,
        officer: &Officer,
        request: HotlineChange,
        _report: &mut dyn Report,
    ) -> Result<HotlineShown, DeskError> {
        self.hotline_turn(officer, &request, HotlineState::Suspended)
    }

    /// Lets a hotline go on.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown one, or without a reason.
    pub fn hotline_resume(
        &self,
        officer: &Officer,
        request: HotlineChange,
        _report: &mut dyn Report,
    ) -> Result<HotlineShown, DeskError> {
        self.hotline_turn(officer, &request, HotlineState::Active)
    }

    /// Gives a hotline new credentials; the old ones no longer count.
    ///
    /// # Errors
    /// [`DeskError`] for an unknown one, without a reason, or without a door.
    pub fn hotline_renew(
        &self,
        officer: &Officer,
        request: HotlineRenew,
        _report: &mut dyn Report,
    ) -> Result<Enrolled, DeskError> {
        let _one_at_a_time = lock(&self.hotlines.changing);
        let reason = reason_given(&request.reason)?;
        let door = self.door()?;
        let mut row = self.hotline_named(&request.name)?.row;
        if let Some(pin) = self.pin_free(request.certificate_pin.as_deref(), &row.name)? {
            if row.certificate_pin.is_none() {
                return Err(DeskError::invalid(
                    "this hotline does not prove itself by a certificate",
                    "leave the certificate out",
                ));
            }
            row.certificate_pin = Some(pin);
        }
        let token = row.token_hash.is_some().then(|| self.token(&row.name));
        row.token_hash = token.as_ref().map(|(_, hash)| *hash);
        row.changed_at = self.now();
        self.hotline_keep(officer, &row, &format!("hotline {} renewed: {reason}", row.name))?;
        if token.is_some() {
            self.door_learned_by_file(&row.name)?;
        }
        self.enrolled(door, &row.name, token.map(|(token, _)| token))
    }

    fn hotline_turn(
        &self,
        officer: &Officer,
        request: &HotlineChange,
        to: HotlineState,
    ) -> Result<HotlineShown, DeskError> {
        let _one_at_a_time = lock(&self.hotlines.changing);
        let reason = reason_given(&request.reason)?;
        let mut row = self.hotline_named(&request.name)?.row;
        row.state = to;
        row.changed_at = self.now();
        let act = format!("hotline {} {}: {reason}", row.name, state(to));
        self.hotline_keep(officer, &row, &act)?;
        Ok(self.hotline_named(&row.name)?.shown())
    }

    fn hotline_named(&self, name: &str) -> Result<Line, DeskError> {
        self.hotlines.all().get(name).cloned().ok_or_else(|| {
            let remedy = "'symbolon hotline list' shows the hotlines of this node";
            DeskError::not_found("there is no hotline of this name", remedy)
        })
    }

    /// A pin that no other hotline has: a key that two share would name neither.
    fn pin_free(&self, text: Option<&str>, name: &str) -> Result<Option<[u8; 32]>, DeskError> {
        let Some(pin) = text.map(pin_given).transpose()? else { return Ok(None) };
        let known = self.hotlines.all();
        let mut others = known.values().filter(|line| line.row.name != name);
        if others.any(|line| line.row.certificate_pin == Some(pin)) {
            let remedy = "make a key of its own for each with 'symbolon hotline key'";
            return Err(DeskError::refused("another hotline has this certificate's key", remedy));
        }
        Ok(Some(pin))
    }

    fn hotline_keep(&self, officer: &Officer, row: &Hotline, act: &str) -> Result<(), DeskError> {
        let digest = sha256(LABEL, &[&symbolon_codec::encode(row)]);
        let entry = Entry::admin(self.who(officer), act, digest);
        self.store.commit(Write::new().hotline(row).log(entry))?;
        self.hotlines_load()
    }

    /// A fresh token and its hash.
    fn token(&self, name: &str) -> (String, [u8; 32]) {
        let secret = Zeroizing::new(self.surroundings.seed());
        let text = format!("{name}{TOKEN_MARK}{}", hex(&*secret));
        (text, Sha256::digest(secret.as_slice()).into())
    }

    fn enrolled(
        &self,
        door: &Door,
        name: &str,
        token: Option<String>,
    ) -> Result<Enrolled, DeskError> {
        let (urls, pins) = (door.urls.clone(), door.accepted());
        let node = self.identity().card.card().name.to_string();
        let places = (urls.clone(), pins.clone());
        let file = Enrolment::new(node, name.to_owned(), places, token.clone());
        let hotline = self.hotline_named(name)?.shown();
        Ok(Enrolled { hotline, urls, pins, token, enrolment: file.armor() })
    }
}

/// Names of rows are not sealed, so a digest stands for the hotline's.
fn reserved_name(name: &str) -> String {
    format!("{RESERVED}{}", hex(&sha256(LABEL, &[name.as_bytes()])))
}

fn state(state: HotlineState) -> &'static str {
    match state {
        HotlineState::Active => "active",
        HotlineState::Suspended => "suspended",
    }
}

/// Compares hashes in constant time, also where there is nothing to compare.
fn token_fits(kept: Option<&[u8; 32]>, given: Option<&[u8; 32]>) -> bool {
    const NONE: &[u8; 32] = &[0; 32];
    let is_same = kept.unwrap_or(NONE).ct_eq(given.unwrap_or(NONE));
    bool::from(is_same) && kept.is_some() && given.is_some()
}

/// The name in a token and the hash of its secret.
fn token_parse(token: &str) -> Option<(&str, [u8; 32])> {
    let (name, secret) = token.split_once(TOKEN_MARK)?;
    let secret = Zeroizing::new(pin_parse(secret)?);
    Some((name, Sha256::digest(secret.as_slice()).into()))
}

fn pin_given(text: &str) -> Result<[u8; 32], DeskError> {
    pin_parse(text).ok_or_else(|| {
        DeskError::invalid(
            "the certificate's pin cannot be read",
            "give the SHA-256 of its public key info in 64 hexadecimal digits",
        )
    })
}

fn bounds(request: &HotlineAdd) -> Result<(), DeskError> {
    let fits = (1..=HOTLINE_QUOTA_MAX).contains(&request.quota_per_hour)
        && (1..=HOTLINE_BURST_MAX).contains(&request.burst);
    if !fits {
        return Err(DeskError::invalid(
            "the quota is out of bounds",
            format!("1 to {HOTLINE_QUOTA_MAX} in an hour, 1 to {HOTLINE_BURST_MAX} at once"),
        ));
    }
    let known = |kind: &String| RecordKind::ALL.iter().any(|one| one.as_str() == kind);
    if request.kinds.len() > RecordKind::ALL.len() || !request.kinds.iter().all(known) {
        let kinds: Vec<&str> = RecordKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let remedy = format!("the kinds are {}", kinds.join(", "));
        return Err(DeskError::invalid("there is no such kind of record", remedy));
    }
    Ok(())
}
