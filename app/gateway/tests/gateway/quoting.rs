use licensing::{
    Caps, Derivatives, Fingerprint, Inherited, Offer, Share, Terms, Unit, Use, UsePrice, Work,
    WorkKind, WorkStatus,
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{KindWord, UnitWord, UseWord},
};

use crate::world::{MINT, Network, World};

const WORK: Pubkey = Pubkey::new_from_array([30; 32]);
const CREATOR: Pubkey = Pubkey::new_from_array([31; 32]);

fn publish(world: &World) {
    let mut state = world.chain.state();
    state.works.insert(
        WORK,
        Work {
            version: 1,
            bump: 255,
            kind: WorkKind::Image,
            status: WorkStatus::Active,
            latest_terms: 2,
            split_version: 0,
            verdict_version: 0,
            withdrawn_at: i64::MAX,
            registered_at: 1,
            creator: CREATOR,
            owner: CREATOR,
            content_digest: [1; 32],
            fingerprint: Fingerprint { scheme: 0, bits: [0; 32] },
            metadata_digest: [0; 32],
            consent: None,
            certificate: None,
            pending_owner: None,
            inherited: Inherited::default(),
            model: None,
            metadata_uri: String::new(),
            parents: Vec::new(),
            split: vec![Share { recipient: CREATOR, share_bps: 10_000 }],
        },
    );
    let offer = Offer {
        commercial: true,
        attribution: true,
        sublicensing: false,
        approval_required: false,
        derivatives: Derivatives::Allowed,
        share_alike: false,
        derivative_share_bps: 2_000,
        upfront_fee: 5,
        free_units: 3,
        caps: Caps::default(),
        valid_from: 0,
        expires_at: None,
        notice_seconds: 0,
        legal_digest: [0; 32],
        uses: vec![UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: 101 }],
        legal_uri: String::new(),
    };
    let terms = Terms {
        version: 1,
        bump: 255,
        work: WORK,
        number: 2,
        currency: MINT,
        published_at: 1,
        offer,
    };
    state.terms.insert((WORK, 2), terms);
}

#[tokio::test]
async fn a_quote_states_price_fee_and_the_terms_it_is_from() {
    let world = World::with(|config| config.operator_fee_bps = 150).await;
    publish(&world);
    let quote = world.client().quote(&WORK, UseWord::Generate).await.unwrap();
    assert_eq!((quote.price.0, quote.operator_fee_bps, quote.price_with_fee.0), (101, 150, 103));
    assert_eq!((quote.unit, quote.terms_number), (UnitWord::Generation, 2));
    assert_eq!((quote.terms_digest.0, quote.upfront_fee.0, quote.free_units), ([4; 32], 5, 3));
    let refused = world.client().quote(&WORK, UseWord::Train).await.unwrap_err();
    assert_eq!(refused.slug(), Some("use-not-licensed"));
}

#[tokio::test]
async fn works_are_found_by_creator_and_kind() {
    let world = World::new().await;
    publish(&world);
    let (client, image, voice) = (world.client(), KindWord::Image, KindWord::Voice);
    let facts = client.work(&WORK).await.unwrap();
    assert_eq!(facts.terms.map(|terms| terms.number), Some(2));
    assert_eq!(client.works(None, None).await.unwrap().len(), 1);
    assert_eq!(client.works(Some(&CREATOR), Some(image)).await.unwrap().len(), 1);
    assert_eq!(client.works(None, Some(voice)).await.unwrap().len(), 0);
    assert_eq!(client.works(Some(&WORK), None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn readiness_means_that_the_chain_answers() {
    let world = World::new().await;
    let client = world.client().patience(std::time::Duration::ZERO);
    client.ready().await.unwrap();
    assert_eq!(client.operator().await.unwrap().operator.0, world.operator());
    world.chain.network(Network::Down);
    assert_eq!(client.ready().await.unwrap_err().slug(), Some("chain-unreachable"));
    let works = client.works(None, None).await.unwrap_err();
    assert_eq!(works.slug(), Some("chain-unreachable"));
}
