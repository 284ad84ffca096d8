//! What the tests share.
//!
//! - [`world`]: both programs' bytecode on LiteSVM, with people, money, builders for works,
//!   terms and channels, and the promises of the house checked after every instruction.
//! - [`fuzz`]: random calls by honest and hostile actors, held against the ledger.
//! - [`model`]: a reference ledger that says what both programs should do.
//! - [`relay`]: a hostile program that does nothing, or calls another one.
//! - [`figures`]: pages of measured facts.

pub mod figures;
pub mod fuzz;
pub mod model;
pub mod relay;
pub mod world;
