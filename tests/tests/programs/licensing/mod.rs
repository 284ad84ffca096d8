//! Every instruction of `licensing`: its effects and its rejections.

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

use anchor_lang::{AccountDeserialize, AccountSerialize};
use motif_sdk::licensing::Work;
use motif_tests::world::{RegisteredWork, World};
use solana_pubkey::Pubkey;

/// Error of the system program for an existing account.
const EXISTS: (Pubkey, u32) = (Pubkey::new_from_array([0; 32]), 0);

fn read<T: AccountDeserialize>(world: &World, address: &Pubkey) -> T {
    T::try_deserialize(&mut &world.account(address).data[..]).unwrap()
}

/// Writes a work's account with a change that no instruction makes.
fn rewrite(world: &mut World, work: &RegisteredWork, change: impl FnOnce(&mut Work)) {
    world.operate(&work.address, |data| {
        let mut stored = Work::try_deserialize(&mut &data[..]).unwrap();
        change(&mut stored);
        stored.try_serialize(&mut &mut data[..]).unwrap();
    });
}
