//! Attacks. Numbers in the modules' first lines are rows of docs/attacks.md.

mod addresses;
mod amounts;
mod boundaries;
mod changed_agreements;
mod cheap_nuisances;
mod clock;
mod combined_limits;
mod disputes;
mod duplicates;
mod forged_currencies;
mod forged_proofs;
mod front_running;
mod handovers;
mod laundered_consent;
mod lineage;
mod locked_earnings;
mod operator_keys;
mod payer_escapes;
mod poisoned_recipients;
mod prefunded_accounts;
mod reinitialisation;
mod remaining_accounts;
mod reopened_channels;
mod replays;
mod rounding;
mod running_payers;
mod split_changes;
mod splits;
mod spoofed_events;
mod staged_disputes;
mod stale_approvals;
mod stolen_works;
mod token_extensions;
mod withdrawn_and_disputed;

use anchor_lang::AccountDeserialize;
use motif_tests::world::{OpenedChannel, RegisteredWork, World};
use solana_pubkey::Pubkey;

/// Creates a channel with a deposit of 1,000,000, a fee of 1 %, and a license at a price of 10,
/// index 0.
fn licensed() -> (World, OpenedChannel, RegisteredWork) {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    assert_eq!(license, 0);
    (world, channel, work)
}

#[track_caller]
fn nothing_settled(world: &World, channel: &OpenedChannel) {
    let state = world.read(channel);
    assert_eq!((state.channel.prices, state.channel.statements.length), (0, 0));
    assert!(state.licenses.iter().all(|license| (license.units, license.settled) == (0, 0)));
}

fn read<T: AccountDeserialize>(world: &World, address: &Pubkey) -> T {
    T::try_deserialize(&mut &world.account(address).data[..]).unwrap()
}
