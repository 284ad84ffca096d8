//! Addresses of the accounts that a payer reads, or pays to.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::pda;
use motif_json::object;
use motif_wire::Address;
use solana_pubkey::Pubkey;

use crate::{Calls, Payers, parts::SharesParts};

pub(crate) const CALLS: Calls = &[("address.operator", operator), ("address.till", till)];

/// Answers with an address.
pub fn found(address: Pubkey) -> Result<Answer, CallError> {
    Ok(Answer::of(&object! { "address": Address(address) }))
}

fn operator(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { authority: Address });
    found(pda::operator(&authority.0))
}

fn till(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { shares: SharesParts, mint: Address });
    found(pda::till(&shares.shares()?, &mint.0))
}
