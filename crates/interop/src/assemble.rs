//! One group of rows into one draft of a record; a pure function, so groups go to many cores.
//!
//! Implements spec/import.md#assembly.

use std::str::FromStr;

use symbolon_ident::{Check, Country, IdentError, MatchKey, PartialDate};
use symbolon_record::limits::{IDENTIFIERS_COUNT_MAX, NAMES_COUNT_MAX};
use symbolon_record::{
    Content, ControlCode, Evaluation, Event, Exercise, Handling, Identifier, Item,
    OriginatorControl, Place, Quantity, Source, Subject,
};

use crate::limits::TITLE_BYTES_MAX;
use crate::mapping::{Mapping, Take};
use crate::rows::{Columns, Group, Row};
use crate::{Problem, Severity};

const DAY_SECONDS: u64 = 86_400;

/// A record on its way into the store.
pub struct Draft {
    /// Data set and group: under which the record is found again.
    pub external: String,
    /// What it says.
    pub content: Content,
    /// The match keys of its identifiers.
    pub keys: Vec<DraftKey>,
}

/// A match key and the subject that it belongs to.
pub struct DraftKey {
    /// Index into the subjects.
    pub subject: usize,
    /// The key.
    pub key: MatchKey,
}

/// What became of a group.
pub struct Assembled {
    /// The record, where at least one row could be taken.
    pub draft: Option<Draft>,
    /// What was refused or reduced, row by row.
    pub problems: Vec<Problem>,
    /// Rows read.
    pub rows: u64,
}

impl Mapping {
    /// Makes a draft of `group`. `origin` is the own node; `now` in Unix seconds sets the dates.
    #[must_use]
    pub fn assemble(
        &self,
        columns: &Columns,
        group: Group,
        origin: [u8; 32],
        now: u64,
    ) -> Assembled {
        let Group { key, rows, problems, rows_read } = group;
        let mut work = Work { mapping: self, columns, problems, keys: Vec::new() };
        let draft = work.draft(&key, &rows, origin, now);
        Assembled { draft, problems: work.problems, rows: rows_read }
    }
}

struct Work<'a> {
    mapping: &'a Mapping,
    columns: &'a Columns,
    problems: Vec<Problem>,
    keys: Vec<DraftKey>,
}

impl Work<'_> {
    fn draft(&mut self, key: &str, rows: &[Row], origin: [u8; 32], now: u64) -> Option<Draft> {
        let first = rows.first()?;
        let content = match self.content(first, rows, origin, now) {
            Ok(content) => content?,
            // What is wrong with the record as a whole is wrong with each of its rows.
            Err(Refusal { column, rule }) => {
                self.problems.retain(|problem| problem.severity == Severity::Refused);
                let refused: Vec<u64> = self.problems.iter().map(|problem| problem.row).collect();
                for row in rows.iter().filter(|row| !refused.contains(&row.number)) {
                    let (column, rule) = (column.clone(), rule.clone());
                    let severity = Severity::Refused;
                    self.problems.push(Problem { row: row.number, column, rule, severity });
                }
                return None;
            }
        };
        let (dataset, keys) = (&self.mapping.dataset, std::mem::take(&mut self.keys));
        // A row without a key is found again by its place.
        let external = match key {
            "" => format!("{dataset}\n#{}", first.number),
            key => format!("{dataset}\n{key}"),
        };
        Some(Draft { external, content, keys })
    }

    fn content(
        &mut self,
        first: &Row,
        rows: &[Row],
        origin: [u8; 32],
        now: u64,
    ) -> Result<Option<Content>, Refusal> {
        let record = &self.mapping.record;
        let evaluation = Evaluation {
            reliability: self.named(first, &record.reliability)?,
            credibility: self.named(first, &record.credibility)?,
        };
        let words = |text: String| text.split_whitespace().map(String::from).collect();
        let handling = Handling {
            tlp: self.named(first, &record.tlp)?,
            releasable_to: self.countries(first, &record.releasable_to)?,
            originator_control: OriginatorControl::Open,
            purposes: words(self.text(first, &record.purposes)),
        };
        let exercise = match self.text(first, &record.exercise).as_str() {
            "" => Exercise::Live,
            _ => self.named(first, &record.exercise)?,
        };
        let source = Source {
            kind: self.named(first, &record.source_kind)?,
            description: self.option(first, &record.source_description),
            reference: self.option(first, &record.source_reference),
        };
        let Some(subject) = self.subject(first, rows)? else {
            return Ok(None);
        };
        let seconds = |days: u32| now.saturating_add(u64::from(days) * DAY_SECONDS);
        Ok(Some(Content {
            kind: self.named(first, &record.kind)?,
            title: cut(self.text(first, &record.title)),
            narrative: self.text(first, &record.narrative),
            subjects: vec![subject],
            items: self.items(rows)?,
            events: self.events(rows)?,
            evaluation,
            handling,
            source,
            legal_basis: self.text(first, &record.legal_basis),
            case_reference: self.option(first, &record.case_reference),
            review_on: seconds(record.review_days),
            expires_on: seconds(record.expires_days),
            exercise,
            dispute: None,
            origin,
        }))
    }

    /// The subject of all rows, `None` where no row has a usable identifier.
    fn subject(&mut self, first: &Row, rows: &[Row]) -> Result<Option<Subject>, Refusal> {
        let map = &self.mapping.subject;
        let mut subject = Subject {
            kind: self.named(first, &map.kind)?,
            names: Vec::new(),
            dates: Vec::new(),
            countries: Vec::new(),
            identifiers: Vec::new(),
        };
        for row in rows {
            if !self.identifier(row, &mut subject) {
                continue;
            }
            let name = self.text(row, &map.name);
            if !name.is_empty() && subject.names.len() < NAMES_COUNT_MAX {
                push_new(&mut subject.names, name);
            }
            if let Some(date) = self.tolerant(row, &map.date, PartialDate::parse) {
                push_new(&mut subject.dates, date);
            }
            if let Some(country) = self.tolerant(row, &map.country, Country::parse) {
                push_new(&mut subject.countries, country);
            }
        }
        Ok((!subject.identifiers.is_empty()).then_some(subject))
    }

    /// Adds the identifier of `row`; false where the row is refused.
    fn identifier(&mut self, row: &Row, subject: &mut Subject) -> bool {
        let map = &self.mapping.identifier;
        let Some(kind) = map.kinds.get(&self.text(row, &map.kind)) else {
            self.problem(row, &map.kind, "no kind is mapped to this type", Severity::Refused);
            return false;
        };
        if subject.identifiers.len() >= IDENTIFIERS_COUNT_MAX {
            let rule = format!("more than {IDENTIFIERS_COUNT_MAX} identifiers of one subject");
            self.problem(row, &map.text, &rule, Severity::Refused);
            return false;
        }
        let issuer = kind.issuer.clone().or_else(|| self.option(row, &map.issuer));
        let mut identifier = Identifier {
            kind: kind.kind,
            text: self.text(row, &map.text),
            issuer: issuer.filter(|issuer| !issuer.is_empty()),
            date: self.option(row, &map.date),
        };
        let mut canonical = identifier.canonical();
        if canonical.as_ref().is_err_and(|error| *error == IdentError::UnknownCountry) {
            identifier.issuer = None;
            let rule = "the issuer is not a known country; the identifier is kept without it";
            self.problem(row, &map.issuer, rule, Severity::Warning);
            canonical = identifier.canonical();
        }
        match canonical {
            Err(error) => {
                self.problem(row, &map.text, &error.to_string(), Severity::Refused);
                false
            }
            Ok(canonical) => {
                if canonical.check() == Check::Invalid {
                    let check = canonical.check_rule().unwrap_or("check digit");
                    let rule = format!("{check} does not hold; kept as a weak identifier");
                    self.problem(row, &map.text, &rule, Severity::Warning);
                }
                for refused in canonical.refused() {
                    let rule = format!("no key {}: {}", refused.form, refused.reason);
                    self.problem(row, &map.text, &rule, Severity::Warning);
                }
                if !subject.identifiers.contains(&identifier) {
                    let keys = canonical.keys().iter().cloned();
                    self.keys.extend(keys.map(|key| DraftKey { subject: 0, key }));
                    subject.identifiers.push(identifier);
                }
                true
            }
        }
    }

    fn items(&self, rows: &[Row]) -> Result<Vec<Item>, Refusal> {
        let map = &self.mapping.item;
        let mut items = Vec::new();
        for row in rows {
            let (code, description) = (self.text(row, &map.code), self.text(row, &map.description));
            if code.is_empty() && description.is_empty() {
                continue;
            }
            let codes = match code.as_str() {
                "" => Vec::new(),
                _ => vec![ControlCode { scheme: self.named(row, &map.scheme)?, code }],
            };
            let quantity = self.option(row, &map.quantity).map(|text| {
                let (amount, unit) = text.split_once(' ').unwrap_or((&text, "pieces"));
                Quantity { amount: amount.to_owned(), unit: unit.trim().to_owned() }
            });
            push_new(&mut items, Item { codes, description, quantity });
        }
        Ok(items)
    }

    fn events(&self, rows: &[Row]) -> Result<Vec<Event>, Refusal> {
        let map = &self.mapping.event;
        let mut events = Vec::new();
        for row in rows {
            let what = self.text(row, &map.what);
            if what.is_empty() {
                continue;
            }
            let when = match self.option(row, &map.when) {
                Some(text) => Some(PartialDate::parse(&text).map_err(|e| refusal(&map.when, e))?),
                None => None,
            };
            let place = self.option(row, &map.place).map(|text| place(&text));
            push_new(&mut events, Event { what, when, place, route: Vec::new() });
        }
        Ok(events)
    }

    fn countries(&self, row: &Row, take: &Take) -> Result<Vec<Country>, Refusal> {
        let text = self.text(row, take);
        let parse = |word| Country::parse(word).map_err(|error| refusal(take, error));
        text.split_whitespace().map(parse).collect()
    }

    /// A value that the record can do without.
    fn tolerant<T>(
        &mut self,
        row: &Row,
        take: &Take,
        parse: fn(&str) -> Result<T, IdentError>,
    ) -> Option<T> {
        let text = self.option(row, take)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(row, take, &format!("left out: {error}"), Severity::Warning);
                None
            }
        }
    }

    fn named<T: FromStr<Err: std::fmt::Display>>(
        &self,
        row: &Row,
        take: &Take,
    ) -> Result<T, Refusal> {
        self.text(row, take).parse().map_err(|error| refusal(take, error))
    }

    fn option(&self, row: &Row, take: &Take) -> Option<String> {
        Some(self.text(row, take)).filter(|text| !text.is_empty())
    }

    fn text(&self, row: &Row, take: &Take) -> String {
        let column = take.column.as_deref();
        let text = column.map_or("", |column| self.columns.value(row, column));
        let text = match text {
            "" => take.value.as_deref().unwrap_or_default(),
            text => text,
        };
        take.map.get(text).map_or(text, String::as_str).to_owned()
    }

    fn problem(&mut self, row: &Row, take: &Take, rule: &str, severity: Severity) {
        let column = take.column.clone().unwrap_or_default();
        self.problems.push(Problem { row: row.number, column, rule: rule.to_owned(), severity });
    }
}

/// Why a whole record is refused.
struct Refusal {
    column: String,
    rule: String,
}

fn refusal(take: &Take, error: impl std::fmt::Display) -> Refusal {
    Refusal { column: take.column.clone().unwrap_or_default(), rule: error.to_string() }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

/// `Rotterdam, NLD` is a town and a country; a last part that is no country belongs to the name.
fn place(text: &str) -> Place {
    if let Some((name, country)) = text.rsplit_once(',')
        && let Ok(country) = Country::parse(country.trim())
    {
        return Place { name: Some(name.trim().to_owned()), country: Some(country) };
    }
    match Country::parse(text) {
        Ok(country) => Place { name: None, country: Some(country) },
        Err(_) => Place { name: Some(text.to_owned()), country: None },
    }
}

fn cut(mut title: String) -> String {
    if title.len() > TITLE_BYTES_MAX {
        title.truncate(title.floor_char_boundary(TITLE_BYTES_MAX));
        title.push('…');
    }
    title
}
