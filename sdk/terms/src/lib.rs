//! Terms off chain: TOML files, plain-language summaries, and other rights formats.
//!
//! - [`Document`]: terms as a TOML file; [`Preset`]: templates for it.
//! - [`summary`]: an offer in plain English.
//! - [`pil`]: import of Story's licenses; [`rsl`], [`cawg`]: export for the web and for content
//!   credentials.
//!
//! ```
//! use motif_terms::{Denomination, Document, summary};
//!
//! let document = Document::parse(
//!     r#"
//!         preset = "commercial-per-generation"
//!
//!         [[use]]
//!         use = "generate"
//!         price = "0.001"
//!     "#,
//! )?;
//! let dollars = Denomination { name: "dollars".to_owned(), decimals: 6, iso_4217: None };
//! let offer = document.offer(Some(dollars.decimals))?;
//! assert_eq!(offer.uses[0].price, 1_000);
//! assert!(summary(&offer, &dollars).contains("- generate: 0.001 dollars a generation"));
//! # Ok::<(), motif_terms::DocumentError>(())
//! ```

pub mod amount;
pub mod cawg;
pub mod pil;
pub mod rsl;
pub mod share;

mod allowance;
mod denomination;
mod document;
mod error;
mod instant;
mod keys;
mod preset;
mod suggestion;
mod summary;
mod template;

pub use amount::Amount;
pub use denomination::Denomination;
pub use document::{CapsEntry, Count, Document, UseEntry, check};
pub use error::DocumentError;
pub use instant::Instant;
pub use preset::Preset;
pub use share::Percent;
pub use summary::summary;
