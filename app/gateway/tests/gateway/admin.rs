use motif_gateway::{StartError, serve_with};
use motif_sdk::gateway::{
    AdminClient, GatewayError,
    wire::{Amount, ChannelBudget, NewApiKey, ScopeWord},
};
use reqwest::{Client, Method};

use crate::world::{Answer, CHANNEL, SECRET, World, with_admin};

/// All operations of the admin interface.
const URLS: [(Method, &str); 9] = [
    (Method::GET, "/metrics"),
    (Method::GET, "/openapi.json"),
    (Method::GET, "/v1/keys"),
    (Method::POST, "/v1/keys"),
    (Method::DELETE, "/v1/keys/0000000000000000"),
    (Method::GET, "/v1/channels"),
    (Method::POST, "/v1/channels/{channel}/settlements"),
    (Method::POST, "/v1/channels/{channel}/fee-claims"),
    (Method::PUT, "/v1/channels/{channel}/budget"),
];

fn path(path: &str) -> String {
    path.replace("{channel}", &CHANNEL.to_string())
}

#[tokio::test]
async fn admin_requires_secret() {
    let world = World::with(with_admin).await;
    let request = world.next_request().await;
    world.generate("the-first-key", &request).await.assert_ok();
    let url = world.gateway.admin_url().unwrap();
    let almost = format!("{}x", &SECRET[..SECRET.len() - 1]);
    for (method, url_path) in &URLS {
        for given in [
            "",
            "Bearer",
            "Bearer ",
            "Basic x",
            &format!("Bearer {almost}"),
            "Bearer motif_0000000000000000_00",
        ] {
            let mut asked =
                Client::new().request(method.clone(), format!("{url}{}", path(url_path)));
            if !given.is_empty() {
                asked = asked.header("authorization", given);
            }
            let answer = Answer::to(asked).await;
            answer.assert_problem(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    assert_eq!(world.state().await.open.receipts, 1, "nothing was settled");
    assert!(AdminClient::new(&url, SECRET).api_keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn public_listener_serves_no_admin() {
    let world = World::with(with_admin).await;
    for (method, url_path) in &URLS {
        if *url_path == "/openapi.json" {
            continue; // its own
        }
        let url = format!("{}{}", world.gateway.url(), path(url_path));
        let asked = Client::new().request(method.clone(), url).bearer_auth(SECRET);
        let status = Answer::to(asked).await.status.as_u16();
        assert!([401, 404, 405].contains(&status), "{method} {url_path}: {status}");
    }
}

#[tokio::test]
async fn unconfigured_admin_is_closed() {
    let world = World::new().await;
    assert_eq!(world.gateway.admin_url(), None);
}

#[tokio::test]
async fn contradicting_settings_prevent_start() {
    let mut world = World::new().await;
    world.config.api_keys_required = true;
    world.config.min_voucher_seconds = 7_200;
    let refused = serve_with(world.config.clone(), world.chain.clone()).await.err().unwrap();
    let StartError::Config(faults) = refused else { panic!("{refused}") };
    let keys: Vec<_> = faults.iter().map(|fault| &fault.key[..]).collect();
    assert_eq!(keys, ["min_voucher_seconds", "api_keys.required"]);
}

#[tokio::test]
async fn operator_settles_closes_and_claims() {
    let world = World::with(with_admin).await;
    let admin = world.admin();
    let refused = admin.settle(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("nothing-to-settle"));
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let overview = admin.channels().await.unwrap();
    assert_eq!(
        (overview.len(), overview[0].exposed.0, overview[0].unsettled_receipts),
        (1, 102, 1)
    );
    assert_eq!(admin.settle(&CHANNEL).await.unwrap()[0].prices.0, 100);
    assert_eq!(admin.claim_fees(&CHANNEL).await.unwrap().claimed.0, 2);
    assert_eq!(admin.channels().await.unwrap()[0].exposed.0, 0);
    let refused = admin.close(&CHANNEL).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-not-closing"));
}

#[tokio::test]
async fn channel_budget_survives_restart() {
    let world = World::with(with_admin).await;
    let budget = |budget: Option<u64>| ChannelBudget { budget: budget.map(Amount) };
    world.admin().set_channel_budget(&CHANNEL, budget(Some(102))).await.unwrap();
    world.generate("the-first-key", &world.next_request().await).await.assert_ok();
    let world = world.restarted(false).await;
    let request = world.next_request().await;
    world.generate("another-key", &request).await.assert_problem(402, "channel-budget");
    world.admin().set_channel_budget(&CHANNEL, budget(Some(204))).await.unwrap();
    world.generate("another-key", &request).await.assert_ok();
    let request = world.next_request().await;
    world.generate("a-third-key", &request).await.assert_problem(402, "channel-budget");
    world.admin().set_channel_budget(&CHANNEL, budget(None)).await.unwrap();
    world.generate("a-third-key", &request).await.assert_ok();
}

#[tokio::test]
async fn invalid_api_key_is_rejected() {
    let world = World::with(with_admin).await;
    let good = NewApiKey {
        name: "a platform".into(),
        scopes: vec![ScopeWord::Meter],
        channels: vec![],
        budget: None,
        expires_at: None,
    };
    for wrong in [
        NewApiKey { name: String::new(), ..good.clone() },
        NewApiKey { name: "x".repeat(101), ..good.clone() },
        NewApiKey { name: "a\u{1b}[31mname\r\n".into(), ..good.clone() },
        NewApiKey { scopes: vec![], ..good.clone() },
        NewApiKey { budget: Some(Amount(1 << 63)), ..good.clone() },
    ] {
        let refused = world.admin().create_api_key(&wrong).await.unwrap_err();
        assert!(matches!(&refused, GatewayError::Refused(_)), "{refused}");
        assert_eq!(refused.slug(), Some("invalid-key"));
    }
    assert!(world.admin().api_keys().await.unwrap().is_empty());
    assert_eq!(
        world.admin().revoke_api_key("0123456789abcdef").await.unwrap_err().slug(),
        Some("unknown-key")
    );
}
