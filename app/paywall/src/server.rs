use axum::{extract::Request, response::Response};
use futures::future::BoxFuture;

/// Inner service, for one request.
pub(crate) type Server = Box<dyn FnOnce(Request) -> BoxFuture<'static, Response> + Send>;
