//! Measures of this crate on real input: matches of two published lists by kind, telephone numbers
//! in every spelling, throughput per kind.
//!
//! `cargo run --release -p symbolon-ident --example measure -- DATA_DIR`
//!
//! DATA_DIR has `watchlists/agency-a.csv`, `watchlists/agency-b.csv` and
//! `canonical/phone/example-numbers.csv`. Prints counts only, never a value of a list. A *simple*
//! match is a text equal on both lists after NFKD, removal of diacritics, case folding and removal
//! of everything but letters and digits (names as sorted words). Every simple match must be found
//! by the keys: `missed` must be 0.

#![expect(clippy::print_stdout, reason = "an example prints its table")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use serde_json::Value;
use symbolon_ident::{
    Canonical, Check, Country, IdentError, Input, Kind, MatchKey, PartialDate, profile_id,
};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

struct Row {
    id_type: String,
    text: String,
    dob: String,
    country: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args().nth(1) else {
        return Err("usage: measure DATA_DIR".into());
    };
    let lists = [
        read(&format!("{folder}/watchlists/agency-a.csv"))?,
        read(&format!("{folder}/watchlists/agency-b.csv"))?,
    ];
    println!("profile {}\n", profile_id());
    countries(&lists);
    dates(&lists);
    let parsed = lists.each_ref().map(|rows| rows.iter().map(parse).collect::<Vec<_>>());
    refusals(&lists, &parsed);
    overlap(&lists, &parsed);
    let phones = phone_spellings(&format!("{folder}/canonical/phone/example-numbers.csv"))?;
    speed(&lists, &phones)
}

fn read(path: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| {
        let found = headers.iter().position(|header| header.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| format!("no column {name}"))
    };
    let columns = [column("id_type")?, column("id_value")?, column("dob")?, column("country")?];
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let [id_type, text, dob, country] =
            columns.map(|column| record.get(column).unwrap_or_default().to_owned());
        rows.push(Row { id_type, text, dob, country });
    }
    Ok(rows)
}

/// The documented mapping of the lists' columns: kind, and what stands as issuer.
fn kind_of(row: &Row) -> Option<(Kind, &str)> {
    let country = row.country.as_str();
    Some(match row.id_type.as_str() {
        "passport" => (Kind::Passport, country),
        "national_id" => (Kind::NationalId, country),
        "tax_id" => (Kind::TaxId, country),
        "other_id" => (Kind::OtherId, country),
        "company_reg" => (Kind::CompanyRegistration, country),
        "imo_ship" => (Kind::ImoShip, ""),
        "imo_company" => (Kind::ImoCompany, ""),
        "mmsi" => (Kind::Mmsi, ""),
        "swift_bic" => (Kind::Bic, ""),
        "bik" => (Kind::Bik, ""),
        "duns" => (Kind::Duns, ""),
        "isin" => (Kind::Isin, ""),
        "email" => (Kind::Email, ""),
        "phone" => (Kind::Phone, country),
        "aircraft_tail" => (Kind::AircraftTail, ""),
        "aircraft_msn" => (Kind::AircraftMsn, ""),
        "aircraft_modes" => (Kind::AircraftModeS, ""),
        "aircraft_name" => (Kind::AircraftName, ""),
        "vessel_name" => (Kind::VesselName, ""),
        "org_name" => (Kind::OrganisationName, country),
        "name" => (Kind::PersonName, ""),
        "name_dob" => (Kind::PersonNameBirthDate, ""),
        other => (Kind::Wallet, other.strip_prefix("crypto_")?),
    })
}

fn parse(row: &Row) -> Result<Canonical, IdentError> {
    let (kind, issuer) = kind_of(row).ok_or(IdentError::UnknownKind)?;
    Canonical::parse(kind, Input { text: &row.text, issuer: Some(issuer), date: None })
}

fn countries(lists: &[Vec<Row>; 2]) {
    let mut unknown = BTreeMap::<&str, usize>::new();
    for row in lists.iter().flatten().filter(|row| !row.country.is_empty()) {
        if Country::parse(&row.country).is_err() {
            *unknown.entry(&row.country).or_default() += 1;
        }
    }
    println!("country values that are none: {unknown:?}\n");
}

fn dates(lists: &[Vec<Row>; 2]) {
    let mut refused = BTreeMap::<String, usize>::new();
    let mut read = 0;
    for row in lists.iter().flatten().filter(|row| !row.dob.is_empty()) {
        match PartialDate::parse(&row.dob) {
            Ok(_) => read += 1,
            Err(error) => *refused.entry(error.to_string()).or_default() += 1,
        }
    }
    println!("birth dates read: {read}, refused: {refused:?}\n");
}

type Parsed = [Vec<Result<Canonical, IdentError>>; 2];

fn refusals(lists: &[Vec<Row>; 2], parsed: &Parsed) {
    #[derive(Default)]
    struct Count {
        rows: usize,
        valid: usize,
        invalid: usize,
        keys: HashSet<Vec<u8>>,
        refused: BTreeMap<String, usize>,
    }
    let mut counts = BTreeMap::<(&str, usize), Count>::new();
    for (list, (rows, parsed)) in lists.iter().zip(parsed).enumerate() {
        for (row, parsed) in rows.iter().zip(parsed) {
            let count = counts.entry((&row.id_type, list)).or_default();
            count.rows += 1;
            match parsed {
                Ok(canonical) => {
                    count.valid += usize::from(canonical.check() == Check::Valid);
                    count.invalid += usize::from(canonical.check() == Check::Invalid);
                    count.keys.extend(canonical.keys().iter().map(|key| key.as_bytes().to_vec()));
                }
                Err(error) => *count.refused.entry(error.to_string()).or_default() += 1,
            }
        }
    }
    println!("| id_type | list | rows | check holds | check fails | distinct keys | refused |");
    println!("|---|---|---|---|---|---|---|");
    for ((id_type, list), count) in counts {
        let list = ["A", "B"].get(list).unwrap_or(&"");
        let Count { rows, valid, invalid, keys, refused } = count;
        let (keys, refused) =
            (keys.len(), if refused.is_empty() { String::new() } else { format!("{refused:?}") });
        println!("| {id_type} | {list} | {rows} | {valid} | {invalid} | {keys} | {refused} |");
    }
    println!();
}

/// Per kind: values on both lists by the simple rule, by keys, and simple matches without a key.
fn overlap(lists: &[Vec<Row>; 2], parsed: &Parsed) {
    let mut simple = BTreeMap::<&str, [HashMap<String, Vec<usize>>; 2]>::new();
    let mut keys: [HashMap<&MatchKey, Vec<usize>>; 2] = [HashMap::new(), HashMap::new()];
    for (list, (rows, parsed)) in lists.iter().zip(parsed).enumerate() {
        for (index, (row, parsed)) in rows.iter().zip(parsed).enumerate() {
            if let (Some(value), Some(slot)) =
                (simple_form(row), simple.entry(&row.id_type).or_default().get_mut(list))
            {
                slot.entry(value).or_default().push(index);
            }
            if let (Ok(canonical), Some(slot)) = (parsed, keys.get_mut(list)) {
                for key in canonical.keys() {
                    slot.entry(key).or_default().push(index);
                }
            }
        }
    }
    let [keys_a, keys_b] = &keys;
    // For each row of A, the rows of B that share a key, and whether one of these is not weak.
    let mut found = BTreeMap::<&str, [usize; 3]>::new();
    for (row, parsed) in lists[0].iter().zip(&parsed[0]) {
        let Ok(canonical) = parsed else { continue };
        let hits = canonical.keys().iter().filter(|key| keys_b.contains_key(key));
        let count = found.entry(&row.id_type).or_default();
        let strongest = hits.map(MatchKey::strength).max();
        count[0] += usize::from(strongest.is_some());
        count[1] += usize::from(strongest > Some(symbolon_ident::Strength::Weak));
    }
    for key in keys_a.keys().filter(|key| keys_b.contains_key(*key)) {
        found.entry(key.kind().as_str()).or_default()[2] += 1;
    }
    println!(
        "| id_type | simple matches | missed | rows of A with a hit | of these not only weak |"
    );
    println!("|---|---|---|---|---|");
    let mut all = [0; 2];
    for (id_type, [a, b]) in &simple {
        let both = a.keys().filter(|value| b.contains_key(*value));
        let (mut matches, mut missed) = (0, 0);
        for value in both {
            matches += 1;
            let keys_of = |list: usize, rows: &[usize]| -> HashSet<&MatchKey> {
                rows.iter()
                    .filter_map(|row| parsed.get(list)?.get(*row)?.as_ref().ok())
                    .flat_map(Canonical::keys)
                    .collect()
            };
            let (of_a, of_b) = (keys_of(0, &a[value]), keys_of(1, &b[value]));
            missed += usize::from(of_a.is_disjoint(&of_b));
        }
        let [hit, strong, _] = found.get(id_type).copied().unwrap_or_default();
        println!("| {id_type} | {matches} | {missed} | {hit} | {strong} |");
        all = [all[0] + matches, all[1] + missed];
    }
    println!("| total | {} | {} | | |\n", all[0], all[1]);
    println!("distinct keys on both lists, by the key's kind:");
    for (kind, [_, _, shared]) in found.iter().filter(|(_, count)| count[2] > 0) {
        println!("  {kind}: {shared}");
    }
    println!();
}

fn simple_form(row: &Row) -> Option<String> {
    let stripped = |text: &str| -> String {
        text.nfkd()
            .filter(|c| canonical_combining_class(*c) == 0)
            .flat_map(char::to_uppercase)
            .collect()
    };
    let words = |text: &str| {
        let text = stripped(text).to_lowercase();
        let mut words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        words.sort_unstable();
        words.join(" ")
    };
    let form = match row.id_type.as_str() {
        "org_name" | "vessel_name" | "aircraft_name" | "name" => words(&row.text),
        "name_dob" => {
            let (name, date) = row.text.rsplit_once('|')?;
            let (name, date) = (words(name), date.trim_start_matches("circa "));
            let date = PartialDate::parse(date).ok().filter(|date| date.is_full())?;
            format!("{name}|{date}")
        }
        id_type => {
            let form: String =
                stripped(&row.text).chars().filter(|c| c.is_alphanumeric()).collect();
            if id_type.starts_with("imo") { form.replace("IMO", "") } else { form }
        }
    };
    (!form.is_empty()).then_some(form)
}

/// A number as text, issuer and date, ready to be parsed again and again.
struct Sample {
    kind: Kind,
    text: String,
    issuer: Option<String>,
    date: Option<String>,
}

impl Sample {
    fn parse(&self) -> bool {
        let input =
            Input { text: &self.text, issuer: self.issuer.as_deref(), date: self.date.as_deref() };
        Canonical::parse(self.kind, input).is_ok()
    }
}

/// Throughput per kind: the rows of the lists where they have the kind, else the inputs of its
/// vectors; telephone numbers from every region.
fn speed(lists: &[Vec<Row>; 2], phones: &[Sample]) -> Result<(), Box<dyn Error>> {
    let mut by_kind = BTreeMap::<(&str, &str), Vec<Sample>>::new();
    for row in lists.iter().flatten() {
        let Some((kind, issuer)) = kind_of(row) else { continue };
        let samples = by_kind.entry((kind.as_str(), "lists")).or_default();
        if samples.len() < 20_000 {
            let (text, issuer) = (row.text.clone(), Some(issuer.to_owned()));
            samples.push(Sample { kind, text, issuer, date: None });
        }
    }
    for kind in Kind::ALL {
        if !by_kind.contains_key(&(kind.as_str(), "lists")) {
            by_kind.insert((kind.as_str(), "vectors"), vectors(*kind)?);
        }
    }
    println!("\nidentifiers a second, one core of this machine, median of five rounds:\n");
    println!("| kind | input | a second |");
    println!("|---|---|---|");
    for ((kind, source), samples) in &by_kind {
        println!("| {kind} | {source} | {} |", rate(&samples.iter().collect::<Vec<_>>()));
    }
    let (plus, inside): (Vec<_>, Vec<_>) =
        phones.iter().partition(|sample| sample.text.starts_with('+'));
    println!("| phone | international, every region | {} |", rate(&plus));
    println!("| phone | national and dialled, every region | {} |", rate(&inside));
    Ok(())
}

fn rate(samples: &[&Sample]) -> u64 {
    let all = || samples.iter().filter(|sample| black_box(sample.parse())).count();
    black_box(all());
    let repeats = 50_000 / samples.len().max(1) + 1;
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..repeats {
                black_box(all());
            }
            (repeats * samples.len()) as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.get(2).map_or(0, |rate| rate.round() as u64)
}

fn vectors(kind: Kind) -> Result<Vec<Sample>, Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/identifiers");
    let text = std::fs::read_to_string(format!("{folder}/{kind}.json"))?;
    let cases: Vec<Value> = serde_json::from_str(&text)?;
    let part = |input: &Value, name: &str| input[name].as_str().map(str::to_owned);
    let accepted = cases.iter().filter(|case| case["canonical"].is_string());
    Ok(accepted
        .flat_map(|case| case["inputs"].as_array().into_iter().flatten())
        .filter_map(|input| {
            let text = part(input, "text")?;
            Some(Sample { kind, text, issuer: part(input, "issuer"), date: part(input, "date") })
        })
        .collect())
}

/// How officers and lists write one number, from the columns of the file.
fn spellings(record: &csv::StringRecord) -> Option<(Vec<(&'static str, Sample)>, String)> {
    let [region, _, national, international, rfc3966, from_us, e164] =
        &record.iter().collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let digits = e164.trim_start_matches('+');
    let wide = e164.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)).collect();
    let made = [
        ("national", (*national).to_owned(), *region),
        ("national without separators", national.replace([' ', '-', '(', ')'], ""), region),
        ("international", (*international).to_owned(), ""),
        ("international with dots", international.replace(' ', "."), ""),
        ("international, region given", (*international).to_owned(), region),
        ("rfc3966", (*rfc3966).to_owned(), ""),
        ("dialled from the US", (*from_us).to_owned(), "US"),
        ("E.164", (*e164).to_owned(), ""),
        ("E.164 full width", wide, ""),
        ("+ dropped", digits.to_owned(), ""),
        ("+ dropped, region given", digits.to_owned(), region),
        ("00 for +", format!("00{digits}"), ""),
        ("with an extension", format!("{international} ext. 12"), ""),
    ];
    let sample = |(name, text, issuer): (&'static str, String, &str)| {
        let issuer = (!issuer.is_empty()).then(|| issuer.to_owned());
        (name, Sample { kind: Kind::Phone, text, issuer, date: None })
    };
    Some((made.map(sample).into(), (*e164).to_owned()))
}

/// Every spelling of each number must give one key: that of the published E.164 form.
fn phone_spellings(path: &str) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut by_spelling = BTreeMap::<&str, (usize, BTreeSet<String>)>::new();
    let (mut numbers, mut whole, mut samples) = (0, 0, Vec::new());
    for record in reader.records() {
        let record = record?;
        let Some((spellings, e164)) = spellings(&record) else { continue };
        let mut all = true;
        numbers += 1;
        for (name, sample) in spellings {
            let input = Input { text: &sample.text, issuer: sample.issuer.as_deref(), date: None };
            let parsed = Canonical::parse(Kind::Phone, input);
            let right = parsed.as_ref().is_ok_and(|canonical| canonical.expose() == e164);
            let (held, failed) = by_spelling.entry(name).or_default();
            *held += usize::from(right);
            if !right {
                let why = match parsed {
                    Err(error) => error.code(),
                    Ok(canonical) if canonical.check() == Check::Invalid => "in no range",
                    Ok(_) => "another number",
                };
                failed.insert(format!("{} {why}", record.get(0).unwrap_or_default()));
            }
            all &= right;
            samples.push(sample);
        }
        whole += usize::from(all);
    }
    println!("telephone numbers with one key in every spelling: {whole} of {numbers}\n");
    println!("| spelling | the published key | regions that fail |");
    println!("|---|---|---|");
    for (name, (held, failed)) in by_spelling {
        let failed = failed.into_iter().collect::<Vec<_>>().join(", ");
        println!("| {name} | {held} | {failed} |");
    }
    Ok(samples)
}
