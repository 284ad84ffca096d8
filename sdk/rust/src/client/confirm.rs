use std::time::Duration;

use futures::future::join;
use solana_hash::Hash;
use solana_instruction::{Instruction, error::InstructionError};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig, RpcTransactionConfig},
    request::{RpcError, RpcResponseErrorData},
};
use solana_signature::Signature;
use solana_transaction::{TransactionError, versioned::VersionedTransaction};
use solana_transaction_status_client_types::{
    TransactionStatus, UiTransactionEncoding, option_serializer::OptionSerializer,
};
use tokio::time::{Instant, sleep};

use super::{
    Attempt, Client, ComputeBudget, DynSigner, PriorityFee,
    compute_budget::written,
    envelope::{message, sealed},
    node_sender::is_unconnected,
};
use crate::{Error, Refusal};

/// A confirmed transaction and its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedTransaction {
    /// Signature of the transaction.
    pub signature: Signature,
    /// Slot of the transaction.
    pub slot: u64,
    /// Fee, lamports.
    pub fee_lamports: u64,
    /// Compute units used.
    pub compute_units: u64,
    /// Log of the transaction.
    pub logs: Vec<String>,
}

/// A signed transaction and the height of the last block that takes it.
pub(super) struct SignedTransaction {
    transaction: VersionedTransaction,
    last_valid_height: u64,
}

impl SignedTransaction {
    /// Returns the signature of the fee payer, which identifies the transaction.
    pub(super) fn signature(&self) -> Signature {
        self.transaction.signatures[0] // `sealed` signs for a fee payer
    }
}

const POLL: Duration = Duration::from_millis(20);
const REBROADCAST: Duration = Duration::from_secs(2);
/// Longer than a blockhash lives.
const GIVE_UP: Duration = Duration::from_secs(90);

impl Client {
    /// Signs, sends and confirms one transaction: a legacy transaction if it fits 1,232 bytes, or
    /// a version 1 transaction of up to 4,096 bytes.
    ///
    /// Its compute unit limit is what a simulation used and a margin, its price that of
    /// [`Client::priority_fee`]. A legacy transaction with less than [`ComputeBudget::BYTES`] of
    /// room goes without both.
    ///
    /// `signers` sign in addition to the fee payer; duplicates are ignored.
    ///
    /// # Errors
    /// - [`Error::Rejected`]: a program or the runtime rejected it; nothing changed.
    /// - [`Error::Unconfirmed`]: sent and not confirmed; look up the signature first.
    /// - [`Error::Transport`], [`Error::Signer`]: not sent.
    pub async fn send(
        &self,
        instructions: &[Instruction],
        fee_payer: &DynSigner,
        signers: &[&DynSigner],
    ) -> Result<ConfirmedTransaction, Error> {
        let signed = self.sign(instructions, fee_payer, signers).await?;
        self.broadcast(&signed).await
    }

    /// Signs one transaction as [`Client::send`] does, and does not send it.
    pub(super) async fn sign(
        &self,
        instructions: &[Instruction],
        fee_payer: &DynSigner,
        signers: &[&DynSigner],
    ) -> Result<SignedTransaction, Error> {
        let mut keys = vec![fee_payer];
        for signer in signers.iter().copied() {
            if keys.iter().all(|key| key.pubkey() != signer.pubkey()) {
                keys.push(signer);
            }
        }
        let commitment = self.rpc.commitment();
        let blockhash = self.rpc.get_latest_blockhash_with_commitment(commitment).await;
        let (blockhash, last_valid_height) = blockhash?;
        let payer = fee_payer.pubkey();
        let budget = self.compute_budget(instructions, &payer, blockhash).await?;
        let transaction = sealed(instructions, &payer, &keys, blockhash, budget)?;
        Ok(SignedTransaction { transaction, last_valid_height })
    }

    /// Returns the compute budget of a transaction, from a simulation and from recent fees.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the simulation fails; [`Error::Transport`].
    async fn compute_budget(
        &self,
        instructions: &[Instruction],
        fee_payer: &Pubkey,
        blockhash: Hash,
    ) -> Result<ComputeBudget, Error> {
        let policy = self.priority_fee;
        let price = u64::from(policy != PriorityFee::Off);
        let budget = ComputeBudget { units: ComputeBudget::MAX_UNITS, price };
        let simulated = self.simulated_units(instructions, fee_payer, blockhash, budget);
        let recent = async {
            match policy.needs_recent_fees() {
                true => self.recent_fees(&written(instructions, fee_payer)).await,
                false => Ok(Vec::new()),
            }
        };
        let (simulated, recent) = join(simulated, recent).await;
        let units = ComputeBudget::limit(simulated?);
        // Without recent fees the policy pays its floor.
        let price = policy.price(&recent.unwrap_or_default(), units, Attempt::default());
        Ok(ComputeBudget { units, price })
    }

    /// Returns the compute units that a transaction uses in simulation.
    async fn simulated_units(
        &self,
        instructions: &[Instruction],
        fee_payer: &Pubkey,
        blockhash: Hash,
        budget: ComputeBudget,
    ) -> Result<u64, Error> {
        let message = message(instructions, fee_payer, blockhash, budget)?;
        let signatures = usize::from(message.header().num_required_signatures);
        let signatures = vec![Signature::default(); signatures];
        let config = RpcSimulateTransactionConfig {
            replace_recent_blockhash: true,
            commitment: Some(self.rpc.commitment()),
            ..RpcSimulateTransactionConfig::default()
        };
        let unsigned = VersionedTransaction { signatures, message };
        let simulated = self.rpc.simulate_transaction_with_config(&unsigned, config).await;
        let simulated = simulated.map_err(refused)?;
        match simulated.value.err {
            Some(error) => {
                let logs = simulated.value.logs.unwrap_or_default();
                let refusal = Refusal::from_transaction(&error.into(), logs);
                Err(Error::Rejected(Box::new(refusal)))
            }
            None => Ok(simulated.value.units_consumed.unwrap_or(0)),
        }
    }

    /// Returns the prices that recent blocks charged for writing all of these accounts,
    /// micro-lamports per compute unit. At most 128 accounts.
    ///
    /// # Errors
    /// [`Error::Transport`].
    pub async fn recent_fees(&self, accounts: &[Pubkey]) -> Result<Vec<u64>, Error> {
        let fees = self.rpc.get_recent_prioritization_fees(accounts).await?;
        Ok(fees.iter().map(|fee| fee.prioritization_fee).collect())
    }

    /// Sends a transaction repeatedly until it is confirmed or its blockhash expires.
    pub(super) async fn broadcast(
        &self,
        signed: &SignedTransaction,
    ) -> Result<ConfirmedTransaction, Error> {
        let SignedTransaction { transaction, last_valid_height } = signed;
        let signature = signed.signature();
        let commitment = self.rpc.commitment().commitment;
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(commitment),
            ..RpcSendTransactionConfig::default()
        };
        let sent = self.rpc.send_transaction_with_config(transaction, config).await;
        // A node that did not respond is asked again soon.
        let mut pause = if sent.is_ok() { REBROADCAST } else { POLL };
        match sent {
            // An earlier copy of the transaction has arrived.
            Err(error) if is_processed(&error) => {}
            Err(error) if is_unconnected(&error) || is_response(&error) => {
                return Err(refused(error));
            }
            // Without a response, whether it arrived is unknown: its status tells.
            Ok(_) | Err(_) => {}
        }
        let started = Instant::now();
        let mut sent_at = started;
        while started.elapsed() < GIVE_UP {
            if let Some(confirmed) = self.confirmed(&signature).await? {
                return Ok(confirmed);
            }
            if sent_at.elapsed() > pause {
                if pause == REBROADCAST {
                    let height = self.rpc.get_block_height().await;
                    if height.is_ok_and(|height| height > *last_valid_height) {
                        break;
                    }
                }
                let skip = RpcSendTransactionConfig { skip_preflight: true, ..config };
                // A transaction is executed at most once, and the loop reads its status.
                pause = match self.rpc.send_transaction_with_config(transaction, skip).await {
                    Err(error) if !is_response(&error) => (2 * pause).min(REBROADCAST),
                    _ => REBROADCAST,
                };
                sent_at = Instant::now();
            }
            sleep(POLL).await;
        }
        // It may have been confirmed between the last read and the expiry.
        let confirmed = self.confirmed(&signature).await?;
        confirmed.ok_or(Error::Unconfirmed { signature })
    }

    /// Returns a transaction once it is confirmed; `None` while its outcome is unknown.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the transaction failed.
    pub async fn confirmed(
        &self,
        signature: &Signature,
    ) -> Result<Option<ConfirmedTransaction>, Error> {
        let statuses = self.rpc.get_signature_statuses(&[*signature]).await;
        // The caller retries if the node is unreachable.
        let Ok(statuses) = statuses else { return Ok(None) };
        match statuses.value.first() {
            Some(Some(status)) => self.confirmed_by(signature, status).await,
            _ => Ok(None),
        }
    }

    /// Returns a transaction that has this status if it is confirmed by it, or else `None`.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the transaction failed.
    pub async fn confirmed_by(
        &self,
        signature: &Signature,
        status: &TransactionStatus,
    ) -> Result<Option<ConfirmedTransaction>, Error> {
        if !status.satisfies_commitment(self.rpc.commitment()) {
            return Ok(None);
        }
        let (fee_lamports, compute_units, logs) = self.cost(signature).await;
        if let Some(error) = &status.err {
            return Err(Error::Rejected(Box::new(Refusal::from_transaction(error, logs))));
        }
        let slot = status.slot;
        Ok(Some(ConfirmedTransaction {
            signature: *signature,
            slot,
            fee_lamports,
            compute_units,
            logs,
        }))
    }

    /// Returns fee, compute units and log; zeros if the node does not store transactions.
    async fn cost(&self, signature: &Signature) -> (u64, u64, Vec<String>) {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.rpc.commitment()),
            max_supported_transaction_version: Some(1),
        };
        for _ in 0..20 {
            let found = match self.rpc.get_transaction_with_config(signature, config).await {
                Ok(found) => found.transaction.meta,
                // The node has responded: `null`, or that it does not have the transaction.
                Err(error) if is_response(&error) => None,
                Err(error) if matches!(error.kind(), ErrorKind::SerdeJson(_)) => None,
                // Each request was repeated already.
                Err(_) => break,
            };
            if let Some(meta) = found {
                let units = Option::from(meta.compute_units_consumed).unwrap_or(0);
                let logs = match meta.log_messages {
                    OptionSerializer::Some(logs) => logs,
                    _ => Vec::new(),
                };
                return (meta.fee, units, logs);
            }
            sleep(POLL).await; // the status is available before the transaction is
        }
        (0, 0, Vec::new())
    }
}

impl Refusal {
    /// Creates the refusal from a transaction's error and log, with the program's error name and
    /// message if it logged them.
    fn from_transaction(error: &TransactionError, logs: Vec<String>) -> Self {
        let code = match error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(*code),
            _ => None,
        };
        let logged = logs.iter().rev().find_map(|line| parse_error(line));
        let (name, message) = match logged {
            Some((name, message)) => (Some(name), message),
            None => (None, error.to_string()),
        };
        Self { code, name, message, logs }
    }

    /// Returns the rejection of a transaction in preflight simulation; `None` for another error.
    pub fn from_preflight(error: &ClientError) -> Option<Self> {
        let transaction_error = error.get_transaction_error()?;
        let logs = match error.kind() {
            ErrorKind::RpcError(RpcError::RpcResponseError {
                data: RpcResponseErrorData::SendTransactionPreflightFailure(simulated),
                ..
            }) => simulated.logs.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        Some(Self::from_transaction(&transaction_error, logs))
    }

    pub(super) fn local(message: String) -> Self {
        Self { code: None, name: None, message, logs: Vec::new() }
    }

    /// Whether a program returned this error.
    pub fn is(&self, error: impl Into<u32>) -> bool {
        self.code == Some(error.into())
    }
}

/// Parses name and message from Anchor's log line of an error, which ends in
/// `Error Code: NAME. Error Number: N. Error Message: MESSAGE.`
fn parse_error(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("Error Code: ")?;
    let (name, rest) = rest.split_once(". Error Number: ")?;
    let (_, message) = rest.split_once("Error Message: ")?;
    Some((name.to_owned(), message.trim_end_matches('.').to_owned()))
}

/// Returns whether the node responded to a request with an error.
fn is_response(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::RpcError(RpcError::RpcResponseError { .. }))
}

fn refused(error: ClientError) -> Error {
    match Refusal::from_preflight(&error) {
        Some(refusal) => Error::Rejected(Box::new(refusal)),
        None => error.into(),
    }
}

/// Returns whether the cluster has executed the transaction already.
fn is_processed(error: &ClientError) -> bool {
    error.get_transaction_error() == Some(TransactionError::AlreadyProcessed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_has_the_programs_message() {
        let logs = vec![
            "Program log: AnchorError thrown in a.rs:1. Error Code: DuplicateUse. \
             Error Number: 6016. Error Message: a use may be priced only once."
                .to_owned(),
            "Program X failed: custom program error: 0x177f".to_owned(),
        ];
        let error = TransactionError::InstructionError(0, InstructionError::Custom(6_016));
        let refusal = Refusal::from_transaction(&error, logs);
        assert!(refusal.is(crate::licensing::LicensingError::DuplicateUse));
        assert_eq!(refusal.name.as_deref(), Some("DuplicateUse"));
        assert_eq!(refusal.to_string(), "a use may be priced only once (DuplicateUse, 6016)");
    }
}
