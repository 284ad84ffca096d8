//! The accounts of this program, one file each.

mod config;
mod split;
mod terms;
mod work;

pub use config::*;
pub use split::*;
pub use terms::*;
pub use work::*;
