use anchor_lang::{AccountSerialize, error::ErrorCode};
use licensing::{Approval, Consent, Purpose, WorkStatus};
use motif_sdk::{
    channel::{License, PaymentsError, TOKEN_PROGRAM, Use},
    licensing::{Caps, Offer, Unit, UsePrice},
    pda,
};
use motif_tests::world::{OpenedChannel, PublishedTerms, RegisteredWork, World};
use payments::{Channel, Issuance, day_of};
use solana_account::Account;
use solana_instruction::AccountMeta;
use solana_pubkey::Pubkey;

use super::read;

/// A channel with a deposit of 1,000, a work, and its terms with `change` applied.
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
    assert_eq!((state.licenses.len(), state.channel.charged().unwrap()), (0, 0));
    assert_eq!(world.vault_balance(), 1_000);
}

#[test]
fn license_copies_terms() {
    let (mut world, channel, work, terms) = offered(|offer| {
        offer.upfront_fee = 40;
        offer.notice_seconds = 77;
        offer.free_units = 3;
        offer.caps = Caps { daily_units: Some(5), licensee_units: Some(9), ..Caps::default() };
        offer.expires_at = Some(World::NOW + 100);
    });
    let index = world.accept(&channel, &terms);
    let state = world.read(&channel);
    let expected = License {
        work: work.address,
        terms_number: 1,
        licensed_use: 0,
        unit: 0,
        holds_quota: 0,
        reserved: 0,
        day: day_of(World::NOW),
        notice_seconds: 77,
        price: 10,
        quota_price: 0,
        units: 0,
        free_units_left: 3,
        units_left: 9,
        daily_units: 5,
        units_today: 0,
        revenue_left: License::UNLIMITED,
        expires_at: World::NOW + 100,
        settled: 40,
        collected: 0,
    };
    assert_eq!((index, state.licenses[0]), (0, expected));
    assert_eq!((state.channel.upfront_fees, state.channel.deposited), (40, 1_040));
    assert_eq!(world.vault_balance(), 1_040);
}

#[test]
fn acceptance_changes_channel_only() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let before = world.snapshot();
    world.accept(&channel, &terms);
    assert_eq!(world.changed_since(&before), [channel.address]);
}

#[test]
fn licenses_are_numbered_in_order() {
    let (mut world, channel, _, terms) = offered(|_| {});
    assert_eq!(world.accept(&channel, &terms), 0);
    let first = world.read(&channel).licenses[0];
    assert_eq!(world.accept(&channel, &terms), 1);
    assert_eq!(world.read(&channel).licenses[0], first);
}

#[test]
fn quotas_are_bound_by_cap() {
    let (mut world, channel, _, terms) = offered(|offer| {
        offer.caps = Caps { total_units: Some(10), revenue: Some(500), ..Caps::default() };
    });
    let other = world.channel().open();
    world.accept_quota(&channel, &terms, 6, 300);
    world.fund_quota(&other, &terms, 10, 500);
    let above_units = other.accepting(&terms).quota(5, 100).call();
    world.send(above_units).assert_err(PaymentsError::QuotaExceedsCap);
    let above_revenue = other.accepting(&terms).quota(4, 201).call();
    world.send(above_revenue).assert_err(PaymentsError::QuotaExceedsCap);
    world.send(other.accepting(&terms).quota(4, 200).call()).assert_ok();
    let issuance: Issuance = read(&world, &pda::issuance(&terms.address));
    assert_eq!((issuance.units, issuance.revenue), (10, 500));
    let license = world.read(&other).licenses[0];
    assert_eq!((license.units_left, license.revenue_left), (4, 200));
}

#[test]
fn smaller_of_quota_and_cap_counts() {
    let (mut world, channel, _, terms) = offered(|offer| {
        let caps = Caps { total_units: Some(10), licensee_units: Some(4), ..Caps::default() };
        offer.caps = caps;
    });
    world.accept_quota(&channel, &terms, 6, 0);
    assert_eq!(world.read(&channel).licenses[0].units_left, 4);
    // The unused part stays available to other licensees.
    let issuance: Issuance = read(&world, &pda::issuance(&terms.address));
    assert_eq!(issuance.units, 4);
}

#[test]
fn zero_quota_is_rejected() {
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
fn overflowing_quota_exceeds_cap() {
    let (mut world, channel, _, terms) = offered(|offer| offer.caps.total_units = Some(u64::MAX));
    world.accept_quota(&channel, &terms, 1, 0);
    let call = channel.accepting(&terms).quota(u64::MAX, 0).call();
    world.send(call).assert_err(PaymentsError::QuotaExceedsCap);
}

#[test]
fn quota_is_paid_by_payers_tokens() {
    let (mut world, channel, work, terms) = offered(|offer| {
        offer.upfront_fee = 100;
        offer.caps.total_units = Some(1_000);
    });
    let currency = world.currency;
    // 100 units at 10, the fee of 1 % on them, and the upfront fee.
    world.fund(&channel.payer, &currency, 1_109);
    let call = channel.accepting(&terms).quota(100, 0).call();
    world.send(call.clone()).assert_err((TOKEN_PROGRAM, 1));
    nothing_taken_on(&world, &channel);
    assert!(world.find(&pda::issuance(&terms.address)).is_none());
    world.fund(&channel.payer, &currency, 1);
    world.send(call).assert_ok();
    let state = world.read(&channel).channel;
    assert_eq!((state.earmarked, state.deposited, state.free().unwrap()), (1_000, 2_110, 1_000));
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 2_110));
    let revenue = world.terms(&work).with(|offer| offer.caps.revenue = Some(5_000)).publish();
    world.accept_quota(&channel, &revenue, 0, 900);
    let state = world.read(&channel).channel;
    assert_eq!((state.earmarked, state.quotas_held, state.free().unwrap()), (1_900, 2, 1_000));
}

#[test]
fn unpayable_quota_is_rejected() {
    type Change = fn(&mut Caps);
    let cases: [(Change, u64, u64); 3] = [
        (|caps| caps.total_units = Some(u64::MAX), u64::MAX / 5, 0),
        (|caps| caps.total_units = Some(u64::MAX), u64::MAX / 10, 0),
        (|caps| caps.revenue = Some(u64::MAX), 0, u64::MAX),
    ];
    for (cap, units, revenue) in cases {
        let (mut world, channel, _, terms) = offered(|offer| cap(&mut offer.caps));
        let refused = world.send(channel.accepting(&terms).quota(units, revenue).call());
        refused.assert_err(PaymentsError::QuotaTooLarge);
        nothing_taken_on(&world, &channel);
    }
}

#[test]
fn licensee_benefit_applies_once() {
    type Once = fn(&mut Offer);
    let once: [Once; 3] = [
        |offer| offer.free_units = 5,
        |offer| offer.caps.licensee_units = Some(5),
        |offer| offer.caps.daily_units = Some(5),
    ];
    for once in once {
        let (mut world, channel, _, terms) = offered(once);
        world.accept(&channel, &terms);
        let again = world.send(channel.accepting(&terms).call());
        again.assert_err(PaymentsError::AlreadyLicensed);
        // Also on another channel.
        let other = world.channel().payer(&channel.payer).open();
        let again = world.send(other.accepting(&terms).call());
        again.assert_err(PaymentsError::AlreadyLicensed);
        assert_eq!(world.read(&other).licenses.len(), 0);
        let stranger = world.channel().open();
        world.accept(&stranger, &terms);
    }
}

#[test]
fn each_use_is_its_own_license() {
    let (mut world, channel, _, terms) = offered(|offer| {
        offer.free_units = 5;
        let train = UsePrice { licensed_use: Use::Train, unit: Unit::TrainingRun, price: 9 };
        offer.uses.push(train);
    });
    world.accept(&channel, &terms);
    let train = channel.accepting(&terms).with(|args| args.licensed_use = Use::Train);
    world.send(train.call()).assert_ok();
    world.send(train.call()).assert_err(PaymentsError::AlreadyLicensed);
}

#[test]
fn licensee_account_must_match_terms() {
    let (mut world, channel, work, once) = offered(|offer| offer.free_units = 5);
    let mut without = channel.accepting(&once);
    without.acceptance.per_licensee = false;
    world.send(without.call()).assert_err(PaymentsError::InvalidLicenseeAccount);
    let open = world.terms(&work).publish();
    let mut with = channel.accepting(&open);
    with.acceptance.per_licensee = true;
    world.send(with.call()).assert_err(PaymentsError::InvalidLicenseeAccount);
    let others = pda::licensee(&once.address, &channel.payer.key(), Use::Play);
    let own = pda::licensee(&once.address, &channel.payer.key(), Use::Generate);
    let again = world.terms(&work).with(|offer| offer.free_units = 5).publish();
    let own_again = pda::licensee(&again.address, &channel.payer.key(), Use::Generate);
    for foreign in [others, own] {
        let call = channel.accepting(&again).call().instead_of(own_again, foreign);
        world.send(call).assert_err(ErrorCode::ConstraintSeeds);
    }
    nothing_taken_on(&world, &channel);
}

#[test]
fn inactive_work_takes_no_license() {
    for status in [WorkStatus::Withdrawn, WorkStatus::Disputed] {
        let (mut world, channel, work, terms) = offered(|_| {});
        world.set_status(&work, status);
        let refused = world.send(channel.accepting(&terms).call());
        refused.assert_err(PaymentsError::WorkNotActive);
        nothing_taken_on(&world, &channel);
        world.set_status(&work, WorkStatus::Active);
        world.accept(&channel, &terms);
    }
}

#[test]
fn consent_end_bounds_licenses() {
    let (mut world, channel, work, terms) = offered(|_| {});
    let person = work.creator.key();
    let end = World::NOW + 50;
    world.amend(&work, |work| {
        work.consent = Some(Consent { person, expires_at: Some(end) });
    });
    world.set_time(end + 1);
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::ConsentEnded);
    nothing_taken_on(&world, &channel);
    world.set_time(end);
    world.accept(&channel, &terms);
    assert_eq!(world.read(&channel).licenses[0].expires_at, end);
    world.set_time(World::NOW);
    let sooner = world.terms(&work).with(|offer| offer.expires_at = Some(end - 1)).publish();
    world.accept(&channel, &sooner);
    assert_eq!(world.read(&channel).licenses[1].expires_at, end - 1);
}

/// Writes an approval account in the layout of `licensing`.
fn grant(world: &mut World, address: Pubkey, approval: &Approval) {
    let mut data = Vec::new();
    approval.try_serialize(&mut data).unwrap();
    let account = Account { lamports: 1 << 40, data, owner: licensing::ID, ..Account::default() };
    world.set(address, account);
}

#[test]
fn approval_replaces_owner_signature() {
    let (mut world, channel, work, terms) = offered(|offer| offer.approval_required = true);
    let payer = channel.payer.key();
    let address = pda::approval(&terms.address, &payer, Purpose::License);
    let approval = Approval {
        version: 1,
        bump: 255,
        terms: terms.address,
        grantee: payer,
        purpose: Purpose::License,
        granted_by: work.creator.key(),
        granted_at: 0,
    };
    let stranger = world.person().key();
    let worthless = [
        Approval { terms: stranger, ..approval.clone() },
        Approval { grantee: stranger, ..approval.clone() },
        Approval { purpose: Purpose::Derivative, ..approval.clone() },
        Approval { granted_by: stranger, ..approval.clone() },
    ];
    for worthless in worthless {
        grant(&mut world, address, &worthless);
        let refused = world.send(channel.accepting(&terms).granted().call());
        refused.assert_err(PaymentsError::MissingApproval);
    }
    world.set(address, Account::default());
    let missing = world.send(channel.accepting(&terms).granted().call());
    missing.assert_err(ErrorCode::AccountNotInitialized);
    nothing_taken_on(&world, &channel);
    grant(&mut world, address, &approval);
    world.send(channel.accepting(&terms).granted().call()).assert_ok();
    // After a change of owner.
    world.amend(&work, |work| work.owner = stranger);
    let refused = world.send(channel.accepting(&terms).granted().call());
    refused.assert_err(PaymentsError::MissingApproval);
}

#[test]
fn issuance_account_must_match_terms() {
    let (mut world, channel, work, capped) = offered(|offer| offer.caps.revenue = Some(10));
    let mut without = channel.accepting(&capped).quota(0, 1);
    without.acceptance.shared_caps = false;
    world.send(without.call()).assert_err(PaymentsError::InvalidIssuanceAccount);
    let open = world.terms(&work).publish();
    let mut with = channel.accepting(&open);
    with.acceptance.shared_caps = true;
    world.send(with.call()).assert_err(PaymentsError::InvalidIssuanceAccount);
    assert!(world.find(&pda::issuance(&open.address)).is_none());
    nothing_taken_on(&world, &channel);
}

#[test]
fn other_issuance_is_rejected() {
    let (mut world, channel, work, first) = offered(|offer| offer.caps.revenue = Some(10));
    let second = world.terms(&work).with(|offer| offer.caps.revenue = Some(10)).publish();
    let (own, foreign) = (pda::issuance(&second.address), pda::issuance(&first.address));
    let call = channel.accepting(&second).quota(0, 1).call().instead_of(own, foreign);
    world.send(call).assert_err(ErrorCode::ConstraintSeeds);
    nothing_taken_on(&world, &channel);
}

#[test]
fn outdated_terms_are_rejected() {
    let (mut world, channel, work, first) = offered(|_| {});
    world.terms(&work).publish();
    world.send(channel.accepting(&first).call()).assert_err(PaymentsError::NotLatestTerms);
    nothing_taken_on(&world, &channel);
}

#[test]
fn terms_period_is_inclusive() {
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
fn wrong_terms_digest_is_rejected() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.terms_digest[0] ^= 1);
    world.send(accepting.call()).assert_err(PaymentsError::TermsDigestMismatch);
    nothing_taken_on(&world, &channel);
}

#[test]
fn other_currency_is_rejected() {
    let (mut world, channel, work, _) = offered(|_| {});
    let other = world.other_currency();
    let terms = world.terms(&work).currency(&other).publish();
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::CurrencyMismatch);
    nothing_taken_on(&world, &channel);
}

#[test]
fn maximum_price_is_inclusive() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.max_price = 9);
    world.send(accepting.call()).assert_err(PaymentsError::PriceAboveMaximum);
    nothing_taken_on(&world, &channel);
    let accepting = channel.accepting(&terms).with(|args| args.max_price = 10);
    world.send(accepting.call()).assert_ok();
}

#[test]
fn unlisted_use_is_rejected() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let accepting = channel.accepting(&terms).with(|args| args.licensed_use = Use::Train);
    world.send(accepting.call()).assert_err(PaymentsError::UseNotLicensed);
    nothing_taken_on(&world, &channel);
}

#[test]
fn only_owner_signature_approves() {
    let (mut world, channel, work, terms) = offered(|offer| offer.approval_required = true);
    let stranger = world.person();
    let accepting = channel.accepting(&terms);
    world.send(accepting.call()).assert_err(PaymentsError::MissingApproval);
    let by_stranger = accepting.clone().approved_by(&stranger).call();
    world.send(by_stranger).assert_err(PaymentsError::MissingApproval);
    let by_payer = accepting.clone().approved_by(&channel.payer);
    let by_payer = by_payer.call();
    world.send(by_payer).assert_err(PaymentsError::MissingApproval);
    let unsigned = accepting.clone().approved_by(&work.creator).call().unsigned_by(&work.creator);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
    nothing_taken_on(&world, &channel);
    world.send(accepting.approved_by(&work.creator).call()).assert_ok();
}

#[test]
fn upfront_fee_is_paid_by_payers_tokens() {
    let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = 1_001);
    let currency = world.currency;
    world.fund(&channel.payer, &currency, 1_000);
    world.send(channel.accepting(&terms).call()).assert_err((TOKEN_PROGRAM, 1));
    nothing_taken_on(&world, &channel);
    world.fund(&channel.payer, &currency, 1);
    world.send(channel.accepting(&terms).call()).assert_ok();
    let state = world.read(&channel).channel;
    assert_eq!((state.upfront_fees, state.deposited, state.free().unwrap()), (1_001, 2_001, 1_000));
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (0, 2_001));
}

#[test]
fn upfront_fee_needs_all_its_accounts() {
    let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = 40);
    let currency = world.currency;
    world.fund(&channel.payer, &currency, 40);
    let mut accepting = channel.accepting(&terms);
    accepting.acceptance.deposit_currency = None;
    world.send(accepting.call()).assert_err(PaymentsError::InvalidDepositAccounts);
    // Without its own tokens, the last but one account.
    let fewer = channel.accepting(&terms).call().changed(|calls| {
        let at = calls[0].accounts.len() - 2;
        calls[0].accounts[at] = AccountMeta::new_readonly(payments::ID, false);
    });
    world.send(fewer).assert_err(PaymentsError::InvalidDepositAccounts);
    nothing_taken_on(&world, &channel);
    assert_eq!(world.balance(&channel.payer), 40);
}

#[test]
fn terms_without_fee_take_no_fee_accounts() {
    let (mut world, channel, _, terms) = offered(|_| {});
    let mut accepting = channel.accepting(&terms);
    accepting.acceptance.deposit_currency = Some(world.currency);
    world.send(accepting.call()).assert_err(PaymentsError::InvalidDepositAccounts);
    nothing_taken_on(&world, &channel);
}

#[test]
fn upfront_fee_in_other_currency_is_refused() {
    let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = 40);
    let other = world.other_currency();
    world.fund(&channel.payer, &other, 40);
    let mut accepting = channel.accepting(&terms);
    accepting.acceptance.deposit_currency = Some(other);
    world.send(accepting.call()).assert_err(PaymentsError::CurrencyMismatch);
    nothing_taken_on(&world, &channel);
}

#[test]
fn overflowing_upfront_fee_is_rejected() {
    for fee in [u64::MAX, u64::MAX - 999] {
        let (mut world, channel, _, terms) = offered(|offer| offer.upfront_fee = fee);
        let refused = world.send(channel.accepting(&terms).call());
        refused.assert_err(PaymentsError::Overflow);
        nothing_taken_on(&world, &channel);
    }
}

#[test]
fn closing_channel_takes_no_license() {
    let (mut world, channel, _, terms) = offered(|_| {});
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::ChannelClosing);
    world.pass(channel.grace_seconds);
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::ChannelClosing);
    nothing_taken_on(&world, &channel);
}

#[test]
fn only_payer_accepts_terms() {
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
fn channel_holds_10000_licenses() {
    let (mut world, channel, _, terms) = offered(|_| {});
    world.accept(&channel, &terms);
    world.operate(&channel.address, |data| {
        let license = data[Channel::HEADER_SPACE..].to_vec();
        for _ in 1..9_999 {
            data.extend(&license);
        }
    });
    assert_eq!(world.accept(&channel, &terms), 9_999);
    world.send(channel.accepting(&terms).call()).assert_err(PaymentsError::TooManyLicenses);
    assert_eq!(world.read(&channel).licenses.len(), 10_000);
}

#[test]
fn acceptance_accounts_are_pinned() {
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
