//! Reconciliation: vouchers, statements, receipts and the chain, compared to the base unit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount},
    gateway::wire::{
        Address, Amount, ExpenseSummary, QuarantinedChannel, ReconciledChannel, Reconciliation,
    },
};

use crate::{
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    channel_sync::ChannelSync,
    error::GatewayError,
    receipts_commitment::receipts_commitment,
    store::{Books, ChannelId, ExpenseSum, ReceiptSums},
};

/// Attempts at a channel that another process writes meanwhile, and the longest pause before
/// each: the holder records settlements at its next read.
const MAX_ATTEMPTS: usize = 3;
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Compares the store with the chain.
pub struct Reconciler {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) sync: Arc<ChannelSync>,
}

/// Account and ledger of a channel at one moment, to compare with receipts and statements.
struct Snapshot {
    account: ChannelAccount,
    /// Whether the account still exists on chain.
    exists: bool,
    vouched: u64,
    exposed: u64,
    open: u64,
    open_receipts: u32,
}

impl Reconciler {
    /// Compares all channels with the chain, which is read anew. A shared store is compared
    /// whole; channels that other processes hold are only read.
    ///
    /// # Errors
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::StoreFailed`].
    pub async fn reconcile(&self) -> Result<Reconciliation, GatewayError> {
        let (mut channels, mut damaged) = (BTreeMap::new(), Vec::new());
        let mut foreign = self.foreign_channels().await?;
        for channel in self.channels.list() {
            match self.reconcile_own(&channel).await {
                Ok(reconciled) => drop(channels.insert(channel.address, reconciled)),
                // Its books cannot be added up; those of the others can.
                Err(GatewayError::StoreDamaged(error)) => damaged.push(QuarantinedChannel {
                    id: channel.id().0,
                    channel: Some(Address(channel.address)),
                    reason: error.to_string(),
                }),
                // Another process has acquired the channel.
                Err(error) if error.is_moved() => foreign.push(channel.id()),
                Err(error) => return Err(error),
            }
        }
        for (address, reconciled) in self.reconcile_foreign(foreign).await? {
            channels.entry(address).or_insert(reconciled);
        }
        let channels: Vec<_> = channels.into_values().collect();
        let mut quarantined = self.channels.quarantined();
        quarantined.extend(damaged);
        let exact =
            quarantined.is_empty() && channels.iter().all(|channel| channel.differences.is_empty());
        let expenses = self.channels.store().reports().expenses(i64::MIN).await?;
        let expense = |sum: &ExpenseSum| ExpenseSummary {
            kind: sum.kind.as_str().to_owned(),
            transactions: sum.transactions,
            fee_lamports: sum.lamports,
        };
        let expenses = expenses.iter().map(expense).collect();
        Ok(Reconciliation { exact, channels, quarantined, expenses })
    }

    /// Returns the stored channels that this process does not hold.
    async fn foreign_channels(&self) -> Result<Vec<ChannelId>, GatewayError> {
        let store = self.channels.store();
        if store.leases().is_none() {
            return Ok(Vec::new());
        }
        let own = self.channels.list().into_iter().map(|channel| channel.id());
        let quarantined = self.channels.quarantined().into_iter().map(|one| ChannelId(one.id));
        let left_out: BTreeSet<_> = own.chain(quarantined).collect();
        let mut all = store.queries().newest_channels().await?;
        all.retain(|id| !left_out.contains(id));
        Ok(all)
    }

    async fn reconcile_own(
        &self,
        channel: &Arc<ChannelHandle>,
    ) -> Result<ReconciledChannel, GatewayError> {
        // Blocks settlements. Later generations are excluded by their positions.
        let _turn = channel.settling.lock().await;
        let exists = match self.sync.refresh(channel).await {
            Ok(_) => true,
            Err(GatewayError::UnknownChannel(_)) => false,
            Err(error) => return Err(error),
        };
        let (snapshot, stopped_at) = {
            let locked = channel.lock();
            let open = locked.ledger.open_statement();
            let snapshot = Snapshot {
                account: locked.ledger.account().clone(),
                exists,
                vouched: locked.ledger.cumulative().unwrap_or(u64::MAX),
                exposed: locked.ledger.exposed(),
                open: open.number,
                open_receipts: open.receipts,
            };
            (snapshot, locked.ledger.stopped_at())
        };
        self.channels.store().writer().flush().await?;
        let mut reconciled = self.compare(channel.id(), channel.address, &snapshot).await?;
        let stopped = stopped_at.map(|number| format!("statement {number} can never settle"));
        reconciled.differences.extend(stopped);
        Ok(reconciled)
    }

    /// Compares channels of other processes, again if they differ: the process may have written
    /// meanwhile.
    async fn reconcile_foreign(
        &self,
        ids: Vec<ChannelId>,
    ) -> Result<BTreeMap<Pubkey, ReconciledChannel>, GatewayError> {
        let mut channels = BTreeMap::new();
        let mut differing = ids;
        for attempt in 0..MAX_ATTEMPTS {
            if attempt > 0 {
                let pause = self.sync.config.settle.look_every.min(MAX_PAUSE);
                tokio::time::sleep(pause).await;
            }
            let mut again = Vec::new();
            for id in differing {
                let (address, snapshot) = self.foreign_snapshot(id).await?;
                let channel = self.compare(id, address, &snapshot).await?;
                if !channel.differences.is_empty() {
                    again.push(id);
                }
                channels.insert(address, channel);
            }
            differing = again;
            if differing.is_empty() {
                break;
            }
        }
        Ok(channels)
    }

    /// Returns the state of a channel that another process holds, from the store and the chain.
    async fn foreign_snapshot(&self, id: ChannelId) -> Result<(Pubkey, Snapshot), GatewayError> {
        let store = self.channels.store();
        let recorded = store.queries().recorded(id).await?;
        let (address, recorded) = (recorded.address, recorded.account);
        let read = self.sync.cluster.read_channel(&address).await?;
        let read =
            read.filter(|read| read.account.channel.opened_slot == recorded.channel.opened_slot);
        let (exists, account) = (read.is_some(), read.map_or(recorded, |read| read.account));
        let open = self.channels.recorded_open_statement(id, &account.channel).await?;
        // Later receipts have later positions.
        let open_receipts = store.queries().count(id, open).await?;
        let newest = store.reports().books(id, open, open_receipts).await?;
        let settled = account.channel.cumulative().unwrap_or(u64::MAX);
        let newest = newest.receipts.last_key_value().map(|(_, sums)| sums.cumulative);
        let vouched = newest.unwrap_or(settled);
        let exposed = vouched.saturating_sub(settled);
        Ok((address, Snapshot { account, exists, vouched, exposed, open, open_receipts }))
    }

    async fn compare(
        &self,
        id: ChannelId,
        address: Pubkey,
        snapshot: &Snapshot,
    ) -> Result<ReconciledChannel, GatewayError> {
        let store = self.channels.store();
        let books = store.reports().books(id, snapshot.open, snapshot.open_receipts).await?;
        let mut differences = Vec::new();
        if !snapshot.exists && snapshot.exposed > 0 {
            let lost = snapshot.exposed;
            differences.push(format!("the channel is not on chain, and {lost} never settled"));
        }
        compare_receipts(&books, snapshot, &mut differences);
        compare_statements(&books, snapshot, &mut differences);
        let settled = snapshot.account.channel.statements.length;
        let units = store.reports().units_before(id, settled).await?;
        for (index, license) in (0_u16..).zip(&snapshot.account.licenses) {
            let own = units.get(&index).copied().unwrap_or(0);
            let what = format!("settled units of license {index}");
            differ(&mut differences, &what, own, license.units);
        }
        for (number, statement) in books.statements.iter().filter(|(_, book)| book.is_settled) {
            let receipts = receipts_commitment(store, id, *number).await?;
            let root = receipts.map(|receipts| receipts.root);
            if statement.receipts_root.is_some() && statement.receipts_root != root {
                differences.push(format!("statement {number} has settled with other receipts"));
            }
        }
        let damaged = books.statements.iter().filter(|(_, statement)| statement.is_damaged);
        let damaged =
            damaged.map(|(number, _)| format!("the row of statement {number} is damaged"));
        differences.extend(damaged);
        let sums = books.receipts.values();
        let total = |of: fn(&ReceiptSums) -> u64| sums.clone().map(of).fold(0, u64::saturating_add);
        let channel = &snapshot.account.channel;
        Ok(ReconciledChannel {
            channel: Address(address),
            mint: Address(channel.mint),
            receipts: total(|sums| sums.count),
            receipts_prices: Amount(total(|sums| sums.prices)),
            receipts_charged: Amount(total(|sums| sums.charged)),
            vouched: Amount(snapshot.vouched),
            settled_statements: settled,
            settled: Amount(channel.cumulative().unwrap_or(u64::MAX)),
            exposed: Amount(snapshot.exposed),
            differences,
        })
    }
}

/// Compares receipts with vouchers and the ledger.
fn compare_receipts(books: &Books, snapshot: &Snapshot, differences: &mut Vec<String>) {
    let (mut charged, mut prices) = (0_u64, 0_u64);
    for (number, sums) in &books.receipts {
        charged = charged.saturating_add(sums.charged);
        prices = prices.saturating_add(sums.prices);
        // Fees are a share of all prices so far, not of each price.
        let fees = Channel { prices, ..snapshot.account.channel }.fees();
        let name = |what: &str| format!("{what} of statement {number}");
        differ(differences, &name("receipts without a gap"), sums.count, sums.positions);
        // A statement's newest voucher covers all receipts so far.
        differ(differences, &name("receipts up to the end"), charged, sums.cumulative);
        let due = prices.saturating_add(fees);
        differ(differences, &name("prices and fees up to the end"), due, sums.cumulative);
        if let Some(statement) = books.statements.get(number) {
            differ(differences, &name("prices"), sums.prices, statement.prices);
        } else if *number != snapshot.open {
            differences.push(format!("statement {number} was never cut"));
        }
    }
    differ(differences, "receipts and vouchers", charged, snapshot.vouched);
}

/// Compares settled statements with the chain.
fn compare_statements(books: &Books, snapshot: &Snapshot, differences: &mut Vec<String>) {
    let chain = &snapshot.account.channel;
    let settled = books.statements.iter().filter(|(_, statement)| statement.is_settled);
    let mut range = chain.statements;
    (range.length, range.peaks) = (0, [[0; 32]; _]);
    let (mut prices, mut total) = (0_u64, 0);
    for (number, statement) in settled {
        differ(differences, "the next settled statement", *number, range.length);
        prices = prices.saturating_add(statement.prices);
        total = statement.cumulative.unwrap_or(0);
        let appended = statement.record_hash.map(|hash| range.append(hash));
        if !matches!(appended, Some(Ok(()))) {
            differences.push(format!("the on-chain record of statement {number} is unknown"));
            range.length += 1;
        }
    }
    let known = range.length;
    differ(differences, "settled statements", known, chain.statements.length);
    differ(differences, "settled prices", prices, chain.prices);
    differ(differences, "settled total", total, chain.cumulative().unwrap_or(u64::MAX));
    if known == chain.statements.length && range != chain.statements {
        differences.push("the chain has other statement records".to_owned());
    }
}

fn differ(differences: &mut Vec<String>, what: &str, own: u64, expected: u64) {
    if own != expected {
        differences.push(format!("{what}: {own} here, expected {expected}"));
    }
}
