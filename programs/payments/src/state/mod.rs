//! The accounts of this program, one file each.

mod channel;
mod earnings;
mod issuance;
mod license;
mod licensee;
mod statement_buffer;
mod till;
mod vault;

pub use channel::*;
pub use earnings::*;
pub use issuance::*;
pub use license::*;
pub use licensee::*;
pub use statement_buffer::*;
pub use till::*;
pub use vault::*;
