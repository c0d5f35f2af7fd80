//! Both parties of a bulk match in one process, over a channel in memory that counts bytes.
//!
//! Implements spec/psi.md#measuring. `--left FILE --right FILE` matches two text files of one
//! identifier a line, `--random N` two sets of N random 128-bit items that share a quarter.
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::sync::{Mutex, mpsc};
use std::time::Instant;

use symbolon_psi::{Head, Item, Message, Plan, Poll, PsiError, Receiver, Sender, Terms};

const USAGE: &str = "usage: intersect (--left FILE --right FILE | --random N) [--threads N] [--json] \
[--output FILE]";

struct Options {
    left: Option<String>,
    right: Option<String>,
    random: Option<u64>,
    threads: usize,
    is_json: bool,
    output: Option<String>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            left: None,
            right: None,
            random: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            is_json: false,
            output: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--left" => options.left = Some(value()?),
                "--right" => options.right = Some(value()?),
                "--random" => options.random = Some(value()?.parse()?),
                "--threads" => options.threads = value()?.parse::<usize>()?.max(1),
                "--output" => options.output = Some(value()?),
                "--json" => options.is_json = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

/// One side's items, by partition, each with its place in the list.
struct Side {
    count: u64,
    partitions: Vec<(Vec<Item>, Vec<u32>)>,
}

impl Side {
    fn new(plan: &Plan, count: u64, items: impl Iterator<Item = Item>) -> Self {
        let room = count as usize / plan.partitions() as usize * 65 / 64 + 16;
        let empty = |_| (Vec::with_capacity(room), Vec::with_capacity(room));
        let mut partitions: Vec<(Vec<Item>, Vec<u32>)> =
            (0..plan.partitions()).map(empty).collect();
        for (place, item) in (0..).zip(items) {
            if let Some((items, places)) = partitions.get_mut(plan.partition_of(&item) as usize) {
                items.push(item);
                places.push(place);
            }
        }
        Self { count, partitions }
    }
}

/// What a run gives.
#[derive(Default)]
struct Outcome {
    common: Vec<u32>,
    sender_bytes: u64,
    receiver_bytes: u64,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.common.extend(other.common);
        self.sender_bytes += other.sender_bytes;
        self.receiver_bytes += other.receiver_bytes;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut start = Instant::now();
    let options = Options::parse(std::env::args().skip(1))?;
    let threads = options.threads;
    let session = seed()?;
    let (left_text, right_text);
    let (plan, left, right) = if let Some(count) = options.random {
        let plan = Plan::new(session, count, count, count)?;
        let shared = count / 4;
        let left = Side::new(&plan, count, (0..count).map(|n| random_item(&session, n)));
        let others = (count..2 * count - shared).map(|n| random_item(&session, n));
        let both = (0..shared).map(|n| random_item(&session, n)).chain(others);
        let right = Side::new(&plan, count, both);
        left_text = String::new();
        // The items are in memory: the measured part begins here.
        start = Instant::now();
        (plan, left, right)
    } else {
        left_text = fs::read_to_string(options.left.as_ref().ok_or(USAGE)?)?;
        right_text = fs::read_to_string(options.right.as_ref().ok_or(USAGE)?)?;
        let (left, right) = (items(&left_text, threads), items(&right_text, threads));
        let (left_count, right_count) = (left.len() as u64, right.len() as u64);
        let plan = Plan::new(session, left_count, right_count, left_count)?;
        let left = Side::new(&plan, left_count, left.into_iter());
        (plan, left, Side::new(&plan, right_count, right.into_iter()))
    };
    let cpu_before = if options.random.is_some() { cpu_seconds()? } else { 0.0 };
    let (left_count, right_count) = (left.count, right.count);
    let mut outcome = run(tasks(&plan, left, right)?, threads)?;
    if let Some(path) = &options.output {
        write_common(path, &left_text, &mut outcome.common)?;
    }
    let wall = start.elapsed().as_secs_f64();
    let cpu = cpu_seconds()? - cpu_before;
    let (common, peak) = (outcome.common.len(), peak_bytes()?);
    let (sent, received) = (outcome.receiver_bytes, outcome.sender_bytes);
    let partitions = plan.partitions();
    if options.is_json {
        println!(
            "{{\"left\":{left_count},\"right\":{right_count},\"common\":{common},\"threads\":{threads},\
             \"partitions\":{partitions},\"wall_seconds\":{wall:.4},\"cpu_seconds\":{cpu:.2},\
             \"receiver_bytes\":{sent},\"sender_bytes\":{received},\"peak_bytes\":{peak}}}"
        );
    } else {
        println!("sets            {left_count} and {right_count}, {common} common");
        println!("wall            {wall:.3} s on {threads} threads");
        println!("cpu             {cpu:.2} s");
        println!("receiver sent   {:.3} MB", sent as f64 / 1e6);
        println!("sender sent     {:.3} MB", received as f64 / 1e6);
        println!("both            {:.3} MB", (sent + received) as f64 / 1e6);
        println!("peak memory     {:.1} MiB", peak as f64 / f64::from(1 << 20));
        println!("partitions      {partitions}");
    }
    Ok(())
}

/// One partition: its terms, each side's items and seed, and where the left ones stand in the list.
struct Task {
    terms: Terms,
    left: Vec<Item>,
    right: Vec<Item>,
    places: Vec<u32>,
    seeds: [[u8; 32]; 2],
}

fn tasks(plan: &Plan, left: Side, right: Side) -> Result<Vec<Task>, Box<dyn Error>> {
    let partitions = left.partitions.into_iter().zip(right.partitions);
    let task = |(number, ((left, places), (right, _)))| {
        Ok(Task { terms: plan.terms(number, 0)?, left, right, places, seeds: [seed()?, seed()?] })
    };
    (0..).zip(partitions).map(task).collect()
}

/// As many partitions at once as there are threads, each on one of them; those that are left over
/// one after the other, on all.
fn run(mut tasks: Vec<Task>, threads: usize) -> Result<Outcome, PsiError> {
    let rest = tasks.split_off(tasks.len() - tasks.len() % threads);
    let others = 1..threads.min(tasks.len());
    let queue = Mutex::new(tasks.into_iter());
    let work = || -> Result<Outcome, PsiError> {
        let mut outcome = Outcome::default();
        loop {
            let next = queue.lock().map_err(|_| PsiError::WorkerLost)?.next();
            let Some(task) = next else { return Ok(outcome) };
            outcome.add(alternate(task)?);
        }
    };
    let mut outcome = std::thread::scope(|scope| {
        let others: Vec<_> = others.map(|_| scope.spawn(work)).collect();
        let mut outcome = work()?;
        for other in others {
            outcome.add(other.join().map_err(|_| PsiError::WorkerLost)??);
        }
        Ok::<_, PsiError>(outcome)
    })?;
    for task in rest {
        outcome.add(side_by_side(task, threads)?);
    }
    Ok(outcome)
}

/// Both parties in one thread, in turn.
fn alternate(task: Task) -> Result<Outcome, PsiError> {
    let Task { terms, left, right, places, seeds: [receiver_seed, sender_seed] } = task;
    let mut receiver = Receiver::start(terms, left, receiver_seed, 1)?;
    let mut sender = Sender::start(terms, right, sender_seed, 1)?;
    let mut outcome = Outcome::default();
    loop {
        while let Poll::Send(message) = sender.poll()? {
            receiver.handle(carry(message, &mut outcome.sender_bytes)?)?;
        }
        loop {
            match receiver.poll()? {
                Poll::Send(message) => {
                    sender.handle(carry(message, &mut outcome.receiver_bytes)?)?;
                }
                Poll::Await => break,
                Poll::Finished(received) => {
                    let Poll::Finished(transcript) = sender.poll()? else {
                        return Err(PsiError::Unexpected);
                    };
                    assert_eq!(&transcript, received.transcript(), "both saw the same");
                    outcome.common = placed(&received.intersect()?, &places);
                    return Ok(outcome);
                }
            }
        }
    }
}

/// Each party in a thread of its own that starts more.
fn side_by_side(task: Task, threads: usize) -> Result<Outcome, PsiError> {
    let Task { terms, left, right, places, seeds: [receiver_seed, sender_seed] } = task;
    let (to_sender, from_receiver) = mpsc::channel::<(Vec<u8>, Vec<u8>)>();
    let (to_receiver, from_sender) = mpsc::channel::<(Vec<u8>, Vec<u8>)>();
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || -> Result<u64, PsiError> {
            let mut sender = Sender::start(terms, right, sender_seed, threads)?;
            let mut bytes = 0;
            loop {
                match sender.poll()? {
                    Poll::Send(message) => {
                        bytes += message.encoded_bytes();
                        to_receiver
                            .send(message.into_parts())
                            .map_err(|_| PsiError::PeerStopped)?;
                    }
                    Poll::Await => {
                        let parts = from_receiver.recv().map_err(|_| PsiError::PeerStopped)?;
                        sender.handle(read(parts)?)?;
                    }
                    Poll::Finished(_) => return Ok(bytes),
                }
            }
        });
        let mut receiver = Receiver::start(terms, left, receiver_seed, threads)?;
        let mut outcome = Outcome::default();
        loop {
            match receiver.poll()? {
                Poll::Send(message) => {
                    outcome.receiver_bytes += message.encoded_bytes();
                    to_sender.send(message.into_parts()).map_err(|_| PsiError::PeerStopped)?;
                }
                Poll::Await => {
                    let parts = from_sender.recv().map_err(|_| PsiError::PeerStopped)?;
                    receiver.handle(read(parts)?)?;
                }
                Poll::Finished(received) => {
                    outcome.common = placed(&received.intersect()?, &places);
                    break;
                }
            }
        }
        outcome.sender_bytes = sending.join().map_err(|_| PsiError::WorkerLost)??;
        Ok(outcome)
    })
}

/// Places in the whole list of the items at `indexes` of a partition.
fn placed(indexes: &[u32], places: &[u32]) -> Vec<u32> {
    indexes.iter().filter_map(|index| places.get(*index as usize).copied()).collect()
}

fn carry(message: Message, bytes: &mut u64) -> Result<Message, PsiError> {
    *bytes += message.encoded_bytes();
    read(message.into_parts())
}

/// The message from its bytes, as from a wire: four bytes of length, header, raw bytes.
fn read((head, bulk): (Vec<u8>, Vec<u8>)) -> Result<Message, PsiError> {
    Head::decode(head.get(4..).unwrap_or_default())?.with_bulk(bulk)
}

fn random_item(session: &[u8; 32], number: u64) -> Item {
    let mut bytes = [0; 32];
    let hash = blake3::keyed_hash(session, &number.to_le_bytes());
    bytes.split_at_mut(16).0.copy_from_slice(hash.as_bytes().split_at(16).0);
    Item::from_bytes(bytes)
}

/// An item for each line, hashed on several threads.
fn items(text: &str, threads: usize) -> Vec<Item> {
    let lines: Vec<&str> = text.lines().collect();
    let piece = lines.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let derive = |lines: &[&str]| -> Vec<Item> {
            lines.iter().map(|line| Item::derive(line.as_bytes())).collect()
        };
        let hashing: Vec<_> =
            lines.chunks(piece).map(|lines| scope.spawn(move || derive(lines))).collect();
        hashing.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
    })
}

fn write_common(path: &str, text: &str, common: &mut [u32]) -> std::io::Result<()> {
    common.sort_unstable();
    let lines: Vec<&str> = text.lines().collect();
    let mut file = std::io::BufWriter::new(fs::File::create(path)?);
    for line in common.iter().filter_map(|place| lines.get(*place as usize)) {
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// Fresh random bytes of the operating system.
fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}

/// Processor time of all threads so far, in steps of a hundredth second.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th after it.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// The largest resident memory so far.
fn peak_bytes() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}
