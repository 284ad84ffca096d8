use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{Licence, PaymentsError, Use},
    licensing::{Caps, Offer},
    pda,
};
use motif_tests::world::{OpenedChannel, PublishedTerms, RegisteredWork, World};
use payments::{Channel, Issuance, day_of};

use super::read;

/// A channel of 1,000, a work, and its terms, changed as asked.
fn offered(
    change: impl FnOnce(&mut Offer),
) -> (World, OpenedChannel, RegisteredWork, PublishedTerms) {
    let mut world = World::new();
    let channel = world.channel().deposited(1_000).open();
    let work = world.work().register();
    let terms = world.terms(&work).with(change).publish();
    (world, channel, work, terms)
}

#[track_caller]
fn nothing_taken_on(world: &World, channel: &OpenedChannel) {
    let state = world.read(channel);
    assert_eq!((state.licences.len(), state.channel.charged().unwrap()), (0, 0));
    assert_eq!(world.vault_balance(), 1_000);
}

#[test]
fn a_licence_is_a_copy_of_the_terms() {
    let (mut world, channel, work, terms) = offered(|offer| {
        offer.upfront_fee = 40;
        offer.free_units = 3;
        offer.caps = Caps { daily_units: Some(5), licensee_units: Some(9), ..Caps::default() };
        offer.expires_at = Some(World::NOW + 100);
    });
    let index = world.accept(&channel, &terms);
    let state = world.read(&channel);
    let expected = Licence {
        work: work.address,
        terms_number: 1,
        licensed_use: 0,
        unit: 0,
        reserved: [0; 2],
        day: day_of(World::NOW),
        reserved_too: [0; 4],
        price: 10,
        units: 0,
        free_units_left: 3,
        units_left: 9,
        daily_units: 5,
        units_today: 0,
        revenue_left: Licence::UNLIMITED,
        expires_at: World::NOW + 100,
        settled: 40,
        collected: 0,
    };
    assert_eq!((index, state.licences[0]), (0, expected));
    assert_eq!(state.channel.upfront_fees, 40);
    assert_eq!(world.vault_balance(), 1_000);
}

#[test]
fn accepting_changes_the_channel_and_nothing_else() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let before = world.snapshot();
    world.accept(&channel, &terms);
    assert_eq!(world.changed_since(&before), [channel.address]);
}

#[test]
fn licences_are_numbered_in_the_order_of_acceptance_and_earlier_ones_stay_as_they_were() {
    let (mut world, channel, _, terms) = offered(|_| {});
    assert_eq!(world.accept(&channel, &terms), 0);
    let first = world.read(&channel).licences[0];
    assert_eq!(world.accept(&channel, &terms), 1);
    assert_eq!(world.read(&channel).licences[0], first);
}

#[test]
fn quotas_of_licensees_add_up_to_the_cap_and_no_further() {
    let (mut world, channel, _, terms) = offered(|offer| {
        offer.caps = Caps { total_units: Some(10), revenue: Some(500), ..Caps::default() };
    });
    let other = world.channel().open();
    world.send(channel.accepting(&terms).quota(6, 300).call()).assert_ok();
    let above_units = other.accepting(&terms).quota(5, 100).call();
    world.send(above_units).assert_err(PaymentsError::QuotaAboveCap);
    let above_revenue = other.accepting(&terms).quota(4, 201).call();
    world.send(above_revenue).assert_err(PaymentsError::QuotaAboveCap);
    world.send(other.accepting(&terms).quota(4, 200).call()).assert_ok();
    let issuance: Issuance = read(&world, &pda::issuance(&terms.address));
    assert_eq!((issuance.units, issuance.revenue), (10, 500));
    let licence = world.read(&other).licences[0];
    assert_eq!((licence.units_left, licence.revenue_left), (4, 200));
}

#[test]
fn the_smaller_of_quota_and_licensee_cap_counts() {
    let (mut world, channel, _, terms) = offered(|offer| {
        let caps = Caps { total_units: Some(10), licensee_units: Some(4), ..Caps::default() };
        offer.caps = caps;
    });
    world.send(channel.accepting(&terms).quota(6, 0).call()).assert_ok();
    assert_eq!(world.read(&channel).licences[0].units_left, 4);
}

#[test]
fn a_quota_of_nothing_is_refused_where_there_is_a_cap() {
    let (mut world, channel, _, terms) = offered(|offer| {
        offer.caps = Caps { total_units: Some(10), revenue: Some(10), ..Caps::default() };
    });
    for (units, revenue) in [(0, 1), (1, 0)] {
        let accepting = channel.accepting(&terms).quota(units, revenue);
        world.send(accepting.call()).assert_err(PaymentsError::EmptyQuota);
    }
    nothing_taken_on(&world, &channel);
}

#[test]
fn a_quota_that_would_overflow_is_above_the_cap() {
    let (mut world, channel, _, terms) = offered(|offer| offer.caps.total_units = Some(u64::MAX));
    world.send(channel.accepting(&terms).quota(1, 0).call()).assert_ok();
    let call = channel.accepting(&terms).quota(u64::MAX, 0).call();
    world.send(call).assert_err(PaymentsError::QuotaAboveCap);
}

#[test]
fn shared_caps_need_their_issuance_account_and_others_must_not_name_one() {
    let (mut world, channel, work, capped) = offered(|offer| offer.caps.revenue = Some(10));
    let mut without = channel.accepting(&capped).quota(0, 1);
    without.acceptance.shared_caps = false;
    world.send(without.call()).assert_err(PaymentsError::IssuanceAccount);
    let open = world.terms(&work).publish();
    let mut with = channel.accepting(&open);
    with.acceptance.shared_caps = true;
    world.send(with.call()).assert_err(PaymentsError::IssuanceAccount);
    assert!(world.find(&pda::issuance(&open.address)).is_none());
    nothing_taken_on(&world, &channel);
}

#[test]
fn another_versions_issuance_account_is_refused() {
    let (mut world, channel, work, first) = offered(|offer| offer.caps.revenue = Some(10));
    let second = world.terms(&work).with(|offer| offer.caps.revenue = Some(10)).publish();
    let (own, foreign) = (pda::issuance(&second.address), pda::issuance(&first.address));
    let call = channel.accepting(&second).quota(0, 1).call().instead_of(own, foreign);
    world.send(call).assert_err(ErrorCode::ConstraintSeeds);
    nothing_taken_on(&world, &channel);
}

#[test]
fn terms_that_are_not_the_latest_are_refused() {
    let (mut world, channel, work, first) = offered(|_| {});
    world.terms(&work).publish();
    world.send(channel.accepting(&first).call()).assert_err(PaymentsError::NotLatestTerms);
    nothing_taken_on(&world, &channel);
}

#[test]
fn terms_are_accepted_from_their_first_to_their_last_second() {
    let (first, last) = (World::NOW + 10, World::NOW + 20);
    let (mut world, channel, _, terms) = offered(|offer| {
        offer.valid_from = first;
        offer.expires_at = Some(last);
    });
    for now in [i64::MIN, -1, first - 1, last + 1, i64::MAX] {
        world.set_time(now);
        let refused = world.send(channel.accepting(&terms).call());
        refused.assert_err(PaymentsError::TermsNotValidNow);
    }
    nothing_taken_on(&world, &channel);
    for now in [first, last] {
        world.set_time(now);
        world.accept(&channel, &terms);
    }
}

#[test]
fn terms_the_payer_did_not_read_are_refused() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.terms_digest[0] ^= 1);
    world.send(accepting.call()).assert_err(PaymentsError::TermsDigestMismatch);
    nothing_taken_on(&world, &channel);
}

#[test]
fn terms_in_another_currency_are_refused() {
    let (mut world, channel, work, _) = offered(|_| {});
    let other = world.other_currency();
    let terms = world.terms(&work).currency(&other).publish();
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::CurrencyMismatch);
    nothing_taken_on(&world, &channel);
}

#[test]
fn a_price_above_the_payers_maximum_is_refused_and_one_at_it_is_not() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.max_price = 9);
    world.send(accepting.call()).assert_err(PaymentsError::PriceAboveMaximum);
    nothing_taken_on(&world, &channel);
    let accepting = channel.accepting(&terms).with(|args| args.max_price = 10);
    world.send(accepting.call()).assert_ok();
}

#[test]
fn a_use_the_terms_do_not_name_is_refused() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.licensed_use = Use::Train);
    world.send(accepting.call()).assert_err(PaymentsError::UseNotLicensed);
    nothing_taken_on(&world, &channel);
}

#[test]
fn approval_is_the_owners_signature_and_nobody_elses() {
    let (mut world, channel, work, terms) = offered(|offer| offer.approval_required = true);
    let stranger = world.person();
    let accepting = channel.accepting(&terms);
    world.send(accepting.call()).assert_err(PaymentsError::ApprovalMissing);
    let by_stranger = accepting.clone().approved_by(&stranger).call();
    world.send(by_stranger).assert_err(PaymentsError::ApprovalMissing);
    let by_payer = accepting.clone().approved_by(&channel.payer);
    let by_payer = by_payer.call();
    world.send(by_payer).assert_err(PaymentsError::ApprovalMissing);
    let unsigned = accepting.clone().approved_by(&work.creator).call().unsigned_by(&work.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    nothing_taken_on(&world, &channel);
    world.send(accepting.approved_by(&work.creator).call()).assert_ok();
}

#[test]
fn an_upfront_fee_the_deposit_does_not_cover_is_refused_and_one_it_just_covers_is_not() {
    let (mut world, channel, work, dear) = offered(|offer| offer.upfront_fee = 1_001);
    world.send(channel.accepting(&dear).call()).assert_err(PaymentsError::InsufficientDeposit);
    nothing_taken_on(&world, &channel);
    let fair = world.terms(&work).with(|offer| offer.upfront_fee = 1_000).publish();
    world.accept(&channel, &fair);
    world.send(channel.accepting(&fair).call()).assert_err(PaymentsError::InsufficientDeposit);
    assert_eq!(world.read(&channel).channel.upfront_fees, 1_000);
}

#[test]
fn upfront_fees_that_overflow_are_refused() {
    let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = u64::MAX);
    let refused = world.send(channel.accepting(&terms).call());
    refused.assert_err(PaymentsError::InsufficientDeposit);
    let (mut world, channel, work, small) = offered(|offer| offer.upfront_fee = 1);
    world.accept(&channel, &small);
    let huge = world.terms(&work).with(|offer| offer.upfront_fee = u64::MAX).publish();
    world.send(channel.accepting(&huge).call()).assert_err(PaymentsError::Overflow);
    assert_eq!(world.read(&channel).channel.upfront_fees, 1);
}

#[test]
fn a_closing_channel_takes_no_licence() {
    let (mut world, channel, _, terms) = offered(|_| {});
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::ChannelClosing);
    world.pass(channel.grace_seconds);
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::ChannelClosing);
    nothing_taken_on(&world, &channel);
}

#[test]
fn only_the_payer_takes_on_licences() {
    let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = 1_000);
    let mut forged = channel.clone();
    for stranger in [world.person(), channel.operator.clone()] {
        forged.payer = stranger;
        world.send(forged.accepting(&terms).call()).assert_err(PaymentsError::NotPayer);
    }
    let unsigned = channel.accepting(&terms).call().unsigned_by(&channel.payer);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    nothing_taken_on(&world, &channel);
}

#[test]
fn a_channel_holds_ten_thousand_licences_and_not_one_more() {
    let (mut world, channel, _, terms) = offered(|_| {});
    world.accept(&channel, &terms);
    world.operate(&channel.address, |data| {
        let licence = data[Channel::HEADER_SPACE..].to_vec();
        for _ in 1..9_999 {
            data.extend(&licence);
        }
    });
    assert_eq!(world.accept(&channel, &terms), 9_999);
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::TooManyLicences);
    assert_eq!(world.read(&channel).licences.len(), 10_000);
}

#[test]
fn every_account_of_an_acceptance_is_pinned() {
    let (mut world, channel, work, terms) = offered(|_| {});
    let other = world.work().register();
    let others_terms = world.terms(&other).publish();
    let mut forged_terms = world.account(&terms.address);
    forged_terms.owner = payments::ID;
    let forged = world.person().key();
    world.set(forged, forged_terms);
    let config = pda::config();
    let cases = [
        (work.address, other.address, ErrorCode::ConstraintHasOne),
        (work.address, terms.address, ErrorCode::AccountDiscriminatorMismatch),
        (work.address, channel.payer.key(), ErrorCode::AccountOwnedByWrongProgram),
        (terms.address, others_terms.address, ErrorCode::ConstraintHasOne),
        (terms.address, config, ErrorCode::AccountDiscriminatorMismatch),
        (terms.address, forged, ErrorCode::AccountOwnedByWrongProgram),
        (channel.address, config, ErrorCode::AccountOwnedByWrongProgram),
        (
            channel.address,
            pda::vault(&world.currency.mint),
            ErrorCode::AccountDiscriminatorMismatch,
        ),
    ];
    for (account, other, expected) in cases {
        let call = channel.accepting(&terms).call().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_taken_on(&world, &channel);
}
