use std::time::Duration;

use axum::Router;
use ed25519_dalek::SigningKey;
use motif_gateway::{
    SettlePolicy,
    config::{Limits, Rate},
    router::router,
};
use motif_sdk::{
    Pubkey,
    channel::{License, Moment},
};

use super::{
    Configuration,
    clock::now,
    configuration::Restarts,
    delivery::resolve,
    history::{History, check_channel},
    seat::{Price, Seat},
};
use crate::world::{World, license};

/// Gateway with two channels that the payers share.
pub struct Table {
    world: Option<World>,
    service: Router,
    configuration: Configuration,
    pub seats: Vec<Seat>,
}

/// Minimum validity of vouchers.
pub const MIN_VOUCHER_SECONDS: u32 = 20;
/// The license whose work is withdrawn.
const WITHDRAWN: u16 = 1;

impl Table {
    pub async fn open(configuration: Configuration, seed: u64) -> Self {
        let unlimited = Rate::per_second(0, 0);
        let world = World::unopened(|config| {
            config.limits = Limits {
                address: unlimited,
                channel: unlimited,
                settlements: unlimited,
                ..config.limits
            };
            (config.min_voucher_seconds, config.min_useful_seconds) = (MIN_VOUCHER_SECONDS, 0);
            let look_every = Duration::from_millis(100);
            config.settle = SettlePolicy { at_receipts: 300, look_every, ..config.settle };
        })
        .await;
        let mut seats = Vec::new();
        for number in 0..2_u8 {
            let digest = blake3::hash(&[&seed.to_le_bytes()[..], &[number]].concat());
            let channel = Pubkey::new_from_array(*digest.as_bytes());
            let key = SigningKey::from_bytes(blake3::hash(digest.as_bytes()).as_bytes());
            let prices = [
                Price { price: 100, free_units: 0, cap: u64::MAX },
                Price { price: 37, free_units: 5, cap: 400 + seed % 1_000 },
            ];
            let mut account = world.chain.channel_account();
            // The second one runs dry sooner or later.
            account.channel.deposited = if number == 0 { 1 << 50 } else { 20_000 + seed % 500_000 };
            account.channel.voucher_key = Pubkey::new_from_array(key.verifying_key().to_bytes());
            account.licenses = prices.iter().map(license_at).collect();
            {
                let mut state = world.chain.state();
                state.now = now();
                state.channels.insert(channel, account.clone());
            }
            world.client().open_channel(&channel).await.unwrap();
            let fee_bps = u64::from(account.channel.operator_fee_bps);
            let (account, ended) = (account.channel, None);
            seats.push(Seat { channel, key, prices, fee_bps, account, ended });
        }
        Self { service: service(&world), world: Some(world), configuration, seats }
    }

    pub fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    pub fn configuration(&self) -> Configuration {
        self.configuration
    }

    /// Returns the gateway's router, called without a socket.
    pub fn service(&self) -> Router {
        self.service.clone()
    }

    /// Events between requests.
    pub async fn between_phases(&mut self, phase: u64, history: &History) {
        let graceful = match self.configuration.restarts {
            Restarts::Never => None,
            Restarts::Graceful => Some(true),
            Restarts::Killed => Some(false),
        };
        if let Some(graceful) = graceful {
            // What was dropped may be on its way: on disk, or lost, but not half of it.
            self.world().gateway.app().reconciler.reconcile().await.unwrap();
            let world = self.world.take().unwrap();
            self.service = Router::new(); // the old service keeps its store open
            let world = world.restarted(graceful).await;
            (self.service, self.world) = (service(&world), Some(world));
            history.count(|counts| counts.restarts += 1);
        }
        if phase % 2 == 1 {
            self.retry_lost_requests(history).await;
        }
        if phase == 2 && self.configuration.withdraws {
            self.withdraw(history).await;
        }
        if phase == 3 && self.configuration.leaves_early {
            self.request_close(&self.seats[0].channel);
        }
        self.world().chain.state().now = now();
    }

    /// Withdraws a work of the first channel while that is idle, and lets the notice pass.
    /// Makes the gateway read the channel again; payers continue with both licenses.
    async fn withdraw(&mut self, history: &History) {
        self.retry_lost_requests(history).await;
        let channel = self.seats[0].channel;
        let settler = &self.world().gateway.app().settler;
        if let Err(error) = settler.settle(channel).await {
            history.broke(format!("{channel} does not settle: {error}"));
        }
        {
            let mut state = self.world().chain.state();
            let account = state.channels.get_mut(&channel).unwrap();
            account.licenses[usize::from(WITHDRAWN)].expires_at = now() - 1;
        }
        self.world().client().open_channel(&channel).await.unwrap();
        self.seats[0].ended = Some(WITHDRAWN);
        history.count(|counts| counts.withdrawals += 1);
    }

    /// Retries every request whose response was lost, until all outcomes are known.
    pub async fn retry_lost_requests(&self, history: &History) {
        for number in history.unanswered() {
            resolve(self.service(), history, number).await;
        }
    }

    fn request_close(&self, channel: &Pubkey) {
        let mut state = self.world().chain.state();
        state.now = now();
        let now = state.now;
        let account = state.channels.get_mut(channel).unwrap();
        let payer = account.channel.payer;
        if account.channel.closes_at == i64::MAX {
            account
                .channel
                .request_close(|key| *key == payer, Moment { unix_seconds: now, slot: 0 })
                .unwrap();
        }
    }

    /// Closes all channels, settles everything, and compares it with the model.
    pub async fn leave(mut self, history: &History) {
        let world = self.world.take().unwrap();
        let app = world.gateway.app();
        for seat in &self.seats {
            if let Err(error) = app.settler.settle(seat.channel).await {
                history.broke(format!("{} does not settle: {error}", seat.channel));
            }
        }
        match app.reconciler.reconcile().await {
            Ok(books) if books.exact => {}
            books => history.broke(format!("the books are not exact: {books:?}")),
        }
        self.world = Some(world);
        for seat in &self.seats {
            self.request_close(&seat.channel);
            let closed = self.world().gateway.app().settler.close(seat.channel).await;
            if let Err(error) = closed {
                history.broke(format!("{} does not close: {error}", seat.channel));
            }
            history.count(|counts| counts.closed_channels += 1);
            let account = self.world().chain.state().channels[&seat.channel].clone();
            check_channel(seat, &account, history);
        }
        let submitted = self.world().chain.state().submitted.len() as u64;
        history.count(|counts| counts.settlements += submitted);
        self.world.take().unwrap().gateway.shutdown().await;
    }
}

/// Built once, because building takes as long as dozens of requests.
fn service(world: &World) -> Router {
    router(world.gateway.app().clone(), None)
}

fn license_at(price: &Price) -> License {
    let Price { price, free_units, cap } = *price;
    let units_left = if cap == u64::MAX { License::UNLIMITED } else { cap };
    License { free_units_left: free_units, units_left, ..license(price) }
}
