//! Channels: a payer's deposits with one operator, and the licenses on them.

use motif_sdk::{
    Pubkey,
    channel::{OpenChannelArgs, Quota},
    client::DynSigner,
    licensing::Use,
    payments::{License, PaymentsError},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::tour::{DEPOSIT, FEE_BPS, PRICE, Tour, assert_refused, opening};

#[tokio::test]
async fn channel_holds_the_deposit() {
    let tour = Tour::join().await;
    let payer = tour.platform(DEPOSIT + 7).await;
    let (operator, voucher_key) = (tour.person().await, Keypair::new());
    let args = opening(&voucher_key);
    let open = tour.client.open_channel(&operator.pubkey(), &tour.currency, args);
    let (address, landed) = open.send(&payer).await.unwrap();
    tour.ran([&landed], "open_channel").await;
    let channel = tour.client.channel(&address).await.unwrap().channel;
    assert_eq!((channel.payer, channel.operator), (payer.pubkey(), operator.pubkey()));
    assert_eq!((channel.deposited, channel.operator_fee_bps), (DEPOSIT, FEE_BPS));
    assert_eq!(tour.balance(&payer).await, 7);
}

#[tokio::test]
async fn unusable_channels_are_refused() {
    let tour = Tour::join().await;
    let payer = tour.platform(DEPOSIT).await;
    let (operator, voucher_key) = (tour.person().await, Keypair::new());
    let args = opening(&voucher_key);
    let cases = [
        (OpenChannelArgs { deposit: 0, ..args }, PaymentsError::EmptyDeposit),
        (OpenChannelArgs { grace_seconds: 60, ..args }, PaymentsError::InvalidGracePeriod),
        (OpenChannelArgs { operator_fee_bps: 5_001, ..args }, PaymentsError::FeeTooHigh),
        (OpenChannelArgs { voucher_key: payer.pubkey(), ..args }, PaymentsError::InvalidVoucherKey),
    ];
    for (args, error) in cases {
        let open = tour.client.open_channel(&operator.pubkey(), &tour.currency, args);
        assert_refused(open.send(&payer).await, error);
    }
    assert_eq!(tour.balance(&payer).await, DEPOSIT);
}

#[tokio::test]
async fn top_up_adds_to_the_deposit() {
    let tour = Tour::join().await;
    let channel = tour.channel().await;
    tour.fund(&channel.payer, 700).await;
    let landed = tour.client.top_up(&channel.payer, &channel.address, 500).await.unwrap();
    tour.ran([&landed], "top_up").await;
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.deposited, DEPOSIT + 500);
    assert_eq!(tour.balance(&channel.payer).await, 200);
}

#[tokio::test]
async fn accepted_terms_become_a_license() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.channel().await;
    let accept = tour.client.accept_terms(&channel.address, &work, Use::Generate).max_price(PRICE);
    let (index, landed) = accept.send(&channel.payer).await.unwrap();
    tour.ran([&landed], "accept_terms").await;
    let licenses = tour.client.channel(&channel.address).await.unwrap().licenses;
    let license = licenses[usize::from(index)];
    assert_eq!((license.work, license.terms_number, license.price), (work, 1, PRICE));
    assert_eq!(license.units_left, License::UNLIMITED);
}

#[tokio::test]
async fn accepted_terms_do_not_get_worse() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.publish(&creator, &work, |offer| offer.uses[0].price = PRICE * 9).await;
    let licenses = tour.client.channel(&channel.address).await.unwrap().licenses;
    assert_eq!((licenses.len(), licenses[0].price), (1, PRICE));
}

#[tokio::test]
async fn price_above_maximum_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.channel().await;
    let accept =
        tour.client.accept_terms(&channel.address, &work, Use::Generate).max_price(PRICE - 1);
    assert_refused(accept.send(&channel.payer).await, PaymentsError::PriceAboveMaximum);
    assert!(tour.client.channel(&channel.address).await.unwrap().licenses.is_empty());
}

#[tokio::test]
async fn use_without_a_price_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.channel().await;
    let accept = tour.client.accept_terms(&channel.address, &work, Use::Train).max_price(PRICE);
    assert_refused(accept.send(&channel.payer).await, PaymentsError::UseNotLicensed);
}

#[tokio::test]
async fn upfront_fee_is_paid_at_acceptance() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |offer| offer.upfront_fee = 777).await;
    let channel = tour.channel().await;
    tour.fund(&channel.payer, 1_000).await;
    tour.accept(&channel, &work).await;
    let account = tour.client.channel(&channel.address).await.unwrap();
    assert_eq!((account.channel.upfront_fees, account.licenses[0].settled), (777, 777));
    assert_eq!(account.channel.free().unwrap(), DEPOSIT, "the deposit stays whole");
    assert_eq!(tour.balance(&channel.payer).await, 223);
}

#[tokio::test]
async fn quota_of_a_shared_cap_is_released() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |offer| offer.caps.total_units = Some(10)).await;
    let [first, second] = [tour.channel().await, tour.channel().await];
    let quota = Quota { units: 10, revenue: 0 };
    let accept = |channel: &Pubkey| {
        tour.client.accept_terms(channel, &work, Use::Generate).max_price(PRICE).quota(quota)
    };
    accept(&first.address).send(&first.payer).await.unwrap();
    let refused = accept(&second.address).send(&second.payer).await;
    assert_refused(refused, PaymentsError::QuotaExceedsCap);
    let released = tour.client.release_quota(&first.operator, &first.address, 0).await.unwrap();
    tour.ran([&released], "release_quota").await;
    accept(&second.address).send(&second.payer).await.unwrap();
}

#[tokio::test]
async fn voucher_key_rotates_with_the_operator() {
    let tour = Tour::join().await;
    let channel = tour.channel().await;
    let key = Keypair::new().pubkey();
    let rotate = tour.client.rotate_voucher_key(&channel.address, key);
    let landed =
        rotate.operator(&channel.operator as &DynSigner).send(&channel.payer).await.unwrap();
    tour.ran([&landed], "rotate_voucher_key").await;
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!((account.voucher_key, account.rotates_at), (key, i64::MAX));
}

#[tokio::test]
async fn voucher_key_rotates_after_the_grace() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let mut channel = tour.licensed(&work).await;
    let key = Keypair::new();
    let rotate = tour.client.rotate_voucher_key(&channel.address, key.pubkey());
    rotate.send(&channel.payer).await.unwrap();
    tour.settle(&channel, 1).await;
    let grace = tour.client.channel(&channel.address).await.unwrap().channel.grace_seconds;
    localnet.advance_seconds(u64::from(grace)).await.unwrap();
    let old = tour.statement(&channel, &[(0, 1)]).await;
    let settled = tour.client.settle(&old.voucher, old.bytes).send(&channel.operator).await;
    assert_refused(settled, PaymentsError::VoucherSignerMismatch);
    channel.voucher_key = key;
    tour.settle(&channel, 1).await;
    localnet.stop().await.unwrap();
}
