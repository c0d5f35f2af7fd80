//! Encoded samples of every structure, validated against spec/messages.cddl.
//!
//! The validator covers what that file uses of RFC 8610 and refuses everything else: rules,
//! choices, arrays with occurrences, enumerations, ranges, literals, `.size` and `.gt`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: what is asserted here must stop the test"
)]

use std::collections::{BTreeMap, BTreeSet};

use symbolon_tests::{evidence, root, sample, structures};

#[test]
fn every_sample_is_what_the_specification_says() {
    let rules = rules();
    let samples = structures().into_iter().chain(sample::messages());
    for sample in samples {
        let item = item(&sample.bytes);
        assert!(rules.matches(sample.rule, &item), "{} is no {}", sample.name, sample.rule);
    }
}

#[test]
fn every_message_and_payload_has_a_sample() {
    let rules = rules();
    let items: Vec<Item> = structures()
        .into_iter()
        .chain(sample::messages())
        .map(|sample| item(&sample.bytes))
        .collect();
    for choice in ["message", "payload"] {
        let Type::Choice(rows) = &rules.0[choice] else { panic!("{choice} is no choice") };
        for row in rows {
            let found = items.iter().any(|item| rules.is(row, item));
            assert!(found, "no sample of {row:?}");
        }
    }
}

#[test]
fn what_differs_is_refused() {
    let rules = rules();
    for sample in structures().into_iter().chain(sample::messages()) {
        let Item::Array(mut items) = item(&sample.bytes) else { panic!("{}", sample.name) };
        items.push(Item::Null);
        assert!(!rules.matches(sample.rule, &Item::Array(items.clone())), "{}", sample.name);
        items.truncate(items.len() - 2);
        assert!(!rules.matches(sample.rule, &Item::Array(items)), "{}", sample.name);
    }
    assert!(
        !rules
            .matches("class-terms", &Item::Array(vec![Item::Text("other".into()), Item::Uint(1)]))
    );
    assert!(
        rules
            .matches("class-terms", &Item::Array(vec![Item::Text("person".into()), Item::Uint(1)]))
    );
}

#[test]
fn every_rule_is_used_and_every_name_is_a_rule() {
    let rules = rules();
    let mut used =
        BTreeSet::from(["message", "signed-agreement", "payload", "opening", "signed-card"]);
    // What byte strings carry is named in comments.
    used.extend(["agreement", "card", "signed-epoch-card", "epoch-card", "envelope", "header"]);
    used.extend(["signed-statement", "statement"]);
    // What a log keeps and no frame carries.
    used.extend(["read-event", "opening-event", "erased-event", "alert-event", "deleted-event"]);
    used.extend(["evidence-bundle", "manifest", "leaf-opening", "query-contents", "log-continued"]);
    used.insert("their-opening");
    rules.0.values().for_each(|rule| names(rule, &mut used));
    let known: BTreeSet<&str> = rules.0.keys().map(String::as_str).collect();
    let built_in = BTreeSet::from(["uint", "bstr", "tstr", "null"]);
    let all: BTreeSet<&str> = known.union(&built_in).copied().collect();
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(used.difference(&all).collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// The items of a bundle by their kind; a checkpoint is text and no structure.
const ITEM_RULES: [&str; 9] = [
    "signed-card",
    "signed-agreement",
    "signed-epoch-card",
    "signed-statement",
    "",
    "leaf-opening",
    "query-contents",
    "log-continued",
    "their-opening",
];

#[test]
fn the_committed_bundles_are_what_the_specification_says() {
    let rules = rules();
    let mut kinds = BTreeSet::new();
    for name in evidence::BUNDLES.iter().chain(&evidence::ALERT_BUNDLES) {
        let path = root().join(format!("spec/vectors/evidence/{name}.evidence"));
        let bundle = item(&std::fs::read(path).unwrap());
        assert!(rules.matches("evidence-bundle", &bundle), "{name}");
        let Item::Array(parts) = bundle else { panic!("{name}") };
        let [_, Item::Bytes(manifest), _, _, Item::Array(items), _] = &parts[..] else {
            panic!("{name}")
        };
        assert!(rules.matches("manifest", &item(manifest)), "{name}");
        for one in items {
            let Item::Array(parts) = one else { panic!("{name}") };
            let [Item::Uint(kind), Item::Bytes(bytes)] = &parts[..] else { panic!("{name}") };
            kinds.insert(*kind);
            let rule = ITEM_RULES[usize::try_from(*kind).unwrap() - 1];
            assert!(rule.is_empty() || rules.matches(rule, &item(bytes)), "{name}: {rule}");
        }
    }
    assert_eq!(kinds, (1..=9).collect());
}

/// A type of the language.
#[derive(Debug, Clone)]
enum Type {
    Name(String),
    Literal(Item),
    Range(u64, u64),
    Choice(Vec<Type>),
    Array(Vec<(usize, usize, Type)>),
    Size(Box<Type>, Box<Type>),
    Above(Box<Type>, u64),
}

/// A data item of the encoding.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Null,
}

struct Rules(BTreeMap<String, Type>);

impl Rules {
    fn matches(&self, rule: &str, item: &Item) -> bool {
        match rule {
            "uint" => matches!(item, Item::Uint(_)),
            "bstr" => matches!(item, Item::Bytes(_)),
            "tstr" => matches!(item, Item::Text(_)),
            "null" => *item == Item::Null,
            _ => self.is(self.0.get(rule).unwrap_or_else(|| panic!("no rule {rule}")), item),
        }
    }

    fn is(&self, rule: &Type, item: &Item) -> bool {
        match (rule, item) {
            (Type::Name(name), _) => self.matches(name, item),
            (Type::Literal(literal), _) => literal == item,
            (Type::Range(low, high), Item::Uint(number)) => (low..=high).contains(&number),
            (Type::Choice(types), _) => types.iter().any(|one| self.is(one, item)),
            (Type::Array(entries), Item::Array(items)) => self.group(entries, items),
            (Type::Size(of, size), _) => {
                let bytes = match item {
                    Item::Bytes(bytes) => bytes.len(),
                    Item::Text(text) => text.len(),
                    Item::Uint(number) => return self.is(of, item) && fits(*number, size),
                    _ => return false,
                };
                self.is(of, item) && self.is(size, &Item::Uint(bytes as u64))
            }
            (Type::Above(of, limit), Item::Uint(number)) => self.is(of, item) && number > limit,
            _ => false,
        }
    }

    fn group(&self, entries: &[(usize, usize, Type)], items: &[Item]) -> bool {
        let Some(((min, max, kind), rest)) = entries.split_first() else {
            return items.is_empty();
        };
        let most = items.iter().take_while(|item| self.is(kind, item)).count().min(*max);
        (*min..=most).rev().any(|count| self.group(rest, &items[count..]))
    }
}

/// `uint .size N`: the number fits N bytes.
fn fits(number: u64, size: &Type) -> bool {
    let Type::Literal(Item::Uint(bytes)) = size else { panic!("size of a number: {size:?}") };
    number < 1 << (8 * bytes)
}

fn names<'a>(rule: &'a Type, into: &mut BTreeSet<&'a str>) {
    match rule {
        Type::Name(name) => {
            into.insert(name);
        }
        Type::Choice(types) => types.iter().for_each(|one| names(one, into)),
        Type::Array(entries) => entries.iter().for_each(|(_, _, one)| names(one, into)),
        Type::Size(of, _) | Type::Above(of, _) => names(of, into),
        Type::Literal(_) | Type::Range(..) => {}
    }
}

fn rules() -> Rules {
    let text = std::fs::read_to_string(root().join("spec/messages.cddl")).unwrap();
    let mut parser = Parser { tokens: tokens(&text), place: 0 };
    let mut rules = BTreeMap::new();
    while parser.place < parser.tokens.len() {
        let name = parser.next();
        parser.expect("=");
        let kind = parser.choice();
        assert!(rules.insert(name.clone(), kind).is_none(), "{name} twice");
    }
    Rules(rules)
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let mut rest = line.split(';').next().unwrap().trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            let length = match first {
                '"' => rest[1..].find('"').unwrap() + 2,
                '.' if rest.starts_with("..") => 2,
                '.' => 1 + rest[1..].find(|c| !word(c)).unwrap(),
                // 0*32 is three tokens.
                c if c.is_ascii_digit() => {
                    rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
                }
                c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
                _ => 1,
            };
            tokens.push(rest[..length].to_owned());
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

struct Parser {
    tokens: Vec<String>,
    place: usize,
}

impl Parser {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.place + ahead).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.place += 1;
        self.tokens[self.place - 1].clone()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek(0) == token;
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) {
        let found = self.next();
        assert_eq!(found, token, "token {}", self.place);
    }

    fn choice(&mut self) -> Type {
        let mut types = vec![self.controlled()];
        while self.take("/") {
            types.push(self.controlled());
        }
        if types.len() == 1 { types.remove(0) } else { Type::Choice(types) }
    }

    fn controlled(&mut self) -> Type {
        let kind = self.single();
        match self.peek(0) {
            ".." => {
                self.place += 1;
                let Type::Literal(Item::Uint(low)) = kind else { panic!("range from {kind:?}") };
                Type::Range(low, self.next().parse().unwrap())
            }
            ".size" => {
                self.place += 1;
                Type::Size(Box::new(kind), Box::new(self.single()))
            }
            ".gt" => {
                self.place += 1;
                Type::Above(Box::new(kind), self.next().parse().unwrap())
            }
            other => {
                assert!(!other.starts_with('.'), "{other}");
                kind
            }
        }
    }

    fn single(&mut self) -> Type {
        let token = self.next();
        match token.as_str() {
            "(" => {
                let kind = self.choice();
                self.expect(")");
                kind
            }
            "[" => Type::Array(self.entries()),
            "&" => {
                self.expect("(");
                let mut values = Vec::new();
                while !self.take(")") {
                    self.place += 1;
                    self.expect(":");
                    values.push(Type::Literal(Item::Uint(self.next().parse().unwrap())));
                    self.take(",");
                }
                Type::Choice(values)
            }
            text if text.starts_with('"') => {
                Type::Literal(Item::Text(text.trim_matches('"').to_owned()))
            }
            number if number.as_bytes()[0].is_ascii_digit() => {
                Type::Literal(Item::Uint(number.parse().unwrap()))
            }
            name => {
                assert!(name.as_bytes()[0].is_ascii_lowercase(), "{name}");
                Type::Name(name.to_owned())
            }
        }
    }

    fn entries(&mut self) -> Vec<(usize, usize, Type)> {
        let mut entries = Vec::new();
        while !self.take("]") {
            let (mut min, mut max) = (1, 1);
            if self.peek(0) == "*" || self.peek(1) == "*" {
                min = if self.take("*") { 0 } else { self.next().parse().unwrap() };
                if min > 0 || self.peek(0) == "*" {
                    self.take("*");
                }
                let bounded = self.peek(0).bytes().all(|c| c.is_ascii_digit());
                max = if bounded { self.next().parse().unwrap() } else { usize::MAX };
            }
            if self.peek(1) == ":" {
                self.place += 2;
            }
            // A list under a name is one item; an occurrence stands inside it.
            entries.push((min, max, self.choice()));
            self.take(",");
        }
        entries
    }
}

fn item(bytes: &[u8]) -> Item {
    symbolon_codec::check(bytes).unwrap();
    let mut rest = bytes;
    let item = read(&mut rest);
    assert!(rest.is_empty());
    item
}

fn read(rest: &mut &[u8]) -> Item {
    let first = cut(rest, 1)[0];
    if first == 0xf6 {
        return Item::Null;
    }
    let length = match first & 31 {
        small @ 0..=23 => u64::from(small),
        size @ 24..=27 => {
            let bytes = cut(rest, 1 << (size - 24));
            bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
        }
        _ => panic!("{first:#x}"),
    };
    let count = usize::try_from(length).unwrap();
    match first >> 5 {
        0 => Item::Uint(length),
        2 => Item::Bytes(cut(rest, count).to_vec()),
        3 => Item::Text(String::from_utf8(cut(rest, count).to_vec()).unwrap()),
        4 => Item::Array((0..count).map(|_| read(rest)).collect()),
        _ => panic!("{first:#x}"),
    }
}

fn cut<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    head
}
