//! Every limit of the desk, with its unit.

/// Seconds of a day.
pub(crate) const DAY_SECONDS: u64 = 86_400;
/// Life of a node card, in days.
pub const CARD_DAYS: u64 = 365;
/// Life of an envelope key, in days; after it the key is destroyed.
pub const ENVELOPE_KEY_DAYS: u64 = 14;
/// After this many days a new envelope key takes over.
pub const ENVELOPE_KEY_FRESH_DAYS: u64 = 7;
/// Life of a sealed statement on its way, in seconds.
pub const STATEMENT_SECONDS: u64 = 86_400;
/// Identifiers in one query.
pub const QUERY_IDENTIFIERS_MAX: usize = 100_000;
/// Match keys in one batch.
pub const BATCH_KEYS_MAX: usize = 1_024;
/// Batches of one exchange under way at once: one on the wire while others are blinded or compared.
pub const BATCHES_UNDER_WAY_MAX: usize = 3;
/// How long epoch cards of a partner are believed to be the newest, in seconds.
pub const EPOCH_CARDS_FRESH_SECONDS: u64 = 60;
/// Records released in answer to one confirm.
pub const ANSWER_RECORDS_MAX: usize = 1;
/// Records of one import commit.
pub const IMPORT_COMMIT_RECORDS: usize = 4_000;
/// Statements of one evidence bundle.
pub const BUNDLE_STATEMENTS_MAX: usize = 500;
/// Rows of one page.
pub const PAGE_ROWS_MAX: u32 = 1_000;
/// Records read from the store at once.
pub const SCAN_RECORDS: usize = 1_000;
/// Elements blinded or evaluated at once in a tag-set build.
pub const BUILD_KEYS: usize = 8_192;
/// A text of a reason, case or legal basis, in bytes.
pub const REASON_BYTES_MAX: usize = 256;
/// Days for which a query is opened to an auditor, if nobody says.
pub const GRANT_DAYS: u32 = 7;
/// The same at most.
pub const GRANT_DAYS_MAX: u32 = 365;
/// Days for which the log keeps every entry: the longest epoch that an agreement can have.
pub const ERASE_AGE_DAYS_MIN: u32 = 31;
/// How long an export of leaves may go on under its one entry, in seconds.
pub const EXPORT_SECONDS_MAX: u64 = 86_400;
/// Days before an end of validity at which doctor warns.
pub const EXPIRY_WARNING_DAYS: u64 = 30;
/// The log grows to a multiple of this at each beat of the cadence, in leaves.
pub const HEARTBEAT_LEAVES: u64 = 4;
/// Leaves of the log that one page of an account looks at.
pub const ACCOUNT_LEAVES_MAX: u64 = 20_000;
/// Pages of accounts that one partner is given in a minute: each leaves an entry in the log.
pub const ACCOUNT_PAGES_MAX: u32 = 240;
/// Items of one page of an account.
pub const ACCOUNT_ITEMS_MAX: usize = symbolon_disclosure::limits::ACCOUNT_ITEMS_MAX;
/// Matches of whole sets that partners may have under way here, one each.
pub const BULK_MATCHES_MAX: usize = 4;
/// After so long without a request a match is forgotten, in seconds.
pub const BULK_IDLE_SECONDS: u64 = 600;
/// How long one request gathers the answering set, in milliseconds.
pub const BULK_GATHER_MS: u64 = 2_000;
/// Attempts at one partition.
pub const BULK_ATTEMPTS_MAX: u32 = 3;
/// Partitions of a match that the asking side runs at once: with their items 1.1 GiB at most
/// (spec/matching.md#bulk), and half of the requests that a partner serves at a time.
pub const BULK_PARTITIONS_AT_ONCE: usize = 4;
/// Attempts of one match that run here at once; also of all matches, beside the only one of a
/// match.
pub const BULK_PARTITIONS_AT_ONCE_MAX: usize = 4;
/// When a partner that found no room for a match or a partition may ask again, in seconds.
pub const BULK_RETRY_SECONDS: u64 = 60;
/// Items that met which one row keeps.
pub const BULK_MET_ROW_ITEMS: usize = 1 << 16;
/// Partitions that one reading of a set in the store fills; each is in memory until it is matched.
pub const BULK_PARTITIONS_READ: u32 = 4;
/// Rows of a set that go to the store together.
pub const BULK_SPILL_ROWS: usize = 64;
/// How often a piece of a match is sent again when it or its answer was lost.
pub const BULK_CARRY_REPEATS_MAX: u32 = 2;
/// Common items that are always allowed.
pub const BULK_INTERSECTION_MIN: u64 = 1_024;
/// Raw bytes of one message of the correlation.
pub const BULK_CORRELATION_BYTES_MAX: u64 = 8 << 20;
/// Keys of a set that are kept in one row for the auditor.
pub const BULK_ROW_KEYS: usize = 1_024;
/// The link that the choice between the two ways of matching supposes, in bytes a second.
pub const BULK_LINK_BYTES_PER_SECOND: u64 = 12_500_000;
/// Age of a partner's last cosignature beyond which doctor warns, in seconds.
pub const COSIGNED_SECONDS_MAX: u64 = 86_400;
/// How long a receipt may be owed before the partner's account is asked for, in seconds.
pub const RECEIPT_PATIENCE_SECONDS: u64 = 600;
/// How long a receipt may be owed before it is overdue, in seconds.
pub const RECEIPT_OVERDUE_SECONDS: u64 = 86_400;
/// Leaves of the log in one answer: 256 KiB of hexadecimal.
pub(crate) const LEAVES_PAGE_MAX: u32 = 4_096;
/// Signed statements read at once.
pub(crate) const SCAN_STATEMENTS: usize = 256;
/// Entries of the log read at once.
pub(crate) const SCAN_ENTRIES: usize = 2_000;
/// Days after which everybody deletes an alert, if nobody says.
pub const ALERT_DAYS: u32 = 90;
/// The same at most.
pub const ALERT_DAYS_MAX: u32 = 3_650;
/// Statements of one push.
pub const PUSH_STATEMENTS_MAX: usize = 64;
/// Pushes on their way to one partner at once: one is carried while another is applied and the
/// answer to a third becomes durable.
pub const PUSHES_UNDER_WAY_MAX: usize = 3;
/// How long a push that overtook another waits for it at its recipient, in milliseconds.
pub const ARRIVAL_WAIT_MS: u64 = 500;
/// Envelopes for one partner that are kept in memory until they leave: those of two pushes.
pub const READY_ENVELOPES_MAX: usize = 2 * PUSH_STATEMENTS_MAX;
/// Envelopes of one push, in bytes: what fits a frame beside its framing.
pub const PUSH_BYTES_MAX: usize = (1 << 20) - (8 << 10);
/// The same of the first pushes to a partner, in bytes: nobody knows the way to it yet.
pub const PUSH_BYTES_BEGIN: usize = 256 << 10;
/// The same over the slowest way, in bytes; one envelope may be larger.
pub const PUSH_BYTES_MIN: usize = 32 << 10;
/// Statements under way by a relay: what is not acknowledged when this many are is waited for.
pub const RELAY_UNDER_WAY_MAX: u64 = 4_096;
/// How long an acknowledgement by way of a relay is waited for, in seconds, if nobody says.
pub const AGAIN_SECONDS: u64 = 900;
/// The same at most: the wait doubles with every vain attempt.
pub const AGAIN_SECONDS_MAX: u64 = 86_400;
/// Answers of a relay that are taken in one turn.
pub const COLLECT_PAGES_MAX: usize = 1_024;
/// How soon a sender may ask a full relay again, in seconds.
pub const RELAY_RETRY_SECONDS: u64 = 60;
/// What may lie here for one node, if nobody says: envelopes, bytes.
pub const RELAY_RECIPIENT_ROOM: [u64; 2] = [50_000, 1 << 30];
/// What one node may leave here, if nobody says: envelopes, bytes.
pub const RELAY_SENDER_ROOM: [u64; 2] = [20_000, 512 << 20];
/// Envelopes of one courier file beside its manifest.
pub const COURIER_ENVELOPES_MAX: usize = symbolon_disclosure::limits::MANIFEST_ENVELOPES_MAX;
/// Acknowledgements at the end of a courier file.
pub const COURIER_ACKNOWLEDGEMENTS_MAX: usize = 64;
/// For so long every courier file repeats an acknowledgement, in seconds: a file may be lost.
pub const COURIER_REPEAT_SECONDS: u64 = 14 * DAY_SECONDS;
/// Courier files under way at once.
pub const COURIER_PARCELS_MAX: usize = 8;
/// After so long without a call a courier file under way is forgotten, in seconds.
pub const COURIER_IDLE_SECONDS: u64 = 600;
/// Between two hellos that are held because an envelope could not be opened, in seconds.
pub const MEET_ANEW_SECONDS: u64 = 600;
/// Letters of an idempotency key.
pub const IDEMPOTENCY_KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// For so long what was handed in under an idempotency key is known again, in days. A client sends
/// nothing by itself that is two thirds as old: the rest is for clocks that are wrong.
pub const SUBMISSION_DAYS: u64 = 90;
/// How often it is looked whether keys are older than that, in seconds.
pub const SUBMISSION_LOOK_SECONDS: u64 = 3_600;
/// Leaves that one request asks a partner to open.
pub const PROVE_LEAVES_MAX: usize = symbolon_protocol::limits::PROVE_LEAVES_MAX;
/// Requests to open leaves that one partner has answered in a minute: each leaves an entry in the
/// log.
pub const PROOF_REQUESTS_MAX: u32 = 240;
/// Deletions that one partner is asked to prove in one go.
pub const PROOFS_AT_ONCE_MAX: usize = 1_024;
/// How long after a proof that was refused it is asked for again, in seconds; doubled each time.
pub const PROOF_AGAIN_SECONDS: u64 = 60;
/// The longest such time, in seconds.
pub const PROOF_AGAIN_SECONDS_MAX: u64 = 86_400;
/// How often a proof is asked for in vain before it is given up: about a month.
pub const PROOF_TRIES_MAX: u32 = 40;
/// How long a partner that cannot answer is left in peace, unless it is met before, in seconds.
pub const PROOF_LATER_SECONDS: u64 = 600;
/// How long a recipient may take to delete what was withdrawn or has expired, in seconds.
pub const DELETION_PATIENCE_SECONDS: u64 = 86_400;
/// Alerts of one page.
pub const ALERT_ROWS_MAX: u32 = 1_000;
/// Things that fall due handled at once.
pub(crate) const DUE_ROWS: usize = 256;
/// Own records that one alert is shown to meet.
pub const MATCHES_MAX: usize = 32;
/// Hotlines of one node.
pub const HOTLINES_MAX: usize = 1_000;
/// Submissions in an hour that a hotline can be given.
pub const HOTLINE_QUOTA_MAX: u32 = 1_000_000;
/// Submissions at once that a hotline can be given.
pub const HOTLINE_BURST_MAX: u32 = 10_000;
/// Calls of one hotline under way at once; one more is told to come again.
pub const HOTLINE_CALLS_MAX: usize = 4;
/// Readings in an hour of one hotline: states of its submissions, templates, greetings.
pub const HOTLINE_READINGS_PER_HOUR: u32 = 7_200;
/// The same at once.
pub const HOTLINE_READINGS_BURST: u32 = 120;
/// Commits in which the submissions of one hour are reserved, at most.
pub const HOTLINE_RESERVATIONS: u64 = 20;
/// Addresses of a node in an enrolment file.
pub const HOTLINE_URLS_MAX: usize = 4;
/// Pins of a node in an enrolment file.
pub const HOTLINE_PINS_MAX: usize = 4;
/// One address in an enrolment file, in bytes.
pub const URL_BYTES_MAX: usize = 256;
/// An enrolment file without its armor, in bytes.
pub const ENROLMENT_BYTES_MAX: usize = 4 * 1024;
/// Watch rules of one node.
pub const WATCHES_MAX: usize = 200;
/// Values in one list of a watch rule.
pub const WATCH_LIST_MAX: usize = 100;
/// Targets of one watch rule.
pub const WATCH_TARGETS_MAX: usize = 8;
/// Longest name of a watch rule, in bytes.
pub const WATCH_NAME_BYTES_MAX: usize = 128;
/// Longest address of a webhook, in bytes.
pub const WATCH_URL_BYTES_MAX: usize = 512;
/// How far back the preview of a watch rule looks, in days.
pub const WATCH_PREVIEW_DAYS: u64 = 30;
/// How long it is noted what fitted a watch rule, in days.
pub const WATCH_KEPT_DAYS: u64 = 90;
/// Alerts of one watch rule in a preview or a digest.
pub const WATCH_FITS_SHOWN_MAX: usize = 200;
/// Alerts read at once.
pub(crate) const WATCH_SCAN_ALERTS: usize = 500;
/// Notices that wait to leave this node; an alert that fits a rule beyond them makes none.
pub const NOTICES_MAX: u64 = 10_000;
/// Between two entries of the log on notices that were left out, in seconds.
pub const NOTICES_LOG_SECONDS: u64 = 3_600;
/// Attempts at sending one notice.
pub const NOTICE_ATTEMPTS_MAX: u32 = 32;
/// Wait before the second attempt at sending a notice, in seconds; doubled each time.
pub const NOTICE_RETRY_SECONDS: u64 = 15;
/// Longest wait before another attempt, in seconds.
pub const NOTICE_RETRY_SECONDS_MAX: u64 = 3_600;
/// Notices that are given out for sending at once.
pub const NOTICES_AT_ONCE: usize = 64;
