//! Works: registration, owners, consent, certificates.

use motif_sdk::{
    channel::TOKEN_PROGRAM,
    client::DynSigner,
    licensing::{
        AcceptOwnershipArgs, LicensingError, Registration, Share, TOKEN_METADATA_PROGRAM,
        UpdateMetadataArgs, WorkKind, WorkStatus,
    },
    pda,
};
use solana_signer::Signer;

use super::tour::{Tour, assert_refused, equal_split, image, offer};

#[tokio::test]
async fn work_is_registered_by_its_digest() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let registration = image(&creator);
    let digest = registration.content_digest;
    let (work, landed) = tour.client.register_work(registration).send(&creator).await.unwrap();
    tour.ran([&landed], "register_work").await;
    assert_eq!(work, pda::work(&creator.pubkey(), &digest));
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!((stored.kind, stored.content_digest), (WorkKind::Image, digest));
    assert_eq!((stored.creator, stored.owner), (creator.pubkey(), creator.pubkey()));
}

#[tokio::test]
async fn split_names_the_recipients() {
    let tour = Tour::join().await;
    let (ines, kofi) = (tour.person().await, tour.person().await);
    let split = equal_split(&[ines.pubkey(), kofi.pubkey()]);
    let registration = Registration { split: split.clone(), ..image(&ines) };
    let (work, _) = tour.client.register_work(registration).send(&ines).await.unwrap();
    assert_eq!(tour.client.work(&work).await.unwrap().split, split);
}

#[tokio::test]
async fn split_below_the_whole_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let split = vec![Share { recipient: creator.pubkey(), share_bps: 9_999 }];
    let registration = Registration { split, ..image(&creator) };
    let work = pda::work(&creator.pubkey(), &registration.content_digest);
    let registered = tour.client.register_work(registration).send(&creator).await;
    assert_refused(registered, LicensingError::InvalidSplitTotal);
    assert!(tour.client.account(&work).await.unwrap().is_none());
}

#[tokio::test]
async fn work_without_content_is_refused() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let registration = Registration::new(WorkKind::Image, [0; 32], &creator.pubkey());
    let registered = tour.client.register_work(registration).send(&creator).await;
    assert_refused(registered, LicensingError::EmptyDigest);
}

#[tokio::test]
async fn second_claim_to_content_is_visible() {
    let tour = Tour::join().await;
    let (first, second) = (tour.person().await, tour.person().await);
    let registration = image(&first);
    let digest = registration.content_digest;
    let (original, _) = tour.client.register_work(registration).send(&first).await.unwrap();
    let copy = Registration::new(WorkKind::Image, digest, &second.pubkey());
    let (copy, _) = tour.client.register_work(copy).send(&second).await.unwrap();
    let [original, copy] =
        [tour.client.work(&original).await.unwrap(), tour.client.work(&copy).await.unwrap()];
    assert_eq!(original.content_digest, copy.content_digest);
    assert!(original.registered_at <= copy.registered_at);
}

#[tokio::test]
async fn ownership_changes_by_consent() {
    let tour = Tour::join().await;
    let (creator, buyer) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let expected = AcceptOwnershipArgs::of(&tour.client.work(&work).await.unwrap());
    let accepted = tour.client.accept_ownership(&buyer, &work, expected).await;
    assert_refused(accepted, LicensingError::NotOffered);
    let to = Some(buyer.pubkey());
    let offered = tour.client.offer_ownership(&creator, &work, to).await.unwrap();
    tour.ran([&offered], "offer_ownership").await;
    let accepted = tour.client.accept_ownership(&buyer, &work, expected).await.unwrap();
    tour.ran([&accepted], "accept_ownership").await;
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!((stored.creator, stored.owner), (creator.pubkey(), buyer.pubkey()));
}

#[tokio::test]
async fn changed_work_is_not_accepted() {
    let tour = Tour::join().await;
    let (creator, buyer) = (tour.person().await, tour.person().await);
    let work = tour.image(&creator).await;
    let expected = AcceptOwnershipArgs::of(&tour.client.work(&work).await.unwrap());
    tour.client.offer_ownership(&creator, &work, Some(buyer.pubkey())).await.unwrap();
    tour.publish(&creator, &work, |_| ()).await;
    let accepted = tour.client.accept_ownership(&buyer, &work, expected).await;
    assert_refused(accepted, LicensingError::WorkChanged);
    assert_eq!(tour.client.work(&work).await.unwrap().owner, creator.pubkey());
}

#[tokio::test]
async fn owner_changes_title_and_metadata() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    let metadata = |title: &str| UpdateMetadataArgs {
        title: title.to_owned(),
        metadata_uri: "https://example.org/coffee.json".to_owned(),
        metadata_digest: [5; 32],
    };
    let spoofed = tour.client.update_metadata(&creator, &work, metadata("Coffee\u{202E}")).await;
    assert_refused(spoofed, LicensingError::InvalidTitle);
    let update = tour.client.update_metadata(&creator, &work, metadata("Coffee in the sun"));
    let updated = update.await.unwrap();
    tour.ran([&updated], "update_metadata").await;
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!((stored.title.as_str(), stored.metadata_digest), ("Coffee in the sun", [5; 32]));
}

#[tokio::test]
async fn voice_needs_its_persons_consent() {
    let tour = Tour::join().await;
    let (creator, singer) = (tour.person().await, tour.person().await);
    let voice = Registration { kind: WorkKind::Voice, ..image(&creator) };
    let alone = tour.client.register_work(voice.clone()).send(&creator).await;
    assert_refused(alone, LicensingError::MissingConsent);
    let together = tour.client.register_work(voice).consent(&singer as &DynSigner);
    let (work, _) = together.send(&creator).await.unwrap();
    let consent = tour.client.work(&work).await.unwrap().consent.unwrap();
    assert_eq!((consent.person, consent.expires_at), (singer.pubkey(), None));
}

#[tokio::test]
async fn person_ends_their_consent() {
    let tour = Tour::join().await;
    let (creator, singer) = (tour.person().await, tour.person().await);
    let voice = Registration { kind: WorkKind::Voice, ..image(&creator) };
    let register = tour.client.register_work(voice).consent(&singer as &DynSigner);
    let (work, _) = register.send(&creator).await.unwrap();
    let end = Some(tour.client.now().await.unwrap() + 86_400);
    let changed = tour.client.set_consent_end(&creator, &work, end).await;
    assert_refused(changed, LicensingError::NotConsentingPerson);
    let changed = tour.client.set_consent_end(&singer, &work, end).await.unwrap();
    tour.ran([&changed], "set_consent_end").await;
    let consent = tour.client.work(&work).await.unwrap().consent.unwrap();
    assert_eq!(consent.expires_at, end);
}

#[tokio::test]
async fn certificate_is_one_token_of_the_owner() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    if tour.client.account(&TOKEN_METADATA_PROGRAM).await.unwrap().is_none() {
        eprintln!("SKIPPED: the validator does not have the Token Metadata program");
        return;
    }
    let issue = tour.client.issue_certificate(&creator, &work, "Coffee");
    let (mint, landed) = issue.await.unwrap();
    tour.ran([&landed], "issue_certificate").await;
    let tokens = pda::tokens(&creator.pubkey(), &mint, &TOKEN_PROGRAM);
    let balance = tour.client.rpc().get_token_account_balance(&tokens).await.unwrap();
    assert_eq!((balance.amount.as_str(), balance.decimals), ("1", 0));
    assert_eq!(tour.client.work(&work).await.unwrap().certificate, Some(mint));
}

#[tokio::test]
async fn withdrawn_work_takes_no_terms() {
    let tour = Tour::join().await;
    let creator = tour.person().await;
    let work = tour.image(&creator).await;
    let withdrawn = tour.client.withdraw_work(&creator, &work).await.unwrap();
    tour.ran([&withdrawn], "withdraw_work").await;
    let stored = tour.client.work(&work).await.unwrap();
    assert_eq!(stored.status, WorkStatus::Withdrawn);
    let publish = tour.client.publish_terms(&work, &tour.currency.mint, offer());
    assert_refused(publish.send(&creator).await, LicensingError::WorkNotActive);
}
