//! `propose_split`, `extend_split_change`, `approve_split_change`, `apply_split_change` and
//! `cancel_split_change`.

use anchor_lang::error::ErrorCode;
use motif_sdk::{
    licensing::{
        LicensingError, ProposeSplitArgs, Share, SplitChange, Work, extend_split_change,
        propose_split,
    },
    pda,
};
use motif_tests::world::{Call, Person, RegisteredWork, World, shares};

use super::{EXISTS, read, rewrite};

/// A work of three recipients, none of them its creator, and a new person.
fn three() -> (World, RegisteredWork, [Person; 3], Person) {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 3_000, 2_000]).register();
    let people = [0, 1, 2].map(|place| work.recipients[place].clone());
    let newcomer = world.person();
    (world, work, people, newcomer)
}

fn widest(world: &mut World) -> Vec<Share> {
    let share = |_| Share { recipient: world.person().key(), share_bps: 312 };
    let mut split: Vec<_> = (0..32).map(share).collect();
    split[0].share_bps += 16;
    split
}

fn proposing(work: &RegisteredWork, recipients: u8, shares: &[Share]) -> Call {
    let args = ProposeSplitArgs { recipients, expires_at: None, shares: shares.to_vec() };
    Call::new([propose_split(&work.creator.key(), &work.address, args)], &[&work.creator])
}

fn extending(work: &RegisteredWork, shares: &[Share]) -> Call {
    let extend = extend_split_change(&work.creator.key(), &work.address, shares);
    Call::new([extend], &[&work.creator])
}

#[test]
fn harmless_split_applies_at_once() {
    let mut world = World::new();
    let (work, friend) = (world.work().register(), world.person());
    let before = world.read_work(&work);
    let owners = world.lamports(&work.creator);
    let split = shares(&[(&work.creator, 7_000), (&friend, 3_000)]);
    let proposing = work.proposing(&split).remove(0);
    let fee = world.send(proposing).assert_ok().fee;
    let change: SplitChange = read(&world, &pda::split_change(&work.address));
    assert_eq!((change.proposer, change.split_version), (work.creator.key(), 0));
    assert_eq!((change.split, change.approvals), (split.clone(), 0));
    // The creator proposed it, which counts as its approval.
    world.send(work.applying_split(&friend)).assert_ok();
    let after = Work { split, split_version: 1, ..before };
    assert_eq!(world.read_work(&work), after);
    assert!(world.find(&pda::split_change(&work.address)).is_none());
    assert_eq!(world.lamports(&work.creator), owners - fee, "its rent is back");
}

#[test]
fn wider_split_is_funded_by_caller() {
    let mut world = World::new();
    let (work, payer) = (world.work().register(), world.person());
    let split = widest(&mut world);
    world.propose_split(&work, &split);
    let rent = world.account(&work.address).lamports;
    let payers = world.lamports(&payer);
    let fee = world.send(work.applying_split(&payer)).assert_ok().fee;
    let account = world.account(&work.address);
    assert_eq!(account.data.len(), Work::space(0, 32, 0, 0, None));
    let grown = account.lamports - rent;
    assert_eq!(grown, 31 * 34 * 6_960);
    assert_eq!(world.lamports(&payer), payers - grown - fee);
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn narrower_split_keeps_rent() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    let before = world.account(&work.address);
    let split = shares(&[(&work.recipients[0], 10_000)]);
    world.change_split(&work, &split);
    let after = world.account(&work.address);
    assert_eq!((after.lamports, after.data.len()), (before.lamports, before.data.len()));
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn losing_recipients_must_approve() {
    let (mut world, work, [one, two, three], newcomer) = three();
    let split = shares(&[(&one, 6_000), (&two, 2_999), (&newcomer, 1_001)]);
    world.propose_split(&work, &split);
    let host = world.host.clone();
    let applying = work.applying_split(&host);
    world.send(applying.clone()).assert_err(LicensingError::MissingRecipientApproval);
    world.send(work.approving_split(&two, &split)).assert_ok();
    world.send(applying.clone()).assert_err(LicensingError::MissingRecipientApproval);
    world.send(work.approving_split(&three, &split)).assert_ok();
    assert_eq!(world.read_work(&work).split_version, 0);
    world.send(applying).assert_ok();
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn second_approval_changes_nothing() {
    let (mut world, work, [one, two, three], _) = three();
    let split = shares(&[(&one, 10_000)]);
    world.propose_split(&work, &split);
    world.send(work.approving_split(&two, &split)).assert_ok();
    world.send(work.approving_split(&two, &split)).assert_ok();
    let change: SplitChange = read(&world, &pda::split_change(&work.address));
    assert_eq!(change.approvals, 0b010);
    world.send(work.approving_split(&three, &split)).assert_ok();
    let host = world.host.clone();
    world.send(work.applying_split(&host)).assert_ok();
}

#[test]
fn full_split_changes_by_all() {
    let mut world = World::new();
    let mut bps = [312; 32];
    bps[0] += 16;
    let work = world.work().split(&bps).register();
    let split = widest(&mut world);
    world.change_split(&work, &split);
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn split_changes_repeatedly() {
    let mut world = World::new();
    let work = world.work().register();
    let other = world.person();
    for (version, own_bps) in (1..).zip([1_000, 9_000, 5_000]) {
        let split = shares(&[(&work.creator, own_bps), (&other, 10_000 - own_bps)]);
        world.propose_split(&work, &split);
        world.send(work.approving_split(&work.creator, &split)).assert_ok();
        if version > 1 {
            world.send(work.approving_split(&other, &split)).assert_ok();
        }
        world.send(work.applying_split(&other)).assert_ok();
        assert_eq!(world.read_work(&work).split_version, version);
    }
}

#[test]
fn split_counter_overflow_is_rejected() {
    let mut world = World::new();
    let (work, friend) = (world.work().register(), world.person());
    rewrite(&mut world, &work, |stored| stored.split_version = u32::MAX);
    let before = world.read_work(&work);
    world.propose_split(&work, &shares(&[(&work.creator, 7_000), (&friend, 3_000)]));
    let applied = world.send(work.applying_split(&friend));
    applied.assert_err(LicensingError::CounterOverflow);
    assert_eq!(world.read_work(&work), before);
}

#[test]
fn invalid_split_is_rejected() {
    let (mut world, work, [one, two, _], _) = three();
    let cases = [
        (shares(&[(&one, 9_999)]), LicensingError::InvalidSplitTotal),
        (shares(&[(&one, 10_000), (&two, 0)]), LicensingError::EmptyShare),
        (shares(&[(&one, 5_000), (&one, 5_000)]), LicensingError::DuplicateRecipient),
    ];
    for (split, expected) in cases {
        world.send(work.proposing(&split).remove(0)).assert_err(expected);
        let (first, rest) = split.split_at(split.len() - 1);
        world.send(proposing(&work, split.len() as u8, first)).assert_ok();
        world.send(extending(&work, rest)).assert_err(expected);
        world.send(work.cancelling_split()).assert_ok();
    }
}

#[test]
fn announced_recipients_are_the_limit() {
    let (mut world, work, [one, two, _], _) = three();
    for recipients in [0, 33, u8::MAX] {
        world.send(proposing(&work, recipients, &[])).assert_err(LicensingError::InvalidSplitSize);
    }
    let split = shares(&[(&one, 5_000), (&two, 5_000)]);
    world.send(proposing(&work, 1, &split)).assert_err(LicensingError::InvalidSplitSize);
    world.send(proposing(&work, 2, &split)).assert_ok();
    world.send(extending(&work, &split[..1])).assert_err(LicensingError::InvalidSplitSize);
}

#[test]
fn incomplete_split_is_rejected() {
    let (mut world, work, [one, two, _], _) = three();
    let split = shares(&[(&one, 5_000), (&two, 5_000)]);
    world.send(proposing(&work, 2, &split[..1])).assert_ok();
    let approving = work.approving_split(&two, &split);
    world.send(approving).assert_err(LicensingError::SplitIncomplete);
    let host = world.host.clone();
    world.send(work.applying_split(&host)).assert_err(LicensingError::SplitIncomplete);
}

#[test]
fn approval_pins_split_digest() {
    let (mut world, work, [one, two, _], newcomer) = three();
    let read = shares(&[(&one, 7_000), (&two, 3_000)]);
    let other = shares(&[(&one, 7_000), (&newcomer, 3_000)]);
    world.propose_split(&work, &read);
    let approving = work.approving_split(&two, &read);
    // Before the approval lands, the owner proposes another split.
    world.send(work.cancelling_split()).assert_ok();
    world.propose_split(&work, &other);
    world.send(approving).assert_err(LicensingError::SplitDigestMismatch);
}

#[test]
fn only_present_recipients_approve() {
    let (mut world, work, [one, two, _], newcomer) = three();
    let split = shares(&[(&one, 5_000), (&newcomer, 5_000)]);
    world.propose_split(&work, &split);
    let stranger = work.approving_split(&newcomer, &split);
    world.send(stranger).assert_err(LicensingError::RecipientNotFound);
    let unsigned = work.approving_split(&two, &split).signed_by(&newcomer).unsigned_by(&two);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn only_owner_manages_split_change() {
    let (mut world, work, [one, two, _], _) = three();
    let split = shares(&[(&one, 5_000), (&two, 5_000)]);
    let stranger = work.proposing_by(&one, &split).remove(0);
    world.send(stranger).assert_err(LicensingError::NotOwner);
    world.send(proposing(&work, 2, &split[..1])).assert_ok();
    let extend = extend_split_change(&one.key(), &work.address, &split[1..]);
    world.send(Call::new([extend], &[&one])).assert_err(LicensingError::NotOwner);
    world.send(work.cancelling_split_by(&one)).assert_err(LicensingError::NotOwner);
}

#[test]
fn second_split_change_is_rejected() {
    let (mut world, work, [one, ..], _) = three();
    let split = shares(&[(&one, 10_000)]);
    world.propose_split(&work, &split);
    world.send(work.proposing(&split).remove(0)).assert_err(EXISTS);
    world.send(work.cancelling_split()).assert_ok();
    world.propose_split(&work, &split);
}

#[test]
fn owner_change_voids_split_change() {
    let (mut world, work, [one, two, three], _) = three();
    let heir = world.person();
    let split = shares(&[(&one, 10_000)]);
    world.propose_split(&work, &split);
    world.send(work.approving_split(&two, &split)).assert_ok();
    world.send(work.offering_to(Some(&heir))).assert_ok();
    world.send(work.accepting_by(&heir)).assert_ok();
    let approving = work.approving_split(&three, &split);
    world.send(approving).assert_err(LicensingError::StaleSplitChange);
    world.send(work.applying_split(&one)).assert_err(LicensingError::StaleSplitChange);
    world.send(work.cancelling_split()).assert_err(LicensingError::NotOwner);
    let before = world.lamports(&work.creator);
    world.send(work.cancelling_split_by(&heir)).assert_ok();
    assert!(world.lamports(&work.creator) > before, "the rent is the proposer's");
    world.send(work.proposing_by(&heir, &split).remove(0)).assert_ok();
}

#[test]
fn other_works_change_is_rejected() {
    let (mut world, work, [one, ..], _) = three();
    let other = world.work().by(&work.creator).with(|work| work.content_digest = [9; 32]);
    let other = other.register();
    let split = shares(&[(&one, 10_000)]);
    world.propose_split(&other, &split);
    let (own, foreign) = (pda::split_change(&work.address), pda::split_change(&other.address));
    let call = work.applying_split(&one).instead_of(own, foreign);
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    let call = work.cancelling_split().instead_of(own, foreign);
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
}

#[test]
fn split_change_rent_goes_to_proposer() {
    let mut world = World::new();
    let (work, thief) = (world.work().register(), world.person());
    let split = shares(&[(&thief, 10_000)]);
    world.propose_split(&work, &split);
    let owner = work.creator.key();
    let call = work.applying_split(&thief).instead_of(owner, thief.key());
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
    let call = work.cancelling_split().changed(|calls| calls[0].accounts[3].pubkey = thief.key());
    world.send(call).assert_err(ErrorCode::ConstraintHasOne);
}

#[test]
fn disputed_split_can_only_be_cancelled() {
    let mut world = World::new();
    let (work, friend) = (world.work().register(), world.person());
    let split = shares(&[(&work.creator, 5_000), (&friend, 5_000)]);
    world.propose_split(&work, &split);
    world.dispute(&work);
    world.send(work.applying_split(&friend)).assert_err(LicensingError::WorkDisputed);
    world.send(work.cancelling_split()).assert_ok();
    let again = work.proposing(&split).remove(0);
    world.send(again).assert_err(LicensingError::WorkDisputed);
}

#[test]
fn withdrawn_works_split_can_change() {
    let mut world = World::new();
    let (work, friend) = (world.work().register(), world.person());
    world.send(work.withdrawing()).assert_ok();
    world.change_split(&work, &shares(&[(&friend, 10_000)]));
}
