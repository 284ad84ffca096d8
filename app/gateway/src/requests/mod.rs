//! What every request goes through: an id, a log line, figures, and the question who asks.
//!
//! Both are layers of one stack around a route, for a router keeps, clones and boxes each stack
//! as one service, and each further layer on top of it once more.

mod admitting;
mod observing;

pub use admitting::{Admit, Whom};
pub use observing::Observe;
