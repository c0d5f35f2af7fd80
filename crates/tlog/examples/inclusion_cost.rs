//! Time and tile reads of an inclusion proof from a tree of ten million leaves that a store keeps
//! as tiles: `cargo run --release -p symbolon-tlog --example inclusion_cost [leaves]`.
//!
//! Leaf hashes are made up on demand, so that the measured reads of level 0 cost what copying a
//! row of 8 KiB costs; the rows above are real.
#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::time::{Duration, Instant};

use symbolon_tlog::tile::Row;
use symbolon_tlog::{
    Frontier, Hash, HashReader, Tile, TileReader, TileSource, TlogError, inclusion_proof,
    verify_inclusion,
};

const PROOFS: u64 = 10_000;

/// Tiles in memory; the leaf hash of an index is the index mixed.
struct Tiles {
    row_1: Vec<Hash>,
    row_2: Vec<Hash>,
}

impl TileSource for &Tiles {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, TlogError> {
        let from = tile.index() * 256;
        let width = u64::from(tile.width());
        let Row::Hashes { level } = tile.row() else {
            return Err(TlogError::Unavailable);
        };
        let row = match level {
            0 => return Ok((from..from + width).map(made_up).collect()),
            1 => &self.row_1,
            2 => &self.row_2,
            _ => return Err(TlogError::Unavailable),
        };
        let from = usize::try_from(from).map_err(|_| TlogError::BeyondTree)?;
        let hashes = row.get(from..from + usize::from(tile.width()));
        hashes.map(<[Hash]>::to_vec).ok_or(TlogError::Unavailable)
    }
}

fn mix(number: u64) -> u64 {
    let mixed = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
}

fn made_up(index: u64) -> Hash {
    let mut bytes = [0; 32];
    for (part, chunk) in (1u64..).zip(bytes.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&mix(index.wrapping_mul(5).wrapping_add(part)).to_be_bytes());
    }
    Hash(bytes)
}

fn main() -> Result<(), TlogError> {
    let leaves = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000_000u64);
    let mut tiles = Tiles { row_1: Vec::new(), row_2: Vec::new() };
    let mut frontier = Frontier::new();
    let start = Instant::now();
    for index in 0..leaves {
        frontier.append_with(made_up(index), |level, _, hash| match level {
            8 => tiles.row_1.push(hash),
            16 => tiles.row_2.push(hash),
            _ => (),
        })?;
    }
    let built = start.elapsed();
    println!("{leaves} leaves appended in {built:.2?}, {:.2?} each", built / u32_of(leaves));

    let mut times = Vec::new();
    let (mut reads, mut hashes) = (0, 0);
    for number in 0..PROOFS {
        let index = mix(number) % leaves;
        let start = Instant::now();
        let reader = TileReader::new(&tiles, leaves)?;
        let proof = inclusion_proof(&reader, index, leaves)?;
        times.push(start.elapsed());
        reads += reader.tiles_read();
        hashes += proof.len();
        let leaf = reader.hash(0, index)?;
        let _ = verify_inclusion(leaf, index, leaves, &proof, frontier.root())?;
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    let mean = times.iter().sum::<Duration>() / u32_of(PROOFS);
    println!("{PROOFS} inclusion proofs: mean {mean:.2?}, p50 {:.2?}, p99 {:.2?}", at(50), at(99));
    println!("{:.2} tiles and {:.2} hashes a proof", ratio(reads), ratio(hashes));
    Ok(())
}

fn u32_of(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

fn ratio(total: usize) -> f64 {
    f64::from(u32::try_from(total).unwrap_or(u32::MAX)) / f64::from(u32_of(PROOFS))
}
