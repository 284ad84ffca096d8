//! Local service that pays for clients of any language.
//!
//! It holds the voucher key of a platform, opens and tops up channels, accepts terms by policy, pays, and keeps
//! receipts. Clients reach it over loopback or a Unix socket, with a token:
//!
//! - as a forward proxy: `http://127.0.0.1:8792/https://shop.example/v1/chat/completions` fetches the URL
//!   and pays for the answer; streams pass through part by part;
//! - over JSON, for generations of their own models.
//!
//! ```
//! use motif_payer_service::Settings;
//!
//! let settings = Settings::parse(r#"
//!     [policy]
//!     max_unit_price = 1000
//!     [budget]
//!     per_day = 5000000
//! "#)?;
//! assert_eq!(settings.caller_budget("local"), None);
//! assert_eq!(settings.listen.to_string(), "http://127.0.0.1:8792");
//! # Ok::<(), String>(())
//! ```
//!
//! - [`Settings`]: settings, as TOML; [`PayerService`]: the service; [`Purchase`]: a request that is paid for;
//!   [`serve`]: its HTTP interface; [`Callers`]: tokens.
//! - [`PayerError`]: all errors, which are also the types of problem documents.

mod answers;
mod api;
mod app;
mod archive;
mod budgets;
mod callers;
mod channels;
mod clock;
mod connections;
mod day;
mod deposits;
mod detached;
mod exchanges;
mod headers;
mod holds;
mod lost_parts;
mod metrics;
mod named_payment;
mod page;
mod places;
mod problem;
mod proxy;
mod purchase;
mod request_log;
mod router;
mod server;
mod service;
mod settings;
mod state_lock;
mod target;
mod totals;
mod wallet;

/// Headers of a [`Purchase`].
pub use axum::http::{HeaderMap, HeaderName};

pub use archive::ArchivedReceipt;
pub use callers::{Caller, Callers};
pub use channels::{ChannelParts, Preparation};
pub use problem::PayerError;
pub use purchase::{Answer, Offer, OfferedPayment, PaidBody, Purchase};
pub use server::{RunningService, serve};
pub use service::PayerService;
pub use settings::{
    BudgetSettings, CallerSettings, ChannelSettings, InvalidListen, InvalidSettings, Listen,
    PolicySettings, ProxySettings, Settings,
};
pub use state_lock::create_private;
pub use target::{AllowedTarget, InvalidTarget, Target};
