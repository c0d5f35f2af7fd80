//! Answers already given, by question; bounded, and never the only place of a fact.
//!
//! Implements spec/policy.md#memo. Two generations: when the young one is full it becomes the old
//! one, and the old one is forgotten. What is asked again in time moves back to the young.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::MEMO_ENTRIES_MAX;
use crate::question::Question;
use crate::ruling::Ruling;

#[derive(Default)]
pub(crate) struct Memo(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Question, Arc<[Ruling]>>,
    old: HashMap<Question, Arc<[Ruling]>>,
}

impl Memo {
    pub(crate) fn fetch(&self, question: &Question) -> Option<Arc<[Ruling]>> {
        let mut memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = memo.young.get(question) {
            return Some(Arc::clone(answer));
        }
        let (question, answer) = memo.old.remove_entry(question)?;
        memo.keep(question, Arc::clone(&answer));
        Some(answer)
    }

    pub(crate) fn keep(&self, question: Question, answer: Arc<[Ruling]>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(question, answer);
    }

    /// Remembered answers.
    pub(crate) fn count(&self) -> usize {
        let memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memo.young.len() + memo.old.len()
    }
}

impl Generations {
    fn keep(&mut self, question: Question, answer: Arc<[Ruling]>) {
        if self.young.len() >= MEMO_ENTRIES_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(question, answer);
    }
}
