//! Sales without a channel: x402 `exact` and MPP `charge`, paid by a plain transfer to a till.
//!
//! The answer is made and stored, then the payment is sent, and the answer is returned once the payment has
//! landed. A route whose answers take long is paid first.

mod answered;
mod challenge;
mod check;
mod config;
mod desk;
mod dispatch;
mod flow;
mod locks;
mod make;
mod offers;
mod refusal;
mod request;
mod response;
mod setbacks;
mod sign_in;
mod template;
mod transaction;
mod validity;

pub use check::ExpectedPayment;
pub use config::{SaleConfig, SaleNetwork, UnknownNetwork};
pub use desk::{NewSale, PaymentId, SaleDesk, SaleEvent, SaleItem, SaleRecord};
pub use offers::SalePrice;
pub use refusal::{Refusal, Word};
pub use transaction::{ClientInstruction, ClientTransaction};

pub(crate) use answered::AnsweredPayments;
pub use dispatch::is_sale;
pub(crate) use dispatch::{Dialect, payments};
pub(crate) use locks::Locks;
pub(crate) use offers::PreparedOffers;
pub(crate) use request::{Forward, Request, request};
pub(crate) use setbacks::Setbacks;
