//! P4: zero, one, integers beyond 2^53, and the maximum, for every amount of every instruction:
//! used exactly, or rejected with the expected error.

use motif_sdk::{
    channel::{PaymentsError, ReceiptsCommitment, TOKEN_PROGRAM},
    licensing::{Caps, LicensingError},
};
use motif_tests::world::{Code, Outcome, World};

const AMOUNTS: [u64; 6] = [0, 1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX];
const UNITS: [u32; 3] = [0, 1, u32::MAX];

/// Asserts the result: accepted, or rejected with the expected error.
#[track_caller]
fn assert_refused_for(outcome: Outcome, reason: Option<impl Into<Code>>) {
    match reason {
        Some(reason) => outcome.assert_err(reason),
        None => drop(outcome.assert_ok()),
    }
}

#[test]
fn deposit_credits_exact_amount() {
    for amount in AMOUNTS {
        let mut world = World::new();
        let (call, channel) = world.channel().deposited(amount).call();
        let outcome = world.send(call);
        if amount == 0 {
            outcome.assert_err(PaymentsError::EmptyDeposit);
            continue;
        }
        outcome.assert_ok();
        assert_eq!(world.read(&channel).channel.deposited, amount);
        assert_eq!((world.vault_balance(), world.balance(&channel.payer)), (amount, 0));
    }
}

#[test]
fn top_up_overflow_is_rejected() {
    for amount in AMOUNTS {
        let mut world = World::new();
        let channel = world.channel().deposited(1).open();
        let currency = world.currency;
        world.fund(&channel.payer, &currency, amount);
        let reason = match amount {
            0 => Some(PaymentsError::EmptyAmount),
            u64::MAX => Some(PaymentsError::Overflow),
            _ => None,
        };
        let credited = if reason.is_some() { 0 } else { amount };
        assert_refused_for(world.send(channel.topping_up(amount)), reason);
        assert_eq!(world.read(&channel).channel.deposited, 1 + credited);
        assert_eq!(world.vault_balance(), 1 + credited);
    }
}

#[test]
fn price_overflow_is_rejected() {
    for price in AMOUNTS {
        for units in UNITS {
            let mut world = World::new();
            let channel = world.channel().deposited(u64::MAX).fee(0).open();
            let (_, license) = world.licensed(&channel, price);
            let exact = u128::from(price) * u128::from(units);
            let reason = match u64::try_from(exact) {
                _ if units == 0 => Some(PaymentsError::InvalidStatement),
                Ok(_) => None,
                Err(_) => Some(PaymentsError::Overflow),
            };
            let charged = if reason.is_some() { 0 } else { exact };
            assert_refused_for(world.settle(&channel, &[(license, units)]), reason);
            assert_eq!(u128::from(world.read(&channel).channel.prices), charged);
        }
    }
}

#[test]
fn total_overflow_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().deposited(u64::MAX).fee(5_000).open();
    let (_, license) = world.licensed(&channel, u64::MAX);
    world.settle(&channel, &[(license, 1)]).assert_err(PaymentsError::Overflow);
    let (_, dear) = world.licensed(&channel, u64::MAX / 3 * 2);
    world.settle(&channel, &[(dear, 1)]).assert_ok();
    assert_eq!(world.read(&channel).channel.deposited, u64::MAX);
    let (_, cheap) = world.licensed(&channel, 1);
    world.settle(&channel, &[(cheap, 1)]).assert_err(PaymentsError::Overflow);
}

#[test]
fn upfront_fee_is_deposited_and_charged_alike() {
    for fee in AMOUNTS {
        let mut world = World::new();
        let channel = world.channel().deposited(1 << 53).open();
        let currency = world.currency;
        world.fund(&channel.payer, &currency, 1 << 53);
        let work = world.work().register();
        let terms = world.terms(&work).with(|offer| offer.upfront_fee = fee).publish();
        let reason = if fee.checked_add(1 << 53).is_none() {
            Some(PaymentsError::Overflow.into())
        } else {
            (fee > 1 << 53).then_some(Code::from((TOKEN_PROGRAM, 1)))
        };
        let charged = if reason.is_some() { 0 } else { fee };
        assert_refused_for(world.send(channel.accepting(&terms).call()), reason);
        let state = world.read(&channel);
        let totals = (state.channel.upfront_fees, state.channel.deposited);
        assert_eq!(totals, (charged, (1 << 53) + charged));
        let credit: u64 = state.licenses.iter().map(|entry| entry.settled).sum();
        assert_eq!(credit, charged);
        assert_eq!(world.balance(&channel.payer), (1 << 53) - charged);
    }
}

#[test]
fn free_units_apply_once() {
    for free in AMOUNTS {
        for units in [1, u32::MAX] {
            let mut world = World::new();
            let channel = world.channel().deposited(u64::MAX).fee(0).open();
            let work = world.work().register();
            let terms = world.terms(&work).price(1).with(|offer| offer.free_units = free);
            let terms = terms.publish();
            let license = world.accept(&channel, &terms);
            world.settle(&channel, &[(license, units)]).assert_ok();
            let charged = u64::from(units).saturating_sub(free);
            assert_eq!(world.read(&channel).channel.prices, charged);
            world.settle(&channel, &[(license, units)]).assert_ok();
            let charged = (2 * u64::from(units)).saturating_sub(free);
            assert_eq!(world.read(&channel).channel.prices, charged);
        }
    }
}

#[test]
fn zero_cap_is_rejected() {
    type Cap = fn(&mut Caps) -> &mut Option<u64>;
    let caps: [Cap; 4] = [
        |caps| &mut caps.total_units,
        |caps| &mut caps.daily_units,
        |caps| &mut caps.licensee_units,
        |caps| &mut caps.revenue,
    ];
    for cap in caps {
        for amount in AMOUNTS {
            let mut world = World::new();
            let work = world.work().register();
            let terms = world.terms(&work).with(|offer| *cap(&mut offer.caps) = Some(amount));
            let reason = (amount == 0).then_some(LicensingError::EmptyCap);
            assert_refused_for(terms.attempt(), reason);
        }
    }
}

#[test]
fn quota_overflow_is_rejected() {
    for quota in AMOUNTS {
        let mut world = World::new();
        let channel = world.channel().open();
        let currency = world.currency;
        world.fund(&channel.payer, &currency, 1 << 54);
        let work = world.work().register();
        let capped = |caps: &mut Caps| caps.total_units = Some(1 << 53);
        let terms = world.terms(&work).price(1).with(|offer| capped(&mut offer.caps)).publish();
        world.send(channel.accepting(&terms).quota(1, 0).call()).assert_ok();
        let reason = match quota {
            0 => Some(PaymentsError::EmptyQuota),
            quota if quota > (1 << 53) - 1 => Some(PaymentsError::QuotaExceedsCap),
            _ => None,
        };
        let licenses = if reason.is_some() { 1 } else { 2 };
        assert_refused_for(world.send(channel.accepting(&terms).quota(quota, 0).call()), reason);
        assert_eq!(world.read(&channel).licenses.len(), licenses);
    }
}

#[test]
fn price_above_maximum_is_rejected() {
    for price in AMOUNTS {
        for max_price in AMOUNTS {
            let mut world = World::new();
            let channel = world.channel().open();
            let work = world.work().register();
            let terms = world.terms(&work).price(price).publish();
            let accepting = channel.accepting(&terms).with(|args| args.max_price = max_price);
            let reason = (price > max_price).then_some(PaymentsError::PriceAboveMaximum);
            assert_refused_for(world.send(accepting.call()), reason);
        }
    }
}

#[test]
fn only_exact_total_settles() {
    for total in AMOUNTS {
        let (mut world, channel, _) = super::licensed();
        let statement = world.statement(&channel, &[(0, 25)]);
        let statement = statement.with(|voucher| voucher.cumulative = total);
        world.send(statement.call()).assert_err(PaymentsError::VoucherTotalMismatch);
        super::nothing_settled(&world, &channel);
    }
}

#[test]
fn only_exact_receipt_sum_is_recorded() {
    for sum in AMOUNTS {
        let (mut world, channel, _) = super::licensed();
        let statement = world.statement(&channel, &[(0, 25)]);
        let receipts = ReceiptsCommitment { root: [1; 32], sum };
        let call = statement.committing_to(Some(receipts)).call();
        world.send(call).assert_err(PaymentsError::ReceiptsSumMismatch);
        super::nothing_settled(&world, &channel);
    }
}
