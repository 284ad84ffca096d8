//! P15: rules with a time limit are tested one second before, at and after it,
//! and at both ends of the time range.

use motif_sdk::{
    channel::PaymentsError,
    licensing::{
        LicensingError, OpenDisputeArgs, Right, Verdict, decide_dispute, expire_dispute,
        open_dispute, set_consent_end, withdraw_work,
    },
};
use motif_tests::world::{Call, Code, Outcome, Person, RegisteredWork, World};
use solana_instruction::Instruction;

use super::{licensed, nothing_settled};

const END: i64 = World::NOW + 1_000;
const DAY: i64 = 86_400;

#[track_caller]
fn assert_refused_for(outcome: Outcome, reason: Option<impl Into<Code>>) {
    match reason {
        Some(reason) => outcome.assert_err(reason),
        None => drop(outcome.assert_ok()),
    }
}

fn happen(world: &mut World, instruction: Instruction, signer: &Person) {
    world.send(Call::new([instruction], &[signer])).assert_ok();
}

#[test]
fn expired_terms_are_rejected() {
    for (expires_at, published) in [
        (i64::MIN, false),
        (-1, false),
        (0, false),
        (World::NOW - 1, false),
        (World::NOW, false),
        (World::NOW + 1, true),
        (i64::MAX, true),
    ] {
        let mut world = World::new();
        let work = world.work().register();
        let terms = world.terms(&work).with(|offer| {
            offer.valid_from = i64::MIN;
            offer.expires_at = Some(expires_at);
        });
        let reason = (!published).then_some(LicensingError::InvalidTermsPeriod);
        assert_refused_for(terms.attempt(), reason);
    }
}

#[test]
fn reversed_terms_period_is_rejected() {
    for (valid_from, published) in
        [(END - 1, true), (END, false), (END + 1, false), (i64::MAX, false), (i64::MIN, true)]
    {
        let mut world = World::new();
        let work = world.work().register();
        let terms = world.terms(&work).with(|offer| {
            offer.valid_from = valid_from;
            offer.expires_at = Some(END);
        });
        let reason = (!published).then_some(LicensingError::InvalidTermsPeriod);
        assert_refused_for(terms.attempt(), reason);
    }
}

#[test]
fn ended_consent_is_rejected() {
    for (end, registered) in [
        (i64::MIN, false),
        (-1, false),
        (World::NOW - 1, false),
        (World::NOW, false),
        (World::NOW + 1, true),
        (i64::MAX, true),
    ] {
        let mut world = World::new();
        let person = world.person();
        let work = world.work().of(&person).with(|work| work.consent_expires_at = Some(end));
        let reason = (!registered).then_some(LicensingError::InvalidConsentEnd);
        assert_refused_for(work.attempt(), reason);
    }
}

#[test]
fn ended_consent_blocks_licenses() {
    for (now, holds) in [(END - 1, true), (END, true), (END + 1, false), (i64::MAX - 1, false)] {
        let mut world = World::new();
        let person = world.person();
        let work = world.work().of(&person).register();
        let terms = world.terms(&work).publish();
        let channel = world.channel().open();
        let end = set_consent_end(&person.key(), &work.address, Some(END));
        happen(&mut world, end, &person);
        world.set_time(now);
        let accepted = world.send(channel.accepting(&terms).call());
        assert_refused_for(accepted, (!holds).then_some(PaymentsError::ConsentEnded));
        let derived = world.work().parent_by_terms(&work, 1, 1).attempt();
        assert_refused_for(derived, (!holds).then_some(LicensingError::ParentConsentEnded));
        let published = world.terms(&work).attempt();
        assert_refused_for(published, (!holds).then_some(LicensingError::ConsentEnded));
        if holds {
            assert_eq!(world.read(&channel).licenses[0].expires_at, END);
        } else {
            assert!(world.read(&channel).licenses.is_empty());
        }
    }
}

#[test]
fn negative_consent_end_has_ended() {
    for end in [i64::MIN, -1, 0] {
        let mut world = World::new();
        let person = world.person();
        let work = world.work().of(&person).register();
        let terms = world.terms(&work).publish();
        let channel = world.channel().open();
        let ended = set_consent_end(&person.key(), &work.address, Some(end));
        happen(&mut world, ended, &person);
        let accepted = world.send(channel.accepting(&terms).call());
        accepted.assert_err(PaymentsError::ConsentEnded);
    }
}

/// Returns a world with a dispute that ends in seven days.
fn disputed() -> (World, RegisteredWork, Person) {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let args = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [1; 32],
        max_bond: u64::MAX,
    };
    let open = open_dispute(&claimant.key(), &work.address, args);
    happen(&mut world, open, &claimant);
    (world, work, claimant)
}

#[test]
fn dispute_deadline_has_no_overlap() {
    for late in [i64::MIN, -1, 0, 1, i64::MAX] {
        let (mut world, work, claimant) = disputed();
        let deadline = World::NOW + 7 * DAY;
        let now = if late == i64::MIN { -1 } else { deadline.saturating_add(late) };
        world.set_time(now);
        let (host, owner) = (world.host.clone(), work.creator.key());
        let expire = expire_dispute(&work.address, &owner, &claimant.key());
        let decide =
            decide_dispute(&host.key(), &work.address, &owner, &claimant.key(), Verdict::Rejected);
        let (decide, expire) = (Call::new([decide], &[&host]), Call::new([expire], &[]));
        if now <= deadline {
            world.send(expire).assert_err(LicensingError::DisputeOpen);
            world.send(decide).assert_ok();
        } else {
            world.send(decide).assert_err(LicensingError::DisputeOverdue);
            world.send(expire).assert_ok();
        }
    }
}

#[test]
fn overflowing_deadline_is_rejected() {
    let mut world = World::new();
    let (work, claimant) = (world.work().register(), world.person());
    let args = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [1; 32],
        max_bond: u64::MAX,
    };
    let open = open_dispute(&claimant.key(), &work.address, args);
    world.set_time(i64::MAX - DAY);
    let opened = world.send(Call::new([open], &[&claimant]));
    opened.assert_err(LicensingError::CounterOverflow);
}

#[test]
fn license_ends_with_notice() {
    for notice in [0, DAY - 1, DAY, DAY + 1, 366 * DAY] {
        let last = World::NOW + notice.max(DAY);
        for (now, settles) in [(last - 1, true), (last, true), (last + 1, false)] {
            let mut world = World::new();
            let channel = world.channel().open();
            let work = world.work().register();
            let terms = world.terms(&work).with(|offer| offer.notice_seconds = notice as u32);
            let terms = terms.publish();
            world.accept(&channel, &terms);
            let withdraw = withdraw_work(&work.creator.key(), &work.address);
            happen(&mut world, withdraw, &work.creator);
            world.send(channel.applying_withdrawal(&[(0, &work)])).assert_ok();
            world.set_time(now);
            let settled = world.settle(&channel, &[(0, 1)]);
            let reason = (!settles).then_some(PaymentsError::LicenseExpired);
            assert_refused_for(settled, reason);
            if !settles {
                nothing_settled(&world, &channel);
            }
        }
    }
}

#[test]
fn expired_license_grants_no_derivative() {
    for (now, derives) in [(END - 1, true), (END, true), (END + 1, false)] {
        let mut world = World::new();
        let channel = world.channel().open();
        let work = world.work().register();
        let terms = world.terms(&work).with(|offer| offer.expires_at = Some(END)).publish();
        world.accept(&channel, &terms);
        world.settle(&channel, &[(0, 1)]).assert_ok();
        world.set_time(now);
        let license = Right::License { terms_number: 1, channel: channel.address, index: 0 };
        let derived = world.work().by(&channel.payer).parent_by(&work, 1, license).attempt();
        assert_refused_for(derived, (!derives).then_some(LicensingError::LicenseEnded));
    }
}

#[test]
fn usable_quota_is_released_by_operator() {
    for (now, closes) in [(END - 1, false), (END, false), (END + 1, true)] {
        let mut world = World::new();
        let channel = world.channel().open();
        let (work, stranger) = (world.work().register(), world.person());
        let terms = world.terms(&work).with(|offer| {
            offer.expires_at = Some(END);
            offer.caps.total_units = Some(100);
        });
        let terms = terms.publish();
        world.accept_quota(&channel, &terms, 10, 0);
        world.set_time(now);
        let closed = world.send(channel.releasing_quota(&stranger, 0, &terms));
        assert_refused_for(closed, (!closes).then_some(PaymentsError::LicenseInUse));
    }
}

#[test]
fn voucher_key_periods_do_not_overlap() {
    for late in [-1, 0, 1] {
        let (mut world, channel, _) = licensed();
        let new_key = world.person();
        world.send(channel.rotating(&new_key)).assert_ok();
        world.pass(channel.grace_seconds + late);
        let (old, new) = (channel.voucher_key.clone(), new_key);
        let (valid, dead) = if late < 0 { (old, new) } else { (new, old) };
        let statement = world.statement(&channel, &[(0, 1)]);
        let refused = world.send(statement.clone().signed_by(&dead).call());
        refused.assert_err(PaymentsError::VoucherSignerMismatch);
        nothing_settled(&world, &channel);
        world.send(statement.signed_by(&valid).call()).assert_ok();
    }
}
