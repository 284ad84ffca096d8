use std::{
    future::Future,
    sync::{Arc, mpsc},
};

use motif_sdk::Pubkey;
use motif_signer::{OperatorSigner, Purpose};
use solana_signature::Signature;
use solana_signer::{Signer, SignerError};
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::error::GatewayError;

/// Signer of the SDK's client, which waits for signatures on its thread.
pub struct BlockingSigner {
    signer: Arc<dyn OperatorSigner>,
    purpose: Purpose,
    runtime: Handle,
}

/// Runs an operation that signs while it blocks, on a thread that may block.
///
/// # Errors
/// [`GatewayError::Internal`] if the operation panics.
pub async fn sign_blocking<T, F>(
    signer: &Arc<dyn OperatorSigner>,
    purpose: Purpose,
    operation: impl FnOnce(BlockingSigner) -> F + Send + 'static,
) -> Result<T, GatewayError>
where
    F: Future<Output = T>,
    T: Send + 'static,
{
    let (signer, runtime) = (signer.clone(), Handle::current());
    let running = spawn_blocking(move || {
        let signer = BlockingSigner { signer, purpose, runtime: runtime.clone() };
        runtime.block_on(operation(signer))
    });
    running.await.map_err(GatewayError::internal)
}

impl Signer for BlockingSigner {
    fn try_pubkey(&self) -> Result<Pubkey, SignerError> {
        Ok(self.signer.public_key())
    }

    fn try_sign_message(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let (send, received) = mpsc::sync_channel(1);
        let (signer, purpose, message) = (self.signer.clone(), self.purpose, message.to_vec());
        self.runtime.spawn(async move {
            let signed = signer.sign_in_time(purpose, &[&message]).await;
            let _ = send.send(signed); // the receiver waits
        });
        let failed = |reason: String| SignerError::Custom(reason);
        let signed = received.recv().map_err(|error| failed(error.to_string()))?;
        let signatures = signed.map_err(|error| failed(error.to_string()))?;
        let signature = signatures.first().ok_or_else(|| failed("no signature".to_owned()))?;
        Ok(Signature::from(*signature))
    }

    fn is_interactive(&self) -> bool {
        false
    }
}
