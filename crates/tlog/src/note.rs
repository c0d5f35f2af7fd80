//! The signed note: a text and signature lines below it; verifies nothing, which is for
//! [`crate::NoteVerifier`].
//!
//! Implements spec/log.md#signatures (c2sp.org/signed-note).
//!
//! Invariant: a [`SignedNote`] formats to exactly the text that it was parsed from.

use crate::error::{Format, TlogError};
use crate::limits::{KEY_NAME_BYTES_MAX, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX};
use crate::text::{base64, parse_base64};

/// "Em dash (U+2014), space (U+0020)".
const SIGNATURE_PREFIX: &str = "— ";

const fn malformed(rule: &'static str) -> TlogError {
    TlogError::malformed(Format::Note, rule)
}

/// Name of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus (U+002B)
    /// characters." Control characters are not for notes, and 255 bytes are the most that a
    /// `cosigned_message` can carry.
    ///
    /// # Errors
    /// [`TlogError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, TlogError> {
        let forbidden = |c: char| c.is_whitespace() || c == '+' || c < ' ';
        if text.is_empty() || text.len() > KEY_NAME_BYTES_MAX || text.contains(forbidden) {
            return Err(malformed("a key name is 1 to 255 bytes without spaces, plus or control"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One signature line, by whatever key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    name: KeyName,
    key_id: u32,
    signature: Vec<u8>,
}

impl SignatureLine {
    pub(crate) const fn new(name: KeyName, key_id: u32, signature: Vec<u8>) -> Self {
        Self { name, key_id, signature }
    }

    /// Reads a line without its newline.
    pub(crate) fn parse(line: &str) -> Result<Self, TlogError> {
        let rest = line
            .strip_prefix(SIGNATURE_PREFIX)
            .ok_or(malformed("a signature line begins with an em dash and a space"))?;
        let (name, encoded) = rest
            .split_once(' ')
            .ok_or(malformed("a signature line has a name, a space and a signature"))?;
        let bytes = parse_base64(encoded).ok_or(malformed("a signature is canonical base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((key_id, signature)) if !signature.is_empty() => Ok(Self {
                name: KeyName::parse(name)?,
                key_id: u32::from_be_bytes(*key_id),
                signature: signature.to_vec(),
            }),
            _ => Err(malformed("a signature is longer than its key id")),
        }
    }

    /// Name of the key.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Key id, which with the name "uniquely identifies the key".
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The signature without the key id.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl std::fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.key_id.to_be_bytes(), self.signature.as_slice()].concat();
        writeln!(f, "{SIGNATURE_PREFIX}{} {}", self.name, base64(&bytes))
    }
}

/// A signed note whose signatures nobody has checked.
///
/// "The text MUST be ignored unless the note is signed by a trusted key and the signature has been
/// verified."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl SignedNote {
    /// A note of `text`, which ends in a newline, with at least one signature.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the note would not parse.
    pub fn new(text: String, signatures: Vec<SignatureLine>) -> Result<Self, TlogError> {
        check_text(&text)?;
        if signatures.is_empty() || signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(malformed("a note has 1 to 16 signatures"));
        }
        let note = Self { text, signatures };
        if note.to_string().len() > NOTE_BYTES_MAX {
            return Err(malformed("a note has at most 128 KiB"));
        }
        Ok(note)
    }

    /// Reads a note from text.
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the text breaks.
    pub fn parse(note: &str) -> Result<Self, TlogError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(malformed("a note has at most 128 KiB"));
        }
        // "The text is separated from the signatures by the last empty line in the note."
        let (before, lines) =
            note.rsplit_once("\n\n").ok_or(malformed("an empty line stands before signatures"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(malformed("the last signature line ends in a newline"))?;
        let signatures = lines
            .split('\n')
            .take(NOTE_SIGNATURES_MAX + 1)
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        Self::new(format!("{before}\n"), signatures)
    }

    /// Reads a note from bytes: "Signed notes MUST be valid UTF-8".
    ///
    /// # Errors
    /// [`TlogError::Malformed`], by the first rule that the bytes break.
    pub fn decode(note: &[u8]) -> Result<Self, TlogError> {
        let text = std::str::from_utf8(note).map_err(|_| malformed("a note is valid UTF-8"))?;
        Self::parse(text)
    }

    /// The text, with "the final newline but not the separating blank line".
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The lines of one key.
    ///
    /// "Verifiers MUST ignore signatures from unknown keys, even if they share a name or ID (but
    /// not both) with a known key."
    pub(crate) fn signatures_by(
        &self,
        name: &KeyName,
        key_id: u32,
    ) -> impl Iterator<Item = &SignatureLine> {
        self.signatures.iter().filter(move |line| line.key_id == key_id && line.name == *name)
    }

    /// The same note with one more signature line, such as a cosignature.
    ///
    /// # Errors
    /// [`TlogError::Malformed`] if the note would grow beyond its limits.
    pub fn with_signature(mut self, line: SignatureLine) -> Result<Self, TlogError> {
        self.signatures.push(line);
        Self::new(self.text, self.signatures)
    }
}

impl std::fmt::Display for SignedNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| write!(f, "{line}"))
    }
}

fn check_text(text: &str) -> Result<(), TlogError> {
    if !text.ends_with('\n') {
        return Err(malformed("the text ends in a newline"));
    }
    if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
        return Err(malformed("a note has no control characters but newline"));
    }
    Ok(())
}
