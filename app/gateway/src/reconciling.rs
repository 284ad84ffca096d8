//! Vouchers, statements, receipts and the chain, held against each other to the unit.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use motif_sdk::{
    Pubkey,
    channel::{Channel, ChannelAccount},
    gateway::wire::{Address, Amount, ReconciledChannel, Reconciliation},
};

use crate::{
    Gateway,
    desk::Desk,
    problem::ApiError,
    store::{Books, ChannelId, ReceiptSums},
};

/// What is held against receipts and statements, at one moment.
struct Held {
    account: ChannelAccount,
    /// Whether the chain has the channel still.
    is_there: bool,
    vouched: u64,
    exposed: u64,
    open: u64,
    open_receipts: u32,
}

/// How often to look again at a channel that another process writes meanwhile, and the longest
/// pause before: what has landed is recorded at the holder's next look.
const LOOKS: usize = 3;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Gateway {
    /// Holds the books of all channels against the chain, which is asked anew. On a shared store
    /// that is every channel in it, whichever process holds it: those of others are only read.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`], [`ApiError::StoreFailed`].
    pub async fn reconcile(&self) -> Result<Reconciliation, ApiError> {
        let mut channels = BTreeMap::new();
        let mut others = self.others_channels().await?;
        for desk in self.desks() {
            match self.reconcile_own(&desk).await {
                Ok(channel) => drop(channels.insert(desk.address, channel)),
                // Another process has taken it over meanwhile.
                Err(error) if error.is_moved() => others.push(desk.id()),
                Err(error) => return Err(error),
            }
        }
        for (address, channel) in self.reconcile_others(others).await? {
            channels.entry(address).or_insert(channel);
        }
        let channels: Vec<_> = channels.into_values().collect();
        let exact = channels.iter().all(|channel| channel.differences.is_empty());
        Ok(Reconciliation { exact, channels })
    }

    /// The channels in the store that this process does not hold.
    async fn others_channels(&self) -> Result<Vec<ChannelId>, ApiError> {
        if self.store().leases().is_none() {
            return Ok(Vec::new());
        }
        let own: Vec<_> = self.desks().iter().map(|desk| desk.id()).collect();
        let mut all = self.store().queries().newest_channels().await?;
        all.retain(|id| !own.contains(id));
        Ok(all)
    }

    async fn reconcile_own(&self, desk: &Arc<Desk>) -> Result<ReconciledChannel, ApiError> {
        // Nothing settles meanwhile; generations go on, and are left out by their positions.
        let _turn = desk.settling.lock().await;
        let is_there = match self.look(desk).await {
            Ok(_) => true,
            Err(ApiError::UnknownChannel(_)) => false,
            Err(error) => return Err(error),
        };
        let held = {
            let book = desk.book();
            let open = book.ledger.open_statement();
            Held {
                account: book.ledger.account().clone(),
                is_there,
                vouched: book.ledger.cumulative().unwrap_or(u64::MAX),
                exposed: book.ledger.exposed(),
                open: open.number,
                open_receipts: open.receipts,
            }
        };
        self.store().writer().flush().await?;
        self.compare(desk.id(), desk.address, &held).await
    }

    /// As far as other processes write nothing, nothing differs; what differs is looked at again.
    async fn reconcile_others(
        &self,
        ids: Vec<ChannelId>,
    ) -> Result<BTreeMap<Pubkey, ReconciledChannel>, ApiError> {
        let mut channels = BTreeMap::new();
        let mut differing = ids;
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(self.config().settle.look_every.min(LONGEST_PAUSE)).await;
            }
            let mut again = Vec::new();
            for id in differing {
                let (address, held) = self.held_by_others(id).await?;
                let channel = self.compare(id, address, &held).await?;
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

    /// What the store says of a channel whose ledger is another process's.
    async fn held_by_others(&self, id: ChannelId) -> Result<(Pubkey, Held), ApiError> {
        let recorded = self.store().queries().recorded(id).await?;
        let (address, recorded) = (recorded.address, recorded.account);
        let read = self.ask_for(&address).await?;
        let read =
            read.filter(|read| read.account.channel.opened_slot == recorded.channel.opened_slot);
        let (is_there, account) = (read.is_some(), read.map_or(recorded, |read| read.account));
        let open = self.open_of(id, &account.channel).await?;
        // Receipts that come from here on have later positions.
        let open_receipts = self.store().queries().count(id, open).await?;
        let newest = self.store().reports().books(id, open, open_receipts).await?;
        let settled = account.channel.cumulative().unwrap_or(u64::MAX);
        let newest = newest.receipts.last_key_value().map(|(_, sums)| sums.cumulative);
        let vouched = newest.unwrap_or(settled);
        let exposed = vouched.saturating_sub(settled);
        Ok((address, Held { account, is_there, vouched, exposed, open, open_receipts }))
    }

    async fn compare(
        &self,
        id: ChannelId,
        address: Pubkey,
        held: &Held,
    ) -> Result<ReconciledChannel, ApiError> {
        let books = self.store().reports().books(id, held.open, held.open_receipts).await?;
        let mut differences = Vec::new();
        if !held.is_there && held.exposed > 0 {
            let lost = held.exposed;
            differences.push(format!("the chain has no such channel, and {lost} never settled"));
        }
        receipts_agree(&books, held, &mut differences);
        statements_agree(&books, held, &mut differences);
        let settled = held.account.channel.statements.length;
        let units = self.store().reports().units_before(id, settled).await?;
        for (index, license) in (0_u16..).zip(&held.account.licenses) {
            let own = units.get(&index).copied().unwrap_or(0);
            let what = format!("settled units of license {index}");
            differ(&mut differences, &what, own, license.units);
        }
        for (number, statement) in books.statements.iter().filter(|(_, book)| book.is_settled) {
            let root = self.receipts(id, *number).await?.map(|receipts| receipts.root);
            if statement.receipts_root.is_some() && statement.receipts_root != root {
                differences.push(format!("statement {number} has settled with other receipts"));
            }
        }
        let sums = books.receipts.values();
        let total = |of: fn(&ReceiptSums) -> u64| sums.clone().map(of).sum::<u64>();
        let channel = &held.account.channel;
        Ok(ReconciledChannel {
            channel: Address(address),
            mint: Address(channel.mint),
            receipts: total(|sums| sums.count),
            receipts_prices: Amount(total(|sums| sums.prices)),
            receipts_charged: Amount(total(|sums| sums.charged)),
            vouched: Amount(held.vouched),
            settled_statements: settled,
            settled: Amount(channel.cumulative().unwrap_or(u64::MAX)),
            exposed: Amount(held.exposed),
            differences,
        })
    }
}

/// Receipts, vouchers and the ledger.
fn receipts_agree(books: &Books, held: &Held, differences: &mut Vec<String>) {
    let (mut charged, mut prices) = (0_u64, 0_u64);
    for (number, sums) in &books.receipts {
        charged = charged.saturating_add(sums.charged);
        prices = prices.saturating_add(sums.prices);
        // Fees are a share of all prices until then, not of each.
        let fees = Channel { prices, ..held.account.channel }.fees();
        let name = |what: &str| format!("{what} of statement {number}");
        differ(differences, &name("receipts without a gap"), sums.count, sums.positions);
        // Each statement's newest voucher covers all receipts up to then, and nothing else.
        differ(differences, &name("receipts up to the end"), charged, sums.cumulative);
        let due = prices.saturating_add(fees);
        differ(differences, &name("prices and fees up to the end"), due, sums.cumulative);
        if let Some(statement) = books.statements.get(number) {
            differ(differences, &name("prices"), sums.prices, statement.prices);
        } else if *number != held.open {
            differences.push(format!("statement {number} was never cut"));
        }
    }
    differ(differences, "receipts and vouchers", charged, held.vouched);
}

/// Settled statements and the chain.
fn statements_agree(books: &Books, held: &Held, differences: &mut Vec<String>) {
    let chain = &held.account.channel;
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
            differences.push(format!("of statement {number} the chain's record is not known"));
            range.length += 1;
        }
    }
    let known = range.length;
    differ(differences, "settled statements", known, chain.statements.length);
    differ(differences, "settled prices", prices, chain.prices);
    differ(differences, "settled total", total, chain.cumulative().unwrap_or(u64::MAX));
    if known == chain.statements.length && range != chain.statements {
        differences.push("the chain has other records of statements".to_owned());
    }
}

fn differ(differences: &mut Vec<String>, what: &str, own: u64, other: u64) {
    if own != other {
        differences.push(format!("{what}: {own} here, and it should be {other}"));
    }
}
