use std::sync::Arc;

use crate::{callers::Callers, service::PayerService};

/// State of the handlers.
#[derive(Clone)]
pub struct App {
    pub service: PayerService,
    pub callers: Arc<Callers>,
    /// URL of the proxy; `None` on a Unix socket.
    pub url: Option<Arc<str>>,
}
