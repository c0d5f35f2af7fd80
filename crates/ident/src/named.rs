//! One macro for the small closed lists of this crate: a code for bytes, a name for text.

/// Defines an enum whose members have a fixed one-byte code and a fixed snake_case name.
macro_rules! named {
    (
        $(#[$meta:meta])*
        $name:ident, $unknown:ident, {
            $($(#[$doc:meta])* $member:ident = $code:literal, $text:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[repr(u8)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $member = $code,)+
        }

        impl $name {
            /// Every member, by code.
            pub const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The code in bytes; never reused, never renumbered.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The member with this code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$member),)+
                    _ => None,
                }
            }

            /// The name in text, snake_case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::IdentError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$member),)+
                    _ => Err(crate::IdentError::$unknown),
                }
            }
        }
    };
}

pub(crate) use named;
