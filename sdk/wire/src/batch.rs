use serde::{Deserialize, Serialize};

use super::{Digest, GenerationRequest, ReceiptParts, VoucherParts};

/// Several generations to pay for with one voucher: all of them or none.
///
/// A blended generation, which uses several licenses, is a batch whose generations name the
/// same request and output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Pays for everything so far and for these.
    pub voucher: VoucherParts,
    /// The generations, 1 to 100, in the order of their receipts.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub generations: Vec<BatchedGeneration>,
}

/// One generation of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchedGeneration {
    /// Index of the license on the channel.
    pub license: u16,
    /// Units this generation uses, above zero.
    pub units: u32,
    /// SHA-256 of the request, as the platform states it.
    pub request_digest: Digest,
    /// SHA-256 of the output, as the platform states it.
    pub output_digest: Digest,
}

/// A batch's receipts, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchReceipts {
    /// One for each generation.
    pub receipts: Vec<ReceiptParts>,
}

impl BatchRequest {
    /// The most generations of one batch.
    pub const MOST: usize = 100;
}

impl GenerationRequest {
    /// The generation, without what pays for it.
    pub fn generation(&self) -> BatchedGeneration {
        BatchedGeneration {
            license: self.license,
            units: self.units,
            request_digest: self.request_digest,
            output_digest: self.output_digest,
        }
    }
}
