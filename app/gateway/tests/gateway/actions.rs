//! Links by which a wallet licenses a work or claims, as Solana Actions.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytemuck::Zeroable;
use motif_paywall::ClientTransaction;
use motif_sdk::{
    Pubkey, channel,
    licensing::{Unit, Use, UsePrice},
    pda,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    works::{WORK, publish},
    world::{Answer, World},
};

const WALLET: Pubkey = Pubkey::new_from_array([77; 32]);

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

async fn shown(world: &World, path: &str) -> Value {
    let answer = world.send(Method::GET, path, None, None).await;
    answer.assert_ok();
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.headers["x-action-version"], "2.4");
    assert!(answer.headers["x-blockchain-ids"].to_str().unwrap().starts_with("solana:"));
    read(&answer)
}

async fn ask(world: &World, path: &str) -> Answer {
    let body = json!({ "account": WALLET.to_string() }).to_string();
    world.send(Method::POST, path, None, Some(body.into())).await
}

async fn refused(world: &World, path: &str, status: u16, what: &str) {
    let answer = ask(world, path).await;
    assert_eq!(answer.status, StatusCode::from_u16(status).unwrap(), "{path}");
    let refusal = read(&answer);
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains(what), "{path}: {message}");
    assert!(refusal.get("transaction").is_none());
}

#[tokio::test]
async fn link_shows_uses_and_deposits() {
    let world = World::new().await;
    publish(&world);
    let path = format!("/v1/actions/works/{WORK}");
    let action = shown(&world, &path).await;
    assert_eq!((&action["type"], &action["label"]), (&json!("action"), &json!("License")));
    assert!(action["icon"].as_str().unwrap().ends_with(&format!("/v1/badge/{WORK}.svg")));
    let links = action["links"]["actions"].as_array().unwrap();
    let href = |at: usize| links[at]["href"].as_str().unwrap().to_owned();
    let base = format!("{}{path}", world.gateway.url());
    assert_eq!(href(0), format!("{base}/license?use=generate&deposit=1"));
    assert_eq!(
        href(2),
        format!("{base}/license?use=generate&deposit={{deposit}}&voucher_key={{voucher_key}}")
    );
    assert_eq!(links[2]["parameters"][1]["name"], "voucher_key");
    assert_eq!(href(3), format!("{base}/claim"));
    assert_eq!(links.len(), 4);
    let rules = shown(&world, "/actions.json").await;
    assert_eq!(rules["rules"][0]["pathPattern"], "/w/*");
}

#[tokio::test]
async fn page_of_any_origin_may_post() {
    let world = World::new().await;
    publish(&world);
    for path in [
        "/actions.json",
        "/v1/actions/works/x",
        "/v1/actions/works/x/license",
        "/v1/actions/works/x/claim",
    ] {
        let url = format!("{}{}", world.gateway.url(), path.replace("/x", &format!("/{WORK}")));
        let asked = reqwest::Client::new()
            .request(Method::OPTIONS, url)
            .header("origin", "https://wallet.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let answer = Answer::to(asked).await;
        assert!(answer.status.is_success(), "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let methods = answer.headers["access-control-allow-methods"].to_str().unwrap();
        assert!(
            methods.contains("POST") && answer.headers.contains_key("access-control-allow-headers")
        );
    }
}

#[tokio::test]
async fn license_is_offered_unsigned() {
    let world = World::new().await;
    publish(&world);
    let path = format!("/v1/actions/works/{WORK}/license?use=generate&deposit=2.5");
    refused(&world, &path, 409, "voucher_key").await;
    let path = format!("{path}&voucher_key={WORK}");
    let answer = ask(&world, &path).await;
    answer.assert_ok();
    let offered = read(&answer);
    let bytes = BASE64_STANDARD.decode(offered["transaction"].as_str().unwrap()).unwrap();
    let transaction = ClientTransaction::read(&bytes).unwrap();
    assert!(!transaction.is_signed());
    assert_eq!(transaction.keys[0], WALLET);
    assert_eq!(transaction.signatures, [[0; 64]]);
    let program = |at: usize| transaction.keys[usize::from(transaction.instructions[at].program)];
    assert_eq!([program(0), program(1)], [channel::PROGRAM_ID; 2]);
    assert_eq!(transaction.instructions.len(), 2);
    // The deposit, in base units of a currency with six decimals.
    let opening = &transaction.instructions[0].data;
    assert!(opening.windows(8).any(|bytes| bytes == 2_500_000_u64.to_le_bytes()));
    let operator = world.gateway.app().operator();
    let opened = pda::channel(&WALLET, &operator, &crate::world::MINT, 0);
    assert!(transaction.keys.contains(&opened));
    // With an open channel there, that one is topped up.
    let open = channel::Channel { payer: WALLET, closes_at: i64::MAX, ..Zeroable::zeroed() };
    let data = [channel::Channel::DISCRIMINATOR, bytemuck::bytes_of(&open)].concat();
    let account = solana_account::Account { data, ..Default::default() };
    world.chain.state().accounts.insert(opened, account);
    let own = format!("/v1/actions/works/{WORK}/license?use=generate&deposit=1");
    let offered = read(&ask(&world, &own).await);
    let bytes = BASE64_STANDARD.decode(offered["transaction"].as_str().unwrap()).unwrap();
    let transaction = ClientTransaction::read(&bytes).unwrap();
    assert!(transaction.keys.contains(&opened));
    let funding = &transaction.instructions[0].data;
    assert!(funding.ends_with(&1_000_000_u64.to_le_bytes()));
    // With a closed channel there, the next number is taken.
    world.chain.state().accounts.insert(opened, Default::default());
    let offered = read(&ask(&world, &path).await);
    let bytes = BASE64_STANDARD.decode(offered["transaction"].as_str().unwrap()).unwrap();
    let next = pda::channel(&WALLET, &operator, &crate::world::MINT, 1);
    assert!(ClientTransaction::read(&bytes).unwrap().keys.contains(&next));
}

#[tokio::test]
async fn odd_licenses_are_refused_with_reason() {
    let world = World::with(|config| config.catalogue_seconds = 0).await;
    publish(&world);
    let base = format!("/v1/actions/works/{WORK}/license");
    refused(&world, &format!("{base}?use=train&deposit=1"), 404, "do not license `train`").await;
    for deposit in ["0", "-1", "1e3", "0.0000001", "many", "99999999999999999999"] {
        refused(&world, &format!("{base}?use=generate&deposit={deposit}"), 400, "deposit").await;
    }
    refused(&world, &format!("{base}?use=generate"), 400, "deposit").await;
    let unknown = format!("/v1/actions/works/{WALLET}/license?use=generate&deposit=1");
    refused(&world, &unknown, 404, "unknown work").await;
    let answer = world
        .send(Method::POST, &format!("{base}?use=generate&deposit=1"), None, Some("{}".into()))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);

    let price = UsePrice { licensed_use: Use::Generate, unit: Unit::Generation, price: 101 };
    let offer = &mut world.chain.state().terms.get_mut(&(WORK, 2)).unwrap().offer.clone();
    offer.approval_required = true;
    assert_eq!(offer.uses, [price]);
    world.chain.state().terms.get_mut(&(WORK, 2)).unwrap().offer = offer.clone();
    refused(&world, &format!("{base}?use=generate&deposit=1"), 409, "approval").await;
    let action = shown(&world, &format!("/v1/actions/works/{WORK}")).await;
    assert_eq!(action["links"]["actions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn full_wallet_opens_no_channel() {
    let world = World::new().await;
    publish(&world);
    let operator = world.gateway.app().operator();
    for salt in 0..16 {
        let taken = pda::channel(&WALLET, &operator, &crate::world::MINT, salt);
        world.chain.state().accounts.insert(taken, Default::default());
    }
    let path =
        format!("/v1/actions/works/{WORK}/license?use=generate&deposit=1&voucher_key={WORK}");
    refused(&world, &path, 409, "16 channels").await;
}

#[tokio::test]
async fn stranger_has_nothing_to_claim() {
    let world = World::new().await;
    publish(&world);
    refused(&world, &format!("/v1/actions/works/{WORK}/claim"), 409, "").await;
    refused(&world, &format!("/v1/actions/works/{WALLET}/claim"), 404, "unknown work").await;
}
