use std::fmt;

use async_trait::async_trait;
use ed25519_dalek::{Signer, SigningKey};
use motif_interface::Pubkey;

use crate::{OperatorSigner, Purpose, SignError};

/// Key in memory. It is zeroized on drop.
pub struct LocalSigner {
    key: SigningKey,
    public_key: Pubkey,
}

impl From<SigningKey> for LocalSigner {
    fn from(key: SigningKey) -> Self {
        let public_key = Pubkey::new_from_array(key.verifying_key().to_bytes());
        Self { key, public_key }
    }
}

#[async_trait]
impl OperatorSigner for LocalSigner {
    fn public_key(&self) -> Pubkey {
        self.public_key
    }

    async fn sign(&self, _: Purpose, messages: &[&[u8]]) -> Result<Vec<[u8; 64]>, SignError> {
        Ok(messages.iter().map(|message| self.key.sign(message).to_bytes()).collect())
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LocalSigner").field(&self.public_key).finish()
    }
}
