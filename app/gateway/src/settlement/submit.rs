use std::sync::Arc;

use motif_sdk::{
    Pubkey,
    client::{Attempt, ComputeBudget, ConfirmedTransaction},
};
use prometheus_client::metrics::counter::Counter;
use solana_instruction::Instruction;
use solana_message::{Hash, Message};
use solana_signature::Signature;
use solana_transaction::Transaction;
use tokio::time::{Instant, sleep};

use super::{SettlementFees, StatusPoller};
use crate::{
    chain::{Chain, ChainError},
    channel::ChannelHandle,
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    operator_keys::OperatorKeys,
    store::{Change, Failpoint, Failpoints, Outcome, StoredTransaction},
};

/// Maximum wait of one call, in polls of the cluster: two minutes. The transaction stays stored and is
/// followed again later.
pub const PATIENCE_POLLS: u32 = 240;
/// Maximum wait for a blockhash other than those of earlier attempts, in polls.
const BLOCKHASH_POLLS: u32 = 60;
/// Pause before a transaction is submitted again, in polls; doubled up to the maximum.
const FIRST_RESUBMIT_POLLS: u32 = 8;
const MAX_RESUBMIT_POLLS: u32 = 32;
/// Compute unit limit of a settlement that no node simulates. The largest uses a quarter of it.
const FALLBACK_UNITS: u32 = 60_000;

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
    pub(crate) statuses: Arc<StatusPoller>,
    pub(crate) fees: Arc<SettlementFees>,
    pub(crate) keys: Arc<OperatorKeys>,
    pub(crate) failpoints: Arc<dyn Failpoints>,
    /// Number of signed transactions.
    pub(crate) attempts: Counter,
}

/// Statement to settle.
pub struct DueStatement {
    /// Number of the statement.
    pub number: u64,
    /// Instructions that settle it.
    pub instructions: Vec<Instruction>,
    /// Root of the receipts that they commit to.
    pub receipts_root: [u8; 32],
    /// Unix second after which it may not settle.
    pub deadline: i64,
}

impl Submitter {
    /// Confirms one transaction for a statement: a stored one that can still be confirmed, or a
    /// new one, with a higher fee after each attempt.
    ///
    /// # Errors
    /// [`GatewayError::SettlementRefused`], [`GatewayError::SettlementUnconfirmed`],
    /// [`GatewayError::ChainUnreachable`], [`GatewayError::SignerUnavailable`],
    /// [`GatewayError::StoreFailed`].
    pub async fn submit_and_confirm(
        &self,
        channel: &ChannelHandle,
        due: &DueStatement,
    ) -> Result<ConfirmedTransaction, GatewayError> {
        let give_up = Instant::now() + self.cluster.poll_interval() * PATIENCE_POLLS;
        let store = self.channels.store();
        let earlier = store.queries().transactions(channel.id(), due.number).await?;
        channel.progress.record_attempts(earlier.len());
        for (stored, outcome) in &earlier {
            if matches!(outcome, Outcome::Pending | Outcome::Landed)
                && let Some(landed) = self.follow(channel, stored, None, give_up).await?
            {
                return Ok(landed);
            }
        }
        let mut used: Vec<_> =
            earlier.iter().filter_map(|(stored, _)| blockhash(&stored.bytes)).collect();
        let mut attempts = earlier.len();
        while Instant::now() < give_up {
            let (stored, budget) = self.sign(channel, due, attempts, &used).await?;
            attempts += 1;
            channel.progress.record_attempts(attempts);
            used.extend(blockhash(&stored.bytes));
            match self.follow(channel, &stored, Some(budget), give_up).await {
                Ok(Some(landed)) => return Ok(landed),
                Ok(None) => self.fees.refund(budget, self.cluster.now()),
                Err(error) => return Err(error),
            }
        }
        Err(GatewayError::SettlementUnconfirmed)
    }

    fn chain(&self) -> &dyn Chain {
        &**self.cluster.chain()
    }

    /// Signs and stores a transaction. It is submitted only after it is stored.
    ///
    /// Its blockhash is none of `used`: under the same one, equal instructions are the same
    /// transaction, which a node may remember as refused.
    async fn sign(
        &self,
        channel: &ChannelHandle,
        due: &DueStatement,
        attempts: usize,
        used: &[Hash],
    ) -> Result<(StoredTransaction, ComputeBudget), GatewayError> {
        let (blockhash, last_valid_height) = self.unused_blockhash(used).await?;
        let budget = self.compute_budget(channel.address, due, attempts).await;
        let mut message = self.message(&due.instructions, budget);
        message.recent_blockhash = blockhash;
        let signed = self.keys.sign(message).await;
        let transaction = signed.inspect_err(|_| self.fees.refund(budget, self.cluster.now()))?;
        let signature: [u8; 64] = transaction.signatures[0].into(); // the fee payer's
        let stored = StoredTransaction {
            channel_id: channel.id(),
            statement: due.number,
            signature,
            bytes: serialize(&transaction),
            last_valid_height,
            receipts_root: due.receipts_root,
        };
        self.failpoints.hit(Failpoint::Signed);
        let change = Change::Transaction(Box::new(stored.clone()));
        self.channels.write(channel, change).await?;
        self.attempts.inc();
        self.failpoints.hit(Failpoint::Stored);
        Ok((stored, budget))
    }

    fn message(&self, instructions: &[Instruction], budget: ComputeBudget) -> Message {
        let payer = self.keys.fee_payer().public_key();
        Message::new(&budget.before(instructions), Some(&payer))
    }

    /// Waits for a blockhash that is not `used`.
    async fn unused_blockhash(&self, used: &[Hash]) -> Result<(Hash, u64), ChainError> {
        for _ in 0..BLOCKHASH_POLLS {
            let found = self.cluster.blockhash().await?;
            if !used.contains(&found.0) {
                return Ok(found);
            }
            sleep(self.cluster.poll_interval()).await;
        }
        let reason = "the nodes return the blockhash of an earlier attempt";
        Err(ChainError::Unreachable(reason.to_owned()))
    }

    /// Returns the compute budget of the next attempt. Without an answer of the cluster, the unit limit
    /// is a fixed one and the price that of the policy without recent fees.
    async fn compute_budget(
        &self,
        channel: Pubkey,
        due: &DueStatement,
        attempts: usize,
    ) -> ComputeBudget {
        let largest = ComputeBudget { units: ComputeBudget::MAX_UNITS, price: 1 };
        let draft = Transaction::new_unsigned(self.message(&due.instructions, largest));
        let draft = serialize(&draft);
        let units = match self.chain().simulate(&draft).await {
            Ok(used) => ComputeBudget::limit(used),
            // The check of the signed transaction records a refusal.
            Err(_) => FALLBACK_UNITS,
        };
        let recent = match self.fees.needs_recent_fees() {
            true => self.chain().recent_fees(&[self.keys.fee_payer().public_key(), channel]).await,
            false => Ok(Vec::new()),
        };
        let now = self.cluster.now();
        let attempt = Attempt {
            earlier: u32::try_from(attempts).unwrap_or(u32::MAX),
            seconds_left: Some(due.deadline.saturating_sub(now)),
        };
        self.fees.budget(units, &recent.unwrap_or_default(), attempt, now)
    }

    /// Submits the same bytes until they are confirmed, at most until `give_up`. Returns `None` once
    /// they have expired. A new transaction has a budget; its fee is not counted if no node sends it.
    async fn follow(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        new: Option<ComputeBudget>,
        give_up: Instant,
    ) -> Result<Option<ConfirmedTransaction>, GatewayError> {
        let signature = Signature::from(stored.signature);
        let poll = self.cluster.poll_interval();
        let (mut unsent, mut may_be_sent) = (new, new.is_none());
        let (mut submit_at, mut pause) = (Instant::now(), poll * FIRST_RESUBMIT_POLLS);
        loop {
            // Waits for the next read of statuses.
            if may_be_sent && let Some(landed) = self.outcome(channel, stored, &signature).await? {
                return Ok(Some(landed));
            }
            if Instant::now() >= give_up {
                return Err(GatewayError::SettlementUnconfirmed);
            }
            if Instant::now() < submit_at {
                continue;
            }
            if may_be_sent {
                // Read before the last look at the signature: a transaction confirmed by
                // this height is visible to that look.
                let height = self.cluster.final_height().await;
                if height.is_ok_and(|height| height > stored.last_valid_height) {
                    return self.expired(channel, stored, &signature).await;
                }
            }
            match self.chain().submit(&stored.bytes, unsent.is_some()).await {
                Ok(()) => {
                    unsent = None;
                    self.failpoints.hit(Failpoint::Sent);
                }
                Err(error @ (ChainError::Refused(_) | ChainError::Final(_))) => {
                    if let Some(budget) = unsent.filter(|_| !may_be_sent) {
                        self.fees.refund(budget, self.cluster.now());
                    }
                    return Err(self.record_rejection(channel, stored, error).await);
                }
                Err(ChainError::Unreachable(reason)) => {
                    tracing::debug!(reason, "settlement not submitted yet");
                }
            }
            may_be_sent = true;
            submit_at = Instant::now() + pause;
            pause = (pause * 2).min(poll * MAX_RESUBMIT_POLLS);
        }
    }

    /// Returns the confirmed transaction, or `None` while its outcome is unknown.
    async fn outcome(
        &self,
        channel: &ChannelHandle,
        stored: &StoredTransaction,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, GatewayError> {
        match self.statuses.status(signature).await {
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

/// Returns the blockhash of a transaction in wire format. It has fewer than 128 signatures and keys.
fn blockhash(transaction: &[u8]) -> Option<Hash> {
    let (signatures, rest) = transaction.split_first()?;
    let message = rest.get(usize::from(*signatures) * 64..)?;
    let keys = usize::from(*message.get(3)?);
    let hash = message.get(4 + keys * 32..)?.first_chunk()?;
    Some(Hash::new_from_array(*hash))
}

/// Returns a transaction's wire format: the number of signatures, the signatures, the message.
pub fn serialize(transaction: &Transaction) -> Vec<u8> {
    // Fewer than 128 signatures: their number is one byte.
    let mut bytes = vec![transaction.signatures.len() as u8];
    for signature in &transaction.signatures {
        bytes.extend_from_slice(signature.as_ref());
    }
    bytes.extend_from_slice(&transaction.message.serialize());
    bytes
}

#[cfg(test)]
mod tests {
    use solana_keypair::Keypair;
    use solana_signer::Signer;

    use super::*;

    #[test]
    fn blockhash_is_read_from_wire_format() {
        let keypair = Keypair::new_from_array([8; 32]);
        let instruction =
            Instruction::new_with_bytes(Pubkey::new_from_array([1; 32]), &[7], vec![]);
        let message = Message::new(&[instruction], Some(&keypair.pubkey()));
        let mut transaction = Transaction::new_unsigned(message);
        let hash = Hash::new_from_array([3; 32]);
        transaction.try_sign(&[&keypair], hash).unwrap();
        let bytes = serialize(&transaction);
        assert_eq!(blockhash(&bytes), Some(hash));
        assert_eq!(blockhash(&bytes[..150]), None);
    }
}
