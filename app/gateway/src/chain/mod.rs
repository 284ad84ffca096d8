//! Access to the cluster's nodes.

mod endpoint;
mod node;
mod payments;
mod rejection;
mod rpc;
mod submission;
mod watermarks;

use std::time::Duration;

use async_trait::async_trait;
use motif_sdk::{
    Pubkey,
    channel::{ChannelAccount, Currency, PaymentsError},
    client::{
        CatalogueEntry, ConfirmedTransaction, DynSigner, Heard, OfferFilter, PublishedTerms,
        WorkDetails, WorkFilter,
    },
    licensing::Work,
    lineage::Lineage,
    operator::Operator,
    recognition::Registered,
    record::ChainRecord,
    till::{Till, TillShares},
};
use solana_account::Account;
use solana_message::Hash;
use solana_signature::Signature;
use tokio::sync::mpsc::Sender;

pub use endpoint::Endpoint;
pub use node::NodeStatus;
pub use rpc::RpcChain;

/// Error returned when the cluster does not answer or rejects a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Error returned when no node answers, or no answer is valid. The outcome is unknown.
    #[error("the cluster is unreachable: {0}")]
    Unreachable(String),
    /// Error returned when a transaction is rejected. It changed nothing.
    #[error("{0}")]
    Refused(String),
    /// Error returned when a settlement is rejected for a permanent reason: its statement can
    /// never settle.
    #[error("{0}")]
    Final(String),
}

impl ChainError {
    /// Errors of the payments program that every later attempt at the same statement meets.
    const FINAL: [PaymentsError; 9] = [
        PaymentsError::LicenseExpired,
        PaymentsError::VoucherExpired,
        PaymentsError::ChannelClosed,
        PaymentsError::UnitCapExceeded,
        PaymentsError::RevenueCapExceeded,
        PaymentsError::LicenseNotFound,
        PaymentsError::VoucherSignerMismatch,
        PaymentsError::VoucherTotalMismatch,
        PaymentsError::StatementLimitReached,
    ];

    /// Creates a rejection from the program's error code, if a program rejected the transaction.
    pub fn rejection(code: Option<u32>, reason: String) -> Self {
        let is_final = Self::FINAL.iter().any(|cause| code == Some(u32::from(*cause)));
        if is_final { Self::Final(reason) } else { Self::Refused(reason) }
    }
}

/// Channel account as read at a slot.
#[derive(Clone, Debug)]
pub struct ReadChannel {
    /// Parsed account.
    pub account: ChannelAccount,
    /// Data of the account.
    pub data: Vec<u8>,
    /// Slot of the read.
    pub slot: u64,
}

/// Maximum number of channels in one read.
pub const MAX_CHANNELS: usize = 100;
/// Maximum number of accounts in one read.
pub const MAX_ACCOUNTS: usize = 100;
/// Maximum number of transactions in one read of statuses.
pub const MAX_STATUSES: usize = 256;

/// Status of a transaction: confirmed, or `None` if an up-to-date node does not know it.
/// [`ChainError::Refused`] or [`ChainError::Final`] if it failed.
pub type SettlementStatus = Result<Option<ConfirmedTransaction>, ChainError>;

/// A cluster. Tests implement it with scripts.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
    /// Checks that a node answers.
    async fn reach(&self) -> Result<(), ChainError>;
    /// Returns the cluster's tag.
    async fn cluster(&self) -> Result<[u8; 32], ChainError>;
    /// Returns the cluster's time in unix seconds.
    async fn now(&self) -> Result<i64, ChainError>;
    /// Returns a work, or `None` if it does not exist.
    async fn work(&self, address: &Pubkey) -> Result<Option<Work>, ChainError>;
    /// Returns the matching works with their latest terms, earliest registration first.
    async fn catalogue(
        &self,
        works: &WorkFilter,
        offers: &OfferFilter,
    ) -> Result<Vec<CatalogueEntry>, ChainError>;
    /// Returns all facts of a work, or `None` if it does not exist.
    async fn work_details(&self, address: &Pubkey) -> Result<Option<WorkDetails>, ChainError>;
    /// Returns a work's ancestors and descendants, or `None` if it does not exist.
    async fn lineage(&self, address: &Pubkey) -> Result<Option<Lineage>, ChainError>;
    /// Returns these works with their latest terms. Addresses without a work are left out.
    async fn entries(&self, works: &[Pubkey]) -> Result<Vec<CatalogueEntry>, ChainError>;
    /// Returns the digests and fingerprints of all works.
    async fn registered(&self) -> Result<Vec<Registered>, ChainError>;
    /// Sends newly registered works until the node's notifications end.
    async fn follow_works(&self, tell: Sender<Heard>) -> Result<(), ChainError>;
    /// Returns a version of a work's terms, or `None` if it does not exist.
    async fn terms(&self, work: &Pubkey, number: u32)
    -> Result<Option<PublishedTerms>, ChainError>;
    /// Returns all works, channels and earnings.
    async fn record(&self) -> Result<ChainRecord, ChainError>;
    /// Returns accounts, at most [`MAX_ACCOUNTS`], with `None` for those that do not exist, and the slot
    /// of the read.
    async fn accounts(
        &self,
        addresses: &[Pubkey],
    ) -> Result<(Vec<Option<Account>>, u64), ChainError>;
    /// Returns channels, at most [`MAX_CHANNELS`], with `None` for those that do not exist.
    async fn channels(&self, addresses: &[Pubkey]) -> Result<Vec<Option<ReadChannel>>, ChainError>;
    /// Returns a channel, or `None` if it does not exist.
    async fn channel(&self, address: &Pubkey) -> Result<Option<ReadChannel>, ChainError> {
        Ok(self.channels(std::slice::from_ref(address)).await?.pop().flatten())
    }
    /// Returns the balance of an account, lamports; 0 if it does not exist.
    async fn balance(&self, account: &Pubkey) -> Result<u64, ChainError>;
    /// Returns a blockhash and the last block height at which it is valid.
    async fn blockhash(&self) -> Result<(Hash, u64), ChainError>;
    /// Returns the height of the last finalized block.
    async fn final_height(&self) -> Result<u64, ChainError>;
    /// Submits a signed transaction. Returns [`ChainError::Refused`] or [`ChainError::Final`] only
    /// if the preflight check failed and no node forwarded it.
    async fn submit(&self, transaction: &[u8], check_first: bool) -> Result<(), ChainError>;
    /// Sends a page's transaction after a preflight check. One that was processed before is taken, and one
    /// whose blockhash no node knows is refused.
    async fn relay(&self, transaction: &[u8]) -> Result<(), ChainError> {
        self.submit(transaction, true).await
    }
    /// Returns the statuses of transactions, at most [`MAX_STATUSES`].
    async fn statuses(&self, signatures: &[Signature])
    -> Result<Vec<SettlementStatus>, ChainError>;
    /// Returns the status of a transaction.
    async fn landed(&self, signature: &Signature) -> SettlementStatus {
        let found = self.statuses(std::slice::from_ref(signature)).await?.pop();
        found.unwrap_or_else(|| Err(ChainError::Unreachable("the node returned no status".into())))
    }
    /// Returns the compute units that a transaction uses in simulation. Its signatures and its
    /// blockhash are ignored.
    async fn simulate(&self, transaction: &[u8]) -> Result<u64, ChainError>;
    /// Returns the prices that recent blocks charged for writing all of these accounts,
    /// micro-lamports per compute unit.
    async fn recent_fees(&self, accounts: &[Pubkey]) -> Result<Vec<u64>, ChainError>;
    /// Returns the pause between two reads of pending transactions. Other waits of a settlement are
    /// multiples of it.
    fn poll_interval(&self) -> Duration {
        Duration::from_millis(500)
    }
    /// Returns the operator with this authority, or `None` if it is not registered.
    async fn operator(&self, authority: &Pubkey) -> Result<Option<Operator>, ChainError>;
    /// Returns the till at an address, or `None` if there is no till.
    async fn till(&self, address: &Pubkey) -> Result<Option<Till>, ChainError>;
    /// Returns the currency of a mint with its decimals, or `None` if there is no mint.
    async fn currency(&self, mint: &Pubkey) -> Result<Option<(Currency, u8)>, ChainError>;
    /// Opens a till, unless it is open.
    async fn open_till(
        &self,
        funder: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<(), ChainError>;
    /// Simulates a transaction as it is, apart from its signatures. Returns [`ChainError::Refused`] if
    /// it fails.
    async fn check_payment(&self, transaction: &[u8]) -> Result<(), ChainError>;
    /// Ends a channel's grace period, signed by its operator's authority.
    async fn close(
        &self,
        authority: &DynSigner,
        channel: &Pubkey,
    ) -> Result<ConfirmedTransaction, ChainError>;
    /// Pays the operator's settled fees to its fee owner. Returns base units.
    async fn claim_fees(
        &self,
        funder: &DynSigner,
        channel: &Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ChainError>;
    /// Returns the status of each node, in order of preference.
    fn nodes(&self) -> Vec<NodeStatus> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permanent_rejections_are_final() {
        let of = |cause: PaymentsError| ChainError::rejection(Some(cause.into()), String::new());
        for permanent in ChainError::FINAL {
            assert_eq!(of(permanent), ChainError::Final(String::new()));
        }
        for temporary in [
            PaymentsError::DailyCapExceeded,
            PaymentsError::VoucherStatementMismatch,
            PaymentsError::InsufficientDeposit,
            PaymentsError::SettlerNotAllowed,
        ] {
            assert_eq!(of(temporary), ChainError::Refused(String::new()));
        }
        let unknown = ChainError::rejection(None, String::new());
        assert_eq!(unknown, ChainError::Refused(String::new()));
    }
}
