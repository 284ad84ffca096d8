//! Handlers, one file per noun of the URLs.

pub mod admin;
pub mod authentications;
pub mod chain;
pub mod channels;
pub mod discovery;
pub mod extract;
pub mod generations;
pub mod health;
pub mod holds;
pub mod hosting;
pub mod olp;
pub mod openapi;
pub mod operator;
pub mod payment_page;
pub mod paywall;
pub mod people;
pub mod quotes;
pub mod receipts;
pub mod settlements;
pub mod storefront;
pub mod studio;
pub mod tagged;
pub mod usage;
pub mod work_record;
pub mod works;
pub mod x402;
