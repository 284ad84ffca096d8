//! What the tests share.
//!
//! - [`world`]: both programs' bytecode on LiteSVM, with people, money, builders for works,
//!   terms and channels, and the promises of the house checked after every instruction.
//! - [`relay`]: a hostile program that does nothing, or calls another one.
//! - [`figures`]: pages of measured facts.

pub mod figures;
pub mod relay;
pub mod world;
