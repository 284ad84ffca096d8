use std::time::Duration;

use axum::body::{Body, HttpBody};
use futures::StreamExt;
use tokio::time::timeout;

/// Body of a request that may be answered without it.
///
/// On drop, what the client still sends is discarded as it arrives: a client that is sending might
/// otherwise miss the response. This takes no memory.
#[derive(Debug)]
pub struct UnreadBody {
    body: Option<Body>,
    max_bytes: usize,
}

/// Maximum time for which a body is discarded.
const DISCARD_WITHIN: Duration = Duration::from_secs(5);

impl UnreadBody {
    /// Wraps a body, of which at most `max_bytes` are discarded.
    pub fn new(body: Body, max_bytes: usize) -> Self {
        Self { body: Some(body), max_bytes }
    }

    /// Returns the body to read it.
    pub fn take(&mut self) -> Body {
        self.body.take().unwrap_or_default()
    }
}

impl Drop for UnreadBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        let mut left = self.max_bytes;
        let discarding = async move {
            let mut chunks = body.into_data_stream();
            while let Some(Ok(chunk)) = chunks.next().await {
                let Some(after) = left.checked_sub(chunk.len()) else { return };
                left = after;
            }
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(DISCARD_WITHIN, discarding));
        }
    }
}
