use std::{ops::Deref, sync::Arc};

use ed25519_dalek::SigningKey;
use solana_keypair::Keypair;
use solana_signer::{Signer, SignerError};

use super::{PayerRequest, SignedPayerRequest};
use crate::voucher::{SignedVoucher, Voucher};

/// Signer of a session's vouchers: a key in memory, a hardware wallet or a remote service. Clones
/// share it.
#[derive(Clone)]
pub struct VoucherSigner(Arc<dyn Signer + Send + Sync>);

impl VoucherSigner {
    /// Creates a signer of vouchers.
    pub fn new(signer: impl Signer + Send + Sync + 'static) -> Self {
        Self(Arc::new(signer))
    }

    /// Signs a voucher.
    ///
    /// # Errors
    /// Those of the signer.
    pub fn sign(&self, voucher: Voucher) -> Result<SignedVoucher, SignerError> {
        let signature = self.0.try_sign_message(&voucher.to_bytes())?;
        Ok(SignedVoucher { voucher, key: self.0.pubkey(), signature: signature.into() })
    }

    /// Signs a request of the payer.
    ///
    /// # Errors
    /// Those of the signer.
    pub fn sign_request(&self, request: PayerRequest) -> Result<SignedPayerRequest, SignerError> {
        let signature = self.0.try_sign_message(&request.to_bytes())?.into();
        Ok(SignedPayerRequest { request, signer: self.0.try_pubkey()?, signature })
    }
}

impl Deref for VoucherSigner {
    type Target = dyn Signer + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl From<Keypair> for VoucherSigner {
    fn from(keypair: Keypair) -> Self {
        Self::new(keypair)
    }
}

impl From<SigningKey> for VoucherSigner {
    fn from(key: SigningKey) -> Self {
        Self::new(Keypair::new_from_array(key.to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pubkey;

    #[test]
    fn signer_and_key_sign_the_same_voucher() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let voucher = Voucher {
            cluster: [1; 32],
            channel: Pubkey::new_from_array([2; 32]),
            opened_slot: 3,
            statement: 4,
            cumulative: 5,
            statement_digest: [6; 32],
            expires_at: 7,
        };
        let signed = VoucherSigner::from(key.clone()).sign(voucher).unwrap();
        assert_eq!(signed, SignedVoucher::sign(voucher, &key));
        assert!(signed.verifies());
    }
}
