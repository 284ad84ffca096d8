use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::PaymentsError,
    earnings::{open, pull},
    pda,
};
use motif_tests::world::{Call, RegisteredWork, World};

/// A model with earnings of 1,001, and its parent with a 20 % share.
fn earned() -> (World, RegisteredWork, RegisteredWork) {
    let mut world = World::new();
    let image = world.work().register();
    let model = world.work().parent(&image, 2_000).register();
    let channel = world.channel().deposited(1_001).fee(0).open();
    let terms = world.terms(&model).price(1_001).publish();
    let license = world.accept(&channel, &terms);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    world.open_earnings(&image);
    world.open_earnings(&model);
    world.collect(&channel, &[(license, &model)]).assert_ok();
    (world, model, image)
}

#[test]
fn parent_pulls_floor_once() {
    let (mut world, model, image) = earned();
    world.pull(&model, &image).assert_ok();
    assert_eq!(
        (world.earnings(&image).earnings.earned, world.earnings(&model).parents[0].taken),
        (200, 200)
    );
    world.pull(&model, &image).assert_err(PaymentsError::NothingToClaim);
    assert_eq!(world.earnings(&image).earnings.earned, 200);
}

#[test]
fn pull_moves_no_tokens() {
    let (mut world, model, image) = earned();
    let before = world.snapshot();
    world.pull(&model, &image).assert_ok();
    let mint = world.currency.mint;
    let mut expected = [pda::earnings(&model.address, &mint), pda::earnings(&image.address, &mint)];
    let mut changed = world.changed_since(&before);
    expected.sort();
    changed.sort();
    assert_eq!(changed, expected);
    assert_eq!(world.vault_balance(), 1_001);
}

#[test]
fn child_cannot_pull_from_parent() {
    let (mut world, model, image) = earned();
    world.pull(&image, &model).assert_err(PaymentsError::ParentNotFound);
}

#[test]
fn unrelated_work_cannot_pull() {
    let (mut world, model, _) = earned();
    let stranger = world.work().register();
    world.open_earnings(&stranger);
    world.pull(&model, &stranger).assert_err(PaymentsError::ParentNotFound);
    assert_eq!(world.earnings(&stranger).earnings.earned, 0);
}

#[test]
fn work_cannot_pull_from_itself() {
    let (mut world, model, _) = earned();
    let twice = world.pull(&model, &model);
    twice.assert_err(PaymentsError::ParentNotFound);
    assert_eq!(world.earnings(&model).earnings.earned, 1_001);
}

#[test]
fn zero_share_parent_pulls_nothing() {
    let mut world = World::new();
    let image = world.work().register();
    let model = world.work().parent(&image, 0).register();
    world.open_earnings(&image);
    world.open_earnings(&model);
    world.pull(&model, &image).assert_err(PaymentsError::NothingToClaim);
}

#[test]
fn pull_needs_same_currency() {
    let (mut world, model, image) = earned();
    let other = world.other_currency();
    let host = world.host.clone();
    let open = open(&host.key(), &image.address, &other.mint);
    world.send(Call::new([open], &[&host])).assert_ok();
    let mint = world.currency.mint;
    let own = pda::earnings(&image.address, &mint);
    let foreign = pda::earnings(&image.address, &other.mint);
    let call = Call::new([pull(&model.address, &image.address, &mint)], &[]);
    world.send(call.instead_of(own, foreign)).assert_err(PaymentsError::ParentNotFound);
    assert_eq!(world.earnings(&model).parents[0].taken, 0);
}

#[test]
fn pull_accounts_are_pinned() {
    let (mut world, model, image) = earned();
    let mint = world.currency.mint;
    let (child, parent) =
        (pda::earnings(&model.address, &mint), pda::earnings(&image.address, &mint));
    let mut forged = world.account(&child);
    forged.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let cases = [
        (child, elsewhere, ErrorCode::AccountOwnedByWrongProgram),
        (parent, elsewhere, ErrorCode::AccountOwnedByWrongProgram),
        (child, pda::vault(&mint), ErrorCode::AccountDiscriminatorMismatch),
        (parent, pda::vault(&mint), ErrorCode::AccountDiscriminatorMismatch),
        (parent, pda::earnings(&mint, &mint), ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (account, other, expected) in cases {
        let call = Call::new([pull(&model.address, &image.address, &mint)], &[]);
        world.send(call.instead_of(account, other)).assert_err(expected);
    }
}
