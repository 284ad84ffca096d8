//! Traces of requests and settlements, sent to a collector by OTLP over HTTP.
//!
//! - [`Traces`]: starts spans and exports them in batches, in the background.
//! - `traced`: runs a future in a child of the current span.
//! - A span holds a request's id, route, channel and outcome. Request bodies, signatures, keys and
//!   error texts are in no span: only this module writes spans, and log events are not exported.

mod collector;
mod exporter;
mod span;

pub use exporter::{TraceError, Traces};
pub(crate) use span::{SpanTracer, end, in_channel_span, inject, set_attribute, traced};

/// Address of the channel.
pub(crate) const CHANNEL: &str = "motif.channel";
/// Id of the request, as in the response and the log.
pub(crate) const REQUEST_ID: &str = "motif.request_id";
/// `done`, or the slug of the problem.
pub(crate) const OUTCOME: &str = "motif.outcome";
/// Route of the request, with parameter names instead of values.
pub(crate) const ROUTE: &str = "http.route";
/// Method of the request.
pub(crate) const METHOD: &str = "http.request.method";
/// Status of the response.
pub(crate) const STATUS: &str = "http.response.status_code";
