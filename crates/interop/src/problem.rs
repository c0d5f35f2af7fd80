//! What is wrong with one row: where and by which rule, without the value.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The row was not taken.
    Refused,
    /// The row was taken, with less than it wanted to say.
    Warning,
}

impl Severity {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Refused => "refused",
            Severity::Warning => "warning",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file, the first being 1.
    pub row: u64,
    /// Column as the file names it; empty for the whole row.
    pub column: String,
    /// The rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
}
