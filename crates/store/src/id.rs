//! Names of the rows that this crate defines: version 7 UUIDs, so that they sort by time.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "serde_bytes")] [u8; 16]);

        impl $name {
            /// A fresh name; `now_ms` in Unix milliseconds, `seed` of random bytes.
            #[must_use]
            pub fn generate(now_ms: u64, seed: [u8; 32]) -> Self {
                let [a, b, c, d, e, f, g, h, i, j, ..] = seed;
                let random = [a, b, c, d, e, f, g, h, i, j];
                let made = uuid::Builder::from_unix_timestamp_millis(now_ms, &random);
                Self(made.into_uuid().into_bytes())
            }

            /// The sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::StoreError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parsed = uuid::Uuid::try_parse(text);
                let what = stringify!($name);
                let parsed = parsed.map_err(|_| crate::StoreError::Name { what })?;
                Ok(Self(parsed.into_bytes()))
            }
        }
    };
}

id! {
    /// Name of a hit.
    HitId
}

id! {
    /// Name of a query.
    QueryId
}

id! {
    /// Name of an alarm.
    AlarmId
}

id! {
    /// Name of a watch rule.
    WatchId
}

id! {
    /// Name of a notice that is to leave the node.
    NoticeId
}
