//! Gateway of Motif: meters paid generations, makes them durable, and settles them on chain.
//!
//! [`serve`] runs a gateway with a [`GatewayConfig`]. An [`App`] is a struct of components, one
//! per module:
//!
//! - [`metering`], [`holds`]: verify a voucher, reserve its units, make it durable, acknowledge.
//! - [`channel_registry`]: channels held by this process and their leases; [`ledger`]: units and
//!   vouchers of one channel; [`channel_sync`], [`channel_opening`]: read channels from the cluster.
//! - [`operator_keys`]: keys that sign settlements and receipts.
//! - [`settlement`]: settles statements on chain; [`reconcile`]: compares the store with the chain.
//! - [`cluster`], [`chain`]: the cluster's nodes; [`store`]: durable state.
//! - [`catalogue`], [`receipts`], [`recognition`]: reads for clients.
//! - [`api_keys`], [`admission`]: API keys and rate limits; [`metrics`], [`traces`]: observability.
//! - `events`: what creators and payers are told, by streams and webhooks.
//! - [`router`]: every URL; [`error`], [`problem`]: every error and its HTTP form.
//! - [`paywall`]: takes payment for the crate `motif-paywall`, which sells a model server.

mod actions;
pub mod admission;
pub mod api_keys;
mod app;
mod cache;
pub mod catalogue;
pub mod chain;
pub mod channel;
pub mod channel_opening;
mod channel_reader;
pub mod channel_registry;
mod channel_state;
pub mod channel_sync;
mod clock;
pub mod cluster;
pub mod config;
mod connections;
pub mod error;
mod events;
mod expenses;
mod forgotten_statements;
pub mod funds;
pub mod health;
mod hold_pruner;
pub mod holds;
mod hosting;
mod html;
mod id_locks;
pub mod keys;
pub mod ledger;
pub mod metering;
pub mod metrics;
mod middleware;
pub mod operator_keys;
mod paced_stream;
mod payer_request;
pub mod paywall;
pub mod problem;
mod rebalance;
pub mod receipts;
mod receipts_commitment;
pub mod recognition;
pub mod reconcile;
mod record;
mod relay;
pub mod router;
mod routes;
pub mod sale;
mod server;
pub mod settlement;
mod sponsor;
mod store_operator;
mod studio;
pub mod traces;
mod webhook_address;

pub use app::{App, Components, StartError};
pub use config::{
    AdminConfig, Faucet, FaucetHandle, GatewayConfig, Limits, PaywallListener, SettlePolicy,
    TraceConfig,
};
/// The crate `motif-signer`.
pub use motif_signer as signer;
/// The crate `motif-store`.
pub use motif_store as store;
pub use router::{admin_openapi, openapi};
pub use server::{RunningGateway, check_listeners, serve, serve_watched, serve_with};
pub use store_operator::check_store;
