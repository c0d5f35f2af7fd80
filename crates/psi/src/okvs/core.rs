//! Solves what peeling left of a bin: a few items over few columns, by elimination in the field.
//!
//! Implements spec/psi.md#store. Runs on the receiver's own items only.

use super::{Part, Shape};
use crate::PsiError;
use crate::field::{self, Block};
use crate::limits::CORE_ITEMS_MAX;

/// One equation: coefficients of the core's columns, then of the dense ones, then the value.
struct Equation {
    coefficients: Vec<Block>,
    value: Block,
}

/// Puts into the columns a solution for the items at `places`.
pub(super) fn solve(
    shape: &Shape,
    bin: &Part,
    places: &[u32],
    sparse: &mut [Block],
    dense: &mut [Block],
) -> Result<(), PsiError> {
    if places.len() > CORE_ITEMS_MAX {
        return Err(PsiError::Unsolvable);
    }
    let rows: Vec<Block> =
        places.iter().filter_map(|p| bin.rows.get(*p as usize)).copied().collect();
    let values = places.iter().filter_map(|place| bin.values.get(*place as usize));
    let mut columns: Vec<u32> = rows.iter().flat_map(|row| shape.columns_of(*row)).collect();
    columns.sort_unstable();
    columns.dedup();
    let equations = rows.iter().zip(values).map(|(row, value)| {
        let own = shape.columns_of(*row);
        let bit = |column| Block(u128::from(own.contains(column)));
        let mut coefficients: Vec<Block> = columns.iter().map(bit).collect();
        coefficients.extend(field::powers(*row, dense.len()));
        Equation { coefficients, value: *value }
    });
    let solution = eliminate(equations.collect())?;
    let targets = solution.split_at(columns.len().min(solution.len()));
    for (column, value) in columns.iter().zip(targets.0) {
        if let Some(target) = sparse.get_mut(*column as usize) {
            *target = *value;
        }
    }
    for (target, value) in dense.iter_mut().zip(targets.1) {
        *target = *value;
    }
    Ok(())
}

/// Gauss–Jordan; unknowns without a pivot are zero.
fn eliminate(mut equations: Vec<Equation>) -> Result<Vec<Block>, PsiError> {
    let unknowns = equations.first().map_or(0, |first| first.coefficients.len());
    let mut pivots: Vec<usize> = Vec::with_capacity(equations.len());
    for number in 0..equations.len() {
        let (done, open) = equations.split_at_mut(number);
        let Some((current, later)) = open.split_first_mut() else { break };
        let pivot = current.coefficients.iter().position(|c| *c != Block::ZERO);
        let Some(pivot) = pivot else {
            if current.value == Block::ZERO {
                pivots.push(unknowns);
                continue;
            }
            return Err(PsiError::Unsolvable);
        };
        pivots.push(pivot);
        let factor = current.coefficients.get(pivot).copied().unwrap_or_default().inverse();
        current.coefficients.iter_mut().for_each(|c| *c *= factor);
        current.value *= factor;
        for other in done.iter_mut().chain(later) {
            let factor = other.coefficients.get(pivot).copied().unwrap_or_default();
            if factor != Block::ZERO {
                field::scale_add(&mut other.coefficients, &current.coefficients, factor);
                other.value ^= current.value * factor;
            }
        }
    }
    let mut solution = vec![Block::ZERO; unknowns];
    for (equation, pivot) in equations.iter().zip(pivots) {
        if let Some(unknown) = solution.get_mut(pivot) {
            *unknown = equation.value;
        }
    }
    Ok(solution)
}
