//! An own subject beside a partner's, field by field, in words; gives no score and quotes nothing.
//!
//! Implements spec/record.md#comparison.
//!
//! Invariant: no finding contains a name, a number or a date, so it may be shown in a list.

use std::collections::BTreeSet;

use symbolon_ident::{Canonical, Country, Kind, PartialDate};

use crate::{Content, Identifier, Subject, SubjectKind, SubjectView, View};

/// How one field stands on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Both sides say the same.
    Agrees,
    /// The two sides say different things.
    Conflicts,
    /// Only the partner says something, or nothing else was released.
    MissingHere,
    /// Only this side says something.
    MissingThere,
}

impl Standing {
    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Conflicts => "conflicts",
            Self::MissingHere => "missing_here",
            Self::MissingThere => "missing_there",
        }
    }
}

/// One field of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which field: the name of an identifier's kind, `names`, `dates`, `countries`, `kind`.
    pub field: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The same in words.
    pub words: String,
}

/// Two subjects beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    findings: Vec<Finding>,
}

impl Comparison {
    /// The own subject that a hit is about beside that subject of a partner's view which has most
    /// in common with it. `None` where the record has no such subject or the view shows none.
    #[must_use]
    pub fn new(own: &Content, subject: usize, theirs: &View) -> Option<Comparison> {
        let own = own.subjects.get(subject)?;
        let compared = theirs.subjects.iter().map(|theirs| Comparison::of(own, theirs));
        // Of equal ones the first: `max_by_key` would take the last.
        compared.rev().max_by_key(|comparison| comparison.count(Standing::Agrees))
    }

    /// Compares two subjects.
    #[must_use]
    pub fn of(own: &Subject, theirs: &SubjectView) -> Comparison {
        let mut work = Comparison::default();
        work.kinds(own.kind, theirs.kind);
        work.identifiers(&own.identifiers, &theirs.identifiers);
        work.names(own, theirs);
        work.dates(own.kind, &own.dates, &theirs.dates);
        work.countries(&own.countries, &theirs.countries);
        work
    }

    /// What was found, the fields that agree first.
    #[must_use]
    pub fn findings(&self) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.standing);
        findings
    }

    /// One line: `same passport; issuer missing on their side; birth year agrees`.
    #[must_use]
    pub fn words(&self) -> String {
        let words: Vec<&str> =
            self.findings().into_iter().map(|finding| finding.words.as_str()).collect();
        words.join("; ")
    }

    /// How many fields agree.
    #[must_use]
    pub fn agreeing(&self) -> usize {
        self.count(Standing::Agrees)
    }

    fn count(&self, standing: Standing) -> usize {
        self.findings.iter().filter(|finding| finding.standing == standing).count()
    }

    fn add(&mut self, field: &'static str, standing: Standing, words: impl Into<String>) {
        self.findings.push(Finding { field, standing, words: words.into() });
    }

    /// Where one side says nothing, says so, and gives `false`.
    fn both(&mut self, field: &'static str, noun: &str, here: bool, there: bool) -> bool {
        match (here, there) {
            (true, true) => return true,
            (false, false) => {}
            (true, false) => {
                self.add(field, Standing::MissingThere, format!("{noun} missing on their side"));
            }
            (false, true) => {
                self.add(field, Standing::MissingHere, format!("{noun} missing on our side"));
            }
        }
        false
    }

    fn kinds(&mut self, own: SubjectKind, theirs: Option<SubjectKind>) {
        if let Some(theirs) = theirs.filter(|theirs| *theirs != own) {
            let words = format!("{own} here, {theirs} there");
            self.add("kind", Standing::Conflicts, words);
        }
    }

    fn identifiers(&mut self, own: &[Identifier], theirs: &[Identifier]) {
        let kinds = |list: &[Identifier]| -> BTreeSet<Kind> {
            list.iter().map(|identifier| identifier.kind).collect()
        };
        let (here, there) = (kinds(own), kinds(theirs));
        for kind in here.union(&there).copied() {
            let field = kind.as_str();
            let noun = field.replace('_', " ");
            if !self.both(field, &noun, here.contains(&kind), there.contains(&kind)) {
                continue;
            }
            let of_kind = |list: &[Identifier]| -> Vec<(Identifier, Canonical)> {
                let list = list.iter().filter(|identifier| identifier.kind == kind);
                list.filter_map(|one| Some((one.clone(), one.canonical().ok()?))).collect()
            };
            match closest(&of_kind(own), &of_kind(theirs)) {
                Some((own, theirs)) => {
                    self.add(field, Standing::Agrees, format!("same {noun}"));
                    self.details(kind, &own, &theirs);
                }
                None => self.add(field, Standing::Conflicts, format!("{noun} differs")),
            }
        }
    }

    /// What two identifiers that share a key say beside their value.
    fn details(
        &mut self,
        kind: Kind,
        own: &(Identifier, Canonical),
        theirs: &(Identifier, Canonical),
    ) {
        let (here, there) = (own.1.issuer(), theirs.1.issuer());
        let noun = format!("issuer of the {}", kind.as_str().replace('_', " "));
        if self.both("issuer", &noun, here.is_some(), there.is_some()) {
            let (standing, word) = if here == there {
                (Standing::Agrees, "agrees")
            } else {
                (Standing::Conflicts, "differs")
            };
            self.add("issuer", standing, format!("{noun} {word}"));
        }
        let date = |one: &Identifier| {
            one.date.as_deref().and_then(|date| PartialDate::parse(date).ok()).into_iter().collect()
        };
        let (here, there): (Vec<_>, Vec<_>) = (date(&own.0), date(&theirs.0));
        let noun = match kind {
            Kind::PersonNameBirthDate => "birth",
            _ => "registration",
        };
        if !here.is_empty() || !there.is_empty() {
            self.dated("dates", noun, &here, &there);
        }
    }

    fn names(&mut self, own: &Subject, theirs: &SubjectView) {
        if !self.both("names", "name", !own.names.is_empty(), !theirs.names.is_empty()) {
            return;
        }
        let kind = match own.kind {
            SubjectKind::Person => Kind::PersonName,
            SubjectKind::Vessel => Kind::VesselName,
            _ => Kind::OrganisationName,
        };
        let forms = |names: &[String]| -> Vec<(Identifier, Canonical)> {
            let identifier =
                |text: &String| Identifier { kind, text: text.clone(), issuer: None, date: None };
            let names = names.iter().map(identifier);
            names.filter_map(|name| Some((name.clone(), name.canonical().ok()?))).collect()
        };
        match closest(&forms(&own.names), &forms(&theirs.names)) {
            Some((own, theirs)) if own.1.expose() == theirs.1.expose() => {
                self.add("names", Standing::Agrees, "same name");
            }
            Some(_) => self.add("names", Standing::Agrees, "a spelling of the same name"),
            None => self.add("names", Standing::Conflicts, "name differs"),
        }
    }

    fn dates(&mut self, kind: SubjectKind, own: &[PartialDate], theirs: &[PartialDate]) {
        let noun = match kind {
            SubjectKind::Person => "birth",
            SubjectKind::Organisation => "founding",
            _ => "building",
        };
        self.dated("dates", noun, own, theirs);
    }

    /// The finest grain on which any two dates agree.
    fn dated(
        &mut self,
        field: &'static str,
        noun: &str,
        own: &[PartialDate],
        theirs: &[PartialDate],
    ) {
        let date = format!("{noun} date");
        if !self.both(field, &date, !own.is_empty(), !theirs.is_empty()) {
            return;
        }
        let pairs = own.iter().flat_map(|own| theirs.iter().map(move |theirs| (*own, *theirs)));
        let grain = pairs.map(|(own, theirs)| common_grain(own, theirs)).max();
        let (standing, words) = match grain.unwrap_or(Grain::Nothing) {
            Grain::Day => (Standing::Agrees, format!("{date} agrees")),
            Grain::Month => (Standing::Agrees, format!("{noun} month agrees")),
            Grain::Year => (Standing::Agrees, format!("{noun} year agrees")),
            Grain::YearOnly => {
                (Standing::Conflicts, format!("{noun} year agrees, the day differs"))
            }
            Grain::Nothing => (Standing::Conflicts, format!("{date} differs")),
        };
        self.add(field, standing, words);
    }

    fn countries(&mut self, own: &[Country], theirs: &[Country]) {
        if !self.both("countries", "country", !own.is_empty(), !theirs.is_empty()) {
            return;
        }
        if own.iter().any(|country| theirs.contains(country)) {
            self.add("countries", Standing::Agrees, "country agrees");
        } else {
            self.add("countries", Standing::Conflicts, "country differs");
        }
    }
}

/// The first pair that shares its strongest key; any key will do.
fn closest(
    own: &[(Identifier, Canonical)],
    theirs: &[(Identifier, Canonical)],
) -> Option<((Identifier, Canonical), (Identifier, Canonical))> {
    let pairs = own.iter().flat_map(|own| theirs.iter().map(move |theirs| (own, theirs)));
    let shared = pairs.filter_map(|(own, theirs)| {
        let keys = own.1.keys().iter().filter(|key| theirs.1.keys().contains(key));
        Some((keys.map(symbolon_ident::MatchKey::strength).max()?, own, theirs))
    });
    let (_, own, theirs) = shared.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some((own.clone(), theirs.clone()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grain {
    Nothing,
    /// The year is the same, and what is finer is not.
    YearOnly,
    Year,
    Month,
    Day,
}

fn common_grain(own: PartialDate, theirs: PartialDate) -> Grain {
    if own.year() != theirs.year() {
        return Grain::Nothing;
    }
    let (Some(own_month), Some(their_month)) = (own.month(), theirs.month()) else {
        return Grain::Year;
    };
    if own_month != their_month {
        return Grain::YearOnly;
    }
    match (own.day(), theirs.day()) {
        (Some(own), Some(theirs)) if own == theirs => Grain::Day,
        (Some(_), Some(_)) => Grain::YearOnly,
        _ => Grain::Month,
    }
}
