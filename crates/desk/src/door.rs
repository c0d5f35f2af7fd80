//! The key of the hotlines' door: made, announced, and changed for the next. No TLS here.
//!
//! Implements spec/hotlines.md#rotation.
//!
//! Invariant: a key is announced to every hotline that greets before the door answers with it, and
//! the key before it is destroyed in the same commit.

use std::sync::{Arc, PoisonError, RwLock};

use symbolon_audit::Entry;
use symbolon_codec::sha256;
use symbolon_store::Write;
use zeroize::Zeroizing;

use crate::api::{DoorNext, DoorShown, DoorSwitch, Hello, NodeHello, Nothing, Report};
use crate::asking::lock;
use crate::desk::hex;
use crate::enrolment::{pin_parse, url_is_usable};
use crate::limits::{HOTLINE_PINS_MAX, HOTLINE_URLS_MAX};
use crate::read::reason_given;
use crate::{Desk, DeskError, Officer};

/// Where the key of the door lies in the store.
const DOOR_KEY: &str = "hotline/tls";
/// Where the next one lies, while there is one.
const DOOR_KEY_NEXT: &str = "hotline/tls-next";
/// Where it lies which pin a hotline was last seen to know, by hotline.
const LEARNED: &str = "hotline/learned/";
/// Separates the digests made here from others.
const LABEL: &str = "symbolon/1 hotline door";

/// What makes keys of the door and answers with them.
pub trait DoorKeys: Send + Sync {
    /// A fresh key; nothing where none could be made.
    fn fresh(&self) -> Option<Zeroizing<Vec<u8>>>;
    /// SHA-256 of the public key info of its certificate; nothing for bytes that are no key.
    fn pin(&self, key: &[u8]) -> Option<[u8; 32]>;
    /// Answers every handshake from now on with this key; nothing where it is none.
    fn answer_with(&self, key: &[u8]) -> Option<()>;
}

/// Where hotlines reach this node, and what answers there.
pub struct Doorway {
    /// `https://host:port`, one to four of them.
    pub urls: Vec<String>,
    /// Its keys.
    pub keys: Arc<dyn DoorKeys>,
}

/// The door, as it is now.
pub(crate) struct Door {
    pub(crate) urls: Vec<String>,
    keys: Arc<dyn DoorKeys>,
    pins: RwLock<Pins>,
}

#[derive(Clone, Copy)]
struct Pins {
    current: [u8; 32],
    next: Option<[u8; 32]>,
}

impl Door {
    fn pins(&self) -> Pins {
        *self.pins.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, pins: Pins) {
        *self.pins.write().unwrap_or_else(PoisonError::into_inner) = pins;
    }

    /// What hotlines are to accept, the key that answers now first.
    pub(crate) fn accepted(&self) -> Vec<String> {
        let pins = self.pins();
        [Some(pins.current), pins.next].into_iter().flatten().map(|pin| hex(&pin)).collect()
    }
}

impl Desk {
    /// Opens the way for enrolments: without it there is no door that a hotline could come to. A
    /// key of the door is made and kept where there is none.
    ///
    /// # Errors
    /// [`DeskError`] where an address is no `https://host:port`, or from the store.
    pub fn hotline_doorway(&self, doorway: Doorway) -> Result<(), DeskError> {
        let Doorway { urls, keys } = doorway;
        let are_urls = (1..=HOTLINE_URLS_MAX).contains(&urls.len())
            && urls.iter().all(|url| url_is_usable(url));
        if !are_urls {
            return Err(DeskError::invalid(
                "the addresses of the hotlines' door are not usable",
                format!(
                    "set hotline_urls to 1 to {HOTLINE_URLS_MAX} of the form https://host:port"
                ),
            ));
        }
        let key = match self.store.setting_fetch(DOOR_KEY)? {
            Some(key) => key,
            None => {
                let key = keys.fresh().ok_or_else(unusable)?;
                self.store.commit(Write::new().setting_new(DOOR_KEY, &key))?;
                key
            }
        };
        let current = keys.pin(&key).ok_or_else(unusable)?;
        let next = self.store.setting_fetch(DOOR_KEY_NEXT)?;
        let next = next.map(|key| keys.pin(&key).ok_or_else(unusable)).transpose()?;
        keys.answer_with(&key).ok_or_else(unusable)?;
        let pins = RwLock::new(Pins { current, next });
        let _ = self.hotlines.door.set(Door { urls, keys, pins });
        Ok(())
    }

    /// Who answers here, when it is, which keys the door has and will have, and that the
    /// credentials work.
    ///
    /// # Errors
    /// [`DeskError`] for too many pins, or from the store.
    pub fn node_hello(
        &self,
        officer: &Officer,
        request: NodeHello,
        _report: &mut dyn Report,
    ) -> Result<Hello, DeskError> {
        if request.pins.len() > HOTLINE_PINS_MAX {
            let remedy = format!("a client keeps {HOTLINE_PINS_MAX} at most");
            return Err(DeskError::invalid("these are too many pins", remedy));
        }
        let door = self.hotlines.door.get();
        let next = door.and_then(|door| door.pins().next);
        if let (Some(name), Some(next)) = (officer.hotline(), next)
            && request.pins.iter().any(|pin| pin_parse(pin) == Some(next))
        {
            self.door_learned(name, &next)?;
        }
        let identity = self.identity();
        let card = identity.card.card();
        let now = self.now();
        let stamp = i64::try_from(now).ok().and_then(|now| jiff::Timestamp::from_second(now).ok());
        Ok(Hello {
            node: card.name.to_string(),
            country: card.country.to_string(),
            now,
            time: stamp.map(|stamp| stamp.to_string()).unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hotline: officer.hotline().map(str::to_owned),
            submissions_left: self.hotline_left(officer),
            pins: door.map(Door::accepted).unwrap_or_default(),
        })
    }

    /// The keys of the door, and which hotlines were not seen to know the next one.
    ///
    /// # Errors
    /// [`DeskError`] where there is no door, or from the store.
    pub fn door_show(
        &self,
        _officer: &Officer,
        _request: Nothing,
        _report: &mut dyn Report,
    ) -> Result<DoorShown, DeskError> {
        self.door_shown(self.door()?)
    }

    /// Makes the next key of the door and announces it. The door goes on answering with the one
    /// that it has.
    ///
    /// # Errors
    /// [`DeskError`] without a reason or a door, or where there is a next key already.
    pub fn door_next(
        &self,
        officer: &Officer,
        request: DoorNext,
        _report: &mut dyn Report,
    ) -> Result<DoorShown, DeskError> {
        let _one_at_a_time = lock(&self.hotlines.changing);
        let reason = reason_given(&request.reason)?;
        let door = self.door()?;
        let pins = door.pins();
        if pins.next.is_some() {
            return Err(DeskError::refused(
                "the door has a next key already",
                "change to it with 'symbolon hotline door-key switch', then make another",
            ));
        }
        let key = door.keys.fresh().ok_or_else(unusable)?;
        let next = door.keys.pin(&key).ok_or_else(unusable)?;
        let act = format!("next key of the hotlines' door made: {reason}");
        let entry = Entry::admin(self.who(officer), &act, sha256(LABEL, &[&next]));
        self.store.commit(Write::new().setting_new(DOOR_KEY_NEXT, &key).log(entry))?;
        door.announce(Pins { next: Some(next), ..pins });
        self.door_shown(door)
    }

    /// Shows who was not seen to know the next key; confirmed, has the door answer with it from
    /// now on and destroys the one before.
    ///
    /// # Errors
    /// [`DeskError`] without a reason, a door or a next key.
    pub fn door_switch(
        &self,
        officer: &Officer,
        request: DoorSwitch,
        _report: &mut dyn Report,
    ) -> Result<DoorShown, DeskError> {
        let _one_at_a_time = lock(&self.hotlines.changing);
        let reason = reason_given(&request.reason)?;
        let door = self.door()?;
        let next = self.store.setting_fetch(DOOR_KEY_NEXT)?;
        let key = next.ok_or_else(|| {
            DeskError::refused(
                "the door has no next key",
                "make one with 'symbolon hotline door-key next', and let every hotline call once",
            )
        })?;
        if !request.confirmed {
            return self.door_shown(door);
        }
        let current = door.keys.pin(&key).ok_or_else(unusable)?;
        let act = format!("key of the hotlines' door changed: {reason}");
        let entry = Entry::admin(self.who(officer), &act, sha256(LABEL, &[&current]));
        let write = Write::new().setting(DOOR_KEY, &key).setting_delete(DOOR_KEY_NEXT);
        self.store.commit(write.log(entry))?;
        door.announce(Pins { current, next: None });
        door.keys.answer_with(&key).ok_or_else(unusable)?;
        self.door_shown(door)
    }

    /// Notes that whoever calls as this hotline accepts the next key.
    fn door_learned(&self, name: &str, next: &[u8; 32]) -> Result<(), DeskError> {
        let row = learned_name(name);
        let known = self.store.progress_fetch(&row)?;
        if known.is_none_or(|known| known.as_slice() != next) {
            self.store.commit(Write::new().progress(&row, next))?;
        }
        Ok(())
    }

    /// The same of an enrolment file that was just made and is the only one that works.
    pub(crate) fn door_learned_by_file(&self, name: &str) -> Result<(), DeskError> {
        let next = self.hotlines.door.get().and_then(|door| door.pins().next);
        next.map_or(Ok(()), |next| self.door_learned(name, &next))
    }

    fn door_shown(&self, door: &Door) -> Result<DoorShown, DeskError> {
        let pins = door.pins();
        let names = self.hotline_names();
        let mut unlearned = Vec::new();
        for name in names.iter().filter(|_| pins.next.is_some()) {
            let known = self.store.progress_fetch(&learned_name(name))?;
            let knows = known.is_some_and(|known| pins.next.is_some_and(|next| **known == next));
            if !knows {
                unlearned.push(name.clone());
            }
        }
        let next = pins.next.map(|pin| hex(&pin));
        Ok(DoorShown { pin: hex(&pins.current), next, hotlines: names.len(), unlearned })
    }

    pub(crate) fn door(&self) -> Result<&Door, DeskError> {
        self.hotlines.door.get().ok_or_else(|| {
            DeskError::refused(
                "this node has no door for hotlines",
                "set hotline_listen in symbolon.toml and start the node again",
            )
        })
    }
}

/// Names of rows are not sealed, so a digest stands for the hotline's.
fn learned_name(name: &str) -> String {
    format!("{LEARNED}{}", hex(&sha256(LABEL, &[name.as_bytes()])))
}

fn unusable() -> DeskError {
    DeskError::internal("the key of the hotlines' door cannot be used")
}
