//! Settlement of statements on chain, oldest first, each once.
//!
//! A settlement transaction is stored before it is submitted, and submitted until it is
//! confirmed or has expired (`submit`). `worker` settles by policy, [`Settler`] on request.

mod close;
mod policy;
mod submit;
mod worker;

use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    channel::{self, Channel},
    client::ConfirmedTransaction,
    gateway::{
        PayerAction,
        wire::{Amount, Closing, PayerProof, SettlementReport},
    },
};
use motif_signer::Purpose;
use opentelemetry::{Context, trace::SpanKind};

pub(crate) use policy::SettlementPolicy;
pub(crate) use submit::Submitter;
pub(crate) use worker::SettlementWorker;

use crate::{
    admission::Admission,
    channel::ChannelHandle,
    channel_sync::{ChannelSync, receipts_commitment},
    error::GatewayError,
    expenses::Expenses,
    ledger::CutStatement,
    metrics::Metrics,
    operator_keys::{BlockingSigner, sign_blocking},
    payer_request::verify_payer,
    store::ExpenseKind,
    traces::{self, Traces},
};

/// Settles channels.
pub struct Settler {
    pub(crate) sync: Arc<ChannelSync>,
    pub(crate) submitter: Submitter,
    pub(crate) expenses: Expenses,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Option<Arc<Traces>>,
}

impl Settler {
    /// Settles all statements of a channel: those that are cut, then the open one, which is cut
    /// first. Returns the settled statements.
    ///
    /// Continues when the caller is dropped. Idempotent.
    ///
    /// # Errors
    /// [`GatewayError::SettlementRefused`], [`GatewayError::SettlementUnconfirmed`],
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::StoreFailed`],
    /// [`GatewayError::UnknownChannel`].
    pub async fn settle(
        self: &Arc<Self>,
        address: Pubkey,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let (settler, channel) = (self.clone(), self.sync.channels.get(&address).await?);
        let settling = async move { settler.settle_channel(&channel).await };
        // A child of the current trace, or a trace of its own.
        let begin =
            |traces: &Arc<Traces>| traces.begin("settle", SpanKind::Internal, &Context::current());
        let context = self.traces.as_ref().map(begin);
        let settling = tokio::spawn(traces::in_channel_span(context, address, settling));
        settling.await.map_err(GatewayError::internal)?
    }

    /// Settles a channel on its payer's signed request.
    ///
    /// # Errors
    /// [`GatewayError::NotByPayer`], [`GatewayError::RequestStale`],
    /// [`GatewayError::RateLimited`], [`GatewayError::SettlementTooSmall`]; otherwise as
    /// [`Settler::settle`].
    pub async fn settle_for_payer(
        self: &Arc<Self>,
        address: Pubkey,
        proof: &PayerProof,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let channel = self.admit_payer(&address, PayerAction::Settle, proof).await?;
        self.policy.check_worthwhile(&channel, self.sync.cluster.now())?;
        self.settle(address).await
    }

    /// Closes a channel on its payer's signed request.
    ///
    /// # Errors
    /// As [`Settler::settle_for_payer`] and [`Settler::close`].
    pub async fn close_for_payer(
        self: &Arc<Self>,
        address: Pubkey,
        proof: &PayerProof,
    ) -> Result<Closing, GatewayError> {
        self.admit_payer(&address, PayerAction::Close, proof).await?;
        self.close(address).await
    }

    async fn admit_payer(
        &self,
        address: &Pubkey,
        action: PayerAction,
        proof: &PayerProof,
    ) -> Result<Arc<ChannelHandle>, GatewayError> {
        let channel = match self.sync.channels.get(address).await {
            // A payer may close a channel that it has not used.
            Err(GatewayError::UnknownChannel(_)) if action == PayerAction::Close => {
                self.sync.open(*address).await?
            }
            channel => channel?,
        };
        verify_payer(address, &channel.account(), action, proof)?;
        self.admission.settlement(address)?;
        Ok(channel)
    }

    /// Pays a channel's settled fees to the operator's fee owner. Returns base units.
    ///
    /// # Errors
    /// [`GatewayError::UnknownChannel`]; [`GatewayError::SettlementRefused`] if there are none;
    /// [`GatewayError::ChainUnreachable`].
    pub async fn claim_fees(
        &self,
        address: Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), GatewayError> {
        self.sync.channels.get(&address).await?;
        let (chain, funder) = (self.sync.cluster.chain().clone(), self.submitter.keys.fee_payer());
        let claim =
            move |funder: BlockingSigner| async move { chain.claim_fees(&funder, &address).await };
        let claimed = sign_blocking(funder, Purpose::FeePayer, claim).await?;
        let (amount, landed) = claimed.map_err(submit::rejected)?;
        self.expenses.record(ExpenseKind::Claim, &landed).await;
        Ok((amount, landed))
    }

    async fn settle_channel(
        &self,
        channel: &Arc<ChannelHandle>,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let _turn = channel.settling.lock().await;
        // A transaction of an earlier run may have been confirmed.
        self.sync.refresh(channel).await?;
        let (store, now) = (self.sync.channels.store(), self.sync.cluster.now());
        let cut = channel.lock().cut(channel.lease, store, now);
        if let Some((_, written)) = cut {
            self.sync.channels.commit(channel, written).await?;
        }
        let mut reports = Vec::new();
        while let Some((cut, before)) = oldest(channel) {
            let landed = self.settle_statement(channel, &cut).await?;
            self.metrics.settlements.inc();
            self.expenses.record(ExpenseKind::Settle, &landed).await;
            reports.push(report(&cut, &before, &landed));
        }
        Ok(reports)
    }

    /// Settles one statement and waits until the settlement is recorded.
    async fn settle_statement(
        &self,
        channel: &Arc<ChannelHandle>,
        cut: &CutStatement,
    ) -> Result<ConfirmedTransaction, GatewayError> {
        let store = self.sync.channels.store();
        let receipts = receipts_commitment(store, channel.id(), cut.number).await?;
        let receipts = receipts.filter(|receipts| receipts.sum == cut.prices);
        let mismatch = || {
            GatewayError::internal(format!(
                "receipts of statement {} do not sum to its prices",
                cut.number
            ))
        };
        let receipts = receipts.ok_or_else(mismatch)?;
        let (settler, statement) = (self.submitter.keys.settle_key()?, cut.statement.to_bytes());
        let operator = channel.account().operator;
        let (voucher, receipts_root) = (&cut.voucher, receipts.root);
        let instructions = channel::settle(&settler, &operator, voucher, statement, Some(receipts));
        let submitter = &self.submitter;
        let landed =
            submitter.submit_and_confirm(channel, cut.number, &instructions, receipts_root);
        let landed = landed.await?;
        for _ in 0..submit::MAX_POLLS {
            if self.sync.refresh(channel).await?.statements.length > cut.number {
                return Ok(landed);
            }
            tokio::time::sleep(submit::POLL).await; // the node that answered is behind
        }
        Err(GatewayError::SettlementUnconfirmed)
    }
}

/// Returns the oldest cut statement and the channel before it.
fn oldest(channel: &ChannelHandle) -> Option<(CutStatement, Channel)> {
    let locked = channel.lock();
    let cut = locked.ledger.cut_statements().front()?;
    Some((cut.clone(), *locked.ledger.channel()))
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
