//! One call: a desk function on a blocking thread, its reports and its outcome as lines of JSON.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::Response;
use futures_core::Stream;
use serde::{Deserialize, Serialize};
use symbolon_desk::api::{Progress, Report, RowProblem};
use symbolon_desk::{DeskError, Fault};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::limits::LINES_WAITING_MAX;

/// One line of an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Work has advanced.
    Progress(Progress),
    /// A row of input was refused or reduced.
    Row(RowProblem),
    /// The end: what came of it.
    Result(serde_json::Value),
    /// The end: why nothing came of it.
    Error(ErrorLine),
}

/// Why a call failed, for people and for programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorLine {
    /// `invalid`, `credentials`, `not_found`, `refused`, `busy`, `unavailable` or `internal`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// When asking again is worth it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_seconds: Option<u64>,
}

impl Line {
    fn encode(&self) -> Bytes {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        Bytes::from(bytes)
    }
}

impl From<&DeskError> for ErrorLine {
    fn from(error: &DeskError) -> ErrorLine {
        ErrorLine {
            code: error.fault().as_str().to_owned(),
            message: error.to_string(),
            remedy: error.remedy().to_owned(),
            retry_seconds: error.retry_seconds(),
        }
    }
}

/// Runs `work` on a blocking thread and answers with its lines. An outcome without any report
/// before it sets the HTTP status; later the status is 200 and the last line tells.
pub(crate) async fn run<R, F>(permits: &Arc<Semaphore>, work: F) -> Response
where
    R: Serialize,
    F: FnOnce(&mut dyn Report) -> Result<R, DeskError> + Send + 'static,
{
    let Ok(permit) = Arc::clone(permits).acquire_owned().await else {
        return error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the node is stopping");
    };
    let (lines, mut received) = channel(LINES_WAITING_MAX);
    tokio::task::spawn_blocking(move || {
        let mut reporter = Lines { lines, last: None };
        let outcome = work(&mut reporter);
        let line = match outcome {
            Ok(result) => match serde_json::to_value(&result) {
                Ok(value) => Line::Result(value),
                Err(_) => Line::Error(ErrorLine {
                    code: Fault::Internal.as_str().to_owned(),
                    message: "the result cannot be written as JSON".to_owned(),
                    remedy: "report this as a defect".to_owned(),
                    retry_seconds: None,
                }),
            },
            Err(error) => {
                if error.fault() == Fault::Internal {
                    tracing::error!(cause = %error, "call failed");
                }
                Line::Error(ErrorLine::from(&error))
            }
        };
        // Whoever asked may have left; the work is done all the same.
        let _ = reporter.lines.blocking_send(line);
        drop(permit);
    });
    let Some(first) = received.recv().await else {
        return error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the call ended early");
    };
    let status = match &first {
        Line::Error(line) => status(&line.code),
        _ => StatusCode::OK,
    };
    answer(status, Body::from_stream(Answer { first: Some(first), rest: received }))
}

fn status(code: &str) -> StatusCode {
    match code {
        "invalid" => StatusCode::BAD_REQUEST,
        "credentials" => StatusCode::UNAUTHORIZED,
        "not_found" => StatusCode::NOT_FOUND,
        "refused" => StatusCode::CONFLICT,
        "busy" => StatusCode::TOO_MANY_REQUESTS,
        "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error without a desk.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let line = Line::Error(ErrorLine {
        code: code.to_owned(),
        message: message.to_owned(),
        remedy: "see spec/api.md".to_owned(),
        retry_seconds: None,
    });
    answer(status, Body::from(line.encode()))
}

/// A refusal before a call began.
pub(crate) fn refusal(error: &DeskError) -> Response {
    let line = ErrorLine::from(error);
    let (status, retry) = (status(&line.code), line.retry_seconds);
    let mut response = answer(status, Body::from(Line::Error(line).encode()));
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn answer(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

struct Lines {
    lines: Sender<Line>,
    last: Option<(String, u64)>,
}

impl Report for Lines {
    /// A report per hundredth is plenty: a reader that is slow must not slow the work.
    fn progress(&mut self, stage: &str, done: u64, total: Option<u64>) {
        let step = total.unwrap_or(100_000).div_ceil(100).max(1);
        let is_new = match &self.last {
            Some((last, at)) => last != stage || done / step != at / step || total == Some(done),
            None => true,
        };
        if is_new {
            self.last = Some((stage.to_owned(), done));
            let progress = Progress { stage: stage.to_owned(), done, total };
            let _ = self.lines.try_send(Line::Progress(progress));
        }
    }

    fn row(&mut self, problem: RowProblem) {
        let _ = self.lines.blocking_send(Line::Row(problem));
    }
}

struct Answer {
    first: Option<Line>,
    rest: Receiver<Line>,
}

impl Stream for Answer {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first.encode())));
        }
        self.rest.poll_recv(context).map(|line| line.map(|line| Ok(line.encode())))
    }
}
