//! `programs/artifacts/manifest.json`: digests of the sources and the toolchain of each committed
//! program. `toolchain/build-programs.sh` writes it; a test compares it with the checkout,
//! so CI rejects bytecode that is older than its sources.

pub mod checkout;
pub mod manifest;
pub mod program;
pub mod source;

pub use checkout::{Checkout, Drift};
pub use manifest::{Artifact, Manifest};
pub use program::{PROGRAMS, Program};
