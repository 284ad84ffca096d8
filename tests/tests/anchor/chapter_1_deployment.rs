//! The config of the deployment, its authority, and the currencies it admits.

use motif_sdk::licensing::{InitializeArgs, LicensingError, UpdateConfigArgs};
use solana_signer::Signer;
use tokio::sync::Mutex;

use super::tour::{BOND_LAMPORTS, DISPUTE_SECONDS, Tour, assert_refused};

/// Held while a test changes the config that all tests share.
static CONFIG: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn config_is_initialized_once() {
    let tour = Tour::join().await;
    if let [Some(initialized), _] = tour.preparation() {
        tour.ran([initialized], "initialize").await;
    }
    let config = tour.client.config().await.unwrap();
    let other = tour.person().await;
    let args = InitializeArgs {
        cluster: [1; 32],
        arbiter: other.pubkey(),
        dispute_bond_lamports: BOND_LAMPORTS,
        dispute_seconds: DISPUTE_SECONDS,
    };
    assert!(tour.client.initialize(&other, args).await.unwrap().is_none());
    assert_eq!(tour.client.config().await.unwrap().cluster, config.cluster);
}

#[tokio::test]
async fn vault_admits_the_test_dollar_once() {
    let tour = Tour::join().await;
    if let [_, Some(created)] = tour.preparation() {
        tour.ran([created], "create_vault").await;
    }
    let funder = tour.person().await;
    assert!(tour.client.create_vault(&funder, &tour.currency).await.unwrap().is_none());
}

#[tokio::test]
async fn authority_changes_dispute_settings() {
    let tour = Tour::join().await;
    let _changing = CONFIG.lock().await;
    if !tour.has_authority().await {
        return;
    }
    let arbiter = tour.authority.pubkey();
    for (dispute_bond_lamports, dispute_seconds) in
        [(BOND_LAMPORTS * 2, DISPUTE_SECONDS * 2), (BOND_LAMPORTS, DISPUTE_SECONDS)]
    {
        let args = UpdateConfigArgs { arbiter, dispute_bond_lamports, dispute_seconds };
        let landed = tour.client.update_config(&tour.authority, args).await.unwrap();
        tour.ran([&landed], "update_config").await;
        let config = tour.client.config().await.unwrap();
        let stored = (config.dispute_bond_lamports, config.dispute_seconds);
        assert_eq!(stored, (dispute_bond_lamports, dispute_seconds));
    }
}

#[tokio::test]
async fn stranger_cannot_change_the_config() {
    let tour = Tour::join().await;
    let stranger = tour.person().await;
    let args = UpdateConfigArgs {
        arbiter: stranger.pubkey(),
        dispute_bond_lamports: BOND_LAMPORTS,
        dispute_seconds: DISPUTE_SECONDS,
    };
    let update = tour.client.update_config(&stranger, args).await;
    assert_refused(update, LicensingError::NotAuthority);
    assert_ne!(tour.client.config().await.unwrap().arbiter, stranger.pubkey());
}

#[tokio::test]
async fn authority_changes_hands_by_consent() {
    let tour = Tour::join().await;
    let _changing = CONFIG.lock().await;
    if !tour.has_authority().await {
        return;
    }
    let (first, second) = (&tour.authority, tour.person().await);
    for (from, to) in [(first, &second), (&second, first)] {
        let offered = tour.client.offer_authority(from, Some(to.pubkey())).await.unwrap();
        tour.ran([&offered], "offer_authority").await;
        let accepted = tour.client.accept_authority(to).await.unwrap();
        tour.ran([&accepted], "accept_authority").await;
        assert_eq!(tour.client.config().await.unwrap().authority, to.pubkey());
    }
    assert_refused(tour.client.accept_authority(&second).await, LicensingError::NotOffered);
}
