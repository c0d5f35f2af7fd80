//! Why the store refused, sorted by whose fault it is. Never carries a key, a value or a name.

use symbolon_codec::DecodeError;

/// Why the store refused. A refused write has changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    // The operator's to mend.
    /// The keyring does not open: another passphrase or key file sealed it, or it was altered.
    #[error("the passphrase or key file does not open this keyring")]
    WrongPassphrase,
    /// The keyring wants the other way of unlocking.
    #[error("this keyring opens with a {wanted}")]
    WrongUnlock {
        /// `passphrase` or `key file`.
        wanted: &'static str,
    },
    /// A newer program wrote this database.
    #[error("the database has schema {found}, this program knows {known}: use a newer program")]
    NewerSchema {
        /// Version in the file.
        found: u32,
        /// Newest version that this program knows.
        known: u32,
    },
    /// A newer program wrote this keyring.
    #[error("the keyring has version {found}, this program knows {known}: use a newer program")]
    NewerKeyring {
        /// Version in the file.
        found: u32,
        /// Newest version that this program knows.
        known: u32,
    },
    /// A file is not one of ours, or the keyring belongs to another database.
    #[error("the {file} is not this store's")]
    Foreign {
        /// `keyring` or `database`.
        file: &'static str,
    },
    /// A file that must be there is missing.
    #[error("the {file} is missing")]
    Missing {
        /// `data directory`, `keyring` or `database`.
        file: &'static str,
    },
    /// A new store was asked for where one already is.
    #[error("there is a store here already")]
    Exists,
    /// Another process has this store open.
    #[error("another process has this store open")]
    InUse,
    /// No space is left on the disk. What was acknowledged is safe; try again with space.
    #[error("the disk is full")]
    Full,
    /// The operating system refused.
    #[error("could not {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },

    // A rule of the house that the write would break.
    /// The budget does not cover the amount asked for; nothing was spent.
    #[error("the budget is exhausted: {remaining} left")]
    Exhausted {
        /// What is left of it.
        remaining: u64,
    },
    /// The envelope was admitted before.
    #[error("this envelope was admitted before")]
    Repeated,
    /// The row is not in the state that the write expects: another writer came first.
    #[error("another write came first")]
    Conflict,
    /// A partner's log is older than, or differs from, what was last seen of it.
    #[error("the partner's log went back")]
    WentBack,

    // The caller's misuse.
    /// A value is longer than its limit.
    #[error("the {what} is longer than allowed")]
    TooLong {
        /// Which value.
        what: &'static str,
    },
    /// A chunk of a tag set is not the next one, is misshapen, or its tags are not in order.
    #[error("the tag set's {what}")]
    TagSet {
        /// What is wrong.
        what: &'static str,
    },
    /// A text is not the name of a row.
    #[error("not a {what}")]
    Name {
        /// Which kind of name.
        what: &'static str,
    },
    /// The key file is too short to be safe, or too long to be one.
    #[error("a key file has 32 to 4096 bytes")]
    KeyFileLength,
    /// The row that the call names does not exist.
    #[error("there is no such {what}")]
    Absent {
        /// Which kind of row.
        what: &'static str,
    },
    /// The log has fewer leaves than the call asks for.
    #[error("the log has fewer leaves than asked for")]
    BeyondLog,

    // The files were altered, or we have a bug.
    /// A cell does not open where it lies: it was altered or moved.
    #[error("a cell of {table} was altered")]
    Altered {
        /// The table.
        table: &'static str,
    },
    /// A cell opens but does not decode.
    #[error("a cell of {table} does not decode")]
    Decode {
        /// The table.
        table: &'static str,
        /// The rule that it breaks.
        #[source]
        source: DecodeError,
    },
    /// The tables contradict each other.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What does not fit.
        what: &'static str,
    },
    /// Entries of the log are gone, and no erasure in the log covers them.
    #[error("the entry of leaf {index} is missing, of {count} in all")]
    EntryMissing {
        /// The first.
        index: u64,
        /// How many.
        count: u64,
    },
    /// The writer has stopped, after a failed durable write or at the end: open the store again.
    #[error("the store is closed")]
    Closed,
    /// SQLite refused for a reason that has no better name here.
    #[error("the database refused (code {code})")]
    Sqlite {
        /// Extended result code of SQLite.
        code: i32,
    },
}

impl StoreError {
    /// Whether the batch was at fault, so that the others beside it can go on.
    pub(crate) const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Full | Self::Io { .. } | Self::Sqlite { .. } | Self::InUse)
    }

    /// The same for another caller: a cause cannot be told twice, its kind can.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Full => Self::Full,
            Self::InUse => Self::InUse,
            Self::Sqlite { code } => Self::Sqlite { code: *code },
            Self::Io { what, source } => Self::Io { what, source: source.kind().into() },
            Self::Damaged { what } => Self::Damaged { what },
            _ => Self::Closed,
        }
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { what, source },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    /// Only the code survives: SQLite's messages may quote a statement or a value.
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map_or(0, |cause| cause.extended_code);
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign { file: "database" },
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => Self::Damaged { what: "SQLite says so" },
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                Self::InUse
            }
            _ => Self::Sqlite { code },
        }
    }
}
