//! Patterns over decimal digits as automata: what telephone metadata is written in, and no more.
//!
//! Implements spec/identifiers.md#contacts.
//!
//! Invariant: a compiled pattern answers exactly as the regular expression does that it was made
//! of; one that uses anything else is not compiled.

use std::collections::{BTreeSet, HashMap};

use crate::limits::PATTERN_STATES_MAX;

/// A deterministic automaton; state 0 is where it starts.
pub(crate) struct DigitPattern {
    /// The next state by digit and at the end of the digits, or `DEAD`.
    next: Vec<[u16; 11]>,
    accepts: Vec<bool>,
}

const DEAD: u16 = u16::MAX;

/// The symbol behind the last digit.
const END: usize = 10;

impl DigitPattern {
    /// Compiles digits, `\d`, classes, groups, alternatives, `$`, and the counts `?`, `{n}` and
    /// `{n,m}`. White space is ignored. `None` for anything else, and for what needs too many
    /// states.
    pub(crate) fn compile(pattern: &str) -> Option<Self> {
        let text: Vec<u8> = pattern.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let mut parser = Parser { text: &text, at: 0, arrows: Vec::new() };
        let first = parser.state()?;
        let last = parser.alternatives(first)?;
        if parser.at != text.len() {
            return None;
        }
        determined(&parser.arrows, first, last)
    }

    /// Whether the pattern matches at the beginning of `digits`, as far as it wants.
    pub(crate) fn begins(&self, digits: &[u8]) -> bool {
        let mut state = 0;
        let symbols = digits.iter().map(|byte| usize::from(byte.wrapping_sub(b'0')));
        for symbol in symbols.chain([END]) {
            if self.accepts.get(usize::from(state)) == Some(&true) {
                return true;
            }
            let row = self.next.get(usize::from(state));
            state = match row.and_then(|row| row.get(symbol)) {
                Some(next) if *next != DEAD => *next,
                _ => return false,
            };
        }
        self.accepts.get(usize::from(state)) == Some(&true)
    }
}

/// From one state to another on some digits, or on nothing.
struct Arrow {
    to: usize,
    /// One bit per digit, one for the end; none for an arrow that is taken on nothing.
    digits: u16,
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    /// The arrows out of each state.
    arrows: Vec<Vec<Arrow>>,
}

impl Parser<'_> {
    fn state(&mut self) -> Option<usize> {
        self.arrows.push(Vec::new());
        (self.arrows.len() <= PATTERN_STATES_MAX).then(|| self.arrows.len() - 1)
    }

    fn arrow(&mut self, from: usize, to: usize, digits: u16) -> Option<()> {
        self.arrows.get_mut(from)?.push(Arrow { to, digits });
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek() == Some(wanted)).then(|| self.at += 1)
    }

    /// Alternatives between `|`, from `from` to a new state.
    fn alternatives(&mut self, from: usize) -> Option<usize> {
        let to = self.state()?;
        loop {
            let start = self.state()?;
            self.arrow(from, start, 0)?;
            let end = self.sequence(start)?;
            self.arrow(end, to, 0)?;
            if self.take(b'|').is_none() {
                return Some(to);
            }
        }
    }

    fn sequence(&mut self, mut from: usize) -> Option<usize> {
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            from = self.counted(from)?;
        }
        Some(from)
    }

    /// One piece as often as its count says: parsed again for every copy.
    fn counted(&mut self, from: usize) -> Option<usize> {
        let start = self.at;
        let mut end = self.piece(from)?;
        let (least, most) = self.count()?;
        let after = self.at;
        if least == 0 {
            self.arrow(from, end, 0)?;
        }
        for copy in 1..most {
            self.at = start;
            let next = self.piece(end)?;
            if copy >= least {
                self.arrow(end, next, 0)?;
            }
            end = next;
        }
        self.at = after;
        Some(end)
    }

    /// How often: `?`, `{n}`, `{n,m}` or once.
    fn count(&mut self) -> Option<(u32, u32)> {
        if self.take(b'?').is_some() {
            return Some((0, 1));
        }
        if self.take(b'{').is_none() {
            return (!matches!(self.peek(), Some(b'*' | b'+'))).then_some((1, 1));
        }
        let least = self.number()?;
        let most = if self.take(b',').is_some() { self.number()? } else { least };
        self.take(b'}')?;
        (most >= 1 && least <= most).then_some((least, most))
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.at += 1;
            number = Some(number.unwrap_or(0) * 10 + u32::from(digit - b'0'));
            if number > Some(20) {
                return None;
            }
        }
        number
    }

    fn piece(&mut self, from: usize) -> Option<usize> {
        let byte = self.peek()?;
        self.at += 1;
        let digits = match byte {
            b'0'..=b'9' => bit(byte),
            b'\\' => {
                self.take(b'd')?;
                0x3ff
            }
            b'[' => self.class()?,
            b'$' => 1 << END,
            b'(' => {
                if self.take(b'?').is_some() {
                    self.take(b':')?;
                }
                let to = self.alternatives(from)?;
                self.take(b')')?;
                return Some(to);
            }
            _ => return None,
        };
        let to = self.state()?;
        self.arrow(from, to, digits)?;
        Some(to)
    }

    /// Digits and ranges of digits up to `]`.
    fn class(&mut self) -> Option<u16> {
        let mut digits = 0;
        loop {
            let low = self.peek()?;
            self.at += 1;
            match low {
                b']' => return (digits != 0).then_some(digits),
                b'\\' => {
                    self.take(b'd')?;
                    digits = 0x3ff;
                }
                b'0'..=b'9' if self.take(b'-').is_some() => {
                    let high = self.peek().filter(u8::is_ascii_digit)?;
                    self.at += 1;
                    digits |= (low..=high).map(bit).fold(0, |all, bit| all | bit);
                }
                b'0'..=b'9' => digits |= bit(low),
                _ => return None,
            }
        }
    }
}

const fn bit(digit: u8) -> u16 {
    1 << (digit - b'0')
}

/// The states that are reached on nothing, added.
fn closed(arrows: &[Vec<Arrow>], mut states: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut open: Vec<usize> = states.iter().copied().collect();
    while let Some(state) = open.pop() {
        for arrow in arrows.get(state).into_iter().flatten().filter(|arrow| arrow.digits == 0) {
            if states.insert(arrow.to) {
                open.push(arrow.to);
            }
        }
    }
    states
}

/// The subset construction.
fn determined(arrows: &[Vec<Arrow>], first: usize, last: usize) -> Option<DigitPattern> {
    let start = closed(arrows, BTreeSet::from([first]));
    let mut known = HashMap::from([(start.clone(), 0_u16)]);
    let mut sets = vec![start];
    let mut next = Vec::new();
    let mut accepts = Vec::new();
    while let Some(set) = sets.get(next.len()).cloned() {
        let mut row = [DEAD; 11];
        for (symbol, slot) in row.iter_mut().enumerate() {
            let on = |arrow: &&Arrow| arrow.digits >> symbol & 1 == 1;
            let reached: BTreeSet<usize> = set
                .iter()
                .filter_map(|state| arrows.get(*state))
                .flat_map(|out| out.iter().filter(on).map(|arrow| arrow.to))
                .collect();
            if reached.is_empty() {
                continue;
            }
            let reached = closed(arrows, reached);
            let fresh = u16::try_from(sets.len()).ok().filter(|fresh| *fresh < DEAD)?;
            *slot = *known.entry(reached.clone()).or_insert_with(|| {
                sets.push(reached);
                fresh
            });
        }
        next.push(row);
        accepts.push(set.contains(&last));
        if next.len() > PATTERN_STATES_MAX {
            return None;
        }
    }
    Some(DigitPattern { next, accepts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_they_read() {
        let cases = [
            ("[2-9]\\d{3}", "2345", true),
            ("[2-9]\\d{3}", "1345", false),
            ("[2-9]\\d{3}", "23456", true),
            ("[2-9]\\d{3}", "234", false),
            ("(?:1[0-35]|20?)\\d{2,3}", "1599", true),
            ("(?:1[0-35]|20?)\\d{2,3}", "1499", false),
            ("(?:1[0-35]|20?)\\d{2,3}", "299", true),
            ("([2-9]\\d{2})$|1", "234", true),
            ("([2-9]\\d{2})$|1", "2345", false),
            ("([2-9]\\d{2})$|1", "12345", true),
            ("8(?:0[1-9])?(?:12){2}", "80112", false),
            ("8(?:0[1-9])?(?:12){2}", "81212", true),
            ("8(?:0[1-9])?(?:12){2}", "8011212", true),
        ];
        for (pattern, digits, expect) in cases {
            let compiled = DigitPattern::compile(pattern).unwrap();
            assert_eq!(compiled.begins(digits.as_bytes()), expect, "{pattern} {digits}");
        }
        for pattern in ["1*", "1+", "[^1]", "a", "(?=1)", "1{2,}", "(1", "1)", "", "[]", "1{0}"] {
            assert!(pattern.is_empty() || DigitPattern::compile(pattern).is_none(), "{pattern}");
        }
    }
}
