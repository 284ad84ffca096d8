//! Settlement on a busy cluster, in simulated time: see [`motif_testkit::cluster_double`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use motif_gateway::{
    GatewayConfig, RunningGateway, SettlePolicy, channel::ChannelHandle, keys::Caller, serve_with,
};
use motif_sdk::{
    Pubkey,
    client::PriorityFee,
    gateway::{
        IdempotencyKey,
        wire::{Digest, GenerationRequest},
    },
    voucher::{SignedVoucher, Voucher},
};
use motif_testkit::cluster_double::{ClusterDouble, Conditions};
use rand::{Rng, SeedableRng, rngs::StdRng};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::world::{channel_account, voucher_key};

const PRICE: u64 = 100;
const FEE_CAP: u64 = 50_000;
const DAILY_CAP: u64 = 60_000_000;

/// Gateway and channels on a simulated cluster.
struct Busy {
    cluster: Arc<ClusterDouble>,
    gateway: RunningGateway,
    channels: Vec<Pubkey>,
    _folder: TempDir,
}

impl Busy {
    async fn start(channels: u64, conditions: Conditions) -> Self {
        let slot = conditions.slot;
        let cluster = ClusterDouble::start(conditions);
        let operator = Arc::new(Keypair::new_from_array([8; 32]));
        let account = channel_account(operator.pubkey());
        let channels: Vec<_> = (0..channels)
            .map(|number| {
                let mut address = [7; 32];
                address[..8].copy_from_slice(&number.to_le_bytes());
                Pubkey::new_from_array(address)
            })
            .collect();
        for channel in &channels {
            cluster.open(*channel, account.clone());
        }
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("gateway.sqlite");
        let mut config = GatewayConfig::new("http://unused.invalid", operator, store);
        config.min_useful_seconds = 0;
        let cap = FEE_CAP;
        config.settle = SettlePolicy {
            at_age_seconds: 900,
            // Fifteen seconds on the cluster.
            look_every: slot * 38,
            priority_fee: PriorityFee::Percentile { percentile: 50, floor: 0, cap },
            daily_fee_cap: DAILY_CAP,
            ..config.settle
        };
        let gateway = serve_with(config, cluster.clone()).await.unwrap();
        for channel in &channels {
            while gateway.app().sync.open(*channel).await.is_err() {
                tokio::time::sleep(slot).await;
            }
        }
        Self { cluster, gateway, channels, _folder: folder }
    }

    /// Pays one generation with a voucher that is valid for `seconds` on the cluster. Returns the problem
    /// if the gateway refuses it.
    async fn pay(&self, channel: &Pubkey, seconds: i64) -> Option<String> {
        let app = self.gateway.app();
        let handle = app.channels.get(channel).await.unwrap();
        let key = IdempotencyKey::random();
        // The statement may be cut between the look and the payment.
        let mut problem = None;
        for _ in 0..3 {
            let request = request(&handle, 0, self.cluster.time() + seconds);
            let paid = app.metering.pay(*channel, key.clone(), request, &Caller(None)).await;
            match paid {
                Ok(_) => return None,
                Err(error) => problem = Some(error.problem().slug),
            }
        }
        problem
    }

    /// Waits until this time on the cluster, unix seconds.
    async fn until(&self, time: i64) {
        while self.cluster.time() < time {
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// Returns the prices that have settled in finalized blocks.
    fn settled(&self, channel: &Pubkey) -> u64 {
        self.cluster.finalized(channel).channel.prices
    }
}

/// Returns a request for one more unit of a license, with a voucher that expires at `expires_at`.
pub fn request(channel: &ChannelHandle, license: u16, expires_at: i64) -> GenerationRequest {
    let locked = channel.lock();
    let open = locked.ledger.open_statement();
    let mut statement = open.statement.clone();
    statement.add(license, 1).unwrap();
    let prices = locked.ledger.prices().unwrap() + PRICE;
    let voucher = Voucher {
        cluster: channel.cluster,
        channel: channel.address,
        opened_slot: channel.opened_slot,
        statement: open.number,
        cumulative: prices + prices * 200 / 10_000,
        statement_digest: statement.digest(),
        expires_at,
    };
    GenerationRequest {
        voucher: SignedVoucher::sign(voucher, &voucher_key()),
        license,
        units: 1,
        request_digest: Digest([21; 32]),
        output_digest: Digest([22; 32]),
    }
}

/// Waves of congestion of twelve minutes: the price of room in a block rises to 11,200 lamports for a
/// settlement, and falls again.
fn waves(slot: u64) -> u64 {
    const WAVE: u64 = 1_800;
    const HIGHEST: u64 = 2_000_000; // micro-lamports per compute unit
    let position = slot % WAVE;
    let distance = position.abs_diff(WAVE / 2);
    HIGHEST.saturating_sub(distance * 2 * HIGHEST / WAVE).pow(2) / HIGHEST
}

/// Returns the number of channels; `MOTIF_BUSY_CHANNELS` sets it. 1,000 need a machine without other load.
fn channels() -> u64 {
    let channels = std::env::var("MOTIF_BUSY_CHANNELS").ok().and_then(|count| count.parse().ok());
    channels.unwrap_or(100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hour_of_congestion_loses_nothing() {
    let channels = channels();
    let slot = Duration::from_millis(if channels > 200 { 4 } else { 2 });
    let conditions = Conditions {
        slot,
        begins_at: now(),
        price: waves,
        room: 1 + channels as usize / 200,
        delay: 1..=12,
        memory: 40,
        dropped: 40,
        skipped: 5,
        limited: 2,
        limited_every: 700,
        lagging: 5,
        blockhash_age: 10,
        fork_every: 300,
        fork_depth: 1..=6,
        seed: 15,
    };
    let busy = Arc::new(Busy::start(channels, conditions).await);
    let (began, start) = (Instant::now(), busy.cluster.time());
    let mut random = StdRng::seed_from_u64(16);
    // Four payments of each channel within three quarters of an hour.
    let mut due: Vec<_> = (0..4 * busy.channels.len())
        .map(|number| (random.random_range(0..2_700), number % busy.channels.len()))
        .collect();
    due.sort_unstable();
    let mut paying = JoinSet::new();
    for (second, number) in due {
        busy.until(start + second).await;
        let (busy, validity) = (busy.clone(), random.random_range(1_000..2_400));
        let channel = busy.channels[number];
        paying.spawn(async move { (channel, busy.pay(&channel, validity).await) });
    }
    let (mut paid, mut refused) = (HashMap::<_, u64>::new(), BTreeMap::<_, u32>::new());
    for (channel, problem) in paying.join_all().await {
        *paid.entry(channel).or_default() += u64::from(problem.is_none()) * PRICE;
        if let Some(problem) = problem {
            *refused.entry(problem).or_default() += 1;
        }
    }
    let missing = || {
        let settled = |channel: &Pubkey| busy.settled(channel);
        paid.iter().filter(|(channel, prices)| settled(channel) != **prices).count()
    };
    while missing() > 0 && busy.cluster.time() < start + 4_800 {
        busy.until(busy.cluster.time() + 15).await;
    }
    let statistics = busy.cluster.statistics();
    println!("{statistics:?}; refused {refused:?}; {:?}", began.elapsed());
    // Nothing is taken behind a settlement that is overdue.
    let refused: u32 = refused.values().sum();
    assert!(u64::from(refused) * 10 < 4 * channels, "{refused} of {} refused", 4 * channels);
    assert_eq!(missing(), 0, "channels with unsettled payments: {statistics:?}");
    let exposure = busy.gateway.app().exposure();
    assert_eq!((exposure.stopped, exposure.receipts), (0, 0));
    assert!(statistics.taken_back > 0 && statistics.limited > 0 && statistics.dropped > 0);
    assert!(statistics.highest_fee <= FEE_CAP && statistics.priority_fees <= DAILY_CAP);
    assert!(statistics.least_seconds_left.is_some_and(|left| left > 0));
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs() as i64
}
