//! What pages read from the cluster and send to it through a gateway.

use motif_interface::{
    channel::ChannelAccount,
    licensing::{Unit, Use},
};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest};

/// Public networks of Solana, and others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Mainnet-beta.
    Mainnet,
    /// Devnet.
    Devnet,
    /// Testnet.
    Testnet,
    /// A cluster on the gateway's machine.
    Localnet,
    /// Another cluster.
    Unknown,
}

/// The gateway's cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterFacts {
    /// Tag of the cluster, by convention its genesis hash.
    pub cluster: Digest,
    /// Network of that hash.
    pub network: Network,
    /// Whether `POST /v1/chain/faucet` gives test tokens.
    pub faucet: bool,
    /// Address that pays fees and rent of creators without SOL; absent if none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsor: Option<Address>,
}

/// What a sponsored transaction has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SponsorshipQuote {
    /// Fee payer.
    pub sponsor: Address,
    /// Lamports that the first instruction after the unit limit transfers from the sponsor to the wallet; no such
    /// instruction if zero.
    pub lamports: Amount,
}

/// Blockhash for a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockhashFacts {
    /// Base58.
    pub blockhash: String,
    /// Last block height at which a transaction with it can land.
    pub last_valid_block_height: u64,
}

/// Accounts to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountsRequest {
    /// 1 to 100 addresses.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub addresses: Vec<Address>,
}

/// Accounts at a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountsFacts {
    /// Slot of the read.
    pub slot: u64,
    /// Accounts in the order of the request; `null` for those that do not exist.
    pub accounts: Vec<Option<AccountFacts>>,
}

/// Account of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountFacts {
    /// Balance, lamports.
    pub lamports: Amount,
    /// Program that owns it.
    pub owner: Address,
    /// Standard base64; empty for accounts of programs that Motif does not use.
    pub data: String,
}

/// Signed transaction to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TransactionRequest {
    /// Standard base64 of a transaction, legacy or version 0 without lookup tables, at most 1,232 bytes.
    pub transaction: String,
}

/// Transaction that a node has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SentTransaction {
    /// Base58.
    pub signature: String,
}

/// Outcome of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TransactionState {
    /// No node knows it.
    Unknown,
    /// It landed and is confirmed.
    Confirmed,
    /// It landed and failed.
    Failed,
}

/// State of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransactionFacts {
    /// Base58.
    pub signature: String,
    /// Outcome.
    pub state: TransactionState,
    /// Slot in which it landed.
    pub slot: Option<u64>,
    /// Fee that it cost, lamports.
    pub fee_lamports: Option<Amount>,
    /// Why it failed.
    pub detail: Option<String>,
}

/// Test tokens to give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FaucetRequest {
    /// Wallet.
    pub address: Address,
    /// SOL, lamports; at most 10 SOL.
    #[serde(default)]
    pub lamports: Option<Amount>,
    /// Test dollars, base units; at most 10,000 dollars.
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// Channels that an address pays for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidChannels {
    /// Channels, ordered by address.
    pub channels: Vec<PaidChannel>,
}

/// Channel as it is on chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidChannel {
    /// Address.
    pub channel: Address,
    /// Payer.
    pub payer: Address,
    /// Operator.
    pub operator: Address,
    /// Mint of the amounts.
    pub mint: Address,
    /// Operator fee, basis points on top of prices.
    pub operator_fee_bps: u16,
    /// Key that signs vouchers.
    pub voucher_key: Address,
    /// Slot in which it was opened.
    pub opened_slot: u64,
    /// Deposited so far.
    pub deposited: Amount,
    /// Settled so far: prices, fees and upfront fees.
    pub settled: Amount,
    /// Refunded to the payer.
    pub refunded: Amount,
    /// Unix second after which it can be closed; `null` unless it is closing.
    pub closes_at: Option<i64>,
    /// Licenses by index.
    pub licenses: Vec<PaidLicense>,
}

/// License of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaidLicense {
    /// Licensed work.
    pub work: Address,
    /// Number of the accepted terms.
    pub terms_number: u32,
    /// Use; `null` for one that this version does not know.
    #[serde(rename = "use")]
    pub licensed_use: Option<Use>,
    /// Unit; `null` for one that this version does not know.
    pub unit: Option<Unit>,
    /// Price of one unit.
    pub price: Amount,
    /// Units settled.
    pub units: u64,
    /// Credited to the work: prices and the upfront fee.
    pub settled: Amount,
    /// Last unix second; `null` for no end.
    pub expires_at: Option<i64>,
}

impl PaidChannel {
    /// Creates the description from an account.
    pub fn new(address: Pubkey, account: &ChannelAccount) -> Self {
        let channel = &account.channel;
        let licenses = account.licenses.iter().map(|license| PaidLicense {
            work: Address(license.work),
            terms_number: license.terms_number,
            licensed_use: Use::from_byte(license.licensed_use),
            unit: Unit::from_byte(license.unit),
            price: Amount(license.price),
            units: license.units,
            settled: Amount(license.settled),
            expires_at: Some(license.expires_at).filter(|end| *end != i64::MAX),
        });
        let settled = channel.prices.saturating_add(channel.fees());
        let settled = settled.saturating_add(channel.upfront_fees);
        Self {
            channel: Address(address),
            payer: Address(channel.payer),
            operator: Address(channel.operator),
            mint: Address(channel.mint),
            operator_fee_bps: channel.operator_fee_bps,
            voucher_key: Address(channel.voucher_key),
            opened_slot: channel.opened_slot,
            deposited: Amount(channel.deposited),
            settled: Amount(settled),
            refunded: Amount(channel.refunded),
            closes_at: Some(channel.closes_at).filter(|at| *at != i64::MAX && *at != 0),
            licenses: licenses.collect(),
        }
    }
}
