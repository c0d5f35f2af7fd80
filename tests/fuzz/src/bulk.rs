//! Messages of bulk matching: any bytes, and honest messages that are changed on their way.

use std::sync::LazyLock;

use symbolon_psi::{Item, Message, Poll, Receiver, Sender, Terms};

/// Enough of the sender's items that its outputs have a table of prefixes.
const TERMS: Terms =
    Terms { session: [1; 32], receiver_count: 1024, sender_count: 2048, intersection_max: 64 };
/// The receiver's items; the sender has those from `SHARED_FROM` on.
const OWN_ITEMS: u32 = 20;
const SHARED_FROM: u32 = 12;
/// The messages that go to the sender, in the order of a session.
const TO_SENDER: [usize; 4] = [2, 4, 6, 9];

/// The messages of a session in which nobody cheats; the same every time.
static HONEST: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let (mut sender, mut receiver, mut messages) = (sender(), receiver(), Vec::new());
    loop {
        while let Poll::Send(message) = sender.poll().expect("an honest sender") {
            messages.push(message.clone());
            receiver.handle(message).expect("an honest sender");
        }
        loop {
            match receiver.poll().expect("an honest receiver") {
                Poll::Send(message) => {
                    messages.push(message.clone());
                    sender.handle(message).expect("an honest receiver");
                }
                Poll::Await => break,
                Poll::Finished(_) => return messages,
            }
        }
    }
});

fn items(numbers: std::ops::Range<u32>) -> Vec<Item> {
    numbers.map(|number| Item::derive(&number.to_be_bytes())).collect()
}

fn sender() -> Sender {
    Sender::start(TERMS, items(SHARED_FROM..40), [2; 32], 1).expect("the terms hold")
}

fn receiver() -> Receiver {
    Receiver::start(TERMS, items(0..OWN_ITEMS), [3; 32], 1).expect("the terms hold")
}

/// Messages of any side, as bytes.
pub mod psi {
    use symbolon_psi::{Message, PsiError};

    /// Decodes, and gives what was decoded to both sides as the first message that they read.
    pub fn run(bytes: &[u8]) {
        let Ok(message) = Message::decode(bytes) else { return };
        assert_eq!(message.encode(), bytes);
        let mut receiver = super::receiver();
        let began = receiver.handle(message.clone());
        assert!(!matches!(began, Err(PsiError::WorkerLost)));
        assert_eq!(began.is_err(), receiver.poll().is_err(), "an error ends the session");
        // A receiver that got the honest beginning reads a base offer next.
        let mut receiver = super::receiver();
        receiver.handle(super::HONEST[0].clone()).expect("the honest beginning");
        let _ = receiver.handle(message);
    }
}

/// One message of a session that is changed on its way.
pub mod psi_session {
    use serde_bytes::ByteBuf;
    use symbolon_psi::{Message, Poll, PsiError, Receiver, Sender};

    use super::{HONEST, OWN_ITEMS, SHARED_FROM, TO_SENDER, receiver, sender};

    /// The first byte chooses the message, the second how the rest changes it.
    pub fn run(bytes: &[u8]) {
        let Some((number, rest)) = crate::choose(bytes) else { return };
        let Some((way, rest)) = crate::choose(rest) else { return };
        let number = number % HONEST.len();
        let honest = &HONEST[number];
        let Some(message) = changed(honest, way, rest) else { return };
        let is_same_shape = kind(&message) == kind(honest)
            && message.encoded_bytes() == honest.encoded_bytes();
        let is_same = message == *honest;
        let taken = if TO_SENDER.contains(&number) {
            to_sender(number, message)
        } else {
            to_receiver(number, message)
        };
        assert!(is_same_shape || taken.is_err(), "a message of another kind or length");
        assert!(!is_same || taken.is_ok(), "the honest message");
    }

    fn kind(message: &Message) -> Option<u8> {
        // Four bytes of length and the byte that begins the list are before it.
        message.encode_head().get(5).copied()
    }

    /// The honest message with other raw bytes, or with changes in them, or anywhere.
    fn changed(honest: &Message, way: usize, rest: &[u8]) -> Option<Message> {
        let (head, bulk) = honest.clone().into_parts();
        let (head, bulk) = match way % 3 {
            0 => {
                let header: (u8, Vec<ByteBuf>, u64) =
                    symbolon_codec::decode(&head[4..], 256).expect("an honest header");
                let header = symbolon_codec::encode(&(header.0, header.1, rest.len() as u64));
                let length = u32::try_from(header.len()).expect("a short header").to_be_bytes();
                ([&length[..], &header].concat(), rest.to_vec())
            }
            1 => (head, edited(bulk, rest)),
            _ => (edited([&head[..], &bulk].concat(), rest), Vec::new()),
        };
        Message::decode(&[head, bulk].concat()).ok()
    }

    /// Bytes changed by edits of five: four say where, the fifth is added.
    fn edited(mut bytes: Vec<u8>, edits: &[u8]) -> Vec<u8> {
        for edit in edits.as_chunks::<5>().0 {
            let [place @ .., change] = edit;
            let place = u32::from_be_bytes(*place) as usize;
            if let Some(byte) = place.checked_rem(bytes.len()).and_then(|at| bytes.get_mut(at)) {
                *byte ^= change;
            }
        }
        bytes
    }

    fn to_sender(number: usize, message: Message) -> Result<(), PsiError> {
        let mut sender = sender();
        let settle = |sender: &mut Sender| while let Ok(Poll::Send(_)) = sender.poll() {};
        settle(&mut sender);
        for earlier in TO_SENDER.iter().take_while(|earlier| **earlier < number) {
            sender.handle(HONEST[*earlier].clone()).expect("an honest receiver");
            settle(&mut sender);
        }
        let taken = sender.handle(message);
        settle(&mut sender);
        assert_eq!(taken.is_err(), sender.poll().is_err(), "an error ends the session");
        taken
    }

    fn to_receiver(number: usize, message: Message) -> Result<(), PsiError> {
        let mut receiver = receiver();
        for earlier in (0..number).filter(|earlier| !TO_SENDER.contains(earlier)) {
            receiver.handle(HONEST[earlier].clone()).expect("an honest sender");
            settle(&mut receiver);
        }
        let taken = receiver.handle(message);
        settle(&mut receiver);
        taken
    }

    /// Takes what is to be sent; at the end, nothing has met that the sender does not have.
    fn settle(receiver: &mut Receiver) {
        loop {
            match receiver.poll() {
                Ok(Poll::Send(_)) => {}
                Ok(Poll::Finished(received)) => {
                    let common = received.intersect().unwrap_or_default();
                    assert!(common.iter().all(|own| (SHARED_FROM..OWN_ITEMS).contains(own)));
                    return;
                }
                Ok(Poll::Await) | Err(_) => return,
            }
        }
    }
}
