use anchor_lang::error::ErrorCode;
use motif_sdk::channel::{PaymentsError, ReceiptsCommitment};
use motif_tests::world::{Call, SignedStatement, World};

use super::settle_buffered::licensed;

/// Asserts that settling `statement` is rejected and moves nothing.
fn refused(world: &World, statement: &SignedStatement, error: PaymentsError) {
    let mut world = world.clone();
    let before = world.account(&statement.voucher.channel);
    world.send(statement.cosigned_call()).assert_err(error);
    assert_eq!(world.account(&statement.voucher.channel), before);
}

#[test]
fn cosignature_settles_like_voucher() {
    let (mut world, channel) = licensed();
    let statement = world.statement(&channel, &[(0, 5), (7, 2)]);
    let by_voucher = {
        let mut world = world.clone();
        world.send(statement.call()).assert_ok();
        world.account(&channel.address)
    };
    let landed = world.send(statement.cosigned_call()).assert_ok();
    assert_eq!(landed.fee, 10_000, "two signatures");
    assert_eq!(world.account(&channel.address), by_voucher);
    let again = world.send(statement.cosigned_call());
    again.assert_err(PaymentsError::VoucherStatementMismatch);
}

#[test]
fn cosigned_packet_settles_134_licenses() {
    let (mut world, channel) = licensed();
    let entries: Vec<_> = (0..134).map(|license| (license, 1)).collect();
    let statement = world.statement(&channel, &entries);
    assert!(world.packet_bytes(&statement.call()) > 1_232);
    let call = statement.cosigned_call();
    assert!(world.packet_bytes(&call) <= 1_232);
    world.send(call).assert_ok();
    assert_eq!(world.read(&channel).channel.prices, 1_340);
}

#[test]
fn channels_settle_for_two_signatures() {
    let mut world = World::new();
    let (payer, operator, key) = (world.person(), world.person(), world.person());
    let work = world.work().register();
    let terms = world.terms(&work).price(10).publish();
    let channels: Vec<_> = (0..5)
        .map(|salt| {
            let opening = world.channel().payer(&payer).operator(&operator).voucher_key(&key);
            let channel = opening.fee(0).with(|args| args.salt = salt).open();
            world.accept(&channel, &terms);
            channel
        })
        .collect();
    let calls = channels.iter().map(|channel| world.statement(channel, &[(0, 5)]).cosigned_call());
    let call = calls.reduce(Call::then).unwrap();
    assert!(world.packet_bytes(&call) <= 1_232);
    assert_eq!(world.send(call).assert_ok().fee, 10_000);
    assert!(channels.iter().all(|channel| world.read(channel).channel.prices == 50));
}

#[test]
fn only_voucher_key_cosigns() {
    let (world, channel) = licensed();
    let statement = world.statement(&channel, &[(0, 5)]);
    for other in [&channel.payer, &channel.operator] {
        refused(&world, &statement.clone().signed_by(other), PaymentsError::VoucherSignerMismatch);
    }
    let mut world = world.clone();
    let unsigned = statement.cosigned_call().unsigned_by(&channel.voucher_key);
    world.send(unsigned).assert_err(ErrorCode::AccountNotSigner);
}

#[test]
fn cosigned_statement_is_checked() {
    let (world, channel) = licensed();
    let statement = world.statement(&channel, &[(0, 5)]);
    let wrong = [
        statement.clone().with(|said| said.opened_slot += 1),
        statement.clone().with(|said| said.statement += 1),
        statement.clone().with(|said| said.cumulative += 1),
        statement.clone().with(|said| said.cumulative -= 1),
        statement.clone().committing_to(Some(ReceiptsCommitment { root: [1; 32], sum: 51 })),
    ];
    let errors = [
        PaymentsError::VoucherChannelMismatch,
        PaymentsError::VoucherStatementMismatch,
        PaymentsError::VoucherTotalMismatch,
        PaymentsError::VoucherTotalMismatch,
        PaymentsError::ReceiptsSumMismatch,
    ];
    for (statement, error) in wrong.iter().zip(errors) {
        refused(&world, statement, error);
    }
}

#[test]
fn payer_alone_cannot_settle() {
    let (world, channel) = licensed();
    let statement = world.statement(&channel, &[(0, 5)]).sent_by(&channel.voucher_key);
    refused(&world, &statement, PaymentsError::SettlerNotAllowed);
}
