//! The table of calls. A call that is not here does not exist.
//!
//! Implements spec/api.md#calls.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::Report;
use symbolon_desk::{Desk, DeskError, Officer};
use tokio::sync::Semaphore;

use crate::call::{error, run};
use crate::input::Input;
use crate::limits::{CALLS_MAX, REQUEST_BYTES_MAX};

/// Who is asking. The socket belongs to one user of the system; within it, people name themselves.
pub const OFFICER_HEADER: &str = "x-symbolon-officer";

/// First line of an import's body, before the data.
const MAPPING_LINE_BYTES_MAX: u64 = 128 * 1024;

#[derive(Clone)]
struct Front {
    desk: Arc<Desk>,
    permits: Arc<Semaphore>,
}

/// The router over `desk`.
pub fn router(desk: Arc<Desk>) -> Router {
    let front = Front { desk, permits: Arc::new(Semaphore::new(CALLS_MAX)) };
    Router::new()
        .route("/v1/node/status", call(Desk::status))
        .route("/v1/node/doctor", call(Desk::doctor))
        .route("/v1/partner/card", call(Desk::partner_card))
        .route("/v1/partner/add", call(Desk::partner_add))
        .route("/v1/partner/list", call(Desk::partner_list))
        .route("/v1/partner/agree", call(Desk::partner_agree))
        .route("/v1/partner/accept", call(Desk::partner_accept))
        .route("/v1/partner/suspend", call(Desk::partner_suspend))
        .route("/v1/partner/resume", call(Desk::partner_resume))
        .route("/v1/record/import", post(record_import))
        .route("/v1/record/list", call(Desk::record_list))
        .route("/v1/record/show", call(Desk::record_show))
        .route("/v1/query/ask", call(Desk::query_ask))
        .route("/v1/exchange/publish", call(Desk::exchange_publish))
        .route("/v1/exchange/run", call(Desk::exchange_run))
        .route("/v1/exchange/list", call(Desk::exchange_list))
        .route("/v1/hit/list", call(Desk::hit_list))
        .route("/v1/hit/show", call(Desk::hit_show))
        .route("/v1/hit/confirm", call(Desk::hit_confirm))
        .route("/v1/policy/check", call(Desk::policy_check))
        .route("/v1/policy/preview", call(Desk::policy_preview))
        .route("/v1/audit/verify", call(Desk::audit_verify))
        .route("/v1/audit/show", call(Desk::audit_show))
        .route("/v1/audit/open", call(Desk::audit_open))
        .route("/v1/audit/leaves", call(Desk::audit_leaves))
        .route("/v1/audit/cosign", call(Desk::audit_cosign))
        .route("/v1/audit/alarms", call(Desk::audit_alarms))
        .route("/v1/audit/close", call(Desk::audit_close))
        .route("/v1/audit/overdue", call(Desk::audit_overdue))
        .route("/v1/audit/reconcile", call(Desk::audit_reconcile))
        .fallback(|| async { error(StatusCode::NOT_FOUND, "not_found", "there is no such call") })
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(front)
}

/// A desk function as a route: all have one shape.
fn call<T, R>(
    function: fn(&Desk, &Officer, T, &mut dyn Report) -> Result<R, DeskError>,
) -> axum::routing::MethodRouter<Front>
where
    T: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    post(move |State(front): State<Front>, headers: HeaderMap, body: Bytes| async move {
        let officer = match officer(&headers) {
            Ok(officer) => officer,
            Err(response) => return response,
        };
        let request: T = match serde_json::from_slice(&body) {
            Ok(request) => request,
            Err(cause) => return unreadable(&cause),
        };
        let desk = front.desk;
        run(&front.permits, move |report| function(&desk, &officer, request, report)).await
    })
}

/// The body is one line of JSON with the mapping, then the file.
async fn record_import(State(front): State<Front>, headers: HeaderMap, body: Body) -> Response {
    let officer = match officer(&headers) {
        Ok(officer) => officer,
        Err(response) => return response,
    };
    let input = Input::new(body);
    let desk = front.desk;
    run(&front.permits, move |report| {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        let read = input.by_ref().take(MAPPING_LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let request = read.ok().and_then(|_| serde_json::from_slice(&line).ok());
        let Some(request) = request else {
            return Err(DeskError::invalid(
                "the import does not begin with its mapping",
                "send one line of JSON with the mapping, then the file",
            ));
        };
        desk.record_import(&officer, request, &mut input, report)
    })
    .await
}

#[expect(clippy::result_large_err, reason = "the error is the response itself")]
fn officer(headers: &HeaderMap) -> Result<Officer, Response> {
    let name = headers.get(OFFICER_HEADER).and_then(|value| value.to_str().ok());
    name.and_then(|name| Officer::parse(name).ok()).ok_or_else(|| {
        error(StatusCode::UNAUTHORIZED, "invalid", "the call does not say which officer makes it")
    })
}

/// The parser's place and rule, without the text it quotes.
fn unreadable(cause: &serde_json::Error) -> Response {
    let rule = match cause.classify() {
        serde_json::error::Category::Data => "a field is missing, unknown or of another type",
        _ => "it is not JSON",
    };
    let message = format!("the request cannot be read at column {}: {rule}", cause.column());
    error(StatusCode::BAD_REQUEST, "invalid", &message)
}
