//! A client of the node's JSON API over its Unix socket; every command but a few is one.
//!
//! Implements spec/api.md#calls.

use std::io::Read;
use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Bytes, Frame};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_web::{Line, OFFICER_HEADER};
use tokio::net::UnixStream;

use crate::exit::{Exit, Failure};

/// Name of the socket in the data directory.
pub(crate) const SOCKET_NAME: &str = "api.sock";

/// A piece of an import on its way to the node, in bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// One line of an answer, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Talks to one node on behalf of one officer.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    socket: PathBuf,
    officer: String,
}

impl Client {
    pub(crate) fn new(directory: &Path, officer: &str) -> Client {
        Client::at(directory.join(SOCKET_NAME), officer)
    }

    /// Through the door at `socket`.
    pub(crate) fn at(socket: PathBuf, officer: &str) -> Client {
        Client { socket, officer: officer.to_owned() }
    }

    /// Makes one call and hands every line before the last to `line`.
    pub(crate) async fn call<R: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        let body = serde_json::to_vec(request).map_err(|_| unreadable())?;
        self.send(path, Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed(), line)
            .await
    }

    /// Makes one call whose body is one line of JSON and then the bytes of `input`.
    pub(crate) async fn upload<R: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
        mut input: impl Read + Send + 'static,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        let mut head = serde_json::to_vec(request).map_err(|_| unreadable())?;
        head.push(b'\n');
        let (feed, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(4);
        let feeding = tokio::task::spawn_blocking(move || {
            let mut feed = feed;
            let handle = tokio::runtime::Handle::current();
            let mut piece = Bytes::from(head);
            loop {
                if handle.block_on(feed.send(Frame::data(piece))).is_err() {
                    return;
                }
                let mut buffer = vec![0; PIECE_BYTES];
                match input.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => {
                        buffer.truncate(count);
                        piece = Bytes::from(buffer);
                    }
                    Err(error) => return feed.abort(error),
                }
            }
        });
        let answer = self.send(path, body.boxed(), line).await;
        feeding.abort();
        answer
    }

    async fn send<R: DeserializeOwned>(
        &self,
        path: &str,
        body: BoxBody<Bytes, std::io::Error>,
        line: &mut dyn FnMut(Line),
    ) -> Result<R, Failure> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|_| self.not_running())?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driving = tokio::spawn(connection);
        let request = Request::post(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(OFFICER_HEADER, &self.officer)
            .body(body)
            .map_err(|_| {
                Failure::invalid(
                    "the officer's name cannot be sent",
                    "use letters, digits and .-_@ for --officer",
                )
            })?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let outcome = read_lines(response.into_body(), line).await;
        driving.abort();
        let value = outcome?;
        serde_json::from_value(value).map_err(|_| unreadable())
    }

    fn not_running(&self) -> Failure {
        Failure::new(
            Exit::Unavailable,
            format!("no node answers at {}", self.socket.display()),
            "start it with 'symbolon run', or name its folder with --data",
        )
    }
}

async fn read_lines(
    mut body: hyper::body::Incoming,
    line: &mut dyn FnMut(Line),
) -> Result<serde_json::Value, Failure> {
    let mut buffer: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        buffer.extend_from_slice(&data);
        if buffer.len() > LINE_BYTES_MAX {
            return Err(unreadable());
        }
        let Some(end) = buffer.iter().rposition(|byte| *byte == b'\n') else {
            continue;
        };
        let rest = buffer.split_off(end + 1);
        for text in buffer.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
            match serde_json::from_slice(text).map_err(|_| unreadable())? {
                Line::Result(value) => return Ok(value),
                Line::Error(error) => {
                    return Err(Failure::from_code(&error.code, error.message, error.remedy));
                }
                step => line(step),
            }
        }
        buffer = rest;
    }
    Err(Failure::new(
        Exit::Unavailable,
        "the node ended the call before its result",
        "look at the node's own output",
    ))
}

fn broken(_: hyper::Error) -> Failure {
    Failure::new(
        Exit::Unavailable,
        "the connection to the node broke",
        "look at the node's own output",
    )
}

fn unreadable() -> Failure {
    Failure::new(
        Exit::Internal,
        "the node's answer cannot be read",
        "use the same version of symbolon for the node and for this command",
    )
}
