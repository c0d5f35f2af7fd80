//! Partners: their card, the agreement with them, and how much of their log was seen.
//!
//! Implements spec/store.md#partners.
//!
//! Invariant: what was seen of a partner's log never goes back.

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};
use sha2::{Digest, Sha256};
use symbolon_audit::LogSeen;
use symbolon_codec::encode;
use symbolon_trust::NodeId;

use crate::backend::{Expect, Op};
use crate::limits::SCAN_ROWS_MAX;
use crate::store::{Sealed, decoded};
use crate::table::Table;
use crate::write::{Step, Write};
use crate::{Store, StoreError};

/// Whether a partner is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerState {
    /// Known, but no agreement is in force yet.
    Pending,
    /// Worked with.
    Active,
    /// Not worked with until resumed.
    Suspended,
}

/// How alerts reach a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Over a connection to it.
    Direct,
    /// Through a node that both can reach.
    Relay(NodeId),
    /// In files that somebody carries.
    Courier,
}

/// A partner.
#[derive(Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Partner {
    /// Whose card.
    pub node: NodeId,
    /// Its node name, as in the card.
    pub name: String,
    /// The signed card.
    #[serde(with = "serde_bytes")]
    pub card: Vec<u8>,
    /// TLS pins of the card: where a connection finds its partner.
    pub pins: Vec<serde_bytes::ByteArray<32>>,
    /// The agreement, half or fully signed.
    #[serde(with = "serde_bytes")]
    pub agreement: Option<Vec<u8>>,
    /// An agreement that is to replace it.
    #[serde(with = "serde_bytes")]
    pub proposal: Option<Vec<u8>>,
    /// Whether it is worked with.
    pub state: PartnerState,
    /// Own notes.
    pub notes: String,
    /// When it was added, in Unix seconds.
    pub added_at: u64,
    /// When it last changed, in Unix seconds.
    pub changed_at: u64,
    /// The agreement of mode exercise.
    #[serde(with = "serde_bytes")]
    pub drill: Option<Vec<u8>>,
    /// How alerts reach it.
    pub route: Route,
}

/// A partner's row as schema 2 has it.
#[derive(Serialize_tuple, Deserialize_tuple)]
struct PartnerBefore {
    node: NodeId,
    name: String,
    #[serde(with = "serde_bytes")]
    card: Vec<u8>,
    pins: Vec<serde_bytes::ByteArray<32>>,
    #[serde(with = "serde_bytes")]
    agreement: Option<Vec<u8>>,
    #[serde(with = "serde_bytes")]
    proposal: Option<Vec<u8>>,
    state: PartnerState,
    notes: String,
    added_at: u64,
    changed_at: u64,
}

impl From<PartnerBefore> for Partner {
    fn from(before: PartnerBefore) -> Self {
        Self {
            node: before.node,
            name: before.name,
            card: before.card,
            pins: before.pins,
            agreement: before.agreement,
            proposal: before.proposal,
            state: before.state,
            notes: before.notes,
            added_at: before.added_at,
            changed_at: before.changed_at,
            drill: None,
            route: Route::Direct,
        }
    }
}

impl std::fmt::Debug for Partner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partner({}, {:?})", self.node, self.state)
    }
}

impl Sealed for Partner {
    const TABLE: Table = Table::Partner;

    fn key(&self) -> Vec<u8> {
        self.node.as_bytes().to_vec()
    }

    /// A row of schema 2 is read as it is, and written anew when the partner next changes.
    fn opened(plain: &[u8]) -> Result<Self, StoreError> {
        match decoded(Self::TABLE, plain) {
            Err(StoreError::Decode { .. }) => {
                decoded::<PartnerBefore>(Self::TABLE, plain).map(Self::from)
            }
            opened => opened,
        }
    }
}

/// A change to the partners.
pub(crate) enum PartnerStep {
    Put(Box<Partner>),
    Seen { node: NodeId, old: Option<LogSeen>, new: LogSeen, checkpoint: String },
}

impl Write {
    /// Keeps a partner in place of what was there of it.
    pub fn partner(self, partner: Partner) -> Self {
        self.step(Step::Partner(PartnerStep::Put(Box::new(partner))))
    }

    /// Keeps what was last seen of a partner's log, and the signed checkpoint that showed it, if
    /// what was seen before is still `old`: [`StoreError::Conflict`] otherwise,
    /// [`StoreError::WentBack`] if `new` is shorter.
    pub fn partner_seen(
        self,
        node: NodeId,
        old: Option<LogSeen>,
        new: LogSeen,
        checkpoint: &str,
    ) -> Self {
        let checkpoint = checkpoint.to_owned();
        self.step(Step::Partner(PartnerStep::Seen { node, old, new, checkpoint }))
    }
}

impl Store {
    /// A partner.
    ///
    /// # Errors
    /// What reading gives.
    pub fn partner_fetch(&self, node: &NodeId) -> Result<Option<Partner>, StoreError> {
        self.row_fetch(node.as_bytes())
    }

    /// All partners, in the order of their fingerprints.
    ///
    /// # Errors
    /// What reading gives.
    pub fn partner_list(&self) -> Result<Vec<Partner>, StoreError> {
        self.row_scan(None, SCAN_ROWS_MAX)
    }

    /// The partner whose card has this TLS pin.
    ///
    /// # Errors
    /// What reading gives.
    pub fn partner_by_pin(&self, pin: &[u8; 32]) -> Result<Option<Partner>, StoreError> {
        let mark = self.crypter.pin_mark(pin);
        let Some(node) = self.opened(Table::PartnerPin, &mark)? else {
            return Ok(None);
        };
        let partner: Option<Partner> = self.row_fetch(&node)?;
        // The index only points; the row decides.
        Ok(partner.filter(|partner| partner.pins.iter().any(|own| **own == *pin)))
    }

    /// What was last seen of a partner's log.
    ///
    /// # Errors
    /// What reading gives.
    pub fn partner_seen(&self, node: &NodeId) -> Result<Option<LogSeen>, StoreError> {
        let plain = self.opened(Table::PartnerSeen, node.as_bytes())?;
        plain.map(|plain| decoded(Table::PartnerSeen, &plain)).transpose()
    }

    /// The signed checkpoint that showed what was last seen of a partner's log: what it signed
    /// once, it cannot unsay.
    ///
    /// # Errors
    /// What reading gives.
    pub fn partner_checkpoint(&self, node: &NodeId) -> Result<Option<String>, StoreError> {
        let plain = self.opened(Table::PartnerCheckpoint, node.as_bytes())?;
        let text = plain.map(|plain| String::from_utf8(plain.to_vec())).transpose();
        text.map_err(|_| StoreError::Damaged { what: "a partner's checkpoint is misshapen" })
    }

    pub(crate) fn prepare_partner(
        &self,
        step: PartnerStep,
        ops: &mut Vec<Op>,
    ) -> Result<(), StoreError> {
        match step {
            PartnerStep::Put(partner) => self.put_partner(&partner, ops),
            PartnerStep::Seen { node, old, new, checkpoint } => {
                if old.is_some_and(|old| new.size < old.size) {
                    return Err(StoreError::WentBack);
                }
                let old = old.map(|old| encode(&old));
                let key = node.as_bytes().to_vec();
                let expect = self.unchanged(Table::PartnerSeen, &key, old.as_deref())?;
                ops.push(self.sealed(Table::PartnerSeen, key.clone(), &encode(&new), expect)?);
                let (table, text) = (Table::PartnerCheckpoint, checkpoint.as_bytes());
                ops.push(self.sealed(table, key, text, Expect::Any)?);
                Ok(())
            }
        }
    }

    fn put_partner(&self, partner: &Partner, ops: &mut Vec<Op>) -> Result<(), StoreError> {
        let sealed = self.backend.fetch(Table::Partner, partner.node.as_bytes())?;
        let mut expect = Expect::Absent;
        if let Some(sealed) = sealed {
            expect = Expect::Digest(Sha256::digest(&sealed).into());
            let cell = self.cell(Table::Partner, partner.node.as_bytes());
            let before = Partner::opened(&self.crypter.open(&cell, &sealed)?)?;
            ops.extend(before.pins.iter().map(|pin| Op::Delete {
                table: Table::PartnerPin,
                key: self.crypter.pin_mark(&**pin).to_vec(),
                expect: Expect::Any,
            }));
        }
        for pin in &partner.pins {
            let key = self.crypter.pin_mark(&**pin).to_vec();
            let node = partner.node.as_bytes();
            ops.push(self.sealed(Table::PartnerPin, key, node, Expect::Any)?);
        }
        let plain = zeroize::Zeroizing::new(encode(partner));
        ops.push(self.sealed(Table::Partner, partner.key(), &plain, expect)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_schema_2_is_read_and_written_anew() {
        let store = Store::memory([1; 32]);
        let before = || PartnerBefore {
            node: NodeId::from_bytes([1; 32]),
            name: "name".into(),
            card: vec![1],
            pins: vec![[7; 32].into()],
            agreement: Some(vec![2]),
            proposal: None,
            state: PartnerState::Suspended,
            notes: "notes".into(),
            added_at: 3,
            changed_at: 4,
        };
        let (node, partner) = (before().node, Partner::from(before()));
        let key = node.as_bytes().to_vec();
        let row = store.sealed(Table::Partner, key, &encode(&before()), Expect::Absent).unwrap();
        let pin = store.crypter.pin_mark(&[7; 32]).to_vec();
        let pin = store.sealed(Table::PartnerPin, pin, node.as_bytes(), Expect::Absent).unwrap();
        store.backend.apply(vec![row, pin]).unwrap();
        assert_eq!((partner.drill.as_ref(), partner.route), (None, Route::Direct));
        assert_eq!(store.partner_fetch(&node).unwrap(), Some(partner.clone()));
        assert_eq!(store.partner_list().unwrap(), std::slice::from_ref(&partner));

        let relay = Route::Relay(NodeId::from_bytes([2; 32]));
        let pins = vec![[8; 32].into()];
        let changed = Partner { drill: Some(vec![5]), route: relay, pins, ..partner };
        store.commit(Write::new().partner(changed.clone())).unwrap();
        assert_eq!(store.partner_by_pin(&[8; 32]).unwrap(), Some(changed));
        assert_eq!(store.partner_by_pin(&[7; 32]).unwrap(), None, "its old pins are taken back");
    }

    #[test]
    fn a_row_that_is_of_neither_schema_is_refused() {
        let short: (u64, u64) = (1, 2);
        let refused = Partner::opened(&encode(&short));
        assert!(matches!(refused, Err(StoreError::Decode { .. })));
    }
}
