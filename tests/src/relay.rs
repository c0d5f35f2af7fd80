//! A UDP relay on loopback that keeps every datagram: what a listener on the network sees.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

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

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
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
