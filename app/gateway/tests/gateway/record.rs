//! What works earn and who used them, as pages and the command line read it.

use motif_sdk::{
    Pubkey,
    earnings::{Earnings, EarningsAccount, Part},
    gateway::wire::{
        Address, PersonEarnings, PersonProof, SignatureHex, Standing, WorkEarnings, WorkReceipts,
        WorkUsageBy, WorkUsageReport,
    },
    licensing::{Share, Work},
};
use reqwest::Client;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    works,
    world::{Answer, CHANNEL, MINT, World, with_admin},
};

/// Work of the licenses of the scripted channel.
const WORK: Pubkey = Pubkey::new_from_array([7; 32]);

fn owner() -> Keypair {
    Keypair::new_from_array([51; 32])
}

fn recipient() -> Keypair {
    Keypair::new_from_array([52; 32])
}

/// Registers [`WORK`] with its owner and a recipient, half each.
fn register(world: &World) {
    works::publish(world);
    let mut state = world.chain.state();
    let split =
        [owner(), recipient()].map(|key| Share { recipient: key.pubkey(), share_bps: 5_000 });
    let work = Work {
        owner: owner().pubkey(),
        split: split.to_vec(),
        ..state.works[&works::WORK].clone()
    };
    state.works.insert(WORK, work);
}

fn now() -> i64 {
    crate::sold::now()
}

fn proof_until(world: &World, key: &Keypair, expires_at: i64) -> PersonProof {
    let person = key.pubkey();
    let message = PersonProof::message(&world.operator(), &person, expires_at);
    let signature = SignatureHex(key.sign_message(message.as_bytes()).into());
    PersonProof { address: Address(person), expires_at, signature }
}

fn proof(world: &World, key: &Keypair) -> PersonProof {
    proof_until(world, key, now() + 600)
}

async fn get(world: &World, path: &str, proof: Option<&PersonProof>) -> Answer {
    let mut asked = Client::new().get(format!("{}{path}", world.gateway.url()));
    if let Some(proof) = proof {
        asked = asked.header(PersonProof::HEADER, proof.to_header());
    }
    Answer::to(asked).await
}

async fn read<T: serde::de::DeserializeOwned>(
    world: &World,
    path: &str,
    proof: Option<&PersonProof>,
) -> T {
    let answer = get(world, path, proof).await;
    answer.assert_ok();
    serde_json::from_slice(&answer.body).unwrap()
}

async fn used(generations: u32) -> World {
    let world = World::with(|config| {
        with_admin(config);
        config.catalogue_seconds = 0;
    })
    .await;
    register(&world);
    for number in 0..generations {
        let request = world.next_request().await;
        world.generate(&format!("generation-{number}"), &request).await.assert_ok();
    }
    world
}

fn amounts(standing: &Standing) -> [Option<u64>; 4] {
    let some = |amount: motif_sdk::gateway::wire::Amount| Some(amount.0);
    [
        standing.vouched.map(|amount| amount.0),
        some(standing.settled),
        some(standing.claimable),
        some(standing.claimed),
    ]
}

#[tokio::test]
async fn earnings_move_from_vouched_to_claimed() {
    let world = used(3).await;
    let (key, path) = (owner(), format!("/v1/people/{}/earnings", owner().pubkey()));
    let proof = proof(&world, &key);
    let of = async |proof| {
        let earnings: PersonEarnings = read(&world, &path, proof).await;
        assert_eq!(earnings.works.len(), 1, "{earnings:?}");
        assert_eq!(earnings.works[0].currencies, earnings.totals);
        amounts(&earnings.totals[0])
    };
    assert_eq!(of(Some(&proof)).await, [Some(300), Some(0), Some(0), Some(0)]);
    world.settle().await.unwrap();
    assert_eq!(of(Some(&proof)).await, [Some(0), Some(300), Some(0), Some(0)]);
    // What the program does: collect, then claim by one of the two.
    {
        let mut state = world.chain.state();
        let license = &mut state.channels.get_mut(&crate::world::CHANNEL).unwrap().licenses[0];
        license.collected = license.settled;
        let part = |key: Keypair, taken| Part {
            key: key.pubkey(),
            share_bps: 5_000,
            taken,
            ..Part::default()
        };
        let earnings = Earnings {
            own_bps: 10_000,
            earned: 300,
            work: WORK,
            mint: MINT,
            ..bytemuck::Zeroable::zeroed()
        };
        let recipients = vec![part(owner(), 150), part(recipient(), 0)];
        state.earnings = vec![EarningsAccount { earnings, parents: Vec::new(), recipients }];
    }
    assert_eq!(of(Some(&proof)).await, [Some(0), Some(0), Some(0), Some(150)]);
    assert_eq!(of(None).await, [None, Some(0), Some(0), Some(150)]);
    let work: WorkEarnings = read(&world, &format!("/v1/works/{WORK}/earnings"), None).await;
    assert_eq!(amounts(&work.currencies[0]), [None, Some(0), Some(150), Some(150)]);
    assert_eq!(work.currencies[0].collected.0, 300);
    let claimable: Vec<_> = work.recipients.iter().map(|part| part.claimable.0).collect();
    assert_eq!(claimable, [0, 150]);
}

#[tokio::test]
async fn usage_equals_reconciliation() {
    let world = used(3).await;
    world.settle().await.unwrap();
    let after = world.next_request().await;
    world.generate("another-generation", &after).await.assert_ok();
    let books = world.admin().reconcile().await.unwrap();
    assert!(books.exact, "{books:?}");
    let channel = &books.channels[0];
    let proof = proof(&world, &recipient());
    for by in [WorkUsageBy::Day, WorkUsageBy::Use, WorkUsageBy::Platform] {
        let path = format!("/v1/works/{WORK}/usage?by={by}");
        let report: WorkUsageReport = read(&world, &path, Some(&proof)).await;
        let [row] = &report.rows[..] else { panic!("{report:?}") };
        assert_eq!((row.prices, row.charged), (channel.receipts_prices, channel.receipts_charged));
        assert_eq!((row.generations, row.units, row.settled.0), (4, 4, 300), "{by}");
        assert_eq!(row.mint.0, MINT);
    }
    let path = format!("/v1/works/{WORK}/usage?by=platform");
    let report: WorkUsageReport = read(&world, &path, Some(&proof)).await;
    assert_eq!(report.rows[0].name, world.chain.channel_account().channel.payer.to_string());
    let path = format!("/v1/works/{WORK}/usage?by=day&to=1");
    let report: WorkUsageReport = read(&world, &path, Some(&proof)).await;
    assert!(report.rows.is_empty(), "{report:?}");
    // The sums are the same after a restart, from scratch.
    let world = world.restarted(false).await;
    register(&world);
    let path = format!("/v1/works/{WORK}/usage?by=use");
    let report: WorkUsageReport = read(&world, &path, Some(&proof)).await;
    let name = &report.rows[0].name;
    assert_eq!((report.rows[0].prices.0, report.rows[0].settled.0), (400, 300), "{name}");
}

#[tokio::test]
async fn usage_is_available_as_csv() {
    let world = used(1).await;
    let path = format!("{}/v1/works/{WORK}/usage?by=platform", world.gateway.url());
    let proof = proof(&world, &owner()).to_header();
    let asked =
        Client::new().get(path).header("accept", "text/csv").header(PersonProof::HEADER, proof);
    let answer = Answer::to(asked).await;
    assert!(answer.kind.starts_with("text/csv"), "{}", answer.kind);
    let payer = world.chain.channel_account().channel.payer;
    let header = "platform,mint,generations,units,prices,charged,settled\n";
    assert_eq!(answer.text(), format!("{header}{payer},{MINT},1,1,100,102,0\n"));
}

#[tokio::test]
async fn strangers_read_no_usage() {
    let world = used(1).await;
    let stranger = Keypair::new_from_array([53; 32]);
    let receipts = format!("/v1/works/{WORK}/receipts?channel={CHANNEL}");
    get(&world, &receipts, None).await.assert_problem(403, "not-the-person");
    let answer = get(&world, &receipts, Some(&proof(&world, &stranger))).await;
    answer.assert_problem(403, "not-the-person");
    let own: WorkReceipts = read(&world, &receipts, Some(&proof(&world, &owner()))).await;
    assert_eq!(own.receipts.len(), 1);
    let none = format!("{receipts}&statement=0&position=1");
    let own: WorkReceipts = read(&world, &none, Some(&proof(&world, &owner()))).await;
    assert!(own.receipts.is_empty());

    let usage = format!("/v1/works/{WORK}/usage?by=day");
    get(&world, &usage, None).await.assert_problem(403, "not-the-person");
    let answer = get(&world, &usage, Some(&proof(&world, &stranger))).await;
    answer.assert_problem(403, "not-the-person");
    // Forged, expired, and valid for too long.
    let forged = PersonProof { address: Address(owner().pubkey()), ..proof(&world, &stranger) };
    get(&world, &usage, Some(&forged)).await.assert_problem(403, "not-the-person");
    for (expires_at, said) in [
        (now() - 100, "expired 10"),
        (now() + 2 * PersonProof::MAX_SECONDS, "too far in the future"),
    ] {
        let stale = proof_until(&world, &owner(), expires_at);
        let answer = get(&world, &usage, Some(&stale)).await;
        answer.assert_problem(403, "request-stale");
        let detail = answer.problem().detail;
        assert!(detail.contains(said) && detail.contains("sign the request again"), "{detail}");
    }
    // The proof of another gateway.
    let other = Pubkey::new_from_array([9; 32]);
    let expires_at = now() + 60;
    let message = PersonProof::message(&other, &owner().pubkey(), expires_at);
    let signature = SignatureHex(owner().sign_message(message.as_bytes()).into());
    let replayed = PersonProof { address: Address(owner().pubkey()), expires_at, signature };
    get(&world, &usage, Some(&replayed)).await.assert_problem(403, "not-the-person");
    let earnings = format!("/v1/people/{}/earnings", owner().pubkey());
    let shown: PersonEarnings = read(&world, &earnings, Some(&proof(&world, &stranger))).await;
    assert!(shown.totals.iter().all(|standing| standing.vouched.is_none()), "{shown:?}");
    let unknown = format!("/v1/works/{}/earnings", Pubkey::new_from_array([99; 32]));
    get(&world, &unknown, None).await.assert_problem(404, "unknown-work");
}
