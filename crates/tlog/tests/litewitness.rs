//! The stories of the Go program litewitness, request by request, against the rules of a witness.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test over committed files"
)]

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use symbolon_tlog::add_checkpoint::format_cosignatures;
use symbolon_tlog::note::KeyName;
use symbolon_tlog::witness::{Durability, Head, Refusal, Swap, receive};
use symbolon_tlog::{
    AddCheckpoint, CosignatureSigner, CosignatureType, Hash, LogVerifier, NoteVerifier,
};

const LITEWITNESS: &str = include_str!("../../../spec/vectors/torchwood-witness/litewitness.txt");
const SUMDB: &str = include_str!("../../../spec/vectors/torchwood-witness/sumdb.txt");

/// One request of a story and what it expects.
struct Exchange {
    body: String,
    status: u16,
    /// `body == "…"` or `body contains "…"`.
    equals: Option<String>,
    contains: Option<String>,
}

/// The requests in the `add-checkpoint.hurl` file of a story.
fn exchanges(story: &str) -> Vec<Exchange> {
    let (_, hurl) = story.split_once("-- add-checkpoint.hurl --\n").unwrap();
    let requests = hurl.split("POST ").skip(1);
    let quoted = |answer: &str, assert: &str| {
        let line = answer.lines().find_map(|line| line.strip_prefix(assert))?;
        Some(line.trim_matches('"').replace("\\n", "\n"))
    };
    let exchange = |request: &str| {
        let mut parts = request.split("```\n");
        let (_url, body, answer) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        Exchange {
            body: body.to_owned(),
            status: answer.split_whitespace().nth(1).unwrap().parse().unwrap(),
            equals: quoted(answer, "body == "),
            contains: quoted(answer, "body contains "),
        }
    };
    requests.map(exchange).collect()
}

/// The word after `option` in the story's commands.
fn option<'s>(story: &'s str, option: &str) -> &'s str {
    let (_, rest) = story.split_once(option).unwrap();
    rest.split([' ', '\n']).next().unwrap()
}

/// The Sigsum log: its origin and key name are the hash of its key.
fn sigsum_log(story: &str) -> LogVerifier {
    let public = hex::decode(option(story, "add-sigsum-log -key=")).unwrap();
    let name = format!("sigsum.org/v1/tree/{}", hex::encode(Sha256::digest(&public)));
    let key = [&[0x01], &public[..]].concat();
    let id = Sha256::new_with_prefix(format!("{name}\n")).chain_update(&key).finalize();
    let id = u32::from_be_bytes(*id.first_chunk().unwrap());
    let vkey = format!("{name}+{id:08x}+{}", Base64::encode_string(&key));
    LogVerifier::any(&name, vec![NoteVerifier::parse(&vkey).unwrap()]).unwrap()
}

/// The witness's key, from the OpenSSH file in the story: its last field but comment and padding
/// is the secret and the public key.
fn witness(story: &str) -> CosignatureSigner {
    let (_, pem) = story.split_once("-- witness_key.pem --\n").unwrap();
    let base64: String = pem.lines().skip(1).take_while(|line| !line.starts_with('-')).collect();
    let file = Base64::decode_vec(&base64).unwrap();
    let fingerprint = hex::decode(option(story, " -key=e9")).unwrap();
    let is_public = |window: &&[u8]| Sha256::digest(window)[1..] == fingerprint[..];
    let public = file.windows(32).rev().find(is_public).unwrap();
    let at = file.windows(32).rposition(|window| window == public).unwrap();
    let seed: [u8; 32] = file[at - 32..at].try_into().unwrap();
    let name = KeyName::parse("example.com/witness").unwrap();
    let signer = CosignatureSigner::from_seed(name, CosignatureType::Ed25519, &seed).unwrap();
    let vkey = signer.verifier().to_string();
    let key = Base64::decode_vec(vkey.splitn(3, '+').last().unwrap()).unwrap();
    assert_eq!(key, [&[0x04], public].concat());
    signer
}

/// A witness that knows one log and keeps its head in memory.
struct Witness {
    log: LogVerifier,
    signer: CosignatureSigner,
    head: Head,
    now: u64,
}

impl Witness {
    fn new(story: &str, log: LogVerifier) -> Self {
        Self { log, signer: witness(story), head: Head::EMPTY, now: 1_700_000_000 }
    }

    fn answer(&mut self, body: &str) -> (u16, String) {
        self.now += 1;
        match self.try_answer(body) {
            Ok(lines) => (200, lines),
            Err(refusal) => {
                let cause = std::error::Error::source(&refusal).map(ToString::to_string);
                let told = format!("{refusal}: {}", cause.unwrap_or_default());
                (refusal.status(), refusal.body().unwrap_or(told))
            }
        }
    }

    fn try_answer(&mut self, body: &str) -> Result<String, Refusal> {
        if let Ok(request) = AddCheckpoint::parse(body) {
            assert_eq!(request.to_string(), body);
        }
        let known = |origin: &str| (origin == self.log.origin()).then_some(&self.log);
        let request = receive(body.as_bytes(), known)?;
        let accepted = request.decide(self.head).map_err(|refused| refused.refusal())?;
        let head = &mut self.head;
        let durability = accepted.make_durable(self.now, |accepted| {
            let step = accepted.step();
            assert_eq!(step.expected(), *head);
            *head = step.next();
            Ok::<_, std::convert::Infallible>(Swap::Stored)
        });
        let Ok(Durability::Durable(durable)) = durability else { panic!("overtaken") };
        let line = self.signer.cosign(&durable).unwrap();
        let cosigned = durable.checkpoint().signed().clone().with_signature(line.clone()).unwrap();
        let verdict = self.signer.verifier().verify(&cosigned).unwrap();
        assert_eq!((verdict.size(), verdict.root()), (self.head.size(), self.head.root()));
        assert_eq!(verdict.timestamp(), Some(self.now));
        Ok(format_cosignatures(&[line]).unwrap())
    }
}

fn play(story: &str, log: LogVerifier, requests: usize) -> Witness {
    let mut witness = Witness::new(story, log);
    let exchanges = exchanges(story);
    assert_eq!(exchanges.len(), requests);
    for (number, exchange) in exchanges.iter().enumerate() {
        let mut request = exchange.body.clone();
        if exchange.contains.as_deref() == Some("invalid signature") {
            // The story spoils the last character of a signature so that it is no longer the
            // base64 of any bytes, which its program reads over. Here that is malformed already;
            // what its program took it for is a false signature here as well.
            assert_eq!(witness.answer(&request).0, 400);
            assert!(request.contains("6gx=\n"));
            request = request.replace("6gx=\n", "6gw=\n");
        }
        let (status, body) = witness.answer(&request);
        // "If the checkpoint origin is unknown, the witness MUST respond with a "404 Not Found"":
        // the program of the story answered 403, its text is the same.
        let unknown = exchange.contains.as_deref() == Some("unknown log");
        let expect = if unknown { 404 } else { exchange.status };
        assert_eq!(status, expect, "request {number}: {body}");
        if let Some(expect) = &exchange.equals {
            assert_eq!(body, *expect, "request {number}");
        }
        match exchange.contains.as_deref() {
            // Said in our words: the log's key is known and its signature false.
            Some("invalid signature") => assert!(body.contains("does not verify"), "{body}"),
            Some(expect) => assert!(body.contains(expect), "request {number}: {body}"),
            None => {}
        }
    }
    witness
}

#[test]
fn the_story_of_litewitness() {
    let witness = play(LITEWITNESS, sigsum_log(LITEWITNESS), 9);
    let size: u64 = option(LITEWITNESS, "\"size\":").parse().unwrap();
    assert_eq!(witness.head.size(), size);
}

#[test]
fn the_story_of_a_log_whose_origin_is_not_its_key_name() {
    let key = NoteVerifier::parse(option(SUMDB, "tree' -key ")).unwrap();
    assert_eq!(key.name().as_str(), "sum.golang.org");
    let log = LogVerifier::any("go.sum database tree", vec![key]).unwrap();
    let witness = play(SUMDB, log, 1);
    let root = Base64::decode_vec("vt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=").unwrap();
    let root = Hash(root.try_into().unwrap());
    assert_eq!(witness.head, Head::new(35_225_469, root).unwrap());
}
