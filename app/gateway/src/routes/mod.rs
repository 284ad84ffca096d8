//! Handlers, one file per noun of the URLs.

pub mod admin;
pub mod authentications;
pub mod body;
pub mod channels;
pub mod described;
pub mod discovery;
pub mod document;
pub mod generations;
pub mod health;
pub mod holds;
pub mod named;
pub mod operator;
pub mod paywall;
pub mod quotes;
pub mod receipts;
pub mod settlements;
pub mod usage;
pub mod works;
