//! A logged query opened again: what was asked, recomputed from identifiers and blinds. For
//! auditors of the asker's own state.
//!
//! Implements spec/accountability.md#opening.
//!
//! Invariant: a [`ReopenedQuery`] exists only where the private part gives the logged commitment
//! and every blinded element of its batch, padding included.

use symbolon_ident::KeyParts;
use symbolon_oprf::Opening;
use zeroize::Zeroizing;

use crate::query::batch_digest;
use crate::{AuditError, QueryEvent, QueryPrivate};

/// Evidence that a private part is what a logged query asked.
#[derive(Debug)]
#[must_use]
pub struct ReopenedQuery {
    private: QueryPrivate,
}

impl ReopenedQuery {
    /// Recomputes digests and elements, and compares them with the log's entry.
    ///
    /// That the entry lies in the log is for the caller to prove.
    ///
    /// # Errors
    /// [`AuditError::NotTheQuery`] where the private part is another's;
    /// [`AuditError::NotTheBatch`] where its identifiers and blinds give another batch.
    pub fn verify(event: &QueryEvent, private: QueryPrivate) -> Result<ReopenedQuery, AuditError> {
        let names = (private.partner, private.class, private.epoch);
        let is_same = names == (event.partner, event.class, event.epoch);
        if !is_same || private.digest(&event.salt) != event.private_digest {
            return Err(AuditError::NotTheQuery);
        }
        let inputs: Vec<Zeroizing<Vec<u8>>> =
            private.identifiers.iter().map(|input| Zeroizing::new(input.to_vec())).collect();
        let opening = Opening::from_bytes(private.opening.clone());
        let blinded = opening.recompute_inputs(&inputs).map_err(|_| AuditError::NotTheBatch)?;
        let is_whole = u32::try_from(blinded.len()) == Ok(event.elements);
        if !is_whole || batch_digest(&blinded) != event.batch_digest {
            return Err(AuditError::NotTheBatch);
        }
        Ok(ReopenedQuery { private })
    }

    /// Who asked, why, and of whom.
    #[must_use]
    pub const fn private(&self) -> &QueryPrivate {
        &self.private
    }

    /// The keys asked about, in their order; `None` for bytes that are no key of this profile.
    pub fn keys(&self) -> impl Iterator<Item = Option<KeyParts<'_>>> {
        self.private.identifiers.iter().map(|bytes| KeyParts::decode(bytes).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Event, Who, commit};
    use serde_bytes::ByteBuf;
    use symbolon_ident::{Canonical, Class, Kind};
    use symbolon_oprf::Receiver;
    use symbolon_trust::NodeId;

    fn asked() -> (QueryEvent, QueryPrivate) {
        let keys: Vec<_> = ["KX1002001", "KX1002009"]
            .iter()
            .flat_map(|text| Canonical::parse(Kind::Passport, *text).unwrap().keys().to_vec())
            .collect();
        let receiver = Receiver::blind(&keys, [9; 32]).unwrap();
        let private = QueryPrivate {
            partner: NodeId::from_bytes([1; 32]),
            class: Class::Document,
            epoch: 7,
            officer: "officer".into(),
            purpose: "nonproliferation".into(),
            legal_basis: "act".into(),
            case: "T-1".into(),
            identifiers: keys.iter().map(|key| ByteBuf::from(key.as_bytes().to_vec())).collect(),
            opening: receiver.opening().expose_secret().to_vec(),
        };
        let commitment = commit([5; 32], receiver.blinded(), &private).unwrap();
        let entry = Entry::query(Who { now: 1, actor: "officer" }, &commitment);
        let Event::Query(event) = entry.event() else { panic!("not a query") };
        (*event, private)
    }

    /// What an insider would have to do to hide an identifier: change the private part and make its
    /// digest fit again.
    fn refit(event: &QueryEvent, private: &QueryPrivate) -> QueryEvent {
        QueryEvent { private_digest: private.digest(&event.salt), ..*event }
    }

    #[test]
    fn what_was_asked_opens() {
        let (event, private) = asked();
        let opened = ReopenedQuery::verify(&event, private).unwrap();
        assert_eq!(opened.private().case, "T-1");
        let values: Vec<_> =
            opened.keys().map(|key| key.unwrap().expose_value().unwrap().to_owned()).collect();
        assert_eq!(values, ["KX1002001", "KX1002009"]);
    }

    #[test]
    fn another_private_part_is_refused() {
        let (event, private) = asked();
        let changes: [fn(&mut QueryPrivate); 6] = [
            |private| private.case.push('x'),
            |private| private.officer.push('x'),
            |private| private.epoch += 1,
            |private| private.class = Class::Contact,
            |private| private.opening[0] ^= 1,
            |private| private.identifiers.swap(0, 1),
        ];
        for change in changes {
            let mut other = private.clone();
            change(&mut other);
            let refused = ReopenedQuery::verify(&event, other).unwrap_err();
            assert_eq!(refused, AuditError::NotTheQuery);
        }
    }

    #[test]
    fn a_changed_blind_or_identifier_is_found_even_where_the_digest_was_made_to_fit() {
        let (event, private) = asked();
        let changes: [fn(&mut QueryPrivate); 6] = [
            |private| private.opening[0] ^= 1,
            |private| private.identifiers.swap(0, 1),
            |private| private.identifiers[0][31] ^= 1,
            |private| drop(private.identifiers.pop()),
            |private| private.opening.truncate(32),
            |private| private.opening.clear(),
        ];
        for change in changes {
            let mut other = private.clone();
            change(&mut other);
            let refused = ReopenedQuery::verify(&refit(&event, &other), other).unwrap_err();
            assert_eq!(refused, AuditError::NotTheBatch);
        }
    }

    #[test]
    fn a_count_that_is_too_small_is_found() {
        let (mut event, private) = asked();
        event.elements -= 1;
        let refused = ReopenedQuery::verify(&event, private).unwrap_err();
        assert_eq!(refused, AuditError::NotTheBatch);
    }
}
