//! Messages of bulk matching, and the first states that read them.

use std::sync::LazyLock;

use symbolon_psi::{Item, Message, Terms, receiver, sender};

const TERMS: Terms =
    Terms { session: [1; 32], receiver_count: 1024, sender_count: 1024, intersection_max: 9 };

/// The sender's first message, which a receiver takes.
static BEGIN: LazyLock<Message> = LazyLock::new(|| {
    let (_, [begin, _]) =
        sender::ExpectSetup::start(TERMS, Vec::new(), [2; 32], 1).expect("terms hold");
    begin
});

fn awaiting_begin() -> receiver::ExpectBegin {
    let items = vec![Item::derive(b"PL12345")];
    receiver::ExpectBegin::start(TERMS, items, [3; 32], 1).expect("terms hold")
}

/// Bulk matching.
pub mod psi {
    use symbolon_psi::{Message, PsiError};

    use super::{BEGIN, awaiting_begin};

    /// Decodes, and gives what was decoded to a receiver that awaits another message.
    pub fn run(bytes: &[u8]) {
        let Ok(message) = Message::decode(bytes) else { return };
        assert_eq!(message.encode(), bytes);
        let foreign = awaiting_begin().handle(message.clone());
        assert!(!matches!(foreign, Err(PsiError::WorkerLost)));
        let offer = awaiting_begin().handle(BEGIN.clone()).expect("its own terms");
        let _ = offer.handle(message);
    }
}
