//! `programs/artifacts/manifest.json`: which sources and which toolchain each committed program
//! was built from. `toolchain/build-programs.sh` writes it; a test compares it with the checkout,
//! so bytecode that lags behind its sources does not get past CI.

pub mod checkout;
pub mod manifest;
pub mod program;
pub mod source;

pub use checkout::{Checkout, Drift};
pub use manifest::{Artifact, Manifest};
pub use program::{PROGRAMS, Program};
