//! The accounts of this program and what they are made of, one file each.

mod approval;
mod config;
mod consent;
mod dispute;
mod lineage;
mod model;
mod split;
mod split_change;
mod terms;
mod work;
mod work_head;

pub use approval::*;
pub use config::*;
pub use consent::*;
pub use dispute::*;
pub use lineage::*;
pub use model::*;
pub use split::*;
pub use split_change::*;
pub use terms::*;
pub use work::*;
pub use work_head::*;
