//! A view as lines for people, and which fields it shows; the bytes are elsewhere.
//!
//! Implements spec/record.md#view.

use std::collections::BTreeSet;

use crate::{ControlCode, EventView, Field, Identifier, ItemView, Place, SubjectView, View};

impl View {
    /// One line per shown value, in the order of the record, each under its field.
    #[must_use]
    pub fn lines(&self) -> Vec<(Field, String)> {
        let mut lines = Lines::default();
        lines.option(Field::Kind, self.kind);
        lines.option(Field::Title, self.title.as_ref());
        lines.option(Field::Narrative, self.narrative.as_ref());
        self.subjects.iter().for_each(|subject| lines.subject(subject));
        self.items.iter().for_each(|item| lines.item(item));
        self.events.iter().for_each(|event| lines.event(event));
        lines.option(Field::Evaluation, self.evaluation);
        if let Some(handling) = &self.handling {
            lines.add(Field::Handling, handling.tlp.label());
            let countries = handling.releasable_to.iter().map(|country| country.as_str());
            lines.joined(Field::Handling, "releasable to ", countries);
            if handling.originator_control == crate::OriginatorControl::Controlled {
                lines.add(Field::Handling, "originator controlled");
            }
            let purposes = handling.purposes.iter().map(String::as_str);
            lines.joined(Field::Handling, "for ", purposes);
        }
        lines.option(Field::SourceKind, self.source_kind);
        lines.option(Field::SourceDescription, self.source_description.as_ref());
        lines.option(Field::SourceReference, self.source_reference.as_ref());
        lines.option(Field::LegalBasis, self.legal_basis.as_ref());
        lines.option(Field::CaseReference, self.case_reference.as_ref());
        if let Some(validity) = self.validity {
            lines.add(Field::Validity, &format!("review on {}", day(validity.review_on)));
            lines.add(Field::Validity, &format!("expires on {}", day(validity.expires_on)));
        }
        if let Some(dispute) = &self.dispute {
            let line = format!("contested since {}: {}", day(dispute.since), dispute.reason);
            lines.add(Field::Dispute, &line);
        }
        if let Some(origin) = &self.origin {
            let head: String = origin.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            lines.add(Field::Provenance, &head);
        }
        lines.0
    }

    /// The fields of which the view shows anything.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<Field> {
        self.lines().into_iter().map(|(field, _)| field).collect()
    }
}

#[derive(Default)]
struct Lines(Vec<(Field, String)>);

impl Lines {
    fn add(&mut self, field: Field, line: &str) {
        self.0.push((field, line.to_owned()));
    }

    fn option(&mut self, field: Field, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (field, value.to_string())));
    }

    fn joined<'a>(&mut self, field: Field, lead: &str, parts: impl Iterator<Item = &'a str>) {
        let parts: Vec<_> = parts.collect();
        if !parts.is_empty() {
            self.add(field, &format!("{lead}{}", parts.join(", ")));
        }
    }

    fn subject(&mut self, subject: &SubjectView) {
        self.option(Field::SubjectKind, subject.kind);
        subject.names.iter().for_each(|name| self.add(Field::SubjectNames, name));
        subject.dates.iter().for_each(|date| self.add(Field::SubjectDates, &date.to_string()));
        let countries = subject.countries.iter().map(|country| country.as_str());
        self.joined(Field::SubjectCountries, "", countries);
        for identifier in &subject.identifiers {
            self.add(Field::SubjectIdentifiers, &identifier_line(identifier));
        }
    }

    fn item(&mut self, item: &ItemView) {
        for ControlCode { scheme, code } in &item.codes {
            self.add(Field::ItemCodes, &format!("{scheme} {code}"));
        }
        self.option(Field::ItemDescriptions, item.description.as_ref());
        if let Some(quantity) = &item.quantity {
            let line = format!("{} {}", quantity.amount, quantity.unit);
            self.add(Field::ItemQuantities, line.trim_end());
        }
    }

    fn event(&mut self, event: &EventView) {
        self.option(Field::EventWhat, event.what.as_ref());
        self.option(Field::EventWhen, event.when.as_ref());
        self.option(Field::EventWhere, event.place.as_ref().map(place_line));
        let route: Vec<_> = event.route.iter().map(place_line).collect();
        if !route.is_empty() {
            self.add(Field::EventRoute, &route.join(" - "));
        }
    }
}

fn identifier_line(identifier: &Identifier) -> String {
    let Identifier { kind, text, issuer, date } = identifier;
    let issuer = issuer.as_ref().map(|issuer| format!(", {issuer}")).unwrap_or_default();
    let date = date.as_ref().map(|date| format!(", {date}")).unwrap_or_default();
    format!("{} {text}{issuer}{date}", kind.as_str())
}

fn place_line(place: &Place) -> String {
    let country = place.country.map(|country| country.as_str().to_owned());
    let parts: Vec<_> = place.name.iter().cloned().chain(country).collect();
    parts.join(", ")
}

/// The day of a Unix second as `2027-06-30`: days to a civil date after H. Hinnant,
/// "chrono-compatible low-level date algorithms", with years counted from March.
fn day(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + later;
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_known_seconds() {
        let cases = [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ];
        for (seconds, expect) in cases {
            assert_eq!(day(seconds), expect);
        }
    }
}
