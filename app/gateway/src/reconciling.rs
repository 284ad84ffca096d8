//! Vouchers, statements, receipts and the chain, held against each other to the unit.

use std::sync::Arc;

use motif_sdk::{
    channel::ChannelAccount,
    gateway::wire::{Address, Amount, ReconciledChannel, Reconciliation},
};

use crate::{
    Gateway,
    desk::Desk,
    problem::ApiError,
    store::{Books, ReceiptSums},
};

/// What a ledger holds, at one moment.
struct Held {
    account: ChannelAccount,
    vouched: u64,
    exposed: u64,
    open: u64,
    open_receipts: u32,
}

impl Gateway {
    /// Holds the books of all channels against the chain, which is asked anew.
    ///
    /// # Errors
    /// [`ApiError::ChainUnreachable`], [`ApiError::StoreFailed`].
    pub async fn reconcile(&self) -> Result<Reconciliation, ApiError> {
        let mut desks = self.desks();
        desks.sort_by_key(|desk| desk.address);
        let mut channels = Vec::with_capacity(desks.len());
        for desk in &desks {
            channels.push(self.reconcile_channel(desk).await?);
        }
        let exact = channels.iter().all(|channel| channel.differences.is_empty());
        Ok(Reconciliation { exact, channels })
    }

    async fn reconcile_channel(&self, desk: &Arc<Desk>) -> Result<ReconciledChannel, ApiError> {
        // Nothing settles meanwhile; generations go on, and are left out by their positions.
        let _turn = desk.settling.lock().await;
        self.look(desk).await?;
        let held = {
            let book = desk.book();
            let open = book.ledger.open_statement();
            Held {
                account: book.ledger.account().clone(),
                vouched: book.ledger.cumulative().unwrap_or(u64::MAX),
                exposed: book.ledger.exposed(),
                open: open.number,
                open_receipts: open.receipts,
            }
        };
        self.store().flush().await?;
        let books = self.store().books(desk.id(), held.open, held.open_receipts).await?;
        let mut differences = Vec::new();
        receipts_agree(&books, &held, &mut differences);
        statements_agree(&books, &held, &mut differences);
        let settled = held.account.channel.statements.length;
        let units = self.store().units_before(desk.id(), settled).await?;
        for (index, licence) in (0_u16..).zip(&held.account.licences) {
            let own = units.get(&index).copied().unwrap_or(0);
            let what = format!("settled units of licence {index}");
            differ(&mut differences, &what, own, licence.units);
        }
        for (number, statement) in books.statements.iter().filter(|(_, book)| book.is_settled) {
            let root = self.receipts(desk, *number).await?.map(|receipts| receipts.root);
            if statement.receipts_root.is_some() && statement.receipts_root != root {
                differences.push(format!("statement {number} has settled with other receipts"));
            }
        }
        let sums = books.receipts.values();
        let total = |of: fn(&ReceiptSums) -> u64| sums.clone().map(of).sum::<u64>();
        let channel = &held.account.channel;
        Ok(ReconciledChannel {
            channel: Address(desk.address),
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
    let mut charged = 0_u64;
    for (number, sums) in &books.receipts {
        charged = charged.saturating_add(sums.charged);
        let name = |what: &str| format!("{what} of statement {number}");
        differ(differences, &name("receipts without a gap"), sums.count, sums.positions);
        // Each statement's newest voucher covers all receipts up to then, and nothing else.
        differ(differences, &name("receipts up to the end"), charged, sums.cumulative);
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
