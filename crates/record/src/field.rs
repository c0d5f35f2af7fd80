//! The fields of a record that policy grants one by one, and what may be blurred in them.
//!
//! Implements spec/record.md#fields.

use crate::named::named;

named! {
    /// One separately granted part of a record.
    Field as "field" {
        /// What the record is about.
        Kind = "kind",
        /// Its line for a list.
        Title = "title",
        /// What happened, in prose.
        Narrative = "narrative",
        /// What each subject is.
        SubjectKind = "subject_kind",
        /// Names of the subjects.
        SubjectNames = "subject_names",
        /// Their dates.
        SubjectDates = "subject_dates",
        /// Their countries.
        SubjectCountries = "subject_countries",
        /// Their identifiers.
        SubjectIdentifiers = "subject_identifiers",
        /// Control codes of the items.
        ItemCodes = "item_codes",
        /// What the items are.
        ItemDescriptions = "item_descriptions",
        /// How much of them.
        ItemQuantities = "item_quantities",
        /// What happened.
        EventWhat = "event_what",
        /// When it happened.
        EventWhen = "event_when",
        /// Where it happened.
        EventWhere = "event_where",
        /// Places passed.
        EventRoute = "event_route",
        /// Grades of source and information.
        Evaluation = "evaluation",
        /// Handling marks.
        Handling = "handling",
        /// What kind of source: protected.
        SourceKind = "source_kind",
        /// The source in words: protected.
        SourceDescription = "source_description",
        /// The source's file number: protected.
        SourceReference = "source_reference",
        /// The law behind the record.
        LegalBasis = "legal_basis",
        /// The origin's file number.
        CaseReference = "case_reference",
        /// Review and expiry dates.
        Validity = "validity",
        /// Whether the record is contested, and why.
        Dispute = "dispute",
        /// The node that made the record.
        Provenance = "provenance",
    }
}

impl Field {
    /// Whether the field belongs to the protected source.
    #[must_use]
    pub fn is_source(self) -> bool {
        matches!(self, Field::SourceKind | Field::SourceDescription | Field::SourceReference)
    }

    /// What a transform does to the field.
    #[must_use]
    pub fn under(self, transform: Transform) -> Blur {
        let (dates, places) = match self {
            Field::SubjectDates | Field::SubjectIdentifiers | Field::EventWhen => {
                (Blur::Applies, Blur::NothingToDo)
            }
            Field::EventWhere | Field::EventRoute => (Blur::NothingToDo, Blur::Applies),
            // Prose may hold any date and any place, and nothing can take them out of it.
            Field::Title
            | Field::Narrative
            | Field::ItemDescriptions
            | Field::EventWhat
            | Field::SourceDescription
            | Field::Dispute => (Blur::Impossible, Blur::Impossible),
            _ => (Blur::NothingToDo, Blur::NothingToDo),
        };
        match transform {
            Transform::DateMonth | Transform::DateYear => dates,
            Transform::PlaceCountry => places,
        }
    }
}

named! {
    /// A loss of precision that a rule demands before a field leaves.
    Transform as "transform" {
        /// Dates to the month.
        DateMonth = "date:month",
        /// Dates to the year.
        DateYear = "date:year",
        /// Places to the country.
        PlaceCountry = "place:country",
    }
}

/// What a [`Transform`] does to a [`Field`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blur {
    /// It takes precision away.
    Applies,
    /// The field holds nothing of that sort.
    NothingToDo,
    /// The field is prose: the demand cannot be met, so the field stays.
    Impossible,
}
