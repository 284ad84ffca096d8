//! Settlement of statements on chain, oldest first, each once.
//!
//! A settlement transaction is stored before it is submitted, and submitted until it is
//! confirmed or has expired (`submit`). Statuses of all pending ones are read together (`statuses`).
//! `worker` settles channels by policy, side by side; [`Settler`] settles one on request.

mod close;
mod fees;
mod policy;
mod progress;
mod read_schedule;
mod statuses;
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

pub(crate) use fees::SettlementFees;
pub(crate) use policy::SettlementPolicy;
pub use progress::SettlementProgress;
pub(crate) use statuses::StatusPoller;
pub(crate) use submit::{Submitter, serialize};
pub(crate) use worker::SettlementWorker;

use crate::{
    admission::Admission,
    channel::ChannelHandle,
    channel_sync::ChannelSync,
    error::GatewayError,
    expenses::Expenses,
    ledger::CutStatement,
    metrics::Metrics,
    operator_keys::{BlockingSigner, sign_blocking},
    payer_request::verify_payer,
    receipts_commitment::receipts_commitment,
    store::{ExpenseKind, Outcome},
    traces::{self, Traces},
};

/// Settles channels.
pub struct Settler {
    pub(crate) sync: Arc<ChannelSync>,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) submitter: Submitter,
    pub(crate) expenses: Expenses,
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
        self.settle_scope(address, Scope::All).await
    }

    /// As [`Settler::settle`], but leaves the open statement open if the policy does not settle it
    /// now.
    pub(crate) async fn settle_due(
        self: &Arc<Self>,
        address: Pubkey,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        self.settle_scope(address, Scope::Due).await
    }

    async fn settle_scope(
        self: &Arc<Self>,
        address: Pubkey,
        scope: Scope,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let (settler, channel) = (self.clone(), self.sync.channels.get(&address).await?);
        let settling = async move { settler.settle_channel(&channel, scope).await };
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
    /// [`GatewayError::UnknownChannel`], [`GatewayError::NothingToClaim`],
    /// [`GatewayError::SettlementRefused`], [`GatewayError::ChainUnreachable`].
    pub async fn claim_fees(
        &self,
        address: Pubkey,
    ) -> Result<(u64, ConfirmedTransaction), GatewayError> {
        let channel = self.sync.channels.get(&address).await?;
        self.sync.refresh(&channel).await?;
        let account = channel.account();
        if account.fees() == account.fees_claimed {
            return Err(GatewayError::NothingToClaim);
        }
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
        scope: Scope,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        let _turn = channel.settling.lock().await;
        let settled = self.settle_statements(channel, scope).await;
        channel.progress.record_end(settled.as_ref().err().map(GatewayError::problem_type));
        settled
    }

    async fn settle_statements(
        &self,
        channel: &Arc<ChannelHandle>,
        scope: Scope,
    ) -> Result<Vec<SettlementReport>, GatewayError> {
        // A transaction of an earlier run may have been confirmed.
        self.sync.refresh(channel).await?;
        while let Some(number) = channel.rolled_back() {
            self.settle_again(channel, number).await?;
        }
        let (store, now) = (self.sync.channels.store(), self.sync.cluster.now());
        let is_open_included = scope == Scope::All || self.policy.is_open_due(channel, now);
        let cut = is_open_included.then(|| channel.lock().cut(channel.lease, store, now)).flatten();
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

    /// Settles a statement that the cluster has rolled back.
    async fn settle_again(
        &self,
        channel: &Arc<ChannelHandle>,
        number: u64,
    ) -> Result<(), GatewayError> {
        let store = self.sync.channels.store();
        let lost = store.recovery().cut_statement(channel.id(), channel.cluster, number).await?;
        let earlier = store.queries().transactions(channel.id(), number).await?;
        let landed = self.settle_statement(channel, &lost).await?;
        // The fee of a transaction that lands a second time was recorded the first time.
        let signature: [u8; 64] = landed.signature.into();
        let is_recorded = earlier
            .iter()
            .any(|(stored, outcome)| *outcome == Outcome::Landed && stored.signature == signature);
        if !is_recorded {
            self.expenses.record(ExpenseKind::Settle, &landed).await;
        }
        Ok(())
    }

    /// Settles one statement, again if the cluster has rolled it back, and waits until the settlement
    /// is recorded.
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
        let (number, instructions) = (cut.number, instructions.to_vec());
        let deadline = self.policy.deadline(channel, self.sync.cluster.now());
        let expires_at = voucher.voucher.expires_at;
        let deadline = deadline.map_or(expires_at, |deadline| deadline.min(expires_at));
        let due = submit::DueStatement { number, instructions, receipts_root, deadline };
        let landed = self.submitter.submit_and_confirm(channel, &due).await?;
        self.read_until(channel, |account| {
            let on_chain = channel.rolled_back().unwrap_or(account.statements.length);
            on_chain > cut.number
        })
        .await?;
        Ok(landed)
    }

    /// Reads a channel until it shows the effect of a confirmed transaction: a node that is behind
    /// the one that confirmed it returns an older account, or none.
    ///
    /// # Errors
    /// [`GatewayError::SettlementUnconfirmed`] if it does not within two minutes; otherwise as
    /// [`ChannelSync::refresh`].
    async fn read_until(
        &self,
        channel: &Arc<ChannelHandle>,
        shows_effect: impl Fn(&Channel) -> bool,
    ) -> Result<Channel, GatewayError> {
        for _ in 0..submit::PATIENCE_POLLS {
            match self.sync.refresh(channel).await {
                Ok(account) if shows_effect(&account) => return Ok(account),
                Ok(_) | Err(GatewayError::ChainUnreachable(_)) => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(self.sync.cluster.poll_interval()).await;
        }
        Err(GatewayError::SettlementUnconfirmed)
    }
}

/// Statements that a call settles, besides those that are cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The open statement.
    All,
    /// The open statement if the policy settles it now.
    Due,
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
