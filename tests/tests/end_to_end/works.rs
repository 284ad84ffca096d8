//! The SDK's client on an embedded localnet: registrations larger than a
//! packet, rights that are looked up, and later changes of a work.

use motif_localnet::{Localnet, LocalnetConfig, clock};
use motif_sdk::{
    Error, Pubkey,
    channel::Currency,
    client::Client,
    licensing::{
        AcceptOwnershipArgs, Derivatives, Dispute, InitializeArgs, LicensingError, Offer,
        OpenDisputeArgs, ParentShare, Purpose, Registration, Right, Share, Unit, Use, UsePrice,
        Verdict, WorkKind,
    },
    pda,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn offer(derivatives: Derivatives) -> Offer {
    Offer {
        derivatives,
        derivative_share_bps: 1_000,
        ..Offer::new(vec![UsePrice {
            licensed_use: Use::Generate,
            unit: Unit::Generation,
            price: 1,
        }])
    }
}

fn widest() -> Vec<Share> {
    let share = |_| Share { recipient: Keypair::new().pubkey(), share_bps: 312 };
    let mut split: Vec<_> = (0..32).map(share).collect();
    split[0].share_bps += 16;
    split
}

fn child_of(parent: &Pubkey, creator: &Keypair, number: u8) -> Registration {
    Registration {
        parents: vec![ParentShare { work: *parent, share_bps: 1_000 }],
        ..Registration::new(WorkKind::Image, [number; 32], &creator.pubkey())
    }
}

#[tokio::test]
async fn client_covers_work_lifecycle() {
    let localnet = Localnet::start(LocalnetConfig::new().with_motif_programs()).await.unwrap();
    let client = Client::new(&localnet.rpc_url());
    let faucet = localnet.faucet();
    let [authority, creator, friend, claimant] = [(); 4].map(|()| Keypair::new());
    for person in [&authority, &creator, &friend, &claimant] {
        faucet.airdrop_sol(&person.pubkey(), 5_000_000_000).await.unwrap();
    }
    let mint = Currency::spl(faucet.dollar().mint).mint;
    let args = InitializeArgs {
        cluster: [7; 32],
        arbiter: authority.pubkey(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    client.initialize(&authority, args).await.unwrap();

    // Thirty-two recipients exceed a packet: the creator registers alone and changes the split.
    let wide = Registration {
        metadata_uri: "u".repeat(200),
        split: widest(),
        ..Registration::new(WorkKind::Image, [1; 32], &creator.pubkey())
    };
    let (work, _) = client.register_work(wide.clone()).send(&creator).await.unwrap();
    let stored = client.work(&work).await.unwrap();
    assert_eq!((stored.split, stored.split_version), (wide.split, 1));

    // By terms, by an approval, by the owner's signature, and without a right.
    let parent = ParentShare { work, share_bps: 1_000 };
    let right = |signers: Vec<Pubkey>| {
        let (client, key) = (client.clone(), friend.pubkey());
        async move { client.right_to(&key, &parent, &signers).await.unwrap() }
    };
    client.publish_terms(&work, &mint, offer(Derivatives::Allowed)).send(&creator).await.unwrap();
    assert_eq!(right(vec![]).await, Right::Terms(1));
    assert_eq!(right(vec![creator.pubkey()]).await, Right::OwnerSigns(creator.pubkey()));
    let asked = offer(Derivatives::WithApproval);
    client.publish_terms(&work, &mint, asked).send(&creator).await.unwrap();
    assert_eq!(right(vec![]).await, Right::Terms(2));
    let refused = client.register_work(child_of(&work, &friend, 2)).send(&friend).await;
    let Error::Rejected(refusal) = refused.unwrap_err() else { panic!("not refused") };
    assert_eq!(refusal.code, Some(LicensingError::MissingApproval.into()));
    let purpose = Purpose::Derivative;
    client.approve(&work, &friend.pubkey(), purpose).send(&creator).await.unwrap();
    assert_eq!(right(vec![]).await, Right::Approval(2));
    let child = child_of(&work, &friend, 2);
    let (child, _) = client.register_work(child).send(&friend).await.unwrap();
    assert_eq!(client.work(&child).await.unwrap().parents[0].terms_number, 2);
    let revocation = client.revoke_approval(&work, &friend.pubkey(), purpose).terms_number(2);
    revocation.send(&creator).await.unwrap();
    assert_eq!(right(vec![]).await, Right::Terms(2));

    // A split change, a certificate, a transfer, an upheld dispute.
    let halves = [&friend, &claimant].map(|person| person.pubkey());
    let halves = halves.map(|recipient| Share { recipient, share_bps: 5_000 }).to_vec();
    client.change_split(&child, &halves).send(&friend).await.unwrap();
    let (certificate, landed) = client.issue_certificate(&friend, &child, "Child").await.unwrap();
    println!("issue_certificate on the localnet: {} CU", landed.compute_units);
    assert_eq!(client.work(&child).await.unwrap().certificate, Some(certificate));
    client.offer_ownership(&friend, &child, Some(creator.pubkey())).await.unwrap();
    let offered = AcceptOwnershipArgs::of(&client.work(&child).await.unwrap());
    client.accept_ownership(&creator, &child, offered).await.unwrap();
    let evidence = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [1; 32],
        max_bond: u64::MAX,
    };
    client.open_dispute(&claimant, &child, evidence).await.unwrap();
    assert_eq!(client.dispute(&child).await.unwrap().claimant, claimant.pubkey());
    let hearing = u64::from(Dispute::HEARING_SECONDS);
    clock::advance_seconds(&localnet.rpc_url(), hearing).await.unwrap();
    client.decide_dispute(&authority, &child, Verdict::UPHELD).await.unwrap();
    let stored = client.work(&child).await.unwrap();
    assert_eq!((stored.owner, stored.split.len()), (claimant.pubkey(), 1));
    assert!(client.account(&pda::dispute(&child)).await.unwrap().is_none());
    client.withdraw_work(&claimant, &child).await.unwrap();
    localnet.stop().await.unwrap();
}
