//! Concurrent requests with one hold's key.

use futures::future::join_all;
use motif_sdk::gateway::{
    GatewayError, IdempotencyKey, PayerAction, PayerRequest, hold_details, hold_id,
    wire::{
        Address, BatchRequest, Digest, HoldFacts, HoldRequest, HoldState, PayerProof,
        ReleaseRequest,
    },
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Method;

use crate::world::{CHANNEL, World, on_postgres_too, voucher_key};

/// Requests of a payer for one hold.
#[derive(Clone)]
struct Named {
    key: IdempotencyKey,
    expires_at: i64,
}

impl Named {
    fn new() -> Self {
        Self { key: IdempotencyKey::random(), expires_at: in_fifty_minutes() }
    }

    fn prove(world: &World, action: PayerAction) -> PayerProof {
        let channel = world.chain.channel_account().channel;
        PayerProof::from(&PayerRequest::new(action, &CHANNEL, &channel).sign(&voucher_key()))
    }

    fn id(&self, world: &World) -> [u8; 32] {
        hold_id(&CHANNEL, world.chain.channel_account().channel.opened_slot, &self.key)
    }

    /// Request digest of all payments in these tests.
    const REQUEST: [u8; 32] = [21; 32];

    async fn hold(&self, world: &World) -> Result<HoldFacts, GatewayError> {
        let Self { key, expires_at } = self;
        let details = hold_details(key, 0, 1, &Self::REQUEST, *expires_at);
        let request = HoldRequest {
            license: 0,
            units: 1,
            request_digest: Digest(Self::REQUEST),
            expires_at: *expires_at,
            proof: Self::prove(world, PayerAction::Hold(details)),
        };
        world.client().hold(&CHANNEL, key, &request).await
    }

    async fn release(&self, world: &World) -> Result<HoldFacts, GatewayError> {
        let id = self.id(world);
        let proof = Self::prove(world, PayerAction::Release(id));
        let request = ReleaseRequest { channel: Address(CHANNEL), proof };
        world.client().release(&id, &request).await
    }
}

fn in_fifty_minutes() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs() as i64 + 3_000
}

/// Asserts that a request succeeded, or was rejected with one of these slugs.
fn check<T>(answer: Result<T, GatewayError>, slugs: &[&str]) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            assert!(error.slug().is_some_and(|slug| slugs.contains(&slug)), "{error}");
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn released_hold_is_never_placed_again() {
    let world = World::new().await;
    for _ in 0..12 {
        let named = Named::new();
        let holds = join_all((0..24).map(|_| named.hold(&world)));
        let releases = join_all((0..24).map(|_| named.release(&world)));
        let (holds, releases) = tokio::join!(holds, releases);
        for held in holds {
            check(held, &[]);
        }
        for released in releases {
            check(released, &["unknown-hold"]);
        }
        assert_eq!(named.release(&world).await.unwrap().state, HoldState::Released);
        assert_eq!(named.hold(&world).await.unwrap().state, HoldState::Released);
    }
    let world = world.restarted(false).await;
    world.generate("after-the-races", &world.next_request().await).await.assert_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn key_keeps_its_end_through_restarts() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new().await;
    let (mut paid, mut named, mut ended) = (0, Named::new(), None);
    for step in 0..24 {
        let request = world.next_request().await;
        let body = serde_json::to_vec(&request).unwrap();
        let capture = format!("/v1/holds/{}/capture", Digest(named.id(&world)));
        let generation = format!("/v1/channels/{CHANNEL}/generations");
        let batch = format!("/v1/channels/{CHANNEL}/batches");
        let batch_body =
            BatchRequest { voucher: request.voucher, generations: vec![request.generation()] };
        let batch_body = serde_json::to_vec(&batch_body).unwrap();
        let key = format!("{}-{step}", named.key);
        let count = random.random_range(1..10);
        let moves: Vec<u32> = (0..count).map(|_| random.random_range(0..10)).collect();
        let played = join_all(moves.iter().map(async |chosen| match chosen {
            0..3 => (check(named.hold(&world).await, &[]).map(|facts| facts.state), None),
            3..5 => {
                let released = named.release(&world).await;
                let released = check(released, &["unknown-hold", "hold-captured"]);
                (released.map(|facts| facts.state), None)
            }
            9 => {
                // Settlements are limited per hour.
                check(world.settle().await, &["nothing-to-settle", "rate-limited"]);
                (None, None)
            }
            chosen => {
                let (path, key, body) = match chosen {
                    5..7 => (&capture, None, &body),
                    7 => (&generation, Some(&key[..]), &body),
                    _ => (&batch, Some(&key[..]), &batch_body),
                };
                let answer = world.send(Method::POST, path, key, Some(body.clone().into())).await;
                if answer.status.is_success() {
                    let state = (*chosen < 7).then_some(HoldState::Captured);
                    let receipts: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                    // A batch of one equals a single generation.
                    let receipt = receipts.get("receipts").map_or(&receipts, |all| &all[0]);
                    return (state, Some(receipt.clone()));
                }
                let slug = answer.problem().slug;
                let refusals = [
                    "hold-ended",
                    "voucher-not-newer",
                    "idempotency-key-reused",
                    "statement-closed",
                ];
                assert!(refusals.contains(&&slug[..]), "seed {seed}, step {step}: {slug}");
                (None, None)
            }
        }));
        let (states, mut receipts): (Vec<_>, Vec<_>) = played.await.into_iter().unzip();
        let mut receipts: Vec<_> = receipts.drain(..).flatten().collect();
        receipts.dedup();
        assert!(receipts.len() <= 1, "seed {seed}, step {step}: one voucher has paid twice");
        paid += receipts.len() as u64;
        let ends = states.into_iter().flatten().filter(|state| *state != HoldState::Open);
        for end in ends {
            assert_eq!(*ended.get_or_insert(end), end, "seed {seed}, step {step}");
        }
        world = world.restarted(false).await;
        let state = named.hold(&world).await.unwrap().state;
        match ended {
            Some(ended) => assert_eq!(state, ended, "seed {seed}, step {step}"),
            None => assert_eq!(state, HoldState::Open, "seed {seed}, step {step}"),
        }
        let books = world.gateway.app().reconciler.reconcile().await.unwrap();
        assert_eq!(books.channels[0].receipts, paid, "seed {seed}, step {step}");
        assert!(books.exact, "seed {seed}, step {step}: {books:?}");
        if ended.is_some() && random.random_bool(0.5) {
            (named, ended) = (Named::new(), None);
        }
    }
}

on_postgres_too! {
    released_hold_is_never_placed_again,
    key_keeps_its_end_through_restarts,
}
