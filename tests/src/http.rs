//! A blocking client of the node's API: one request a connection. Not the client of the product.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// How long one call may take, in seconds.
const CALL_SECONDS_MAX: u64 = 60;

/// What a node said to one call.
#[derive(Debug)]
pub struct Answer {
    /// All lines, as they came.
    pub raw: Vec<u8>,
    /// The result, or `None` where the call failed or broke off.
    pub result: Option<Value>,
    /// The error line, where there was one.
    pub error: Option<Value>,
    /// What was said of rows.
    pub rows: Vec<Value>,
}

/// Posts `body` and reads the answer until `mark` is in it: whether it came.
pub(crate) fn post_until(socket: &Path, call: &str, body: &[u8], mark: &str) -> bool {
    let Some(mut stream) = begin(socket, call, body) else { return false };
    let (mut response, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(count) if count > 0 => response.extend_from_slice(&piece[..count]),
            _ => return false,
        }
        if crate::find(&response, mark.as_bytes()).is_some() {
            return true;
        }
    }
}

/// Posts `body`; `None` where no node answers or it died before its answer.
#[must_use]
pub fn post(socket: &Path, call: &str, body: &[u8]) -> Option<Answer> {
    let mut stream = begin(socket, call, body)?;
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    let end = response.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = response.split_at_checked(end + 4)?;
    let is_chunked = crate::find(head, b"transfer-encoding: chunked").is_some();
    let raw = if is_chunked { joined(body) } else { body.to_vec() };
    let mut answer = Answer { raw, result: None, error: None, rows: Vec::new() };
    for line in answer.raw.split(|byte| *byte == b'\n') {
        let Ok(Value::Object(line)) = serde_json::from_slice(line) else {
            continue;
        };
        for (key, value) in line {
            match key.as_str() {
                "result" => answer.result = Some(value),
                "error" => answer.error = Some(value),
                "row" => answer.rows.push(value),
                _ => {}
            }
        }
    }
    Some(answer)
}

/// Sends the request.
fn begin(socket: &Path, call: &str, body: &[u8]) -> Option<UnixStream> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(CALL_SECONDS_MAX))).ok()?;
    let head = format!(
        "POST /v1/{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nx-symbolon-officer: test-officer\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    // A node that refuses early may close before it has read all.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    Some(stream)
}

/// The chunks of a body joined, as far as they are whole.
pub(crate) fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size = body.get(..end).and_then(|digits| std::str::from_utf8(digits).ok());
        let size = size.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let Some(chunk) = body.get(end + 2..end + 2 + size).filter(|_| size > 0) else {
            break;
        };
        whole.extend_from_slice(chunk);
        body = body.get(end + size + 4..).unwrap_or_default();
    }
    whole
}
