//! Rows from CSV or JSON Lines, gathered into groups of equal key; one group in memory at a time.
//!
//! Implements spec/import.md#rows.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::StringRecord;

use crate::limits::{GROUP_ROWS_MAX, ROW_BYTES_MAX};
use crate::mapping::{Format, Mapping};
use crate::{InteropError, Problem, Severity};

/// Consecutive rows of one record.
pub struct Group {
    /// The value of the grouping column.
    pub(crate) key: String,
    pub(crate) rows: Vec<Row>,
    /// Rows that could not be read at all, and ended up in no group.
    pub problems: Vec<Problem>,
    /// Rows read for this group, the unreadable ones included.
    pub rows_read: u64,
}

pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) values: StringRecord,
}

/// Reads groups until the input ends.
pub struct Groups<R> {
    reader: Reader<R>,
    columns: Columns,
    next: Option<Row>,
    ended: bool,
}

/// Places of the columns by name.
#[derive(Debug, Clone)]
pub struct Columns {
    places: BTreeMap<String, usize>,
    group: usize,
}

impl Columns {
    /// The value of `column` in `row`, trimmed; empty where there is none.
    pub(crate) fn value<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let place = self.places.get(column);
        place.and_then(|place| row.values.get(*place)).unwrap_or_default().trim()
    }
}

impl<R: Read> Groups<R> {
    /// Opens the input and finds every column that the mapping uses.
    ///
    /// # Errors
    /// [`InteropError::Header`], [`InteropError::Column`] or [`InteropError::Read`].
    pub fn open(input: R, mapping: &Mapping) -> Result<Groups<R>, InteropError> {
        let mut reader = Reader::open(input, mapping);
        let names = reader.names()?;
        let places: BTreeMap<String, usize> =
            names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
        for (attribute, take) in mapping.takes() {
            if let Some(column) = take.column.as_ref().filter(|c| !places.contains_key(*c)) {
                return Err(InteropError::Column { column: column.clone(), attribute });
            }
        }
        let group = *places.get(&mapping.group).ok_or_else(|| InteropError::Column {
            column: mapping.group.clone(),
            attribute: "group",
        })?;
        Ok(Groups { reader, columns: Columns { places, group }, next: None, ended: false })
    }

    /// The places of the columns, for [`Mapping::assemble`].
    #[must_use]
    pub fn columns(&self) -> Columns {
        self.columns.clone()
    }

    /// The next group, `None` at the end.
    ///
    /// # Errors
    /// [`InteropError::Read`] when the input fails; what is wrong with one row is in the group.
    pub fn read(&mut self) -> Result<Option<Group>, InteropError> {
        let mut group =
            Group { key: String::new(), rows: Vec::new(), problems: Vec::new(), rows_read: 0 };
        if let Some(row) = self.next.take() {
            group.begin(row, &self.columns);
        }
        while !self.ended {
            let Some(read) = self.reader.row()? else {
                self.ended = true;
                break;
            };
            match read {
                Err(problem) => {
                    group.rows_read += 1;
                    group.problems.push(problem);
                }
                Ok(row) if group.rows.is_empty() => group.begin(row, &self.columns),
                Ok(row) if group.takes(&row, &self.columns) => {
                    group.rows_read += 1;
                    group.rows.push(row);
                }
                Ok(row) => {
                    self.next = Some(row);
                    return Ok(Some(group));
                }
            }
        }
        Ok((group.rows_read > 0).then_some(group))
    }
}

impl Group {
    fn begin(&mut self, row: Row, columns: &Columns) {
        self.key = row.values.get(columns.group).unwrap_or_default().trim().to_owned();
        self.rows_read += 1;
        self.rows.push(row);
    }

    /// A row without a key is a record of its own.
    fn takes(&self, row: &Row, columns: &Columns) -> bool {
        let key = row.values.get(columns.group).unwrap_or_default().trim();
        !key.is_empty() && key == self.key && self.rows.len() < GROUP_ROWS_MAX
    }
}

enum Reader<R> {
    Csv { csv: Box<csv::Reader<Bounded<R>>>, read: Arc<AtomicUsize> },
    JsonLines { lines: Box<BufReader<R>>, names: Vec<String>, number: u64 },
}

impl<R: Read> Reader<R> {
    fn open(input: R, mapping: &Mapping) -> Reader<R> {
        match mapping.format {
            Format::Csv => {
                let read = Arc::new(AtomicUsize::new(0));
                let bounded = Bounded { input, read: Arc::clone(&read) };
                Reader::Csv { csv: Box::new(csv::Reader::from_reader(bounded)), read }
            }
            Format::JsonLines => {
                let takes = mapping.takes();
                let mut names: Vec<String> =
                    takes.iter().filter_map(|(_, take)| take.column.clone()).collect();
                names.push(mapping.group.clone());
                names.sort();
                names.dedup();
                Reader::JsonLines { lines: Box::new(BufReader::new(input)), names, number: 0 }
            }
        }
    }

    fn names(&mut self) -> Result<Vec<String>, InteropError> {
        match self {
            Reader::JsonLines { names, .. } => Ok(names.clone()),
            Reader::Csv { csv, .. } => {
                let header = csv.headers().map_err(broken)?;
                if header.is_empty() {
                    return Err(InteropError::Header);
                }
                let mark = '\u{feff}';
                Ok(header.iter().map(|n| n.trim_start_matches(mark).trim().to_owned()).collect())
            }
        }
    }

    fn row(&mut self) -> Result<Option<Result<Row, Problem>>, InteropError> {
        match self {
            Reader::Csv { csv, read } => {
                read.store(0, Ordering::Relaxed);
                let number = csv.position().line();
                let mut values = StringRecord::new();
                match csv.read_record(&mut values) {
                    Ok(false) => Ok(None),
                    Ok(true) => {
                        let number = values.position().map_or(number, csv::Position::line);
                        Ok(Some(Ok(Row { number, values })))
                    }
                    Err(error) => match error.kind() {
                        csv::ErrorKind::Io(_) => Err(broken(error)),
                        csv::ErrorKind::Utf8 { .. } => Ok(refuse(number, "is not UTF-8")),
                        csv::ErrorKind::UnequalLengths { .. } => {
                            Ok(refuse(number, "has not as many columns as the header"))
                        }
                        _ => Ok(refuse(number, "is not a CSV row")),
                    },
                }
            }
            Reader::JsonLines { lines, names, number } => loop {
                let mut line = Vec::new();
                let limit = ROW_BYTES_MAX as u64 + 1;
                let read = lines.by_ref().take(limit).read_until(b'\n', &mut line);
                if read.map_err(InteropError::Read)? == 0 {
                    return Ok(None);
                }
                *number += 1;
                if line.len() > ROW_BYTES_MAX {
                    return Err(InteropError::Read(too_long()));
                }
                if !line.trim_ascii().is_empty() {
                    return Ok(Some(json_row(&line, names, *number)));
                }
            },
        }
    }
}

fn json_row(line: &[u8], names: &[String], number: u64) -> Result<Row, Problem> {
    let problem = |rule| problem(number, rule);
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(line).map_err(|_| problem("is not a JSON object"))?;
    let mut values = StringRecord::new();
    for name in names {
        match object.get(name) {
            None | Some(serde_json::Value::Null) => values.push_field(""),
            Some(serde_json::Value::String(text)) => values.push_field(text),
            Some(serde_json::Value::Number(value)) => values.push_field(&value.to_string()),
            Some(_) => return Err(problem("holds a value that is neither text nor number")),
        }
    }
    Ok(Row { number, values })
}

fn refuse(row: u64, rule: &str) -> Option<Result<Row, Problem>> {
    Some(Err(problem(row, rule)))
}

fn problem(row: u64, rule: &str) -> Problem {
    let rule = format!("the row {rule}");
    Problem { row, column: String::new(), rule, severity: Severity::Refused }
}

fn broken(error: csv::Error) -> InteropError {
    InteropError::Read(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::new(io::ErrorKind::InvalidData, "the header row cannot be read"),
    })
}

fn too_long() -> io::Error {
    let words = format!("a row is longer than {ROW_BYTES_MAX} bytes");
    io::Error::new(io::ErrorKind::InvalidData, words)
}

/// Ends a read when one row has taken more than its share: a missing quote must not fill memory.
struct Bounded<R> {
    input: R,
    read: Arc<AtomicUsize>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        if self.read.fetch_add(count, Ordering::Relaxed) > ROW_BYTES_MAX {
            return Err(too_long());
        }
        Ok(count)
    }
}
