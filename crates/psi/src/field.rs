//! GF(2^128) with x^128 + x^7 + x^2 + x + 1; constant time on every path.
//!
//! Implements spec/psi.md#field. Bit `i` of the little-endian 128-bit integer is the coefficient of
//! `x^i`; addition and subtraction are both exclusive or.

use std::ops::{Add, AddAssign, BitXor, BitXorAssign, Mul, MulAssign};

use crate::kernel;

/// An element of GF(2^128), and equally a 16-byte string: the little-endian bytes of the integer.
///
/// It may be secret: it has no `Debug`, and `==` is for public values only
/// (`subtle::ConstantTimeEq` otherwise).
#[derive(Clone, Copy, Default, PartialEq, Eq, zeroize::Zeroize)]
#[repr(transparent)]
pub(crate) struct Block(pub(crate) u128);

impl Block {
    /// Bytes of an encoded element.
    pub(crate) const BYTES: usize = 16;
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const ONE: Self = Self(1);

    #[inline]
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    #[inline]
    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    pub(crate) fn square(self) -> Self {
        self * self
    }

    /// `self^exponent`; the exponent is public.
    pub(crate) fn power(self, mut exponent: u128) -> Self {
        let (mut base, mut result) = (self, Self::ONE);
        while exponent != 0 {
            if exponent & 1 == 1 {
                result *= base;
            }
            base = base.square();
            exponent >>= 1;
        }
        result
    }

    /// The inverse; zero for zero. `2^128 - 2` is the exponent (Fermat).
    pub(crate) fn inverse(self) -> Self {
        self.power(u128::MAX - 1)
    }
}

impl subtle::ConstantTimeEq for Block {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.to_le_bytes().ct_eq(&other.0.to_le_bytes())
    }
}

impl BitXor for Block {
    type Output = Self;
    #[inline]
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl BitXorAssign for Block {
    #[inline]
    fn bitxor_assign(&mut self, other: Self) {
        self.0 ^= other.0;
    }
}

#[expect(clippy::suspicious_arithmetic_impl, reason = "characteristic two: a sum is exclusive or")]
impl Add for Block {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        self ^ other
    }
}

#[expect(clippy::suspicious_op_assign_impl, reason = "characteristic two")]
impl AddAssign for Block {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self ^= other;
    }
}

impl Mul for Block {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        kernel::mul(self, other)
    }
}

impl MulAssign for Block {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

/// `sums[i] += values[i] * scalar`, for slices of one length.
pub(crate) fn scale_add(sums: &mut [Block], values: &[Block], scalar: Block) {
    kernel::scale_add(sums, values, scalar);
}

/// The sum of `left[i] * right[i]`.
pub(crate) fn inner_product(left: &[Block], right: &[Block]) -> Block {
    kernel::inner_product(left, right)
}

/// `sums[i] += coefficients[0] * points[i] + coefficients[1] * points[i]^2 + …`
pub(crate) fn polynomial_add(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
    kernel::polynomial_add(sums, points, coefficients);
}

/// `sums[i] += values[i]`.
pub(crate) fn add_slice(sums: &mut [Block], values: &[Block]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum ^= *value;
    }
}

/// `count` zeros. The memory comes zeroed from the system and is not touched before it is used:
/// wrapping the integers in place costs nothing.
pub(crate) fn zeros(count: usize) -> Vec<Block> {
    vec![0u128; count].into_iter().map(Block).collect()
}

/// `base, base^2, …, base^count`.
pub(crate) fn powers(base: Block, count: usize) -> Vec<Block> {
    std::iter::successors(Some(base), |power| Some(*power * base)).take(count).collect()
}

/// `values[i] *= scalar`.
pub(crate) fn scale(values: &mut [Block], scalar: Block) {
    let mut copies = [Block::ZERO; 256];
    for values in values.chunks_mut(copies.len()) {
        let (copies, _) = copies.split_at_mut(values.len());
        copies.copy_from_slice(values);
        // A value and its multiple by the scalar plus one sum to its multiple by the scalar.
        scale_add(values, copies, scalar ^ Block::ONE);
    }
}

/// Writes the raw bytes of `blocks` to the start of `bytes`.
pub(crate) fn write_bytes(bytes: &mut [u8], blocks: &[Block]) {
    let (chunks, _) = bytes.as_chunks_mut::<{ Block::BYTES }>();
    chunks.iter_mut().zip(blocks).for_each(|(target, block)| *target = block.to_bytes());
}

/// Adds `blocks` to the elements whose raw bytes are at the start of `bytes`.
pub(crate) fn add_to_bytes(bytes: &mut [u8], blocks: &[Block]) {
    let (chunks, _) = bytes.as_chunks_mut::<{ Block::BYTES }>();
    for (target, block) in chunks.iter_mut().zip(blocks) {
        *target = (Block::from_bytes(*target) ^ *block).to_bytes();
    }
}

/// The elements of `bytes`; a remainder below 16 bytes is left out.
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<Block> {
    let (chunks, _) = bytes.as_chunks::<{ Block::BYTES }>();
    chunks.iter().map(|chunk| Block::from_bytes(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_folds_at_128() {
        let x = Block(2);
        assert!(x.power(127) == Block(1 << 127));
        assert!(x.power(128) == Block(0x87));
        // The multiplicative group has 2^128 - 1 elements.
        assert!(x.power(u128::MAX) == Block::ONE);
        let y = Block(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        assert!(y * y.inverse() == Block::ONE);
        assert!(Block::ZERO.inverse() == Block::ZERO);
        assert!(powers(y, 3) == [y, y.square(), y * y * y]);
        for count in [0, 1, 5, 16, 255, 256, 257, 303] {
            let mut scaled = powers(y, count);
            scale(&mut scaled, y);
            assert!(scaled == powers(y, count + 1)[1..], "{count}");
        }
    }

    #[test]
    fn bytes_are_little_endian() {
        let mut bytes = [0; 32];
        bytes[0] = 2;
        bytes[31] = 0x80;
        let blocks = from_bytes(&bytes);
        assert!(blocks == [Block(2), Block(1 << 127)]);
        let mut written = [0; 32];
        write_bytes(&mut written, &blocks);
        assert_eq!(written, bytes);
        add_to_bytes(&mut written, &blocks);
        assert_eq!(written, [0; 32]);
    }
}
