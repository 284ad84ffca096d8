use std::sync::Arc;

use async_trait::async_trait;
use motif_paywall::{
    ClientTransaction, EngineResult, NewSale, PaymentId, SaleConfig, SaleDesk, SaleEvent, SaleItem,
    SaleRecord,
};
use motif_sdk::{
    Pubkey,
    acceptance::SaleAcceptance,
    gateway::wire::{Use, sale::SaleState},
    till::{TillShare, TillShares},
};
use motif_signer::Purpose;
use tokio::time::Instant;

use super::Sales;
use crate::{
    chain::ChainError,
    error::GatewayError,
    store::{self, Change, Failpoint, StoredSale},
};

/// Blocks by which a buyer's blockhash may outlast the newest one that this gateway has read.
const HEIGHT_MARGIN: u64 = 50;

/// The sales of a gateway as a paywall sees them.
pub struct PaywallDesk(pub Arc<Sales>);

/// What is stored with a payment besides its transaction.
pub(super) struct PaymentFor {
    pub wallet: Pubkey,
    pub request_digest: [u8; 32],
    pub name: String,
    pub acceptance: Option<SaleAcceptance>,
    pub parts: u32,
    pub operator_parts: u32,
    pub answer: [u8; 32],
    pub output_digest: Option<[u8; 32]>,
    /// Recipient of another seller's payment that came without an API key.
    pub seller: Option<Pubkey>,
}

#[async_trait]
impl SaleDesk for PaywallDesk {
    fn config(&self) -> &SaleConfig {
        &self.0.sales.paywall
    }

    fn seller(&self) -> Pubkey {
        self.0.config.operator
    }

    fn mac(&self, text: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.0.challenge_key, text.as_bytes()).as_bytes()
    }

    async fn item(
        &self,
        work: Pubkey,
        licensed_use: Use,
        units: u32,
    ) -> EngineResult<Option<SaleItem>> {
        Ok(self.0.sale_item(work, licensed_use, units).await?)
    }

    async fn blockhash(&self) -> EngineResult<(String, u64)> {
        let (hash, height) = self.0.cluster.blockhash().await.map_err(GatewayError::from)?;
        Ok((hash.to_string(), height))
    }

    async fn find(&self, payment: &PaymentId) -> EngineResult<Option<SaleRecord>> {
        let found = self.0.store.sales().find(payment).await.map_err(GatewayError::from)?;
        Ok(found.map(|sale| self.0.sale_record(sale)).transpose()?)
    }

    async fn of_request(
        &self,
        wallet: &Pubkey,
        request_digest: &[u8; 32],
        name: &str,
    ) -> EngineResult<Vec<SaleRecord>> {
        let sales = self.0.store.sales();
        let found = sales.of_request(wallet.as_array(), request_digest, name).await;
        let found = found.map_err(GatewayError::from)?.into_iter();
        Ok(found.map(|sale| self.0.sale_record(sale)).collect::<Result<_, _>>()?)
    }

    async fn refused(&self, wallet: &Pubkey) -> EngineResult<Vec<SaleRecord>> {
        let found = self.0.store.sales().refused(wallet.as_array()).await;
        let found = found.map_err(GatewayError::from)?.into_iter();
        Ok(found.map(|sale| self.0.sale_record(sale)).collect::<Result<_, _>>()?)
    }

    async fn is_name_taken(
        &self,
        wallet: &Pubkey,
        request_digest: &[u8; 32],
        name: &str,
    ) -> EngineResult<bool> {
        let sales = self.0.store.sales();
        let taken = sales.is_name_taken(wallet.as_array(), request_digest, name).await;
        Ok(taken.map_err(GatewayError::from)?)
    }

    async fn pending(&self) -> EngineResult<Vec<SaleRecord>> {
        let pending = self.0.store.sales().pending().await.map_err(GatewayError::from)?;
        let own = pending.into_iter().filter(|sale| sale.acceptance.is_some());
        Ok(own.map(|sale| self.0.sale_record(sale)).collect::<Result<_, _>>()?)
    }

    async fn simulate(&self, transaction: &ClientTransaction) -> EngineResult<Result<(), String>> {
        Ok(self.0.simulate_payment(transaction).await?)
    }

    async fn submit(&self, sale: NewSale) -> EngineResult<SaleRecord> {
        let payment = PaymentFor {
            wallet: sale.wallet,
            request_digest: sale.request_digest,
            name: sale.name,
            acceptance: Some(sale.acceptance),
            parts: sale.shares.works.first().map_or(0, |share| share.parts),
            operator_parts: sale.shares.operator_parts,
            answer: sale.answer,
            output_digest: sale.output_digest,
            seller: None,
        };
        let stored = self.0.submit_payment(&sale.transaction, payment).await?;
        Ok(self.0.sale_record(stored)?)
    }

    async fn outcome(&self, payment: &PaymentId) -> EngineResult<SaleRecord> {
        let stored = self.0.ended(payment).await?;
        Ok(self.0.sale_record(stored)?)
    }

    async fn record(&self, payment: &PaymentId, event: SaleEvent) -> EngineResult<()> {
        let event = match event {
            SaleEvent::Made { output_digest, request_digest, name } => {
                store::SaleEvent::Made { output_digest, request_digest, name }
            }
            SaleEvent::Refused => store::SaleEvent::Refused { at: self.0.cluster.now() },
            SaleEvent::Delivered => store::SaleEvent::Delivered { at: self.0.cluster.now() },
        };
        let change = Change::Sale { payment: *payment, event };
        Ok(self.0.store.writer().write(change).await.map_err(GatewayError::from)?)
    }

    async fn sign(&self, messages: &[&[u8]], at: i64) -> EngineResult<(Pubkey, Vec<[u8; 64]>)> {
        let signed = self.0.keys.sign_receipts(messages, at).await;
        Ok(signed.map_err(GatewayError::from)?)
    }
}

impl Sales {
    /// Simulates a buyer's transaction. Returns the reason if it fails.
    pub(super) async fn simulate_payment(
        &self,
        transaction: &ClientTransaction,
    ) -> Result<Result<(), String>, GatewayError> {
        let bytes = transaction.signed(&[0; 64]);
        match self.cluster.chain().check_payment(&bytes).await {
            Ok(()) => Ok(Ok(())),
            Err(ChainError::Refused(reason) | ChainError::Final(reason)) => Ok(Err(reason)),
            Err(error @ ChainError::Unreachable(_)) => Err(error.into()),
        }
    }

    /// Signs a checked payment, stores it, sends it, and follows it in a task. A payment that was stored
    /// before is followed only.
    pub(super) async fn submit_payment(
        self: &Arc<Self>,
        transaction: &ClientTransaction,
        payment: PaymentFor,
    ) -> Result<StoredSale, GatewayError> {
        let id = transaction.id();
        // A copy of the same payment finds it stored.
        let _lock = self.locks.lock(id).await;
        if let Some(known) = self.store.sales().find(&id).await? {
            return Ok(known);
        }
        let (_, height) = self.cluster.blockhash().await?;
        let now = self.cluster.now();
        let seller = payment.seller;
        self.budget.take(now, seller)?;
        let messages = [&transaction.message[..]];
        let signed = self.keys.fee_payer().sign_in_time(Purpose::FeePayer, &messages).await;
        let signed = signed.inspect_err(|_| self.budget.give_back(seller))?;
        let missing = || GatewayError::internal("the signer returned no signature");
        let signature = signed.first().copied().ok_or_else(missing)?;
        self.failpoints.hit(Failpoint::Signed);
        let stored = StoredSale {
            payment: id,
            wallet: payment.wallet.to_bytes(),
            request_digest: payment.request_digest,
            name: payment.name,
            acceptance: payment.acceptance.map(|acceptance| acceptance.to_bytes()),
            parts: payment.parts,
            operator_parts: payment.operator_parts,
            answer: payment.answer,
            holder: self.holder.clone(),
            signature,
            bytes: transaction.signed(&signature),
            last_valid_height: height.saturating_add(HEIGHT_MARGIN),
            state: SaleState::Sent,
            sent_at: now,
            ended_at: None,
            output_digest: payment.output_digest,
            delivered_at: None,
            refused_at: None,
            seller: seller.map(|seller| seller.to_bytes()),
            told_call: None,
        };
        self.store.writer().write(Change::SaleSent(Box::new(stored.clone()))).await?;
        self.failpoints.hit(Failpoint::Stored);
        match self.cluster.chain().submit(&stored.bytes, true).await {
            Ok(()) => self.failpoints.hit(Failpoint::Sent),
            Err(ChainError::Refused(reason) | ChainError::Final(reason)) => {
                // No node has it: nothing is charged, and no fee is due.
                tracing::debug!(reason, "a payment was rejected");
                self.budget.give_back(seller);
                self.end(&id, SaleState::Failed).await?;
                return Ok(StoredSale { state: SaleState::Failed, ended_at: Some(now), ..stored });
            }
            Err(ChainError::Unreachable(reason)) => {
                tracing::debug!(reason, "it is unknown whether a payment was sent");
            }
        }
        self.follow(stored.clone(), Instant::now() + self.cluster.poll_interval());
        Ok(stored)
    }

    /// Returns a stored payment as a paywall sees it.
    ///
    /// # Errors
    /// [`GatewayError::PaymentForAnotherRequest`] if it was settled for another seller.
    fn sale_record(&self, sale: StoredSale) -> Result<SaleRecord, GatewayError> {
        let acceptance = sale.acceptance.ok_or(GatewayError::PaymentForAnotherRequest)?;
        let acceptance = SaleAcceptance::from_bytes(&acceptance);
        let corrupt = || GatewayError::internal("a stored acceptance is malformed");
        let acceptance = acceptance.ok_or_else(corrupt)?;
        let work = Pubkey::new_from_array(acceptance.subject); // tills of sales have one work
        let shares = TillShares {
            operator: acceptance.operator,
            operator_parts: sale.operator_parts,
            works: vec![TillShare { work, parts: sale.parts }],
        };
        // A file has one process.
        let is_elsewhere = self.store.leases().is_some() && sale.holder != self.holder;
        Ok(SaleRecord {
            payment: sale.payment,
            wallet: Pubkey::new_from_array(sale.wallet),
            request_digest: sale.request_digest,
            acceptance,
            shares,
            answer: sale.answer,
            holder: is_elsewhere.then_some(sale.holder),
            signature: sale.signature,
            state: sale.state,
            sent_at: sale.sent_at,
            ended_at: sale.ended_at,
            output_digest: sale.output_digest,
            delivered_at: sale.delivered_at,
            is_refused: sale.refused_at.is_some(),
        })
    }
}
