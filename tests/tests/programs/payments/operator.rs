use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::PaymentsError,
    operator::{Operator, OperatorKey, OperatorTerms},
    pda,
};
use motif_tests::world::{OpenedChannel, Person, World};

use super::EXISTS;

/// A channel of 10,000 whose operator has a settle key of its own, with a license at 100, a fee of
/// 5 % and prices of 1,000 settled; and the settle key.
fn hot() -> (World, OpenedChannel, Person) {
    let mut world = World::new();
    let (authority, hot) = (world.person(), world.person());
    world.operator(&authority).settling(&hot).register();
    let channel = world.channel().operator(&authority).deposited(10_000).fee(500).open();
    world.licensed(&channel, 100);
    let statement = world.statement(&channel, &[(0, 10)]).sent_by(&hot);
    world.send(statement.call()).assert_ok();
    (world, channel, hot)
}

fn charged(world: &World, channel: &OpenedChannel) -> u64 {
    world.read(channel).channel.charged().unwrap()
}

#[test]
fn registered_operator_stores_fields() {
    let mut world = World::new();
    let [authority, settler, receipts, owner] = [(); 4].map(|()| world.person());
    let builder = world.operator(&authority).settling(&settler).receipting(&receipts);
    let builder = builder.with(|terms| {
        terms.fee_bps = 250;
        terms.min_grace_seconds = 3_600;
        terms.fee_owner = owner.key();
        terms.url = "https://gateway.example".to_owned();
    });
    builder.register();
    let stored = world.read_operator(&authority);
    assert_eq!((stored.version, stored.authority), (Operator::VERSION, authority.key()));
    assert_eq!((stored.fee_bps, stored.min_grace_seconds), (250, 3_600));
    assert_eq!(*stored.settle_key_at(World::NOW), settler.key());
    assert_eq!(stored.receipt_keys.at(World::NOW), Some(&receipts.key()));
    assert_eq!((stored.fee_owner, &stored.url[..]), (owner.key(), "https://gateway.example"));
    assert_eq!(stored.registered_at, World::NOW);
    let account = world.account(&pda::operator(&authority.key()));
    assert_eq!(account.data.len(), Operator::SPACE);
}

#[test]
fn operator_is_registered_once() {
    let mut world = World::new();
    let authority = world.person();
    world.operator(&authority).register();
    let thief = world.person();
    let again = world.operator(&authority).settling(&thief).call();
    world.send(again).assert_err(EXISTS);
    assert_eq!(*world.read_operator(&authority).settle_key_at(World::NOW), authority.key());
}

#[test]
fn unsigned_registration_is_rejected() {
    let mut world = World::new();
    let authority = world.person();
    let call = world.operator(&authority).call().unsigned_by(&authority);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
    assert!(world.find(&pda::operator(&authority.key())).is_none());
}

#[test]
fn operator_conditions_are_bounded() {
    type Change = fn(&mut OperatorTerms);
    let changes: [(Change, PaymentsError); 3] = [
        (|terms| terms.fee_bps = 5_001, PaymentsError::FeeTooHigh),
        (|terms| terms.min_grace_seconds = 30 * 86_400 + 1, PaymentsError::InvalidGracePeriod),
        (|terms| terms.url = "u".repeat(129), PaymentsError::UrlTooLong),
    ];
    let mut world = World::new();
    let (authority, other) = (world.person(), world.person());
    world.operator(&authority).register();
    let before = world.read_operator(&authority);
    for (change, expected) in changes {
        let call = world.operator(&other).with(change).call();
        world.send(call).assert_err(expected);
        let mut terms = OperatorTerms::new(authority.key());
        change(&mut terms);
        world.send(world.updating_operator(&authority, terms)).assert_err(expected);
    }
    assert!(world.find(&pda::operator(&other.key())).is_none());
    assert_eq!(world.read_operator(&authority), before);
    let url = "u".repeat(Operator::MAX_URL_BYTES);
    world.operator(&other).with(|terms| terms.url = url).register();
}

#[test]
fn rotation_beyond_time_is_rejected() {
    let (mut world, channel, hot) = hot();
    let before = world.read_operator(&channel.operator);
    world.set_time(i64::MAX - Operator::ROTATION_SECONDS + 1);
    for key in [OperatorKey::Settle, OperatorKey::Receipt] {
        let rotate = world.rotating_key(&channel.operator, key, &hot);
        world.send(rotate).assert_err(PaymentsError::Overflow);
    }
    assert_eq!(world.read_operator(&channel.operator), before);
}

#[test]
fn update_leaves_open_channels_alone() {
    let (mut world, channel, _) = hot();
    let terms = OperatorTerms {
        fee_bps: 700,
        min_grace_seconds: 7_200,
        ..OperatorTerms::new(channel.operator.key())
    };
    world.send(world.updating_operator(&channel.operator, terms)).assert_ok();
    assert_eq!(world.read(&channel).channel.operator_fee_bps, 500);
    let authority = channel.operator.clone();
    let cheap = world.channel().operator(&authority).fee(699).grace(7_200);
    cheap.attempt().assert_err(PaymentsError::FeeTooLow);
    let short = world.channel().operator(&authority).fee(700).grace(7_199);
    short.attempt().assert_err(PaymentsError::GracePeriodTooShort);
    assert_eq!(world.vault_balance(), 10_000);
    world.channel().operator(&authority).fee(700).grace(7_200).open();
}

#[test]
fn only_authority_changes_operator() {
    let (mut world, channel, hot) = hot();
    let before = world.read_operator(&channel.operator);
    let account = pda::operator(&channel.operator.key());
    for thief in [world.person(), hot, channel.payer.clone()] {
        let own = pda::operator(&thief.key());
        let terms = OperatorTerms::new(thief.key());
        let update = world.updating_operator(&thief, terms).instead_of(own, account);
        world.send(update).assert_err(PaymentsError::NotOperator);
        for key in [OperatorKey::Settle, OperatorKey::Receipt] {
            let rotate = world.rotating_key(&thief, key, &thief).instead_of(own, account);
            world.send(rotate).assert_err(PaymentsError::NotOperator);
        }
    }
    let authority = &channel.operator;
    let rotate = world.rotating_key(authority, OperatorKey::Settle, authority);
    world.send(rotate.unsigned_by(authority)).assert_err(ErrorCode::AccountNotSigner);
    assert_eq!(world.read_operator(&channel.operator), before);
}

#[test]
fn stolen_settle_key_only_settles() {
    let mut world = World::new();
    let (authority, hot) = (world.person(), world.person());
    world.operator(&authority).settling(&hot).register();
    let channel = world.channel().operator(&authority).fee(500).open();
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.caps.total_units = Some(100)).publish();
    world.accept_quota(&channel, &terms, 60, 0);
    let statement = world.statement(&channel, &[(0, 20)]).sent_by(&hot);
    world.send(statement.call()).assert_ok();
    let before = (world.read(&channel), world.balance(&authority), world.vault_balance());

    world.send(channel.closing_by(&hot)).assert_err(PaymentsError::NotPayer);
    world.send(channel.releasing_quota(&hot, 0, &terms)).assert_err(PaymentsError::LicenseInUse);
    let mut forged = channel.clone();
    forged.operator = hot.clone();
    let new_key = world.person();
    let rotation = forged.rotating_at_once(&new_key);
    world.send(rotation).assert_err(PaymentsError::NotOperator);
    // Not as the operator of its own name either, after it has closed nothing of its own.
    world.operator(&hot).register();
    world.send(forged.claiming_fees()).assert_err(PaymentsError::InvalidOperatorAccount);
    let after = (world.read(&channel), world.balance(&authority), world.vault_balance());
    assert_eq!((before.0.licenses, before.1, before.2), (after.0.licenses, after.1, after.2));
    assert_eq!((after.0.channel.closes_at, after.0.channel.fees_claimed), (i64::MAX, 0));
}

#[test]
fn authority_alone_does_not_settle() {
    let (mut world, channel, _) = hot();
    let statement = world.statement(&channel, &[(0, 1)]);
    world.send(statement.call()).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(statement.cosigned_call()).assert_err(PaymentsError::SettlerNotAllowed);
    assert_eq!(charged(&world, &channel), 1_050);
}

#[test]
fn settle_key_rotates_after_delay() {
    let (mut world, channel, old) = hot();
    let new = world.person();
    let rotate = world.rotating_key(&channel.operator, OperatorKey::Settle, &new);
    world.send(rotate).assert_ok();
    world.pass(Operator::ROTATION_SECONDS - 1);
    let statement = world.statement(&channel, &[(0, 1)]);
    let early = statement.clone().sent_by(&new).call();
    world.send(early).assert_err(PaymentsError::SettlerNotAllowed);
    world.send(statement.sent_by(&old).call()).assert_ok();
    world.pass(1);
    let statement = world.statement(&channel, &[(0, 1)]);
    let late = statement.clone().sent_by(&old).call();
    world.send(late).assert_err(PaymentsError::SettlerNotAllowed);
    assert_eq!(charged(&world, &channel), 1_155);
    world.send(statement.sent_by(&new).cosigned_call()).assert_ok();
    assert_eq!(charged(&world, &channel), 1_260);
}

#[test]
fn operator_account_is_pinned() {
    let (mut world, channel, hot) = hot();
    let other = world.person();
    world.operator(&other).settling(&other).register();
    let mut forged = world.account(&pda::operator(&channel.operator.key()));
    forged.data[48..80].copy_from_slice(other.key().as_ref());
    forged.owner = licensing::ID;
    let elsewhere = world.person().key();
    world.set(elsewhere, forged);
    let own = pda::operator(&channel.operator.key());
    let statement = world.statement(&channel, &[(0, 1)]).sent_by(&other);
    for part in statement.buffer_instructions() {
        world.send(part).assert_ok();
    }
    for account in [pda::operator(&other.key()), elsewhere, other.key(), world.host.key()] {
        for call in [statement.call(), statement.cosigned_call(), statement.buffered_call()] {
            let refused = world.send(call.instead_of(own, account));
            refused.assert_err(PaymentsError::InvalidOperatorAccount);
        }
    }
    assert_eq!(charged(&world, &channel), 1_050);
    let statement = world.statement(&channel, &[(0, 1)]).sent_by(&hot);
    world.send(statement.call()).assert_ok();
}

#[test]
fn unregistered_operator_opens_no_channel() {
    let mut world = World::new();
    let operator = world.person();
    let (call, channel) = world.channel().call();
    let own = pda::operator(&channel.operator.key());
    let call = call.instead_of(own, pda::operator(&operator.key()));
    world.send(call).assert_err(ErrorCode::AccountNotInitialized);
    assert_eq!((world.balance(&channel.payer), world.vault_balance()), (1_000_000, 0));
}

#[test]
fn self_metering_payer_is_marked() {
    let mut world = World::new();
    let [authority, settler, receipts, owner] = [(); 4].map(|()| world.person());
    let builder = world.operator(&authority).settling(&settler).receipting(&receipts);
    builder.with(|terms| terms.fee_owner = owner.key()).register();
    for insider in [&authority, &settler, &receipts, &owner] {
        let by_payer = world.channel().operator(&authority).payer(insider).open();
        let by_key = world.channel().operator(&authority).voucher_key(insider).open();
        for channel in [by_payer, by_key] {
            assert_eq!(world.read(&channel).channel.self_metered, 1);
        }
    }
    let apart = world.channel().operator(&authority).open();
    assert_eq!(world.read(&apart).channel.self_metered, 0);
}

#[test]
fn terms_name_their_operators() {
    let mut world = World::new();
    let (named, other) = (world.channel().open(), world.channel().open());
    let work = world.work().register();
    let operators = vec![world.person().key(), named.operator.key()];
    let terms = world.terms(&work).with(|offer| {
        offer.operators = operators;
        offer.upfront_fee = 500;
    });
    let terms = terms.publish();
    let currency = world.currency;
    world.fund(&other.payer, &currency, 500);
    let refused = world.send(other.accepting(&terms).call());
    refused.assert_err(PaymentsError::OperatorNotNamed);
    assert_eq!((world.balance(&other.payer), world.read(&other).licenses.len()), (500, 0));
    world.accept(&named, &terms);
}
