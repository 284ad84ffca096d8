//! P8, P23, P25: split changes, disputes and unusable accounts never lock the earnings of others.

use motif_sdk::licensing::{
    OpenDisputeArgs, Share, apply_split_change, approve_split_change, expire_dispute, open_dispute,
    propose_split_in_parts,
};
use motif_tests::world::{Call, Person, RegisteredWork, World};

fn earned(world: &mut World, work: &RegisteredWork, amount: u64) {
    world.pay_into_till(work, amount);
    world.sweep_till(work).assert_ok();
}

/// Replaces all recipients by 32 others.
fn handed_over(world: &mut World, work: &RegisteredWork, from: &[Person]) -> Vec<Person> {
    let to: Vec<_> = (0..32).map(|_| world.person()).collect();
    let mut shares: Vec<_> =
        to.iter().map(|person| Share { recipient: person.key(), share_bps: 312 }).collect();
    shares[0].share_bps += 16;
    let owner = &work.creator;
    for part in propose_split_in_parts(&owner.key(), &work.address, &shares, None) {
        world.send(Call::new([part], &[owner])).assert_ok();
    }
    for person in from {
        let agree = approve_split_change(&person.key(), &work.address, &shares);
        world.send(Call::new([agree], &[person])).assert_ok();
    }
    let apply = apply_split_change(&owner.key(), &work.address, &owner.key());
    world.send(Call::new([apply], &[owner])).assert_ok();
    to
}

#[test]
fn split_changes_lock_no_earnings() {
    let mut world = World::new();
    let parent = world.work().register();
    let mut shares = vec![312; 32];
    shares[0] += 16;
    let work = world.work().split(&shares).parent(&parent, 1_000).register();
    world.open_earnings(&work);
    world.open_till(&work);
    earned(&mut world, &work, 1_000_000);
    let second = handed_over(&mut world, &work, &work.recipients);
    world.apply_split(&work).assert_ok();
    earned(&mut world, &work, 1_000_000);
    let third = handed_over(&mut world, &work, &second);
    // 1 parent, 32 current and 64 former recipients with entitlements: 97 parts.
    let applied = world.apply_split(&work).is_ok();
    let claimed = world.claim(&work, &work.recipients[5]).is_ok();
    assert!(applied || claimed, "no recipient can be paid");
    drop(third);
}

#[test]
fn owner_cannot_lock_out_recipients() {
    let mut world = World::new();
    let work = world.work().split(&[5_000, 5_000]).register();
    world.open_earnings(&work);
    world.open_till(&work);
    earned(&mut world, &work, 1_000);
    // Another key of the owner.
    let accomplice = world.person();
    let dispute = || {
        let evidence_uri = String::new();
        let args = OpenDisputeArgs { evidence_uri, evidence_digest: [1; 32], max_bond: u64::MAX };
        open_dispute(&accomplice.key(), &work.address, args)
    };
    world.send(Call::new([dispute()], &[&accomplice])).assert_ok();
    world.apply_dispute(&work).assert_ok();
    earned(&mut world, &work, 1_000);
    // The arbiter never decides, and the next dispute opens in the same transaction.
    world.pass(8 * 86_400);
    let expire = expire_dispute(&work.address, &work.creator.key(), &accomplice.key());
    world.send(Call::new([expire, dispute()], &[&accomplice])).assert_ok();
    world.apply_dispute(&work).assert_ok();
    let co_recipient = &work.recipients[1];
    world.claim(&work, co_recipient).assert_ok();
    assert_eq!(world.balance(co_recipient), 1_000, "half of everything earned so far");
}
