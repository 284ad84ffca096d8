use solana_pubsub_client::pubsub_client::PubsubClientError;
use solana_rpc_client_api::client_error::Error as ClientError;

use super::node_sender::reason;

/// Errors of the connection to an RPC node.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Error returned when a request fails.
    #[error("{}", described(.0))]
    Rpc(#[source] Box<ClientError>),
    /// Error returned when a subscription fails.
    #[error(transparent)]
    Subscription(Box<PubsubClientError>),
    /// Error returned when the node's URL has no WebSocket equivalent.
    #[error("the URL of the RPC node has no WebSocket equivalent")]
    InvalidUrl,
    /// Error returned when the WebSocket does not open in time.
    #[error("the WebSocket of the RPC node did not open in time")]
    Timeout,
    /// Error returned when the node closes the WebSocket.
    #[error("the RPC node closed the WebSocket")]
    Closed,
    /// Error returned when the node has no valid Clock sysvar.
    #[error("the RPC node returned no valid Clock sysvar")]
    NoClock,
}

/// Returns the text of a failed request, with the name of its method.
fn described(error: &ClientError) -> String {
    match error.request() {
        Some(request) => format!("{request}: {}", reason(error)),
        None => reason(error),
    }
}

impl From<ClientError> for TransportError {
    fn from(error: ClientError) -> Self {
        Self::Rpc(Box::new(error))
    }
}

impl From<PubsubClientError> for TransportError {
    fn from(error: PubsubClientError) -> Self {
        Self::Subscription(Box::new(error))
    }
}
