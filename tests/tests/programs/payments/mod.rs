//! Every instruction of `payments`: its effects and its rejections.

mod accept;
mod apply_split;
mod apply_withdrawal;
mod claim;
mod claim_fees;
mod close_channel;
mod collect;
mod corrupted_accounts;
mod create_vault;
mod open_channel;
mod open_earnings;
mod open_till;
mod operator;
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

/// Error of the system program for an existing account.
const EXISTS: (Pubkey, u32) = (Pubkey::new_from_array([0; 32]), 0);
/// Error of the token program for an insufficient balance.
const TOO_FEW_TOKENS: (Pubkey, u32) = (TOKEN_PROGRAM, 1);
/// Error of the token program for a frozen account.
const FROZEN: (Pubkey, u32) = (TOKEN_PROGRAM, 17);

fn read<T: AccountDeserialize>(world: &World, address: &Pubkey) -> T {
    T::try_deserialize(&mut &world.account(address).data[..]).unwrap()
}
