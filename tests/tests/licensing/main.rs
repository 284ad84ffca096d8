//! Every instruction of `licensing`: what it does, and everything it refuses.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing has failed")]

mod approve;
mod config;
mod derive;
mod dispute;
mod initialize;
mod issue_certificate;
mod model;
mod ownership;
mod publish_terms;
mod register_work;
mod revoke_approval;
mod set_consent_end;
mod split_change;
mod update_metadata;
mod withdraw_work;

use anchor_lang::AccountDeserialize;
use motif_tests::world::World;
use solana_pubkey::Pubkey;

/// The system program refuses to create an account that exists.
const EXISTS: (Pubkey, u32) = (Pubkey::new_from_array([0; 32]), 0);

fn read<T: AccountDeserialize>(world: &World, address: &Pubkey) -> T {
    T::try_deserialize(&mut &world.account(address).data[..]).unwrap()
}
