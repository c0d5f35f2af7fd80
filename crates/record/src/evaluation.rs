//! Admiralty evaluation: how good the source is and how likely the information, apart.
//!
//! Implements spec/record.md#evaluation.

use std::fmt;
use std::str::FromStr;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::RecordError;
use crate::named::named;

named! {
    /// Reliability of the source, NATO AJP-2.1 scale.
    Reliability as "source reliability" {
        /// Completely reliable.
        A = "A",
        /// Usually reliable.
        B = "B",
        /// Fairly reliable.
        C = "C",
        /// Not usually reliable.
        D = "D",
        /// Unreliable.
        E = "E",
        /// Cannot be judged.
        F = "F",
    }
}

named! {
    /// Credibility of the information, NATO AJP-2.1 scale.
    Credibility as "information credibility" {
        /// Confirmed by other sources.
        Confirmed = "1",
        /// Probably true.
        Probable = "2",
        /// Possibly true.
        Possible = "3",
        /// Doubtful.
        Doubtful = "4",
        /// Improbable.
        Improbable = "5",
        /// Cannot be judged.
        Unjudged = "6",
    }
}

impl Credibility {
    /// One, the best, to six.
    #[must_use]
    pub fn grade(self) -> u8 {
        match self {
            Credibility::Confirmed => 1,
            Credibility::Probable => 2,
            Credibility::Possible => 3,
            Credibility::Doubtful => 4,
            Credibility::Improbable => 5,
            Credibility::Unjudged => 6,
        }
    }
}

/// Both grades; a record without them cannot be made. Written `B2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Evaluation {
    /// How good the source is.
    pub reliability: Reliability,
    /// How likely the information is.
    pub credibility: Credibility,
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.reliability, self.credibility)
    }
}

impl FromStr for Evaluation {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Evaluation, RecordError> {
        let unknown = RecordError::UnknownName { what: "evaluation" };
        let (reliability, credibility) = text.split_at_checked(1).ok_or(unknown)?;
        Ok(Evaluation { reliability: reliability.parse()?, credibility: credibility.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for &reliability in Reliability::ALL {
            for &credibility in Credibility::ALL {
                let evaluation = Evaluation { reliability, credibility };
                assert_eq!(evaluation.to_string().parse(), Ok(evaluation));
                assert_eq!(credibility.as_str(), credibility.grade().to_string());
            }
        }
        for text in ["", "B", "2", "G1", "A0", "A7", "B22", "b2", "é2"] {
            assert!(text.parse::<Evaluation>().is_err(), "{text}");
        }
    }
}
