//! Decoders of what comes from a partner or a store, and the machines that feed them.

use std::sync::LazyLock;

use crate::sample::{self, Node};

static NODES: LazyLock<(Node, Node)> = LazyLock::new(sample::two);

/// The codec, before any structure.
pub mod codec {
    use symbolon_codec::{check, decode, encode};

    /// Checks, and decodes into shapes that nest.
    pub fn run(bytes: &[u8]) {
        let checked = check(bytes).is_ok();
        if let Ok(list) = decode::<Vec<Option<(u64, String)>>>(bytes, 65_536) {
            assert!(checked && encode(&list) == bytes);
        }
        if let Ok(blobs) = decode::<Vec<serde_bytes::ByteBuf>>(bytes, 65_536) {
            assert!(checked && encode(&blobs) == bytes);
        }
        let _ = decode::<(u8, i64, bool, [u16; 3])>(bytes, 65_536);
    }
}

/// Records and views.
pub mod record {
    use symbolon_record::{Record, View};

    /// Either form.
    pub fn run(bytes: &[u8]) {
        if let Ok(record) = Record::decode(bytes) {
            assert_eq!(record.encode(), bytes);
        }
        if let Ok(view) = View::decode(bytes) {
            assert_eq!(view.encode(), bytes);
            let _ = view.lines();
        }
    }
}

/// Cards and agreements, as bytes and as text.
pub mod trust {
    use symbolon_trust::{SignedAgreement, SignedCard};

    /// Both documents, both forms.
    pub fn run(bytes: &[u8]) {
        let (one, other) = &*super::NODES;
        if let Ok(card) = SignedCard::decode(bytes) {
            assert_eq!(card.encode(), bytes);
            let _ = card.verify(crate::sample::NOW);
        }
        if let Ok(agreement) = SignedAgreement::decode(bytes) {
            assert_eq!(agreement.encode(), bytes);
            let _ = agreement.verify(&one.card, &other.card, crate::sample::NOW);
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Ok(card) = SignedCard::parse(text) {
            assert_eq!(SignedCard::parse(&card.armor()).unwrap(), card);
        }
        if let Ok(agreement) = SignedAgreement::parse(text) {
            assert_eq!(SignedAgreement::parse(&agreement.armor()).unwrap(), agreement);
        }
    }
}

/// Envelopes and kept statements.
pub mod envelope {
    use std::sync::LazyLock;
    use symbolon_disclosure::{Kept, RecipientSecret, open};

    use symbolon_trust::Mode;

    static SECRETS: LazyLock<[RecipientSecret; 2]> = LazyLock::new(|| super::NODES.1.secrets());

    /// Opens as the holder; reads as what it kept.
    pub fn run(bytes: &[u8]) {
        let (asker, holder) = &*super::NODES;
        let sender = |_: &_| Some(asker.key.public().clone());
        let _ = open(bytes, &*SECRETS, &sender, &holder.card.id(), crate::sample::NOW);
        if let Ok(kept) = Kept::decode(bytes) {
            assert_eq!(kept.signed(), bytes);
            for mode in Mode::ALL {
                let _ = kept.verify(asker.key.public(), mode);
            }
        }
    }
}

/// Log entries and query evidence.
pub mod audit {
    use symbolon_audit::{Logged, QueryEvidence, QueryPrivate, verify_query};

    /// All three.
    pub fn run(bytes: &[u8]) {
        if let Ok(logged) = Logged::decode(bytes) {
            assert_eq!(logged.encode(), bytes);
            let _ = logged.leaf();
        }
        if let Ok(private) = QueryPrivate::decode(bytes) {
            assert_eq!(&private.encode()[..], bytes);
        }
        if let Ok(evidence) = QueryEvidence::decode(bytes) {
            assert_eq!(evidence.encode(), bytes);
            let asker = &super::NODES.0;
            let _ = verify_query(&evidence, &[], &asker.signer.verifier(), Some(&asker.seen()));
        }
    }
}

/// Every message, and the stored forms of the protocol.
pub mod message {
    use symbolon_protocol::{
        Accept, AccountRequest, BulkBegin, BulkCarried, BulkCarry, BulkState, BulkWait, Card,
        CardRequest, ClientFinish, ClientHello, Collect, Collected, Cosign, Cosigned, Delivered,
        Delivery, Epochs, EpochsRequest, Evaluate, Evaluated, Failure, FrameReader, Leaving, Left,
        Message, Prove, Proved, Pushed, Pushing, ServerHello, SignedEpochCard, TagSetHeader,
        TagSetProgress, TagSetRequest, decode,
    };

    fn one<M: Message>(body: &[u8]) -> Option<M> {
        let message = decode::<M>(body).ok()?;
        assert_eq!(symbolon_codec::encode(&(M::TYPE, &message)), body);
        Some(message)
    }

    /// The input is a frame without its length.
    pub fn run(body: &[u8]) {
        one::<Failure>(body);
        one::<ClientHello>(body);
        one::<ServerHello>(body);
        one::<ClientFinish>(body);
        one::<Accept>(body);
        one::<CardRequest>(body);
        one::<EpochsRequest>(body);
        one::<TagSetRequest>(body);
        one::<TagSetHeader>(body);
        one::<Delivery>(body);
        one::<Delivered>(body);
        one::<Cosign>(body);
        one::<Cosigned>(body);
        one::<AccountRequest>(body);
        one::<BulkBegin>(body);
        one::<BulkWait>(body);
        one::<BulkState>(body);
        one::<BulkCarry>(body);
        one::<BulkCarried>(body);
        one::<Pushing>(body);
        one::<Pushed>(body);
        one::<Leaving>(body);
        one::<Left>(body);
        one::<Collect>(body);
        one::<Collected>(body);
        one::<Prove>(body);
        one::<Proved>(body);
        let _ = one::<Card>(body).map(|card| card.signed());
        let _ = one::<Epochs>(body).map(|epochs| epochs.signed());
        let _ = one::<Evaluate>(body).map(|request| request.blinded());
        let _ = one::<Evaluated>(body).map(|answer| answer.evaluated());
        let _ = TagSetProgress::decode(body);
        if let Ok(card) = SignedEpochCard::decode(body) {
            assert_eq!(card.encode(), body);
        }
        let mut reader = FrameReader::new(1024);
        for piece in body.chunks(7) {
            if reader.push(piece).is_err() {
                break;
            }
            while let Ok(Some(frame)) = reader.frame() {
                assert!((1..=1024).contains(&frame.len()));
            }
        }
    }
}

/// The handshake, the answering and the asking side, a tag set's download.
pub mod machine {
    use std::sync::LazyLock;
    use symbolon_protocol::{
        CardRequest, EpochsRequest, Established, Exchange, Handshake, Serve, TagSetDownload,
        TagSetProgress, VerifiedEpochCard,
    };

    use crate::sample::{self, NOW};

    static SESSION: LazyLock<(Established, Established)> = LazyLock::new(|| {
        let (client, server) = &*super::NODES;
        sample::session(client, server)
    });
    static CARD: LazyLock<VerifiedEpochCard> = LazyLock::new(|| {
        let (asker, holder) = &*super::NODES;
        sample::verified_epoch_card(holder, asker)
    });

    /// Gives the input to one machine, cut in pieces, then the end; each ends with one outcome.
    macro_rules! feed {
        ($machine:expr, $bytes:expr, $cut:expr, $outcome:ident) => {{
            let mut machine = $machine;
            for piece in $bytes.chunks($cut) {
                machine.handle_bytes(piece, 0);
            }
            machine.handle_end(1);
            while machine.poll_transmit().is_some() {}
            assert!(machine.$outcome().is_some());
            assert!(machine.poll_timeout().is_none());
        }};
    }

    /// The first byte chooses the machine, the second how the rest is cut.
    pub fn run(bytes: &[u8]) {
        let Some((first, rest)) = crate::choose(bytes) else { return };
        let Some((cut, rest)) = crate::choose(rest) else { return };
        let (a, b) = &*super::NODES;
        let (client, server) = &*SESSION;
        let cut = cut * cut + 1;
        match first % 6 {
            0 => {
                let machine = Handshake::client(a.context(b), [1; 32], NOW, 0);
                feed!(machine, rest, cut, poll_outcome);
            }
            1 => {
                let machine = Handshake::server(b.context(a), [2; 32], NOW, 0);
                feed!(machine, rest, cut, poll_outcome);
            }
            2 => feed!(Serve::new(server, 0), rest, cut, poll_outcome),
            3 => {
                let machine = Exchange::begin(client, &CardRequest::new(), 0).unwrap();
                feed!(machine, rest, cut, poll_outcome);
            }
            4 => {
                let machine = Exchange::begin(client, &EpochsRequest::new(), 0).unwrap();
                feed!(machine, rest, cut, poll_outcome);
            }
            _ => {
                let progress = TagSetProgress::default();
                let machine = TagSetDownload::begin(client, &CARD, &progress, 0).unwrap();
                feed!(machine, rest, cut, poll_event);
            }
        }
    }
}
