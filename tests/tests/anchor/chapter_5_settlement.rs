//! Settlement: vouchers that the payer signed, turned into credit of works.

use motif_sdk::{
    channel,
    keypair::signing_key,
    payments::PaymentsError,
    pda,
    voucher::{SignedVoucher, Voucher},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::tour::{DEPOSIT, PRICE, SignedStatement, Tour, assert_refused};

#[tokio::test]
async fn voucher_settles_a_statement() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let landed = tour.settle(&channel, 7).await;
    tour.ran(&landed, "settle").await;
    let account = tour.client.channel(&channel.address).await.unwrap();
    assert_eq!((account.licenses[0].units, account.licenses[0].settled), (7, 7 * PRICE));
    assert_eq!((account.channel.prices, account.channel.fees()), (7_000, 140));
}

#[tokio::test]
async fn one_settlement_pays_several_works() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let channel = tour.channel().await;
    for creator in [&ines, &kofi] {
        let work = tour.offered(creator, |_| ()).await;
        tour.accept(&channel, &work).await;
    }
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 3), (1, 4)]).await;
    tour.client.settle(&voucher, bytes).send(&channel.operator).await.unwrap();
    let licenses = tour.client.channel(&channel.address).await.unwrap().licenses;
    assert_eq!([licenses[0].settled, licenses[1].settled], [3 * PRICE, 4 * PRICE]);
}

#[tokio::test]
async fn free_units_cost_nothing() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |offer| offer.free_units = 5).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 7).await;
    let account = tour.client.channel(&channel.address).await.unwrap();
    assert_eq!((account.licenses[0].units, account.channel.prices), (7, 2 * PRICE));
}

#[tokio::test]
async fn replayed_voucher_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 1)]).await;
    let settle = || tour.client.settle(&voucher, bytes.clone()).send(&channel.operator);
    settle().await.unwrap();
    assert_refused(settle().await, PaymentsError::VoucherStatementMismatch);
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.prices, PRICE);
}

#[tokio::test]
async fn voucher_of_another_key_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 1)]).await;
    let forged = SignedVoucher::sign(voucher.voucher, &signing_key(&Keypair::new()));
    let settled = tour.client.settle(&forged, bytes).send(&channel.operator).await;
    assert_refused(settled, PaymentsError::VoucherSignerMismatch);
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.prices, 0);
}

#[tokio::test]
async fn wrong_total_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 1)]).await;
    let total = voucher.voucher.cumulative;
    for cumulative in [total - 1, total + 1] {
        let voucher = Voucher { cumulative, ..voucher.voucher };
        let voucher = SignedVoucher::sign(voucher, &signing_key(&channel.voucher_key));
        let settle = tour.client.settle(&voucher, bytes.clone());
        let settled = settle.send(&channel.operator).await;
        assert_refused(settled, PaymentsError::VoucherTotalMismatch);
    }
}

#[tokio::test]
async fn statement_above_deposit_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    // The prices are exactly the deposit; the operator's fee is not covered.
    let units = (DEPOSIT / PRICE) as u32;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, units)]).await;
    let settled = tour.client.settle(&voucher, bytes).send(&channel.operator).await;
    assert_refused(settled, PaymentsError::InsufficientDeposit);
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.free().unwrap(), DEPOSIT);
}

#[tokio::test]
async fn stranger_cannot_settle_open_channels() {
    let tour = Tour::join().await;
    let (creator, stranger) = (tour.person().await, tour.person().await);
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 1)]).await;
    let settled = tour.client.settle(&voucher, bytes).send(&stranger).await;
    assert_refused(settled, PaymentsError::SettlerNotAllowed);
}

#[tokio::test]
async fn watcher_settles_late_in_the_grace() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let (creator, watcher) = (tour.person().await, tour.person().await);
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.watched_channel(Some(watcher.pubkey())).await;
    tour.accept(&channel, &work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 1)]).await;
    tour.client.request_close(&channel.address).send(&channel.payer).await.unwrap();
    let settle = || tour.client.settle(&voucher, bytes.clone()).send(&watcher);
    assert_refused(settle().await, PaymentsError::SettlerNotAllowed);
    let grace = tour.client.channel(&channel.address).await.unwrap().channel.grace_seconds;
    localnet.advance_seconds(u64::from(grace) / 2 + 1).await.unwrap();
    settle().await.unwrap();
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.prices, PRICE);
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn voucher_key_cosigns_a_settlement() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 2)]).await;
    let settle = tour.client.settle_cosigned(&channel.voucher_key, &voucher.voucher, bytes);
    let landed = settle.send(&channel.operator).await.unwrap();
    tour.ran([&landed], "settle_cosigned").await;
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.prices, 2 * PRICE);
}

#[tokio::test]
async fn buffered_statement_settles() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let (operator, address) = (channel.operator.pubkey(), channel.address);
    let SignedStatement { voucher, bytes } = tour.statement(&channel, &[(0, 3)]).await;
    let parts = channel::buffer_statement(&operator, &address, &bytes);
    let written = tour.client.send_packed(parts, &channel.operator).await.unwrap();
    tour.ran(&written, "create_statement_buffer").await;
    tour.ran(&written, "write_statement_buffer").await;
    let settle = channel::settle_buffered(&operator, &operator, &voucher, None);
    let settled = tour.client.send(&settle, &channel.operator, &[]).await.unwrap();
    tour.ran([&settled], "settle_buffered").await;
    let account = tour.client.channel(&address).await.unwrap().channel;
    assert_eq!(account.prices, 3 * PRICE);
    let buffer = pda::statement_buffer(&address, &operator);
    assert!(tour.client.account(&buffer).await.unwrap().is_none());
}

#[tokio::test]
async fn unused_buffer_returns_its_rent() {
    let tour = Tour::join().await;
    let channel = tour.channel().await;
    let (operator, address) = (channel.operator.pubkey(), channel.address);
    let parts = channel::buffer_statement(&operator, &address, &[0; 6]);
    tour.client.send_packed(parts, &channel.operator).await.unwrap();
    let rent = tour.lamports(&pda::statement_buffer(&address, &operator)).await;
    let before = tour.lamports(&operator).await;
    let close = channel::close_statement_buffer(&operator, &address);
    let closed = tour.client.send(&[close], &channel.operator, &[]).await.unwrap();
    tour.ran([&closed], "close_statement_buffer").await;
    assert_eq!(tour.lamports(&operator).await, before + rent - closed.fee_lamports);
}
