use std::collections::{HashMap, VecDeque};

use motif_gateway::chain::{ChainError, SettlementStatus};
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, Moment},
    client::{ComputeBudget, ConfirmedTransaction},
    payments::SettleRequest,
    voucher_proof::ProvenVoucher,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use solana_message::Hash;
use solana_signature::Signature;

use super::Conditions;
use crate::world::{SettleParts, settle_parts};

/// Blocks until a block is confirmed, and until it is final.
const CONFIRMED_AFTER: u64 = 2;
const FINAL_AFTER: u64 = 32;
/// Blocks for which a blockhash is valid.
const BLOCKHASH_BLOCKS: u64 = 150;
/// Fee of a settlement's two signatures, lamports.
const BASE_FEE: u64 = 10_000;

/// What has happened on a cluster.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Number of submissions.
    pub submitted: u64,
    /// Number of submissions that no leader received.
    pub dropped: u64,
    /// Number of settlements.
    pub settled: u64,
    /// Number of transactions that failed in a block.
    pub failed: u64,
    /// Number of settlements that were taken back.
    pub taken_back: u64,
    /// Number of requests that nodes refused.
    pub limited: u64,
    /// Sum of priority fees, lamports.
    pub priority_fees: u64,
    /// Highest priority fee of a transaction, lamports.
    pub highest_fee: u64,
    /// Shortest time between a settlement and the end of its voucher, seconds.
    pub least_seconds_left: Option<i64>,
}

/// Blocks of the present fork, and transactions that may get into the next ones.
pub(super) struct State {
    conditions: Conditions,
    random: StdRng,
    slot: u64,
    height: u64,
    /// Height by slot, from the first.
    heights: Vec<u64>,
    /// Price by slot, from the first.
    prices: Vec<u64>,
    /// Blockhashes with slot and height, oldest first.
    blockhashes: VecDeque<(Hash, u64, u64)>,
    cached_blockhash: Option<(u64, Hash, u64)>,
    /// Accounts with the slots of their changes, oldest first.
    channels: HashMap<Pubkey, Vec<(u64, ChannelAccount)>>,
    queue: HashMap<Signature, Queued>,
    landed: HashMap<Signature, (u64, SettlementStatus)>,
    newest_read: u64,
    pub statistics: Statistics,
}

struct Queued {
    parts: SettleParts,
    arrives: u64,
    forgotten: u64,
}

impl State {
    /// Compute units of a settlement.
    pub const SETTLE_UNITS: u64 = 3_000;

    pub fn new(conditions: Conditions) -> Self {
        let random = StdRng::seed_from_u64(conditions.seed);
        let mut state = Self {
            conditions,
            random,
            slot: 0,
            height: 0,
            heights: vec![0],
            prices: vec![0],
            blockhashes: VecDeque::new(),
            cached_blockhash: None,
            channels: HashMap::new(),
            queue: HashMap::new(),
            landed: HashMap::new(),
            newest_read: 0,
            statistics: Statistics::default(),
        };
        state.push_blockhash();
        state
    }

    pub fn open(&mut self, address: Pubkey, account: ChannelAccount) {
        self.channels.insert(address, vec![(0, account)]);
    }

    pub fn now(&self) -> i64 {
        self.conditions.begins_at + i64::try_from(self.slot * 2 / 5).unwrap()
    }

    pub fn finalized_slot(&self) -> u64 {
        self.slot.saturating_sub(FINAL_AFTER)
    }

    fn confirmed_slot(&self) -> u64 {
        self.slot.saturating_sub(CONFIRMED_AFTER)
    }

    pub fn height_at(&self, slot: u64) -> u64 {
        self.heights[usize::try_from(slot).unwrap()]
    }

    pub fn account_at(&self, address: &Pubkey, slot: u64) -> Option<ChannelAccount> {
        let versions = self.channels.get(address)?.iter().rev();
        versions.into_iter().find(|(changed, _)| *changed <= slot).map(|(_, one)| one.clone())
    }

    pub fn limits_request(&mut self) -> bool {
        let Conditions { limited, limited_every, .. } = self.conditions;
        let is_outage = limited_every > 0 && self.slot % limited_every < 10 && self.slot > 10;
        let is_limited = is_outage || self.random.random_ratio(limited, 100);
        self.statistics.limited += u64::from(is_limited);
        is_limited
    }

    /// Returns the confirmed slot of the node that a read gets.
    pub fn read_slot(&mut self) -> Result<u64, ChainError> {
        let lag = match self.random.random_ratio(self.conditions.lagging, 100) {
            true => self.random.random_range(1..40),
            false => 0,
        };
        let slot = self.confirmed_slot().saturating_sub(lag);
        if slot < self.newest_read {
            return Err(ChainError::Unreachable("the node is behind".into()));
        }
        self.newest_read = slot;
        Ok(slot)
    }

    pub fn cached_blockhash(&mut self) -> (Hash, u64) {
        let is_old = |(at, ..): &(u64, Hash, u64)| self.slot >= *at + self.conditions.blockhash_age;
        if self.cached_blockhash.as_ref().is_none_or(is_old) {
            let confirmed = self.confirmed_slot();
            let newest = self.blockhashes.iter().rev().find(|(_, slot, _)| *slot <= confirmed);
            let (hash, _, height) = newest.unwrap_or(&self.blockhashes[0]);
            self.cached_blockhash = Some((self.slot, *hash, height + BLOCKHASH_BLOCKS));
        }
        let (_, hash, last_valid) = self.cached_blockhash.unwrap();
        (hash, last_valid)
    }

    pub fn recent_prices(&self) -> Vec<u64> {
        self.prices[self.prices.len().saturating_sub(150)..].to_vec()
    }

    pub fn status(&self, signature: &Signature) -> SettlementStatus {
        match self.landed.get(signature) {
            Some((slot, status)) if *slot <= self.confirmed_slot() => status.clone(),
            _ => Ok(None),
        }
    }

    pub fn submit(&mut self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        let parts = settle_parts(transaction);
        let signature = Signature::from(<[u8; 64]>::try_from(&transaction[1..65]).unwrap());
        if check_first {
            let slot = self.confirmed_slot();
            let account = self.account_at(&parts.voucher.channel, slot);
            settled(account, &parts, self.now())?;
        }
        self.statistics.submitted += 1;
        if self.random.random_ratio(self.conditions.dropped, 100) {
            self.statistics.dropped += 1;
            return Ok(());
        }
        let arrives = self.slot + self.random.random_range(self.conditions.delay.clone());
        let forgotten = arrives + self.conditions.memory;
        let queued = self.queue.entry(signature).or_insert(Queued { parts, arrives, forgotten });
        queued.forgotten = forgotten;
        Ok(())
    }

    /// Produces the block of the next slot, or skips it.
    pub fn produce(&mut self) {
        self.slot += 1;
        let Conditions { fork_every, skipped, price, room, .. } = self.conditions;
        if fork_every > 0 && self.slot.is_multiple_of(fork_every) {
            self.take_blocks_back();
        }
        let price = price(self.slot);
        self.prices.push(price);
        if self.random.random_ratio(skipped, 100) {
            self.heights.push(self.height);
            return;
        }
        self.height += 1;
        self.heights.push(self.height);
        self.push_blockhash();
        let slot = self.slot;
        self.queue.retain(|_, queued| queued.forgotten > slot);
        let is_ready = |queued: &Queued| queued.arrives <= slot && queued.parts.price >= price;
        let ready = self.queue.iter().filter(|(_, queued)| is_ready(queued));
        let mut ready: Vec<_> = ready.map(|(one, queued)| (*one, queued.parts.price)).collect();
        // A map has no order; equal prices land in any.
        ready.sort_unstable();
        ready.shuffle(&mut self.random);
        ready.sort_by_key(|(_, price)| std::cmp::Reverse(*price));
        for (signature, _) in ready.into_iter().take(room) {
            let Queued { parts, .. } = self.queue.remove(&signature).unwrap();
            self.execute(signature, &parts);
        }
    }

    /// Runs a transaction in the present block, if its blockhash is valid there.
    fn execute(&mut self, signature: Signature, parts: &SettleParts) {
        let oldest = self.height.saturating_sub(BLOCKHASH_BLOCKS);
        let is_valid =
            |(hash, _, height): &(Hash, u64, u64)| *hash == parts.blockhash && *height >= oldest;
        if self.landed.contains_key(&signature) || !self.blockhashes.iter().any(is_valid) {
            return;
        }
        let budget = ComputeBudget { units: parts.units.unwrap_or(400_000), price: parts.price };
        let priority_fee = budget.lamports();
        let statistics = &mut self.statistics;
        statistics.priority_fees += priority_fee;
        statistics.highest_fee = statistics.highest_fee.max(priority_fee);
        let address = parts.voucher.channel;
        let account = self.account_at(&address, self.slot);
        let status = settled(account, parts, self.now()).map(|account| {
            let left = parts.voucher.expires_at - self.now();
            let least = &mut self.statistics.least_seconds_left;
            *least = Some(least.map_or(left, |least| least.min(left)));
            self.statistics.settled += 1;
            self.channels.get_mut(&address).unwrap().push((self.slot, account));
            Some(ConfirmedTransaction {
                signature,
                slot: self.slot,
                fee_lamports: BASE_FEE + priority_fee,
                compute_units: Self::SETTLE_UNITS,
                logs: Vec::new(),
            })
        });
        self.statistics.failed += u64::from(status.is_err());
        self.landed.insert(signature, (self.slot, status));
    }

    /// Switches to a fork without the newest blocks. Their transactions are lost, and so are those that
    /// name their blockhashes.
    fn take_blocks_back(&mut self) {
        let depth = self.random.random_range(self.conditions.fork_depth.clone());
        let last = self.slot.saturating_sub(depth);
        for versions in self.channels.values_mut() {
            let before = versions.len();
            versions.retain(|(changed, _)| *changed <= last);
            self.statistics.taken_back += (before - versions.len()) as u64;
        }
        self.landed.retain(|_, (slot, _)| *slot <= last);
        self.blockhashes.retain(|(_, slot, _)| *slot <= last);
        self.cached_blockhash = None;
    }

    fn push_blockhash(&mut self) {
        let hash = Hash::new_from_array(self.random.random());
        self.blockhashes.push_back((hash, self.slot, self.height));
        if self.blockhashes.len() > 400 {
            self.blockhashes.pop_front();
        }
    }
}

/// Returns a channel's account after a settlement, by the program's own code.
fn settled(
    account: Option<ChannelAccount>,
    parts: &SettleParts,
    now: i64,
) -> Result<ChannelAccount, ChainError> {
    let account = account.ok_or_else(|| ChainError::Refused("no such channel".into()))?;
    let by_operator = parts.settler == account.channel.operator;
    let ChannelAccount { mut channel, mut licenses } = account;
    let request = SettleRequest {
        channel: parts.voucher.channel,
        proven: &ProvenVoucher { key: parts.key, voucher: parts.voucher },
        statement: &parts.args.statement,
        receipts: parts.args.receipts,
        settler: &parts.settler,
        by_operator,
        now: Moment::running(now),
    };
    let settled = channel.settle(&mut licenses, &request);
    settled.map_err(|error| ChainError::rejection(Some(error.into()), error.to_string()))?;
    Ok(ChannelAccount { channel, licenses })
}
