use motif_interface::channel::StatementRecord;

use crate::{
    api_key::{KeyId, StoredKey},
    error::StoreError,
    expense::Expense,
    generation::{ChannelId, Generation},
    hold::{Hold, HoldId},
    sale::{PaymentId, SaleEvent, StoredSale},
};

/// One write to the store.
#[derive(Clone, Debug)]
pub enum Change {
    /// Generations that one voucher pays for.
    Generations {
        /// The generations, in order.
        generations: Vec<Generation>,
        /// Holds that they capture.
        holds: Vec<HoldId>,
    },
    /// A new hold.
    HoldPlaced {
        /// The channel.
        channel_id: ChannelId,
        /// The hold's digest.
        id: HoldId,
        /// The hold.
        hold: Hold,
        /// API key that places it.
        api_key: Option<KeyId>,
    },
    /// A hold is released.
    HoldReleased {
        /// The hold's digest.
        id: HoldId,
    },
    /// A statement is cut: it takes no more generations.
    Cut {
        /// The channel.
        channel_id: ChannelId,
        /// The statement's number.
        number: u64,
        /// Its entries, as they settle.
        entries: Vec<u8>,
        /// Prices of its generations, base units.
        prices: u64,
        /// Unix seconds.
        cut_at: i64,
    },
    /// A channel's account was read from the chain, and statements have settled. Written in one
    /// transaction.
    Observed {
        /// The channel.
        channel_id: ChannelId,
        /// The account's data.
        account: Vec<u8>,
        /// Statements that have settled since the last observation.
        settled: Vec<SettledStatement>,
    },
    /// Statements that settled before the account was last recorded.
    Settled {
        /// The channel.
        channel_id: ChannelId,
        /// The statements.
        settled: Vec<SettledStatement>,
    },
    /// Holds that expired before a time are deleted, a limited number at once.
    HoldsPruned {
        /// Unix seconds.
        before: i64,
    },
    /// The operator paid for a transaction.
    Spent(Expense),
    /// A settlement transaction that is about to be sent.
    Transaction(Box<StoredTransaction>),
    /// The outcome of a settlement transaction.
    Outcome {
        /// The transaction.
        signature: [u8; 64],
        /// The outcome.
        outcome: Outcome,
    },
    /// A payment to a till that is about to be sent. One that was stored before is left as it is.
    SaleSent(Box<StoredSale>),
    /// What became of a payment to a till.
    Sale {
        /// The payment.
        payment: PaymentId,
        /// What happened.
        event: SaleEvent,
    },
    /// A new API key.
    KeyCreated(Box<StoredKey>),
    /// An API key is revoked.
    KeyRevoked {
        /// The key.
        id: KeyId,
        /// Unix seconds.
        revoked_at: i64,
    },
    /// A channel's budget is set.
    Budget {
        /// The channel.
        channel_id: ChannelId,
        /// Base units; `None` for the whole deposit.
        budget: Option<u64>,
    },
    /// No change. Acknowledged when everything queued before it is durable.
    Barrier,
}

/// Signed settlement transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTransaction {
    /// The channel.
    pub channel_id: ChannelId,
    /// Statement that it settles.
    pub statement: u64,
    /// Its signature.
    pub signature: [u8; 64],
    /// The serialized transaction.
    pub bytes: Vec<u8>,
    /// Last block height at which it can land.
    pub last_valid_height: u64,
    /// Root of the receipts that it commits to.
    pub receipts_root: [u8; 32],
}

/// Outcome of a settlement transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may still land.
    Pending,
    /// It landed and succeeded.
    Landed,
    /// It failed on chain or in simulation.
    Refused,
    /// It failed for a permanent reason: its statement can never settle.
    Final,
    /// Its blockhash has expired.
    Expired,
}

/// Statement as the chain recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledStatement {
    /// The statement's entries.
    pub entries: Vec<u8>,
    /// The record.
    pub record: StatementRecord,
    /// Whether the record is known to equal the chain's. Only then is its hash stored.
    pub is_proven: bool,
    /// Unix seconds.
    pub settled_at: i64,
}

impl Change {
    /// Checks that every amount and number fits into a column.
    pub(crate) fn check_range(&self) -> Result<(), StoreError> {
        let check = |name: &'static str, value: u64| match i64::try_from(value) {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::OutOfRange(name)),
        };
        match self {
            Self::Generations { generations, .. } => {
                for generation in generations {
                    let receipt = &generation.receipt.receipt;
                    check("statement", receipt.statement)?;
                    check("amount", receipt.amount)?;
                    check("cumulative", receipt.cumulative)?;
                    check("charged", generation.charged)?;
                }
                Ok(())
            }
            Self::Cut { number, prices, .. } => {
                check("statement", *number).and_then(|()| check("prices", *prices))
            }
            Self::Observed { settled, .. } | Self::Settled { settled, .. } => {
                for statement in settled {
                    let settlement = &statement.record.settlement;
                    check("statement", settlement.statement)?;
                    check("prices", settlement.prices)?;
                    check("fee", settlement.fee)?;
                    check("cumulative", settlement.cumulative)?;
                }
                Ok(())
            }
            Self::Transaction(transaction) => check("statement", transaction.statement)
                .and_then(|()| check("block height", transaction.last_valid_height)),
            Self::Spent(expense) => check("lamports", expense.lamports),
            Self::SaleSent(sale) => check("block height", sale.last_valid_height),
            Self::KeyCreated(key) => key.budget.map_or(Ok(()), |budget| check("budget", budget)),
            Self::Budget { budget, .. } => budget.map_or(Ok(()), |budget| check("budget", budget)),
            Self::HoldPlaced { .. }
            | Self::HoldReleased { .. }
            | Self::HoldsPruned { .. }
            | Self::Outcome { .. }
            | Self::Sale { .. }
            | Self::KeyRevoked { .. }
            | Self::Barrier => Ok(()),
        }
    }

    /// Returns the generations that the change stores.
    pub(crate) fn generations(&self) -> &[Generation] {
        match self {
            Self::Generations { generations, .. } => generations,
            _ => &[],
        }
    }

    /// Returns the generations that the change stores, to be signed.
    pub(crate) fn generations_mut(&mut self) -> &mut [Generation] {
        match self {
            Self::Generations { generations, .. } => generations,
            _ => &mut [],
        }
    }
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Pending, Self::Landed, Self::Refused, Self::Final, Self::Expired];

    /// Returns the value of the column.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Landed => "landed",
            Self::Refused => "refused",
            Self::Final => "final",
            Self::Expired => "expired",
        }
    }

    /// Returns the outcome with this value of the column.
    pub(crate) fn from_column(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}
