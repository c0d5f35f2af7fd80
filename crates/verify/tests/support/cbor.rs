//! Just enough CBOR to write every document by hand, and to change one field of it.

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cbor {
    Uint(u64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Cbor>),
    /// A map of one text key.
    Named(String, Box<Cbor>),
    Null,
}

/// An unsigned integer.
pub(crate) fn uint(value: u64) -> Cbor {
    Cbor::Uint(value)
}

/// A byte string.
pub(crate) fn bytes(value: impl AsRef<[u8]>) -> Cbor {
    Cbor::Bytes(value.as_ref().to_vec())
}

/// A text.
pub(crate) fn text(value: &str) -> Cbor {
    Cbor::Text(value.to_owned())
}

/// A list.
pub(crate) fn list<const N: usize>(values: [Cbor; N]) -> Cbor {
    Cbor::List(values.into())
}

/// A map of one text key.
pub(crate) fn named<const N: usize>(name: &str, values: [Cbor; N]) -> Cbor {
    Cbor::Named(name.to_owned(), Box::new(list(values)))
}

/// A list of hashes.
pub(crate) fn hashes(values: &[symbolon_tlog::Hash]) -> Cbor {
    Cbor::List(values.iter().map(bytes).collect())
}

impl Cbor {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Cbor::Uint(value) => head(out, 0, *value),
            Cbor::Bytes(value) => {
                head(out, 2, value.len() as u64);
                out.extend(value);
            }
            Cbor::Text(value) => {
                head(out, 3, value.len() as u64);
                out.extend(value.as_bytes());
            }
            Cbor::List(values) => {
                head(out, 4, values.len() as u64);
                values.iter().for_each(|value| value.write(out));
            }
            Cbor::Named(name, value) => {
                head(out, 5, 1);
                text(name).write(out);
                value.write(out);
            }
            Cbor::Null => out.push(0xf6),
        }
    }

    pub(crate) fn decode(mut bytes: &[u8]) -> Cbor {
        let value = read(&mut bytes);
        assert!(bytes.is_empty());
        value
    }

    /// The part at a path of positions.
    pub(crate) fn at(&mut self, path: &[usize]) -> &mut Cbor {
        path.iter().fold(self, |value, index| match value {
            Cbor::List(values) => &mut values[*index],
            Cbor::Named(_, value) => value.at(&[*index]),
            other => panic!("{other:?} has no parts"),
        })
    }

    pub(crate) fn as_bytes(&mut self) -> &mut Vec<u8> {
        match self {
            Cbor::Bytes(value) => value,
            other => panic!("{other:?} is no byte string"),
        }
    }

    pub(crate) fn as_list(&mut self) -> &mut Vec<Cbor> {
        match self {
            Cbor::List(values) => values,
            other => panic!("{other:?} is no list"),
        }
    }
}

fn head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    match value {
        0..=23 => out.push(major | value as u8),
        24..=0xff => out.extend([major | 24, value as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend((value as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend((value as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(value.to_be_bytes());
        }
    }
}

fn read(rest: &mut &[u8]) -> Cbor {
    let first = take(rest, 1)[0];
    if first == 0xf6 {
        return Cbor::Null;
    }
    let value = match first & 31 {
        small @ 0..=23 => u64::from(small),
        size => take(rest, 1 << (size - 24)).iter().fold(0, |n, byte| n << 8 | u64::from(*byte)),
    };
    let count = value as usize;
    match first >> 5 {
        0 => Cbor::Uint(value),
        2 => Cbor::Bytes(take(rest, count).to_vec()),
        3 => Cbor::Text(String::from_utf8(take(rest, count).to_vec()).unwrap()),
        4 => Cbor::List((0..count).map(|_| read(rest)).collect()),
        5 => match read(rest) {
            Cbor::Text(name) => Cbor::Named(name, Box::new(read(rest))),
            other => panic!("{other:?} is no key"),
        },
        major => panic!("major type {major}"),
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    head
}
