//! The gateway: meters paid generations, loses none, and settles them on chain.
//!
//! - [`serve`]: runs a gateway as a [`GatewayConfig`] says.
//! - [`router`]: every URL on one page; [`problem`]: every refusal.
//! - [`metering`]: verify, reserve, make durable, acknowledge.
//! - [`ledger`]: what a channel has used and vouched for; [`store`]: what survives a kill.
//! - [`settlement`]: bringing statements on chain; [`chain`]: what the gateway asks of a node.

mod catalogue;
pub mod chain;
mod clock;
mod config;
mod connections;
mod desk;
mod gateway;
pub mod ledger;
pub mod metering;
pub mod problem;
pub mod router;
mod routes;
mod serving;
pub mod settlement;
pub mod store;
mod view;

pub use config::{GatewayConfig, SettlePolicy};
pub use gateway::{Gateway, StartError};
pub use router::openapi;
pub use serving::{RunningGateway, serve, serve_with};
