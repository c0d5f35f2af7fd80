//! How large a store is: bins, sparse and dense columns, from the padded count alone.
//!
//! Implements spec/psi.md#store. The tests compute the table again from the published formula.

use crate::PsiError;
use crate::field::Block;

/// Bins and columns of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    bins: u32,
    sparse: u32,
    dense: u32,
}

impl Shape {
    /// The shape for a padded count of the table.
    pub(crate) fn for_padded(count: u64) -> Result<Self, PsiError> {
        let row = TABLE.iter().find(|row| row.0 == count).ok_or(PsiError::Count)?;
        let (_, bins, sparse, dense) = *row;
        Ok(Self { bins, sparse, dense })
    }

    pub(crate) const fn bins(&self) -> usize {
        self.bins as usize
    }

    /// Sparse columns of one bin.
    pub(crate) const fn sparse(&self) -> usize {
        self.sparse as usize
    }

    /// Dense columns of one bin.
    pub(crate) const fn dense(&self) -> usize {
        self.dense as usize
    }

    /// All columns of one bin; the sparse ones come first.
    pub(crate) const fn bin_columns(&self) -> usize {
        self.sparse() + self.dense()
    }

    /// All columns: the length of the store, and of the correlation that masks it.
    pub(crate) const fn columns(&self) -> usize {
        self.bins() * self.bin_columns()
    }

    /// The bin of a row: its last 32 bits, scaled.
    pub(crate) fn bin_of(&self, row: Block) -> usize {
        scale(row.0 >> 96, self.bins) as usize
    }

    /// Three distinct sparse columns of a row, from its first three words.
    ///
    /// The second word chooses among the columns but the first, the third among the rest: each is
    /// moved past those that are taken.
    #[inline]
    pub(crate) fn columns_of(&self, row: Block) -> [u32; 3] {
        let first = scale(row.0, self.sparse);
        let second = scale(row.0 >> 32, self.sparse - 1);
        let second = second + u32::from(second >= first);
        let (low, high) = (first.min(second), first.max(second));
        let third = scale(row.0 >> 64, self.sparse - 2);
        let third = third + u32::from(third >= low);
        let third = third + u32::from(third >= high);
        [first, second, third]
    }
}

/// The low 32 bits of `word`, scaled to `0..range`.
#[inline]
fn scale(word: u128, range: u32) -> u32 {
    ((u64::from(word as u32) * u64::from(range)) >> 32) as u32
}

/// Padded count, bins, sparse and dense columns of each bin.
const TABLE: &[(u64, u32, u32, u32)] = &[
    (1024, 1, 1570, 6),
    (1536, 1, 2259, 5),
    (2048, 1, 2937, 5),
    (3072, 1, 4274, 5),
    (4096, 1, 5597, 5),
    (6144, 1, 8218, 4),
    (8192, 1, 10819, 4),
    (12288, 1, 15986, 4),
    (16384, 1, 21126, 4),
    (24576, 1, 31360, 4),
    (32768, 1, 41557, 4),
    (49152, 1, 61888, 4),
    (65536, 1, 82168, 3),
    (98304, 1, 122642, 3),
    (131072, 2, 84293, 3),
    (196608, 2, 125239, 3),
    (262144, 4, 84800, 3),
    (393216, 4, 125856, 3),
    (524288, 8, 85036, 3),
    (786432, 8, 126145, 3),
    (1048576, 16, 85161, 3),
    (1572864, 16, 126296, 3),
    (2097152, 32, 85234, 3),
    (3145728, 32, 126385, 3),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Items that a bin of `count / bins` must take: the Chernoff bound of spec/psi.md#store.
    fn load(count: u64, bins: u32) -> u64 {
        if bins == 1 {
            return count;
        }
        let (n, p) = (count as f64, 1.0 / f64::from(bins));
        let is_enough = |load: u64| {
            let q = load as f64 / n;
            let entropy = q * (q / p).log2() + (1.0 - q) * ((1.0 - q) / (1.0 - p)).log2();
            n * entropy - f64::from(bins).log2() >= 64.0
        };
        (count / u64::from(bins)..count).find(|load| is_enough(*load)).unwrap()
    }

    #[test]
    fn the_table_is_the_formula() {
        let mut expect_count = 1024;
        for (count, bins, sparse, dense) in TABLE {
            assert_eq!(*count, expect_count);
            let is_power = count.is_power_of_two();
            expect_count = if is_power { count / 2 * 3 } else { count / 3 * 4 };
            let mean = count / u64::from(*bins);
            assert!(*bins == 1 && *count < 1 << 17 || (1 << 16..1 << 17).contains(&mean));
            let items = load(*count, *bins) as f64;
            let weight = 3_f64.log2();
            let exponent = 0.555 * items.log2() + 0.093 * weight.powi(3) - 1.01 * weight.powi(2)
                + 2.925 * weight
                - 0.133;
            let expansion = 1.223 + (64.0 + 9.2) / exponent.exp2();
            assert_eq!(f64::from(*sparse), (expansion * items).ceil(), "{count}");
            assert_eq!(f64::from(*dense), (64.0 / (expansion * items).log2()).floor(), "{count}");
        }
    }

    #[test]
    fn the_columns_of_a_row_are_three() {
        let shape = Shape::for_padded(1024).unwrap();
        for words in [[0, 0, 0], [u32::MAX; 3], [5, 5, 5], [u32::MAX, 0, 0], [0, u32::MAX, 1 << 31]]
        {
            let row = words.iter().rev().fold(0, |row, word| (row << 32) | u128::from(*word));
            let [first, second, third] = shape.columns_of(Block(row));
            assert!(first != second && first != third && second != third);
            assert!([first, second, third].iter().all(|column| *column < 1570));
        }
    }
}
