//! Bounds that only this node keeps, beside the protocol's own in `symbolon_protocol::limits`.

/// Handshakes in progress; one more ends the oldest. All of these have shown that they receive at
/// their address, so a flood of forged addresses never gets here.
pub(super) const HANDSHAKES_MAX: usize = 256;
/// Connections in any state, from the first accepted packet until nothing is kept of them; at this
/// number no handshake begins. Covers those that were closed and still absorb late packets.
pub(super) const OPEN_MAX: usize = 1_024;
/// Address-validation tokens given to a partner on each connection (RFC 9000 §8.1.3).
pub(super) const VALIDATION_TOKENS_SENT: u32 = 2;
/// Life of such a token: long enough for a partner that comes once a day.
pub(super) const VALIDATION_TOKEN_SECONDS: u64 = 7 * 86_400;
/// Memory of the tokens already used, in bytes.
pub(super) const VALIDATION_TOKEN_LOG_BYTES: usize = 64 * 1024;
/// Tokens used in one life of a token, for sizing that memory.
pub(super) const VALIDATION_TOKENS_EXPECTED: u64 = 10_000;
/// Partners whose tokens are kept for the next dial.
pub(super) const TOKEN_PARTNERS_MAX: u32 = 256;
/// Tokens kept for one partner.
pub(super) const TOKENS_PER_PARTNER_MAX: usize = 2;
/// Shortest time between two stateless resets.
pub(super) const RESET_INTERVAL_MS_MIN: u64 = 20;

/// Requests of all partners that run at a time, each on a thread that may block.
pub(super) const SERVING_MAX: usize = 64;
/// Requests of one partner that run at a time, so that none can keep the others out.
pub(super) const SERVING_PER_PARTNER_MAX: usize = 8;
/// Pieces of an answer that wait for the network, so that a slow partner slows its own request.
pub(super) const PIECES_WAITING_MAX: usize = 4;

/// Addresses tried in one dial, after names are resolved.
pub(super) const DIAL_ADDRESSES_MAX: usize = 8;
/// Head start of each address over the next.
pub(super) const DIAL_STAGGER_MS: u64 = 250;
/// Wait after the first failed dial; doubles with each further one.
pub(super) const BACKOFF_MS_MIN: u64 = 250;
/// Longest wait between dials.
pub(super) const BACKOFF_MS_MAX: u64 = 15_000;

/// Time for the answers in flight when the node stops, so that all is over within five seconds.
pub(super) const DRAIN_MS_MAX: u64 = 4_000;
/// Time for telling the partners that their connections end.
pub(super) const GOODBYE_MS_MAX: u64 = 500;
/// Time for the last frame of a stream to arrive before its connection is closed.
pub(super) const LAST_WORD_MS_MAX: u64 = 1_000;
/// When a partner that found no turn may ask again.
pub(super) const BUSY_RETRY_SECONDS: u64 = 5;
/// Keep-alive intervals without a packet after which a partner that owes an answer is gone.
pub(super) const SILENCE_KEEP_ALIVES: u32 = 2;
