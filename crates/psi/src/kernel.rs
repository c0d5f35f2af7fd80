//! Carry-less multiplication: with the processor's instruction where it has one, else portably.
//!
//! Implements spec/psi.md#field. The only file of the project with `unsafe` code.
//!
//! Invariants: every path computes the same function (tests compare them); no table is indexed and
//! no branch taken by a value.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "calls of functions whose instructions were detected, and loads")
)]

use crate::field::Block;

/// The product.
#[inline]
pub(crate) fn mul(left: Block, right: Block) -> Block {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the instruction was detected on the line above.
        return unsafe { x86::mul(left, right) };
    }
    portable::mul(left, right)
}

/// `sums[i] += values[i] * scalar`.
pub(crate) fn scale_add(sums: &mut [Block], values: &[Block], scalar: Block) {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::is_wide() {
            // SAFETY: `is_wide` detected every feature that the function is compiled with.
            return unsafe { x86::scale_add_wide(sums, values, scalar) };
        }
        if is_x86_feature_detected!("pclmulqdq") {
            // SAFETY: the instruction was detected on the line above.
            return unsafe { x86::scale_add(sums, values, scalar) };
        }
    }
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum ^= portable::mul(*value, scalar);
    }
}

/// The sum of `left[i] * right[i]`.
pub(crate) fn inner_product(left: &[Block], right: &[Block]) -> Block {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::is_wide() {
            // SAFETY: `is_wide` detected every feature that the function is compiled with.
            return unsafe { x86::inner_product_wide(left, right) };
        }
        if is_x86_feature_detected!("pclmulqdq") {
            // SAFETY: the instruction was detected on the line above.
            return unsafe { x86::inner_product(left, right) };
        }
    }
    left.iter().zip(right).fold(Block::ZERO, |sum, (l, r)| sum ^ portable::mul(*l, *r))
}

/// `sums[i] += coefficients[0] * points[i] + coefficients[1] * points[i]^2 + …`
pub(crate) fn polynomial_add(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::is_wide() {
            // SAFETY: `is_wide` detected every feature that the function is compiled with.
            return unsafe { x86::polynomial_add_wide(sums, points, coefficients) };
        }
        if is_x86_feature_detected!("pclmulqdq") {
            // SAFETY: the instruction was detected on the line above.
            return unsafe { x86::polynomial_add(sums, points, coefficients) };
        }
    }
    for (sum, point) in sums.iter_mut().zip(points) {
        let step = |total: Block, c: &Block| portable::mul(total ^ *c, *point);
        *sum ^= coefficients.iter().rev().fold(Block::ZERO, step);
    }
}

mod portable {
    use super::Block;

    /// Every fourth bit, from bit zero.
    const HOLES: u64 = 0x1111_1111_1111_1111;

    /// Low 64 bits of the carry-less product.
    ///
    /// Integer multiplication of numbers that have a bit in every fourth place carries at most
    /// three places far (15 summands), so the wanted bits are the lowest of each group of four.
    /// The top group would overflow only beyond bit 63.
    fn low(x: u64, y: u64) -> u64 {
        let xs = [x & HOLES, x & (HOLES << 1), x & (HOLES << 2), x & (HOLES << 3)];
        let ys = [y & HOLES, y & (HOLES << 1), y & (HOLES << 2), y & (HOLES << 3)];
        let [x0, x1, x2, x3] = xs;
        let [y0, y1, y2, y3] = ys;
        let m = u64::wrapping_mul;
        let z0 = m(x0, y0) ^ m(x1, y3) ^ m(x2, y2) ^ m(x3, y1);
        let z1 = m(x0, y1) ^ m(x1, y0) ^ m(x2, y3) ^ m(x3, y2);
        let z2 = m(x0, y2) ^ m(x1, y1) ^ m(x2, y0) ^ m(x3, y3);
        let z3 = m(x0, y3) ^ m(x1, y2) ^ m(x2, y1) ^ m(x3, y0);
        (z0 & HOLES) | (z1 & (HOLES << 1)) | (z2 & (HOLES << 2)) | (z3 & (HOLES << 3))
    }

    /// Carry-less product of two 64-bit polynomials; the high half by reversing the bits.
    fn wide(x: u64, y: u64) -> u128 {
        let high = low(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
        (u128::from(high) << 64) | u128::from(low(x, y))
    }

    fn halves(x: u128) -> (u64, u64) {
        (x as u64, (x >> 64) as u64)
    }

    pub(super) fn mul(left: Block, right: Block) -> Block {
        let ((a0, a1), (b0, b1)) = (halves(left.0), halves(right.0));
        let (z0, z2) = (wide(a0, b0), wide(a1, b1));
        let z1 = wide(a0 ^ a1, b0 ^ b1) ^ z0 ^ z2;
        let (low, high) = (z0 ^ (z1 << 64), z2 ^ (z1 >> 64));
        // x^128 = x^7 + x^2 + x + 1, twice: the first fold carries at most seven bits out.
        let carry = (high >> 127) ^ (high >> 126) ^ (high >> 121);
        let folded = low ^ high ^ (high << 1) ^ (high << 2) ^ (high << 7);
        Block(folded ^ carry ^ (carry << 1) ^ (carry << 2) ^ (carry << 7))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m128i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x,
        _mm_setzero_si128, _mm_slli_si128, _mm_unpackhi_epi64, _mm_xor_si128,
        _mm512_broadcast_i32x4, _mm512_bslli_epi128, _mm512_clmulepi64_epi128,
        _mm512_extracti32x4_epi32, _mm512_loadu_si512, _mm512_setzero_si512, _mm512_storeu_si512,
        _mm512_xor_si512,
    };

    use super::Block;

    /// Blocks of a 512-bit register.
    const LANES: usize = 4;

    /// x^7 + x^2 + x + 1, which x^128 is equal to.
    const FOLD: i64 = 0x87;

    pub(super) fn is_wide() -> bool {
        is_x86_feature_detected!("vpclmulqdq")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("pclmulqdq")
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq,sse2")]
    fn load(block: Block) -> __m128i {
        _mm_set_epi64x((block.0 >> 64) as i64, block.0 as i64)
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq,sse2")]
    fn store(x: __m128i) -> Block {
        let low = _mm_cvtsi128_si64(x) as u64;
        let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(x, x)) as u64;
        Block((u128::from(high) << 64) | u128::from(low))
    }

    /// The 256-bit product as low, middle and high, the middle to be added at bit 64.
    #[inline]
    #[target_feature(enable = "pclmulqdq,sse2")]
    fn product(a: __m128i, b: __m128i) -> [__m128i; 3] {
        let low = _mm_clmulepi64_si128::<0x00>(a, b);
        let high = _mm_clmulepi64_si128::<0x11>(a, b);
        let cross = _mm_clmulepi64_si128::<0x01>(a, b);
        let middle = _mm_xor_si128(cross, _mm_clmulepi64_si128::<0x10>(a, b));
        [low, middle, high]
    }

    /// Folds the bits from 192 on into the middle, then those from 128 on into the low half.
    #[inline]
    #[target_feature(enable = "pclmulqdq,sse2")]
    fn reduce([low, middle, high]: [__m128i; 3]) -> __m128i {
        let fold = _mm_set_epi64x(0, FOLD);
        let middle = _mm_xor_si128(middle, _mm_clmulepi64_si128::<0x01>(high, fold));
        let middle = _mm_xor_si128(middle, _mm_slli_si128::<8>(high));
        let low = _mm_xor_si128(low, _mm_slli_si128::<8>(middle));
        _mm_xor_si128(low, _mm_clmulepi64_si128::<0x01>(middle, fold))
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq,sse2")]
    pub(super) fn mul(left: Block, right: Block) -> Block {
        store(reduce(product(load(left), load(right))))
    }

    #[target_feature(enable = "pclmulqdq,sse2")]
    pub(super) fn scale_add(sums: &mut [Block], values: &[Block], scalar: Block) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum ^= mul(*value, scalar);
        }
    }

    /// Adds the products before their one reduction, which is linear.
    #[target_feature(enable = "pclmulqdq,sse2")]
    pub(super) fn inner_product(left: &[Block], right: &[Block]) -> Block {
        let mut sum = [_mm_setzero_si128(); 3];
        for (left, right) in left.iter().zip(right) {
            let [low, middle, high] = product(load(*left), load(*right));
            let [sum_low, sum_middle, sum_high] = sum;
            sum = [
                _mm_xor_si128(sum_low, low),
                _mm_xor_si128(sum_middle, middle),
                _mm_xor_si128(sum_high, high),
            ];
        }
        store(reduce(sum))
    }

    #[target_feature(enable = "pclmulqdq,sse2")]
    pub(super) fn polynomial_add(sums: &mut [Block], points: &[Block], coefficients: &[Block]) {
        for (sum, point) in sums.iter_mut().zip(points) {
            let point = load(*point);
            let mut total = _mm_setzero_si128();
            for coefficient in coefficients.iter().rev() {
                total = reduce(product(_mm_xor_si128(total, load(*coefficient)), point));
            }
            *sum ^= store(total);
        }
    }

    #[inline]
    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    fn load_wide(blocks: &[Block; LANES]) -> __m512i {
        // SAFETY: the array is 64 readable bytes and the load needs no alignment.
        unsafe { _mm512_loadu_si512(blocks.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    fn store_wide(blocks: &mut [Block; LANES], x: __m512i) {
        // SAFETY: the array is 64 writable bytes, any bits are a `Block`, and the store needs no
        // alignment.
        unsafe { _mm512_storeu_si512(blocks.as_mut_ptr().cast(), x) }
    }

    #[inline]
    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    fn product_wide(a: __m512i, b: __m512i) -> [__m512i; 3] {
        let low = _mm512_clmulepi64_epi128::<0x00>(a, b);
        let high = _mm512_clmulepi64_epi128::<0x11>(a, b);
        let cross = _mm512_clmulepi64_epi128::<0x01>(a, b);
        let middle = _mm512_xor_si512(cross, _mm512_clmulepi64_epi128::<0x10>(a, b));
        [low, middle, high]
    }

    #[inline]
    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    fn reduce_wide([low, middle, high]: [__m512i; 3]) -> __m512i {
        let fold = _mm512_broadcast_i32x4(_mm_set_epi64x(0, FOLD));
        let middle = _mm512_xor_si512(middle, _mm512_clmulepi64_epi128::<0x01>(high, fold));
        let middle = _mm512_xor_si512(middle, _mm512_bslli_epi128::<8>(high));
        let low = _mm512_xor_si512(low, _mm512_bslli_epi128::<8>(middle));
        _mm512_xor_si512(low, _mm512_clmulepi64_epi128::<0x01>(middle, fold))
    }

    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    pub(super) fn scale_add_wide(sums: &mut [Block], values: &[Block], scalar: Block) {
        let factor = _mm512_broadcast_i32x4(load(scalar));
        let (sums, sums_rest) = sums.as_chunks_mut::<LANES>();
        let (values, values_rest) = values.as_chunks::<LANES>();
        for (sum, value) in sums.iter_mut().zip(values) {
            let product = reduce_wide(product_wide(load_wide(value), factor));
            let total = _mm512_xor_si512(load_wide(sum), product);
            store_wide(sum, total);
        }
        scale_add(sums_rest, values_rest, scalar);
    }

    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    pub(super) fn polynomial_add_wide(
        sums: &mut [Block],
        points: &[Block],
        coefficients: &[Block],
    ) {
        let (sums, sums_rest) = sums.as_chunks_mut::<LANES>();
        let (points, points_rest) = points.as_chunks::<LANES>();
        for (sum, point) in sums.iter_mut().zip(points) {
            let point = load_wide(point);
            let mut total = _mm512_setzero_si512();
            for coefficient in coefficients.iter().rev() {
                let coefficient = _mm512_broadcast_i32x4(load(*coefficient));
                total = reduce_wide(product_wide(_mm512_xor_si512(total, coefficient), point));
            }
            let total = _mm512_xor_si512(load_wide(sum), total);
            store_wide(sum, total);
        }
        polynomial_add(sums_rest, points_rest, coefficients);
    }

    #[target_feature(enable = "vpclmulqdq,avx512f,avx512bw,pclmulqdq")]
    pub(super) fn inner_product_wide(left: &[Block], right: &[Block]) -> Block {
        let (left, left_rest) = left.as_chunks::<LANES>();
        let (right, right_rest) = right.as_chunks::<LANES>();
        let mut sum = [_mm512_setzero_si512(); 3];
        for (left, right) in left.iter().zip(right) {
            let [low, middle, high] = product_wide(load_wide(left), load_wide(right));
            let [sum_low, sum_middle, sum_high] = sum;
            sum = [
                _mm512_xor_si512(sum_low, low),
                _mm512_xor_si512(sum_middle, middle),
                _mm512_xor_si512(sum_high, high),
            ];
        }
        let lanes = reduce_wide(sum);
        let first = store(_mm512_extracti32x4_epi32::<0>(lanes));
        let second = store(_mm512_extracti32x4_epi32::<1>(lanes));
        let third = store(_mm512_extracti32x4_epi32::<2>(lanes));
        let fourth = store(_mm512_extracti32x4_epi32::<3>(lanes));
        first ^ second ^ third ^ fourth ^ inner_product(left_rest, right_rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks without pattern, from a linear congruence.
    fn blocks(count: usize, seed: u128) -> Vec<Block> {
        let step = |x: &u128| {
            Some(x.wrapping_mul(0x2d99_7879_26d4_6932_a4c1_f326_80f7_0c55).wrapping_add(97))
        };
        std::iter::successors(Some(seed), step)
            .skip(3)
            .take(count)
            .map(|x| Block(x ^ (x >> 61)))
            .collect()
    }

    /// Multiplication by the definition: shift, add, reduce bit by bit.
    fn definition(left: Block, right: Block) -> Block {
        let (mut sum, mut power) = (0, left.0);
        for bit in 0..128 {
            if right.0 >> bit & 1 == 1 {
                sum ^= power;
            }
            power = (power << 1) ^ if power >> 127 == 1 { 0x87 } else { 0 };
        }
        Block(sum)
    }

    #[test]
    fn all_paths_are_the_definition() {
        let mut left = blocks(100, 1);
        let mut right = blocks(100, 2);
        left.extend([Block(0), Block(1), Block(u128::MAX), Block(1 << 127), Block(1 << 127)]);
        right.extend([Block(5), Block(u128::MAX), Block(u128::MAX), Block(2), Block(1 << 127)]);
        for (l, r) in left.iter().zip(&right) {
            let expect = definition(*l, *r);
            assert!(mul(*l, *r) == expect && portable::mul(*l, *r) == expect);
        }
        for count in [0, 1, 3, 4, 5, 104, 105] {
            let (l, r) = (&left[..count], &right[..count]);
            let products: Vec<Block> = l.iter().zip(r).map(|(l, r)| definition(*l, *r)).collect();
            let expect = blocks(count, 3);
            assert!(inner_product(l, r) == products.iter().fold(Block::ZERO, |s, p| s ^ *p));
            let coefficients = blocks(3, 8);
            let mut sums = blocks(count, 3);
            polynomial_add(&mut sums, l, &coefficients);
            let values = l.iter().map(|point| {
                let step = |total, c: &Block| definition(total ^ *c, *point);
                coefficients.iter().rev().fold(Block::ZERO, step)
            });
            assert!(sums.iter().zip(&expect).zip(values).all(|((s, e), p)| *s == *e ^ p));
            let mut sums = blocks(count, 3);
            scale_add(&mut sums, l, Block(77 << 90));
            let scaled = l.iter().map(|l| definition(*l, Block(77 << 90)));
            assert!(sums.iter().zip(&expect).zip(scaled).all(|((s, e), p)| *s == *e ^ p));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn the_narrow_path_is_the_wide_one() {
        if !is_x86_feature_detected!("pclmulqdq") {
            return;
        }
        let (left, right) = (blocks(9, 4), blocks(9, 5));
        let (mut narrow, mut wide) = (blocks(9, 6), blocks(9, 6));
        // SAFETY: the instruction was detected above.
        let product = unsafe {
            x86::scale_add(&mut narrow, &left, Block(9));
            x86::polynomial_add(&mut narrow, &left, &right);
            x86::inner_product(&left, &right)
        };
        scale_add(&mut wide, &left, Block(9));
        polynomial_add(&mut wide, &left, &right);
        assert!(narrow == wide && product == inner_product(&left, &right));
    }
}
