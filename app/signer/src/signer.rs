use std::fmt;

use async_trait::async_trait;
use motif_interface::Pubkey;
use tokio::time::timeout;

use crate::{Purpose, SignError};

/// Key of an operator that signs: in memory, or in a process that may be remote and slow.
///
/// `Debug` shows no secrets.
#[async_trait]
pub trait OperatorSigner: fmt::Debug + Send + Sync + 'static {
    /// Returns the public key.
    fn public_key(&self) -> Pubkey;

    /// Signs messages and returns their signatures in order. Callers use
    /// [`OperatorSigner::sign_in_time`](trait.OperatorSigner.html#method.sign_in_time), which adds
    /// the deadline; the future may be dropped before it is ready.
    ///
    /// # Errors
    /// [`SignError`].
    async fn sign(&self, purpose: Purpose, messages: &[&[u8]]) -> Result<Vec<[u8; 64]>, SignError>;

    /// Checks that the key can be asked for a signature.
    ///
    /// # Errors
    /// [`SignError::Unreachable`], [`SignError::Timeout`].
    async fn reach(&self) -> Result<(), SignError> {
        Ok(())
    }
}

impl dyn OperatorSigner {
    /// Signs messages within the purpose's deadline and returns their signatures in order.
    ///
    /// # Errors
    /// [`SignError`]; [`SignError::WrongPurpose`] without asking the signer.
    pub async fn sign_in_time(
        &self,
        purpose: Purpose,
        messages: &[&[u8]],
    ) -> Result<Vec<[u8; 64]>, SignError> {
        let (key, deadline) = (self.public_key(), purpose.deadline());
        if !messages.iter().all(|message| purpose.allows(&key, message)) {
            return Err(SignError::WrongPurpose(purpose));
        }
        let late = |_| SignError::Timeout { key, seconds: deadline.as_secs() };
        let signatures = timeout(deadline, self.sign(purpose, messages)).await.map_err(late)??;
        if signatures.len() == messages.len() {
            Ok(signatures)
        } else {
            Err(SignError::InvalidSignature(key))
        }
    }
}
