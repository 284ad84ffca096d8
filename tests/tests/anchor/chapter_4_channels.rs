//! Operators, and channels: a payer's deposits with one operator, and the licenses on them.

use motif_sdk::{
    Pubkey,
    channel::{OpenChannelArgs, Quota},
    client::DynSigner,
    licensing::Use,
    operator::{OperatorKey, OperatorTerms, RegisterOperatorArgs},
    payments::{License, PaymentsError},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::tour::{DEPOSIT, FEE_BPS, PRICE, Tour, assert_refused, opening};

#[tokio::test]
async fn operator_registers_its_keys() {
    let tour = Tour::join().await;
    let authority = tour.person().await;
    let [settle_key, receipt_key] = [(); 2].map(|()| Keypair::new().pubkey());
    let terms = OperatorTerms::new(authority.pubkey());
    let args = RegisterOperatorArgs { settle_key, receipt_key, terms };
    let registered = tour.client.register_operator(&authority, args).await.unwrap();
    tour.ran([&registered], "register_operator").await;
    let operator = tour.client.operator(&authority.pubkey()).await.unwrap();
    assert_eq!((operator.authority, operator.settle_key), (authority.pubkey(), settle_key));
    let now = tour.client.now().await.unwrap();
    assert_eq!(operator.receipt_keys.at(now), Some(&receipt_key));
}

#[tokio::test]
async fn operator_states_its_conditions() {
    let tour = Tour::join().await;
    let (payer, authority) = (tour.platform(DEPOSIT).await, tour.operator().await);
    let voucher_key = Keypair::new();
    let args = opening(&voucher_key);
    let terms = OperatorTerms { fee_bps: FEE_BPS + 1, ..OperatorTerms::new(authority.pubkey()) };
    let updated = tour.client.update_operator(&authority, terms).await.unwrap();
    tour.ran([&updated], "update_operator").await;
    let open = tour.client.open_channel(&authority.pubkey(), &tour.currency, args);
    assert_refused(open.send(&payer).await, PaymentsError::FeeTooLow);
    assert_eq!(tour.balance(&payer).await, DEPOSIT);
}

#[tokio::test]
async fn operator_key_rotates_with_a_delay() {
    let tour = Tour::join().await;
    let authority = tour.operator().await;
    let key = Keypair::new().pubkey();
    let rotate = tour.client.rotate_operator_key(&authority, OperatorKey::Settle, key);
    let rotated = rotate.await.unwrap();
    tour.ran([&rotated], "rotate_operator_key").await;
    let operator = tour.client.operator(&authority.pubkey()).await.unwrap();
    assert_eq!((operator.settle_key, operator.next_settle_key), (authority.pubkey(), key));
    assert!(operator.settle_rotates_at > tour.client.now().await.unwrap());
}

#[tokio::test]
async fn channel_holds_the_deposit() {
    let tour = Tour::join().await;
    let payer = tour.platform(DEPOSIT + 7).await;
    let (operator, voucher_key) = (tour.operator().await, Keypair::new());
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
    let (operator, voucher_key) = (tour.operator().await, Keypair::new());
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
    // The price of a quota and the fee on it are deposited.
    for channel in [&first, &second] {
        tour.fund(&channel.payer, 10_200).await;
    }
    accept(&first.address).send(&first.payer).await.unwrap();
    assert_eq!(tour.balance(&first.payer).await, 0);
    let refused = accept(&second.address).send(&second.payer).await;
    assert_refused(refused, PaymentsError::QuotaExceedsCap);
    let alone = tour.client.release_quota(&first.operator, None, &first.address, 0).await;
    assert_refused(alone, PaymentsError::LicenseInUse);
    let payer = Some(&first.payer as &DynSigner);
    let release = tour.client.release_quota(&first.operator, payer, &first.address, 0);
    let released = release.await.unwrap();
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
