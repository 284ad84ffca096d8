use anchor_lang::error::ErrorCode;
use motif_sdk::{channel::PaymentsError, pda};
use motif_tests::world::{OpenedChannel, RegisteredWork, World};
use solana_instruction::AccountMeta;

/// Two works with 300 and 500 settled, and earnings opened.
fn settled() -> (World, OpenedChannel, [RegisteredWork; 2]) {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).fee(0).open();
    let (one, first) = world.licensed(&channel, 100);
    let (other, second) = world.licensed(&channel, 100);
    world.settle(&channel, &[(first, 3), (second, 5)]).assert_ok();
    world.open_earnings(&one);
    world.open_earnings(&other);
    (world, channel, [one, other])
}

#[track_caller]
fn nothing_collected(world: &World, channel: &OpenedChannel, works: &[RegisteredWork; 2]) {
    assert_eq!(world.read(channel).channel.collected, 0);
    assert_eq!(works.each_ref().map(|work| world.earnings(work).earnings.earned), [0, 0]);
}

#[test]
fn credit_becomes_earnings() {
    let (mut world, channel, [one, other]) = settled();
    world.collect(&channel, &[(0, &one), (1, &other)]).assert_ok();
    assert_eq!(
        (world.earnings(&one).earnings.earned, world.earnings(&other).earnings.earned),
        (300, 500)
    );
    let state = world.read(&channel);
    assert_eq!(state.channel.collected, 800);
    assert_eq!((state.licenses[0].collected, state.licenses[1].collected), (300, 500));
    assert_eq!(world.vault_balance(), 10_000);
}

#[test]
fn collect_touches_two_accounts() {
    let (mut world, channel, [one, other]) = settled();
    let before = world.snapshot();
    world.collect(&channel, &[(1, &other)]).assert_ok();
    let mut expected = vec![channel.address, pda::earnings(&other.address, &world.currency.mint)];
    let mut changed = world.changed_since(&before);
    expected.sort();
    changed.sort();
    assert_eq!(changed, expected);
    assert_eq!(
        (world.earnings(&one).earnings.earned, world.earnings(&other).earnings.earned),
        (0, 500)
    );
}

#[test]
fn two_licenses_add_up_in_earnings() {
    let mut world = World::new();
    let channel = world.channel().deposited(10_000).fee(0).open();
    let work = world.work().register();
    let terms = world.terms(&work).price(100).publish();
    let licenses = [world.accept(&channel, &terms), world.accept(&channel, &terms)];
    world.settle(&channel, &[(licenses[0], 3), (licenses[1], 5)]).assert_ok();
    world.open_earnings(&work);
    world.collect(&channel, &[(licenses[0], &work), (licenses[1], &work)]).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 800);
}

#[test]
fn duplicate_license_collects_once() {
    let (mut world, channel, [one, _]) = settled();
    world.collect(&channel, &[(0, &one), (0, &one)]).assert_ok();
    assert_eq!(world.earnings(&one).earnings.earned, 300);
    assert_eq!(world.read(&channel).channel.collected, 300);
}

#[test]
fn upfront_fees_are_collected() {
    let mut world = World::new();
    let channel = world.channel().deposited(100).open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.upfront_fee = 60).publish();
    let license = world.accept(&channel, &terms);
    world.open_earnings(&work);
    world.collect(&channel, &[(license, &work)]).assert_ok();
    assert_eq!(world.earnings(&work).earnings.earned, 60);
}

#[test]
fn collected_credit_is_not_repeated() {
    let (mut world, channel, works) = settled();
    let [one, other] = &works;
    nothing_collected(&world, &channel, &works);
    world.collect(&channel, &[]).assert_err(PaymentsError::NothingToCollect);
    nothing_collected(&world, &channel, &works);
    world.collect(&channel, &[(0, one)]).assert_ok();
    world.collect(&channel, &[(0, one)]).assert_err(PaymentsError::NothingToCollect);
    assert_eq!(
        (world.earnings(one).earnings.earned, world.earnings(other).earnings.earned),
        (300, 0)
    );
}

#[test]
fn unknown_license_collects_nothing() {
    let (mut world, channel, works) = settled();
    for license in [2, u16::MAX] {
        let entries = [(0, &works[0]), (license, &works[0])];
        world.collect(&channel, &entries).assert_err(PaymentsError::LicenseNotFound);
    }
    nothing_collected(&world, &channel, &works);
}

#[test]
fn other_works_earnings_are_rejected() {
    let (mut world, channel, works) = settled();
    let [one, other] = &works;
    let swapped = [(0, other), (1, one)];
    world.collect(&channel, &swapped).assert_err(PaymentsError::InvalidEarningsAccounts);
    nothing_collected(&world, &channel, &works);
}

#[test]
fn other_currency_earnings_are_rejected() {
    let (mut world, channel, works) = settled();
    let other = world.other_currency();
    let host = world.host.clone();
    let open = motif_sdk::earnings::open(&host.key(), &works[0].address, &other.mint);
    world.send(motif_tests::world::Call::new([open], &[&host])).assert_ok();
    let own = pda::earnings(&works[0].address, &world.currency.mint);
    let foreign = pda::earnings(&works[0].address, &other.mint);
    let call = channel.collecting(&[(0, &works[0])]).instead_of(own, foreign);
    world.send(call).assert_err(PaymentsError::InvalidEarningsAccounts);
    nothing_collected(&world, &channel, &works);
}

#[test]
fn account_count_must_match_licenses() {
    let (mut world, channel, works) = settled();
    let call = channel.collecting(&[(0, &works[0]), (1, &works[1])]);
    let truncated = call.clone().changed(|calls| {
        calls[0].accounts.pop();
    });
    world.send(truncated).assert_err(PaymentsError::InvalidEarningsAccounts);
    let extra = pda::earnings(&works[1].address, &world.currency.mint);
    let extended = call.changed(|calls| calls[0].accounts.push(AccountMeta::new(extra, false)));
    world.send(extended).assert_err(PaymentsError::InvalidEarningsAccounts);
    nothing_collected(&world, &channel, &works);
}

#[test]
fn readonly_earnings_are_rejected() {
    let (mut world, channel, works) = settled();
    let call = channel.collecting(&[(0, &works[0])]);
    let read_only = call.changed(|calls| calls[0].accounts[1].is_writable = false);
    world.send(read_only).assert_err(PaymentsError::InvalidEarningsAccounts);
    nothing_collected(&world, &channel, &works);
}

#[test]
fn non_earnings_account_is_rejected() {
    let (mut world, channel, works) = settled();
    let own = pda::earnings(&works[0].address, &world.currency.mint);
    let mut forged = world.account(&own);
    forged.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let vault = pda::vault(&world.currency.mint);
    let unopened = pda::earnings(&channel.address, &world.currency.mint);
    let cases = [
        (elsewhere, ErrorCode::AccountOwnedByWrongProgram),
        (vault, ErrorCode::AccountDiscriminatorMismatch),
        (unopened, ErrorCode::AccountOwnedByWrongProgram),
        (channel.address, ErrorCode::AccountDiscriminatorMismatch),
    ];
    for (other, expected) in cases {
        let call = channel.collecting(&[(0, &works[0])]).instead_of(own, other);
        if other == channel.address {
            // The channel is borrowed already; any error is accepted.
            assert!(!world.send(call).is_ok());
        } else {
            world.send(call).assert_err(expected);
        }
    }
    nothing_collected(&world, &channel, &works);
}

#[test]
fn non_channel_is_not_collected() {
    let (mut world, channel, works) = settled();
    let vault = pda::vault(&world.currency.mint);
    let call = channel.collecting(&[(0, &works[0])]).instead_of(channel.address, vault);
    world.send(call).assert_err(ErrorCode::AccountDiscriminatorMismatch);
}

#[test]
fn overflowing_earnings_stay_on_channel() {
    let (mut world, channel, works) = settled();
    let address = pda::earnings(&works[0].address, &world.currency.mint);
    world.operate(&address, |data| data[80..88].copy_from_slice(&(u64::MAX - 299).to_le_bytes()));
    world.collect(&channel, &[(0, &works[0])]).assert_err(PaymentsError::Overflow);
    assert_eq!(world.read(&channel).licenses[0].collected, 0);
}
