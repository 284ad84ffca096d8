//! Clocks that are ten minutes apart: the gateway's and the cluster's.

use std::time::{SystemTime, UNIX_EPOCH};

use motif_sdk::voucher::SignedVoucher;

use crate::world::{Answer, CHANNEL, World, voucher_key};

const APART: i64 = 600;
/// Tolerance in seconds: above the duration of a test, below the tested differences.
const LEEWAY: i64 = 120;

fn here() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Returns a generation with a voucher that expires at this time.
async fn until(world: &World, expires_at: i64) -> Answer {
    let mut request = world.next_request().await;
    let mut voucher = request.voucher.voucher;
    voucher.expires_at = expires_at;
    request.voucher = SignedVoucher::sign(voucher, &voucher_key());
    world.generate(&format!("until-{expires_at}"), &request).await
}

/// Starts a gateway whose cluster's clock is ahead by this many seconds.
async fn world(later: i64) -> World {
    let world = World::unopened(|config| config.min_useful_seconds = 0).await;
    world.chain.state().now = here() + later;
    world.client().open_channel(&CHANNEL).await.unwrap();
    world
}

#[tokio::test]
async fn slow_clock_rejects_expired_voucher() {
    let world = world(APART).await;
    let least = i64::from(world.config.min_voucher_seconds);
    let refused = until(&world, here() + APART + least - LEEWAY).await;
    refused.assert_problem(422, "voucher-expires-too-soon");
    until(&world, here() + APART + least + LEEWAY).await.assert_ok();
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 100);
}

#[tokio::test]
async fn fast_clock_rejects_early() {
    let world = world(-APART).await;
    let least = i64::from(world.config.min_voucher_seconds);
    let refused = until(&world, here() + least - LEEWAY).await;
    refused.assert_problem(422, "voucher-expires-too-soon");
    until(&world, here() + least + LEEWAY).await.assert_ok();
    assert_eq!(world.settle().await.unwrap()[0].prices.0, 100);
}

#[tokio::test]
async fn cluster_clock_jump_sells_nothing() {
    let world = world(APART).await;
    world.chain.state().now = here() - APART;
    world.client().open_channel(&CHANNEL).await.unwrap();
    let least = i64::from(world.config.min_voucher_seconds);
    let refused = until(&world, here() + least - LEEWAY).await;
    refused.assert_problem(422, "voucher-expires-too-soon");
}

#[tokio::test]
async fn ended_license_ignores_slow_clock() {
    let world = World::unopened(|_| ()).await;
    let least = i64::from(world.config.min_voucher_seconds);
    {
        let mut state = world.chain.state();
        state.now = here() + APART;
        let account = state.channels.get_mut(&CHANNEL).unwrap();
        account.licenses[0].expires_at = here() + APART + least - LEEWAY;
    }
    world.client().open_channel(&CHANNEL).await.unwrap();
    let refused = until(&world, i64::from(u32::MAX)).await;
    refused.assert_problem(409, "license-expired");
}
