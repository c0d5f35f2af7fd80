//! Every number that bounds a connection, with its unit; nothing here is negotiable.
//!
//! Implements spec/transport.md#limits. The node configures QUIC from these constants and from
//! nothing else, because the library's own defaults are wide open.

/// Revision of this protocol, carried in every hello.
pub const VERSION: u16 = 1;
/// The only application protocol offered and accepted in TLS (RFC 7301).
pub const ALPN: &[u8] = b"symbolon/1";

/// Connections that are allowed to wait for acceptance.
pub const INCOMING_MAX: usize = 256;
/// Bytes kept for one connection that was not accepted yet.
pub const INCOMING_BUFFER_BYTES_MAX: u64 = 64 * 1024;
/// Bytes kept for all connections that were not accepted yet.
pub const INCOMING_BUFFER_TOTAL_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Pending handshakes beyond which every address, known or not, gets a Retry packet.
pub const HANDSHAKES_PENDING_MAX: usize = 32;
/// Life of a Retry token.
pub const RETRY_TOKEN_LIFETIME_MS: u64 = 10_000;

/// Bidirectional streams that a peer may have open before hello.
pub const HELLO_BIDI_STREAMS_MAX: u32 = 1;
/// Unidirectional streams that a peer may have open before hello.
pub const HELLO_UNI_STREAMS_MAX: u32 = 0;
/// Connection receive window before hello.
pub const HELLO_RECEIVE_WINDOW_BYTES: u32 = 64 * 1024;
/// Bidirectional streams that a peer may have open after hello.
pub const BIDI_STREAMS_MAX: u32 = 32;
/// Unidirectional streams that a peer may have open after hello.
pub const UNI_STREAMS_MAX: u32 = 4;
/// Connection receive window after hello.
pub const RECEIVE_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// Receive window of one stream.
pub const STREAM_RECEIVE_WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes sent and not acknowledged, for one connection.
pub const SEND_WINDOW_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of TLS handshake kept out of order.
pub const CRYPTO_BUFFER_BYTES: usize = 64 * 1024;

/// Silence after which a connection is closed.
pub const IDLE_TIMEOUT_MS: u64 = 30_000;
/// Interval of keep-alive packets.
pub const KEEP_ALIVE_MS: u64 = 10_000;
/// From the first packet of a connection to the end of hello.
pub const HANDSHAKE_DEADLINE_MS: u64 = 10_000;
/// From the opening of a stream to the last byte of a plain answer; in a tag-set transfer, the
/// longest silence between two chunks.
pub const REQUEST_DEADLINE_MS: u64 = 30_000;

/// Connections of one partner at a time.
pub const CONNECTIONS_PER_PARTNER_MAX: usize = 8;
/// Connections of all partners at a time.
pub const CONNECTIONS_MAX: usize = 64;

/// One frame without its four length bytes.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// One frame on the hello stream; leaves room for the receive window of that phase.
pub const HELLO_FRAME_BYTES_MAX: usize = 48 * 1024;
/// One request frame other than `evaluate` and `deliver`.
pub const SMALL_REQUEST_BYTES_MAX: usize = 256;
/// One `error` frame.
pub const ERROR_BYTES_MAX: usize = 32;
/// Bytes handed to a machine in one call, beyond one frame.
pub const READ_BYTES_MAX: usize = 64 * 1024;

/// Difference of the two clocks beyond which a hello is refused.
pub const CLOCK_SKEW_SECONDS_MAX: u64 = 300;
/// One signed checkpoint as text.
pub const CHECKPOINT_BYTES_MAX: usize = 8 * 1024;
/// One signed node card.
pub const CARD_BYTES_MAX: usize = symbolon_trust::limits::CARD_BYTES_MAX;

/// Signed epoch cards in one answer: eight classes, this epoch and the next, and a margin.
pub const EPOCH_CARDS_MAX: usize = 32;
/// One signed epoch card.
pub const EPOCH_CARD_BYTES_MAX: usize = 8 * 1024;

/// Sizes to which a batch of blinded elements is padded; no other size is answered.
pub const BATCH_ELEMENTS: [usize; 3] = symbolon_oprf::BATCH_SIZES_ELEMENTS;
/// One encoded group element.
pub const ELEMENT_BYTES: usize = 32;
/// One batch proof.
pub const PROOF_BYTES: usize = 64;
/// One evaluate request: 1,024 elements and the evidence.
pub const EVALUATE_BYTES_MAX: usize =
    1024 * ELEMENT_BYTES + symbolon_audit::limits::EVIDENCE_BYTES_MAX + 64;
/// One answer to it.
pub const EVALUATED_BYTES_MAX: usize = 1024 * ELEMENT_BYTES + PROOF_BYTES + 64;

/// One request to cosign: a note of two signatures and at most 63 hashes.
pub const COSIGN_BYTES_MAX: usize = 16 * 1024;
/// One answer to it: a cosignature line, or a few.
pub const COSIGNED_BYTES_MAX: usize = 16 * 1024;

/// One request to match a whole set: terms and evidence.
pub const BULK_BEGIN_BYTES_MAX: usize = symbolon_audit::limits::EVIDENCE_BYTES_MAX + 128;
/// One word about the state of a match, with two signatures.
pub const BULK_SIGNED_BYTES_MAX: usize = 4 * 1024;
/// Bytes of bulk matching that one request or one answer carries.
pub const BULK_PIECE_BYTES_MAX: usize = 960 * 1024;
/// Items of a set that is matched in bulk, padding included.
pub const BULK_ITEMS_MAX: u64 = 1 << 26;

/// One sealed envelope on a stream, so that it fits a frame with its header.
pub const ENVELOPE_BYTES_MAX: usize = FRAME_BYTES_MAX - 1024;

/// Envelopes in one push.
pub const PUSH_ENVELOPES_MAX: usize = 64;
/// Bytes of all envelopes in one push, so that they fit a frame.
pub const PUSH_BYTES_MAX: usize = ENVELOPE_BYTES_MAX;
/// Envelopes in one answer of a relay, so that their positions fit the frame beside them.
pub const COLLECTED_ENVELOPES_MAX: usize = 64;

/// Leaves of a log that one request asks to have opened.
pub const PROVE_LEAVES_MAX: usize = 64;
/// One such request: two sizes and the leaves.
pub const PROVE_BYTES_MAX: usize = 1024;
/// Salt and entry of one leaf in the answer: only entries of a few digests are opened so.
pub const PROVED_ENTRY_BYTES_MAX: usize = 1024;
/// Hashes of one proof in the answer.
pub const PROVED_HASHES_MAX: usize = symbolon_tlog::limits::PROOF_HASHES_MAX;
/// One answer: all leaves with their proofs.
pub const PROVED_BYTES_MAX: usize = 256 * 1024;

/// One tag.
pub const TAG_BYTES: usize = symbolon_oprf::TAG_BYTES;
/// Tags in one chunk of a transfer.
pub const CHUNK_TAGS: usize = symbolon_oprf::CHUNK_ENTRIES;
/// One chunk of a transfer.
pub const CHUNK_BYTES: usize = CHUNK_TAGS * TAG_BYTES;
/// Tags in the smallest set; every set is padded to 2^k or 1.5·2^k, so all chunks are full.
pub const TAG_SET_TAGS_MIN: u64 = symbolon_oprf::TAG_SET_ENTRIES_MIN;
/// Tags in the largest set, 2^28: 4 GiB on the wire.
pub const TAG_SET_TAGS_MAX: u64 = symbolon_oprf::TAG_SET_ENTRIES_MAX;
