//! P8: a recipient that makes its own account unusable delays no other recipient, and its
//! entitlement stays claimable.

use motif_sdk::channel::TOKEN_2022_PROGRAM;
use motif_tests::world::{RegisteredWork, World, token_account};
use solana_account::Account;

/// Returns a work with three recipients and earnings of 900.
fn earned() -> (World, RegisteredWork) {
    earned_in(World::new())
}

/// Returns the same in a Token-2022 mint.
fn earned_2022() -> (World, RegisteredWork) {
    let mut world = World::new();
    let currency = world.mint_of(&TOKEN_2022_PROGRAM);
    world.admit(&currency).assert_ok();
    world.currency = currency;
    earned_in(world)
}

fn earned_in(mut world: World) -> (World, RegisteredWork) {
    let channel = world.channel().deposited(900).fee(0).open();
    let work = world.work().split(&[3_000, 3_000, 4_000]).register();
    let terms = world.terms(&work).price(900).publish();
    world.accept(&channel, &terms);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(0, &work)]).assert_ok();
    (world, work)
}

/// Makes the first recipient's account unusable, pays the others, repairs it, pays the first.
fn poisoned(poison: impl FnOnce(&World, &mut Account)) {
    poisoned_in(earned(), poison);
}

fn poisoned_in(
    (mut world, work): (World, RegisteredWork),
    poison: impl FnOnce(&World, &mut Account),
) {
    let first = &work.recipients[0];
    let own = world.currency.tokens(&first.key());
    let healthy = world.account(&own);
    let mut account = healthy.clone();
    poison(&world, &mut account);
    world.set(own, account);
    assert!(!world.claim(&work, first).is_ok());
    // An unusable account fails its batch, so clients then pay one by one.
    let recipients: Vec<_> = work.recipients.iter().collect();
    assert!(!world.claim_all(&work, &recipients).is_ok());
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
fn frozen_recipient_blocks_no_other() {
    poisoned(|_, account| account.data[108] = 2);
}

#[test]
fn closed_recipient_blocks_no_other() {
    poisoned(|_, account| *account = Account::default());
}

#[test]
fn given_away_account_blocks_no_other() {
    poisoned(|world, account| {
        *account = token_account(&world.currency, &world.host.key(), 0);
    });
}

#[test]
fn foreign_account_blocks_no_other() {
    poisoned(|_, account| {
        account.owner = licensing::ID;
        account.data = vec![7; 300];
    });
}

/// Adds an extension to a Token-2022 account, enabled by one byte.
fn extend(account: &mut Account, extension: u16) {
    account.data.push(2); // a token account, not a mint
    account.data.extend(extension.to_le_bytes());
    account.data.extend([1, 0, 1]);
}

#[test]
fn memo_required_blocks_no_other() {
    const MEMO_TRANSFER: u16 = 8;
    poisoned_in(earned_2022(), |_, account| extend(account, MEMO_TRANSFER));
}

#[test]
fn cpi_guarded_recipient_is_paid() {
    const CPI_GUARD: u16 = 11;
    let (mut world, work) = earned_2022();
    let first = &work.recipients[0];
    let own = world.currency.tokens(&first.key());
    let mut account = world.account(&own);
    extend(&mut account, CPI_GUARD);
    world.set(own, account);
    let recipients: Vec<_> = work.recipients.iter().collect();
    world.claim_all(&work, &recipients).assert_ok();
    let paid: Vec<_> = recipients.iter().map(|person| world.balance(person)).collect();
    assert_eq!((paid, world.vault_balance()), (vec![270, 270, 360], 0));
}

#[test]
fn former_recipient_blocks_no_other() {
    let (mut world, work) = earned();
    let [first, second, third] = &work.recipients[..] else { panic!("three recipients") };
    let own = world.currency.tokens(&first.key());
    let healthy = world.account(&own);
    world.set(own, Account::default());
    world.resplit(&work, &[(second, 5_000), (third, 5_000)]);
    world.apply_split(&work).assert_ok();
    world.claim_all(&work, &[second, third]).assert_ok();
    assert_eq!((world.balance(second), world.balance(third)), (270, 360));
    world.resplit(&work, &[(third, 10_000)]);
    world.apply_split(&work).assert_ok();
    world.set(own, healthy);
    world.claim(&work, first).assert_ok();
    assert_eq!((world.balance(first), world.vault_balance()), (270, 0));
}
