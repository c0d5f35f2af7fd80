//! What an identifier is, and the class whose key and budget it shares.
//!
//! Implements spec/identifiers.md#kinds.
//!
//! Invariant: codes are on the wire and in every match key, so they are only ever added.

use crate::named::named;

named! {
    /// A group of kinds that shares one OPRF key and one budget per partner and epoch.
    Class, UnknownClass, {
        /// Papers of a person: passports, national and tax numbers.
        Document = 1, "document";
        /// Names of people.
        Person = 2, "person";
        /// Names of organisations.
        Organisation = 3, "organisation";
        /// Numbers and names from public registers: whoever has the register can enumerate them.
        Registry = 4, "registry";
        /// Ways to reach someone.
        Contact = 5, "contact";
        /// Where money lies.
        Account = 6, "account";
        /// Things with a number on them.
        Goods = 7, "goods";
        /// Numbers of papers about a transaction.
        Reference = 8, "reference";
    }
}

named! {
    /// The kind of an identifier: which canonical form, check and keys apply.
    Kind, UnknownKind, {
        /// Passport, travel document or visa (ICAO Doc 9303), plain or as MRZ lines.
        Passport = 1, "passport";
        /// Number of a person in a national scheme.
        NationalId = 2, "national_id";
        /// Number of a tax payer.
        TaxId = 3, "tax_id";
        /// A document number whose kind its publisher did not say.
        OtherId = 4, "other_id";
        /// Name of a person with a full or partial birth date.
        PersonNameBirthDate = 5, "person_name_birth_date";
        /// Name of a person alone.
        PersonName = 6, "person_name";
        /// Name of an organisation.
        OrganisationName = 7, "organisation_name";
        /// Number in a company register.
        CompanyRegistration = 8, "company_registration";
        /// Legal entity identifier (ISO 17442).
        Lei = 9, "lei";
        /// IMO ship identification number.
        ImoShip = 10, "imo_ship";
        /// IMO company and registered owner number.
        ImoCompany = 11, "imo_company";
        /// Maritime mobile service identity (ITU-R M.585).
        Mmsi = 12, "mmsi";
        /// D-U-N-S number.
        Duns = 13, "duns";
        /// International securities identification number (ISO 6166).
        Isin = 14, "isin";
        /// Name of a vessel.
        VesselName = 15, "vessel_name";
        /// Registration mark of an aircraft (ICAO Annex 7).
        AircraftTail = 16, "aircraft_tail";
        /// Manufacturer's serial number of an aircraft; the issuer is its maker.
        AircraftMsn = 17, "aircraft_msn";
        /// ICAO 24-bit aircraft address (Annex 10).
        AircraftModeS = 18, "aircraft_mode_s";
        /// What a list calls an aircraft, mostly its registration mark.
        AircraftName = 19, "aircraft_name";
        /// Telephone number (ITU-T E.164); the issuer is the default region.
        Phone = 20, "phone";
        /// E-mail address (RFC 5321, RFC 6531).
        Email = 21, "email";
        /// Business identifier code (ISO 9362).
        Bic = 22, "bic";
        /// Russian bank identification code.
        Bik = 23, "bik";
        /// International bank account number (ISO 13616).
        Iban = 24, "iban";
        /// Address on a public ledger; the issuer is the network as published, if any.
        Wallet = 25, "wallet";
    }
}

impl Kind {
    /// The class whose key and budget this kind shares.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Passport | Self::NationalId | Self::TaxId | Self::OtherId => Class::Document,
            Self::PersonNameBirthDate | Self::PersonName => Class::Person,
            Self::OrganisationName => Class::Organisation,
            Self::CompanyRegistration
            | Self::Lei
            | Self::ImoShip
            | Self::ImoCompany
            | Self::Mmsi
            | Self::Duns
            | Self::Isin
            | Self::VesselName
            | Self::AircraftTail
            | Self::AircraftMsn
            | Self::AircraftModeS
            | Self::AircraftName => Class::Registry,
            Self::Phone | Self::Email => Class::Contact,
            Self::Bic | Self::Bik | Self::Iban | Self::Wallet => Class::Account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_come_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), *kind);
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), *kind);
        }
        for class in Class::ALL {
            assert_eq!(Class::from_code(class.code()), Some(*class));
            assert_eq!(class.as_str().parse::<Class>().unwrap(), *class);
        }
        assert!("Passport".parse::<Kind>().is_err());
        assert_eq!(Class::from_code(0), None);
    }
}
