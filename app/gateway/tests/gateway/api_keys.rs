use motif_gateway::GatewayConfig;
use motif_sdk::gateway::{
    GatewayClient,
    wire::{Address, Amount, CreatedApiKey, NewApiKey, ScopeWord, WorkQuery},
};
use reqwest::Client;

use crate::world::{Answer, CHANNEL, World, on_postgres_too, with_admin};

fn required(config: &mut GatewayConfig) {
    with_admin(config);
    config.api_keys_required = true;
}

async fn create(world: &World, scopes: &[ScopeWord], budget: Option<u64>) -> CreatedApiKey {
    let key = NewApiKey {
        name: "a platform".into(),
        scopes: scopes.to_vec(),
        channels: vec![Address(CHANNEL)],
        budget: budget.map(Amount),
        expires_at: None,
    };
    world.admin().create_api_key(&key).await.unwrap()
}

fn client(world: &World, token: &str) -> GatewayClient {
    GatewayClient::new(&world.gateway.url()).api_key(token)
}

/// Sends the next generation with a key.
async fn generate(world: &World, token: &str, name: &str) -> Answer {
    let state = client(world, token).channel(&CHANNEL).await.unwrap();
    let request = crate::world::next_request(&state, &crate::world::voucher_key());
    let url = format!("{}/v1/channels/{CHANNEL}/generations", world.gateway.url());
    let asked = Client::new().post(url).bearer_auth(token).header("idempotency-key", name);
    Answer::to(asked.json(&request)).await
}

#[tokio::test]
async fn missing_required_key_is_rejected() {
    let world = World::unopened(required).await;
    let client = GatewayClient::new(&world.gateway.url());
    for slug in [
        client.open_channel(&CHANNEL).await.unwrap_err(),
        client.channel(&CHANNEL).await.unwrap_err(),
        client.receipts(&CHANNEL, None, 1, 0).await.unwrap_err(),
        client.settle(&world.request(motif_sdk::gateway::PayerRequest::settle)).await.unwrap_err(),
    ] {
        assert_eq!(slug.slug(), Some("unauthorized"));
    }
    client.ready().await.unwrap();
    client.operator().await.unwrap();
    client.works(&WorkQuery::default()).await.unwrap(); // terms are public
    let key = create(&world, &[ScopeWord::Meter, ScopeWord::Read], None).await;
    client.api_key(&key.token).open_channel(&CHANNEL).await.unwrap();
    generate(&world, &key.token, "the-first-key").await.assert_ok();
}

#[tokio::test]
async fn wrong_token_is_rejected() {
    let world = World::with(with_admin).await;
    let key = create(&world, &[ScopeWord::Read], None).await;
    let mut wrong = key.token.clone();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    let nonsense = [&wrong[..], "motif_", "x", &key.token.to_uppercase()];
    for token in nonsense {
        let refused = client(&world, token).channel(&CHANNEL).await.unwrap_err();
        assert_eq!(refused.slug(), Some("unauthorized"), "{token}");
    }
    client(&world, &key.token).channel(&CHANNEL).await.unwrap();
}

#[tokio::test]
async fn key_is_bound_to_scopes() {
    let world = World::with(required_but_opened).await;
    let reads = create(&world, &[ScopeWord::Read], None).await;
    let refused = client(&world, &reads.token).open_channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("forbidden"));
    let meters = create(&world, &[ScopeWord::Meter], None).await;
    let refused = client(&world, &meters.token).channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("forbidden"));
    for token in [&reads.token, &meters.token] {
        let admin_url = world.gateway.admin_url().unwrap();
        let admin = motif_sdk::gateway::AdminClient::new(&admin_url, token);
        assert_eq!(admin.api_keys().await.unwrap_err().slug(), Some("forbidden"));
    }
    let admin = create(&world, &[ScopeWord::Admin], None).await;
    let admin_url = world.gateway.admin_url().unwrap();
    let admins = motif_sdk::gateway::AdminClient::new(&admin_url, &admin.token);
    assert_eq!(admins.api_keys().await.unwrap().len(), 3);
}

fn required_but_opened(config: &mut GatewayConfig) {
    with_admin(config);
}

#[tokio::test]
async fn revoked_key_stays_revoked() {
    let world = World::with(with_admin).await;
    let key = create(&world, &[ScopeWord::Read, ScopeWord::Meter], None).await;
    generate(&world, &key.token, "the-first-key").await.assert_ok();
    let revoked = world.admin().revoke_api_key(&key.key.key).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    let refused = client(&world, &key.token).channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unauthorized"));
    let world = world.restarted(false).await;
    let refused = client(&world, &key.token).channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("unauthorized"));
    let again = world.admin().revoke_api_key(&key.key.key).await.unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
}

#[tokio::test]
async fn key_budget_survives_kill() {
    let world = World::with(with_admin).await;
    let key = create(&world, &[ScopeWord::Read, ScopeWord::Meter], Some(2 * 102 + 101)).await;
    generate(&world, &key.token, "the-first-key").await.assert_ok();
    generate(&world, &key.token, "the-second-key").await.assert_ok();
    let world = world.restarted(false).await;
    generate(&world, &key.token, "the-third-key").await.assert_problem(402, "key-budget");
    assert_eq!(world.admin().api_keys().await.unwrap()[0].spent.0, 204);
    assert_eq!(world.state().await.open.receipts, 2);
    // The channel continues with another key or without one.
    world.generate("the-fourth-key", &world.next_request().await).await.assert_ok();
    assert_eq!(world.admin().api_keys().await.unwrap()[0].spent.0, 204);
}

#[tokio::test]
async fn rejected_request_uses_no_budget() {
    let world = World::with(with_admin).await;
    let key = create(&world, &[ScopeWord::Read, ScopeWord::Meter], Some(102)).await;
    let mut request = world.next_request().await;
    request.units = 2;
    let url = format!("{}/v1/channels/{CHANNEL}/generations", world.gateway.url());
    for _ in 0..3 {
        let asked = Client::new().post(&url).bearer_auth(&key.token);
        let asked = asked.header("idempotency-key", "the-same-key").json(&request);
        Answer::to(asked).await.assert_problem(409, "wrong-price");
    }
    generate(&world, &key.token, "the-first-key").await.assert_ok();
    // A retry is free.
    assert_eq!(world.admin().api_keys().await.unwrap()[0].spent.0, 102);
}

#[tokio::test]
async fn store_holds_no_token() {
    let world = World::with(with_admin).await;
    let key = create(&world, &[ScopeWord::Read], None).await;
    let secret = key.token.rsplit('_').next().unwrap().to_owned();
    let raw: Vec<u8> = (0..secret.len() / 2)
        .map(|place| u8::from_str_radix(&secret[2 * place..2 * place + 2], 16).unwrap())
        .collect();
    let folder = world.store().parent().unwrap().to_owned();
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes.windows(32).any(|window| window == raw || window == &secret.as_bytes()[..32])
        );
    }
}

on_postgres_too! {
    missing_required_key_is_rejected,
    wrong_token_is_rejected,
    key_is_bound_to_scopes,
    revoked_key_stays_revoked,
    key_budget_survives_kill,
    rejected_request_uses_no_budget,
}
