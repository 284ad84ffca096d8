//! Bringing statements on chain, oldest first, each once.
//!
//! A settlement transaction is stored before it is sent and sent until it lands or can land no
//! more (`landing`); what the chain then says is recorded (`record`). `worker` does this
//! unasked, `closing` at the end of a channel.

mod closing;
mod landing;
mod payer;
mod record;
mod rollback;
mod worker;

use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    channel::{self, Channel, ReceiptsCommitment},
    client::ConfirmedTransaction,
    gateway::wire::{Amount, SettlementReport},
    receipt::tree::{Node, Tree},
};
use opentelemetry::{Context, trace::SpanKind};

pub(crate) use payer::{asked_by_payer, proves_payer};
pub(crate) use record::records;
pub(crate) use worker::Worker;

use crate::{
    Gateway,
    desk::Desk,
    ledger::CutStatement,
    problem::ApiError,
    store::ChannelId,
    traces::{self, Traces},
};

impl Gateway {
    /// Settles everything that was vouched for on a channel: the statements that were cut,
    /// then the open one, which is cut for it. Returns what was brought on chain.
    ///
    /// Goes on when whoever asked has gone. Safe to repeat.
    ///
    /// # Errors
    /// [`ApiError::SettlementRefused`], [`ApiError::SettlementUnconfirmed`],
    /// [`ApiError::ChainUnreachable`], [`ApiError::StoreFailed`], [`ApiError::UnknownChannel`].
    pub async fn settle(&self, address: Pubkey) -> Result<Vec<SettlementReport>, ApiError> {
        let (gateway, desk) = (self.clone(), self.desk(&address).await?);
        let settling = async move { gateway.settle_desk(&desk).await };
        // A part of what is traced now, or, where nobody asked, a trace of its own.
        let begin =
            |traces: &Traces| traces.begin("settle", SpanKind::Internal, &Context::current());
        let context = self.traces().map(begin);
        let settling = tokio::spawn(traces::about(context, address, settling));
        settling.await.map_err(|error| ApiError::Internal(Box::new(error)))?
    }

    /// Pays the operator the fees settled so far on a channel, to its associated token
    /// account; returns base units.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`]; [`ApiError::SettlementRefused`] when there are none;
    /// [`ApiError::ChainUnreachable`].
    pub async fn claim_fees(
        &self,
        address: Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), ApiError> {
        self.desk(&address).await?;
        let claimed = self.chain().claim_fees(self.keypair(), &address).await;
        claimed.map_err(landing::refused)
    }

    async fn settle_desk(&self, desk: &Arc<Desk>) -> Result<Vec<SettlementReport>, ApiError> {
        let _turn = desk.settling.lock().await;
        // What an earlier run sent may have landed.
        self.look(desk).await?;
        if let Some((_, written)) = self.cut(desk) {
            self.on_disk(desk, written).await?;
        }
        let mut reports = Vec::new();
        while let Some((cut, before)) = oldest(desk) {
            let landed = self.settle_statement(desk, &cut).await?;
            self.metrics().settlements.inc();
            self.metrics().settlement_lamports.inc_by(landed.fee_lamports);
            reports.push(report(&cut, &before, &landed));
        }
        Ok(reports)
    }

    fn cut(&self, desk: &Desk) -> Option<(CutStatement, crate::store::Written)> {
        desk.book().cut(desk.lease, self.store(), self.now())
    }

    /// Brings one statement on chain and sees it recorded there.
    async fn settle_statement(
        &self,
        desk: &Arc<Desk>,
        cut: &CutStatement,
    ) -> Result<ConfirmedTransaction, ApiError> {
        let receipts = self.receipts(desk.id(), cut.number).await?;
        let receipts = receipts.filter(|receipts| receipts.sum == cut.prices);
        let receipts = receipts.ok_or_else(|| {
            ApiError::Internal(format!("receipts of {} do not add up", cut.number).into())
        })?;
        let statement = cut.statement.to_bytes();
        let instructions =
            channel::settle(&self.operator(), &cut.voucher, statement, Some(receipts));
        let landed = self.land(desk, cut.number, &instructions, receipts.root).await?;
        for _ in 0..landing::LOOKS {
            if self.look(desk).await?.statements.length > cut.number {
                return Ok(landed);
            }
            tokio::time::sleep(landing::POLL).await; // another node answered than confirmed
        }
        Err(ApiError::SettlementUnconfirmed)
    }

    /// What a settlement commits to; `None` for a statement without generations.
    pub(crate) async fn receipts(
        &self,
        channel_id: ChannelId,
        statement: u64,
    ) -> Result<Option<ReceiptsCommitment>, ApiError> {
        self.store().flush().await?;
        let leaves = self.store().receipt_leaves(channel_id, statement).await?;
        let leaves = leaves.iter().map(|(digest, amount)| Node::leaf(digest, *amount)).collect();
        let tree = Tree::new(leaves).map_err(|error| ApiError::Internal(error.into()))?;
        Ok(tree.map(|tree| tree.root().into()))
    }
}

/// The oldest statement to settle, and the channel as it is before that.
fn oldest(desk: &Desk) -> Option<(CutStatement, Channel)> {
    let book = desk.book();
    let cut = book.ledger.cut_statements().front()?;
    Some((cut.clone(), *book.ledger.channel()))
}

fn report(cut: &CutStatement, before: &Channel, landed: &ConfirmedTransaction) -> SettlementReport {
    let cumulative = cut.voucher.voucher.cumulative;
    let (prices, fees) = (before.prices.saturating_add(cut.prices), before.fees());
    SettlementReport {
        signature: landed.signature.to_string(),
        statement: cut.number,
        prices: Amount(cut.prices),
        fee: Amount(cumulative.saturating_sub(prices).saturating_sub(fees)),
        cumulative: Amount(cumulative),
        receipts: cut.receipts,
        compute_units: landed.compute_units,
        fee_lamports: landed.fee_lamports,
    }
}
