//! Tag sets: their shape, their roots by the definition, transfer and openings, tampered with.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's failed step is its failure"
)]

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use symbolon_ident::Class;
use symbolon_oprf::{
    CHUNK_BYTES, Chunk, CommitmentOpening, EpochSeed, KeyNames, OprfError, RecordRef, SetSalt, Tag,
    TagSet, TagSetBuilder, TagSetTransfer, padded_count,
};
use symbolon_tlog::{Frontier, Hash};

fn salt(serial: u64) -> SetSalt {
    let names = KeyNames { holder: &[1; 32], asker: &[2; 32], class: Class::Contact, epoch: 9 };
    SetSalt::derive(&EpochSeed::new([3; 32]), &names, serial)
}

/// Any number as a tag, spread like real ones.
fn tag(number: u32) -> Tag {
    let hash = Sha256::digest(number.to_be_bytes());
    Tag::from_bytes(hash[..16].try_into().unwrap())
}

fn record(number: u32) -> RecordRef {
    RecordRef { id: u128::from(number).to_be_bytes(), version: [7; 32] }
}

fn set(tags: u32) -> TagSet {
    let mut builder = TagSetBuilder::new();
    (0..tags).for_each(|number| builder.add(tag(number), record(number)));
    builder.build(&salt(1), [4; 32], 1).unwrap()
}

/// RFC 6962 §2.1, as it is written.
fn merkle(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [one] => Sha256::digest([&[0], one.as_slice()].concat()).into(),
        many => {
            let middle = many.len().next_power_of_two() / 2;
            let (left, right) = many.split_at(middle);
            Sha256::digest([&[1][..], &merkle(left), &merkle(right)].concat()).into()
        }
    }
}

#[test]
fn counts_are_the_next_power_or_one_and_a_half() {
    let cases = [
        (0, 1024),
        (1, 1024),
        (1024, 1024),
        (1025, 1536),
        (1536, 1536),
        (1537, 2048),
        (2049, 3072),
        (3073, 4096),
        (100_000, 131_072),
        (131_073, 196_608),
        (1 << 28, 1 << 28),
    ];
    for (tags, expect) in cases {
        assert_eq!(padded_count(tags), expect, "{tags}");
    }
}

#[test]
fn roots_are_those_of_the_definition() {
    for tags in [0, 1, 1024, 1025, 1537] {
        let set = set(tags);
        let chunks: Vec<Chunk> = set.chunks().collect();
        assert_eq!(chunks.len() * 256, usize::try_from(set.count()).unwrap());
        assert_eq!(set.count(), padded_count(u64::from(tags)));
        let entries = chunks.iter().flat_map(Chunk::entries);
        let leaves: Vec<Vec<u8>> = entries
            .map(|entry| [entry.tag.as_bytes().as_slice(), entry.commitment.as_bytes()].concat())
            .collect();
        assert_eq!(set.set_root().as_bytes(), &merkle(&leaves));
        let bytes: Vec<Vec<u8>> = chunks.iter().map(Chunk::tag_bytes).collect();
        assert!(bytes.iter().all(|bytes| bytes.len() == CHUNK_BYTES));
        assert_eq!(set.tags_root().as_bytes(), &merkle(&bytes));
        for (chunk, hash) in leaves.chunks(256).zip(set.level8()) {
            assert_eq!(&merkle(chunk), hash.as_bytes());
        }
    }
}

#[test]
fn entries_are_merged_and_order_and_threads_change_nothing() {
    let forward = [(1, 5), (1, 6), (2, 5), (3, 8)];
    let backward = [(3, 8), (2, 5), (1, 6), (1, 5), (1, 5), (2, 5)];
    let build = |rows: &[(u32, u32)], workers| {
        let mut builder = TagSetBuilder::with_capacity(rows.len());
        rows.iter().for_each(|(t, r)| builder.add(tag(*t), record(*r)));
        builder.build(&salt(1), [4; 32], workers).unwrap()
    };
    let (one, two) = (build(&forward, 1), build(&backward, 3));
    assert_eq!((one.set_root(), one.tags_root()), (two.set_root(), two.tags_root()));
    let chunks: Vec<Chunk> = one.chunks().collect();
    let entries: Vec<_> = chunks.iter().flat_map(Chunk::entries).collect();
    assert_eq!(entries.iter().filter(|entry| !entry.records.is_empty()).count(), 3);
    let merged = chunks.iter().find_map(|chunk| chunk.find(&tag(1))).unwrap().1;
    assert_eq!(merged.records, vec![record(5), record(6)]);
}

#[test]
fn salt_and_seed_change_commitments_and_padding_only() {
    let build = |serial, seed| {
        let mut builder = TagSetBuilder::new();
        builder.add(tag(1), record(1));
        builder.build(&salt(serial), [seed; 32], 1).unwrap()
    };
    let (base, salted, seeded) = (build(1, 4), build(2, 4), build(1, 5));
    assert_eq!(base.tags_root(), salted.tags_root());
    assert_ne!(base.set_root(), salted.set_root());
    assert_ne!(base.tags_root(), seeded.tags_root());
}

#[test]
fn a_crowded_tag_commits_to_its_newest_records() {
    let mut builder = TagSetBuilder::new();
    (0..1030).for_each(|number| builder.add(tag(1), record(number)));
    builder.add(tag(2), record(1));
    let set = builder.build(&salt(1), [4; 32], 2).unwrap();
    assert_eq!(set.records_left_out(), 6);
    let chunks: Vec<Chunk> = set.chunks().collect();
    let entry = chunks.iter().find_map(|chunk| chunk.find(&tag(1))).unwrap().1;
    assert_eq!(entry.records, (6..1030).map(record).collect::<Vec<_>>());
}

#[test]
fn every_entry_opens_and_padding_does_not() {
    for tags in [3, 1300, 2100] {
        let set = set(tags);
        let mut opened = 0;
        for chunk in set.chunks() {
            for (position, entry) in chunk.entries().iter().enumerate() {
                let opening = chunk.open_commitment(position, set.level8(), &salt(1));
                if entry.records.is_empty() {
                    assert_eq!(opening.err(), Some(OprfError::EntryPadding));
                    continue;
                }
                let opening = opening.unwrap();
                let verified = opening.verify(&entry.tag, set.count(), &set.set_root()).unwrap();
                assert_eq!(verified.records(), entry.records);
                opened += 1;
            }
            let beyond = chunk.open_commitment(256, set.level8(), &salt(1));
            assert_eq!(beyond.err(), Some(OprfError::EntryUnknown));
        }
        assert_eq!(opened, tags);
    }
}

#[test]
fn openings_need_their_own_chunk_hashes_and_salt() {
    let set = set(1300);
    let (chunk, position) = set
        .chunks()
        .find_map(|chunk| chunk.find(&tag(5)).map(|found| found.0).map(|at| (chunk, at)))
        .unwrap();
    let open = |level8: &[Hash], serial| chunk.open_commitment(position, level8, &salt(serial));
    assert!(open(set.level8(), 1).is_ok());
    assert_eq!(open(set.level8(), 2).err(), Some(OprfError::EntryUnknown));
    assert_eq!(open(&[], 1).err(), Some(OprfError::EntryUnknown));
    let mut other = set.level8().to_vec();
    other.reverse();
    assert_eq!(open(&other, 1).err(), Some(OprfError::EntryUnknown));
}

#[test]
fn every_part_of_an_opening_counts() {
    let set = set(1300);
    let (opening, tag) = set
        .chunks()
        .find_map(|chunk| {
            let (position, _) = chunk.find(&tag(77))?;
            Some((chunk.open_commitment(position, set.level8(), &salt(1)).unwrap(), tag(77)))
        })
        .unwrap();
    type Change = fn(&mut CommitmentOpening);
    let changes: [(&str, Change); 9] = [
        ("salt", |opening| opening.salt[0] ^= 1),
        ("record id", |opening| opening.records[0].id[15] ^= 1),
        ("record version", |opening| opening.records[0].version[0] ^= 1),
        ("record added", |opening| opening.records.push(record(5000))),
        ("record repeated", |opening| opening.records.push(opening.records[0])),
        ("no record", |opening| opening.records.clear()),
        ("index", |opening| opening.index ^= 1),
        ("proof", |opening| opening.proof[3].0[0] ^= 1),
        ("proof shortened", |opening| opening.proof.truncate(3)),
    ];
    let verify = |opening: &CommitmentOpening| opening.verify(&tag, set.count(), &set.set_root());
    assert!(verify(&opening).is_ok());
    for (part, change) in changes {
        let mut changed = opening.clone();
        change(&mut changed);
        assert_eq!(verify(&changed).err(), Some(OprfError::CommitmentInvalid), "{part}");
    }
    let other = opening.verify(&self::tag(78), set.count(), &set.set_root());
    assert_eq!(other.err(), Some(OprfError::CommitmentInvalid));
    let bytes = symbolon_codec::encode(&opening);
    assert_eq!(symbolon_codec::decode::<CommitmentOpening>(&bytes, 4096), Ok(opening));
}

#[test]
fn chunks_come_back_from_the_store() {
    let set = set(1300);
    for (chunk, number) in set.chunks().zip(0..) {
        let bytes = chunk.encode();
        assert_eq!(Chunk::decode(&bytes), Ok(chunk));
        assert_eq!(Chunk::decode(&bytes).unwrap().number(), number);
        assert!(Chunk::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}

fn chunks(set: &TagSet) -> Vec<Vec<u8>> {
    set.chunks().map(|chunk| chunk.tag_bytes()).collect()
}

#[test]
fn a_transfer_resumes_and_ends_with_evidence() {
    let set = set(1300);
    let chunks = chunks(&set);
    let mut transfer = TagSetTransfer::new(set.count(), set.tags_root()).unwrap();
    let mut tags = Vec::new();
    for (number, chunk) in (0u64..).zip(&chunks) {
        assert_eq!(transfer.next_chunk(), number);
        tags.extend(transfer.accept(chunk).unwrap());
        let frontier =
            Frontier::from_parts(number + 1, transfer.frontier().hashes().to_vec()).unwrap();
        let last = transfer.last();
        transfer = TagSetTransfer::resume(set.count(), set.tags_root(), frontier, last).unwrap();
    }
    assert_eq!(transfer.accept(&chunks[0]).err(), Some(OprfError::TagSetCount));
    let received = transfer.finish().unwrap();
    assert_eq!((received.count(), received.tags_root()), (set.count(), set.tags_root()));
    assert!(tags.is_sorted());
    assert!((0..1300).all(|number| tags.binary_search(&tag(number)).is_ok()));
}

#[test]
fn a_false_transfer_is_refused() {
    let set = set(1300);
    let good = chunks(&set);
    let start = || TagSetTransfer::new(set.count(), set.tags_root()).unwrap();
    for count in [0, 1, 1023, 1025, 1280, 2049, u64::MAX] {
        let refused = TagSetTransfer::new(count, set.tags_root());
        assert_eq!(refused.err(), Some(OprfError::TagSetCount), "{count}");
    }
    let mut transfer = start();
    for length in [0, CHUNK_BYTES - 1, CHUNK_BYTES - 16, CHUNK_BYTES + 16] {
        let bytes = vec![1; length];
        let refused = transfer.accept(&bytes);
        assert_eq!(refused.err(), Some(OprfError::Length { bytes: CHUNK_BYTES }));
    }
    let mut swapped = good[0].clone();
    swapped.rotate_left(16);
    assert_eq!(transfer.accept(&swapped).err(), Some(OprfError::TagOrder));
    transfer.accept(&good[0]).unwrap();
    assert_eq!(transfer.accept(&good[0]).err(), Some(OprfError::TagOrder), "repeated");
    assert_eq!(transfer.finish().err(), Some(OprfError::TagSetCount), "cut short");
    // A tag replaced by another that keeps the order is found at the end, or at once where the
    // hashes of the chunks came ahead.
    let mut changed = good.clone();
    changed[1][15] ^= 1;
    let mut transfer = start();
    changed.iter().for_each(|chunk| drop(transfer.accept(chunk).unwrap()));
    assert_eq!(transfer.finish().err(), Some(OprfError::TagSetDigest));
    let hashes: Vec<Hash> = good.iter().map(symbolon_tlog::leaf_hash).collect();
    let mut transfer = start().expect_chunks(hashes.clone()).unwrap();
    transfer.accept(&good[0]).unwrap();
    assert_eq!(transfer.accept(&changed[1]).err(), Some(OprfError::TagSetDigest));
    assert!(transfer.accept(&good[1]).is_ok(), "goes on with the right chunk");
    let short = start().expect_chunks(hashes[1..].to_vec());
    assert_eq!(short.err(), Some(OprfError::TagSetDigest));
}

proptest! {
    #[test]
    fn padded_counts_fit_and_are_stable(tags in 0u64..=1 << 28) {
        let count = padded_count(tags);
        prop_assert!(count >= tags && count.is_multiple_of(256));
        prop_assert_eq!(padded_count(count), count);
        // At most half again as large as needed.
        prop_assert!(count <= 1024 || count * 2 < tags * 3);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Chunk::decode(&bytes);
        let _ = symbolon_codec::decode::<CommitmentOpening>(&bytes, 200);
        let set = Hash([0; 32]);
        let _ = TagSetTransfer::new(1024, set).unwrap().accept(&bytes);
    }
}
