use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// Grouping of a usage report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UsageBy {
    /// The licensed work.
    Work,
    /// The day, UTC.
    Day,
    /// Payer of the channel.
    Platform,
    /// The channel.
    Channel,
    /// API key of the request.
    ApiKey,
}

/// Format of a usage report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UsageFormat {
    /// A [`UsageReport`].
    #[default]
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// Usage and spending, settled or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageReport {
    /// Grouping.
    pub by: UsageBy,
    /// First unix second; `null` for the first generation.
    pub from: Option<i64>,
    /// Unix second after the last; `null` for now.
    pub until: Option<i64>,
    /// One row for each name and currency, in that order.
    pub rows: Vec<UsageRow>,
}

/// Row of a usage report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageRow {
    /// Work, day (`2026-11-23`), payer, channel or API key; empty for requests without one.
    pub name: String,
    /// Mint of the amounts.
    pub mint: Address,
    /// Number of paid generations.
    pub generations: u64,
    /// Units used, including free ones.
    pub units: u64,
    /// Sum of prices.
    pub prices: Amount,
    /// Sum of prices and operator fees.
    pub charged: Amount,
}

impl UsageReport {
    /// Returns the report as comma-separated values. No value contains a comma, quote or line break.
    pub fn csv(&self) -> String {
        let header = format!("{},mint,generations,units,prices,charged\n", self.by);
        self.rows.iter().fold(header, |text, row| {
            let UsageRow { name, mint, generations, units, prices, charged } = row;
            text + &format!("{name},{mint},{generations},{units},{prices},{charged}\n")
        })
    }
}

impl fmt::Display for UsageBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Work => "work",
            Self::Day => "day",
            Self::Platform => "platform",
            Self::Channel => "channel",
            Self::ApiKey => "api-key",
        })
    }
}
