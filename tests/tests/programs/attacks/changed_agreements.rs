//! P33: what a party agreed to changes just before its transaction lands.

use motif_sdk::{
    channel::PaymentsError,
    licensing::{LicensingError, WorkKind, WorkStatus},
};
use motif_tests::world::{Call, Person, PublishedTerms, RegisteredWork, World};
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

/// A voice with an upfront fee, whose person is in league with its creator.
fn voice() -> (World, RegisteredWork, Person, PublishedTerms) {
    let mut world = World::new();
    let person = world.person();
    let voice = world.work().with(|work| work.kind = WorkKind::Voice).of(&person).register();
    let terms = world.terms(&voice).with(|offer| offer.upfront_fee = 900_000).publish();
    (world, voice, person, terms)
}

/// The consent ends in the second in which a license is accepted, and opens again afterwards.
#[test]
fn ended_consent_takes_no_upfront_fee() {
    let (mut world, voice, person, terms) = voice();
    let channel = world.channel().open();
    world.fund(&channel.payer, &channel.currency, 900_000);
    let agreed = channel.accepting(&terms).with(|args| args.min_expires_at = i64::MAX);
    world.send(voice.ending_consent(&person, Some(World::NOW))).assert_ok();
    world.send(agreed.call()).assert_err(PaymentsError::LicenseEndsEarly);
    assert_eq!(world.balance(&channel.payer), 900_000);
    assert!(world.read(&channel).licenses.is_empty());
    let until = |end| channel.accepting(&terms).with(|args| args.min_expires_at = end).call();
    world.send(until(World::NOW + 1)).assert_err(PaymentsError::LicenseEndsEarly);
    world.send(until(World::NOW)).assert_ok();
    assert_eq!(world.read(&channel).licenses[0].expires_at, World::NOW);
}

/// The same race against a creator that registers a derivative.
#[test]
fn ended_consent_binds_no_derivative() {
    let (mut world, voice, person, _) = voice();
    let song = world.work().parent_by_terms(&voice, 1_000, 1);
    let song = song.with(|work| work.min_expires_at = Some(i64::MAX));
    let (address, agreed) = (song.address(), song.call());
    world.send(voice.ending_consent(&person, Some(World::NOW))).assert_ok();
    world.send(agreed.clone()).assert_err(LicensingError::InheritedEndTooEarly);
    assert!(world.find(&address).is_none());
    world.send(voice.ending_consent(&person, None)).assert_ok();
    world.send(agreed).assert_ok();
}
