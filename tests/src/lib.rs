//! Shared test support.
//!
//! - [`world`]: both programs' bytecode on LiteSVM, with people, money, builders for works,
//!   terms and channels, and checks of the ledger's promises after every instruction.
//! - [`fuzz`]: random calls by honest and hostile actors, compared with the model.
//! - [`model`]: a reference model of both programs.
//! - [`relay`]: a hostile program that does nothing, or calls another one.
//! - [`figures`]: generated pages of figures.

pub mod figures;
pub mod fuzz;
pub mod model;
pub mod relay;
pub mod world;
