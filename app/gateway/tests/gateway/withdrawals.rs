//! Licenses that end early on chain, because their work was withdrawn.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use motif_gateway::GatewayConfig;
use motif_sdk::{
    gateway::{GatewayError, Payer, PayerOptions},
    receipt::SignedReceipt,
};

use crate::world::{CHANNEL, Network, World, license, on_postgres_too, voucher_key, with_admin};

/// Licenses of the withdrawn work and of another one.
const WITHDRAWN: u16 = 0;
const OTHER: u16 = 1;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Starts a gateway with a channel of two licenses, and a payer.
async fn served(configure: impl FnOnce(&mut GatewayConfig)) -> (World, Payer) {
    let world = World::unopened(|config| {
        with_admin(config);
        configure(config);
    })
    .await;
    {
        let mut state = world.chain.state();
        state.now = now();
        state.channels.get_mut(&CHANNEL).unwrap().licenses = vec![license(100), license(100)];
    }
    world.client().open_channel(&CHANNEL).await.unwrap();
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    let session = Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await;
    (world, session.unwrap())
}

/// Applies the withdrawal on chain: the license ends at `ends_at`.
fn withdraw(world: &World, ends_at: i64) {
    let mut state = world.chain.state();
    state.now = now();
    let licenses = &mut state.channels.get_mut(&CHANNEL).unwrap().licenses;
    licenses[usize::from(WITHDRAWN)].expires_at = ends_at;
}

async fn pay(session: &Payer, license: u16) -> Result<SignedReceipt, GatewayError> {
    session.generate(license, 1, [1; 32], [2; 32]).await
}

async fn ends_at(world: &World) -> Option<i64> {
    world.state().await.licenses[usize::from(WITHDRAWN)].expires_at
}

#[tokio::test]
async fn withdrawn_license_is_refused_on_idle_channel() {
    let (world, session) = served(|_| ()).await;
    pay(&session, WITHDRAWN).await.unwrap();
    world.settle().await.unwrap();
    // No statement is open, the notice has passed, and nothing else has changed on chain.
    let ended_at = now() - 1;
    withdraw(&world, ended_at);
    world.client().open_channel(&CHANNEL).await.unwrap();
    assert_eq!(ends_at(&world).await, Some(ended_at));
    let before = world.state().await;
    let refused = pay(&session, WITHDRAWN).await.unwrap_err();
    assert_eq!(refused.slug(), Some("license-expired"), "{refused}");
    assert_eq!(world.state().await, before);
    // The other license continues, and everything settles.
    pay(&session, OTHER).await.unwrap();
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 100);
    assert_eq!(world.chain.channel_account().channel.prices, 200);
    assert!(world.admin().reconcile().await.unwrap().exact);
}

#[tokio::test]
async fn early_end_is_known_after_restart() {
    let (world, session) = served(|_| ()).await;
    let ended_at = now() - 1;
    withdraw(&world, ended_at);
    world.client().open_channel(&CHANNEL).await.unwrap();
    world.chain.network(Network::Down);
    let world = world.restarted(false).await;
    assert_eq!(ends_at(&world).await, Some(ended_at), "without an answer of the chain");
    let refused = resumed(&world, &session).await;
    assert_eq!(refused, Some("license-expired".to_owned()));
}

/// Returns why a payer that has not seen the withdrawal is rejected.
async fn resumed(world: &World, session: &Payer) -> Option<String> {
    let request = world.next_request().await;
    assert_eq!((request.license, session.cumulative().unwrap()), (WITHDRAWN, 0));
    let answer = world.generate("after-the-restart", &request).await;
    Some(answer.problem().slug)
}

#[tokio::test]
async fn statement_settles_before_early_end() {
    let (world, session) = served(|config| {
        config.settle.look_every = Duration::from_millis(50);
        config.min_voucher_seconds = 4;
    })
    .await;
    pay(&session, WITHDRAWN).await.unwrap();
    pay(&session, OTHER).await.unwrap();
    let ends_at = now() + 6;
    withdraw(&world, ends_at);
    while world.chain.channel_account().channel.prices < 200 {
        assert!(now() <= ends_at, "it has not settled in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Closes a statement with the withdrawn license, whose end came without notice.
async fn stopped() -> (World, Payer) {
    let (world, session) = served(|_| ()).await;
    pay(&session, WITHDRAWN).await.unwrap();
    pay(&session, OTHER).await.unwrap();
    withdraw(&world, now() - 1);
    let refused = world.settle().await.unwrap_err();
    assert_eq!(refused.slug(), Some("settlement-refused"), "{refused}");
    (world, session)
}

#[tokio::test]
async fn nothing_is_taken_behind_lost_statement() {
    let (world, session) = stopped().await;
    let before = world.state().await;
    let refused = pay(&session, OTHER).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-stopped"), "{refused}");
    let refused = session.hold(OTHER, 1, [1; 32], 60).await.unwrap_err();
    assert_eq!(refused.slug(), Some("channel-stopped"), "{refused}");
    assert_eq!(world.state().await, before);
    assert_eq!(world.chain.channel_account().channel.prices, 0);
}

#[tokio::test]
async fn stopped_channel_is_stopped_after_restart() {
    let (world, _) = stopped().await;
    world.chain.network(Network::Down);
    let world = world.restarted(false).await;
    let mut request = world.next_request().await;
    request.license = OTHER;
    let refused = world.generate("after-the-restart", &request).await;
    refused.assert_problem(409, "channel-stopped");
}

#[tokio::test]
async fn operator_sees_stopped_channel() {
    let (world, _) = stopped().await;
    assert_eq!(world.gateway.app().exposure().stopped, 1);
    let books = world.admin().reconcile().await.unwrap();
    assert!(!books.exact);
    let differences = &books.channels[0].differences;
    assert_eq!(differences, &["statement 0 can never settle"]);
    let app = world.gateway.app();
    let figures = app.metrics.text(&app.exposure(), &[]);
    assert!(figures.contains("motif_channels_stopped 1\n"), "{figures}");
}

#[tokio::test]
async fn channel_goes_on_once_lost_statement_settles() {
    let (world, session) = stopped().await;
    // The cluster rolled back the block with the withdrawal.
    withdraw(&world, i64::MAX);
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 200);
    pay(&session, OTHER).await.unwrap();
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 100);
    assert!(world.admin().reconcile().await.unwrap().exact);
}

on_postgres_too! {
    withdrawn_license_is_refused_on_idle_channel,
    early_end_is_known_after_restart,
    nothing_is_taken_behind_lost_statement,
    stopped_channel_is_stopped_after_restart,
    operator_sees_stopped_channel,
    channel_goes_on_once_lost_statement_settles,
}
