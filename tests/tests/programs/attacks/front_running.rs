//! P19, P20: an observer of a pending transaction can neither replace it nor change
//! its effect.

use motif_sdk::{channel::PaymentsError, licensing::Work, pda};
use motif_tests::world::World;

#[test]
fn copied_registration_steals_nothing() {
    let mut world = World::new();
    let digest = [0xAB; 32];
    let creator = world.person();
    let builder = world.work().by(&creator).with(|args| args.content_digest = digest);
    let seen = builder.call();
    // The thief registers the same digest first.
    let thief = world.work().with(|args| args.content_digest = digest).register();
    world.send(seen).assert_ok();
    let honest = pda::work(&creator.key(), &digest);
    assert_ne!(honest, thief.address);
    // The conflict is visible: same digest, two creators, two registration times.
    for (address, creator) in [(thief.address, thief.creator.key()), (honest, creator.key())] {
        let data = world.account(&address).data;
        let stored: Work =
            anchor_lang::AccountDeserialize::try_deserialize(&mut &data[..]).unwrap();
        assert_eq!((stored.content_digest, stored.creator), (digest, creator));
    }
}

#[test]
fn creators_address_cannot_be_squatted() {
    let mut world = World::new();
    let honest = world.work();
    let (address, creator) = (honest.address(), honest.call());
    let thief = world.person();
    let digest = [0xAB; 32];
    let stolen = world.work().by(&thief).with(|args| args.content_digest = digest);
    let own = stolen.address();
    let call = stolen.call().instead_of(own, address);
    world.send(call).assert_err(anchor_lang::error::ErrorCode::ConstraintSeeds);
    world.send(creator).assert_ok();
}

#[test]
fn raised_price_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let quoted = world.terms(&work).price(10).publish();
    let acceptance = channel.accepting(&quoted).call();
    let dearer = world.terms(&work).price(1_000).publish();
    // The signed acceptance names the old version. Changed to the new version, it would need
    // another signature, and its digest and maximum price still do not match.
    world.send(acceptance.clone()).assert_err(PaymentsError::NotLatestTerms);
    let bent = acceptance.instead_of(pda::terms(&work.address, 1), pda::terms(&work.address, 2));
    world.send(bent).assert_err(PaymentsError::TermsDigestMismatch);
    let at_most = channel.accepting(&dearer).with(|args| args.max_price = 10);
    world.send(at_most.call()).assert_err(PaymentsError::PriceAboveMaximum);
    assert!(world.read(&channel).licenses.is_empty());
}

#[test]
fn worsened_terms_are_rejected() {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let quoted = world.terms(&work).publish();
    let worse = world.terms(&work).with(|offer| offer.upfront_fee = 1_000).publish();
    let accepting = channel.accepting(&worse).with(|args| args.terms_digest = quoted.digest);
    world.send(accepting.call()).assert_err(PaymentsError::TermsDigestMismatch);
    assert_eq!(world.read(&channel).channel.upfront_fees, 0);
}

#[test]
fn later_terms_leave_license_unchanged() {
    let mut world = World::new();
    let channel = world.channel().open();
    let (work, license) = world.licensed(&channel, 10);
    let accepted = world.read(&channel).licenses[0];
    world.terms(&work).price(1_000_000).publish();
    assert_eq!(world.read(&channel).licenses[0], accepted);
    world.settle(&channel, &[(license, 3)]).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 30);
}
