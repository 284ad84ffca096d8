//! Shared support for tests, examples and benchmarks of the gateway and the command line.
//!
//! - [`cluster_double`]: a busy cluster in simulated time.
//! - [`world`]: a gateway on a chain in memory, its payer and its stores.
//! - [`load`]: connections and vouchers signed in advance, to measure throughput.
//! - [`figure`]: the output of benchmarks.
//! - [`free_riding`]: random payers that try to be served without paying.
//! - [`crash_loop`]: a gateway as a child process that is killed under load.
//! - [`model_server`]: an HTTP model server to put behind the paywall.
//! - [`slow_link`]: a proxy that delays both directions.
#![allow(clippy::unwrap_used, reason = "test support panics at an unexpected error")]

pub mod cluster_double;
pub mod crash_loop;
pub mod figure;
pub mod free_riding;
pub mod load;
pub mod slow_link;
pub mod world;

pub use motif_model_server as model_server;
