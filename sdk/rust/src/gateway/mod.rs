//! Payment through a gateway over HTTP.
//!
//! - [`GatewayClient`]: the gateway's HTTP interface, with safe retries.
//! - [`AdminClient`]: the admin listener; [`PaywallClient`]: model servers behind a paywall.
//! - [`ChannelReader`]: proves to a gateway that a channel's payer reads it.
//! - [`EventReader`]: events of a person or a channel as they happen; [`verify_webhook`]: of a webhook.
//! - [`PayerRequest`]: signed request of a payer to settle, close, hold or release.
//! - [`Payer`]: signs vouchers and verifies receipts, for any number of tasks on one channel. It keeps its
//!   own totals and compares the gateway's with them.
//! - [`wire`]: JSON types of requests and answers.

mod admin;
#[cfg(all(feature = "client", feature = "fingerprint"))]
mod authentication;
mod client;
mod error;
mod events;
#[cfg(feature = "client")]
mod facts;
mod paid_request;
mod payer;
mod paywall;
mod reader;
mod signer;
mod webhook;

pub use admin::AdminClient;
#[cfg(all(feature = "client", feature = "fingerprint"))]
pub use authentication::{authentication, confidence};
pub use client::GatewayClient;
pub use error::GatewayError;
pub use events::EventReader;
pub use motif_payer::{
    IdempotencyKey, InvalidJournal, KeptReceipt, PaidUnits, PayerPolicy, newest_license,
    request::{
        PayerAction, PayerRequest, SignedPayerRequest, hold_details, hold_id, paid_request_digest,
        part_id,
    },
};
pub use motif_wire::{self as wire, ProblemType};
pub use paid_request::PaidRequest;
pub use payer::{HeldGeneration, PaidAnswer, PaidPart, PaidStream, Payer, PayerOptions};
pub use paywall::PaywallClient;
pub use reader::ChannelReader;
/// HTTP method of a [`PaidRequest`].
pub use reqwest::Method;
pub use signer::VoucherSigner;
pub use webhook::{WebhookError, WebhookSecret, verify_webhook};
