//! Sales without a channel, withdrawn works, and the end of a channel.

use motif_sdk::{channel, licensing::Work, payments::PaymentsError};
use solana_signer::Signer;

use super::tour::{DEPOSIT, PRICE, Tour, assert_refused};

#[tokio::test]
async fn till_sells_without_a_channel() {
    let tour = Tour::join().await;
    let (creator, buyer) = (tour.person().await, tour.platform(1_234).await);
    let work = tour.image(&creator).await;
    let opened = tour.client.open_till(&buyer, &work, &tour.currency).await.unwrap();
    tour.ran(&opened, "open_till").await;
    let pay = tour.client.pay_till(&work, &tour.currency, 1_234);
    pay.send(&buyer).await.unwrap();
    let swept = tour.client.sweep_till(&buyer, &work, &tour.currency).await.unwrap();
    tour.ran(&swept, "sweep_till").await;
    let claim = tour.client.claim(&work, &creator.pubkey(), &tour.currency);
    assert_eq!(claim.send(&buyer).await.unwrap().0, 1_234);
    assert_eq!([tour.balance(&creator).await, tour.balance(&buyer).await], [1_234, 0]);
}

#[tokio::test]
async fn empty_till_is_not_swept() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    tour.client.open_till(&creator, &work, &tour.currency).await.unwrap();
    let swept = tour.client.sweep_till(&creator, &work, &tour.currency).await;
    assert_refused(swept, PaymentsError::EmptyTill);
}

#[tokio::test]
async fn withdrawn_work_ends_its_licenses() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    let early = channel::apply_withdrawal(&channel.address, &[(0, work)]);
    let early = tour.client.send(&[early], &creator, &[]).await;
    assert_refused(early, PaymentsError::WorkNotWithdrawn);
    tour.client.withdraw_work(&creator, &work).await.unwrap();
    let applied = tour.client.apply_withdrawals(&creator, &channel.address).await.unwrap();
    tour.ran(&applied, "apply_withdrawal").await;
    // The terms ask for no notice: the shortest one applies.
    let withdrawn = tour.client.work(&work).await.unwrap();
    let end = withdrawn.withdrawn_at + i64::from(Work::MIN_NOTICE_SECONDS);
    let licenses = tour.client.channel(&channel.address).await.unwrap().licenses;
    assert_eq!(licenses[0].expires_at, end);
    tour.settle(&channel, 1).await; // until then, the operator settles
}

#[tokio::test]
async fn payer_waits_for_the_grace() {
    let tour = Tour::join().await;
    let channel = tour.channel().await;
    let requested = tour.client.request_close(&channel.payer, &channel.address).await.unwrap();
    tour.ran([&requested], "request_close").await;
    let withdrawn = tour.client.withdraw(&channel.payer, &channel.address).await;
    assert_refused(withdrawn, PaymentsError::ChannelStillOpen);
    assert_eq!(tour.balance(&channel.payer).await, 0);
}

#[tokio::test]
async fn payer_leaves_without_the_operator() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let channel = tour.channel().await;
    tour.client.request_close(&channel.payer, &channel.address).await.unwrap();
    let grace = tour.client.channel(&channel.address).await.unwrap().channel.grace_seconds;
    localnet.advance_seconds(u64::from(grace)).await.unwrap();
    let (refunded, _) = tour.client.withdraw(&channel.payer, &channel.address).await.unwrap();
    assert_eq!((refunded, tour.balance(&channel.payer).await), (DEPOSIT, DEPOSIT));
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn operator_closes_at_once() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 5).await;
    tour.client.request_close(&channel.operator, &channel.address).await.unwrap();
    let withdraw = tour.client.withdraw(&channel.payer, &channel.address);
    let (refunded, landed) = withdraw.await.unwrap();
    tour.ran([&landed], "withdraw").await;
    assert_eq!(refunded, DEPOSIT - 5 * PRICE - 100);
    let again = tour.client.withdraw(&channel.payer, &channel.address).await;
    assert_refused(again, PaymentsError::AlreadyWithdrawn);
}

#[tokio::test]
async fn paid_out_channel_is_removed() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 5).await;
    tour.client.request_close(&channel.operator, &channel.address).await.unwrap();
    tour.client.withdraw(&channel.payer, &channel.address).await.unwrap();
    let close = || tour.client.close_channel(&channel.payer, &channel.address);
    assert_refused(close().await, PaymentsError::ChannelNotEmpty);
    tour.client.collect(&creator, &channel.address).await.unwrap();
    tour.client.claim_fees(&channel.operator, &channel.address).await.unwrap();
    let closed = close().await.unwrap();
    tour.ran([&closed], "close_channel").await;
    assert!(tour.client.account(&channel.address).await.unwrap().is_none());
}
