//! P29: a payer voids a voucher that could settle before.

use motif_sdk::channel::{PaymentsError, TOKEN_PROGRAM};
use motif_tests::world::World;

use super::licensed;

const DEPOSIT: u64 = 1_000_000;
const DAY: i64 = 86_400;

#[test]
fn self_license_fee_leaves_deposit_whole() {
    let mut world = World::new();
    let own = world.work().register();
    let payer = own.creator.clone();
    let channel = world.channel().payer(&payer).deposited(DEPOSIT).open();
    let (_, license) = world.licensed(&channel, 10);
    let voucher = world.statement(&channel, &[(license, 90_000)]);
    let terms = world.terms(&own).with(|offer| offer.upfront_fee = DEPOSIT).publish();
    world.open_earnings(&own);
    let accept = channel.accepting(&terms).call();
    let escape =
        accept.then(channel.collecting(&[(1, &own)])).then(world.claiming(&own, &[&payer]));

    // The payer has deposited all its tokens.
    world.send(escape.clone()).assert_err((TOKEN_PROGRAM, 1));
    assert_eq!((world.balance(&payer), world.vault_balance()), (0, DEPOSIT));
    // With other tokens it pays itself, and the deposit stays.
    let currency = world.currency;
    world.fund(&payer, &currency, DEPOSIT);
    world.send(escape).assert_ok();
    assert_eq!((world.balance(&payer), world.vault_balance()), (DEPOSIT, DEPOSIT));
    assert_eq!(world.read(&channel).channel.free().unwrap(), DEPOSIT);

    world.send(voucher.call()).assert_ok();
    world.send(channel.closing_at_once()).assert_ok();
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&payer), DEPOSIT + DEPOSIT - 909_000);
    assert_eq!(world.vault_balance(), 909_000);
}

#[test]
fn dear_license_leaves_vouchers_settleable() {
    let (mut world, channel, _) = licensed();
    let voucher = world.statement(&channel, &[(0, 90_000)]);
    let other = world.work().register();
    let terms = world.terms(&other).with(|offer| offer.upfront_fee = DEPOSIT).publish();
    world.send(channel.accepting(&terms).call()).assert_err((TOKEN_PROGRAM, 1));
    world.accept(&channel, &terms);
    world.send(voucher.call()).assert_ok();
    world.open_earnings(&other);
    world.collect(&channel, &[(1, &other)]).assert_ok();
    world.claim(&other, &other.recipients[0]).assert_ok();
    assert_eq!(world.balance(&other.recipients[0]), DEPOSIT);
}

#[test]
fn late_withdrawal_leaves_statement_settleable() {
    let (mut world, channel, _) = licensed();
    let (own, license) = world.licensed(&channel, 1);
    world.withdraw_work(&own);
    world.pass(2 * DAY);
    let voucher = world.statement(&channel, &[(0, 90_000), (license, 1)]);
    let apply = channel.applying_withdrawal(&[(license, &own)]);
    world.send(apply.clone()).assert_ok();
    let last = World::NOW + 2 * DAY + channel.grace_seconds;
    let ends = |world: &World| world.read(&channel).licenses[usize::from(license)].expires_at;
    assert_eq!(ends(&world), last);
    // Until the last second; repeating the call does not move it.
    world.set_time(last);
    world.send(apply.clone()).assert_ok();
    assert_eq!(ends(&world), last);
    world.send(voucher.call()).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 900_001);

    world.pass(1);
    world.send(apply).assert_ok();
    assert_eq!(ends(&world), last);
    world.settle(&channel, &[(license, 1)]).assert_err(PaymentsError::LicenseExpired);
    assert_eq!(world.read(&channel).channel.prices, 900_001);
    assert_eq!(world.vault_balance(), DEPOSIT);
}

#[test]
fn late_withdrawal_outlasts_payers_closing() {
    let (mut world, channel, _) = licensed();
    let (own, license) = world.licensed(&channel, 1);
    world.withdraw_work(&own);
    world.pass(2 * DAY);
    let voucher = world.statement(&channel, &[(0, 90_000), (license, 1)]);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.send(channel.applying_withdrawal(&[(license, &own)])).assert_ok();
    world.pass(channel.grace_seconds - 1);
    world.send(voucher.call()).assert_ok();
    world.pass(1);
    world.send(channel.withdrawing()).assert_ok();
    assert_eq!(world.balance(&channel.payer), DEPOSIT - 909_001);
    assert_eq!(world.vault_balance(), 909_001);
}
