use super::{Receipt, SignedReceipt, bundle::BundlePath};

/// Receipts that share a signature, before it is made. The operator's receipt key may be in another
/// process, which signs [`UnsignedBundle::message`].
#[derive(Clone, Debug)]
pub struct UnsignedBundle {
    receipts: Vec<SignedReceipt>,
    message: Vec<u8>,
}

impl UnsignedBundle {
    /// Divides receipts in order into bundles of up to [`BundlePath::MAX_RECEIPTS`]. A single
    /// remaining receipt is signed alone.
    pub fn from_receipts(receipts: &[Receipt]) -> Vec<Self> {
        receipts.chunks(BundlePath::MAX_RECEIPTS).flat_map(Self::from_chunk).collect()
    }

    fn from_chunk(receipts: &[Receipt]) -> Vec<Self> {
        let digests: Vec<_> = receipts.iter().map(Receipt::digest).collect();
        let (Ok(paths), [first, _, ..]) = (BundlePath::from_digests(&digests), &digests[..]) else {
            return receipts.iter().map(Self::from_receipt).collect();
        };
        let message = paths[0].signed_bytes(first).to_vec(); // a path for each digest
        let all = receipts.iter().zip(paths);
        let bundled = all
            .map(|(receipt, bundle)| SignedReceipt { bundle, ..SignedReceipt::unsigned(*receipt) });
        vec![Self { receipts: bundled.collect(), message }]
    }

    fn from_receipt(receipt: &Receipt) -> Self {
        let receipts = vec![SignedReceipt::unsigned(*receipt)];
        Self { receipts, message: receipt.to_bytes().to_vec() }
    }

    /// Returns the bytes to be signed.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Returns the receipts with their signature, in order.
    pub fn with_signature(self, signature: [u8; 64]) -> impl Iterator<Item = SignedReceipt> {
        self.receipts.into_iter().map(move |receipt| SignedReceipt { signature, ..receipt })
    }
}
