//! Middleware of every route: request ids, logs, metrics, traces, authentication, rate limits.
//!
//! A route has one stack of both layers: a router clones and boxes each layer it is given, so
//! two stacks would cost twice as much.

mod admission;
mod trace;

pub use admission::{Access, Admit};
pub use trace::Trace;
