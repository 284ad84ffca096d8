use anchor_lang::error::ErrorCode;
use motif_sdk::{
    channel::{
        INSTRUCTIONS_SYSVAR, PaymentsError, ReceiptsCommitment, Settlement, StatementRecord,
    },
    licensing::Offer,
    pda,
};
use motif_tests::world::{OpenedChannel, World};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

const DAY: i64 = 86_400;

/// A channel with a deposit of 1,000,000, a fee of 1 %, and one license, with `change` applied.
fn licensed(change: impl FnOnce(&mut Offer)) -> (World, OpenedChannel) {
    let mut world = World::new();
    let channel = world.channel().open();
    let work = world.work().register();
    let terms = world.terms(&work).with(change).publish();
    world.accept_quota(&channel, &terms, 1_000, 100_000);
    (world, channel)
}

#[track_caller]
fn nothing_settled(world: &World, channel: &OpenedChannel) {
    let state = world.read(channel);
    assert_eq!((state.channel.prices, state.channel.statements.length), (0, 0));
    assert!(state.licenses.iter().all(|license| (license.units, license.settled) == (0, 0)));
    assert_eq!(world.vault_balance(), state.channel.deposited);
}

#[test]
fn settlement_credits_licenses_and_fee() {
    let (mut world, channel) = licensed(|_| {});
    world.settle(&channel, &[(0, 25)]).assert_ok();
    let state = world.read(&channel);
    assert_eq!((state.licenses[0].units, state.licenses[0].settled), (25, 250));
    assert_eq!((state.channel.prices, state.channel.fees()), (250, 2));
    assert_eq!(state.channel.cumulative().unwrap(), 252);
    assert_eq!(state.channel.statements.length, 1);
    assert_eq!(world.vault_balance(), 1_000_000);
}

#[test]
fn settlement_changes_channel_only() {
    let (mut world, channel) = licensed(|_| {});
    let before = world.snapshot();
    world.settle(&channel, &[(0, 25)]).assert_ok();
    assert_eq!(world.changed_since(&before), [channel.address]);
}

#[test]
fn mmr_holds_statement_record() {
    let (mut world, channel) = licensed(|_| {});
    let statement = world.statement(&channel, &[(0, 25)]);
    world.send(statement.call()).assert_ok();
    let state = world.read(&channel).channel;
    let record = StatementRecord {
        channel: channel.address,
        opened_slot: state.opened_slot,
        settlement: Settlement { statement: 0, prices: 250, fee: 2, cumulative: 252 },
        statement_digest: hash(&statement.entries).to_bytes(),
        receipts_root: Some([0xEC; 32]),
    };
    assert_eq!(state.statements.peaks[0], record.hash());
}

#[test]
fn free_units_are_used_first() {
    let (mut world, channel) = licensed(|offer| offer.free_units = 4);
    world.settle(&channel, &[(0, 3)]).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 0);
    world.settle(&channel, &[(0, 3)]).assert_ok();
    let state = world.read(&channel);
    assert_eq!((state.channel.prices, state.licenses[0].units), (20, 6));
}

#[test]
fn voucher_settles_once() {
    let (mut world, channel) = licensed(|_| {});
    let call = world.statement(&channel, &[(0, 25)]).call();
    world.send(call.clone()).assert_ok();
    let before = world.account(&channel.address);
    world.send(call).assert_err(PaymentsError::VoucherStatementMismatch);
    assert_eq!(world.account(&channel.address), before);
}

#[test]
fn other_statements_voucher_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    let next = world.statement(&channel, &[(0, 25)]).with(|voucher| voucher.statement = 1);
    world.send(next.call()).assert_err(PaymentsError::VoucherStatementMismatch);
    let last = world.statement(&channel, &[(0, 25)]).with(|voucher| voucher.statement = u64::MAX);
    world.send(last.call()).assert_err(PaymentsError::VoucherStatementMismatch);
    nothing_settled(&world, &channel);
}

#[test]
fn wrong_voucher_signer_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    let stranger = world.person();
    for signer in [&stranger, &channel.payer, &channel.operator] {
        let statement = world.statement(&channel, &[(0, 25)]).signed_by(signer);
        world.send(statement.call()).assert_err(PaymentsError::VoucherSignerMismatch);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn wrong_total_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    for cumulative in [0, 1, 250, 251, 253, u64::MAX] {
        let statement = world.statement(&channel, &[(0, 25)]);
        let statement = statement.with(|voucher| voucher.cumulative = cumulative);
        world.send(statement.call()).assert_err(PaymentsError::VoucherTotalMismatch);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn wrong_statement_digest_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    let mut statement = world.statement(&channel, &[(0, 25)]);
    statement.entries = world.statement(&channel, &[(0, 26)]).entries;
    world.send(statement.call()).assert_err(PaymentsError::StatementDigestMismatch);
    nothing_settled(&world, &channel);
}

#[test]
fn malformed_statement_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    world.licensed(&channel, 10);
    let malformed: [&[(u16, u32)]; 4] = [&[], &[(0, 0)], &[(0, 1), (0, 1)], &[(1, 1), (0, 1)]];
    for entries in malformed {
        let statement = world.statement(&channel, entries);
        world.send(statement.call()).assert_err(PaymentsError::InvalidStatement);
    }
    for length in [1, 5, 7, 11] {
        let statement = world.statement(&channel, &[(0, 1)]).stating(vec![0; length]);
        world.send(statement.call()).assert_err(PaymentsError::InvalidStatement);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn unknown_license_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    for license in [1, u16::MAX] {
        let entries = [(0, 1), (license, 1)];
        world.settle(&channel, &entries).assert_err(PaymentsError::LicenseNotFound);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn total_above_deposit_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().deposited(1_010).open();
    let (_, license) = world.licensed(&channel, 10);
    let refused = world.settle(&channel, &[(license, 101)]);
    refused.assert_err(PaymentsError::InsufficientDeposit);
    assert_eq!(world.read(&channel).channel.prices, 0);
    world.settle(&channel, &[(license, 100)]).assert_ok();
    let state = world.read(&channel).channel;
    assert_eq!((state.charged().unwrap(), state.deposited), (1_010, 1_010));
    world.settle(&channel, &[(license, 1)]).assert_err(PaymentsError::InsufficientDeposit);
}

#[test]
fn wrong_receipt_sum_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    for sum in [0, 249, 251, 252, u64::MAX] {
        let receipts = Some(ReceiptsCommitment { root: [1; 32], sum });
        let statement = world.statement(&channel, &[(0, 25)]).committing_to(receipts);
        world.send(statement.call()).assert_err(PaymentsError::ReceiptsSumMismatch);
    }
    nothing_settled(&world, &channel);
    let without = world.statement(&channel, &[(0, 25)]).committing_to(None);
    world.send(without.call()).assert_ok();
}

#[test]
fn third_party_settlement_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    let stranger = world.person();
    for settler in [&stranger, &channel.payer, &channel.voucher_key] {
        let statement = world.statement(&channel, &[(0, 25)]).sent_by(settler);
        world.send(statement.call()).assert_err(PaymentsError::SettlerNotAllowed);
    }
    nothing_settled(&world, &channel);
}

#[test]
fn unsigned_operator_is_rejected() {
    let (mut world, channel) = licensed(|_| {});
    let statement = world.statement(&channel, &[(0, 25)]);
    let call = statement.call().unsigned_by(&channel.operator);
    world.send(call).assert_err(ErrorCode::AccountNotSigner);
    nothing_settled(&world, &channel);
}

#[test]
fn watcher_commits_no_receipts() {
    let mut world = World::new();
    let watcher = world.person();
    let channel = world.channel().watched_by(&watcher).open();
    world.licensed(&channel, 10);
    let statement = world.statement(&channel, &[(0, 25)]).sent_by(&watcher);
    let receipts = Some(ReceiptsCommitment { root: [6; 32], sum: 1 }); // not even the right sum
    let statement = statement.committing_to(receipts);
    world.send(channel.closing_by(&channel.payer)).assert_ok();
    world.pass(channel.grace_seconds / 2);
    world.send(statement.call()).assert_ok();
    let state = world.read(&channel).channel;
    let record = StatementRecord {
        channel: channel.address,
        opened_slot: state.opened_slot,
        settlement: Settlement { statement: 0, prices: 250, fee: 2, cumulative: 252 },
        statement_digest: hash(&statement.entries).to_bytes(),
        receipts_root: None,
    };
    assert_eq!(state.statements.peaks[0], record.hash());
}

#[test]
fn closed_channel_settles_nothing() {
    let (mut world, channel) = licensed(|_| {});
    let statement = world.statement(&channel, &[(0, 25)]);
    world.send(channel.closing_at_once()).assert_ok();
    world.send(statement.call()).assert_err(PaymentsError::ChannelClosed);
    nothing_settled(&world, &channel);
}

#[test]
fn unit_above_cap_is_rejected() {
    let (mut world, channel) = licensed(|offer| offer.caps.licensee_units = Some(25));
    world.settle(&channel, &[(0, 26)]).assert_err(PaymentsError::UnitCapExceeded);
    nothing_settled(&world, &channel);
    world.settle(&channel, &[(0, 25)]).assert_ok();
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::UnitCapExceeded);
}

#[test]
fn unit_above_quota_is_rejected() {
    let (mut world, channel) = licensed(|offer| offer.caps.total_units = Some(2_000));
    world.settle(&channel, &[(0, 1_001)]).assert_err(PaymentsError::UnitCapExceeded);
    nothing_settled(&world, &channel);
    world.settle(&channel, &[(0, 1_000)]).assert_ok();
}

#[test]
fn daily_cap_accrues_each_day() {
    let (mut world, channel) = licensed(|offer| offer.caps.daily_units = Some(10));
    world.settle(&channel, &[(0, 11)]).assert_err(PaymentsError::DailyCapExceeded);
    nothing_settled(&world, &channel);
    world.settle(&channel, &[(0, 10)]).assert_ok();
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::DailyCapExceeded);
    let midnight = (World::NOW / DAY + 1) * DAY;
    world.set_time(midnight - 1);
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::DailyCapExceeded);
    world.set_time(midnight);
    world.settle(&channel, &[(0, 1)]).assert_ok();
    world.set_time(midnight + 2 * DAY);
    world.settle(&channel, &[(0, 30)]).assert_err(PaymentsError::DailyCapExceeded);
    world.settle(&channel, &[(0, 29)]).assert_ok();
    assert_eq!(world.read(&channel).licenses[0].units, 40);
}

#[test]
fn clock_step_back_opens_no_day() {
    let (mut world, channel) = licensed(|offer| offer.caps.daily_units = Some(10));
    world.settle(&channel, &[(0, 10)]).assert_ok();
    for now in [World::NOW - DAY, 0, -1, i64::MIN] {
        world.set_time(now);
        world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::DailyCapExceeded);
    }
}

#[test]
fn price_above_revenue_cap_is_rejected() {
    let (mut world, channel) = licensed(|offer| {
        offer.caps.revenue = Some(100_000);
        offer.uses[0].price = 1_000;
        offer.free_units = 1;
    });
    world.settle(&channel, &[(0, 102)]).assert_err(PaymentsError::RevenueCapExceeded);
    nothing_settled(&world, &channel);
    world.settle(&channel, &[(0, 101)]).assert_ok();
    world.settle(&channel, &[(0, 1)]).assert_err(PaymentsError::RevenueCapExceeded);
}

#[test]
fn bad_entry_is_named() {
    let (mut world, channel) = licensed(|_| {});
    let work = world.work().register();
    let terms = world.terms(&work).with(|offer| offer.caps.licensee_units = Some(1)).publish();
    let capped = world.accept(&channel, &terms);
    let call = world.statement(&channel, &[(0, 5), (capped, 2)]).call();
    world.send(call.clone()).assert_err(PaymentsError::UnitCapExceeded);
    let logs = world.send(call).refusal_logs();
    assert!(logs.contains(&"Program log: license 1".to_string()), "{logs:?}");
    nothing_settled(&world, &channel);
}

#[test]
fn overflowing_price_is_rejected() {
    let mut world = World::new();
    let channel = world.channel().deposited(u64::MAX).open();
    let (_, license) = world.licensed(&channel, u64::MAX);
    let (_, other) = world.licensed(&channel, u64::MAX);
    world.settle(&channel, &[(license, 2)]).assert_err(PaymentsError::Overflow);
    let both = world.settle(&channel, &[(license, 1), (other, 1)]);
    both.assert_err(PaymentsError::Overflow);
    // The price fits; the price with its fee does not.
    world.settle(&channel, &[(license, 1)]).assert_err(PaymentsError::Overflow);
    assert_eq!(world.read(&channel).channel.prices, 0);
    assert_eq!(world.vault_balance(), u64::MAX);
}

#[test]
fn amounts_above_2_53_are_exact() {
    for price in [1, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, u64::MAX / 2] {
        let mut world = World::new();
        let channel = world.channel().deposited(u64::MAX).fee(5_000).open();
        let (_, license) = world.licensed(&channel, price);
        world.settle(&channel, &[(license, 1)]).assert_ok();
        let state = world.read(&channel).channel;
        assert_eq!((state.prices, state.fees()), (price, price / 2));
    }
}

#[test]
fn settlement_accounts_are_pinned() {
    let (mut world, channel) = licensed(|_| {});
    let statement = world.statement(&channel, &[(0, 25)]);
    let vault = pda::vault(&world.currency.mint);
    let fake_sysvar = world.person().key();
    let cases = [
        (INSTRUCTIONS_SYSVAR, fake_sysvar, ErrorCode::ConstraintAddress),
        (channel.address, vault, ErrorCode::AccountDiscriminatorMismatch),
        (channel.address, pda::config(), ErrorCode::AccountOwnedByWrongProgram),
        (channel.address, Pubkey::new_from_array([3; 32]), ErrorCode::AccountOwnedByWrongProgram),
    ];
    for (account, other, expected) in cases {
        let call = statement.call().instead_of(account, other);
        world.send(call).assert_err(expected);
    }
    nothing_settled(&world, &channel);
}
