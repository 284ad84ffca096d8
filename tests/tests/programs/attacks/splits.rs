//! P25: a split change reduces no recipient's share without its consent.

use motif_sdk::licensing::{LicensingError, Share};
use motif_tests::world::{RegisteredWork, World, shares};

fn work_of_five() -> (World, RegisteredWork) {
    let mut world = World::new();
    let work = world.work().split(&[3_000, 2_500, 2_000, 1_500, 1_000]).register();
    (world, work)
}

fn refused(world: &mut World, work: &RegisteredWork) {
    let host = world.host.clone();
    let outcome = world.send(work.applying_split(&host));
    outcome.assert_err(LicensingError::MissingRecipientApproval);
    let split: Vec<_> = world.read_work(work).split;
    let bps: Vec<_> = split.iter().map(|share| share.share_bps).collect();
    assert_eq!(bps, [3_000, 2_500, 2_000, 1_500, 1_000]);
}

#[test]
fn each_refusal_keeps_the_split() {
    for silent in 0..5 {
        let (mut world, work) = work_of_five();
        let thief = world.person();
        let split = shares(&[(&thief, 10_000)]);
        world.propose_split(&work, &split);
        for (place, recipient) in work.recipients.iter().enumerate() {
            if place != silent {
                world.send(work.approving_split(recipient, &split)).assert_ok();
            }
        }
        refused(&mut world, &work);
        let late = work.recipients[silent].clone();
        world.send(work.approving_split(&late, &split)).assert_ok();
        world.send(work.applying_split(&thief)).assert_ok();
    }
}

#[test]
fn one_basis_point_needs_consent() {
    for loser in 0..5 {
        let (mut world, work) = work_of_five();
        let mut split = world.read_work(&work).split;
        split[loser].share_bps -= 1;
        split[(loser + 1) % 5].share_bps += 1;
        world.propose_split(&work, &split);
        for (place, recipient) in work.recipients.iter().enumerate() {
            if place != loser {
                world.send(work.approving_split(recipient, &split)).assert_ok();
            }
        }
        refused(&mut world, &work);
    }
}

#[test]
fn reordered_split_needs_no_consent() {
    let (mut world, work) = work_of_five();
    let mut split = world.read_work(&work).split;
    split.reverse();
    world.propose_split(&work, &split);
    let host = world.host.clone();
    world.send(work.applying_split(&host)).assert_ok();
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn approvals_end_with_their_change() {
    let (mut world, work) = work_of_five();
    let [one, two] = [work.recipients[0].clone(), work.recipients[1].clone()];
    let mut fair = world.read_work(&work).split;
    fair[1].share_bps -= 500;
    fair[0].share_bps += 500;
    world.propose_split(&work, &fair);
    world.send(work.approving_split(&two, &fair)).assert_ok();
    world.send(work.cancelling_split()).assert_ok();
    let mut greedy = world.read_work(&work).split;
    greedy[1].share_bps -= 2_499;
    greedy[0].share_bps += 2_499;
    world.propose_split(&work, &greedy);
    refused(&mut world, &work);
    let replayed = work.approving_split(&two, &fair);
    world.send(replayed).assert_err(LicensingError::SplitDigestMismatch);
    // The approval of a gaining recipient does not replace that of a losing one.
    world.send(work.approving_split(&one, &greedy)).assert_ok();
    refused(&mut world, &work);
}

#[test]
fn approvals_do_not_carry_over() {
    let mut world = World::new();
    let work = world.work().split(&[6_000, 4_000]).register();
    let newcomer = world.person();
    let [one, two] = [work.recipients[0].clone(), work.recipients[1].clone()];
    let split = shares(&[(&newcomer, 10_000)]);
    world.change_split(&work, &split);
    let back = shares(&[(&one, 6_000), (&two, 4_000)]);
    world.propose_split(&work, &back);
    world.send(work.approving_split(&one, &back)).assert_err(LicensingError::RecipientNotFound);
    let applied = world.send(work.applying_split(&one));
    applied.assert_err(LicensingError::MissingRecipientApproval);
    assert_eq!(world.read_work(&work).split, split);
}

#[test]
fn owner_gives_only_its_own_share() {
    let mut world = World::new();
    let (owner, friend) = (world.person(), world.person());
    let recipients = [(&owner, 6_000), (&friend, 4_000)];
    let work = world.work().by(&owner).with(|work| work.split = shares(&recipients)).register();
    let to_friend: Vec<Share> = shares(&[(&owner, 1), (&friend, 9_999)]);
    world.propose_split(&work, &to_friend);
    world.send(work.applying_split(&friend)).assert_ok();
    let to_owner = shares(&[(&owner, 9_999), (&friend, 1)]);
    world.propose_split(&work, &to_owner);
    let applied = world.send(work.applying_split(&owner));
    applied.assert_err(LicensingError::MissingRecipientApproval);
    assert_eq!(world.read_work(&work).split, to_friend);
}
