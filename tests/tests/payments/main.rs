//! Every instruction of `payments`: what it does, and everything it refuses.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod accept;
mod apply_split;
mod apply_withdrawal;
mod claim;
mod claim_fees;
mod close_channel;
mod collect;
mod create_vault;
mod open_channel;
mod open_earnings;
mod open_till;
mod operator;
mod our_bugs;
mod pull;
mod release_quota;
mod request_close;
mod rotate_voucher_key;
mod settle;
mod settle_buffered;
mod settle_cosigned;
mod sweep_till;
mod top_up;
mod withdraw;
mod write_statement_buffer;

use anchor_lang::AccountDeserialize;
use motif_sdk::channel::TOKEN_PROGRAM;
use motif_tests::world::World;
use solana_pubkey::Pubkey;

/// The system program refuses to create an account that exists.
const EXISTS: (Pubkey, u32) = (Pubkey::new_from_array([0; 32]), 0);
/// The token program refuses to move more than there is.
const TOO_FEW_TOKENS: (Pubkey, u32) = (TOKEN_PROGRAM, 1);
/// The token program refuses to move frozen tokens.
const FROZEN: (Pubkey, u32) = (TOKEN_PROGRAM, 17);

fn read<T: AccountDeserialize>(world: &World, address: &Pubkey) -> T {
    T::try_deserialize(&mut &world.account(address).data[..]).unwrap()
}
