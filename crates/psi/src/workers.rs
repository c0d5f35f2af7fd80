//! Spreads independent work over threads; knows nothing of what it computes.
//!
//! Invariant: results come back in the order of the tasks, whatever the number of workers.

use std::sync::Mutex;

use crate::PsiError;
use crate::limits::WORKERS_MAX;

/// Runs `work(task)` for every task on at most `workers` threads; zero workers count as one.
///
/// Threads take the next task when they are free, so tasks may differ in size. The results are in
/// the order of the tasks; the first error in that order is the result.
pub(crate) fn run<T, R, F>(tasks: Vec<T>, workers: usize, work: F) -> Result<Vec<R>, PsiError>
where
    T: Send,
    R: Send,
    F: Fn(T) -> Result<R, PsiError> + Sync,
{
    run_with(tasks, workers, || (), |(), task| work(task))
}

/// The same with something that each thread makes once and has for all its tasks: memory.
pub(crate) fn run_with<T, S, R, F>(
    tasks: Vec<T>,
    workers: usize,
    start: impl Fn() -> S + Sync,
    work: F,
) -> Result<Vec<R>, PsiError>
where
    T: Send,
    R: Send,
    F: Fn(&mut S, T) -> Result<R, PsiError> + Sync,
{
    let workers = workers.clamp(1, WORKERS_MAX).min(tasks.len());
    if workers <= 1 {
        let mut own = start();
        return tasks.into_iter().map(|task| work(&mut own, task)).collect();
    }
    let queue = Mutex::new(tasks.into_iter().enumerate());
    let drain = || {
        let (mut own, mut results) = (start(), Vec::new());
        loop {
            let next = queue.lock().map_err(|_| PsiError::WorkerLost)?.next();
            let Some((number, task)) = next else { return Ok(results) };
            results.push((number, work(&mut own, task)));
        }
    };
    let mut results = std::thread::scope(|scope| {
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, drain);
        let threads: Vec<_> = (1..workers).map(start).collect();
        // The calling thread works too, and alone where the system gives no thread.
        let mut results = drain()?;
        for thread in threads.into_iter().flatten() {
            results.extend(thread.join().map_err(|_| PsiError::WorkerLost)??);
        }
        Ok::<_, PsiError>(results)
    })?;
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Length of a piece when `length` items are cut for `workers`, a multiple of `unit`.
///
/// Four pieces for each worker, so that one slow thread does not hold the others up.
pub(crate) fn piece_length(length: usize, workers: usize, unit: usize) -> usize {
    let pieces = if workers <= 1 { 1 } else { workers.min(WORKERS_MAX) * 4 };
    length.div_ceil(pieces).next_multiple_of(unit.max(1)).max(unit.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        let tasks: Vec<usize> = (0..1000).collect();
        for workers in [0, 1, 2, 3, 7, 64, 1000] {
            assert_eq!(run(tasks.clone(), workers, Ok).unwrap(), tasks);
        }
        assert_eq!(run(Vec::<u8>::new(), 4, Ok), Ok(vec![]));
    }

    #[test]
    fn an_error_in_any_task_is_the_result() {
        for bad in [0, 50, 99] {
            let work = |task| if task == bad { Err(PsiError::Count) } else { Ok(()) };
            assert_eq!(run((0..100).collect(), 3, work), Err(PsiError::Count));
        }
    }

    #[test]
    fn pieces_cover_everything_in_whole_units() {
        for (length, workers, unit) in [(0, 1, 4), (1, 2, 4), (1000, 2, 16), (1001, 3, 0)] {
            let piece = piece_length(length, workers, unit);
            assert!(piece > 0 && piece.is_multiple_of(unit.max(1)));
            assert!(length.div_ceil(piece) <= workers.max(1) * 4);
        }
    }
}
