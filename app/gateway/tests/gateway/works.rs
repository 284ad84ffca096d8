use licensing::{
    Derivatives, Fingerprint, Inherited, Offer, Parent, Share, Terms, Unit, Use, UsePrice, Work,
    WorkKind, WorkStatus,
};
use motif_sdk::{
    Pubkey,
    gateway::wire::{Address, Amount, WorkList, WorkQuery},
};

use crate::world::{MINT, World};

/// Image with terms number 2, at 101 per generation.
pub const WORK: Pubkey = Pubkey::new_from_array([30; 32]);
const CREATOR: Pubkey = Pubkey::new_from_array([31; 32]);
/// Withdrawn voice of another owner, derived from it and without terms.
const CHILD: Pubkey = Pubkey::new_from_array([32; 32]);

pub fn publish(world: &World) {
    let mut state = world.chain.state();
    state.works.insert(WORK, work());
    let offer = Offer {
        attribution: true,
        derivatives: Derivatives::Allowed,
        derivative_share_bps: 2_000,
        upfront_fee: 5,
        free_units: 3,
        ..Offer::new(vec![UsePrice {
            licensed_use: Use::Generate,
            unit: Unit::Generation,
            price: 101,
        }])
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

fn publish_child(world: &World) {
    let child = Work {
        kind: WorkKind::Voice,
        status: WorkStatus::Withdrawn,
        latest_terms: 0,
        withdrawn_at: 9,
        registered_at: 2,
        creator: MINT,
        parents: vec![Parent { work: WORK, share_bps: 2_500, terms_number: 2 }],
        ..work()
    };
    world.chain.state().works.insert(CHILD, child);
}

fn work() -> Work {
    Work {
        version: 1,
        bump: 255,
        kind: WorkKind::Image,
        status: WorkStatus::Active,
        latest_terms: 2,
        split_version: 0,
        verdict_version: 0,
        disputes: 0,
        verdict_dispute: 0,
        verdict_terms: 0,
        verdict_keeps_recipients: false,
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
        title: "Coffee".into(),
        metadata_uri: String::new(),
        parents: Vec::new(),
        split: vec![Share { recipient: CREATOR, share_bps: 10_000 }],
    }
}

async fn found(world: &World, query: WorkQuery) -> Vec<Pubkey> {
    let works = world.client().works(&query).await.unwrap().works;
    works.into_iter().map(|facts| facts.work.0).collect()
}

#[tokio::test]
async fn listed_works_have_titles() {
    let world = World::new().await;
    publish(&world);
    let listed = world.client().works(&WorkQuery::default()).await.unwrap().works;
    assert_eq!(listed.iter().map(|work| &*work.title).collect::<Vec<_>>(), ["Coffee"]);
}

#[tokio::test]
async fn works_are_filtered() {
    let world = World::new().await;
    publish(&world);
    publish_child(&world);
    let any = WorkQuery::default;
    let offered = Some(Use::Generate);
    for (query, expected) in [
        (any(), &[WORK, CHILD][..]),
        (WorkQuery { creator: Some(Address(CREATOR)), ..any() }, &[WORK]),
        (WorkQuery { owner: Some(Address(CREATOR)), ..any() }, &[WORK, CHILD]),
        (WorkQuery { kind: Some(WorkKind::Voice), ..any() }, &[CHILD]),
        (WorkQuery { status: Some(WorkStatus::Withdrawn), ..any() }, &[CHILD]),
        (WorkQuery { status: Some(WorkStatus::Disputed), ..any() }, &[]),
        (WorkQuery { licensed_use: offered, ..any() }, &[WORK]),
        (WorkQuery { licensed_use: Some(Use::Train), ..any() }, &[]),
        (WorkQuery { max_price: Some(Amount(101)), ..any() }, &[WORK]),
        (WorkQuery { max_price: Some(Amount(100)), ..any() }, &[]),
        (WorkQuery { currency: Some(Address(MINT)), ..any() }, &[WORK]),
        (WorkQuery { currency: Some(Address(CREATOR)), ..any() }, &[]),
    ] {
        let described = query.to_string();
        assert_eq!(found(&world, query).await, expected, "{described}");
    }
}

#[tokio::test]
async fn works_are_paged() {
    let world = World::new().await;
    publish(&world);
    publish_child(&world);
    let page = |limit, offset| WorkQuery {
        limit: Some(limit),
        offset: Some(offset),
        ..WorkQuery::default()
    };
    let WorkList { total, offset, works } = world.client().works(&page(1, 1)).await.unwrap();
    assert_eq!((total, offset, works.len(), works[0].work.0), (2, 1, 1, CHILD));
    assert!(found(&world, page(1, 2)).await.is_empty());
    let unreadable = world.send(reqwest::Method::GET, "/v1/works?limit=-1", None, None).await;
    assert_eq!(unreadable.status, 400);
}

#[tokio::test]
async fn work_details_include_family() {
    let world = World::new().await;
    publish(&world);
    publish_child(&world);
    let details = world.client().work(&WORK).await.unwrap();
    assert_eq!(details.work.terms.map(|terms| terms.number), Some(2));
    let [child] = details.children[..] else { panic!("{:?}", details.children) };
    assert_eq!((child.work.0, child.share_bps), (CHILD, Some(2_500)));
    assert_eq!(details.conflicts.len(), 1, "the child was registered with the same content");
    assert!(details.parents.is_empty());

    let child = world.client().work(&CHILD).await.unwrap();
    assert_eq!((child.work.status, child.work.withdrawn_at), (WorkStatus::Withdrawn, Some(9)));
    assert_eq!((child.work.terms, child.parents[0].share_bps), (None, Some(2_500)));
    let unknown = world.client().work(&MINT).await.unwrap_err();
    assert_eq!(unknown.slug(), Some("unknown-work"));
}

#[tokio::test]
async fn lineage_shows_shares() {
    let world = World::new().await;
    publish(&world);
    publish_child(&world);
    let up = world.client().lineage(&CHILD).await.unwrap();
    assert_eq!((up.ancestors[0].work.0, up.ancestors[0].share_ppb), (WORK, 250_000_000));
    let down = world.client().lineage(&WORK).await.unwrap();
    assert_eq!((down.descendants[0].work.0, down.descendants[0].distance), (CHILD, 1));
    let unknown = world.client().lineage(&MINT).await.unwrap_err();
    assert_eq!(unknown.slug(), Some("unknown-work"));
}
