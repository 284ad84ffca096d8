//! Sales without a channel, withdrawn works, and the end of a channel.

use motif_sdk::{
    channel,
    client::{DynSigner, Sale},
    licensing::{Use, Work},
    payments::PaymentsError,
    till::{TillShare, TillShares},
};
use solana_signer::Signer;

use super::tour::{DEPOSIT, PRICE, Tour, assert_refused};

#[tokio::test]
async fn till_sells_without_a_channel() {
    let tour = Tour::join().await;
    let (creator, buyer) = (tour.person().await, tour.platform(1_234).await);
    let shares = TillShares::sole(tour.image(&creator).await);
    let work = shares.works[0].work;
    let opened = tour.client.open_till(&buyer, &shares, &tour.currency).await.unwrap();
    tour.ran(&opened, "open_till").await;
    let pay = tour.client.pay_till(&shares, &tour.currency, 1_234);
    pay.send(&buyer).await.unwrap();
    let swept = tour.client.sweep_till(&buyer, &shares, &tour.currency).await.unwrap();
    tour.ran(&swept.transactions, "sweep_till").await;
    let claim = tour.client.claim(&work, &creator.pubkey(), &tour.currency);
    assert_eq!(claim.send(&buyer).await.unwrap().0, 1_234);
    assert_eq!([tour.balance(&creator).await, tour.balance(&buyer).await], [1_234, 0]);
}

#[tokio::test]
async fn till_divides_among_works_and_operator() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let (buyer, operator) = (tour.platform(1_000).await, tour.operator().await);
    let works = [tour.image(&ines).await, tour.image(&kofi).await];
    let part = |work, parts| TillShare { work, parts };
    let parts = vec![part(works[0], 6), part(works[1], 3)];
    let shares = TillShares::new(parts, Some((operator.pubkey(), 1)));
    tour.client.open_till(&buyer, &shares, &tour.currency).await.unwrap();
    tour.client.pay_till(&shares, &tour.currency, 1_000).send(&buyer).await.unwrap();
    tour.client.sweep_till(&buyer, &shares, &tour.currency).await.unwrap();
    for (work, person, paid) in [(&works[0], &ines, 600), (&works[1], &kofi, 300)] {
        let claim = tour.client.claim(work, &person.pubkey(), &tour.currency);
        assert_eq!(claim.send(&buyer).await.unwrap().0, paid);
    }
    assert_eq!(tour.balance(&operator).await, 100);
}

#[tokio::test]
async fn sale_is_proved_by_its_transaction() {
    let tour = Tour::join().await;
    let (creator, buyer) = (tour.person().await, tour.platform(PRICE).await);
    let shares = TillShares::sole(tour.offered(&creator, |_| ()).await);
    tour.client.open_till(&buyer, &shares, &tour.currency).await.unwrap();
    let (request, mint) = ([9; 32], tour.currency.mint);
    let prepare = tour.client.prepare_sale(&shares, &mint, (Use::Generate, 1), request, 1);
    let (acceptance, terms_numbers) = prepare.await.unwrap();
    assert_eq!((acceptance.amount, &terms_numbers[..]), (PRICE, &[1][..]));
    let pay = tour.client.pay_till(&shares, &tour.currency, acceptance.amount);
    let signature = pay.acceptance(acceptance).send(&buyer).await.unwrap().signature;
    let sale = Sale { shares, terms_numbers, acceptance, signature };
    assert_eq!(tour.client.verify_sale(&sale).await.unwrap().paid, PRICE);
    let mut other = sale.clone();
    other.acceptance.request_digest = [8; 32];
    assert!(tour.client.verify_sale(&other).await.is_err());
}

#[tokio::test]
async fn empty_till_is_not_swept() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let shares = TillShares::sole(tour.image(&creator).await);
    tour.client.open_till(&creator, &shares, &tour.currency).await.unwrap();
    let swept = tour.client.sweep_till(&creator, &shares, &tour.currency).await;
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
    let requested = tour.client.request_close(&channel.address).send(&channel.payer).await.unwrap();
    tour.ran([&requested], "request_close").await;
    let withdrawn = tour.client.withdraw(&channel.payer, &channel.address).await;
    assert_refused(withdrawn, PaymentsError::ChannelStillOpen);
    assert_eq!(tour.balance(&channel.payer).await, 0);
}

#[tokio::test]
async fn payer_leaves_without_the_operator() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let channel = tour.channel().await;
    tour.client.request_close(&channel.address).send(&channel.payer).await.unwrap();
    let grace = tour.client.channel(&channel.address).await.unwrap().channel.grace_seconds;
    localnet.advance_seconds(u64::from(grace)).await.unwrap();
    let (refunded, _) = tour.client.withdraw(&channel.payer, &channel.address).await.unwrap();
    assert_eq!((refunded, tour.balance(&channel.payer).await), (DEPOSIT, DEPOSIT));
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn payer_and_operator_close_at_once() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 5).await;
    let close = tour.client.request_close(&channel.address);
    let close = close.cosigner(&channel.payer as &DynSigner);
    close.send(&channel.operator).await.unwrap();
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
    let close = tour.client.request_close(&channel.address);
    let close = close.cosigner(&channel.payer as &DynSigner);
    close.send(&channel.operator).await.unwrap();
    tour.client.withdraw(&channel.payer, &channel.address).await.unwrap();
    let close = || tour.client.close_channel(&channel.payer, &channel.address);
    assert_refused(close().await, PaymentsError::ChannelNotEmpty);
    tour.client.collect(&creator, &channel.address).await.unwrap();
    tour.client.claim_fees(&channel.operator, &channel.address).await.unwrap();
    let closed = close().await.unwrap();
    tour.ran([&closed], "close_channel").await;
    assert!(tour.client.account(&channel.address).await.unwrap().is_none());
}
