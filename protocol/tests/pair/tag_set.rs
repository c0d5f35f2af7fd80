//! Transfers of tag sets: whole, interrupted and resumed, and by a holder that lies.

use std::collections::VecDeque;

use proptest::prelude::*;
use symbolon_oprf::{RecordRef, Tag, TagSet, TagSetBuilder};
use symbolon_protocol::limits::{CHUNK_BYTES, REQUEST_DEADLINE_MS};
use symbolon_protocol::{
    EpochCard, Established, Incoming, ProtocolError, Refusal, Serve, TagSetDownload, TagSetEvent,
    TagSetProgress, TagSetUpload, Transmit, VerifiedEpochCard,
};

use super::epoch_card::{epoch_card, sender, verify};
use super::exchange::two;
use super::link::{End, Fault, faults, run};
use super::world::{session, written};

/// A holder that streams a set.
struct Holder<'a> {
    serve: Serve,
    set: &'a TagSet,
    upload: Option<TagSetUpload>,
    outbox: VecDeque<Transmit>,
    ended: bool,
}

impl<'a> Holder<'a> {
    fn new(session: &Established, set: &'a TagSet) -> Self {
        let serve = Serve::new(session, 0);
        Self { serve, set, upload: None, outbox: VecDeque::new(), ended: false }
    }

    fn answer(&mut self) {
        match self.serve.poll_outcome() {
            Some(Ok(Incoming::TagSet(asked))) => {
                // A corrupted request may ask for another set than there is.
                let count = if asked.request().serial == 1 { self.set.count() } else { 0 };
                match asked.stream(count) {
                    Ok((header, upload)) => {
                        self.outbox.push_back(Transmit::Bytes(header));
                        self.upload = Some(upload);
                    }
                    Err((asked, refusal)) => {
                        let bytes = asked.refuse(refusal).into_bytes();
                        self.outbox.extend([Transmit::Bytes(bytes), Transmit::Finish]);
                    }
                }
                self.ended = true;
            }
            Some(other) => self.ended = other.is_err(),
            None => (),
        }
    }

    fn next(&mut self) -> Option<Transmit> {
        let upload = self.upload.as_mut()?;
        let Some(number) = upload.due() else {
            self.upload = None;
            return Some(Transmit::Finish);
        };
        let chunk = self.set.chunks().nth(usize::try_from(number).unwrap()).unwrap();
        Some(Transmit::Bytes(upload.chunk(chunk.tag_bytes()).unwrap()))
    }
}

impl End for Holder<'_> {
    fn bytes(&mut self, bytes: &[u8], now_ms: u64) {
        self.serve.handle_bytes(bytes, now_ms);
        self.answer();
    }
    fn end(&mut self, now_ms: u64) {
        self.serve.handle_end(now_ms);
        self.answer();
    }
    fn timeout(&mut self, now_ms: u64) {
        self.serve.handle_timeout(now_ms);
        self.answer();
    }
    fn next_timeout(&self) -> Option<u64> {
        self.serve.poll_timeout()
    }
    fn transmit(&mut self) -> Option<Transmit> {
        let refusal = self.serve.poll_transmit();
        refusal.or_else(|| self.outbox.pop_front()).or_else(|| self.next())
    }
}

struct World {
    client: Established,
    server: Established,
    set: TagSet,
    card: VerifiedEpochCard,
}

/// A set of 1,100 tags, padded to 1,536, so six chunks.
fn world() -> World {
    let (a, b) = two();
    let mut builder = TagSetBuilder::new();
    for number in 0_u128..1100 {
        let tag = Tag::from_bytes((number * 0x0003_1415_9265_3589_7932_3846_2643).to_be_bytes());
        builder.add(tag, RecordRef { id: number.to_be_bytes(), version: [1; 32] });
    }
    let (_, salt) = sender(&b, &a);
    let set = builder.build(&salt, [1; 32], 1).unwrap();
    let card = EpochCard {
        count: set.count(),
        set_root: set.set_root(),
        tags_root: set.tags_root(),
        ..epoch_card(&b, &a)
    };
    let card = verify(card, &b, &a).unwrap();
    let (client, server) = session(&a, &b);
    World { client, server, set, card }
}

/// Runs one transfer; gives the tags that came and how it ended.
fn transfer(
    world: &World,
    progress: &TagSetProgress,
    faults: &[Fault],
) -> (Vec<Tag>, Result<(), ProtocolError>, Option<TagSetProgress>, u64) {
    let mut download = TagSetDownload::begin(&world.client, &world.card, progress, 0).unwrap();
    let mut holder = Holder::new(&world.server, &world.set);
    let time_ms = run(&mut download, &mut holder, faults);
    assert!(holder.ended);
    let (mut all, mut due) = (Vec::new(), progress.chunks());
    while let Some(event) = download.poll_event() {
        match event {
            Ok(TagSetEvent::Chunk { number, tags }) => {
                assert_eq!((number, tags.len()), (due, 256));
                due += 1;
                all.extend(tags);
            }
            Ok(TagSetEvent::Done(set)) => {
                assert!(download.poll_event().is_none());
                assert_eq!(set.count(), world.set.count());
                return (all, Ok(()), download.progress(), time_ms);
            }
            Err(error) => {
                assert!(download.poll_event().is_none());
                return (all, Err(error), download.progress(), time_ms);
            }
        }
    }
    panic!("the transfer did not end");
}

fn tags(set: &TagSet) -> Vec<Tag> {
    set.chunks()
        .flat_map(|chunk| chunk.entries().iter().map(|entry| entry.tag).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_set_arrives_whole() {
    let world = world();
    let (all, outcome, progress, _) = transfer(&world, &TagSetProgress::default(), &[]);
    outcome.unwrap();
    assert_eq!(all, tags(&world.set));
    assert_eq!(progress, None);
}

#[test]
fn an_interrupted_transfer_resumes_where_it_was() {
    let world = world();
    let mut download =
        TagSetDownload::begin(&world.client, &world.card, &TagSetProgress::default(), 0).unwrap();
    let request = written(|| download.poll_transmit());
    let mut holder = Holder::new(&world.server, &world.set);
    holder.bytes(&request, 0);
    holder.end(0);
    let stream = written(|| holder.transmit());
    // The connection breaks inside the fourth chunk.
    download.handle_bytes(&stream[..stream.len() - 3 * CHUNK_BYTES + 100], 0);
    download.handle_reset();
    let mut before = Vec::new();
    while let Some(Ok(TagSetEvent::Chunk { tags, .. })) = download.poll_event() {
        before.extend(tags);
    }
    let progress = download.progress().unwrap();
    assert_eq!(progress.chunks(), 3);
    let progress = TagSetProgress::decode(&progress.encode()).unwrap();
    let (after, outcome, ..) = transfer(&world, &progress, &[]);
    outcome.unwrap();
    assert_eq!([before, after].concat(), tags(&world.set));
}

#[test]
fn a_transfer_that_lacks_only_its_end_resumes_without_a_request() {
    let world = world();
    let mut download =
        TagSetDownload::begin(&world.client, &world.card, &TagSetProgress::default(), 0).unwrap();
    let request = written(|| download.poll_transmit());
    let mut holder = Holder::new(&world.server, &world.set);
    holder.bytes(&request, 0);
    holder.end(0);
    download.handle_bytes(&written(|| holder.transmit()), 0);
    download.handle_timeout(REQUEST_DEADLINE_MS);
    let progress = download.progress().unwrap();
    let mut resumed = TagSetDownload::begin(&world.client, &world.card, &progress, 0).unwrap();
    assert_eq!(resumed.poll_transmit(), None);
    assert!(matches!(resumed.poll_event(), Some(Ok(TagSetEvent::Done(_)))));
}

#[test]
fn a_lie_in_any_chunk_is_found() {
    let world = world();
    let mut download =
        TagSetDownload::begin(&world.client, &world.card, &TagSetProgress::default(), 0).unwrap();
    let request = written(|| download.poll_transmit());
    let mut holder = Holder::new(&world.server, &world.set);
    holder.bytes(&request, 0);
    holder.end(0);
    let honest = written(|| holder.transmit());
    let header = honest.len() - 6 * CHUNK_BYTES;
    let swap = |first: usize, second: usize| {
        let mut stream = honest.clone();
        let (first, second) = (header + first * CHUNK_BYTES, header + second * CHUNK_BYTES);
        stream.copy_within(first..first + CHUNK_BYTES, second);
        stream[first..first + CHUNK_BYTES].copy_from_slice(&honest[second..second + CHUNK_BYTES]);
        stream
    };
    let mut last_bit = honest.clone();
    *last_bit.last_mut().unwrap() ^= 1;
    let cases: [(&str, Vec<u8>); 6] = [
        ("the last bit", last_bit),
        ("two chunks exchanged", swap(1, 2)),
        ("a chunk too few", honest[..honest.len() - CHUNK_BYTES].to_vec()),
        ("a chunk too many", [&honest[..], &[0xff; CHUNK_BYTES]].concat()),
        ("a byte too many", [&honest[..], &[0]].concat()),
        ("a header of another count", {
            let mut stream = honest.clone();
            // 19 06 00 is 1,536; 19 08 00 is 2,048.
            let place = stream.windows(3).position(|window| window == [0x19, 6, 0]).unwrap();
            stream[place + 1] = 8;
            stream
        }),
    ];
    for (rule, stream) in cases {
        let mut download =
            TagSetDownload::begin(&world.client, &world.card, &TagSetProgress::default(), 0)
                .unwrap();
        download.handle_bytes(&stream, 0);
        download.handle_end(0);
        let mut last = None;
        while let Some(event) = download.poll_event() {
            last = Some(event);
        }
        assert!(matches!(last, Some(Err(_))), "{rule}");
    }
}

#[test]
fn a_set_that_is_gone_has_the_epoch_code() {
    let world = world();
    let progress = TagSetProgress::default();
    let mut download = TagSetDownload::begin(&world.client, &world.card, &progress, 0).unwrap();
    let mut serve = Serve::new(&world.server, 0);
    serve.handle_bytes(&written(|| download.poll_transmit()), 0);
    serve.handle_end(0);
    let Some(Ok(Incoming::TagSet(asked))) = serve.poll_outcome() else { panic!("no request") };
    download.handle_bytes(&asked.refuse(Refusal::EpochUnknown).into_bytes(), 0);
    let event = download.poll_event().unwrap();
    assert!(matches!(event, Err(ProtocolError::PeerRefused { code, .. }) if code.number() == 41));
}

#[test]
fn progress_of_another_set_is_refused() {
    let world = world();
    let progress = TagSetProgress::decode(&[0x83, 0x02, 0x80, 0xf6]).unwrap();
    let begun = TagSetDownload::begin(&world.client, &world.card, &progress, 0);
    assert!(matches!(begun, Err(ProtocolError::TagSet { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_schedule_ends_and_resumes(faults in faults()) {
        let world = world();
        let (mut all, mut outcome, mut progress, time_ms) =
            transfer(&world, &TagSetProgress::default(), &faults);
        prop_assert!(time_ms <= 8 * 40_000 + 2 * REQUEST_DEADLINE_MS);
        // An interruption is resumed once, over a link without faults.
        if let (Err(ProtocolError::Truncated | ProtocolError::Deadline), Some(at)) =
            (&outcome, progress.take())
        {
            let (rest, end, ..) = transfer(&world, &at, &[]);
            all.extend(rest);
            outcome = end;
        }
        if outcome.is_ok() {
            prop_assert_eq!(all, tags(&world.set));
        }
    }
}
