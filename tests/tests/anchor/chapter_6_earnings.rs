//! Earnings: what works earned, and who is paid.

use std::sync::Arc;

use motif_gateway::{GatewayConfig, serve};
use motif_sdk::{
    channel::{self, OpenChannelArgs},
    earnings,
    fingerprint::content_digest,
    gateway::{GatewayClient, Payer, PayerOptions, PayerRequest},
    keypair::signing_key,
    licensing::{Registration, Use},
    operator::{OperatorTerms, RegisterOperatorArgs},
    payments::PaymentsError,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::tour::{DEPOSIT, FEE_BPS, PRICE, Tour, assert_refused, equal_split, image, opening};

#[tokio::test]
async fn gateway_pays_two_halves_to_the_unit() {
    const GENERATIONS: u64 = 33;
    const ODD_PRICE: u64 = 1_001;
    let tour = Tour::join().await;
    let [ines, kofi] = [tour.person().await, tour.person().await];
    let split = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    let registration = Registration { split, ..image(&ines) };
    let (work, _) = tour.client.register_work(registration).send(&ines).await.unwrap();
    tour.publish(&ines, &work, |offer| offer.uses[0].price = ODD_PRICE).await;

    let (payer, operator) = (tour.platform(DEPOSIT).await, tour.person().await);
    let register = RegisterOperatorArgs {
        terms: OperatorTerms {
            fee_bps: FEE_BPS,
            min_grace_seconds: 3_600,
            ..OperatorTerms::new(operator.pubkey())
        },
        ..RegisterOperatorArgs::single(operator.pubkey())
    };
    tour.client.register_operator(&operator, register).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("gateway.sqlite");
    let key = Arc::new(operator.insecure_clone());
    let mut config = GatewayConfig::new(&tour.url, key, store);
    config.operator_fee_bps = FEE_BPS;
    let gateway = serve(config).await.unwrap();
    let http = GatewayClient::new(&gateway.url());
    let voucher_key = Keypair::new();
    let args = OpenChannelArgs { grace_seconds: 3_600, ..opening(&voucher_key) };
    let open = tour.client.open_channel(&operator.pubkey(), &tour.currency, args);
    let (address, _) = open.send(&payer).await.unwrap();
    let accept = tour.client.accept_terms(&address, &work, Use::Generate);
    accept.max_price(ODD_PRICE).send(&payer).await.unwrap();

    let account = tour.client.channel(&address).await.unwrap();
    let (key, options) = (signing_key(&voucher_key), PayerOptions::default());
    let session = Payer::open(http.clone(), address, &account, key, options);
    let session = session.await.unwrap();
    for number in 0..GENERATIONS {
        let digest = content_digest(&number.to_le_bytes());
        let receipt = session.generate(0, 1, digest, digest).await.unwrap();
        assert!(receipt.verifies(&operator.pubkey()));
        assert_eq!(receipt.receipt.amount, ODD_PRICE);
    }
    let request = PayerRequest::settle(&address, &account.channel);
    let reports = http.settle(&request.sign(&signing_key(&payer))).await.unwrap();
    let receipts: u32 = reports.iter().map(|report| report.receipts).sum();
    assert_eq!(u64::from(receipts), GENERATIONS);

    // 33,033 units: a half is 16,516 and a half unit, which stays; the fee is 2 % on top.
    tour.client.collect(&operator, &address).await.unwrap();
    for person in [&ines, &kofi] {
        let claim = tour.client.claim(&work, &person.pubkey(), &tour.currency);
        assert_eq!(claim.send(&operator).await.unwrap().0, 16_516);
        assert_eq!(tour.balance(person).await, 16_516);
    }
    assert_eq!(tour.client.claim_fees(&operator, &address).await.unwrap().0, 660);
    let channel = tour.client.channel(&address).await.unwrap().channel;
    assert_eq!(channel.free().unwrap(), DEPOSIT - 33_033 - 660);
    gateway.shutdown().await;
}

#[tokio::test]
async fn stranger_opens_earnings_of_a_work() {
    let tour = Tour::join().await;
    let (creator, stranger) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let mint = tour.currency.mint;
    let open = earnings::open(&stranger.pubkey(), &work, &mint);
    let landed = tour.client.send(&[open], &stranger, &[]).await.unwrap();
    tour.ran([&landed], "open_earnings").await;
    let opened = tour.client.earnings(&work, &mint).await.unwrap().unwrap();
    assert_eq!((opened.earnings.work, opened.earnings.earned), (work, 0));
    assert_eq!(opened.recipients[0].key, creator.pubkey());
}

#[tokio::test]
async fn credit_is_collected_once() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 5).await;
    let collected = tour.client.collect(&creator, &channel.address).await.unwrap();
    tour.ran(&collected.transactions, "collect").await;
    assert_eq!(collected.amount, 5 * PRICE);
    let again = channel::collect(&channel.address, &tour.currency.mint, &[(0, work)]);
    let again = tour.client.send(&[again], &creator, &[]).await;
    assert_refused(again, PaymentsError::NothingToCollect);
    let earnings = tour.client.earnings(&work, &tour.currency.mint).await.unwrap().unwrap();
    assert_eq!(earnings.earnings.earned, 5 * PRICE);
}

#[tokio::test]
async fn recipient_is_paid_once() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.earn(&channel, 5).await;
    // Any key may send the claim; the money goes to the recipient.
    let claim = || tour.client.claim(&work, &creator.pubkey(), &tour.currency);
    let (paid, landed) = claim().send(&channel.operator).await.unwrap();
    tour.ran([&landed], "claim").await;
    assert_eq!((paid, tour.balance(&creator).await), (5 * PRICE, 5 * PRICE));
    let again = claim().send(&channel.operator).await;
    assert_refused(again, PaymentsError::NothingToClaim);
    assert_eq!(tour.balance(&creator).await, 5 * PRICE);
}

#[tokio::test]
async fn stranger_has_nothing_to_claim() {
    let tour = Tour::join().await;
    let (creator, stranger) = (tour.person().await, tour.person().await);
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.earn(&channel, 5).await;
    let claim = tour.client.claim(&work, &stranger.pubkey(), &tour.currency);
    assert_refused(claim.send(&stranger).await, PaymentsError::RecipientNotFound);
    assert_eq!(tour.balance(&stranger).await, 0);
}

#[tokio::test]
async fn operator_claims_its_fee_on_top() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.settle(&channel, 5).await;
    let claim = tour.client.claim_fees(&channel.operator, &channel.address);
    let (fee, landed) = claim.await.unwrap();
    tour.ran([&landed], "claim_fees").await;
    assert_eq!((fee, tour.balance(&channel.operator).await), (100, 100));
    let account = tour.client.channel(&channel.address).await.unwrap().channel;
    assert_eq!(account.free().unwrap(), DEPOSIT - 5 * PRICE - 100);
    // Any key may send it: the money goes to the operator's fee owner.
    let again = tour.client.claim_fees(&creator, &channel.address).await;
    assert_refused(again, PaymentsError::NothingToClaim);
    assert_eq!(tour.balance(&creator).await, 0);
}
