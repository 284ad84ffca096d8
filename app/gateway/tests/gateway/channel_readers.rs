//! A channel's state, receipts and usage are shown to its payer and to holders of its keys.

use motif_sdk::gateway::{
    GatewayClient, PayerAction, PayerRequest,
    wire::{
        Address, ChannelState, CreatedApiKey, NewApiKey, PayerProof, ReaderProof, ScopeWord,
        UsageBy,
    },
};
use reqwest::{Client, Method};

use crate::{
    sold::now,
    world::{
        Answer, CHANNEL, World, foreign_key, on_postgres_too, reader_of, voucher_key, with_admin,
    },
};

const READS: [&str; 3] = ["", "/receipts", "/usage?by=day"];

async fn used() -> World {
    let world = World::with(with_admin).await;
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    world
}

async fn read(world: &World, path: &str, proof: Option<&ReaderProof>) -> Answer {
    let url = format!("{}/v1/channels/{CHANNEL}{path}", world.gateway.url());
    let asked = Client::new().get(url);
    Answer::to(match proof {
        Some(proof) => asked.header(ReaderProof::HEADER, proof.to_header()),
        None => asked,
    })
    .await
}

fn proof(world: &World, change: impl FnOnce(&mut PayerRequest)) -> ReaderProof {
    let expires_at = now() + 60;
    let channel = world.chain.channel_account().channel;
    let mut request = PayerRequest::new(PayerAction::Read(expires_at), &CHANNEL, &channel);
    change(&mut request);
    let proof = PayerProof::from(&request.sign(&voucher_key()));
    let expires_at = match request.action {
        PayerAction::Read(expires_at) => expires_at,
        _ => expires_at,
    };
    ReaderProof { channel: Address(CHANNEL), expires_at, proof }
}

async fn key(world: &World, channels: Vec<Address>, scopes: Vec<ScopeWord>) -> CreatedApiKey {
    let name = "a platform".into();
    let key = NewApiKey { name, scopes, channels, budget: None, expires_at: None };
    world.admin().create_api_key(&key).await.unwrap()
}

#[tokio::test]
async fn stranger_reads_nothing_of_a_channel() {
    let world = used().await;
    let signature = world.state().await.open.voucher.unwrap().signature;
    for path in READS {
        let refused = read(&world, path, None).await;
        refused.assert_problem(403, "not-by-payer");
    }
    // Opening it shows what is on chain.
    let url = format!("{}/v1/channels", world.gateway.url());
    let body = serde_json::json!({ "channel": CHANNEL.to_string() });
    let opened = Answer::to(Client::new().post(url).json(&body)).await;
    opened.assert_ok();
    assert!(!opened.text().contains(&hex(&signature)), "{}", opened.text());
    let state: ChannelState = serde_json::from_slice(&opened.body).unwrap();
    assert_eq!((state.cumulative.0, state.open.receipts, state.open.voucher), (0, 0, None));
    assert_eq!(state.deposited.0, 1_000_000);
}

#[tokio::test]
async fn payer_reads_with_fresh_proof() {
    let world = used().await;
    for path in READS {
        read(&world, path, Some(&proof(&world, |_| ()))).await.assert_ok();
    }
    let state = world.client().open_channel(&CHANNEL).await.unwrap();
    assert_eq!(state.cumulative.0, 102);
    assert!(state.open.voucher.is_some(), "its own voucher");
    let reader = reader_of(CHANNEL);
    assert_eq!(reader.proof().unwrap(), reader.clone().proof().unwrap(), "it is reused");
}

#[tokio::test]
async fn invalid_reader_proof_is_rejected() {
    let world = used().await;
    let mut foreign = proof(&world, |_| ());
    let channel = world.chain.channel_account().channel;
    let request = PayerRequest::new(PayerAction::Read(foreign.expires_at), &CHANNEL, &channel);
    foreign.proof = PayerProof::from(&request.sign(&foreign_key()));
    let opening = Client::new().post(format!("{}/v1/channels", world.gateway.url()));
    let opening = opening.header(ReaderProof::HEADER, foreign.to_header());
    let body = serde_json::json!({ "channel": CHANNEL.to_string() });
    Answer::to(opening.json(&body)).await.assert_problem(403, "not-by-payer");
    let mut extended = proof(&world, |_| ());
    extended.expires_at += 1;
    let mut other = proof(&world, |_| ());
    other.channel = Address(crate::world::MINT);
    let settles = proof(&world, |request| request.action = PayerAction::Settle);
    let reopened = proof(&world, |request| request.opened_slot += 1);
    for wrong in [foreign, extended, other, settles, reopened] {
        read(&world, "", Some(&wrong)).await.assert_problem(403, "not-by-payer");
    }
    let expired = proof(&world, |request| request.action = PayerAction::Read(now() - 1));
    let endless = proof(&world, |request| request.action = PayerAction::Read(now() + 90_000));
    let future = proof(&world, |request| request.issued_at += 301);
    for wrong in [expired, endless, future] {
        read(&world, "", Some(&wrong)).await.assert_problem(403, "request-stale");
    }
}

#[tokio::test]
async fn bound_key_reads_without_vouchers() {
    let world = used().await;
    let bound = key(&world, vec![Address(CHANNEL)], vec![ScopeWord::Read]).await;
    assert_eq!(bound.key.channels, [Address(CHANNEL)]);
    let unbound = key(&world, vec![], vec![ScopeWord::Read]).await;
    let operators = key(&world, vec![], vec![ScopeWord::Admin]).await;
    let world = world.restarted(false).await;
    let client = |key: &CreatedApiKey| GatewayClient::new(&world.gateway.url()).api_key(&key.token);
    for key in [&bound, &operators] {
        let state = client(key).channel(&CHANNEL).await.unwrap();
        assert_eq!((state.cumulative.0, state.open.voucher), (102, None));
        client(key).receipts(&CHANNEL, None, 10, 0).await.unwrap();
        client(key).usage(&CHANNEL, UsageBy::Day, None, None).await.unwrap();
    }
    let refused = client(&unbound).channel(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("not-by-payer"));
    let too_many = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Read],
        channels: vec![Address(CHANNEL); 257],
        budget: None,
        expires_at: None,
    };
    let refused = world.admin().create_api_key(&too_many).await.unwrap_err();
    assert_eq!(refused.slug(), Some("invalid-key"));
}

#[tokio::test]
async fn receipt_proof_is_public() {
    let world = used().await;
    let page = world.client().receipts(&CHANNEL, None, 1, 0).await.unwrap();
    world.settle().await.unwrap();
    let stranger = GatewayClient::new(&world.gateway.url());
    stranger.proof(&page.receipts[0].digest.0).await.unwrap();
    let raw = world.send(Method::GET, "/v1/receipts/00/proof", None, None).await;
    raw.assert_problem(400, "invalid-path");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

on_postgres_too! {
    stranger_reads_nothing_of_a_channel,
    bound_key_reads_without_vouchers,
}
