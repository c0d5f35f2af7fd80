//! Every bound on a record, with its unit in its name.
//!
//! Implements spec/record.md#limits.

/// One encoded record or view.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Title.
pub const TITLE_BYTES_MAX: usize = 512;
/// Narrative.
pub const NARRATIVE_BYTES_MAX: usize = 32 * 1024;
/// Any one name of a subject.
pub const NAME_BYTES_MAX: usize = 1024;
/// Identifier as written.
pub const IDENTIFIER_BYTES_MAX: usize = 1024;
/// Issuer of an identifier as written.
pub const ISSUER_BYTES_MAX: usize = 256;
/// Date of an identifier as written.
pub const DATE_BYTES_MAX: usize = 64;
/// Description of an item, an event or a source; reason of a dispute.
pub const DESCRIPTION_BYTES_MAX: usize = 4 * 1024;
/// Name of a place.
pub const PLACE_BYTES_MAX: usize = 512;
/// Control code.
pub const CODE_BYTES_MAX: usize = 32;
/// Amount or unit of a quantity.
pub const QUANTITY_BYTES_MAX: usize = 32;
/// Legal basis, case reference or source reference.
pub const REFERENCE_BYTES_MAX: usize = 1024;
/// Purpose.
pub const PURPOSE_BYTES_MAX: usize = 64;

/// Subjects of one record.
pub const SUBJECTS_COUNT_MAX: usize = 64;
/// Names of one subject.
pub const NAMES_COUNT_MAX: usize = 256;
/// Dates of one subject.
pub const DATES_COUNT_MAX: usize = 32;
/// Countries of one subject, or countries a record may be released to.
pub const COUNTRIES_COUNT_MAX: usize = 256;
/// Identifiers of one subject.
pub const IDENTIFIERS_COUNT_MAX: usize = 256;
/// Items of one record.
pub const ITEMS_COUNT_MAX: usize = 64;
/// Control codes of one item.
pub const CODES_COUNT_MAX: usize = 16;
/// Events of one record.
pub const EVENTS_COUNT_MAX: usize = 64;
/// Places on one route.
pub const ROUTE_COUNT_MAX: usize = 32;
/// Purposes that one record permits.
pub const PURPOSES_COUNT_MAX: usize = 16;
