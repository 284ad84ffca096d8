use ed25519_dalek::SigningKey;
use motif_interface::receipt::{Receipt, SignedReceipt};

use crate::command::Message;

/// Signs receipts with the operator's receipt key of their time of issue.
#[derive(Clone)]
pub struct ReceiptSigner {
    key: SigningKey,
    next: Option<(SigningKey, i64)>,
}

impl From<SigningKey> for ReceiptSigner {
    fn from(key: SigningKey) -> Self {
        Self { key, next: None }
    }
}

impl ReceiptSigner {
    /// Adds the key of receipts that are issued from `valid_from` on, unix seconds.
    pub fn then(self, next: SigningKey, valid_from: i64) -> Self {
        Self { next: Some((next, valid_from)), ..self }
    }

    /// Signs the receipts of a group, as many as possible with one signature: one signature per
    /// receipt would take longer than storing it.
    pub(crate) fn sign(&self, group: &mut [Message]) {
        let unsigned = group.iter_mut().flat_map(Message::generations_mut);
        let mut places: Vec<&mut SignedReceipt> = unsigned.map(|one| &mut one.receipt).collect();
        for run in places.chunk_by_mut(|one, other| self.key_of(one) == self.key_of(other)) {
            let Some(first) = run.first() else { continue };
            let key = self.key_of(first);
            let receipts: Vec<Receipt> = run.iter().map(|place| place.receipt).collect();
            let signed = SignedReceipt::sign_together(&receipts, key);
            run.iter_mut().zip(signed).for_each(|(place, signed)| **place = signed);
        }
    }

    fn key_of(&self, unsigned: &SignedReceipt) -> &SigningKey {
        let issued_at = unsigned.receipt.issued_at;
        match &self.next {
            Some((next, valid_from)) if issued_at >= *valid_from => next,
            _ => &self.key,
        }
    }
}
