//! P32: disputes that are staged, and verdicts without a hearing.

use motif_sdk::licensing::LicensingError;
use motif_tests::world::World;

/// An owner that withdraws its work and has it disputed cannot run out the notice of a licensee.
#[test]
fn staged_dispute_keeps_license_right() {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    world.settle(&channel, &[(license, 1)]).assert_ok();
    let accomplice = world.person();
    world.send(work.withdrawing()).assert_ok();
    world.send(work.disputing_by(&accomplice)).assert_ok();
    world.pass(86_400);
    let payer = channel.payer.clone();
    let song = world.work().by(&payer).parent_by_license(&work, 1_000, 1, &channel, license);
    song.register();
    let late = world.work().by(&accomplice).parent(&work, 1_000);
    late.attempt().assert_err(LicensingError::ParentDisputed);
}
