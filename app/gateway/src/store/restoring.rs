use std::collections::{BTreeMap, HashMap, VecDeque};

use super::{
    Store, StoreError,
    row::{self, ChannelId, Generation, integer},
    sql::{Row, query},
};
use crate::ledger::{CutStatement, Hold, HoldId, OpenStatement};
use motif_sdk::{
    Pubkey,
    channel::ChannelAccount,
    voucher::{SignedVoucher, Statement},
};

/// A channel as it was when the gateway stopped.
#[derive(Debug)]
pub struct RestoredChannel {
    /// Its number in the store.
    pub id: ChannelId,
    /// Where it is.
    pub address: Pubkey,
    /// As the chain last had it.
    pub account: ChannelAccount,
    /// Statements that were cut and have not settled, oldest first.
    pub cut: VecDeque<CutStatement>,
    /// The statement that goes on.
    pub open: OpenStatement,
    /// Idempotency keys of the open statement, and which generation each one paid for.
    pub keys: HashMap<String, u32>,
    /// The most it may be used for, base units.
    pub budget: Option<u64>,
    /// Room that is kept.
    pub holds: BTreeMap<HoldId, Hold>,
}

impl Store {
    /// A channel with everything that has not settled.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Corrupt`] when vouchers do not cover what was acknowledged.
    pub async fn restore_one(&self, id: ChannelId) -> Result<RestoredChannel, StoreError> {
        let (address, account, budget) = self.recorded(id).await?;
        let mut channel = self.restore_channel(id, address, account).await?;
        channel.budget = budget;
        channel.holds = self.open_holds(id).await?;
        Ok(channel)
    }

    /// Where a channel is, what the chain had of it when that was last recorded, and the most it
    /// may be used for, base units.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recorded(
        &self,
        id: ChannelId,
    ) -> Result<(Pubkey, ChannelAccount, Option<u64>), StoreError> {
        let row = query("SELECT address, account, budget FROM channels WHERE id = $1");
        let row = row.bind(id.0).one(self.tables().await?).await?;
        let address = Pubkey::new_from_array(row::bytes(&row, "address")?);
        let data: Vec<u8> = row.get("account")?;
        let account = ChannelAccount::from_bytes(&data);
        let account = account.ok_or_else(|| StoreError::Corrupt("a channel's data".into()))?;
        let budget: Option<i64> = row.get("budget")?;
        Ok((address, account, budget.and_then(|budget| u64::try_from(budget).ok())))
    }

    async fn restore_channel(
        &self,
        id: ChannelId,
        address: Pubkey,
        account: ChannelAccount,
    ) -> Result<RestoredChannel, StoreError> {
        let settled = account.channel.statements.length;
        let rows = query(
            "SELECT number FROM statements WHERE channel_id = $1 AND number >= $2 \
             AND settled_at IS NULL ORDER BY number",
        );
        let rows = rows.bind(id.0).bind(integer(settled)).all(self.tables().await?).await?;
        let mut cut = VecDeque::with_capacity(rows.len());
        for row in &rows {
            let number = row::unsigned(row, "number")?;
            let (ended, _) = self.replay(id, &account, number).await?;
            let corrupt = || StoreError::Corrupt(format!("statement {number} has no voucher"));
            cut.push_back(CutStatement {
                number,
                voucher: ended.voucher.ok_or_else(corrupt)?,
                statement: ended.statement,
                prices: ended.prices,
                receipts: ended.receipts,
            });
        }
        let number = cut.back().map_or(settled, |last| last.number + 1);
        let (open, keys) = self.replay(id, &account, number).await?;
        Ok(RestoredChannel {
            id,
            address,
            account,
            cut,
            open,
            keys,
            budget: None,
            holds: BTreeMap::new(),
        })
    }

    /// Adds up a statement's generations, as they were added up when they came in.
    async fn replay(
        &self,
        id: ChannelId,
        account: &ChannelAccount,
        number: u64,
    ) -> Result<(OpenStatement, HashMap<String, u32>), StoreError> {
        let sums = self.sums(id, number).await?;
        let mut open = OpenStatement::new(number);
        for (license, (units, prices)) in &sums {
            let added = open.statement.add(*license, *units);
            added.map_err(|error| StoreError::Corrupt(error.to_string()))?;
            open.count(*license, *prices);
        }
        open.receipts = self.count(id, number).await?;
        let Some(last) = open.receipts.checked_sub(1) else { return Ok((open, HashMap::new())) };
        let first = self.generations(id, number, 1, 0).await?;
        open.begun_at = first.first().map(|generation| generation.receipt.receipt.issued_at);
        let newest = self.generations(id, number, 1, last).await?;
        let gap = || StoreError::Corrupt(format!("statement {number} has a gap"));
        let newest = newest.first().ok_or_else(gap)?;
        open.voucher = Some(newest_voucher(account, &open.statement, newest)?);
        Ok((open, self.keys(id, number).await?))
    }

    /// Units and prices of a statement by license.
    async fn sums(
        &self,
        id: ChannelId,
        number: u64,
    ) -> Result<BTreeMap<u16, (u32, u64)>, StoreError> {
        let rows = query(
            "SELECT license, CAST(SUM(units) AS BIGINT) AS units, \
             CAST(SUM(amount) AS BIGINT) AS prices FROM generations \
             WHERE channel_id = $1 AND statement = $2 GROUP BY license",
        );
        let rows = rows.bind(id.0).bind(integer(number)).all(self.tables().await?).await?;
        let read = |row| {
            let sums = (row::small(row, "units")?, row::unsigned(row, "prices")?);
            Ok((row::small(row, "license")?, sums))
        };
        rows.iter().map(read).collect()
    }

    async fn keys(&self, id: ChannelId, number: u64) -> Result<HashMap<String, u32>, StoreError> {
        let rows = query(
            "SELECT idempotency_key, position FROM generations \
             WHERE channel_id = $1 AND statement = $2",
        );
        let rows = rows.bind(id.0).bind(integer(number)).all(self.tables().await?).await?;
        let read = |row: &Row| Ok((row.get("idempotency_key")?, row::small(row, "position")?));
        rows.iter().map(read).collect()
    }
}

/// The newest voucher, which must verify for exactly what the generations add up to.
fn newest_voucher(
    account: &ChannelAccount,
    statement: &Statement,
    newest: &Generation,
) -> Result<SignedVoucher, StoreError> {
    let channel = &account.channel;
    // A key that is changed counts until its successor does; the newest voucher is by either.
    for key in [channel.voucher_key, channel.next_voucher_key] {
        let voucher = newest.voucher(key, channel.cluster, statement.digest());
        if voucher.verifies() {
            return Ok(voucher);
        }
    }
    let number = newest.receipt.receipt.statement;
    Err(StoreError::Corrupt(format!("the voucher of statement {number} does not cover it")))
}
