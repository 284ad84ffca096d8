//! What works earn, where the money is, and what happened.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// Where the money of a work, or of a person, is in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standing {
    /// Mint of the amounts.
    pub currency: Address,
    /// Decimals of the mint; `null` if the cluster does not know it.
    pub decimals: Option<u8>,
    /// Name of a well-known currency, such as `USDC`.
    pub symbol: Option<String>,
    /// Whether one token is a US dollar.
    pub dollars: bool,
    /// Prices that payers have signed for at this gateway and that have not settled; `null` without the
    /// header `motif-person` of a person whom the work pays.
    pub vouched: Option<Amount>,
    /// Settled on chain and not collected, in channels of any operator.
    pub settled: Amount,
    /// Collected into earnings so far.
    pub collected: Amount,
    /// Of it owed to parents that have not pulled it.
    pub waiting: Amount,
    /// Of it withheld until a verdict.
    pub disputed: Amount,
    /// Of it ready for recipients.
    pub claimable: Amount,
    /// Of it paid to recipients that the account still lists.
    pub claimed: Amount,
}

/// Why a work is a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Registered it.
    Creator,
    /// Owns it.
    Owner,
    /// Has a share of its earnings, or had one that is not paid yet.
    Recipient,
}

/// Earnings of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonEarnings {
    /// The person.
    pub person: Address,
    /// Unix second of the read.
    pub as_of: i64,
    /// Sums over the works, one for each currency.
    pub totals: Vec<Standing>,
    /// Works, earliest registration first.
    pub works: Vec<PersonWork>,
}

/// Work that pays a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonWork {
    /// Address.
    pub work: Address,
    /// Title as the owner states it; possibly empty.
    pub title: String,
    /// Why it is the person's.
    pub roles: Vec<Role>,
    /// One entry for each currency: `collected`, `disputed`, `claimable` and `claimed` are the person's
    /// part, the others the work's before parents and other recipients.
    pub currencies: Vec<Standing>,
}

/// Earnings of a work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkEarnings {
    /// The work.
    pub work: Address,
    /// Unix second of the read.
    pub as_of: i64,
    /// One entry for each currency.
    pub currencies: Vec<Standing>,
    /// Parts of recipients.
    pub recipients: Vec<RecipientPart>,
    /// Parts of parents.
    pub parents: Vec<ParentPart>,
}

/// Part of a recipient in what a work has collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientPart {
    /// Mint of the amounts.
    pub currency: Address,
    /// Recipient.
    pub recipient: Address,
    /// Present share of what remains after parents; 0 for a former recipient.
    pub share_bps: u16,
    /// Total entitlement.
    pub entitled: Amount,
    /// Paid.
    pub claimed: Amount,
    /// Ready.
    pub claimable: Amount,
}

/// Part of a parent in what a work has collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParentPart {
    /// Mint of the amounts.
    pub currency: Address,
    /// Parent.
    pub work: Address,
    /// Share of everything that the work earns.
    pub share_bps: u16,
    /// Total entitlement.
    pub entitled: Amount,
    /// Moved to the parent's earnings.
    pub pulled: Amount,
    /// Waits for a pull.
    pub waiting: Amount,
}

/// Grouping of a work's usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WorkUsageBy {
    /// The day, UTC.
    Day,
    /// The licensed use.
    Use,
    /// Payer of the channel.
    Platform,
}

/// Usage of a work at a gateway, settled or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkUsageReport {
    /// The work.
    pub work: Address,
    /// Grouping.
    pub by: WorkUsageBy,
    /// First unix second, the start of its day; `null` for the first generation.
    pub from: Option<i64>,
    /// Unix second after the last, the start of its day; `null` for now.
    pub until: Option<i64>,
    /// One row for each name and currency, in that order.
    pub rows: Vec<WorkUsageRow>,
}

/// Row of a work's usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkUsageRow {
    /// Day (`2026-11-23`), use (`generate`) or payer.
    pub name: String,
    /// Mint of the amounts.
    pub mint: Address,
    /// Number of paid generations.
    pub generations: u64,
    /// Units used, including free ones.
    pub units: u64,
    /// Sum of prices, which the work earns before its splits.
    pub prices: Amount,
    /// Sum of prices and operator fees.
    pub charged: Amount,
    /// Of the prices, those of settled statements.
    pub settled: Amount,
}

impl WorkUsageReport {
    /// Returns the report as comma-separated values. No value contains a comma, quote or line break.
    pub fn csv(&self) -> String {
        let header = format!("{},mint,generations,units,prices,charged,settled\n", self.by);
        self.rows.iter().fold(header, |text, row| {
            let WorkUsageRow { name, mint, generations, units, prices, charged, settled } = row;
            text + &format!("{name},{mint},{generations},{units},{prices},{charged},{settled}\n")
        })
    }
}

impl fmt::Display for WorkUsageBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Day => "day",
            Self::Use => "use",
            Self::Platform => "platform",
        })
    }
}
