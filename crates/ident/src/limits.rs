//! Every bound of this crate, with its unit.
//!
//! Implements spec/identifiers.md#limits.

/// Longest identifier text accepted, in bytes: the longest published organisation names stay below
/// 500 bytes, two MRZ lines below 100.
pub const TEXT_BYTES_MAX: usize = 1024;

/// Longest issuer or date text accepted, in bytes.
pub const ISSUER_BYTES_MAX: usize = 256;

/// Longest canonical document, tax or register number, in characters.
pub const NUMBER_CHARS_MAX: usize = 40;

/// Longest issuer that goes into a match key, in bytes.
pub const KEY_ISSUER_BYTES_MAX: usize = 48;

/// Longest value that goes into a match key as it is, in bytes; a longer one goes in as its hash.
pub const KEY_VALUE_BYTES_MAX: usize = 160;

/// Longest match key, in bytes (spec/matching.md: the input of the OPRF).
pub const KEY_BYTES_MAX: usize = 256;

/// Most match keys of one identifier: its fan-out. A name with a birth date needs five; each costs
/// a partner one evaluation and a row of storage.
pub const KEYS_MAX: usize = 5;

/// Fewest consonants whose classes, with a full birth date, stand for the words of a name; below,
/// the words do.
pub const SOUNDS_CONSONANTS_MIN: usize = 3;

/// Fewest consonants of first and last name whose sounds, with a year, stand for a whole name.
pub const ENDS_CONSONANTS_MIN: usize = 4;

/// Fewest consonants of a word whose sounds, with a country, stand for a whole name.
pub const HEAD_CONSONANTS_MIN: usize = 3;

/// Fewest letters of a word that itself, with a country, stands for a whole name.
pub const HEAD_LETTERS_MIN: usize = 4;

/// Fewest letters of a word that loses a final s in the name of an organisation.
pub const PLURAL_LETTERS_MIN: usize = 5;

/// Consonants of each word, on average, below which the vowels of a name count.
pub const WORD_CONSONANTS_MIN: usize = 2;

/// As `SOUNDS_CONSONANTS_MIN`, with a country only.
pub const SOUNDS_COUNTRY_CONSONANTS_MIN: usize = 4;

/// As `SOUNDS_CONSONANTS_MIN`, with a year only.
pub const SOUNDS_YEAR_CONSONANTS_MIN: usize = 5;

/// As `SOUNDS_CONSONANTS_MIN`, with neither date nor country.
pub const SOUNDS_ALONE_CONSONANTS_MIN: usize = 6;

/// Least weight of a name that has a key without date or country, and of a person's name that has
/// a key more than weak: the entropy floor.
pub const NAME_WEIGHT_MIN: usize = 3;

/// Least weight of an organisation's name whose key with its country is more than weak.
pub const ORGANISATION_WEIGHT_MIN: usize = 4;

/// Most weight of one word.
pub const WORD_WEIGHT_MAX: usize = 8;

/// From this length on, in characters, a number is told apart without its issuer.
pub const NUMBER_WITHOUT_ISSUER_CHARS_MIN: usize = 8;

/// Shortest number that gets a key without its issuer, in characters. Real lists demand it: among
/// the passports on both sample lists one of four digits has its country on one list only.
pub const SHORT_NUMBER_WITHOUT_ISSUER_CHARS_MIN: usize = 4;

/// Most kinds proposed for one text.
pub const PROPOSALS_MAX: usize = 12;

/// Most states of a compiled pattern of telephone numbers; the metadata's largest has fewer than
/// a quarter.
pub const PATTERN_STATES_MAX: usize = 20_000;

/// Most telephone rules that the library keeps compiled: those of some fifty regions.
pub const PHONE_RULES_KEPT: usize = 512;
