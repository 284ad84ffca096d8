//! A price in front of any HTTP model server: as a tower layer, or as a reverse proxy.
//!
//! - [`PaywallLayer`]: wraps a server; [`Upstream`]: forwards to one that runs elsewhere.
//! - [`PaidRoutes`]: which routes cost what, from a TOML file; [`Metered`]: where units come from.
//! - An answer is made first, kept in a folder ([`Spool`]), and handed over once the voucher for
//!   exactly its units is durable. A generation that fails is never charged.
//! - Streams are cut into parts, each of which is made, kept, paid for and handed over.

mod answering;
mod due;
mod headers;
mod layer;
mod making;
mod matching;
mod metered;
mod moved;
mod parts;
mod price_tags;
mod refusal;
mod route;
mod running;
mod spool;
mod streaming;
mod upstream;
mod wall;

pub use layer::{PaywallLayer, PaywallService};
pub use matching::PaidRoutes;
pub use metered::{Counted, Metered, Missing};
pub use refusal::PaywallRefusal;
pub use route::PaidRoute;
pub use spool::{Spool, SpoolError};
pub use upstream::{Upstream, UpstreamUrl};
pub use wall::Paywall;
