//! Payments to tills: the paywall's sales without a channel, and a facilitator for other sellers.

mod budget;
mod desk;
mod facilitator;
mod follower;
mod license_token;
mod open_till;
mod sales;
mod tills;

pub use desk::PaywallDesk;
pub use license_token::LicenseClaims;
pub(crate) use license_token::{LicenseError, TokenRefusal};
pub use sales::Sales;
pub(crate) use sales::SalesParts;
