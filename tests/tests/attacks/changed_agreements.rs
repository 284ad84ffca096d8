//! P33: what a party agreed to changes just before its transaction lands.

use motif_sdk::licensing::{LicensingError, WorkStatus};
use motif_tests::world::{Call, World};
use solana_system_interface::instruction::transfer;

/// A seller withdraws a work, licenses it for nothing or shares it in front of its buyer, who pays
/// in the transaction that accepts it.
#[test]
fn changed_work_is_not_paid_for() {
    const PRICE: u64 = 5_000_000;
    for place in 0..3 {
        let mut world = World::new();
        let (work, buyer, host) = (world.work().register(), world.person(), world.host.clone());
        world.send(work.offering_to(Some(&buyer))).assert_ok();
        let pay = transfer(&buyer.key(), &work.creator.key(), PRICE);
        let accept = work.accepting(&buyer, WorkStatus::Active, 0, 0);
        let purchase = Call::new([pay], &[&host, &buyer]).then(accept);
        match place {
            0 => drop(world.send(work.withdrawing()).assert_ok()),
            1 => drop(world.terms(&work).price(0).publish()),
            _ => world.change_split(&work, &motif_tests::world::shares(&[(&host, 10_000)])),
        }
        let (buyers, sellers) = (world.lamports(&buyer), world.lamports(&work.creator));
        world.send(purchase).assert_err(LicensingError::WorkChanged);
        assert_eq!(world.read_work(&work).owner, work.creator.key());
        let now = (world.lamports(&buyer), world.lamports(&work.creator));
        assert_eq!(now, (buyers, sellers), "the price stays with the buyer");
    }
}
