//! Enumerations with one text name per value, used alike on the wire, in policy and for people.
//!
//! Invariant: the serde form of such a value is its name; no other spelling is accepted.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Declares an enumeration, its names, their parsing and its serde form.
macro_rules! named {
    (
        $(#[$about:meta])*
        $Name:ident as $what:literal {
            $( $(#[$about_value:meta])* $Value:ident = $text:literal, )+
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name { $( $(#[$about_value])* $Value, )+ }

        impl $Name {
            /// Every value, in the order of the specification.
            pub const ALL: &'static [$Name] = &[$( $Name::$Value, )+];

            /// The name on the wire, in policy and for people.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( $Name::$Value => $text, )+ }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::RecordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $text => Ok($Name::$Value), )+
                    _ => Err($crate::RecordError::UnknownName { what: $what }),
                }
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::named::parsed(from)
            }
        }
    };
}
pub(crate) use named;

/// Reads a text and parses it; the error says nothing of the text.
pub(crate) fn parsed<'de, T: FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let Parsed(value) = Parsed::deserialize(from)?;
    Ok(value)
}

struct Parsed<T>(T);

impl<'de, T: FromStr> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Name(PhantomData))
    }
}

struct Name<T>(PhantomData<T>);

impl<T: FromStr> Visitor<'_> for Name<T> {
    type Value = Parsed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a known name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map(Parsed).map_err(|_| E::custom("unknown name"))
    }
}
