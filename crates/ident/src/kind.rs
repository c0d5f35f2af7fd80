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
        /// Passport (ICAO Doc 9303), plain or as MRZ lines.
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
        /// Value added tax number; the issuer is its country.
        Vat = 26, "vat";
        /// Economic operators registration and identification number (EU, Great Britain).
        Eori = 27, "eori";
        /// Call sign of a station (ITU Radio Regulations, article 19).
        CallSign = 28, "call_sign";
        /// Domain name (RFC 5890, UTS 46).
        Domain = 29, "domain";
        /// Web address (RFC 3986).
        Url = 30, "url";
        /// Internet address (RFC 791, RFC 5952).
        Ip = 31, "ip";
        /// Number of a mobile telephone (3GPP TS 23.003).
        Imei = 32, "imei";
        /// Number of a mobile subscription (ITU-T E.212).
        Imsi = 33, "imsi";
        /// Account number other than an IBAN; the issuer is its bank's BIC or BIK.
        AccountNumber = 34, "account_number";
        /// Freight container (ISO 6346).
        Container = 35, "container";
        /// Seal of a container or parcel (ISO 17712); the issuer is who made or fixed it.
        Seal = 36, "seal";
        /// Air waybill (IATA resolution 600a).
        AirWaybill = 37, "air_waybill";
        /// Bill of lading; the issuer is the carrier's code (SCAC).
        BillOfLading = 38, "bill_of_lading";
        /// Movement reference number of a customs declaration (EU).
        Mrn = 39, "mrn";
        /// Vehicle identification number (ISO 3779).
        Vin = 40, "vin";
        /// Number plate of a vehicle; the issuer is its country.
        Plate = 41, "plate";
        /// Serial number of a thing, `model|serial`; the issuer is its maker.
        SerialNumber = 42, "serial_number";
        /// Radioactive source, `model|serial|isotope`; the issuer is its maker.
        RadioactiveSource = 43, "radioactive_source";
        /// Export licence; the issuer is its country and authority.
        ExportLicence = 44, "export_licence";
        /// Refusal of an export; the issuer is its country and authority.
        DenialReference = 45, "denial_reference";
        /// Travel document other than a passport, or a card that serves as one.
        TravelDocument = 46, "travel_document";
        /// Visa (ICAO Doc 9303-7).
        Visa = 47, "visa";
    }
}

impl Kind {
    /// The class whose key and budget this kind shares.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Passport
            | Self::NationalId
            | Self::TaxId
            | Self::OtherId
            | Self::TravelDocument
            | Self::Visa => Class::Document,
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
            | Self::AircraftName
            | Self::Vat
            | Self::Eori
            | Self::CallSign => Class::Registry,
            Self::Phone
            | Self::Email
            | Self::Domain
            | Self::Url
            | Self::Ip
            | Self::Imei
            | Self::Imsi => Class::Contact,
            Self::Bic | Self::Bik | Self::Iban | Self::Wallet | Self::AccountNumber => {
                Class::Account
            }
            Self::Container
            | Self::Seal
            | Self::Vin
            | Self::Plate
            | Self::SerialNumber
            | Self::RadioactiveSource => Class::Goods,
            Self::AirWaybill
            | Self::BillOfLading
            | Self::Mrn
            | Self::ExportLicence
            | Self::DenialReference => Class::Reference,
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
