//! Paying through a gateway.
//!
//! - [`GatewayClient`]: the HTTP interface, method by method, with retries that are safe.
//! - [`AdminClient`]: the operators' listener; [`PaywallClient`]: model servers behind a paywall.
//! - [`PayerRequest`]: how a payer proves that it is the one who asks to settle or close.
//! - [`PayerSession`]: signs vouchers from totals it keeps itself; a gateway's totals are
//!   compared, never believed.
//! - [`wire`]: the JSON both sides speak.

mod admin;
#[cfg(all(feature = "client", feature = "fingerprint"))]
mod authentication;
mod client;
mod error;
#[cfg(feature = "client")]
mod facts;
mod idempotency;
mod paywall;
mod problem_type;
mod request;
mod session;

pub use admin::AdminClient;
#[cfg(all(feature = "client", feature = "fingerprint"))]
pub use authentication::{authentication, confidence};
pub use client::GatewayClient;
pub use error::GatewayError;
pub use idempotency::IdempotencyKey;
pub use motif_wire::{self as wire, ProblemType};
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
