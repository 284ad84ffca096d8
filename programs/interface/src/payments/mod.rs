//! The payments program: channels, statements, earnings and claims.

use solana_pubkey::Pubkey;

mod channel;
mod earnings;
mod error;
mod issuance;
mod license;
mod licensee;
mod moment;
mod operator;
mod record;
mod statement_buffer;
mod till;
mod vault;

pub use channel::*;
pub use earnings::*;
pub use error::*;
pub use issuance::*;
pub use license::*;
pub use licensee::*;
pub use moment::*;
pub use operator::*;
pub use record::*;
pub use statement_buffer::*;
pub use till::*;
pub use vault::*;

/// Address of the program.
pub const ID: Pubkey = Pubkey::from_str_const("BvFbpq9Euag2k6ihhUgVfvDNJnYmiA5u8r1xgoZUJE3w");

crate::account::accounts! {
    ID;
    borsh: Issuance, Licensee, Operator, Till, Vault;
    zero_copy: Channel, Earnings, StatementBuffer
}
