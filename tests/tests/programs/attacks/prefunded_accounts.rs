//! P18: lamports or tokens sent to an address in advance block nothing and are not credited.

use motif_sdk::{channel::TOKEN_PROGRAM, pda};
use motif_tests::world::{World, token_account};
use solana_account::Account;
use solana_pubkey::Pubkey;

/// One lamport, the rent of an empty account, and a large amount.
const GIFTS: [u64; 3] = [1, 890_880, 5_000_000_000];

fn gift(world: &mut World, address: Pubkey, lamports: u64) {
    assert!(world.find(&address).is_none());
    world.set(address, Account { lamports, ..Account::default() });
}

#[test]
fn prefunded_work_is_created() {
    for lamports in GIFTS {
        let mut world = World::new();
        let builder = world.work();
        let (address, call) = (builder.address(), builder.call());
        gift(&mut world, address, lamports);
        world.send(call).assert_ok();
        let work = world.work().register();
        gift(&mut world, pda::terms(&work.address, 1), lamports);
        world.terms(&work).publish();
    }
}

#[test]
fn prefunded_channel_gains_no_deposit() {
    for lamports in GIFTS {
        let mut world = World::new();
        let (call, channel) = world.channel().deposited(100).call();
        gift(&mut world, channel.address, lamports);
        world.send(call).assert_ok();
        assert_eq!(world.read(&channel).channel.deposited, 100);
    }
}

#[test]
fn prefunded_vault_is_created() {
    for lamports in GIFTS {
        let mut world = World::new();
        let currency = world.mint_of(&TOKEN_PROGRAM);
        gift(&mut world, pda::vault(&currency.mint), lamports);
        let vault_tokens = world.vault_tokens(&currency);
        gift(&mut world, vault_tokens, lamports);
        world.admit(&currency).assert_ok();

        let work = world.work().register();
        let earnings = pda::earnings(&work.address, &world.currency.mint);
        gift(&mut world, earnings, lamports);
        world.open_earnings(&work);
        assert_eq!(world.earnings(&work).earnings.earned, 0);

        let terms = world.terms(&work).with(|offer| offer.caps.revenue = Some(10)).publish();
        gift(&mut world, pda::issuance(&terms.address), lamports);
        let channel = world.channel().open();
        world.accept_quota(&channel, &terms, 0, 1);
    }
}

#[test]
fn tokens_sent_to_vault_are_uncredited() {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_PROGRAM);
    let vault = pda::vault(&currency.mint);
    world.set(world.vault_tokens(&currency), token_account(&currency, &vault, 0));
    world.admit(&currency).assert_ok();

    let channel = world.channel().deposited(100).open();
    world.gift_to_vault(1_000);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (100, 1_000));
}
