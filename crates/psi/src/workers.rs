//! Spreads independent work over threads; knows nothing of what it computes.
//!
//! Invariant: results come back in the order of the items, whatever the number of workers.

use crate::PsiError;
use crate::limits::WORKERS_MAX;

/// Items below which another thread costs more than it saves.
const PIECE_ITEMS_MIN: usize = 32;

/// Cuts `items` into one piece per worker and calls `piece(index of the first item, items)`.
///
/// One result per piece, in order. Zero workers count as one.
pub(crate) fn map<T, R, F>(items: &[T], workers: usize, piece: F) -> Result<Vec<R>, PsiError>
where
    T: Sync,
    R: Send,
    F: Fn(usize, &[T]) -> Result<R, PsiError> + Sync,
{
    let workers = workers.clamp(1, WORKERS_MAX).min(items.len().div_ceil(PIECE_ITEMS_MIN)).max(1);
    if workers == 1 {
        return Ok(vec![piece(0, items)?]);
    }
    let length = items.len().div_ceil(workers);
    let pieces = || items.chunks(length).enumerate().map(|(n, part)| (n * length, part));
    std::thread::scope(|scope| {
        let piece = &piece;
        let mut threads = Vec::with_capacity(workers);
        for (offset, part) in pieces().skip(1) {
            let run = move || piece(offset, part);
            threads.push(std::thread::Builder::new().spawn_scoped(scope, run));
        }
        // The calling thread takes the first piece, and those for which the system gives no thread.
        let first = pieces().take(1).map(|(offset, part)| piece(offset, part));
        let mut results = first.collect::<Result<Vec<R>, PsiError>>()?;
        for (thread, (offset, part)) in threads.into_iter().zip(pieces().skip(1)) {
            results.push(match thread {
                Ok(thread) => thread.join().map_err(|_| PsiError::WorkerLost)??,
                Err(_) => piece(offset, part)?,
            });
        }
        Ok(results)
    })
}

/// How many of `items` each worker takes: a multiple of `unit`, at least one unit.
pub(crate) fn piece_items(items: usize, unit: usize, workers: usize) -> usize {
    items.div_ceil(workers.clamp(1, WORKERS_MAX)).max(1).next_multiple_of(unit.max(1))
}

/// Calls `run` for each piece, the first on the calling thread and each other on its own.
///
/// One result per piece, in order. Where the system gives no thread, the piece cannot be taken
/// back: an error.
pub(crate) fn run<P, R, F>(pieces: impl Iterator<Item = P>, run: F) -> Result<Vec<R>, PsiError>
where
    P: Send,
    R: Send,
    F: Fn(P) -> Result<R, PsiError> + Sync,
{
    std::thread::scope(|scope| {
        let run = &run;
        let mut pieces = pieces;
        let first = pieces.next();
        let threads: Vec<_> = pieces
            .map(|piece| std::thread::Builder::new().spawn_scoped(scope, move || run(piece)))
            .collect();
        let first = first.map(run);
        let others = threads.into_iter().map(|thread| {
            let thread = thread.map_err(|_| PsiError::WorkerLost)?;
            thread.join().map_err(|_| PsiError::WorkerLost)?
        });
        first.into_iter().chain(others).collect()
    })
}

/// Cuts `target` into one piece per worker, each a multiple of `unit` items but the last, and calls
/// `piece(index of the first item, items)`.
pub(crate) fn fill<T, R, F>(
    target: &mut [T],
    unit: usize,
    workers: usize,
    piece: F,
) -> Result<Vec<R>, PsiError>
where
    T: Send,
    R: Send,
    F: Fn(usize, &mut [T]) -> Result<R, PsiError> + Sync,
{
    let length = piece_items(target.len(), unit, workers);
    let pieces = target.chunks_mut(length).enumerate();
    run(pieces, |(number, part)| piece(number * length, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        let items: Vec<usize> = (0..1000).collect();
        for workers in [0, 1, 2, 3, 7, 64, 1000] {
            let pieces = map(&items, workers, |offset, part| {
                assert_eq!(part.first(), Some(&offset));
                Ok(part.to_vec())
            });
            assert_eq!(pieces.unwrap().concat(), items, "{workers} workers");
        }
        assert_eq!(map(&[0u8; 0], 4, |_, part| Ok(part.len())), Ok(vec![0]));
    }

    #[test]
    fn fills_every_place_once() {
        for length in [0usize, 1, 63, 64, 65, 1000] {
            for workers in [0, 1, 2, 3, 64] {
                let mut places = vec![0; length];
                let firsts = fill(&mut places, 64, workers, |first, part| {
                    assert!(first.is_multiple_of(64));
                    part.iter_mut().zip(first..).for_each(|(place, index)| *place += index);
                    Ok(first)
                });
                assert!(firsts.unwrap().is_sorted());
                assert!(places.iter().enumerate().all(|(index, place)| index == *place));
            }
        }
    }

    #[test]
    fn an_error_in_any_piece_is_the_result() {
        let items: Vec<usize> = (0..100).collect();
        for bad in [0, 50, 99] {
            let result =
                map(
                    &items,
                    3,
                    |_, part| {
                        if part.contains(&bad) { Err(PsiError::Count) } else { Ok(()) }
                    },
                );
            assert_eq!(result, Err(PsiError::Count));
        }
    }
}
