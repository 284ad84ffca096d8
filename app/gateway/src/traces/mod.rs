//! Traces of requests and settlements, sent to a collector by OTLP over HTTP.
//!
//! - [`Traces`]: begins spans and sends them, in batches, beside everything else.
//! - `step`: a part of what is traced now, wherever that is.
//! - A span says which request, route and channel it was, and how that went. What clients send,
//!   signatures, keys and errors' own words are in none: spans are written here alone, and
//!   nothing that is logged becomes one.

mod collector;
mod exporting;
mod step;

pub use exporting::{TraceError, Traces};
pub(crate) use step::{Recorder, about, end, forward, note, step};

/// The channel that something is about.
pub(crate) const CHANNEL: &str = "motif.channel";
/// The id of a request, as its answer and the log have it.
pub(crate) const REQUEST_ID: &str = "motif.request_id";
/// `done`, or the slug of the problem.
pub(crate) const OUTCOME: &str = "motif.outcome";
/// The route of a request, by its names: no value that a client chose is in it.
pub(crate) const ROUTE: &str = "http.route";
/// The method of a request.
pub(crate) const METHOD: &str = "http.request.method";
/// The status of its answer.
pub(crate) const STATUS: &str = "http.response.status_code";
