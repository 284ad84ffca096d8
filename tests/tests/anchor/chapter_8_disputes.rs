//! Disputes: who made a work, and what it earns meanwhile.

use motif_sdk::{
    licensing::{Dispute, LicensingError, OpenDisputeArgs, Verdict, WorkStatus},
    payments::PaymentsError,
    pda,
};
use solana_signer::Signer;

use super::tour::{DISPUTE_SECONDS, PRICE, Tour, assert_refused};

fn evidence() -> OpenDisputeArgs {
    OpenDisputeArgs {
        evidence_uri: "https://example.org/sketchbook".to_owned(),
        evidence_digest: [7; 32],
        max_bond: u64::MAX,
    }
}

#[tokio::test]
async fn dispute_marks_the_work() {
    let tour = Tour::join().await;
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let opened = tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    tour.ran([&opened], "open_dispute").await;
    let dispute = tour.client.dispute(&work).await.unwrap();
    assert_eq!((dispute.work, dispute.claimant), (work, claimant.pubkey()));
    assert_eq!(tour.client.work(&work).await.unwrap().status, WorkStatus::Disputed);
}

#[tokio::test]
async fn claimant_limits_the_bond() {
    let tour = Tour::join().await;
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let args = OpenDisputeArgs { max_bond: 1, ..evidence() };
    let opened = tour.client.open_dispute(&claimant, &work, args).await;
    assert_refused(opened, LicensingError::BondAboveMaximum);
    assert_eq!(tour.client.work(&work).await.unwrap().status, WorkStatus::Active);
}

#[tokio::test]
async fn owner_cannot_dispute_their_own_work() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    let opened = tour.client.open_dispute(&creator, &work, evidence()).await;
    assert_refused(opened, LicensingError::OwnerCannotDispute);
    assert!(tour.client.account(&pda::dispute(&work)).await.unwrap().is_none());
}

#[tokio::test]
async fn stranger_cannot_decide_a_dispute() {
    let tour = Tour::join().await;
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    let decided = tour.client.decide_dispute(&claimant, &work, Verdict::UPHELD).await;
    assert_refused(decided, LicensingError::NotArbiter);
    assert_eq!(tour.client.work(&work).await.unwrap().owner, creator.pubkey());
}

#[tokio::test]
async fn disputed_earnings_wait_for_the_verdict() {
    let tour = Tour::join().await;
    if !tour.has_authority().await {
        return;
    }
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.offered(&creator, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.earn(&channel, 3).await;
    let opened = tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    tour.ran([&opened], "apply_dispute").await;
    tour.earn(&channel, 4).await;

    let claim = || tour.client.claim(&work, &creator.pubkey(), &tour.currency);
    let (earlier, _) = claim().send(&channel.operator).await.unwrap();
    assert_eq!(earlier, 3 * PRICE);
    let contested = claim().send(&channel.operator).await;
    assert_refused(contested, PaymentsError::NothingToClaim);
    tour.client.decide_dispute(&tour.authority, &work, Verdict::Rejected).await.unwrap();
    let (later, _) = claim().send(&channel.operator).await.unwrap();
    assert_eq!(later, 4 * PRICE);
}

#[tokio::test]
async fn rejected_claim_costs_the_bond() {
    let tour = Tour::join().await;
    if !tour.has_authority().await {
        return;
    }
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    let bond = tour.client.dispute(&work).await.unwrap().bond_lamports;
    let before = tour.lamports(&creator.pubkey()).await;
    let decide = tour.client.decide_dispute(&tour.authority, &work, Verdict::Rejected);
    let decided = decide.await.unwrap();
    tour.ran([&decided], "decide_dispute").await;
    assert_eq!(tour.lamports(&creator.pubkey()).await, before + bond);
    assert_eq!(tour.client.work(&work).await.unwrap().status, WorkStatus::Active);
}

#[tokio::test]
async fn upheld_claim_hands_the_work_over() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    let decide = || tour.client.decide_dispute(&tour.authority, &work, Verdict::UPHELD);
    assert_refused(decide().await, LicensingError::HearingOpen);
    localnet.advance_seconds(u64::from(Dispute::HEARING_SECONDS)).await.unwrap();
    decide().await.unwrap();
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!((stored.creator, stored.owner), (creator.pubkey(), claimant.pubkey()));
    assert_eq!((stored.split.len(), stored.split[0].recipient), (1, claimant.pubkey()));
    localnet.stop().await.unwrap();
}

#[tokio::test]
async fn open_dispute_does_not_expire() {
    let tour = Tour::join().await;
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    let expired = tour.client.expire_dispute(&creator, &work).await;
    assert_refused(expired, LicensingError::DisputeOpen);
}

#[tokio::test]
async fn overdue_dispute_expires() {
    let Some((tour, localnet)) = Tour::with_clock().await else { return };
    let (creator, claimant) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    tour.client.open_dispute(&claimant, &work, evidence()).await.unwrap();
    localnet.advance_seconds(u64::from(DISPUTE_SECONDS) + 1).await.unwrap();
    let decided = tour.client.decide_dispute(&tour.authority, &work, Verdict::UPHELD).await;
    assert_refused(decided, LicensingError::DisputeOverdue);
    let expired = tour.client.expire_dispute(&claimant, &work).await.unwrap();
    tour.ran([&expired], "expire_dispute").await;
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!((stored.owner, stored.status), (creator.pubkey(), WorkStatus::Active));
    localnet.stop().await.unwrap();
}
