//! From when to when a document holds.
//!
//! Implements spec/identity.md#validity.

use crate::error::{Document, Moment, TrustError};
use crate::limits::{CLOCK_SKEW_SECONDS_MAX, TIME_SECONDS_MAX};

/// `[not_before, not_after)` in Unix seconds, of `document`.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) document: Document,
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
}

impl Validity {
    /// The span is not empty and ends before the year 10000.
    pub(crate) fn validate(self) -> Result<(), TrustError> {
        if self.not_before < self.not_after && self.not_after <= TIME_SECONDS_MAX {
            return Ok(());
        }
        Err(TrustError::Field { document: self.document, field: "not_after" })
    }

    /// `now` lies in the span, which may begin a tolerated clock difference earlier.
    pub(crate) fn active(self, now: u64) -> Result<(), TrustError> {
        if now >= self.not_after {
            let at = Moment(self.not_after);
            return Err(TrustError::Expired { document: self.document, at });
        }
        if now.saturating_add(CLOCK_SKEW_SECONDS_MAX) < self.not_before {
            let from = Moment(self.not_before);
            return Err(TrustError::NotYetValid { document: self.document, from });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_on_its_second_and_names_the_date() {
        let document = Document::Agreement;
        let span = Validity { document, not_before: 1_000_000, not_after: 1_700_000_000 };
        assert_eq!(span.active(1_699_999_999), Ok(()));
        assert_eq!(span.active(1_000_000 - CLOCK_SKEW_SECONDS_MAX), Ok(()));
        assert_eq!(
            span.active(1_700_000_000).unwrap_err().to_string(),
            "agreement expired on 2023-11-14 22:13:20 UTC; ask the partner for a new one"
        );
        assert_eq!(
            span.active(0).unwrap_err().to_string(),
            "agreement is not valid before 1970-01-12 13:46:40 UTC; check both clocks"
        );
    }

    #[test]
    fn an_empty_or_endless_span_is_refused() {
        let span = |not_before, not_after| {
            Validity { document: Document::Card, not_before, not_after }.validate()
        };
        assert!(span(5, 6).is_ok());
        assert!(span(5, 5).is_err());
        assert!(span(6, 5).is_err());
        assert!(span(0, TIME_SECONDS_MAX + 1).is_err());
    }
}
