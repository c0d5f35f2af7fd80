//! Spreads what takes long and depends on nothing else over threads.
//!
//! Invariant: results come back in the order of the items, whatever the number of workers.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

use crate::asking::lock;

/// Calls `make` with each of `items`. The calling thread is one of the workers, and the only one
/// where the system gives no more. An item ought to take much longer than to begin a thread: some
/// ten microseconds.
pub(crate) fn each<T: Send, R: Send>(
    items: Vec<T>,
    workers: usize,
    make: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let workers = workers.min(items.len());
    let left = Mutex::new(items.into_iter().enumerate());
    let work = || {
        let mut made = Vec::new();
        loop {
            let next = lock(&left).next();
            let Some((number, item)) = next else { break made };
            made.push((number, make(item)));
        }
    };
    let mut all = thread::scope(|scope| {
        let begin = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..workers).filter_map(begin).collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn keeps_the_order() {
        for (items, workers) in [(0, 4), (1, 4), (7, 0), (7, 1), (7, 3), (100, 7)] {
            let made = each((0..items).collect(), workers, |item| item * 2);
            assert_eq!(made, (0..items).map(|item| item * 2).collect::<Vec<_>>(), "{workers}");
        }
    }

    #[test]
    fn all_workers_work_at_once() {
        let together = Barrier::new(3);
        let made = each(vec![(); 3], 3, |()| {
            together.wait();
            thread::current().id()
        });
        assert_eq!(made.into_iter().collect::<HashSet<_>>().len(), 3);
    }
}
