//! A link between two machines on virtual time, with faults in a given order; no socket.

use std::collections::VecDeque;

use proptest::prelude::*;
use symbolon_protocol::Transmit;

/// One end of a stream, whichever machine it is.
pub(crate) trait End {
    fn bytes(&mut self, bytes: &[u8], now_ms: u64);
    fn end(&mut self, now_ms: u64);
    fn timeout(&mut self, now_ms: u64);
    fn next_timeout(&self) -> Option<u64>;
    fn transmit(&mut self) -> Option<Transmit>;
}

/// What happens to one act of one end.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    Drop,
    Repeat,
    /// Arrives after the next one.
    Reorder,
    /// Loses its last bytes.
    Truncate(usize),
    /// One bit changes.
    Corrupt(usize),
    /// Arrives late.
    Delay(u64),
    /// Arrives in two pieces.
    Split(usize),
}

pub(crate) fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Drop),
        1 => Just(Fault::Repeat),
        1 => Just(Fault::Reorder),
        1 => (1_usize..5000).prop_map(Fault::Truncate),
        1 => any::<usize>().prop_map(Fault::Corrupt),
        1 => (1_u64..40_000).prop_map(Fault::Delay),
        2 => any::<usize>().prop_map(Fault::Split),
    ]
}

pub(crate) fn faults() -> impl Strategy<Value = Vec<Fault>> {
    proptest::collection::vec(fault(), 0..8)
}

struct Arrival {
    at_ms: u64,
    order: u64,
    to_b: bool,
    what: Transmit,
}

/// Runs both ends until nothing is under way and no deadline is left; gives the time it took.
pub(crate) fn run(a: &mut dyn End, b: &mut dyn End, faults: &[Fault]) -> u64 {
    let mut faults: VecDeque<Fault> = faults.iter().cloned().collect();
    let mut under_way: Vec<Arrival> = Vec::new();
    let (mut now_ms, mut order) = (0, 0);
    for _ in 0..100_000 {
        for to_b in [true, false] {
            while let Some(what) = if to_b { a.transmit() } else { b.transmit() } {
                order += 10;
                let fault = faults.pop_front().unwrap_or(Fault::None);
                for (at_ms, order, what) in strike(fault, now_ms + 1, order, what) {
                    under_way.push(Arrival { at_ms, order, to_b, what });
                }
            }
        }
        under_way.sort_by_key(|arrival| (arrival.at_ms, arrival.order));
        let timeout = a.next_timeout().into_iter().chain(b.next_timeout()).min();
        let arrival = under_way.first().map(|arrival| arrival.at_ms);
        match (arrival, timeout) {
            (None, None) => return now_ms,
            (arrival, Some(timeout)) if arrival.is_none_or(|at| timeout <= at) => {
                now_ms = now_ms.max(timeout);
                a.timeout(now_ms);
                b.timeout(now_ms);
            }
            _ => {
                let Arrival { at_ms, to_b, what, .. } = under_way.remove(0);
                now_ms = now_ms.max(at_ms);
                let end: &mut dyn End = if to_b { &mut *b } else { &mut *a };
                match what {
                    Transmit::Bytes(bytes) => end.bytes(&bytes, now_ms),
                    Transmit::Finish => end.end(now_ms),
                }
            }
        }
    }
    panic!("the two ends talk for ever");
}

fn strike(fault: Fault, at_ms: u64, order: u64, what: Transmit) -> Vec<(u64, u64, Transmit)> {
    let one = |what| vec![(at_ms, order, what)];
    match (fault, what) {
        (Fault::Drop, _) => Vec::new(),
        (Fault::Repeat, what) => vec![(at_ms, order, what.clone()), (at_ms, order + 1, what)],
        (Fault::Reorder, what) => vec![(at_ms, order + 15, what)],
        (Fault::Delay(ms), what) => vec![(at_ms + ms, order, what)],
        (Fault::Truncate(count), Transmit::Bytes(mut bytes)) => {
            bytes.truncate(bytes.len().saturating_sub(count));
            one(Transmit::Bytes(bytes))
        }
        (Fault::Corrupt(at), Transmit::Bytes(mut bytes)) => {
            let length = bytes.len();
            bytes[at % length] ^= 1 << (at / length % 8);
            one(Transmit::Bytes(bytes))
        }
        (Fault::Split(at), Transmit::Bytes(bytes)) => {
            let (head, tail) = bytes.split_at(at % bytes.len());
            let (head, tail) = (head.to_vec(), tail.to_vec());
            vec![(at_ms, order, Transmit::Bytes(head)), (at_ms, order + 1, Transmit::Bytes(tail))]
        }
        (_, what) => one(what),
    }
}

/// Gives a machine of the crate the form of [`End`].
macro_rules! end {
    ($machine:ty) => {
        impl End for $machine {
            fn bytes(&mut self, bytes: &[u8], now_ms: u64) {
                self.handle_bytes(bytes, now_ms);
            }
            fn end(&mut self, now_ms: u64) {
                self.handle_end(now_ms);
            }
            fn timeout(&mut self, now_ms: u64) {
                self.handle_timeout(now_ms);
            }
            fn next_timeout(&self) -> Option<u64> {
                self.poll_timeout()
            }
            fn transmit(&mut self) -> Option<Transmit> {
                self.poll_transmit()
            }
        }
    };
}

end!(symbolon_protocol::Handshake);
end!(symbolon_protocol::TagSetDownload);
end!(symbolon_protocol::Exchange<symbolon_protocol::CardRequest>);
end!(symbolon_protocol::Exchange<symbolon_protocol::EpochsRequest>);
end!(symbolon_protocol::Exchange<symbolon_protocol::Evaluate>);
end!(symbolon_protocol::Exchange<symbolon_protocol::BulkBegin>);
end!(symbolon_protocol::Exchange<symbolon_protocol::BulkWait>);
end!(symbolon_protocol::Exchange<symbolon_protocol::BulkCarry>);
end!(symbolon_protocol::Exchange<symbolon_protocol::Disclose>);
end!(symbolon_protocol::Exchange<symbolon_protocol::Push>);
end!(symbolon_protocol::Exchange<symbolon_protocol::Leave>);
end!(symbolon_protocol::Exchange<symbolon_protocol::Collect>);
