//! The gateway: meters paid generations, loses none, and settles them on chain.
//!
//! - [`config`]: everything that can be configured; [`serve`]: runs a gateway as a [`GatewayConfig`] says.
//! - [`router`]: every URL on one page; [`problem`]: every refusal.
//! - [`keys`], [`admission`]: who is let in, how often; [`metrics`]: figures about all of it.
//! - [`metering`]: verify, reserve, make durable, acknowledge.
//! - [`ledger`]: what a channel has used and vouched for; [`store`]: what survives a kill.
//! - [`paywall`]: a price in front of any HTTP model server.
//! - [`recognition`]: whose content is.
//! - [`traces`]: what becomes of a request, for a collector.
//! - [`settlement`]: bringing statements on chain; [`chain`]: what the gateway asks of a node.

mod administering;
pub mod admission;
mod catalogue;
pub mod chain;
mod clock;
pub mod config;
mod connections;
mod desk;
mod gateway;
mod holding;
pub mod keys;
mod leasing;
pub mod ledger;
pub mod metering;
pub mod metrics;
pub mod paywall;
pub mod problem;
pub mod recognition;
mod reconciling;
mod requests;
pub mod router;
mod routes;
mod serving;
pub mod settlement;
pub mod traces;
mod view;

pub use config::{AdminConfig, GatewayConfig, Limits, PaywallConfig, SettlePolicy, TraceConfig};
pub use gateway::{Gateway, StartError};
/// The crate `motif-store`.
pub use motif_store as store;
pub use router::{admin_openapi, openapi};
pub use serving::{RunningGateway, serve, serve_watched, serve_with};
