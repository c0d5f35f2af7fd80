//! What can be wrong with a policy text, each with its rule or line, in one line for the officer.

use symbolon_record::{Field, Transform};

/// Why a policy was refused, or a grant misused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    // Malformed input: the policy text.
    /// The text is too long.
    #[error("the policy is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// There are too many rules.
    #[error("the policy has more than {count_max} rules")]
    TooMany {
        /// The limit in rules.
        count_max: usize,
    },
    /// Not the policy language.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line, from one.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A template, which has no meaning here.
    #[error("line {line}: a rule must name its partner and record itself, without ? slots")]
    Template {
        /// Line, from one.
        line: usize,
    },
    /// A rule without a usable name.
    #[error("line {line}: a rule needs a name: @id(\"...\") of a-z, 0-9 and hyphens")]
    Unnamed {
        /// Line, from one.
        line: usize,
    },
    /// Two rules of one name.
    #[error("line {line}: a second rule is named {rule}")]
    Repeated {
        /// The name.
        rule: String,
        /// Line of the second, from one.
        line: usize,
    },
    /// The rule speaks of something that does not exist, or can never apply.
    #[error("line {line}, rule {rule}: {message}")]
    Meaning {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// What the validator says.
        message: String,
    },
    /// An annotation that nobody would heed.
    #[error("line {line}, rule {rule}: unknown annotation @{annotation}")]
    Annotation {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// The annotation.
        annotation: String,
    },
    /// The value of `@transform` or `@approval` is unknown or contradicts itself.
    #[error("line {line}, rule {rule}: @{annotation} does not know this value")]
    AnnotationValue {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// The annotation.
        annotation: &'static str,
    },
    /// An obligation where it could not take effect.
    #[error("line {line}, rule {rule}: @{annotation} has no effect {place}")]
    AnnotationPlace {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// The annotation.
        annotation: &'static str,
        /// Where it stands.
        place: &'static str,
    },
    /// A name that cannot exist, such as an unknown country.
    #[error("line {line}, rule {rule}: {kind}::\"{name}\" cannot exist")]
    Name {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// Country, Partner, Purpose or Record.
        kind: &'static str,
        /// The name as written.
        name: String,
    },
    /// A permit to disclose that does not say which fields.
    #[error("line {line}, rule {rule}: a permit to disclose must name its fields in `when`")]
    FieldsUnnamed {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
    },
    /// A permit on a source field that does not say to whom.
    #[error(
        "line {line}, rule {rule}: a permit on {field} must name its partner: \
         permit (principal == Partner::\"...\", ...)"
    )]
    SourceUnnamed {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// The source field.
        field: Field,
    },
    /// A transform on prose.
    #[error("line {line}, rule {rule}: {transform} cannot be applied to {field}, which is prose")]
    Prose {
        /// The rule.
        rule: String,
        /// Line, from one.
        line: usize,
        /// The prose field.
        field: Field,
        /// The transform.
        transform: Transform,
    },

    // Caller's misuse.
    /// The grant was made for another record or another version of it.
    #[error("the grant was made for another record or version")]
    OtherRecord,
    /// An action that does not exist.
    #[error("unknown action")]
    UnknownAction,

    // Our bug.
    /// The built-in schema does not parse.
    #[error("the built-in policy schema is broken")]
    Schema,
}
