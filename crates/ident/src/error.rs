//! Why an identifier, a country, a date or a name of a list was refused.

use crate::Kind;

/// Refusals, sorted by whose fault; none carries any part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum IdentError {
    // What was typed or published is not an identifier.
    /// Nothing is left after separators are stripped.
    #[error("empty")]
    Empty,
    /// Longer than any identifier of this kind.
    #[error("longer than any identifier of this kind")]
    TooLong,
    /// Too short to tell one subject from another without its issuer.
    #[error("too short to mean anything without its issuer")]
    TooShort,
    /// A name of words that too many others bear: no key of it would tell one from another.
    #[error("too common to tell one from another")]
    TooCommon,
    /// A name of too few words or consonants for a key of this form.
    #[error("too few words or consonants to tell one from another")]
    TooFew,
    /// A word or number that stands for "not known".
    #[error("a placeholder, not an identifier")]
    Placeholder,
    /// Not of the declared kind.
    #[error("not a valid {kind}: {rule}")]
    NotThisKind {
        /// The declared kind.
        kind: Kind,
        /// The rule that the text breaks.
        rule: &'static str,
    },
    /// The date is none, or only a range that spans years.
    #[error("not a usable date: {rule}")]
    Date {
        /// The rule that the text breaks.
        rule: &'static str,
    },
    /// No country by this name or code.
    #[error("not a country of ISO 3166-1 or ICAO Doc 9303")]
    UnknownCountry,

    // The caller named something that does not exist.
    /// No class by this name.
    #[error("not an identifier class")]
    UnknownClass,
    /// No kind by this name.
    #[error("not an identifier kind")]
    UnknownKind,
    /// No key form, check or strength by this name.
    #[error("not a key form, check or strength")]
    UnknownForm,
    /// These bytes are no match key of this profile.
    #[error("not a match key of this profile")]
    KeyBytes,
}

impl IdentError {
    /// A stable name for error files and vectors.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::TooShort => "too_short",
            Self::TooCommon => "too_common",
            Self::TooFew => "too_few",
            Self::Placeholder => "placeholder",
            Self::NotThisKind { .. } => "not_this_kind",
            Self::Date { .. } => "date",
            Self::UnknownCountry => "unknown_country",
            Self::UnknownClass => "unknown_class",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownForm => "unknown_form",
            Self::KeyBytes => "key_bytes",
        }
    }
}
