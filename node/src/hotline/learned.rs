//! The pins that a node told its hotline: kept beside the spool, in place of those of the enrolment
//! file.
//!
//! Implements spec/hotlines.md#rotation.
//!
//! Invariant: pins are learned only from a door whose key was accepted before.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use symbolon_desk::limits::HOTLINE_PINS_MAX;
use symbolon_desk::{Enrolment, pin_parse};

use super::limits::{LEARNED_BYTES_MAX, LEARNED_SECONDS};

/// The only version so far.
const VERSION: u8 = 1;
const NAME: &str = "pins";

/// What was learned.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Learned {
    version: u8,
    /// The pins of the enrolment file that it stands in place of: another file ends it.
    instead_of: Vec<String>,
    pins: Vec<String>,
    /// When the node last said so, Unix seconds.
    learned_at: u64,
}

impl Learned {
    /// What was learned with this enrolment, or what its file says.
    pub(crate) fn read(folder: &Path, enrolment: &Enrolment) -> Learned {
        let read = read(&folder.join(NAME)).filter(|read: &Learned| {
            let is_pin = |pin: &String| pin_parse(pin).is_some();
            read.version == VERSION
                && read.instead_of == enrolment.pins
                && !read.pins.is_empty()
                && read.pins.iter().all(is_pin)
        });
        read.unwrap_or_else(|| Learned {
            version: VERSION,
            instead_of: enrolment.pins.clone(),
            pins: enrolment.pins.clone(),
            learned_at: 0,
        })
    }

    /// In hexadecimal.
    pub(crate) fn pins(&self) -> &[String] {
        &self.pins
    }

    /// Whether the node should be asked again.
    pub(crate) fn is_old(&self, now: u64) -> bool {
        now < self.learned_at || self.learned_at + LEARNED_SECONDS <= now
    }

    /// What the node says now; nothing where it names no key that was accepted before, or none at
    /// all: whoever believed that could not call again.
    pub(crate) fn renewed(&self, pins: &[String], now: u64) -> Option<Learned> {
        let is_usable = pins.len() <= HOTLINE_PINS_MAX
            && pins.iter().all(|pin| pin_parse(pin).is_some())
            && pins.iter().any(|pin| self.pins.contains(pin));
        is_usable.then(|| Learned { pins: pins.to_vec(), learned_at: now, ..self.clone() })
    }

    /// Keeps it; when this returns it is on the disk.
    pub(crate) fn keep(&self, folder: &Path) -> io::Result<()> {
        let (path, beside) = (folder.join(NAME), folder.join(format!(".{NAME}.new")));
        let _ = std::fs::remove_file(&beside);
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes).and_then(|()| file.sync_all())?;
        std::fs::rename(&beside, &path)?;
        File::open(folder)?.sync_all()
    }
}

fn read(path: &PathBuf) -> Option<Learned> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LEARNED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use symbolon_trust::armor;

    use super::*;

    const NOW: u64 = 1_795_000_000;

    fn pin(number: u8) -> String {
        hex::encode([number; 32])
    }

    fn enrolment(pins: &[String]) -> Enrolment {
        let file = serde_json::json!({
            "version": 1, "node": "north", "urls": ["https://node.example"], "pins": pins,
            "hotline": "harbour", "token": null,
        });
        Enrolment::parse(&armor::wrap("enrolment", file.to_string().as_bytes())).unwrap()
    }

    #[test]
    fn pins_are_learned_in_a_chain_and_end_with_the_enrolment_file() {
        let place = tempfile::tempdir().unwrap();
        let first = enrolment(&[pin(1)]);
        let begun = Learned::read(place.path(), &first);
        assert!(begun.pins() == [pin(1)] && begun.is_old(NOW));
        assert!(begun.renewed(&[pin(2)], NOW).is_none(), "no key that was accepted");
        assert!(begun.renewed(&[], NOW).is_none());
        let many: Vec<String> = (1..=5).map(pin).collect();
        assert!(begun.renewed(&many, NOW).is_none());
        assert!(begun.renewed(&[pin(1), "zz".to_owned()], NOW).is_none());
        begun.renewed(&[pin(1), pin(2)], NOW).unwrap().keep(place.path()).unwrap();
        let both = Learned::read(place.path(), &first);
        assert!(both.pins() == [pin(1), pin(2)] && !both.is_old(NOW));
        assert!(both.is_old(NOW + LEARNED_SECONDS) && both.is_old(NOW - 1));
        both.renewed(&[pin(2)], NOW).unwrap().keep(place.path()).unwrap();
        assert!(Learned::read(place.path(), &first).pins() == [pin(2)], "the old one is over");
        assert!(Learned::read(place.path(), &enrolment(&[pin(9)])).pins() == [pin(9)]);
        std::fs::write(place.path().join(NAME), "{").unwrap();
        assert!(Learned::read(place.path(), &first).pins() == [pin(1)]);
    }
}
