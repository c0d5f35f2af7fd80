//! A holder in a process of its own, for tests that kill it or weigh it.

use std::io::{BufRead, BufReader, Lines};
use std::process::{ChildStdout, Command, Stdio};

use super::*;

/// Not a test of its own: the body of the other process.
#[tokio::test]
#[ignore = "runs as a child process of other tests"]
async fn body() {
    let Ok(asker) = std::env::var("SYMBOLON_TEST_ASKER") else {
        return;
    };
    let hang = std::env::var("SYMBOLON_TEST_SERVICE").unwrap() == "hang";
    let service = move |_: &Established| {
        println!("asked");
        if hang {
            loop {
                std::thread::park();
            }
        }
        Say::Card
    };
    let holder = node(2, Timing::default(), Desk(service));
    holder.knows_at(&AGENCIES[0], asker.parse().unwrap());
    println!("address {}", holder.address);
    std::future::pending::<()>().await;
}

/// The running process; killed when dropped.
pub(super) struct Child {
    process: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(super) address: SocketAddr,
}

impl Child {
    /// Starts a holder that knows `asker` and answers (`"card"`) or never does (`"hang"`).
    pub(super) fn spawn(asker: &Node, service: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "quic::tests::child::body", "--ignored", "--nocapture"])
            .env("SYMBOLON_TEST_ASKER", asker.address.to_string())
            .env("SYMBOLON_TEST_SERVICE", service)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // The test harness may have written the beginning of the line.
        let address = lines
            .find_map(|line| Some(line.unwrap().split_once("address ")?.1.parse().unwrap()))
            .unwrap();
        Self { process, lines, address }
    }

    pub(super) fn wait_until_asked(&mut self) {
        assert!(self.lines.any(|line| line.unwrap().contains("asked")));
    }

    /// Resident memory, in KiB.
    pub(super) fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // SIGKILL on Unix.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
