use std::collections::BTreeMap;

use super::{
    Store, StoreError,
    row::{self, ChannelId},
    sql::{Pool, query_of},
};
use crate::keys::KeyId;
use motif_sdk::{
    channel::ChannelAccount,
    gateway::wire::{Address, Amount, UsageBy, UsageRow},
};

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct UsageAsked {
    /// What it adds up by.
    pub by: UsageBy,
    /// Of one channel, or of all.
    pub channel_id: Option<ChannelId>,
    /// Unix second it begins with.
    pub from: Option<i64>,
    /// Unix second it ends before.
    pub until: Option<i64>,
}

#[derive(Default)]
struct Sums {
    generations: u64,
    units: u64,
    prices: u64,
    charged: u64,
}

impl Store {
    /// Adds up what was used and spent, by name and currency.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn usage(&self, asked: &UsageAsked) -> Result<Vec<UsageRow>, StoreError> {
        let name = match asked.by {
            UsageBy::Work => "work",
            UsageBy::Day => match &self.readers {
                Pool::Sqlite(_) => "date(issued_at, 'unixepoch')",
                Pool::Postgres(_) => {
                    "to_char(to_timestamp(issued_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
                }
            },
            UsageBy::Platform | UsageBy::Channel => "''",
            UsageBy::ApiKey => "api_key",
        };
        // A channel's generations are found by their place, everybody's by their time: on a server
        // by an index, in a file by the runs that have any of that time.
        let source = match (&self.readers, asked.channel_id) {
            (_, Some(_)) => {
                "generations JOIN channels ON channels.id = channel_id AND channel_id = $3"
            }
            (Pool::Postgres(_), None) => "generations JOIN channels ON channels.id = channel_id",
            (Pool::Sqlite(_), None) => {
                "runs CROSS JOIN generations ON generations.id >= runs.first \
                 AND generations.id < runs.first + runs.count \
                 AND runs.latest >= $1 AND runs.earliest < $2 \
                 CROSS JOIN channels ON channels.id = channel_id"
            }
        };
        // Each channel has one currency: by channel, amounts of different ones never meet.
        let sql = format!(
            "SELECT channels.address AS address, channels.account AS account, {name} AS name, \
             COUNT(*) AS generations, CAST(SUM(units) AS BIGINT) AS units, \
             CAST(SUM(amount) AS BIGINT) AS prices, CAST(SUM(charged) AS BIGINT) AS charged \
             FROM {source} WHERE issued_at >= $1 AND issued_at < $2 \
             GROUP BY channels.id, 3"
        );
        let mut query = query_of(sql)
            .bind(asked.from.unwrap_or(i64::MIN))
            .bind(asked.until.unwrap_or(i64::MAX));
        if let Some(id) = asked.channel_id {
            query = query.bind(id.0);
        }
        let rows = query.all(self.tables().await?).await?;
        let mut sums: BTreeMap<(String, Address), Sums> = BTreeMap::new();
        for row in &rows {
            let data: Vec<u8> = row.get("account")?;
            let account = ChannelAccount::from_bytes(&data);
            let channel = account.ok_or_else(|| StoreError::Corrupt("a channel's data".into()))?;
            let channel = channel.channel;
            let name = match asked.by {
                UsageBy::Work => {
                    motif_sdk::Pubkey::new_from_array(row::bytes(row, "name")?).to_string()
                }
                UsageBy::Day => row.get("name")?,
                UsageBy::Platform => channel.payer.to_string(),
                UsageBy::Channel => {
                    motif_sdk::Pubkey::new_from_array(row::bytes(row, "address")?).to_string()
                }
                UsageBy::ApiKey => {
                    let key = row::bytes_or_null(row, "name")?.map(KeyId);
                    key.map(|key| key.to_string()).unwrap_or_default()
                }
            };
            let of = sums.entry((name, Address(channel.mint))).or_default();
            of.generations += row::unsigned(row, "generations")?;
            of.units += row::unsigned(row, "units")?;
            of.prices += row::unsigned(row, "prices")?;
            of.charged += row::unsigned(row, "charged")?;
        }
        let row = |((name, mint), sums): ((String, Address), Sums)| UsageRow {
            name,
            mint,
            generations: sums.generations,
            units: sums.units,
            prices: Amount(sums.prices),
            charged: Amount(sums.charged),
        };
        Ok(sums.into_iter().map(row).collect())
    }
}
