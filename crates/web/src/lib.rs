//! The JSON API: one router in front of the desk; translates, decides nothing.
//!
//! Implements spec/api.md#calls and spec/hotlines.md#calls. Every call is `POST /v1/NOUN/VERB` with
//! a JSON object and is answered by lines of JSON: any number of `{"progress": …}` and
//! `{"row": …}`, then one `{"result": …}` or `{"error": …}`.
//!
//! Invariant: an error line carries the desk's sentence and remedy, and nothing of the request.

mod call;
mod hotline;
mod input;
mod limits;
mod router;

pub use call::{ErrorLine, Line};
pub use hotline::PeerPin;
pub use limits::{CALLS_MAX, HOTLINE_REQUEST_BYTES_MAX, REQUEST_BYTES_MAX};
pub use router::{OFFICER_HEADER, paths, router};
