//! `programs/artifacts/manifest.json` and `sdk/core/manifest.json`: digests of the sources and the toolchain of
//! each committed program and module. `toolchain/build-programs.sh` and `toolchain/build-wasm.sh` write them; a
//! test compares them with the checkout, so CI rejects bytecode that is older than its sources.

pub mod checkout;
pub mod manifest;
pub mod program;
pub mod source;

pub use checkout::{Checkout, Drift};
pub use manifest::{Artifact, Manifest};
pub use program::{ArtifactSet, MODULES, PROGRAMS, Program, SOLANA, WEB_ASSEMBLY};
