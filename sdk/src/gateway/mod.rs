//! Paying through a gateway.
//!
//! - [`GatewayClient`]: the HTTP interface, method by method, with retries that are safe.
//! - [`AdminClient`]: the operators' listener; [`PaywallClient`]: model servers behind a paywall.
//! - [`PayerRequest`]: how a payer proves that it is the one who asks to settle or close.
//! - [`PayerSession`]: signs vouchers from totals it keeps itself; a gateway's totals are
//!   compared, never believed.
//! - [`wire`]: the JSON both sides speak.

mod admin;
mod client;
mod error;
mod idempotency;
mod paywall;
mod problem_type;
mod request;
mod session;
pub mod wire;

pub use admin::AdminClient;
pub use client::GatewayClient;
pub use error::GatewayError;
pub use idempotency::IdempotencyKey;
pub use paywall::PaywallClient;
pub use problem_type::ProblemType;
pub use request::{
    PayerAction, PayerRequest, SignedPayerRequest, hold_details, hold_id, paid_request_digest,
    part_id,
};
/// The HTTP method of a [`PaidRequest`].
pub use reqwest::Method;
pub use session::{
    HeldGeneration, PaidAnswer, PaidPart, PaidRequest, PaidStream, PaidUnits, PayerSession,
    SessionPolicy,
};
