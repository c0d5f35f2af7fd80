//! Names and addresses of the Internet: domains, web addresses, IP addresses.
//!
//! Implements spec/identifiers.md#network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::canonical::{Draft, Input};
use crate::contact::domain_of;
use crate::key::{Check, KeyForm, Strength};
use crate::{IdentError, Kind, fold};

/// UTS 46 A-labels in lower case, without the root's dot.
pub(crate) fn domain(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Domain;
    let text = armed(input.text);
    let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    let text = text.rsplit('@').next().unwrap_or_default();
    let text = text.split(':').next().unwrap_or_default();
    let text = text.trim_start_matches("*.");
    let name =
        host_name(text).ok_or(IdentError::NotThisKind { kind, rule: "a domain of two labels" })?;
    Ok(Draft::new(kind, name).key(KeyForm::Exact, Strength::Medium))
}

/// A domain name whose last label is not a number: that would be an address.
fn host_name(text: &str) -> Option<String> {
    let name = domain_of(text.trim_end_matches('.'))?;
    let last = name.rsplit('.').next()?;
    (!last.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

/// The text with what analysts write against accidental clicks undone: `[.]`, `(dot)`, `hxxp`.
fn armed(text: &str) -> String {
    let plain = fold::plain_text(text);
    let plain = plain.trim_matches(['<', '>', '"', '\'']).trim();
    let mut armed = plain.to_owned();
    for (written, meant) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
    ] {
        if armed.contains(written) {
            armed = armed.replace(written, meant);
        }
    }
    armed
}

/// RFC 5952 §4; an IPv4-mapped address is the IPv4 address. A port, a zone and the length of a
/// single address's prefix are dropped.
pub(crate) fn ip(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Ip;
    let text = armed(input.text);
    let text = text.strip_suffix("/32").filter(|rest| !rest.contains(':')).unwrap_or(&text);
    let text = text.strip_suffix("/128").unwrap_or(text);
    let address = address(text).ok_or(IdentError::NotThisKind { kind, rule: "an IP address" })?;
    if address.is_unspecified() || address.is_loopback() {
        return Err(IdentError::Placeholder);
    }
    let mut draft = Draft::new(kind, address.to_string());
    if !is_public(address) {
        draft = draft.check(Check::Invalid, "an address of the public Internet");
    }
    Ok(draft.key(KeyForm::Exact, Strength::Medium))
}

fn address(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, port) = rest.split_once(']')?;
        let port = port.strip_prefix(':').unwrap_or(port);
        return port.bytes().all(|byte| byte.is_ascii_digit()).then(|| six(inside))?;
    }
    if text.matches(':').count() > 1 {
        return six(text);
    }
    match text.split_once(':') {
        Some((host, port)) if is_port(port) => four(host).map(IpAddr::V4),
        Some(_) => None,
        None => four(text).map(IpAddr::V4),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.parse::<u16>().is_ok() && text.bytes().all(|b| b.is_ascii_digit())
}

fn six(text: &str) -> Option<IpAddr> {
    let address = text.split('%').next()?.parse::<Ipv6Addr>().ok()?;
    Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
}

/// Four decimal numbers. One or two digits with a leading zero would be octal to some programs and
/// are refused; a table that pads all to three digits is read.
fn four(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let padded = part.starts_with('0') && part.len() == 2;
        if !(1..=3).contains(&part.len()) || padded || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// Whether the address can be of one host for everyone (IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            let shared = first == 100 && (64..=127).contains(&second);
            !(four.is_private() || four.is_link_local() || shared || first == 0 || first >= 224)
        }
        IpAddr::V6(six) => {
            let [first, ..] = six.segments();
            !(matches!(first >> 8, 0xfc | 0xfd | 0xff) || matches!(first, 0xfe80..=0xfeff))
        }
    }
}

/// RFC 3986 §6.2.2: host in lower case, percent-encoding only where needed, no dot segments. The
/// scheme of the web, its port, user and fragment are dropped: they name the same resource.
pub(crate) fn url(input: &Input<'_>) -> Result<Draft, IdentError> {
    let kind = Kind::Url;
    let text = armed(input.text);
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", &text));
    let mut scheme = scheme.to_ascii_lowercase();
    if matches!(scheme.as_str(), "hxxp" | "hxxps") {
        scheme.replace_range(1..3, "tt");
    }
    let known = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.len() <= 16
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end).unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = host(authority, &scheme);
    let (true, Some(host)) = (known, host) else {
        return Err(IdentError::NotThisKind { kind, rule: "a host and a path" });
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let mut value = String::with_capacity(text.len());
    if !matches!(scheme.as_str(), "http" | "https") {
        value.push_str(&scheme);
        value.push_str("://");
    }
    value.push_str(&host);
    push_path(path, &mut value);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        value.push('?');
        push_encoded(query, b"/?", &mut value);
    }
    Ok(Draft::new(kind, value).key(KeyForm::Exact, Strength::Medium))
}

fn host(authority: &str, scheme: &str) -> Option<String> {
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (authority, ""),
    };
    let name = match name.strip_prefix('[') {
        Some(_) => format!("[{}]", six(name.trim_matches(['[', ']']))?),
        None => four(name).map(|four| four.to_string()).or_else(|| host_name(name))?,
    };
    let port = match (port.is_empty(), port.parse::<u16>()) {
        (true, _) => None,
        (_, port) => Some(port.ok()?),
    };
    let usual = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "ftp" => Some(21),
        _ => None,
    };
    // Without the scheme in the value, neither of the web's ports can stay.
    let web = matches!(scheme, "http" | "https");
    match port {
        Some(port) if Some(port) != usual && !(web && matches!(port, 80 | 443)) => {
            Some(format!("{name}:{port}"))
        }
        _ => Some(name),
    }
}

fn push_path(path: &str, value: &mut String) {
    let mut encoded = String::with_capacity(path.len());
    push_encoded(path, b"/", &mut encoded);
    let mut segments: Vec<&str> = Vec::new();
    let mut open = false;
    for segment in encoded.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        value.push('/');
        value.push_str(segment);
    }
    if segments.is_empty() || (open && segments.last() != Some(&"")) {
        value.push('/');
    }
}

/// Unreserved characters as they are, others by their bytes with upper-case digits.
fn push_encoded(text: &str, also: &[u8], value: &mut String) {
    const PLAIN: &[u8] = b"-._~!$&'()*+,;=:@";
    let mut bytes = text.bytes();
    while let Some(mut byte) = bytes.next() {
        let mut escaped = false;
        if byte == b'%' {
            let mut ahead = bytes.clone();
            let digits = (ahead.next().and_then(hex), ahead.next().and_then(hex));
            if let (Some(high), Some(low)) = digits {
                byte = high << 4 | low;
                escaped = true;
                bytes = ahead;
            }
        }
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        // An escaped delimiter does not delimit, so it stays escaped.
        if unreserved || (!escaped && (PLAIN.contains(&byte) || also.contains(&byte))) {
            value.push(char::from(byte));
        } else {
            value.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                value.push(digit.to_ascii_uppercase());
            }
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
