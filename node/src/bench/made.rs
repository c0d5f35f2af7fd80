//! Invented records as a CSV file that is never on disk: made while it is read.

use std::io::{self, Read};

use symbolon_desk::api::IdentifierText;

/// How the rows become records.
pub(super) const MAPPING: &str = r#"format = "csv"
dataset = "bench"
group = "case_ref"

[record]
kind = { value = "licence_denial" }
title = { column = "title" }
narrative = { column = "narrative" }
reliability = { value = "B" }
credibility = { value = "2" }
tlp = { value = "amber" }
source_kind = { value = "authority" }
source_description = { value = "invented for a measurement" }
source_reference = { column = "case_ref" }
legal_basis = { value = "export control act, section 12" }
case_reference = { column = "case_ref" }
review_days = 180
expires_days = 1095

[subject]
kind = { value = "person" }
name = { column = "name" }
date = { column = "dob" }
country = { value = "UTO" }

[identifier]
kind = { value = "passport" }
text = { column = "passport" }
issuer = { value = "UTO" }

[identifier.kinds]
passport = { kind = "passport" }
"#;

const HEADER: &str = "case_ref,title,name,dob,passport,narrative\n";
const NARRATIVE: &str = "\
    Applicant named a dairy as end user; the delivery address is a freight agent. The end-use \
    certificate carried a stamp seen on two earlier refusals. The officer recommends refusal \
    under the catch-all clause and asks that partners be told. Payment was offered in advance \
    through a third state by a company founded eleven weeks before the order. The goods would be \
    usable in a pilot plant; the stated use needs neither their range nor their material.";

const GIVEN: [&str; 8] = ["Milos", "Adrian", "Petra", "Ilse", "Tomas", "Rania", "Viktor", "Noor"];
const FAMILY: [&str; 8] =
    ["Tavrenko", "Olmstad", "Quirell", "Baszyn", "Verholt", "Kamaridis", "Sandoval", "Ferrante"];

/// Passports of one record kind differ in seven digits; then the next pair of letters follows.
const NUMBERS: u64 = 10_000_000;

/// The passport of record `number`; no two are the same.
pub(super) fn passport(number: u64) -> String {
    // Odd and no multiple of five, so that every number below ten million occurs once.
    let mixed = (number % NUMBERS) * 7_368_787 % NUMBERS;
    format!("X{}{mixed:07}", letter(number / NUMBERS))
}

/// The passport of a question; no record has it.
pub(super) fn other_passport(number: u64) -> String {
    format!("Q{}", passport(number).split_off(1))
}

fn letter(number: u64) -> char {
    char::from(b'A' + u8::try_from(number % 26).unwrap_or_default())
}

/// A question about a passport.
pub(super) fn question(text: String, issuer: Option<&str>) -> IdentifierText {
    let issuer = issuer.map(str::to_owned);
    IdentifierText { kind: "passport".to_owned(), text, issuer, date: None }
}

/// The file, as a reader.
pub(super) struct Made {
    next: u64,
    records: u64,
    buffer: Vec<u8>,
    given: usize,
}

impl Made {
    pub(super) fn new(records: u64) -> Made {
        Made { next: 0, records, buffer: HEADER.as_bytes().to_vec(), given: 0 }
    }

    fn refill(&mut self) {
        self.buffer.clear();
        self.given = 0;
        let end = self.records.min(self.next + 256);
        for number in self.next..end {
            self.buffer.extend_from_slice(row(number).as_bytes());
        }
        self.next = end;
    }
}

impl Read for Made {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.buffer.len() {
            self.refill();
        }
        let count = self.buffer.get(self.given..).unwrap_or_default().read(out)?;
        self.given += count;
        Ok(count)
    }
}

fn row(number: u64) -> String {
    let pick = |list: &[&'static str; 8], at: u64| {
        list.get(usize::try_from(at % 8).unwrap_or_default()).copied().unwrap_or_default()
    };
    let (given, family) = (pick(&GIVEN, number), pick(&FAMILY, number / 8));
    let (year, month, day) = (1940 + number % 60, 1 + number / 60 % 12, 1 + number / 720 % 28);
    let passport = passport(number);
    format!(
        "B-{number},Refused: {} pressure transducers,\"{family}, {given} {}{}\",\
         {year}-{month:02}-{day:02},{passport},{NARRATIVE}\n",
        2 + number % 90,
        letter(number / 64),
        letter(number / 1664).to_ascii_lowercase(),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use symbolon_ident::{Canonical, Input, Kind};

    use super::*;

    #[test]
    fn every_row_is_whole_and_no_passport_is_refused_or_repeated() {
        let mut text = String::new();
        Made::new(2_000).read_to_string(&mut text).unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut seen = HashSet::new();
        for (row, number) in reader.records().zip(0..) {
            let row = row.unwrap();
            assert_eq!(row.len(), 6);
            assert_eq!(row.get(4).unwrap(), passport(number));
            for text in [passport(number), other_passport(number)] {
                let input = Input { text: &text, issuer: Some("UTO"), date: None };
                assert_eq!(Canonical::parse(Kind::Passport, input).unwrap().keys().len(), 2);
                assert!(seen.insert(text));
            }
        }
        assert_eq!(seen.len(), 4_000);
    }
}
