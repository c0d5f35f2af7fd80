//! What the checks that span crates share: the tree, nodes as processes, samples. No product code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this package only supports tests, where a panic is the report"
)]

mod clock;
pub mod corpus;
mod courier;
mod entries;
pub mod evidence;
mod go;
mod hotline;
mod http;
mod https;
mod leaves;
mod node;
mod relay;
pub mod sample;
pub mod vectors;

pub use evidence::verify;
pub use go::go_verify;
pub use hotline::{Gate, Hold, HotlineClient};
pub use http::{Answer, post};
pub use https::{Https, Said};
pub use node::{
    MAPPING, Node, PURPOSE, agree_on_drills, columns, free_address, introduce, neighbours, program,
    row,
};
pub use relay::{LongWay, Relay, Weather};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// One sample of every structure that is stored or signed, entries of the log among them.
#[must_use]
pub fn structures() -> Vec<sample::Sample> {
    let entries = entries::samples().into_iter().map(sample::sample);
    sample::structures().into_iter().chain(entries).collect()
}

/// Looks at `condition` again and again until it gives something; panics after `seconds`.
pub fn wait_for<T>(what: &str, seconds: u64, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    // Nobody sends: the wait between two looks is the time-out.
    let (_held, never) = channel::<()>();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {seconds} s");
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
}

/// Where `needle` stands in `bytes`, letters of either case being the same.
#[must_use]
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let last = bytes.len().checked_sub(needle.len())?;
    (0..=last).find(|at| {
        bytes.get(*at).is_some_and(|byte| byte.eq_ignore_ascii_case(first))
            && bytes
                .get(at + 1..at + needle.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(rest))
    })
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// The root of the source tree.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file under `folder` (relative to the root) whose name ends in `.extension`, build output
/// and hidden folders left out, in path order.
#[must_use]
pub fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// `cargo metadata` of this workspace, without its dependencies.
#[must_use]
pub fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    if !output.status.success() {
        panic!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).unwrap()
}
