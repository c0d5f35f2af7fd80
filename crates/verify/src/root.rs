//! The roots that a reader expects, as words or hexadecimal digits, and the comparison with them.
//!
//! Implements spec/evidence.md#roots.

use crate::key::NodeId;
use crate::words::{fingerprint_words, unhex};

/// Words of a fingerprint.
const WORDS: usize = 12;

/// A root that a reader knows from another channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(Known);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Whole([u8; 32]),
    Words(Vec<String>),
}

impl Root {
    /// Reads twelve words, separated by spaces or hyphens, or 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Root> {
        let text = text.trim();
        if let Some(bytes) = unhex(text) {
            return Some(Root(Known::Whole(bytes.try_into().ok()?)));
        }
        let is_between = |c: char| c.is_whitespace() || c == '-' || c == ',';
        let words = text.split(is_between).filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
        let list = bip39::Language::English.word_list();
        let is_listed = words.iter().all(|word| list.contains(&word.as_str()));
        (words.len() == WORDS && is_listed).then_some(Root(Known::Words(words)))
    }

    pub(crate) fn is(&self, node: NodeId) -> bool {
        match &self.0 {
            Known::Whole(bytes) => bytes == node.as_bytes(),
            Known::Words(words) => *words == fingerprint_words(node.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digits_name_a_root() {
        let node = NodeId::new([0x7f; 32]);
        let words = fingerprint_words(node.as_bytes()).join("-").to_uppercase();
        assert!(Root::parse(&words).unwrap().is(node));
        assert!(Root::parse(&format!(" {}\n", "7F".repeat(32))).unwrap().is(node));
        assert!(!Root::parse(&"7e".repeat(32)).unwrap().is(node));
        assert_eq!(Root::parse("legal winner"), None);
        assert_eq!(Root::parse(&"7f".repeat(31)), None);
        assert_eq!(Root::parse(&words.replacen("LEGAL", "symbolon", 1)), None);
    }
}
