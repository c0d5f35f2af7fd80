//! A tag set over real QUIC: whole, resumed, and cut short.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use symbolon_ident::Class;
use symbolon_oprf::{EpochSeed, KeyNames, RecordRef, Sender, SetSalt, Tag, TagSet, TagSetBuilder};
use symbolon_protocol::{
    Code, EPOCH_CARD_VERSION, EpochCard, EpochCardCheck, ProtocolError, SignedEpochCard,
    TagSetEvent, TagSetProgress, VerifiedEpochCard,
};
use symbolon_trust::{Agreement, ClassTerms, Mode, SignedAgreement};

use super::super::LinkError;
use super::super::ask::TagSetStream;
use super::*;

const TAGS: u32 = 200_000;

/// Uploads one set; after `fail_at` chunks its store fails.
struct Holder {
    set: Arc<TagSet>,
    fail_at: AtomicU64,
}

impl Service for Holder {
    fn serve(&self, _: &Established, incoming: Incoming) -> Answer {
        let Incoming::TagSet(asked) = incoming else { panic!("only tag sets are asked for here") };
        let (header, mut upload) = match asked.stream(self.set.count()) {
            Ok(begun) => begun,
            Err((asked, refusal)) => return Answer::Reply(asked.refuse(refusal)),
        };
        let from = usize::try_from(upload.due().unwrap()).unwrap();
        let fail_at = self.fail_at.load(Ordering::SeqCst);
        let chunks: Vec<Vec<u8>> =
            self.set.chunks().skip(from).map(|chunk| chunk.tag_bytes()).collect();
        let pieces = chunks.into_iter().map(move |chunk| {
            if upload.due() == Some(fail_at) {
                return Err(ProtocolError::Refused(Refusal::Internal));
            }
            upload.chunk(chunk)
        });
        Answer::Bulk { header, pieces: Box::new(pieces) }
    }
}

fn tag_set() -> TagSet {
    let (seed, names) = (EpochSeed::new([1; 32]), names());
    let mut builder = TagSetBuilder::with_capacity(TAGS as usize);
    for number in 0..TAGS {
        // Spread over the whole range: a multiplier that is odd makes them distinct.
        let high = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
        let mut tag = [0; 16];
        tag[..4].copy_from_slice(&high);
        builder.add(Tag::from_bytes(tag), RecordRef { id: [0; 16], version: [0; 32] });
    }
    builder.build(&SetSalt::derive(&seed, &names, 1), [2; 32], 2).unwrap()
}

fn names() -> KeyNames<'static> {
    KeyNames { holder: &[2; 32], asker: &[1; 32], class: Class::Document, epoch: 0 }
}

fn epoch_card(asker: &Node, holder: &Node, set: &TagSet) -> VerifiedEpochCard {
    let now = clock::now();
    let agreement = Agreement {
        version: DOCUMENT_VERSION,
        id: [5; 16],
        parties: [asker.id(), holder.id()],
        mode: Mode::Live,
        purposes: vec!["investigation".to_owned()],
        kinds: vec!["listing".to_owned()],
        classes: vec![ClassTerms { class: Class::Document, budget_per_epoch: 1000 }],
        epoch_length_seconds: 604_800,
        retention_days: 30,
        not_before: now - 60,
        not_after: now + 86_400 * 365,
    };
    let (asker_card, holder_card) = (asker.book.local().card, holder.book.local().card);
    let agreement = SignedAgreement::propose(agreement, &asker.agency.root)
        .and_then(|proposed| proposed.countersign(&holder.agency.root))
        .and_then(|signed| signed.verify(&asker_card, &holder_card, now))
        .unwrap();
    let epoch = agreement.epoch_at(now).unwrap();
    let sender = Sender::derive(&EpochSeed::new([1; 32]), &names()).unwrap();
    let card = EpochCard {
        version: EPOCH_CARD_VERSION,
        holder: holder.id(),
        asker: asker.id(),
        class: Class::Document,
        epoch: epoch.number,
        serial: 1,
        not_before: epoch.not_before,
        not_after: epoch.not_after,
        public_key: sender.public_key().clone(),
        count: set.count(),
        set_root: set.set_root(),
        tags_root: set.tags_root(),
        profile: [9; 32],
    };
    let check = EpochCardCheck {
        holder: &holder_card,
        asker: &asker.id(),
        agreement: &agreement,
        profile: &[9; 32],
        now,
    };
    SignedEpochCard::sign(card, &holder.agency.signing).unwrap().verify(&check).unwrap()
}

/// Takes everything a transfer gives: the tags and how it ended.
fn take(stream: &mut TagSetStream, tags: &mut Vec<Tag>) -> Result<(), LinkError> {
    loop {
        match stream.next()? {
            TagSetEvent::Chunk { tags: chunk, .. } => tags.extend(chunk),
            TagSetEvent::Done(received) => {
                assert_eq!(received.count(), tags.len() as u64);
                return Ok(());
            }
        }
    }
}

#[tokio::test]
async fn a_tag_set_arrives_and_resumes_after_a_failure() {
    let set = Arc::new(tag_set());
    let service = Holder { set: Arc::clone(&set), fail_at: AtomicU64::new(100) };
    let service = Arc::new(service);
    let asker = node(1, brisk(), Desk(|_: &Established| Say::Refuse(Refusal::Internal)));
    let holder = node(2, brisk(), Shared(Arc::clone(&service)));
    asker.knows(&holder);
    holder.knows(&asker);
    let card = epoch_card(&asker, &holder, &set);
    let (dialer, partner) = (asker.endpoint.dialer(), holder.id());
    blocking(move || {
        let session = || dialer.session(partner).unwrap();
        let mut tags = Vec::new();
        let mut stream = session().tag_set(&card, &TagSetProgress::default()).unwrap();
        let ended = take(&mut stream, &mut tags);
        let refused = LinkError::Refused { code: Code::Internal, detail: None };
        assert_eq!(ended.unwrap_err().to_string(), refused.to_string());
        let progress = stream.progress().expect("what came is worth resuming from");
        assert!(progress.chunks() <= 100);
        tags.truncate(usize::try_from(progress.chunks()).unwrap() * 256);

        service.fail_at.store(u64::MAX, Ordering::SeqCst);
        let mut stream = session().tag_set(&card, &progress).unwrap();
        take(&mut stream, &mut tags).unwrap();
        let expected: Vec<Tag> = set
            .chunks()
            .flat_map(|chunk| chunk.entries().to_vec())
            .map(|entry| entry.tag)
            .collect();
        assert!(tags == expected, "the tags are those of the holder");

        let begun = Instant::now();
        let mut stream = session().tag_set(&card, &TagSetProgress::default()).unwrap();
        take(&mut stream, &mut Vec::with_capacity(tags.len())).unwrap();
        println!("{} tags in {:?}", tags.len(), begun.elapsed());
    })
    .await;
}

/// A service that the test keeps a handle on.
struct Shared(Arc<Holder>);

impl Service for Shared {
    fn serve(&self, session: &Established, incoming: Incoming) -> Answer {
        self.0.serve(session, incoming)
    }
}
