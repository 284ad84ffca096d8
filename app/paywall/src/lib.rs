//! Paywall for any HTTP model server, as a tower layer or as a reverse proxy.
//!
//! ```
//! use std::{error::Error, sync::Arc};
//!
//! use axum::{Router, routing::post};
//! use motif_paywall::{PaidRoutes, PaymentEngine, Paywall, PaywallConfig, PaywallLayer};
//! use tokio_util::sync::CancellationToken;
//! use tower::Layer;
//!
//! const ROUTES: &str = r#"
//!     [[route]]
//!     method = "POST"
//!     path = "/poems"
//!     work = "BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w"
//!     use = "generate"
//!     units = { count = "lines" }
//!     most_units = 100
//! "#;
//!
//! /// Sells a server in this process. `engine` takes payment, such as a gateway.
//! fn sell(engine: Arc<dyn PaymentEngine>) -> Result<Router, Box<dyn Error>> {
//!     let config = PaywallConfig::new(PaidRoutes::read(ROUTES, "paywall.toml")?, "answers".into());
//!     let paywall = Paywall::open(engine, config, CancellationToken::new())?;
//!     tokio::spawn(paywall.clone().run()); // removes expired answers
//!     let server = Router::new().route("/poems", post(async || "Roses are red,\nviolets are blue"));
//!     Ok(Router::new().fallback_service(PaywallLayer::new(paywall).layer(server)))
//! }
//! # assert_eq!(PaidRoutes::read(ROUTES, "paywall.toml")?.paid()[0].most_units, 100);
//! # Ok::<(), Box<dyn Error>>(())
//! ```
//!
//! - [`PaywallLayer`] wraps a server in this process; [`Upstream`] forwards to another process.
//! - [`PaidRoutes`] are the priced routes of a TOML file; [`Metered`] is the source of their units.
//! - [`PaymentEngine`] is what a paywall needs of the service that takes payment.
//! - The server generates an answer before it is paid for. The paywall stores it in a folder
//!   ([`Spool`]) and returns it once the voucher for exactly its units is durable. A failed
//!   generation is never charged.
//! - A stream is cut into parts. Each part is generated, stored, paid for and sent in turn.

mod answer_rule;
mod body_budget;
mod canonical_path;
mod config;
mod earlier_payment;
mod engine;
mod error;
mod faults;
mod generate;
mod handler;
mod headers;
mod held;
mod in_flight;
mod layer;
mod metered;
mod parts;
mod payment_due;
mod paywall;
mod price_tags;
mod route;
mod route_table;
mod sale;
mod server;
mod span;
mod spool;
mod stored_body;
mod stream;
mod unpaid;
mod unread_body;
mod upstream;
mod upstream_url;

pub use answer_rule::{AnswerRule, Otherwise};
pub use body_budget::{BodyBudget, BodyError, BodyShare, HeldBody};
pub use config::PaywallConfig;
pub use engine::{
    AmountDue, AnswerEvent, AnswerId, AnswerKey, Caller, ChannelLicense, EngineError, EngineResult,
    PartKeeper, PaymentEngine, ReleaseListener, Seller,
};
pub use error::PaywallError;
pub use faults::{Fault, RouteFaults};
pub use layer::{PaywallLayer, PaywallService};
pub use metered::{Counted, Meter, Metered, Missing};
pub use paywall::Paywall;
pub use route::PaidRoute;
pub use route_table::PaidRoutes;
pub use sale::{
    ClientInstruction, ClientTransaction, ExpectedPayment, NewSale, PaymentId, Refusal, SaleConfig,
    SaleDesk, SaleEvent, SaleItem, SaleNetwork, SalePrice, SaleRecord, UnknownNetwork, Word,
    is_sale,
};
pub use spool::{Answer, PaymentGuard, Room, Spool, SpoolError};
pub use stored_body::StoredBody;
pub use upstream::{ForwardedFor, Upstream};
pub use upstream_url::{InvalidUpstreamUrl, UpstreamUrl};
