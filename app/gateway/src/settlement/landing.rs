use std::time::Duration;

use motif_sdk::client::ConfirmedTransaction;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_signature::Signature;
use solana_transaction::Transaction;
use tokio::time::{Instant, sleep};

use crate::{
    Gateway,
    chain::ChainError,
    desk::Desk,
    problem::ApiError,
    store::{Change, Moment, Outcome, StoredTransaction},
};

/// Between two looks at the chain.
pub const POLL: Duration = Duration::from_millis(25);
/// How often to look for what a confirmed transaction has changed.
pub const LOOKS: usize = 200;
const REBROADCAST: Duration = Duration::from_secs(2);
/// How long one caller waits; the transaction stays stored and is followed again later.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a refusal of the chain means to whoever asked for a transaction.
pub fn refused(error: ChainError) -> ApiError {
    match error {
        ChainError::Refused(reason) => ApiError::SettlementRefused(reason),
        ChainError::Unreachable(_) => ApiError::ChainUnreachable(error),
    }
}

impl Gateway {
    /// Lands one transaction for a statement: one that was sent earlier if it still can, else
    /// a new one.
    pub(super) async fn land(
        &self,
        desk: &Desk,
        statement: u64,
        instructions: &[Instruction],
        receipts_root: [u8; 32],
    ) -> Result<ConfirmedTransaction, ApiError> {
        for (stored, outcome) in self.store().transactions(desk.id(), statement).await? {
            if matches!(outcome, Outcome::Pending | Outcome::Landed)
                && let Some(landed) = self.follow(desk, &stored, false).await?
            {
                return Ok(landed);
            }
        }
        loop {
            let stored = self.sign(desk, statement, instructions, receipts_root).await?;
            if let Some(landed) = self.follow(desk, &stored, true).await? {
                return Ok(landed);
            }
        }
    }

    /// Signs a transaction and stores it. It is not sent before it is stored.
    async fn sign(
        &self,
        desk: &Desk,
        statement: u64,
        instructions: &[Instruction],
        receipts_root: [u8; 32],
    ) -> Result<StoredTransaction, ApiError> {
        let (blockhash, last_valid_height) = self.chain().blockhash().await?;
        let message = Message::new(instructions, Some(&self.operator()));
        let mut transaction = Transaction::new_unsigned(message);
        let signed = transaction.try_sign(&[self.keypair()], blockhash);
        signed.map_err(|error| ApiError::Internal(error.into()))?;
        let signature: [u8; 64] = transaction.signatures[0].into(); // one signer, one signature
        let stored = StoredTransaction {
            channel_id: desk.id(),
            statement,
            signature,
            bytes: on_the_wire(&transaction),
            last_valid_height,
            receipts_root,
        };
        self.pass(Moment::Signed);
        let change = Change::Transaction(Box::new(stored.clone()));
        self.on_disk(desk, self.store().write_by(desk.lease, change)).await?;
        self.pass(Moment::Stored);
        Ok(stored)
    }

    /// Sends the same bytes until they land, or (`None`) can land no more.
    async fn follow(
        &self,
        desk: &Desk,
        stored: &StoredTransaction,
        is_new: bool,
    ) -> Result<Option<ConfirmedTransaction>, ApiError> {
        let signature = Signature::from(stored.signature);
        let deadline = Instant::now() + PATIENCE;
        let mut check_first = is_new;
        let mut sent_at: Option<Instant> = None;
        while Instant::now() < deadline {
            if let Some(landed) = self.outcome(desk, stored, &signature).await? {
                return Ok(Some(landed));
            }
            if sent_at.is_none_or(|sent_at| sent_at.elapsed() > REBROADCAST) {
                if sent_at.is_some() || !is_new {
                    // Asked before the look that follows: had it landed by this height, that
                    // look would see it.
                    let height = self.chain().final_height().await;
                    if height.is_ok_and(|height| height > stored.last_valid_height) {
                        return self.expired(desk, stored, &signature).await;
                    }
                }
                match self.chain().submit(&stored.bytes, check_first).await {
                    Ok(()) => {
                        check_first = false;
                        self.pass(Moment::Sent);
                    }
                    Err(ChainError::Refused(reason)) => {
                        self.write_outcome(desk, stored, Outcome::Refused).await?;
                        return Err(ApiError::SettlementRefused(reason));
                    }
                    Err(ChainError::Unreachable(reason)) => {
                        tracing::debug!(reason, "settlement not sent yet");
                    }
                }
                sent_at = Some(Instant::now());
            }
            sleep(POLL).await;
        }
        Err(ApiError::SettlementUnconfirmed)
    }

    /// What became of a transaction; `None` while that is not known.
    async fn outcome(
        &self,
        desk: &Desk,
        stored: &StoredTransaction,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, ApiError> {
        match self.chain().landed(signature).await {
            Ok(Some(landed)) => {
                self.pass(Moment::Landed);
                self.write_outcome(desk, stored, Outcome::Landed).await?;
                Ok(Some(landed))
            }
            // A node that does not answer knows nothing; it is asked again.
            Ok(None) | Err(ChainError::Unreachable(_)) => Ok(None),
            Err(ChainError::Refused(reason)) => {
                self.write_outcome(desk, stored, Outcome::Refused).await?;
                Err(ApiError::SettlementRefused(reason))
            }
        }
    }

    /// The last look at a transaction that can land no more. Only an answer proves that it has
    /// not: without one it may have, and nothing else is signed for its statement.
    async fn expired(
        &self,
        desk: &Desk,
        stored: &StoredTransaction,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, ApiError> {
        match self.chain().landed(signature).await {
            Ok(None) => {
                self.write_outcome(desk, stored, Outcome::Expired).await?;
                Ok(None)
            }
            Err(error @ ChainError::Unreachable(_)) => Err(error.into()),
            Ok(Some(_)) | Err(ChainError::Refused(_)) => {
                self.outcome(desk, stored, signature).await
            }
        }
    }

    async fn write_outcome(
        &self,
        desk: &Desk,
        stored: &StoredTransaction,
        outcome: Outcome,
    ) -> Result<(), ApiError> {
        let signature = stored.signature;
        let change = Change::Outcome { signature, outcome };
        self.on_disk(desk, self.store().write_by(desk.lease, change)).await
    }
}

/// A transaction's bytes: signatures, preceded by their count, and the message.
fn on_the_wire(transaction: &Transaction) -> Vec<u8> {
    // Fewer than 128 signatures: their count is one byte.
    let mut bytes = vec![transaction.signatures.len() as u8];
    for signature in &transaction.signatures {
        bytes.extend_from_slice(signature.as_ref());
    }
    bytes.extend_from_slice(&transaction.message.serialize());
    bytes
}
