//! The text of every statement, so that each is prepared once and none is put together from input.

use crate::table::Table;

/// The statements of one table.
pub(crate) struct Texts {
    pub(crate) fetch: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) scan_to_end: &'static str,
    pub(crate) count: &'static str,
    pub(crate) count_range: &'static str,
    pub(crate) count_to_end: &'static str,
    pub(crate) insert: &'static str,
    pub(crate) replace: &'static str,
    pub(crate) wipe: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) delete_range: &'static str,
}

macro_rules! texts {
    ($table:literal) => {
        &Texts {
            fetch: concat!("SELECT value FROM ", $table, " WHERE key = ?1"),
            scan: concat!(
                "SELECT key, value FROM ",
                $table,
                " WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"
            ),
            scan_to_end: concat!(
                "SELECT key, value FROM ",
                $table,
                " WHERE key >= ?1 ORDER BY key LIMIT ?2"
            ),
            count: concat!("SELECT count(*) FROM ", $table),
            count_to_end: concat!("SELECT count(*) FROM ", $table, " WHERE key >= ?1"),
            count_range: concat!("SELECT count(*) FROM ", $table, " WHERE key >= ?1 AND key < ?2"),
            insert: concat!(
                "INSERT INTO ",
                $table,
                " (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
            ),
            replace: concat!(
                "INSERT INTO ",
                $table,
                " (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value"
            ),
            wipe: concat!("UPDATE ", $table, " SET value = zeroblob(length(value)) WHERE key = ?1"),
            delete: concat!("DELETE FROM ", $table, " WHERE key = ?1"),
            delete_range: concat!("DELETE FROM ", $table, " WHERE key >= ?1 AND key < ?2"),
        }
    };
}

/// The statements of `table`.
pub(crate) const fn of(table: Table) -> &'static Texts {
    match table {
        Table::Setting => texts!("setting"),
        Table::Record => texts!("record"),
        Table::RecordIndex => texts!("record_index"),
        Table::External => texts!("external"),
        Table::Partner => texts!("partner"),
        Table::PartnerPin => texts!("partner_pin"),
        Table::PartnerSeen => texts!("partner_seen"),
        Table::Checkpoint => texts!("checkpoint"),
        Table::TagSet => texts!("tag_set"),
        Table::TagChunk => texts!("tag_chunk"),
        Table::TagDetail => texts!("tag_detail"),
        Table::Hit => texts!("hit"),
        Table::Evidence => texts!("evidence"),
        Table::Envelope => texts!("envelope"),
        Table::Query => texts!("query"),
        Table::Progress => texts!("progress"),
        Table::PartnerCheckpoint => texts!("partner_checkpoint"),
        Table::Owed => texts!("owed"),
        Table::Alarm => texts!("alarm"),
        Table::Alert => texts!("alert"),
        Table::AlertSecret => texts!("alert_secret"),
        Table::AlertContent => texts!("alert_content"),
        Table::Delivery => texts!("delivery"),
        Table::DeliveryStatement => texts!("delivery_statement"),
        Table::Outbox => texts!("outbox"),
        Table::Sent => texts!("sent"),
        Table::Stream => texts!("stream"),
        Table::Due => texts!("due"),
        Table::Inbox => texts!("inbox"),
        Table::Hotline => texts!("hotline"),
        Table::Submission => texts!("submission"),
        Table::Submitter => texts!("submitter"),
        Table::Watch => texts!("watch"),
        Table::WatchFit => texts!("watch_fit"),
        Table::Notice => texts!("notice"),
        Table::RelayBox => texts!("relay_box"),
        Table::Relay => texts!("relay"),
        Table::LeafName => texts!("leaf_name"),
        Table::Deletion => texts!("deletion"),
    }
}

pub(crate) const BUDGET_FETCH: &str = "SELECT spent FROM budget WHERE key = ?1";
pub(crate) const BUDGET_PUT: &str = "INSERT INTO budget (key, spent) VALUES (?1, ?2)
    ON CONFLICT DO UPDATE SET spent = excluded.spent";
pub(crate) const LOG_PUT: &str = "INSERT INTO log_entry (number, leaf, cell) VALUES (?1, ?2, ?3)";
pub(crate) const LOG_SIZE: &str = "SELECT ifnull(max(number) + 1, 0) FROM log_entry";
pub(crate) const LOG_SCAN: &str =
    "SELECT number, leaf, cell FROM log_entry WHERE number >= ?1 ORDER BY number LIMIT ?2";
pub(crate) const LOG_ERASE: &str =
    "UPDATE log_entry SET cell = x'' WHERE number >= ?1 AND number < ?2 AND length(cell) > 0";
pub(crate) const TILE_PUT: &str =
    "INSERT INTO log_tile (level, number, hashes) VALUES (?1, ?2, ?3)";
pub(crate) const TILE_FETCH: &str = "SELECT hashes FROM log_tile WHERE level = ?1 AND number = ?2";
pub(crate) const GENERATION_NEWEST: &str = "SELECT key FROM record_index ORDER BY key DESC LIMIT 1";
pub(crate) const GENERATION_ROWS: &str = "SELECT count(*) FROM record_index WHERE key >= ?1";
