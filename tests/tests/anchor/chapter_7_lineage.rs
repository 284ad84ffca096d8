//! Lineage and splits: derivatives that pay their parents, and recipients that change.

use motif_sdk::{
    Pubkey,
    client::DynSigner,
    earnings,
    licensing::{Derivatives, LicensingError, MAX_RECIPIENTS, ParentShare, Registration, Share},
    pda,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::tour::{PRICE, Tour, assert_refused, equal_split, image};

fn child_of(parent: Pubkey, share_bps: u16, creator: &Keypair) -> Registration {
    Registration { parents: vec![ParentShare { work: parent, share_bps }], ..image(creator) }
}

#[tokio::test]
async fn derivative_pays_its_parent() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let parent = tour.offered(&ines, |_| ()).await;
    let register = tour.client.register_work(child_of(parent, 2_500, &kofi));
    let (child, _) = register.send(&kofi).await.unwrap();
    tour.publish(&kofi, &child, |_| ()).await;
    let channel = tour.licensed(&child).await;
    tour.earn(&channel, 10).await;

    let pulled = tour.client.pull(&kofi, &child, &tour.currency.mint).await.unwrap();
    tour.ran(&pulled, "pull").await;
    for (work, person, paid) in [(&parent, &ines, 2_500), (&child, &kofi, 7_500)] {
        let claim = tour.client.claim(work, &person.pubkey(), &tour.currency);
        assert_eq!(claim.send(&channel.operator).await.unwrap().0, paid);
    }
}

#[tokio::test]
async fn forbidden_derivative_is_refused() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let parent = tour.offered(&ines, |offer| offer.derivatives = Derivatives::Forbidden).await;
    let child = child_of(parent, 2_500, &kofi);
    let registered = tour.client.register_work(child.clone()).send(&kofi).await;
    assert_refused(registered, LicensingError::DerivativesForbidden);
    // The owner's signature is a right of its own.
    let register = tour.client.register_work(child).parent_owners([&ines as &DynSigner]);
    register.send(&kofi).await.unwrap();
}

#[tokio::test]
async fn stingy_derivative_is_refused() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let parent = tour.offered(&ines, |offer| offer.derivative_share_bps = 2_500).await;
    let registered = tour.client.register_work(child_of(parent, 2_499, &kofi)).send(&kofi).await;
    assert_refused(registered, LicensingError::ParentShareTooSmall);
}

#[tokio::test]
async fn split_changes_by_consent_of_who_loses() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let split = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    let registration = Registration { split, ..image(&ines) };
    let (work, _) = tour.client.register_work(registration).send(&ines).await.unwrap();
    let share = |person: &Keypair, share_bps| Share { recipient: person.pubkey(), share_bps };
    let split = [share(&ines, 7_000), share(&kofi, 3_000)];

    let proposed = tour.client.propose_split(&ines, &work, &split, None).await.unwrap();
    tour.ran(&proposed, "propose_split").await;
    let alone = tour.client.apply_split_change(&ines, &work).await;
    assert_refused(alone, LicensingError::MissingRecipientApproval);
    let approved = tour.client.approve_split_change(&kofi, &work, &split).await.unwrap();
    tour.ran([&approved], "approve_split_change").await;
    let applied = tour.client.apply_split_change(&ines, &work).await.unwrap();
    tour.ran([&applied], "apply_split_change").await;
    assert_eq!(tour.client.work(&work).await.unwrap().split, split);
}

#[tokio::test]
async fn recipient_revokes_its_approval() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let split = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    let registration = Registration { split, ..image(&ines) };
    let (work, _) = tour.client.register_work(registration).send(&ines).await.unwrap();
    let split = equal_split(&[ines.pubkey()]);
    tour.client.propose_split(&ines, &work, &split, None).await.unwrap();
    tour.client.approve_split_change(&kofi, &work, &split).await.unwrap();
    let revoked = tour.client.revoke_split_approval(&kofi, &work).await.unwrap();
    tour.ran([&revoked], "revoke_split_approval").await;
    let applied = tour.client.apply_split_change(&ines, &work).await;
    assert_refused(applied, LicensingError::MissingRecipientApproval);
}

#[tokio::test]
async fn new_split_counts_from_its_application() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let work = tour.offered(&ines, |_| ()).await;
    let channel = tour.licensed(&work).await;
    tour.earn(&channel, 10).await;
    let halves = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    tour.client.change_split(&work, &halves).send(&ines).await.unwrap();
    let apply = earnings::apply_split(&kofi.pubkey(), &work, &tour.currency.mint);
    let applied = tour.client.send(&[apply], &kofi, &[]).await.unwrap();
    tour.ran([&applied], "apply_split").await;
    tour.earn(&channel, 10).await;
    for (person, paid) in [(&ines, 15 * PRICE), (&kofi, 5 * PRICE)] {
        let claim = tour.client.claim(&work, &person.pubkey(), &tour.currency);
        assert_eq!(claim.send(&channel.operator).await.unwrap().0, paid);
    }
}

#[tokio::test]
async fn widest_split_is_proposed_in_parts() {
    let tour = Tour::join().await;
    let ines = tour.person().await;
    let work = tour.image(&ines).await;
    let people: Vec<_> = (0..MAX_RECIPIENTS).map(|_| Keypair::new().pubkey()).collect();
    let split = equal_split(&people);
    let proposed = tour.client.propose_split(&ines, &work, &split, None).await.unwrap();
    tour.ran(&proposed, "extend_split_change").await;
    tour.client.apply_split_change(&ines, &work).await.unwrap();
    assert_eq!(tour.client.work(&work).await.unwrap().split, split);
}

#[tokio::test]
async fn owner_cancels_a_proposed_split() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let work = tour.image(&ines).await;
    let split = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    tour.client.propose_split(&ines, &work, &split, None).await.unwrap();
    let cancelled = tour.client.cancel_split_change(&ines, &work).await.unwrap();
    tour.ran([&cancelled], "cancel_split_change").await;
    assert!(tour.client.account(&pda::split_change(&work)).await.unwrap().is_none());
    assert_eq!(tour.client.work(&work).await.unwrap().split_version, 0);
}
