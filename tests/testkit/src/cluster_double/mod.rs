//! Busy cluster in simulated time: it drops, delays, reorders and expires transactions, prices its
//! blocks, takes blocks back, and is read through nodes that limit requests, lag and cache.
//!
//! Only channels and their settlements are simulated.

mod conditions;
mod state;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use motif_gateway::chain::{Chain, ChainError, ReadChannel, SettlementStatus};
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, Currency},
    client::{
        CatalogueEntry, ConfirmedTransaction, DynSigner, Heard, OfferFilter, PublishedTerms,
        WorkDetails, WorkFilter,
    },
    licensing::Work,
    lineage::Lineage,
    operator::{Operator, OperatorTerms},
    recognition::Registered,
    record::ChainRecord,
    till::{Till, TillShares},
};
use solana_account::Account;
use solana_message::Hash;
use solana_signature::Signature;
use tokio::{
    sync::mpsc::Sender,
    time::{MissedTickBehavior, interval},
};

pub use conditions::Conditions;
use state::State;
pub use state::Statistics;

use crate::world::data;

/// Simulated cluster. Its time passes in a task of the runtime, so that it slows down with the gateway
/// on a busy machine.
pub struct ClusterDouble {
    state: Mutex<State>,
    poll_interval: Duration,
}

impl ClusterDouble {
    /// Starts a cluster without channels. It ends when it is dropped.
    pub fn start(conditions: Conditions) -> Arc<Self> {
        // A poll of half a second, in slots of 400 ms.
        let (slot, poll_interval) = (conditions.slot, conditions.slot * 5 / 4);
        let state = Mutex::new(State::new(conditions));
        let cluster = Arc::new(Self { state, poll_interval });
        let running = Arc::downgrade(&cluster);
        tokio::spawn(async move {
            let mut slots = interval(slot);
            slots.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                slots.tick().await;
                let Some(cluster) = running.upgrade() else { return };
                cluster.state().produce();
            }
        });
        cluster
    }

    /// Opens a channel.
    pub fn open(&self, address: Pubkey, account: ChannelAccount) {
        self.state().open(address, account);
    }

    /// Returns the account of a channel in the newest finalized block.
    pub fn finalized(&self, address: &Pubkey) -> ChannelAccount {
        let state = self.state();
        state.account_at(address, state.finalized_slot()).unwrap()
    }

    /// Returns the time on the cluster, unix seconds.
    pub fn time(&self) -> i64 {
        self.state().now()
    }

    /// Returns what has happened.
    pub fn statistics(&self) -> Statistics {
        self.state().statistics.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns the state, unless the node limits requests.
    fn answer(&self) -> Result<MutexGuard<'_, State>, ChainError> {
        let mut state = self.state();
        if state.limits_request() {
            return Err(ChainError::Unreachable("429".into()));
        }
        Ok(state)
    }
}

#[async_trait]
impl Chain for ClusterDouble {
    async fn reach(&self) -> Result<(), ChainError> {
        self.answer().map(drop)
    }

    async fn cluster(&self) -> Result<[u8; 32], ChainError> {
        self.answer().map(|_| [3; 32])
    }

    async fn now(&self) -> Result<i64, ChainError> {
        self.answer().map(|state| state.now())
    }

    async fn work(&self, _: &Pubkey) -> Result<Option<Work>, ChainError> {
        Ok(None)
    }

    async fn catalogue(
        &self,
        _: &WorkFilter,
        _: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError> {
        Ok(Vec::new())
    }

    async fn work_details(&self, _: &Pubkey) -> Result<Option<WorkDetails>, ChainError> {
        Ok(None)
    }

    async fn lineage(&self, _: &Pubkey) -> Result<Option<Lineage>, ChainError> {
        Ok(None)
    }

    async fn entries(&self, _: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError> {
        Ok(Vec::new())
    }

    async fn registered(&self) -> Result<Vec<Registered>, ChainError> {
        Ok(Vec::new())
    }

    async fn record(&self) -> Result<ChainRecord, ChainError> {
        Ok(ChainRecord::default())
    }

    async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(Vec<Option<Account>>, u64), ChainError> {
        Ok((vec![None; addresses.len()], 0))
    }

    /// Sends no notifications, as a silent websocket.
    async fn follow_works(&self, _: Sender<Heard>) -> Result<(), ChainError> {
        std::future::pending().await
    }

    async fn terms(&self, _: &Pubkey, _: u32) -> Result<Option<PublishedTerms>, ChainError> {
        Ok(None)
    }

    async fn channels(&self, addresses: &[Pubkey]) -> Result<Vec<Option<ReadChannel>>, ChainError> {
        let mut state = self.answer()?;
        let slot = state.read_slot()?;
        let read = |address| {
            let account = state.account_at(address, slot)?;
            Some(ReadChannel { data: data(&account), account, slot })
        };
        Ok(addresses.iter().map(read).collect())
    }

    async fn balance(&self, _: &Pubkey) -> Result<u64, ChainError> {
        self.answer().map(|_| u64::MAX / 2)
    }

    async fn blockhash(&self) -> Result<(Hash, u64), ChainError> {
        self.answer().map(|mut state| state.cached_blockhash())
    }

    async fn final_height(&self) -> Result<u64, ChainError> {
        self.answer().map(|state| state.height_at(state.finalized_slot()))
    }

    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError> {
        self.answer()?.submit(transaction, check_first)
    }

    async fn statuses(
        &self,
        signatures: &[Signature],
    ) -> Result<Vec<SettlementStatus>, ChainError> {
        let state = self.answer()?;
        Ok(signatures.iter().map(|signature| state.status(signature)).collect())
    }

    async fn simulate(&self, _: &[u8]) -> Result<u64, ChainError> {
        self.answer().map(|_| State::SETTLE_UNITS)
    }

    async fn recent_fees(&self, _: &[Pubkey]) -> Result<Vec<u64>, ChainError> {
        self.answer().map(|state| state.recent_prices())
    }

    fn poll_interval(&self) -> Duration {
        self.poll_interval
    }

    async fn operator(&self, authority: &Pubkey) -> Result<Option<Operator>, ChainError> {
        drop(self.answer()?);
        let terms = OperatorTerms::new(*authority);
        Ok(Operator::new(255, *authority, [*authority; 2], terms, 0).ok())
    }

    async fn till(&self, _: &Pubkey) -> Result<Option<Till>, ChainError> {
        Ok(None)
    }

    async fn currency(&self, _: &Pubkey) -> Result<Option<(Currency, u8)>, ChainError> {
        Ok(None)
    }

    async fn open_till(
        &self,
        _: &DynSigner,
        _: &TillShares,
        _: &Currency,
    ) -> Result<(), ChainError> {
        Err(ChainError::Refused("tills of this cluster are not opened".into()))
    }

    async fn check_payment(&self, _: &[u8]) -> Result<(), ChainError> {
        Err(ChainError::Refused("this cluster has no tills".into()))
    }

    async fn close(&self, _: &DynSigner, _: &Pubkey) -> Result<ConfirmedTransaction, ChainError> {
        Err(ChainError::Refused("channels of this cluster do not close".into()))
    }

    async fn claim_fees(
        &self,
        _: &DynSigner,
        _: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError> {
        Err(ChainError::Refused("fees of this cluster are not claimed".into()))
    }
}
