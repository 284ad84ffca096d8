//! P21: graphs of works without cycles, repeated parents or excessive width.

use anchor_lang::error::ErrorCode;
use motif_sdk::licensing::{LicensingError, Right, Unit, Use, UsePrice};
use motif_tests::world::{Person, RegisteredWork, WorkBuilder, World};
use proptest::prelude::*;

#[test]
fn work_cannot_be_its_own_parent() {
    let mut world = World::new();
    let other = world.work().register();
    let creator = world.person();
    for right in [Right::OwnerSigns(creator.key()), Right::Terms(1)] {
        let child = world.work().by(&creator).parent_by(&other, 1, right);
        let itself = child.address();
        let call = child.call().instead_of(other.address, itself);
        // The account exists by then without the data of a work.
        world.send(call).assert_err(ErrorCode::AccountDiscriminatorMismatch);
    }
    let model = world.work().model().by(&creator);
    let itself = model.address();
    let model = model.with(|work| work.previous_model = Some(itself));
    let outcome = model.attempt();
    outcome.assert_err(ErrorCode::AccountNotInitialized);
    assert!(world.find(&itself).is_none());
}

#[test]
fn unregistered_parent_is_rejected() {
    let mut world = World::new();
    let (one, other) = (world.person(), world.person());
    let future = world.work().by(&other).address();
    let stand_in = world.work().register();
    let child = world.work().by(&one).parent_by(&stand_in, 1, Right::OwnerSigns(one.key()));
    let call = child.call().instead_of(stand_in.address, future);
    world.send(call).assert_err(ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn parent_by_two_rights_is_duplicate() {
    let mut world = World::new();
    let parent = world.work().register();
    world.terms(&parent).publish();
    let child = world.work().parent(&parent, 1).parent_by_terms(&parent, 1, 1);
    child.attempt().assert_err(LicensingError::DuplicateParent);
}

/// An owner waives the conditions of its own terms, not the inherited ones.
#[test]
fn signature_keeps_inherited_terms() {
    let mut world = World::new();
    let image = world.work().register();
    let strict = world.terms(&image).with(|offer| {
        offer.derivatives = licensing::Derivatives::Allowed;
        offer.share_alike = true;
        offer.commercial = false;
        offer.expires_at = Some(World::NOW + 86_400);
    });
    strict.publish();
    let derivative = world.work().parent_by_terms(&image, 10_000, 1).register();
    let laundered = world.work().parent(&derivative, 1).register();
    let (owed, inherited) = (world.read_work(&derivative), world.read_work(&laundered));
    assert!(owed.inherited.share_alike && owed.inherited.non_commercial);
    assert_eq!(inherited.inherited, owed.inherited);
    let open = world.terms(&laundered).with(|offer| offer.expires_at = None).call();
    world.send(open).assert_err(LicensingError::TermsOutliveParent);
}

/// The largest work: 32 recipients, 8 parents, and the longest texts.
fn largest<'w>(
    world: &'w mut World,
    creator: &Person,
    number: u8,
    parents: &[RegisteredWork],
) -> WorkBuilder<'w> {
    let mut shares = vec![312; 32];
    shares[0] += 16;
    let work = world.work().model().by(creator).split(&shares).with(|work| {
        work.content_digest = [number; 32];
        work.metadata_uri = "u".repeat(200);
        work.model.as_mut().unwrap().base_model = "m".repeat(64);
    });
    parents.iter().fold(work, |work, parent| work.parent(parent, 1_000))
}

#[test]
fn widest_lineage_fits_limits() {
    let mut world = World::new();
    let channel = world.channel().open();
    let payer = channel.payer.clone();
    let ancestors: Vec<_> = (0..8).map(|_| world.work().register()).collect();
    let mut parents = Vec::new();
    for number in 0..9 {
        let creator = world.person();
        let parent = largest(&mut world, &creator, number + 1, &ancestors).register();
        let terms = world.terms(&parent).with(|offer| {
            let price = |licensed_use| UsePrice { licensed_use, unit: Unit::Generation, price: 1 };
            let uses = [Use::Generate, Use::StyleTransfer, Use::VoiceConvert];
            let others = [Use::Train, Use::FineTune, Use::Play];
            offer.uses = uses.into_iter().chain(others).map(price).collect();
            offer.legal_uri = "u".repeat(200);
        });
        let terms = terms.publish();
        world.accept(&channel, &terms);
        parents.push(parent);
    }
    let used: Vec<_> = (0..9).map(|license| (license, 1)).collect();
    world.settle(&channel, &used).assert_ok();
    let previous = largest(&mut world, &payer, 2, &ancestors).register();
    for width in [8, 9] {
        let work = largest(&mut world, &payer, 10 + width as u8, &[]);
        let work = work.with(|work| work.previous_model = Some(previous.address));
        let work = (0..width).fold(work, |work, place| {
            work.parent_by_license(&parents[usize::from(place)], 1_000, 1, &channel, place)
        });
        let outcome = work.attempt();
        if width == 8 {
            let units = outcome.assert_ok().units_of(&licensing::ID);
            println!("register_work, 8 largest parents by license: {units} CU");
            assert!(units <= 200_000, "{units} CU");
        } else {
            outcome.assert_err(LicensingError::TooManyParents);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// In random graphs parents are older than their children, there are at most
    /// eight, each once, and their shares add up to at most 100 %.
    #[test]
    fn random_graphs_have_no_cycles(
        choices in prop::collection::vec(
            prop::collection::vec((0_usize..12, 0_u16..4_000), 0..10),
            12,
        ),
    ) {
        let mut world = World::new();
        let mut works: Vec<RegisteredWork> = Vec::new();
        for parents in choices {
            let mut builder = world.work();
            let mut named = Vec::new();
            for (which, share_bps) in parents {
                if let Some(parent) = works.get(which) {
                    builder = builder.parent(parent, share_bps);
                    named.push((which, share_bps));
                }
            }
            let mut distinct: Vec<_> = named.iter().map(|(which, _)| *which).collect();
            distinct.sort_unstable();
            distinct.dedup();
            let total: u32 = named.iter().map(|(_, share_bps)| u32::from(*share_bps)).sum();
            let sound = named.len() <= 8 && distinct.len() == named.len() && total <= 10_000;
            if sound {
                works.push(builder.register());
            } else {
                prop_assert!(!builder.attempt().is_ok());
            }
        }
        for (age, work) in works.iter().enumerate() {
            for parent in world.read_work(work).parents {
                let parents_age = works.iter().position(|other| other.address == parent.work);
                prop_assert!(parents_age.unwrap() < age);
            }
        }
    }
}
