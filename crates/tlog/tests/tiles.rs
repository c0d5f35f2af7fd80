//! Tiles: paths, partial tiles, and proofs from a store that keeps only tiles.
#![expect(clippy::unwrap_used, reason = "helpers of a test in memory")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use symbolon_tlog::tile::{Row, decode_hashes, encode_hashes};
use symbolon_tlog::{
    Frontier, Hash, HashReader, MemoryTree, Tile, TileReader, TileSource, TlogError, bundle,
    consistency_proof, inclusion_proof, leaf_hash, root_from, verify_inclusion,
};

/// A store that keeps the hashes at levels 0, 8, 16, and nothing else.
#[derive(Default)]
struct Tiles {
    rows: BTreeMap<u8, Vec<Hash>>,
    frontier: Frontier,
    reads: RefCell<usize>,
}

impl Tiles {
    fn append(&mut self, leaf: Hash) {
        let rows = &mut self.rows;
        let keep = |level: u8, index: u64, hash| {
            if level.is_multiple_of(8) {
                let row = rows.entry(level / 8).or_default();
                assert_eq!(row.len() as u64, index);
                row.push(hash);
            }
        };
        self.frontier.append_with(leaf, keep).unwrap();
    }
}

impl TileSource for &Tiles {
    fn tile(&self, tile: Tile) -> Result<Vec<Hash>, TlogError> {
        *self.reads.borrow_mut() += 1;
        let Row::Hashes { level } = tile.row() else {
            return Err(TlogError::Unavailable);
        };
        let row = self.rows.get(&level).ok_or(TlogError::Unavailable)?;
        let from = usize::try_from(tile.index() * 256).unwrap();
        let to = (from + 256).min(row.len());
        row.get(from..to).map(<[Hash]>::to_vec).ok_or(TlogError::Unavailable)
    }
}

fn leaf(index: u32) -> Hash {
    leaf_hash(index.to_be_bytes())
}

#[test]
fn paths_are_those_of_tlog_tiles() {
    let hashes = |level| Row::Hashes { level };
    let cases = [
        (hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
        (hashes(0), 0, 256, "tile/0/000"),
        (hashes(0), 273, 112, "tile/0/273.p/112"),
        (hashes(2), 1000, 1, "tile/2/x001/000.p/1"),
        (hashes(7), 0, 127, "tile/7/000.p/127"),
        (Row::Entries, 67_001, 255, "tile/entries/x067/001.p/255"),
        (hashes(0), 36_028_797_018_963_966, 256, "tile/0/x036/x028/x797/x018/x963/966"),
    ];
    for (row, index, width, path) in cases {
        let tile = Tile::new(row, index, width).unwrap();
        assert_eq!(tile.path(), path);
        assert_eq!(Tile::parse(path), Ok(tile));
        assert_eq!((tile.row(), tile.index(), tile.width()), (row, index, width));
    }
}

#[test]
fn malformed_paths_are_refused() {
    let paths = [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/067",
        "tile/00/000",
        "tile/+0/000",
        "tile/64/000",
        "tile/8/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1.p/1",
        "tile/0/00a",
        "tile/0/x0+1/000",
        "tile/7/000",
        "tile/7/000.p/128",
        "tile/entry/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x036/x028/x797/x018/x963/967",
        "tile/0/０００",
    ];
    for path in paths {
        assert!(Tile::parse(path).is_err(), "{path}");
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_of_the_example() {
    // "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0
    // tile of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one
    // partial level 2 tile of width 1."
    let width =
        |level, index| Tile::in_tree(Row::Hashes { level }, index, 70_000).map(|tile| tile.width());
    assert!((0..273).all(|index| width(0, index) == Ok(256)));
    let cases = [((0, 273), Ok(112)), ((1, 0), Ok(256)), ((1, 1), Ok(17)), ((2, 0), Ok(1))];
    for ((level, index), expect) in cases {
        assert_eq!(width(level, index), expect, "tile {index} of level {level}");
    }
    for (level, index) in [(0, 274), (1, 2), (2, 1), (3, 0), (8, 0), (0, u64::MAX)] {
        assert_eq!(width(level, index), Err(TlogError::BeyondTree), "{index} of level {level}");
    }
    // "A tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of
    // width 1."
    let of_256 = |level| Tile::in_tree(Row::Hashes { level }, 0, 256).map(|tile| tile.path());
    assert_eq!(of_256(0), Ok("tile/0/000".to_owned()));
    assert_eq!(of_256(1), Ok("tile/1/000.p/1".to_owned()));
}

#[test]
fn tiles_alone_serve_every_hash_and_proof() {
    let (mut tiles, mut tree) = (Tiles::default(), MemoryTree::new());
    for index in 0..70_000 {
        tiles.append(leaf(index));
        tree.append(leaf(index)).unwrap();
    }
    // Sizes below that of the store: its tiles are wider than the tree's.
    for size in [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, 66_000, 69_999, 70_000] {
        let reader = TileReader::new(&tiles, size).unwrap();
        let root = root_from(&tree, size).unwrap();
        assert_eq!(root_from(&reader, size), Ok(root), "{size}");
        assert_eq!(Frontier::from_reader(&reader, size), Frontier::from_reader(&tree, size));
        for index in [0, 1, size / 3, size / 2, size.saturating_sub(2), size - 1] {
            let index = index.min(size - 1);
            let proof = inclusion_proof(&reader, index, size).unwrap();
            assert_eq!(inclusion_proof(&tree, index, size).as_ref(), Ok(&proof));
            let leaf = reader.hash(0, index).unwrap();
            let _ = verify_inclusion(leaf, index, size, &proof, root).unwrap();
            assert_eq!(
                consistency_proof(&reader, index, size),
                consistency_proof(&tree, index, size)
            );
        }
    }
}

#[test]
fn a_proof_reads_few_tiles_and_none_twice() {
    let mut tiles = Tiles::default();
    (0..70_000).for_each(|index| tiles.append(leaf(index)));
    for index in [0, 12_345, 65_535, 65_536, 69_999] {
        let reader = TileReader::new(&tiles, 70_000).unwrap();
        let before = *tiles.reads.borrow();
        inclusion_proof(&reader, index, 70_000).unwrap();
        let reads = *tiles.reads.borrow() - before;
        // A tile on each of three rows for the leaf, and one on each for the right edge.
        assert!(reads <= 6, "{reads} reads for leaf {index}");
        assert_eq!(reads, reader.tiles_read());
    }
}

#[test]
fn what_a_source_lacks_is_unavailable() {
    struct Short(usize);
    impl TileSource for Short {
        fn tile(&self, _: Tile) -> Result<Vec<Hash>, TlogError> {
            Ok(vec![leaf(0); self.0])
        }
    }
    let reader = TileReader::new(Short(9), 10).unwrap();
    assert_eq!(reader.hash(0, 0), Err(TlogError::Unavailable));
    for (level, index) in [(0, 10), (1, 5), (62, 0), (63, 0), (255, 0), (3, u64::MAX)] {
        assert_eq!(reader.hash(level, index), Err(TlogError::BeyondTree), "{level}, {index}");
    }
    assert!(TileReader::new(Short(9), u64::MAX).is_err());
}

#[test]
fn tile_files_and_bundles_come_back() {
    let hashes: Vec<Hash> = (0..100).map(leaf).collect();
    let bytes = encode_hashes(&hashes);
    assert_eq!(decode_hashes(&bytes, 100), Ok(hashes));
    assert!(decode_hashes(&bytes, 99).is_err());
    assert!(decode_hashes(&bytes[..3199], 100).is_err());

    let entries = [vec![], vec![1; 65_535], vec![2]];
    let bytes = bundle::encode_entries(&entries).unwrap();
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    assert_eq!(bundle::decode_entries(&bytes, 3), Ok(entries));
    let refused = [(&bytes[..], 2), (&bytes[..], 4), (&bytes[..bytes.len() - 1], 3), (&[], 0)];
    for (bytes, width) in refused {
        assert!(bundle::decode_entries(bytes, width).is_err());
    }
    let too_long = bundle::encode_entries(&[vec![0; 65_536]]);
    assert_eq!(too_long, Err(TlogError::EntryTooLong));
    assert_eq!(bundle::encode_entries::<Vec<u8>>(&[]), Err(TlogError::BeyondTree));
    assert_eq!(bundle::encode_entries(&[[0]; 257]), Err(TlogError::BeyondTree));
}
