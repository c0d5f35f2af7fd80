//! The hotlines' door: credentials and quota before a byte of a call's body is taken.
//!
//! Implements spec/hotlines.md#quota.
//!
//! Invariant: a call that is not admitted costs no disk and no parsing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use symbolon_desk::{Credentials, Demand, DeskError};

use crate::call::{error, refusal};
use crate::limits::HOTLINE_CALL_SECONDS_MAX;
use crate::router::Front;

/// The pin of the client certificate whose key the TLS handshake of this connection proved. The
/// door puts it beside every request.
#[derive(Debug, Clone, Copy)]
pub struct PeerPin(pub Option<[u8; 32]>);

/// What hands something in; every other call only reads.
const SUBMISSIONS: &[&str] = &["/v1/alert/send", "/v1/alert/update", "/v1/alert/withdraw"];

pub(crate) async fn admit(State(front): State<Front>, request: Request, next: Next) -> Response {
    let whole = Duration::from_secs(HOTLINE_CALL_SECONDS_MAX);
    let answered = tokio::time::timeout(whole, admitted(front, request, next)).await;
    answered.unwrap_or_else(|_| {
        error(StatusCode::REQUEST_TIMEOUT, "unavailable", "the call took too long")
    })
}

async fn admitted(front: Front, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let demand = if SUBMISSIONS.contains(&path) { Demand::Submission } else { Demand::Reading };
    let token = request.headers().get(header::AUTHORIZATION).and_then(bearer);
    let pin = request.extensions().get::<PeerPin>().and_then(|pin| pin.0);
    let credentials = Credentials { token, certificate_pin: pin };
    let admitted = match front.desk.hotline_admit(&credentials, demand) {
        Ok(admitted) => Arc::new(admitted),
        Err(error) => return refused(&error),
    };
    if admitted.is_owing() {
        let (desk, held) = (Arc::clone(&front.desk), Arc::clone(&admitted));
        let kept = tokio::task::spawn_blocking(move || desk.hotline_reserve(&held)).await;
        let early = Err(DeskError::internal("the call ended early"));
        if let Err(error) = kept.unwrap_or(early) {
            return refused(&error);
        }
    }
    request.extensions_mut().insert(admitted.officer().clone());
    let response = next.run(request).await;
    drop(admitted);
    response
}

/// RFC 6750 §2.1; the name of the scheme in either case (RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refused(error: &DeskError) -> Response {
    let mut response = refusal(error);
    if response.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}
