//! What a form asks for, by kind of alert.
//!
//! Implements spec/alerts.md#templates.

use symbolon_ident::Kind;
use symbolon_record::{AlertClass, RecordKind};

use crate::api::AlertTemplate;

/// One template.
struct Asked {
    about: &'static str,
    what: &'static str,
    place: &'static str,
    when: &'static str,
    urgency: AlertClass,
    identifiers: &'static [Kind],
}

/// Every template, in the order of the kinds.
pub(super) fn all() -> Vec<AlertTemplate> {
    let shown = |kind: &RecordKind| {
        let asked = asked(*kind);
        AlertTemplate {
            kind: kind.to_string(),
            about: asked.about.to_owned(),
            what: asked.what.to_owned(),
            place: asked.place.to_owned(),
            when: asked.when.to_owned(),
            urgency: asked.urgency.to_string(),
            identifiers: asked.identifiers.iter().map(|kind| kind.as_str().to_owned()).collect(),
        }
    };
    RecordKind::ALL.iter().map(shown).collect()
}

fn asked(kind: RecordKind) -> Asked {
    use AlertClass::{Flash, Routine, Urgent};
    let form = |about, what, place, when, urgency, identifiers| Asked {
        about,
        what,
        place,
        when,
        urgency,
        identifiers,
    };
    match kind {
        RecordKind::MaterialOutOfControl => form(
            "Nuclear or radioactive material lost, stolen or found; a detector alarm",
            "Reading and kind of radiation, or what is missing; who secures the place",
            "Portal, site or vehicle, with its country",
            "Time of the alarm or when it was last seen",
            Flash,
            &[Kind::RadioactiveSource, Kind::Container, Kind::Plate, Kind::SerialNumber],
        ),
        RecordKind::SuspiciousOrder => form(
            "An order, inquiry or customer that does not fit",
            "Goods, quantity, and what does not fit",
            "Where the customer sits, and where the goods are to go",
            "Date of the order or inquiry",
            Urgent,
            &[Kind::OrganisationName, Kind::Email, Kind::Phone, Kind::Domain, Kind::Vat],
        ),
        RecordKind::LicenceDenial => form(
            "An export licence that was refused",
            "Goods and end use that were refused",
            "Country of the end user",
            "Date of the refusal",
            Routine,
            &[Kind::DenialReference, Kind::OrganisationName, Kind::CompanyRegistration],
        ),
        RecordKind::LicenceAnomaly => form(
            "A licence used, changed or applied for in an odd way",
            "Which licence, and what is odd",
            "Where it was used or applied for",
            "Date of the use or application",
            Urgent,
            &[Kind::ExportLicence, Kind::OrganisationName, Kind::Eori],
        ),
        RecordKind::EndUseCheck => form(
            "The finding of an end-use check",
            "What was found, and what should have been",
            "Address that was visited",
            "Date of the check",
            Routine,
            &[Kind::OrganisationName, Kind::SerialNumber, Kind::ExportLicence],
        ),
        RecordKind::ProvenanceAnomaly => form(
            "Goods or material whose papers or origin do not hold",
            "Which paper, and why it does not hold",
            "Where it was presented",
            "Date of the paper or of its presentation",
            Urgent,
            &[Kind::BillOfLading, Kind::Mrn, Kind::SerialNumber, Kind::Container],
        ),
        RecordKind::Diversion => form(
            "Goods that went elsewhere than declared",
            "Which goods, and where they went",
            "Where they left the declared route",
            "When they were last seen on it",
            Urgent,
            &[Kind::Container, Kind::ImoShip, Kind::BillOfLading, Kind::AirWaybill],
        ),
        RecordKind::Interdiction => form(
            "Goods stopped or seized",
            "What was stopped, and on what ground",
            "Port, airport or border post",
            "Date of the seizure",
            Urgent,
            &[Kind::Container, Kind::ImoShip, Kind::Passport, Kind::Mrn],
        ),
        RecordKind::SuspiciousTransaction => form(
            "A payment or financing pattern that does not fit",
            "Amounts, and what does not fit",
            "Countries of payer and payee",
            "Dates of the payments",
            Urgent,
            &[Kind::Iban, Kind::Bic, Kind::Wallet, Kind::Lei],
        ),
        RecordKind::PersonOfInterest => form(
            "A person to watch for",
            "Why, and what to do on sight",
            "Last known place",
            "When last seen",
            Urgent,
            &[Kind::Passport, Kind::NationalId, Kind::PersonNameBirthDate, Kind::Phone],
        ),
        RecordKind::EntityOfInterest => form(
            "A company or body to watch for",
            "Why, and which dealings matter",
            "Seat",
            "Since when",
            Routine,
            &[Kind::OrganisationName, Kind::Lei, Kind::CompanyRegistration, Kind::Vat],
        ),
        RecordKind::ConveyanceOfInterest => form(
            "A ship, aircraft, vehicle or container to watch for",
            "Why, and what to do on sight",
            "Last known position or port",
            "When last seen",
            Urgent,
            &[Kind::ImoShip, Kind::Mmsi, Kind::AircraftTail, Kind::Container, Kind::Plate],
        ),
        RecordKind::Listing => form(
            "An entry of a published list",
            "Which list, and what it says",
            "Country that the entry names",
            "Date of the listing",
            Routine,
            &[Kind::OrganisationName, Kind::PersonNameBirthDate, Kind::Passport, Kind::ImoShip],
        ),
    }
}
