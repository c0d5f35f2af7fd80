//! The tables of the store: their names, and how a backend should lay them out.
//!
//! Implements spec/store.md#tables.

/// A table of rows `key -> value`, ordered by key. The log and the budgets stand beside these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Setting,
    Record,
    RecordIndex,
    External,
    Partner,
    PartnerPin,
    PartnerSeen,
    Checkpoint,
    TagSet,
    TagChunk,
    TagDetail,
    Hit,
    Evidence,
    Envelope,
    Query,
    Progress,
    PartnerCheckpoint,
    Owed,
    Alarm,
    Alert,
    AlertSecret,
    AlertContent,
    Delivery,
    DeliveryStatement,
    Outbox,
    Sent,
    Stream,
    Due,
    Inbox,
    Hotline,
    Submission,
    Submitter,
    Watch,
    WatchFit,
    Notice,
    RelayBox,
    Relay,
    LeafName,
    Deletion,
}

/// How the rows of a table are shaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Values of a kilobyte and more, found through a separate index of keys.
    Wide,
    /// Rows of a few dozen bytes, kept in the index itself.
    Narrow,
    /// Narrow rows with random keys, millions of them, that are put once under a key of their own
    /// and never replaced: a backend may keep them in the order of arrival.
    Scattered,
}

impl Table {
    pub(crate) const ALL: [Self; 39] = [
        Self::Setting,
        Self::Record,
        Self::RecordIndex,
        Self::External,
        Self::Partner,
        Self::PartnerPin,
        Self::PartnerSeen,
        Self::Checkpoint,
        Self::TagSet,
        Self::TagChunk,
        Self::TagDetail,
        Self::Hit,
        Self::Evidence,
        Self::Envelope,
        Self::Query,
        Self::Progress,
        Self::PartnerCheckpoint,
        Self::Owed,
        Self::Alarm,
        Self::Alert,
        Self::AlertSecret,
        Self::AlertContent,
        Self::Delivery,
        Self::DeliveryStatement,
        Self::Outbox,
        Self::Sent,
        Self::Stream,
        Self::Due,
        Self::Inbox,
        Self::Hotline,
        Self::Submission,
        Self::Submitter,
        Self::Watch,
        Self::WatchFit,
        Self::Notice,
        Self::RelayBox,
        Self::Relay,
        Self::LeafName,
        Self::Deletion,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Setting => "setting",
            Self::Record => "record",
            Self::RecordIndex => "record_index",
            Self::External => "external",
            Self::Partner => "partner",
            Self::PartnerPin => "partner_pin",
            Self::PartnerSeen => "partner_seen",
            Self::Checkpoint => "checkpoint",
            Self::TagSet => "tag_set",
            Self::TagChunk => "tag_chunk",
            Self::TagDetail => "tag_detail",
            Self::Hit => "hit",
            Self::Evidence => "evidence",
            Self::Envelope => "envelope",
            Self::Query => "query",
            Self::Progress => "progress",
            Self::PartnerCheckpoint => "partner_checkpoint",
            Self::Owed => "owed",
            Self::Alarm => "alarm",
            Self::Alert => "alert",
            Self::AlertSecret => "alert_secret",
            Self::AlertContent => "alert_content",
            Self::Delivery => "delivery",
            Self::DeliveryStatement => "delivery_statement",
            Self::Outbox => "outbox",
            Self::Sent => "sent",
            Self::Stream => "stream",
            Self::Due => "due",
            Self::Inbox => "inbox",
            Self::Hotline => "hotline",
            Self::Submission => "submission",
            Self::Submitter => "submitter",
            Self::Watch => "watch",
            Self::WatchFit => "watch_fit",
            Self::Notice => "notice",
            Self::RelayBox => "relay_box",
            Self::Relay => "relay",
            Self::LeafName => "leaf_name",
            Self::Deletion => "deletion",
        }
    }

    /// The version of the schema that brought it.
    pub(crate) const fn since(self) -> u32 {
        match self {
            Self::PartnerCheckpoint | Self::Owed | Self::Alarm => 2,
            Self::Alert
            | Self::AlertSecret
            | Self::AlertContent
            | Self::Delivery
            | Self::DeliveryStatement
            | Self::Outbox
            | Self::Sent
            | Self::Stream
            | Self::Due
            | Self::Inbox
            | Self::Hotline
            | Self::Submission
            | Self::Submitter
            | Self::Watch
            | Self::WatchFit
            | Self::Notice
            | Self::RelayBox
            | Self::Relay
            | Self::LeafName => 3,
            Self::Deletion => 4,
            _ => 1,
        }
    }

    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::RecordIndex => Shape::Scattered,
            Self::External
            | Self::PartnerPin
            | Self::Delivery
            | Self::DeliveryStatement
            | Self::Outbox
            | Self::Stream
            | Self::Due
            | Self::Inbox
            | Self::Submission
            | Self::LeafName
            | Self::Submitter
            | Self::WatchFit
            | Self::RelayBox => Shape::Narrow,
            _ => Shape::Wide,
        }
    }
}
