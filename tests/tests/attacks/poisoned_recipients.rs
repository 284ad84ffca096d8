//! P8: whatever one recipient does to its own account, everybody else is paid in full, and its
//! own money stays where it is until it can be taken.

use motif_tests::world::{RegisteredWork, World, token_account};
use solana_account::Account;

/// A work of three that earned 900.
fn earned() -> (World, RegisteredWork) {
    let mut world = World::new();
    let channel = world.channel().deposited(900).fee(0).open();
    let work = world.work().split(&[3_000, 3_000, 4_000]).register();
    let terms = world.terms(&work).price(900).publish();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    (world, work)
}

/// Poisons the first recipient's account, pays the others, heals it, pays the first.
fn poisoned(poison: impl FnOnce(&World, &mut Account)) {
    let (mut world, work) = earned();
    let first = &work.recipients[0];
    let own = world.currency.tokens(&first.key());
    let healthy = world.account(&own);
    let mut account = healthy.clone();
    poison(&world, &mut account);
    world.set(own, account);
    assert!(!world.claim(&work, first).is_ok());
    for (recipient, expected) in work.recipients[1..].iter().zip([270, 360]) {
        world.claim(&work, recipient).assert_ok();
        assert_eq!(world.balance(recipient), expected);
    }
    assert_eq!(world.vault_balance(), 270);
    world.set(own, healthy);
    world.claim(&work, first).assert_ok();
    assert_eq!((world.balance(first), world.vault_balance()), (270, 0));
}

#[test]
fn a_frozen_recipient_blocks_nobody() {
    poisoned(|_, account| account.data[108] = 2);
}

#[test]
fn a_closed_recipient_blocks_nobody() {
    poisoned(|_, account| *account = Account::default());
}

#[test]
fn a_recipient_that_gave_its_account_away_blocks_nobody() {
    poisoned(|world, account| {
        *account = token_account(&world.currency, &world.host.key(), 0);
    });
}

#[test]
fn a_recipient_whose_account_is_something_else_blocks_nobody() {
    poisoned(|_, account| {
        account.owner = licensing::ID;
        account.data = vec![7; 300];
    });
}
