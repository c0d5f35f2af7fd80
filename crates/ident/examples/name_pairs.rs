//! Precision and recall of the keys of names on labelled pairs, and how fast names become keys.
//!
//! `cargo run --release -p symbolon-ident --example name_pairs -- CASES.csv [tuned|all]`
//!
//! The pairs are names alone. As the keys of names are made for names with a birth date or a
//! country, both names of a pair get the same: persons 1970-06-15, organisations and vessels one
//! country. The first name asks, so strength is its. A pair counts as found
//! - *medium*, if a key of strength medium or strong agrees,
//! - *alone*, if a key agrees that holds neither date nor country,
//! - *supported*, if any key agrees: what weak keys find where birth date or country agree too.
//!
//! The pairs lie in two halves, told apart by a hash of the second name, so that pairs of one name
//! stay together. Rules are tuned on the first; the other says what they are worth. `tuned` and
//! `all` name the pairs of these that *medium* gets wrong or misses, and the missed by *supported*.

#![expect(clippy::print_stdout, reason = "an example prints its table")]

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use sha2::{Digest, Sha256};
use symbolon_ident::{Canonical, Input, Kind, MatchKey, Strength};

struct Case {
    group: String,
    kind: Kind,
    names: [String; 2],
    is_match: bool,
    category: String,
    half: Half,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Tuned,
    HeldOut,
}

impl Half {
    fn of(name: &str) -> Self {
        let first = Sha256::digest(name).first().copied().unwrap_or_default();
        if first.is_multiple_of(2) { Self::Tuned } else { Self::HeldOut }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: name_pairs CASES.csv [tuned|all]")?;
    let explained = arguments.next().unwrap_or_default();
    let cases = read(&path)?;
    let mut tables: [BTreeMap<String, [Count; 3]>; 3] = Default::default();
    let mut halves = BTreeMap::<String, [[Count; 3]; 3]>::new();
    let mut forms = BTreeMap::<String, [Count; 3]>::new();
    for case in &cases {
        let found = found(case);
        let kind = case.kind.to_string();
        let category = if case.category.is_empty() { "none" } else { &case.category };
        for name in [kind.clone(), "all".to_owned()] {
            let of_halves = halves.entry(name).or_default();
            for (place, counts) in of_halves.iter_mut().enumerate() {
                if place == half_of(case) || place == 2 {
                    add(counts, case, found);
                }
            }
        }
        for form in shared_forms(case) {
            let name = format!("{form}, {kind}");
            for (place, count) in forms.entry(name).or_default().iter_mut().enumerate() {
                if place == half_of(case) || place == 2 {
                    count.add(case.is_match, true);
                }
            }
        }
        for (table, row) in tables.iter_mut().zip([kind, case.group.clone(), category.to_owned()]) {
            for name in [row, "all".to_owned()] {
                add(table.entry(name).or_default(), case, found);
            }
        }
        if explained == "all" || explained == "tuned" && case.half == Half::Tuned {
            explain(case, found);
        }
    }
    for (title, table) in ["kind", "case group", "category"].iter().zip(&tables) {
        print(title, table);
    }
    print_halves(&halves);
    print_forms(&forms);
    speed(&cases);
    Ok(())
}

fn half_of(case: &Case) -> usize {
    usize::from(case.half == Half::HeldOut)
}

fn add(counts: &mut [Count; 3], case: &Case, found: [bool; 3]) {
    for (count, found) in counts.iter_mut().zip(found) {
        count.add(case.is_match, found);
    }
}

fn read(path: &str) -> Result<Vec<Case>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut cases = Vec::new();
    for record in reader.records() {
        let record = record?;
        let [group, schema, one, other, is_match, _, category, ..] =
            &record.iter().collect::<Vec<_>>()[..]
        else {
            return Err("too few columns".into());
        };
        let kind = match *schema {
            "Person" => Kind::PersonNameBirthDate,
            "Vessel" => Kind::VesselName,
            _ => Kind::OrganisationName,
        };
        cases.push(Case {
            group: (*group).to_owned(),
            kind,
            names: [(*one).to_owned(), (*other).to_owned()],
            is_match: *is_match == "true",
            category: (*category).to_owned(),
            half: Half::of(other),
        });
    }
    Ok(cases)
}

fn keys(kind: Kind, text: &str) -> Vec<MatchKey> {
    let input = Input { text, issuer: Some("DE"), date: Some("1970-06-15") };
    Canonical::parse(kind, input).map(|canonical| canonical.keys().to_vec()).unwrap_or_default()
}

/// Whether the pair is found by a medium key, by the names alone, by any key.
fn found(case: &Case) -> [bool; 3] {
    let [one, other] = case.names.each_ref().map(|name| keys(case.kind, name));
    let shared: Vec<&MatchKey> = one.iter().filter(|key| other.contains(key)).collect();
    let alone = |key: &&&MatchKey| matches!(key.form().as_str(), "tokens" | "sounds");
    [
        shared.iter().any(|key| key.strength() > Strength::Weak),
        shared.iter().any(|key| alone(&key)),
        !shared.is_empty(),
    ]
}

fn shared_forms(case: &Case) -> Vec<&'static str> {
    let [one, other] = case.names.each_ref().map(|name| keys(case.kind, name));
    let shared = one.iter().filter(|key| other.contains(key));
    shared.map(|key| key.form().as_str()).collect()
}

fn explain(case: &Case, [medium, _, supported]: [bool; 3]) {
    let [one, other] = &case.names;
    let (kind, category) = (case.kind, &case.category);
    let fault = match (case.is_match, medium, supported) {
        (false, true, _) => "medium, wrong",
        (false, false, true) => "supported, wrong",
        (true, _, false) => "missed",
        (true, false, true) => "missed by medium",
        _ => return,
    };
    let forms = shared_forms(case).join(" ");
    println!("{fault}: {kind}: {one} | {other} | {category} | {forms}");
}

#[derive(Default)]
struct Count {
    right: usize,
    wrong: usize,
    missed: usize,
}

impl Count {
    fn add(&mut self, is_match: bool, found: bool) {
        self.right += usize::from(is_match && found);
        self.wrong += usize::from(!is_match && found);
        self.missed += usize::from(is_match && !found);
    }

    fn text(&self) -> String {
        let ratio = |of: usize| match of {
            0 => "    –".to_owned(),
            of => format!("{:.3}", self.right as f64 / of as f64),
        };
        let (precision, recall) = (ratio(self.right + self.wrong), ratio(self.right + self.missed));
        format!("{precision} {recall} {:4} {:4} {:4}", self.right, self.wrong, self.missed)
    }
}

/// How often a key of each form is right.
fn print_forms(forms: &BTreeMap<String, [Count; 3]>) {
    println!("\nright, wrong\n| key | tuned | held out | all |\n|---|---|---|---|");
    for (name, counts) in forms {
        let text = |count: &Count| format!("{:3} {:3}", count.right, count.wrong);
        let [tuned, held_out, all] = counts.each_ref().map(text);
        println!("| {name} | {tuned} | {held_out} | {all} |");
    }
}

/// What the rules reach on the pairs they were tuned on, on the others, on all.
fn print_halves(halves: &BTreeMap<String, [[Count; 3]; 3]>) {
    println!("\nprecision, recall, right, wrong, missed\n| found by | tuned | held out | all |");
    println!("|---|---|---|---|");
    for (place, found_by) in ["medium", "alone", "supported"].iter().enumerate() {
        for (name, counts) in halves {
            let of_half =
                |counts: &[Count; 3]| counts.get(place).map_or(String::new(), Count::text);
            let [tuned, held_out, all] = counts.each_ref().map(of_half);
            println!("| {found_by}, {name} | {tuned} | {held_out} | {all} |");
        }
    }
}

fn print(title: &str, table: &BTreeMap<String, [Count; 3]>) {
    println!("\nprecision, recall, right, wrong, missed");
    println!("| {title} | medium | alone | supported |\n|---|---|---|---|");
    for (name, counts) in table {
        let [medium, alone, supported] = counts.each_ref().map(Count::text);
        println!("| {name} | {medium} | {alone} | {supported} |");
    }
}

/// The median of several runs, one core: every name to all of its keys.
fn speed(cases: &[Case]) {
    const RUNS: usize = 9;
    const ROUNDS: usize = 25;
    println!("\nnames a second with all keys, one core, median of {RUNS} runs:");
    for kind in [Kind::PersonNameBirthDate, Kind::OrganisationName] {
        let of_kind = cases.iter().filter(|case| case.kind == kind);
        let names: Vec<&String> = of_kind.flat_map(|case| &case.names).collect();
        let mut rates: Vec<usize> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..ROUNDS {
                    for name in &names {
                        black_box(keys(kind, name).len());
                    }
                }
                let count = (ROUNDS * names.len()) as f64;
                (count / start.elapsed().as_secs_f64()) as usize
            })
            .collect();
        rates.sort_unstable();
        println!("  {kind}: {}", rates.get(RUNS / 2).copied().unwrap_or_default());
    }
}
