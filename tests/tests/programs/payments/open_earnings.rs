use anchor_lang::error::ErrorCode;
use motif_sdk::{
    earnings::{EarningsAccount, open},
    pda,
};
use motif_tests::world::{Call, RegisteredWork, World};

use super::EXISTS;

fn call(world: &World, work: &RegisteredWork) -> Call {
    let mint = world.currency.mint;
    Call::new([open(&world.host.key(), &work.address, &mint)], &[&world.host])
}

#[test]
fn earnings_start_empty_with_split() {
    let mut world = World::new();
    let image = world.work().register();
    let model = world.work().split(&[1_000, 9_000]).parent(&image, 2_500).register();
    let call = call(&world, &model);
    world.send(call).assert_ok();
    let earnings = world.earnings(&model);
    let header = &earnings.earnings;
    assert_eq!((header.work, header.mint), (model.address, world.currency.mint));
    assert_eq!((header.earned, header.split_version, header.own_bps), (0, 0, 7_500));
    let parents: Vec<_> = earnings.parents.iter().map(|p| (p.key, p.share_bps, p.taken)).collect();
    assert_eq!(parents, [(image.address, 2_500, 0)]);
    let recipients: Vec<_> =
        earnings.recipients.iter().map(|r| (r.key, r.share_bps, r.taken)).collect();
    let people = [model.recipients[0].key(), model.recipients[1].key()];
    assert_eq!(recipients, [(people[0], 1_000, 0), (people[1], 9_000, 0)]);
}

#[test]
fn widest_work_can_earn() {
    let mut world = World::new();
    let parents: Vec<_> = (0..8).map(|_| world.work().register()).collect();
    let mut widest = [312; 32];
    widest[0] += 16;
    let work = world.work().split(&widest);
    let work = parents.iter().fold(work, |work, parent| work.parent(parent, 1)).register();
    world.open_earnings(&work);
    assert_eq!(world.earnings(&work).recipients.len(), 32);
}

#[test]
fn work_earns_in_several_currencies() {
    let mut world = World::new();
    let other = world.other_currency();
    let work = world.work().register();
    world.open_earnings(&work);
    let host = world.host.clone();
    let open = open(&host.key(), &work.address, &other.mint);
    world.send(Call::new([open], &[&host])).assert_ok();
    let data = world.account(&pda::earnings(&work.address, &other.mint)).data;
    assert_eq!(EarningsAccount::from_bytes(&data).unwrap().earnings.mint, other.mint);
}

#[test]
fn earnings_are_opened_once() {
    let mut world = World::new();
    let work = world.work().register();
    let call = call(&world, &work);
    world.send(call.clone()).assert_ok();
    world.send(call).assert_err(EXISTS);
}

#[test]
fn new_earnings_accounts_are_pinned() {
    let mut world = World::new();
    let (work, other) = (world.work().register(), world.work().register());
    let terms = world.terms(&work).publish();
    let other_currency = world.other_currency();
    let currency = world.currency;
    let vault = pda::vault(&currency.mint);
    let unknown = world.mint_of(&currency.token_program);
    let channel = world.channel().open();
    let own = pda::earnings(&work.address, &currency.mint);
    let cases = [
        (work.address, other.address, ErrorCode::ConstraintSeeds),
        (work.address, terms.address, ErrorCode::AccountDiscriminatorMismatch),
        (work.address, channel.payer.key(), ErrorCode::AccountOwnedByWrongProgram),
        (vault, pda::vault(&other_currency.mint), ErrorCode::ConstraintSeeds),
        (vault, pda::vault(&unknown.mint), ErrorCode::AccountNotInitialized),
        (vault, channel.address, ErrorCode::AccountDiscriminatorMismatch),
        (own, pda::earnings(&other.address, &currency.mint), ErrorCode::ConstraintSeeds),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    assert!(world.find(&own).is_none());
    let funder = world.person();
    let open = open(&funder.key(), &work.address, &currency.mint);
    let unsigned = Call::new([open], &[&funder]).unsigned_by(&funder);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}
