//! Paying through a gateway.
//!
//! - [`GatewayClient`]: the HTTP interface, method by method, with retries that are safe.
//! - [`PayerSession`]: signs vouchers from totals it keeps itself; a gateway's totals are
//!   compared, never believed.
//! - [`wire`]: the JSON both sides speak.

mod client;
mod error;
mod idempotency;
mod session;
pub mod wire;

pub use client::GatewayClient;
pub use error::GatewayError;
pub use idempotency::IdempotencyKey;
pub use session::{PayerSession, SessionPolicy};
