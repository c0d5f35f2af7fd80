//! A UDP relay that keeps every datagram, as a listener on the network sees them, or that delays
//! and loses them, as a long way does.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Dice;

const DATAGRAM_BYTES_MAX: usize = 65_536;

/// Stands before one node; serves one dialling node at a time.
#[derive(Debug)]
pub struct Relay {
    /// Where to dial.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Passes on to `target`.
    #[must_use]
    pub fn start(target: SocketAddr) -> Relay {
        let front = Arc::new(bound());
        let back = Arc::new(bound());
        back.connect(target).unwrap();
        let address = front.local_addr().unwrap();
        let (seen, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let caller: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let inward = {
            let (front, back, caller) = (front.clone(), back.clone(), caller.clone());
            pump(front.clone(), seen.clone(), over.clone(), move |from, datagram| {
                *caller.lock().unwrap() = Some(from);
                let _ = back.send(datagram);
            })
        };
        let outward = pump(back, seen.clone(), over.clone(), move |_, datagram| {
            if let Some(to) = *caller.lock().unwrap() {
                let _ = front.send_to(datagram, to);
            }
        });
        Relay { address, seen, over, threads: vec![inward, outward] }
    }

    /// All datagrams so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }
}

/// How a long way treats datagrams, on the way there and back alike.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// From one end to the other, in milliseconds.
    pub delay_ms: u64,
    /// How many of a thousand are lost.
    pub lost_of_thousand: u64,
}

/// A long way between two nodes; serves one dialling node at a time.
#[derive(Debug)]
pub struct LongWay {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl LongWay {
    /// Takes datagrams at `front` and passes them on to `target` from an own port of `back`.
    #[must_use]
    pub fn start(front: SocketAddr, back: IpAddr, target: SocketAddr, weather: Weather) -> LongWay {
        let over = Arc::new(AtomicBool::new(false));
        let (front, back) = (Arc::new(bound_at(front)), Arc::new(bound_at((back, 0).into())));
        let caller: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
        let (there, going) = channel();
        let (home, coming) = channel();
        let ways = [
            {
                let caller = Arc::clone(&caller);
                let delay = Duration::from_millis(weather.delay_ms);
                pump(Arc::clone(&front), Arc::default(), over.clone(), move |from, datagram| {
                    *caller.lock().unwrap() = Some(from);
                    let _ = there.send((Instant::now() + delay, datagram.to_vec()));
                })
            },
            {
                let delay = Duration::from_millis(weather.delay_ms);
                pump(Arc::clone(&back), Arc::default(), over.clone(), move |_, datagram| {
                    let _ = home.send((Instant::now() + delay, datagram.to_vec()));
                })
            },
            passed(going, weather, 1, over.clone(), move |datagram| {
                let _ = back.send_to(datagram, target);
            }),
            passed(coming, weather, 2, over.clone(), move |datagram| {
                if let Some(to) = *caller.lock().unwrap() {
                    let _ = front.send_to(datagram, to);
                }
            }),
        ];
        LongWay { over, threads: ways.into() }
    }
}

impl Drop for LongWay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Passes on what has arrived, each when it is due, and loses some of it.
fn passed(
    arrived: Receiver<(Instant, Vec<u8>)>,
    weather: Weather,
    seed: u64,
    over: Arc<AtomicBool>,
    pass: impl Fn(&[u8]) + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut dice = Dice(seed);
        // Nobody sends: the wait until a datagram is due is the time-out.
        let (_held, never) = channel::<()>();
        while !over.load(Ordering::Relaxed) {
            match arrived.recv_timeout(Duration::from_millis(100)) {
                Ok(_) if dice.below(1000) < weather.lost_of_thousand => {}
                Ok((due, datagram)) => {
                    let _ = never.recv_timeout(due.saturating_duration_since(Instant::now()));
                    pass(&datagram);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn bound() -> UdpSocket {
    bound_at("127.0.0.1:0".parse().unwrap())
}

fn bound_at(address: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket
}

fn pump(
    from: Arc<UdpSocket>,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    over: Arc<AtomicBool>,
    pass: impl Fn(SocketAddr, &[u8]) + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        while !over.load(Ordering::Relaxed) {
            let Ok((count, sender)) = from.recv_from(&mut buffer) else {
                continue;
            };
            let datagram = buffer.get(..count).unwrap_or_default();
            seen.lock().unwrap().push(datagram.to_vec());
            pass(sender, datagram);
        }
    })
}
