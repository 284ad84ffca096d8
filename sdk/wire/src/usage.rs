use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// What a report adds up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UsageBy {
    /// The licensed work.
    Work,
    /// The day, UTC.
    Day,
    /// Who pays: the channel's payer.
    Platform,
    /// The channel.
    Channel,
    /// The API key it was asked for with.
    ApiKey,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum UsageFormat {
    /// A [`UsageReport`].
    #[default]
    Json,
    /// Lines of comma-separated values, under a header.
    Csv,
}

/// What was used and spent, settled or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageReport {
    /// What it adds up by.
    pub by: UsageBy,
    /// Unix second it begins with; `null` for the first generation.
    pub from: Option<i64>,
    /// Unix second it ends before; `null` for now.
    pub until: Option<i64>,
    /// One for each name and currency, in that order.
    pub rows: Vec<UsageRow>,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageRow {
    /// The work, day (`2026-11-23`), payer, channel or API key; empty where there is none.
    pub name: String,
    /// The mint of the amounts.
    pub mint: Address,
    /// Generations that were paid for.
    pub generations: u64,
    /// Units they used, free ones included.
    pub units: u64,
    /// Their prices.
    pub prices: Amount,
    /// Prices, and the operator's fees for them.
    pub charged: Amount,
}

impl UsageReport {
    /// The report as comma-separated values. No value holds a comma, a quote or a line's end.
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
