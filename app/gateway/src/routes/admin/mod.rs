//! Handlers of the admin listener.

pub mod channels;
pub mod exchanges;
pub mod keys;
pub mod metrics;
pub mod reconciliation;
pub mod usage;
