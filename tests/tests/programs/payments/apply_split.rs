use anchor_lang::error::ErrorCode;
use licensing::WorkStatus;
use motif_sdk::{channel::PaymentsError, earnings::apply_split, pda};
use motif_tests::world::{Call, OpenedChannel, Person, RegisteredWork, World};
use payments::Earnings;

/// A work with two recipients, licensed at 1 without a fee, with earnings of 1,000.
fn earned() -> (World, OpenedChannel, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let channel = world.channel().fee(0).open();
    let terms = world.terms(&work).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&work);
    earn(&mut world, &channel, &work, 1_000);
    (world, channel, work)
}

fn earn(world: &mut World, channel: &OpenedChannel, work: &RegisteredWork, amount: u32) {
    world.settle(channel, &[(0, amount)]).assert_ok();
    world.collect(channel, &[(0, work)]).assert_ok();
}

fn call(world: &World, work: &RegisteredWork) -> Call {
    let mint = world.currency.mint;
    Call::new([apply_split(&world.host.key(), &work.address, &mint)], &[&world.host])
}

#[test]
fn split_applies_to_later_earnings() {
    let (mut world, channel, work) = earned();
    let [one, other] = work.recipients.clone().try_into().unwrap();
    let new: Person = world.person();
    world.resplit(&work, &[(&new, 9_000), (&one, 1_000)]);
    world.apply_split(&work).assert_ok();
    earn(&mut world, &channel, &work, 100);
    world.claim_all(&work, &[&one, &other, &new]).assert_ok();
    let paid = [&one, &other, &new].map(|person| world.balance(person));
    assert_eq!(paid, [510, 500, 90]);
    assert_eq!(world.vault_balance(), 1_000_000 - 1_100);
}

#[test]
fn earnings_grow_at_funders_cost() {
    let (mut world, _, work) = earned();
    let address = pda::earnings(&work.address, &world.currency.mint);
    let people: Vec<_> = (0..32).map(|_| world.person()).collect();
    let mut split: Vec<_> = people.iter().map(|person| (person, 312)).collect();
    split[0].1 += 16;
    world.resplit(&work, &split);
    let rent = world.account(&address).lamports;
    world.apply_split(&work).assert_ok();
    let account = world.account(&address);
    assert_eq!(account.data.len(), Earnings::space(34));
    assert!(account.lamports > rent);
    let one = work.recipients[0].clone();
    world.claim_all(&work, &[&one, &work.recipients[1]]).assert_ok();
    world.resplit(&work, &[(&one, 10_000)]);
    world.apply_split(&work).assert_ok();
    let after = world.account(&address);
    assert_eq!((after.data.len(), after.lamports), (Earnings::space(34), account.lamports));
    let recipients = world.earnings(&work).recipients;
    assert_eq!(
        (recipients.len(), recipients[0].key, recipients[0].share_bps),
        (1, one.key(), 10_000)
    );
}

#[test]
fn parents_keep_their_shares() {
    let mut world = World::new();
    let image = world.work().register();
    let model = world.work().parent(&image, 2_000).register();
    let channel = world.channel().fee(0).open();
    let terms = world.terms(&model).price(1).publish();
    world.accept(&channel, &terms);
    world.open_earnings(&model);
    world.open_earnings(&image);
    earn(&mut world, &channel, &model, 999);
    world.pull(&model, &image).assert_ok();
    let new = world.person();
    world.resplit(&model, &[(&new, 10_000)]);
    world.apply_split(&model).assert_ok();
    earn(&mut world, &channel, &model, 1);
    world.pull(&model, &image).assert_ok();
    assert_eq!(world.earnings(&image).earnings.earned, 200);
    let creator = model.creator.clone();
    world.claim_all(&model, &[&creator, &new]).assert_ok();
    // 999 x 0.8 and later earnings: floors of the whole own part.
    assert_eq!((world.balance(&creator), world.balance(&new)), (799, 1));
}

#[test]
fn upheld_dispute_takes_unsecured() {
    let (mut world, channel, work) = earned();
    let [one, other] = work.recipients.clone().try_into().unwrap();
    world.claim(&work, &one).assert_ok();
    // The false owner assigns everything to another key.
    let friend = world.person();
    world.resplit(&work, &[(&friend, 10_000)]);
    world.apply_split(&work).assert_ok();
    earn(&mut world, &channel, &work, 50);
    let claimant = world.person();
    world.uphold(&work, &claimant);
    world.apply_split(&work).assert_ok();
    for outsider in [&one, &friend] {
        world.claim(&work, outsider).assert_err(PaymentsError::RecipientNotFound);
    }
    // The one's claim has secured the other's part too.
    world.claim(&work, &other).assert_ok();
    world.claim(&work, &claimant).assert_ok();
    let paid = [&one, &other, &friend, &claimant].map(|person| world.balance(person));
    assert_eq!(paid, [500, 500, 0, 50]);
}

#[test]
fn later_split_keeps_verdict() {
    let (mut world, _, work) = earned();
    let claimant = world.person();
    let heir = world.person();
    world.uphold(&work, &claimant);
    world.resplit(&work, &[(&heir, 10_000)]);
    world.apply_split(&work).assert_ok();
    world.claim(&work, &heir).assert_ok();
    assert_eq!(world.balance(&heir), 1_000);
}

#[test]
fn current_split_is_not_reapplied() {
    let (mut world, _, work) = earned();
    world.apply_split(&work).assert_err(PaymentsError::SplitUnchanged);
    let new = world.person();
    world.resplit(&work, &[(&new, 10_000)]);
    world.apply_split(&work).assert_ok();
    world.apply_split(&work).assert_err(PaymentsError::SplitUnchanged);
}

#[test]
fn disputed_work_keeps_its_split() {
    let (mut world, _, work) = earned();
    let new = world.person();
    world.resplit(&work, &[(&new, 10_000)]);
    world.set_status(&work, WorkStatus::Disputed);
    // A change from before the dispute can be applied until the dispute is applied.
    world.apply_split(&work).assert_ok();
    world.resplit(&work, &[(&new, 10_000)]);
    world.apply_dispute(&work).assert_ok();
    world.apply_dispute(&work).assert_err(PaymentsError::DisputeApplied);
    // Then it waits for the end of the dispute.
    world.apply_split(&work).assert_err(PaymentsError::EarningsDisputed);
    assert_eq!(world.earnings(&work).earnings.split_version, 1);
    world.set_status(&work, WorkStatus::Active);
    world.apply_split(&work).assert_ok();
}

#[test]
fn undisputed_work_is_rejected() {
    let (mut world, _, work) = earned();
    world.apply_dispute(&work).assert_err(PaymentsError::WorkNotDisputed);
    assert_eq!(world.earnings(&work).earnings.dispute, 0);
}

#[test]
fn excess_parties_wait_for_payment() {
    let (mut world, channel, work) = earned();
    let mut people = Vec::new();
    // Two have entitlements from the start; each round adds 31 former recipients.
    for _ in 0..3 {
        let new: Vec<_> = (0..31).map(|_| world.person()).collect();
        let mut split: Vec<_> = new.iter().map(|person| (person, 322)).collect();
        split[0].1 += 18;
        world.resplit(&work, &split);
        world.apply_split(&work).assert_ok();
        earn(&mut world, &channel, &work, 1_000);
        people.extend(new);
    }
    assert_eq!(world.earnings(&work).recipients.len(), 95);
    let last: Vec<_> = (0..2).map(|_| world.person()).collect();
    world.resplit(&work, &[(&last[0], 5_000), (&last[1], 5_000)]);
    world.apply_split(&work).assert_err(PaymentsError::TooManyParties);
    // Former recipients are paid before the next split.
    world.amend(&work, |work| work.split_version -= 1);
    world.claim(&work, &people[0]).assert_ok();
    world.amend(&work, |work| work.split_version += 1);
    world.apply_split(&work).assert_ok();
    assert_eq!(world.earnings(&work).recipients.len(), Earnings::MAX_PARTS);
}

#[test]
fn split_accounts_are_pinned() {
    let (mut world, channel, work) = earned();
    let other = world.work().register();
    world.open_earnings(&other);
    let new = world.person();
    world.resplit(&work, &[(&new, 10_000)]);
    let mint = world.currency.mint;
    let own = pda::earnings(&work.address, &mint);
    let cases = [
        (work.address, other.address, ErrorCode::ConstraintHasOne),
        (work.address, pda::config(), ErrorCode::AccountDiscriminatorMismatch),
        (work.address, channel.address, ErrorCode::AccountOwnedByWrongProgram),
        (own, pda::earnings(&other.address, &mint), ErrorCode::ConstraintHasOne),
        (own, channel.address, ErrorCode::AccountDiscriminatorMismatch),
        (own, work.address, ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (account, other, expected) in cases {
        let call = call(&world, &work).instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    let funder = world.person();
    let apply = apply_split(&funder.key(), &work.address, &mint);
    let unsigned = Call::new([apply], &[&funder]).unsigned_by(&funder);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(world.earnings(&work).earnings.split_version, 0);
}
