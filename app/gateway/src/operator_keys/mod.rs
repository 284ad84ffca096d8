//! Keys of the operator: which of the configured ones signs is decided by the operator's account.

mod blocking_signer;

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use motif_sdk::{
    Pubkey,
    operator::{Operator, ReceiptKeys},
};
use motif_signer::{OperatorSigner, Purpose, SignError};
use parking_lot::RwLock;
use solana_message::Message;
use solana_signature::Signature;
use solana_transaction::Transaction;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    GatewayConfig, chain::ChainError, cluster::Cluster, config::KeyConfig, error::GatewayError,
    store::ReceiptSigner,
};

pub use blocking_signer::{BlockingSigner, sign_blocking};

/// Time between two reads of the operator's account. A rotation takes effect 15 minutes after it is
/// ordered.
const READ_EVERY: Duration = Duration::from_secs(60);

/// Keys that the gateway signs with.
///
/// Before the operator's account was read, the present keys of the configuration sign.
pub struct OperatorKeys {
    operator: Pubkey,
    config: KeyConfig,
    receipts: ReceiptSigner,
    cluster: Arc<Cluster>,
    account: RwLock<Option<Operator>>,
}

/// Returns the signer of receipts, which the store signs with.
pub(crate) fn receipt_signer(config: &KeyConfig) -> ReceiptSigner {
    let keys = match &config.account {
        Some(account) => account.receipt_keys.clone(),
        None => ReceiptKeys::sole(config.receipt.present.public_key()),
    };
    ReceiptSigner::new(config.receipt.signers(), keys)
}

impl OperatorKeys {
    /// Creates the keys of a gateway. `receipts` is the signer that its store has.
    pub(crate) fn new(
        config: &GatewayConfig,
        receipts: ReceiptSigner,
        cluster: Arc<Cluster>,
    ) -> Self {
        let (operator, config) = (config.operator, config.keys.clone());
        let account = RwLock::new(config.account.clone());
        Self { operator, config, receipts, cluster, account }
    }

    /// Returns the key that settles now.
    ///
    /// # Errors
    /// [`SignError::KeyNotConfigured`] if this process does not have the key of the account.
    pub fn settle_key(&self) -> Result<Pubkey, SignError> {
        let account = self.account.read();
        let Some(account) = &*account else { return Ok(self.config.settle.present.public_key()) };
        let key = account.settle_key_at(self.cluster.now());
        let configured = self.config.settle.of(key).ok_or(SignError::KeyNotConfigured(*key))?;
        Ok(configured.public_key())
    }

    /// Checks that this process can settle what it acknowledges: it has the operator's settle key, or
    /// that of a pending rotation.
    ///
    /// # Errors
    /// [`GatewayError::SettleKeyReplaced`].
    pub fn check_settle(&self) -> Result<(), GatewayError> {
        let account = self.account.read();
        let Some(account) = &*account else { return Ok(()) };
        let (keys, present) = (&self.config.settle, *account.settle_key_at(self.cluster.now()));
        let pending = account.settle_rotates_at != i64::MAX;
        let has_next = pending && keys.of(&account.next_settle_key).is_some();
        if has_next || keys.of(&present).is_some() {
            return Ok(());
        }
        Err(GatewayError::SettleKeyReplaced { key: keys.present.public_key(), present })
    }

    /// Returns the key that pays for transactions.
    pub fn fee_payer(&self) -> &Arc<dyn OperatorSigner> {
        &self.config.fee_payer
    }

    /// Returns the operator's authority, or `None` if it is kept elsewhere.
    pub fn authority(&self) -> Option<&Arc<dyn OperatorSigner>> {
        self.config.authority.as_ref()
    }

    /// Checks that receipts can be signed, so that nothing is reserved while they cannot.
    ///
    /// # Errors
    /// [`SignError`] of the last attempt, for five seconds.
    pub fn check_receipts(&self) -> Result<(), SignError> {
        self.receipts.outage().map_or(Ok(()), Err)
    }

    /// Signs a transaction with the keys that it names: the settle key and the fee payer.
    ///
    /// # Errors
    /// [`GatewayError::SignerUnavailable`].
    pub async fn sign(&self, message: Message) -> Result<Transaction, GatewayError> {
        let mut transaction = Transaction::new_unsigned(message);
        let bytes = transaction.message_data();
        let message = &transaction.message;
        let required = usize::from(message.header.num_required_signatures);
        let signing =
            message.account_keys.iter().take(required).map(|key| self.sign_as(key, &bytes));
        transaction.signatures = try_join_all(signing).await?;
        Ok(transaction)
    }

    async fn sign_as(&self, key: &Pubkey, message: &[u8]) -> Result<Signature, SignError> {
        let payer = Some(&self.config.fee_payer).filter(|payer| payer.public_key() == *key);
        let (signer, purpose) = match (self.config.settle.of(key), payer) {
            (Some(signer), _) => (signer, Purpose::Settle),
            (None, Some(signer)) => (signer, Purpose::FeePayer),
            (None, None) => return Err(SignError::KeyNotConfigured(*key)),
        };
        let signatures = signer.sign_in_time(purpose, &[message]).await?;
        let signature = signatures.first().ok_or(SignError::InvalidSignature(*key))?;
        Ok(Signature::from(*signature))
    }

    /// Returns the receipt key of the time `at`, unix seconds.
    pub fn receipt_key_at(&self, at: i64) -> Pubkey {
        let present = self.config.receipt.present.public_key();
        match &*self.account.read() {
            Some(account) => account.receipt_keys.at(at).copied().unwrap_or(present),
            None => present,
        }
    }

    /// Signs receipts of sales with the receipt key of the time `at`, unix seconds. Returns the key and
    /// the signatures.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign_receipts(
        &self,
        messages: &[&[u8]],
        at: i64,
    ) -> Result<(Pubkey, Vec<[u8; 64]>), SignError> {
        let key = self.receipt_key_at(at);
        let signer = self.config.receipt.of(&key).ok_or(SignError::KeyNotConfigured(key))?;
        Ok((key, signer.sign_in_time(Purpose::Receipt, messages).await?))
    }

    /// Reads the operator's account. Keys that it names from now on sign from their time on.
    ///
    /// # Errors
    /// [`ChainError::Unreachable`]; the keys are unchanged.
    pub async fn refresh(&self) -> Result<(), ChainError> {
        if let Some(account) = self.cluster.chain().operator(&self.operator).await? {
            self.receipts.set_keys(&account.receipt_keys);
            *self.account.write() = Some(account);
        }
        Ok(())
    }

    /// Reads the operator's account every minute until `stop` is cancelled.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.refresh().await {
                Ok(()) => {
                    if let Err(error) = self.settle_key() {
                        tracing::error!(%error, "nothing settles: restart with this key");
                    }
                }
                Err(error) => tracing::debug!(%error, "the operator's account was not read"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(READ_EVERY) => {}
            }
        }
    }
}
