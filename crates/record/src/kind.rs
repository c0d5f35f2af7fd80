//! The closed enumerations of a record.
//!
//! Implements spec/record.md#kinds.

use crate::named::named;

named! {
    /// What a record is about.
    RecordKind as "record kind" {
        /// An order, inquiry or customer that does not fit.
        SuspiciousOrder = "suspicious_order",
        /// An export licence that was refused.
        LicenceDenial = "licence_denial",
        /// A licence used, changed or applied for in an odd way.
        LicenceAnomaly = "licence_anomaly",
        /// The finding of an end-use check.
        EndUseCheck = "end_use_check",
        /// Goods or material whose papers or origin do not hold.
        ProvenanceAnomaly = "provenance_anomaly",
        /// Goods that went elsewhere than declared.
        Diversion = "diversion",
        /// Goods stopped or seized.
        Interdiction = "interdiction",
        /// Nuclear or radioactive material lost, stolen or found.
        MaterialOutOfControl = "material_out_of_control",
        /// A payment or financing pattern that does not fit.
        SuspiciousTransaction = "suspicious_transaction",
        /// A person to watch for.
        PersonOfInterest = "person_of_interest",
        /// A company or body to watch for.
        EntityOfInterest = "entity_of_interest",
        /// A ship, aircraft, vehicle or container to watch for.
        ConveyanceOfInterest = "conveyance_of_interest",
        /// An entry of a published list.
        Listing = "listing",
    }
}

named! {
    /// What a subject is.
    SubjectKind as "subject kind" {
        /// A natural person.
        Person = "person",
        /// A company, authority or group.
        Organisation = "organisation",
        /// A ship or boat.
        Vessel = "vessel",
        /// An aircraft.
        Aircraft = "aircraft",
        /// A road or rail vehicle.
        Vehicle = "vehicle",
        /// A freight container.
        Container = "container",
        /// A machine, component or consignment.
        Goods = "goods",
        /// A sealed or open radioactive source.
        RadioactiveSource = "radioactive_source",
    }
}

named! {
    /// Which list a control code belongs to.
    CodeScheme as "item code scheme" {
        /// Annex I of the EU dual-use regulation, such as 2B350.
        EuDualUse = "eu_dual_use",
        /// United States export control classification number, such as 3A233.a, or EAR99.
        Eccn = "eccn",
        /// Nuclear Suppliers Group guidelines, Part 1 or 2, such as 3.A.1.
        Nsg = "nsg",
        /// Harmonised System, four to ten digits.
        Hs = "hs",
    }
}

named! {
    /// What kind of source stands behind a record.
    SourceKind as "source kind" {
        /// Published: lists, registers, press.
        Open = "open",
        /// A company that reported what it saw.
        Industry = "industry",
        /// A hotline call or mail.
        Hotline = "hotline",
        /// Another authority of the same state.
        Authority = "authority",
        /// Another state.
        Partner = "partner",
        /// An inspection, a customs control, a detector alarm.
        Inspection = "inspection",
        /// A person who must be protected.
        Human = "human",
        /// Technical collection.
        Technical = "technical",
    }
}

named! {
    /// Whether a record is real. The two never meet.
    Exercise as "exercise flag" {
        /// Real.
        Live = "live",
        /// Drill data.
        Exercise = "exercise",
    }
}

named! {
    /// Whether the originator keeps control over every further use.
    OriginatorControl as "originator control" {
        /// The handling marks say all.
        Open = "open",
        /// Nothing further without the originator's consent.
        Controlled = "controlled",
    }
}
