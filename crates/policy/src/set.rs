//! A policy: its text, checked as a whole, and the decisions it has given so far.
//!
//! Implements spec/policy.md#check.
//!
//! Invariant: a `PolicySet` exists only for a text in which nothing was found wrong.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cedar_policy::{Policy, PolicyId, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use symbolon_codec::sha256;

use crate::ask::Rules;
use crate::limits::{MESSAGE_CHARS_MAX, POLICY_BYTES_MAX, RULES_COUNT_MAX};
use crate::memo::Memo;
use crate::question::Reads;
use crate::rule::{Rule, covers, line_at};
use crate::{Action, PolicyError, label, lint, shape};

/// The vocabulary of the rules, as Cedar reads it.
pub const SCHEMA: &str = include_str!("../policies/symbolon.cedarschema");

/// The commented sample policy.
pub const SAMPLE: &str = include_str!("../policies/sample.cedar");

/// The rules of this node.
pub struct PolicySet {
    text: String,
    digest: [u8; 32],
    names: Vec<String>,
    pub(crate) rules: Rules,
    pub(crate) reads: HashMap<Action, Reads>,
    pub(crate) memo: Memo,
    pub(crate) asked: AtomicU64,
}

impl PolicySet {
    /// Reads and checks a policy text.
    ///
    /// # Errors
    /// The first of what [`PolicySet::check`] finds.
    pub fn parse(text: &str) -> Result<PolicySet, PolicyError> {
        let draft = Draft::read(text).map_err(first)?;
        match draft.faults(text)?.into_iter().next() {
            Some(fault) => Err(fault),
            None => draft.finish(text),
        }
    }

    /// All that is wrong with a policy text; empty where [`PolicySet::parse`] accepts it.
    #[must_use]
    pub fn check(text: &str) -> Vec<PolicyError> {
        match Draft::read(text) {
            Ok(draft) => draft.faults(text).unwrap_or_else(|fault| vec![fault]),
            Err(faults) => faults,
        }
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256("symbolon/1 policy" ‖ text).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Names of the rules, in the order of the text.
    #[must_use]
    pub fn rules(&self) -> &[String] {
        &self.names
    }

    /// How often the rules were evaluated: once per action and once per field of a disclosure,
    /// unless the answer was remembered.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Remembered answers.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.memo.count()
    }
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySet").field("rules", &self.names.len()).finish_non_exhaustive()
    }
}

/// A text with its rules read, before it is checked as a whole.
struct Draft {
    cedar: cedar_policy::PolicySet,
    /// In the order of the text.
    rules: Vec<(Rule, Policy)>,
}

impl Draft {
    /// Syntax and names.
    fn read(text: &str) -> Result<Draft, Vec<PolicyError>> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(vec![PolicyError::TooLong { bytes_max: POLICY_BYTES_MAX }]);
        }
        let parsed = cedar_policy::PolicySet::from_str(text)
            .map_err(|errors| errors.iter().map(|error| syntax(error, text)).collect::<Vec<_>>())?;
        if let Some(template) = parsed.templates().next() {
            let offset = text.find(template.to_cedar().trim()).unwrap_or_default();
            return Err(vec![PolicyError::Template { line: line_at(text, offset) }]);
        }
        if parsed.num_of_policies() > RULES_COUNT_MAX {
            return Err(vec![PolicyError::TooMany { count_max: RULES_COUNT_MAX }]);
        }
        let mut rules = Vec::new();
        let mut faults = Vec::new();
        for policy in parsed.policies() {
            match Rule::read(policy, text) {
                Ok(rule) => rules.push((rule.named(policy), rule)),
                Err(fault) => faults.push(fault),
            }
        }
        rules.sort_by_key(|(_, rule)| rule.line);
        let mut seen = BTreeSet::new();
        faults.extend(
            rules.iter().filter(|(_, rule)| !seen.insert(rule.name.clone())).map(|(_, rule)| {
                PolicyError::Repeated { rule: rule.name.clone(), line: rule.line }
            }),
        );
        if !faults.is_empty() {
            return Err(faults);
        }
        let policies = rules.iter().map(|(policy, _)| policy.clone());
        let cedar = cedar_policy::PolicySet::from_policies(policies)
            .map_err(|_| vec![PolicyError::Schema])?;
        let rules = rules.into_iter().map(|(policy, rule)| (rule, policy)).collect();
        Ok(Draft { cedar, rules })
    }

    /// Meaning: Cedar's strict validation, then the rules of this node.
    fn faults(&self, text: &str) -> Result<Vec<PolicyError>, PolicyError> {
        let result =
            Validator::new(schema()?.clone()).validate(&self.cedar, ValidationMode::Strict);
        let errors =
            result.validation_errors().map(|error| self.meaning(error.policy_id(), error, text));
        let warnings = result
            .validation_warnings()
            .map(|warning| self.meaning(warning.policy_id(), warning, text));
        let mut faults: Vec<_> = errors.chain(warnings).collect();
        faults.extend(self.rules.iter().flat_map(|(rule, policy)| lint::lint(rule, policy)));
        Ok(faults)
    }

    fn meaning(&self, rule: &PolicyId, error: &impl Diagnostic, text: &str) -> PolicyError {
        let rule: &str = rule.as_ref();
        let known = self.rules.iter().find(|(known, _)| known.name == rule);
        let start = known.map(|(known, _)| known.line).unwrap_or(1);
        let line = line(error, text).unwrap_or(start);
        // Cedar names the rule too; the officer has read it already.
        let named = format!("for policy `{rule}`");
        let message = message(error).replace(&named, "");
        let message = message.replace("(, ", "(").replace("(: ", "(");
        let message = message.trim_start_matches([',', ':', ' ']);
        PolicyError::Meaning { rule: rule.to_owned(), line, message: message.to_owned() }
    }

    /// What the rules for `action` look at.
    fn reads(&self, action: Action) -> Result<Reads, PolicyError> {
        let mut reads = Reads::default();
        for (_, policy) in self.rules.iter().filter(|(_, policy)| covers(policy, action)) {
            let tree = policy.to_json().map_err(|_| PolicyError::Schema)?;
            shape::attributes(&tree, &mut reads.attributes);
            let literals = policy.entity_literals().into_iter();
            let records = literals.filter(|literal| literal.type_name().basename() == "Record");
            reads.records.extend(records.map(|literal| literal.id().unescaped().to_owned()));
        }
        Ok(reads)
    }

    fn finish(self, text: &str) -> Result<PolicySet, PolicyError> {
        let mut reads = HashMap::new();
        for &action in Action::ALL {
            reads.insert(action, self.reads(action)?);
        }
        let names = self.rules.iter().map(|(rule, _)| rule.name.clone()).collect();
        let by_name: HashMap<_, _> =
            self.rules.into_iter().map(|(rule, _)| (rule.name.clone(), rule)).collect();
        Ok(PolicySet {
            text: text.to_owned(),
            digest: sha256(label::POLICY, &[text.as_bytes()]),
            names,
            rules: Rules { cedar: self.cedar, by_name },
            reads,
            memo: Memo::default(),
            asked: AtomicU64::new(0),
        })
    }
}

/// Read once: it is the same for every policy.
fn schema() -> Result<&'static Schema, PolicyError> {
    static READ: OnceLock<Option<Schema>> = OnceLock::new();
    READ.get_or_init(|| Schema::from_str(SCHEMA).ok()).as_ref().ok_or(PolicyError::Schema)
}

fn first(faults: Vec<PolicyError>) -> PolicyError {
    faults.into_iter().next().unwrap_or(PolicyError::Schema)
}

fn syntax(error: &impl Diagnostic, text: &str) -> PolicyError {
    PolicyError::Syntax { line: line(error, text).unwrap_or(1), message: message(error) }
}

/// Where the error points to.
fn line(error: &impl Diagnostic, text: &str) -> Option<usize> {
    let label = error.labels()?.next()?;
    Some(line_at(text, label.offset()))
}

/// The error and its advice in one bounded line.
fn message(error: &impl Diagnostic) -> String {
    let advice = error.help().map(|help| format!(" ({help})")).unwrap_or_default();
    let full = format!("{error}{advice}");
    let words: Vec<_> = full.split_whitespace().collect();
    words.join(" ").chars().take(MESSAGE_CHARS_MAX).collect()
}
