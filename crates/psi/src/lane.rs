//! A block as two 64-bit halves, which the compiler keeps in one vector register.
//!
//! Implements spec/psi.md#code. It splits a 128-bit integer over two scalar registers instead.

use std::ops::BitXor;

use crate::field::Block;

/// A block, low half first.
#[derive(Clone, Copy, Default)]
#[repr(C, align(16))]
pub(crate) struct Lane([u64; 2]);

impl Lane {
    #[inline]
    pub(crate) fn new(block: Block) -> Self {
        Self([block.0 as u64, (block.0 >> 64) as u64])
    }

    #[inline]
    pub(crate) fn block(self) -> Block {
        let [low, high] = self.0.map(u128::from);
        Block((high << 64) | low)
    }

    /// Itself if the lowest bit of `choice` is set, else zero.
    #[inline]
    pub(crate) fn choose(self, choice: u64) -> Self {
        let mask = 0u64.wrapping_sub(choice & 1);
        Self(self.0.map(|half| half & mask))
    }
}

impl BitXor for Lane {
    type Output = Self;
    #[inline]
    fn bitxor(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a ^ c, b ^ d])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_integer() {
        let (a, b) = (0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978, (u128::MAX / 5) << 3);
        let lane = Lane::new(Block(a));
        assert!(lane.block().0 == a && (lane ^ Lane::new(Block(b))).block().0 == a ^ b);
        assert!(lane.choose(1).block().0 == a && lane.choose(6).block().0 == 0);
    }
}
