//! Handlers of the operators' listener.

pub mod channels;
pub mod document;
pub mod keys;
pub mod metrics;
pub mod reconciliation;
pub mod usage;
