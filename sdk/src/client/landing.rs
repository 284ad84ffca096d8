use std::time::Duration;

use solana_instruction::{Instruction, error::InstructionError};
use solana_keypair::Keypair;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    config::{RpcSendTransactionConfig, RpcTransactionConfig},
    request::{RpcError, RpcResponseErrorData},
};
use solana_signature::Signature;
use solana_signer::{Signer, signers::Signers};
use solana_transaction::{TransactionError, versioned::VersionedTransaction};
use solana_transaction_status_client_types::{
    UiTransactionEncoding, option_serializer::OptionSerializer,
};
use tokio::time::{Instant, sleep};

use super::{Client, envelope::sealed};
use crate::{Error, Refusal};

/// A transaction that landed, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// Identifies it.
    pub signature: Signature,
    /// Where it landed.
    pub slot: u64,
    /// Lamports its fee payer was charged.
    pub fee_lamports: u64,
    /// Compute units it used.
    pub compute_units: u64,
    /// What its programs logged.
    pub logs: Vec<String>,
}

const POLL: Duration = Duration::from_millis(20);
const REBROADCAST: Duration = Duration::from_secs(2);
/// Longer than a blockhash lives.
const GIVE_UP: Duration = Duration::from_secs(90);

impl Client {
    /// Signs, sends and confirms one transaction: a classic one where its instructions fit 1,232
    /// bytes, else one of version 1 (4,096 bytes). `signers` sign beside the fee payer; naming
    /// the fee payer among them does no harm.
    ///
    /// # Errors
    /// - [`Error::Rejected`]: refused by a program or the runtime; nothing changed.
    /// - [`Error::Unconfirmed`]: sent, and not seen to land; look the signature up first.
    /// - [`Error::Transport`]: not sent.
    pub async fn send(
        &self,
        instructions: &[Instruction],
        fee_payer: &Keypair,
        signers: &[&Keypair],
    ) -> Result<Landed, Error> {
        let mut keys = vec![fee_payer];
        for signer in signers {
            if keys.iter().all(|key| key.pubkey() != signer.pubkey()) {
                keys.push(signer);
            }
        }
        let commitment = self.rpc.commitment();
        let blockhash = self.rpc.get_latest_blockhash_with_commitment(commitment).await;
        let (blockhash, last_valid_height) = blockhash.map_err(|error| transport(&error))?;
        let transaction = sealed(instructions, &fee_payer.pubkey(), &keys, blockhash)?;
        self.broadcast(&transaction, last_valid_height).await
    }

    /// Sends the same bytes until they land or can land no more.
    async fn broadcast(
        &self,
        transaction: &VersionedTransaction,
        last_valid_height: u64,
    ) -> Result<Landed, Error> {
        let signature = transaction.signatures[0]; // `send` signed with the fee payer's key
        let commitment = self.rpc.commitment().commitment;
        let config = RpcSendTransactionConfig {
            preflight_commitment: Some(commitment),
            ..RpcSendTransactionConfig::default()
        };
        let sent = self.rpc.send_transaction_with_config(transaction, config).await;
        if let Err(error) = sent {
            return Err(refusal(&error).unwrap_or_else(|| match error.kind() {
                // The request left; whether it arrived is not known.
                ErrorKind::Io(_) | ErrorKind::Reqwest(_) => Error::Unconfirmed { signature },
                _ => transport(&error),
            }));
        }
        let started = Instant::now();
        let mut sent_at = started;
        while started.elapsed() < GIVE_UP {
            if let Some(landed) = self.landed(&signature).await? {
                return Ok(landed);
            }
            if sent_at.elapsed() > REBROADCAST {
                let height = self.rpc.get_block_height().await;
                if height.is_ok_and(|height| height > last_valid_height) {
                    break;
                }
                let skip = RpcSendTransactionConfig { skip_preflight: true, ..config };
                // The same bytes again: they land once at most, and a refusal shows above.
                let _ = self.rpc.send_transaction_with_config(transaction, skip).await;
                sent_at = Instant::now();
            }
            sleep(POLL).await;
        }
        // It may have landed between the last look and the expiry.
        let last_look = self.landed(&signature).await?;
        last_look.ok_or(Error::Unconfirmed { signature })
    }

    /// A transaction's outcome, once it is confirmed; `None` while it is not known.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it landed and failed.
    pub async fn landed(&self, signature: &Signature) -> Result<Option<Landed>, Error> {
        let statuses = self.rpc.get_signature_statuses(&[*signature]).await;
        // An unreachable node knows nothing; the caller asks again.
        let Ok(statuses) = statuses else { return Ok(None) };
        let Some(Some(status)) = statuses.value.first() else { return Ok(None) };
        if !status.satisfies_commitment(self.rpc.commitment()) {
            return Ok(None);
        }
        let (fee_lamports, compute_units, logs) = self.cost(signature).await;
        if let Some(error) = &status.err {
            return Err(Error::Rejected(Box::new(Refusal::of(error, logs))));
        }
        let slot = status.slot;
        Ok(Some(Landed { signature: *signature, slot, fee_lamports, compute_units, logs }))
    }

    /// Fee, compute units and log; zeros when the node does not keep transactions.
    async fn cost(&self, signature: &Signature) -> (u64, u64, Vec<String>) {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.rpc.commitment()),
            max_supported_transaction_version: Some(1),
        };
        for _ in 0..20 {
            if let Ok(found) = self.rpc.get_transaction_with_config(signature, config).await
                && let Some(meta) = found.transaction.meta
            {
                let units = Option::from(meta.compute_units_consumed).unwrap_or(0);
                let logs = match meta.log_messages {
                    OptionSerializer::Some(logs) => logs,
                    _ => Vec::new(),
                };
                return (meta.fee, units, logs);
            }
            sleep(POLL).await; // the status is known a moment before the transaction is
        }
        (0, 0, Vec::new())
    }
}

impl Refusal {
    /// What `error` and the log say, in a program's own words where it gave any.
    fn of(error: &TransactionError, logs: Vec<String>) -> Self {
        let code = match error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(*code),
            _ => None,
        };
        let spoken = logs.iter().rev().find_map(|line| spoken(line));
        let (name, message) = match spoken {
            Some((name, message)) => (Some(name), message),
            None => (None, error.to_string()),
        };
        Self { code, name, message, logs }
    }

    pub(super) fn local(message: String) -> Self {
        Self { code: None, name: None, message, logs: Vec::new() }
    }

    /// Whether a program refused with this error.
    pub fn is(&self, error: impl Into<u32>) -> bool {
        self.code == Some(error.into())
    }
}

/// Name and message in Anchor's line on an error, which ends in
/// `Error Code: NAME. Error Number: N. Error Message: MESSAGE.`
fn spoken(line: &str) -> Option<(String, String)> {
    let (_, rest) = line.split_once("Error Code: ")?;
    let (name, rest) = rest.split_once(". Error Number: ")?;
    let (_, message) = rest.split_once("Error Message: ")?;
    Some((name.to_owned(), message.trim_end_matches('.').to_owned()))
}

/// The refusal of a transaction that the node simulated before sending it on.
fn refusal(error: &ClientError) -> Option<Error> {
    let transaction_error = error.get_transaction_error()?;
    let logs = match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(simulated),
            ..
        }) => simulated.logs.clone().unwrap_or_default(),
        _ => Vec::new(),
    };
    Some(Error::Rejected(Box::new(Refusal::of(&transaction_error, logs))))
}

pub(super) fn transport(error: &ClientError) -> Error {
    Error::Transport(error.to_string())
}

// `Keypair`s are borrowed, not cloned: secret keys are never copied around.
const _: fn() = || {
    fn signs<T: Signers>() {}
    signs::<Vec<&Keypair>>();
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_speaks_the_programs_words() {
        let logs = vec![
            "Program log: AnchorError thrown in a.rs:1. Error Code: DuplicateUse. \
             Error Number: 6016. Error Message: a use may be priced only once."
                .to_owned(),
            "Program X failed: custom program error: 0x177f".to_owned(),
        ];
        let error = TransactionError::InstructionError(0, InstructionError::Custom(6_016));
        let refusal = Refusal::of(&error, logs);
        assert!(refusal.is(licensing::LicensingError::DuplicateUse));
        assert_eq!(refusal.name.as_deref(), Some("DuplicateUse"));
        assert_eq!(refusal.to_string(), "a use may be priced only once (DuplicateUse, 6016)");
    }
}
