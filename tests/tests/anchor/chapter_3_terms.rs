//! Terms: what owners publish, and whom they approve.

use motif_sdk::{
    licensing::{LicensingError, Offer, Purpose, Use},
    payments::PaymentsError,
    pda,
};
use solana_signer::Signer;

use super::tour::{PRICE, Tour, assert_refused, offer};

#[tokio::test]
async fn terms_are_numbered_from_one() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    for number in [1, 2] {
        let publish = tour.client.publish_terms(&work, &tour.currency.mint, offer());
        let (published, landed) = publish.send(&creator).await.unwrap();
        tour.ran([&landed], "publish_terms").await;
        assert_eq!(published, number);
        let latest = tour.client.latest_terms(&work).await.unwrap();
        assert_eq!((latest.terms.number, latest.terms.offer), (number, offer()));
    }
}

#[tokio::test]
async fn terms_without_uses_are_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    let publish = tour.client.publish_terms(&work, &tour.currency.mint, Offer::new(Vec::new()));
    assert_refused(publish.send(&creator).await, LicensingError::InvalidUseCount);
    assert_eq!(tour.client.work(&work).await.unwrap().latest_terms, 0);
}

#[tokio::test]
async fn stranger_cannot_publish_terms() {
    let tour = Tour::join().await;
    let (creator, stranger) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let publish = tour.client.publish_terms(&work, &tour.currency.mint, offer());
    assert_refused(publish.send(&stranger).await, LicensingError::NotOwner);
}

#[tokio::test]
async fn terms_name_their_operators() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let channel = tour.channel().await;
    let other = tour.operator().await.pubkey();
    let work = tour.offered(&creator, |offer| offer.operators = vec![other]).await;
    let accept =
        || tour.client.accept_terms(&channel.address, &work, Use::Generate).max_price(PRICE);
    assert_refused(accept().send(&channel.payer).await, PaymentsError::OperatorNotNamed);
    let operators = vec![channel.operator.pubkey(), other];
    tour.publish(&creator, &work, |offer| offer.operators = operators).await;
    accept().send(&channel.payer).await.unwrap();
}

#[tokio::test]
async fn approval_opens_closed_terms() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |offer| offer.approval_required = true).await;
    let channel = tour.channel().await;
    let payer = channel.payer.pubkey();
    let accept =
        || tour.client.accept_terms(&channel.address, &work, Use::Generate).max_price(PRICE);
    assert_refused(accept().send(&channel.payer).await, PaymentsError::MissingApproval);
    let approve = tour.client.approve(&work, &payer, Purpose::License);
    let (number, landed) = approve.send(&creator).await.unwrap();
    tour.ran([&landed], "grant_approval").await;
    assert_eq!(number, 1);
    let (license, _) = accept().send(&channel.payer).await.unwrap();
    assert_eq!(license, 0);
}

#[tokio::test]
async fn revoked_approval_closes_them_again() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.offered(&creator, |offer| offer.approval_required = true).await;
    let channel = tour.channel().await;
    let payer = channel.payer.pubkey();
    tour.client.approve(&work, &payer, Purpose::License).send(&creator).await.unwrap();
    let revoke = tour.client.revoke_approval(&work, &payer, Purpose::License);
    let landed = revoke.send(&creator).await.unwrap();
    tour.ran([&landed], "revoke_approval").await;
    let approval = pda::approval(&pda::terms(&work, 1), &payer, Purpose::License);
    assert!(tour.client.account(&approval).await.unwrap().is_none());
    let accept = tour.client.accept_terms(&channel.address, &work, Use::Generate).max_price(PRICE);
    assert_refused(accept.send(&channel.payer).await, PaymentsError::MissingApproval);
}
