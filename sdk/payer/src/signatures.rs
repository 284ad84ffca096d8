use motif_interface::{operator::ReceiptKeys, receipt::SignedReceipt};
use solana_pubkey::Pubkey;

/// Verifies receipts; those of one bundle with one verification of its signature.
pub struct ReceiptVerifier<'a> {
    keys: &'a ReceiptKeys,
    /// Key, signed bytes and signature of the last bundle.
    verified: Option<(Pubkey, [u8; 48], [u8; 64])>,
}

impl<'a> ReceiptVerifier<'a> {
    pub fn new(keys: &'a ReceiptKeys) -> Self {
        Self { keys, verified: None }
    }

    /// Returns whether the operator's key of the time of issue signed the receipt.
    pub fn verifies(&mut self, signed: &SignedReceipt) -> bool {
        let Some(key) = self.keys.at(signed.receipt.issued_at) else { return false };
        if signed.bundle.is_alone() {
            return signed.verifies(key);
        }
        let bytes = signed.bundle.signed_bytes(&signed.receipt.digest());
        let bundle = (*key, bytes, signed.signature);
        if self.verified == Some(bundle) {
            return true;
        }
        let verifies = signed.verifies(key);
        if verifies {
            self.verified = Some(bundle);
        }
        verifies
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;
    use ed25519_dalek::SigningKey;
    use motif_interface::receipt::Receipt;

    use super::*;

    fn receipt(position: u32) -> Receipt {
        Receipt {
            channel: Pubkey::zeroed(),
            opened_slot: 1,
            statement: 2,
            position,
            license: 0,
            units: 1,
            terms_number: 1,
            amount: 1,
            cumulative: 1,
            work: Pubkey::zeroed(),
            request_digest: [1; 32],
            output_digest: [2; 32],
            issued_at: 3,
        }
    }

    #[test]
    fn receipt_outside_its_bundle_is_rejected() {
        let operator = SigningKey::from_bytes(&[8; 32]);
        let keys = ReceiptKeys::sole(Pubkey::new_from_array(operator.verifying_key().to_bytes()));
        let receipts: Vec<_> = (0..40).map(receipt).collect();
        let signed = SignedReceipt::sign_together(&receipts, &operator);
        let mut verifier = ReceiptVerifier::new(&keys);
        for one in &signed {
            assert!(verifier.verifies(one));
            let other = SignedReceipt { receipt: receipt(99), ..*one };
            assert!(!verifier.verifies(&other));
            let forged = SignedReceipt { signature: [7; 64], ..*one };
            assert!(!verifier.verifies(&forged));
        }
    }
}
