//! The accounts of this program, one file each.

mod channel;
mod earnings;
mod issuance;
mod licence;
mod licensee;
mod staging;
mod till;
mod vault;

pub use channel::*;
pub use earnings::*;
pub use issuance::*;
pub use licence::*;
pub use licensee::*;
pub use staging::*;
pub use till::*;
pub use vault::*;
