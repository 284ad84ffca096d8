//! Handlers of the admin listener.

pub mod channels;
pub mod keys;
pub mod metrics;
pub mod reconciliation;
pub mod usage;
