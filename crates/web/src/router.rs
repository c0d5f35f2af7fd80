//! The table of calls. A call that is not here does not exist.
//!
//! Implements spec/api.md#calls.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use symbolon_desk::api::Report;
use symbolon_desk::{Desk, DeskError, Officer, Role};
use tokio::sync::Semaphore;

use crate::call::{error, run};
use crate::hotline;
use crate::input::Input;
use crate::limits::{CALLS_MAX, HOTLINE_REQUEST_BYTES_MAX, REQUEST_BYTES_MAX};

/// Who is asking. The operating system decides who may open a socket, and the socket gives the
/// role; within it, people name themselves.
pub const OFFICER_HEADER: &str = "x-symbolon-officer";

/// First line of an import's body, before the data.
const MAPPING_LINE_BYTES_MAX: u64 = 128 * 1024;

#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) desk: Arc<Desk>,
    role: Role,
    permits: Arc<Semaphore>,
}

/// Who may make a call: an auditor and a hotline may make few of them, an officer all.
const OFFICERS: &[Role] = &[Role::Officer];
const BOTH: &[Role] = &[Role::Officer, Role::Auditor];
const SENDERS: &[Role] = &[Role::Officer, Role::Hotline];
const ALL: &[Role] = &[Role::Officer, Role::Auditor, Role::Hotline];

/// One call.
struct Row {
    path: &'static str,
    open_to: &'static [Role],
    route: MethodRouter<Front>,
}

fn row(path: &'static str, open_to: &'static [Role], route: MethodRouter<Front>) -> Row {
    Row { path, open_to, route }
}

/// Every call. What each leaves in the log stands beside it in spec/api.md.
fn table() -> Vec<Row> {
    vec![
        row("/v1/node/hello", ALL, call(Desk::node_hello)),
        row("/v1/node/status", BOTH, call(Desk::status)),
        row("/v1/node/doctor", BOTH, call(Desk::doctor)),
        row("/v1/partner/card", OFFICERS, call(Desk::partner_card)),
        row("/v1/partner/add", OFFICERS, call(Desk::partner_add)),
        row("/v1/partner/list", OFFICERS, call(Desk::partner_list)),
        row("/v1/partner/agree", OFFICERS, call(Desk::partner_agree)),
        row("/v1/partner/accept", OFFICERS, call(Desk::partner_accept)),
        row("/v1/partner/suspend", OFFICERS, call(Desk::partner_suspend)),
        row("/v1/partner/resume", OFFICERS, call(Desk::partner_resume)),
        row("/v1/partner/route", OFFICERS, call(Desk::partner_route)),
        row("/v1/courier/begin", OFFICERS, call(Desk::courier_begin)),
        row("/v1/courier/piece", OFFICERS, call(Desk::courier_piece)),
        row("/v1/courier/close", OFFICERS, call(Desk::courier_close)),
        row("/v1/courier/open", OFFICERS, call(Desk::courier_open)),
        row("/v1/courier/take", OFFICERS, call(Desk::courier_take)),
        row("/v1/record/import", OFFICERS, post(record_import)),
        row("/v1/record/list", OFFICERS, call(Desk::record_list)),
        row("/v1/record/show", OFFICERS, call(Desk::record_show)),
        row("/v1/query/ask", OFFICERS, call(Desk::query_ask)),
        row("/v1/exchange/publish", OFFICERS, call(Desk::exchange_publish)),
        row("/v1/exchange/run", OFFICERS, call(Desk::exchange_run)),
        row("/v1/exchange/list", OFFICERS, call(Desk::exchange_list)),
        row("/v1/hit/list", OFFICERS, call(Desk::hit_list)),
        row("/v1/hit/show", OFFICERS, call(Desk::hit_show)),
        row("/v1/hit/confirm", OFFICERS, call(Desk::hit_confirm)),
        row("/v1/policy/check", OFFICERS, call(Desk::policy_check)),
        row("/v1/policy/preview", OFFICERS, call(Desk::policy_preview)),
        row("/v1/alert/send", SENDERS, call(Desk::alert_send)),
        row("/v1/alert/update", SENDERS, call(Desk::alert_update)),
        row("/v1/alert/withdraw", SENDERS, call(Desk::alert_withdraw)),
        row("/v1/alert/state", SENDERS, call(Desk::alert_state)),
        row("/v1/alert/list", SENDERS, call(Desk::alert_list)),
        row("/v1/alert/templates", SENDERS, call(Desk::alert_templates)),
        row("/v1/alert/preview", OFFICERS, call(Desk::alert_preview)),
        row("/v1/alert/show", OFFICERS, call(Desk::alert_show)),
        row("/v1/alert/acks", OFFICERS, call(Desk::alert_acks)),
        row("/v1/alert/ack", OFFICERS, call(Desk::alert_ack)),
        row("/v1/alert/approve", OFFICERS, call(Desk::alert_approve)),
        row("/v1/alert/decline", OFFICERS, call(Desk::alert_decline)),
        row("/v1/alert/narrow", OFFICERS, call(Desk::alert_narrow)),
        row("/v1/alert/contest", OFFICERS, call(Desk::alert_contest)),
        row("/v1/inbox/list", OFFICERS, call(Desk::inbox_list)),
        row("/v1/watch/preview", OFFICERS, call(Desk::watch_preview)),
        row("/v1/watch/save", OFFICERS, call(Desk::watch_save)),
        row("/v1/watch/list", OFFICERS, call(Desk::watch_list)),
        row("/v1/watch/remove", OFFICERS, call(Desk::watch_remove)),
        row("/v1/watch/digest", OFFICERS, call(Desk::watch_digest)),
        row("/v1/hotline/add", OFFICERS, call(Desk::hotline_add)),
        row("/v1/hotline/list", OFFICERS, call(Desk::hotline_list)),
        row("/v1/hotline/suspend", OFFICERS, call(Desk::hotline_suspend)),
        row("/v1/hotline/resume", OFFICERS, call(Desk::hotline_resume)),
        row("/v1/hotline/renew", OFFICERS, call(Desk::hotline_renew)),
        row("/v1/door/show", OFFICERS, call(Desk::door_show)),
        row("/v1/door/next", OFFICERS, call(Desk::door_next)),
        row("/v1/door/switch", OFFICERS, call(Desk::door_switch)),
        row("/v1/audit/verify", BOTH, call(Desk::audit_verify)),
        row("/v1/audit/show", BOTH, call(Desk::audit_show)),
        row("/v1/audit/counts", BOTH, call(Desk::audit_counts)),
        row("/v1/audit/open", BOTH, call(Desk::audit_open)),
        row("/v1/audit/leaves", BOTH, call(Desk::audit_leaves)),
        row("/v1/audit/cosign", BOTH, call(Desk::audit_cosign)),
        row("/v1/audit/alarms", BOTH, call(Desk::audit_alarms)),
        row("/v1/audit/close", OFFICERS, call(Desk::audit_close)),
        row("/v1/audit/overdue", BOTH, call(Desk::audit_overdue)),
        row("/v1/audit/reconcile", BOTH, call(Desk::audit_reconcile)),
        row("/v1/evidence/build", OFFICERS, call(Desk::evidence_build)),
        row("/v1/audit/grants", BOTH, call(Desk::audit_grants)),
        row("/v1/audit/grant", OFFICERS, call(Desk::audit_grant)),
        row("/v1/audit/revoke", OFFICERS, call(Desk::audit_revoke)),
        row("/v1/audit/erase", OFFICERS, call(Desk::audit_erase)),
    ]
}

/// The router over `desk` for those who come through the door of `role`.
pub fn router(desk: Arc<Desk>, role: Role) -> Router {
    let front = Front { desk, role, permits: Arc::new(Semaphore::new(CALLS_MAX)) };
    let mut router = Router::new();
    for Row { path, open_to, route } in table() {
        let route = if open_to.contains(&role) { route } else { post(not_through_this_door) };
        router = router.route(path, route);
    }
    router = router
        .fallback(|| async { error(StatusCode::NOT_FOUND, "not_found", "there is no such call") });
    // The layer that is added last sees a request first.
    match role {
        Role::Officer | Role::Auditor => router.layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX)),
        Role::Hotline => router
            .layer(DefaultBodyLimit::max(HOTLINE_REQUEST_BYTES_MAX))
            .layer(middleware::from_fn_with_state(front.clone(), hotline::admit)),
    }
    .with_state(front)
}

/// The calls that those who come through the door of `role` can make.
#[must_use]
pub fn paths(role: Role) -> Vec<&'static str> {
    let open = table().into_iter().filter(|row| row.open_to.contains(&role));
    open.map(|row| row.path).collect()
}

async fn not_through_this_door() -> Response {
    error(StatusCode::CONFLICT, "refused", "this call cannot be made through this door")
}

/// A desk function as a route: all have one shape.
fn call<T, R>(
    function: fn(&Desk, &Officer, T, &mut dyn Report) -> Result<R, DeskError>,
) -> MethodRouter<Front>
where
    T: DeserializeOwned + Send + 'static,
    R: Serialize + 'static,
{
    post(
        move |State(front): State<Front>,
              Caller(officer): Caller,
              body: Result<Bytes, BytesRejection>| async move {
            let body = match body {
                Ok(body) => body,
                Err(cause) => {
                    return error(cause.status(), "invalid", "the body is too long or broke off");
                }
            };
            let request: T = match serde_json::from_slice(&body) {
                Ok(request) => request,
                Err(cause) => return unreadable(&cause),
            };
            let desk = front.desk;
            run(&front.permits, move |report| function(&desk, &officer, request, report)).await
        },
    )
}

/// The body is one line of JSON with the mapping, then the file.
async fn record_import(
    State(front): State<Front>,
    Caller(officer): Caller,
    body: Body,
) -> Response {
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

/// Who makes a call: a hotline by what it proved, others by the name that they give themselves.
struct Caller(Officer);

impl FromRequestParts<Front> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Response> {
        let named = || {
            let name = parts.headers.get(OFFICER_HEADER).and_then(|value| value.to_str().ok());
            name.and_then(|name| Officer::parse(name, front.role).ok())
        };
        let officer = match front.role {
            Role::Hotline => parts.extensions.get::<Officer>().cloned(),
            Role::Officer | Role::Auditor => named(),
        };
        officer.map(Caller).ok_or_else(|| {
            let message = "the call does not say which officer makes it";
            error(StatusCode::UNAUTHORIZED, "invalid", message)
        })
    }
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
