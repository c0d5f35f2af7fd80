//! Kills a writing process again and again: nothing that it acknowledged may be lost.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use symbolon_store::Write;

use crate::{budget, create, entry, open, record, unlock};

const KILLS: u64 = 24;
const THREADS: u64 = 4;
const DIRECTORY: &str = "SYMBOLON_STORE_CRASH_DIRECTORY";
const ROUND: &str = "SYMBOLON_STORE_CRASH_ROUND";

/// Not a test by itself: what the killed process does. Each commit keeps one record, one entry and
/// one unit of budget together, and says so once it is durable.
#[test]
fn writes_until_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let mut seed = [9; 32];
    seed[0] = u8::try_from(round).unwrap();
    let store = symbolon_store::Store::open(directory.as_ref(), &unlock(), seed).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for step in 0.. {
                    let number = round * 1_000_000 + thread * 100_000 + step;
                    let write = Write::new()
                        .record_create(&record(number), Vec::new())
                        .spend(budget(), 1, u64::MAX / 2)
                        .log(entry(number));
                    let receipt = store.commit(write).unwrap().last().unwrap();
                    let line = format!("durable {number} {}\n", receipt.leaf_index);
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn nothing_acknowledged_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    drop(create(directory.path()));
    let mut acknowledged = Vec::new();
    let mut dice: u64 = 0x9e37_79b9_7f4a_7c15;
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writes_until_killed", "--test-threads", "1", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = 1 + (dice >> 33) % 60;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = 0;
        while seen < until {
            let line = lines.next().expect("the child ended by itself");
            seen += u64::from(acknowledge(&line, &mut acknowledged));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between the last line read and its death counts as well.
        lines.for_each(|line| {
            acknowledge(&line, &mut acknowledged);
        });

        let store = open(directory.path(), 100 + u8::try_from(round).unwrap());
        let head = store.log_verify(|_| ()).unwrap();
        assert!(head.size >= acknowledged.len() as u64);
        assert_eq!(store.record_count().unwrap(), head.size, "round {round}");
        assert_eq!(store.budget_spent(&budget()).unwrap(), head.size, "round {round}");
        for (number, index) in &acknowledged {
            let logged = store.log_entry_fetch(*index).unwrap().unwrap();
            assert_eq!(logged.entry(), &entry(*number));
            assert!(store.record_fetch(record(*number).id()).unwrap().is_some());
        }
    }
    assert!(acknowledged.len() as u64 >= KILLS);
}

fn acknowledge(line: &str, acknowledged: &mut Vec<(u64, u64)>) -> bool {
    // The harness may have written on the same line before. A line this short is never torn.
    let Some((_, rest)) = line.split_once("durable ") else {
        return false;
    };
    let Some((number, index)) = rest.split_once(' ') else {
        return false;
    };
    let (Ok(number), Ok(index)) = (number.parse(), index.parse()) else {
        return false;
    };
    acknowledged.push((number, index));
    true
}
