use std::{sync::Arc, time::Duration};

use motif_sdk::client::ConfirmedTransaction;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_signature::Signature;
use solana_transaction::Transaction;
use tokio::time::{Instant, sleep};

use crate::{
    chain::{Chain, ChainError},
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    operator_keys::OperatorKeys,
    store::{Change, Failpoint, Failpoints, Outcome, StoredTransaction},
};

/// Pause between two reads of the cluster.
pub const POLL: Duration = Duration::from_millis(25);
/// Maximum number of reads for the effect of a confirmed transaction.
pub const MAX_POLLS: usize = 200;
const RESUBMIT_AFTER: Duration = Duration::from_secs(2);
/// Maximum wait of one caller. The transaction stays stored and is followed again later.
const PATIENCE: Duration = Duration::from_secs(120);

/// Converts a cluster's rejection of a settlement.
pub fn rejected(error: ChainError) -> GatewayError {
    match error {
        ChainError::Refused(reason) | ChainError::Final(reason) => {
            GatewayError::SettlementRefused(reason)
        }
        ChainError::Unreachable(_) => GatewayError::ChainUnreachable(error),
    }
}

/// Signs, stores, submits and confirms settlement transactions.
pub struct Submitter {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) keys: Arc<OperatorKeys>,
    pub(crate) failpoints: Arc<dyn Failpoints>,
}

impl Submitter {
    /// Confirms one transaction for a statement: a stored one that can still be confirmed, or a
    /// new one.
    ///
    /// # Errors
    /// [`GatewayError::SettlementRefused`], [`GatewayError::SettlementUnconfirmed`],
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::SignerUnavailable`],
    /// [`GatewayError::StoreFailed`].
    pub async fn submit_and_confirm(
        &self,
        channel: &ChannelHandle,
        statement: u64,
        instructions: &[Instruction],
        receipts_root: [u8; 32],
    ) -> Result<ConfirmedTransaction, GatewayError> {
        let store = self.channels.store();
        for (stored, outcome) in store.queries().transactions(channel.id(), statement).await? {
            if matches!(outcome, Outcome::Pending | Outcome::Landed)
                && let Some(landed) = self.follow(channel, &stored, false).await?
            {
                return Ok(landed);
            }
        }
        loop {
            let stored = self.sign(channel, statement, instructions, receipts_root).await?;
            if let Some(landed) = self.follow(channel, &stored, true).await? {
                return Ok(landed);
            }
        }
    }

    fn chain(&self) -> &dyn Chain {
        &**self.cluster.chain()
    }

    /// Signs and stores a transaction. It is submitted only after it is stored.
    async fn sign(
        &self,
        channel: &ChannelHandle,
        statement: u64,
        instructions: &[Instruction],
        receipts_root: [u8; 32],
    ) -> Result<StoredTransaction, GatewayError> {
        let (blockhash, last_valid_height) = self.chain().blockhash().await?;
        let payer = self.keys.fee_payer().public_key();
        let message = Message::new_with_blockhash(instructions, Some(&payer), &blockhash);
        let transaction = self.keys.sign(message).await?;
        let signature: [u8; 64] = transaction.signatures[0].into(); // the fee payer's
        let stored = StoredTransaction {
            channel_id: channel.id(),
            statement,
            signature,
            bytes: serialize(&transaction),
            last_valid_height,
            receipts_root,
        };
        self.failpoints.hit(Failpoint::Signed);
        let change = Change::Transaction(Box::new(stored.clone()));
        self.channels.write(channel, change).await?;
        self.failpoints.hit(Failpoint::Stored);
        Ok(stored)
    }

    /// Submits the same bytes until they are confirmed. Returns `None` once they have expired.
    async fn follow(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        is_new: bool,
    ) -> Result<Option<ConfirmedTransaction>, GatewayError> {
        let signature = Signature::from(stored.signature);
        let deadline = Instant::now() + PATIENCE;
        let mut check_first = is_new;
        let mut submitted_at: Option<Instant> = None;
        while Instant::now() < deadline {
            if let Some(landed) = self.outcome(channel, stored, &signature).await? {
                return Ok(Some(landed));
            }
            if submitted_at.is_none_or(|at| at.elapsed() > RESUBMIT_AFTER) {
                if submitted_at.is_some() || !is_new {
                    // Read before the last look at the signature: a transaction confirmed by
                    // this height is visible to that look.
                    let height = self.chain().final_height().await;
                    if height.is_ok_and(|height| height > stored.last_valid_height) {
                        return self.expired(channel, stored, &signature).await;
                    }
                }
                match self.chain().submit(&stored.bytes, check_first).await {
                    Ok(()) => {
                        check_first = false;
                        self.failpoints.hit(Failpoint::Sent);
                    }
                    Err(error @ (ChainError::Refused(_) | ChainError::Final(_))) => {
                        return Err(self.record_rejection(channel, stored, error).await);
                    }
                    Err(ChainError::Unreachable(reason)) => {
                        tracing::debug!(reason, "settlement not submitted yet");
                    }
                }
                submitted_at = Some(Instant::now());
            }
            sleep(POLL).await;
        }
        Err(GatewayError::SettlementUnconfirmed)
    }

    /// Returns the confirmed transaction, or `None` while its outcome is unknown.
    async fn outcome(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, GatewayError> {
        match self.chain().landed(signature).await {
            Ok(Some(landed)) => {
                self.failpoints.hit(Failpoint::Landed);
                self.write_outcome(channel, stored, Outcome::Landed).await?;
                Ok(Some(landed))
            }
            Ok(None) | Err(ChainError::Unreachable(_)) => Ok(None),
            Err(error) => Err(self.record_rejection(channel, stored, error).await),
        }
    }

    /// Records the chain's rejection of a transaction. A permanent reason stops the channel, in this
    /// process and in those that load it later.
    async fn record_rejection(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        error: ChainError,
    ) -> GatewayError {
        let mut outcome = Outcome::Refused;
        if let ChainError::Final(reason) = &error {
            outcome = Outcome::Final;
            let statement = stored.statement;
            tracing::error!(
                channel = %channel.address, statement, reason,
                "a statement can never settle; the channel is stopped"
            );
            channel.lock().ledger.stop_at(statement);
        }
        let written = self.write_outcome(channel, stored, outcome).await;
        written.err().unwrap_or_else(|| rejected(error))
    }

    /// Looks a last time at a transaction that can no longer be confirmed. Without an answer it
    /// may have been confirmed, and no other is signed for its statement.
    async fn expired(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, GatewayError> {
        match self.chain().landed(signature).await {
            Ok(None) => {
                self.write_outcome(channel, stored, Outcome::Expired).await?;
                Ok(None)
            }
            Err(error @ ChainError::Unreachable(_)) => Err(error.into()),
            Ok(Some(_)) | Err(ChainError::Refused(_) | ChainError::Final(_)) => {
                self.outcome(channel, stored, signature).await
            }
        }
    }

    async fn write_outcome(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        outcome: Outcome,
    ) -> Result<(), GatewayError> {
        let signature = stored.signature;
        self.channels.write(channel, Change::Outcome { signature, outcome }).await
    }
}

/// Returns a transaction's wire format: the number of signatures, the signatures, the message.
fn serialize(transaction: &Transaction) -> Vec<u8> {
    // Fewer than 128 signatures: their number is one byte.
    let mut bytes = vec![transaction.signatures.len() as u8];
    for signature in &transaction.signatures {
        bytes.extend_from_slice(signature.as_ref());
    }
    bytes.extend_from_slice(&transaction.message.serialize());
    bytes
}
