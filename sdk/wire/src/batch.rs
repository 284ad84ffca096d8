use motif_interface::voucher::SignedVoucher;
use serde::{Deserialize, Serialize};

use super::{Digest, GenerationRequest, ReceiptParts, voucher};

/// Request to pay for several generations with one voucher, all or none.
///
/// A blended generation, which uses several licenses, is a batch whose generations name the
/// same request and output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Voucher that covers all earlier generations and these.
    #[serde(with = "voucher")]
    #[cfg_attr(feature = "openapi", schema(value_type = voucher::VoucherParts))]
    pub voucher: SignedVoucher,
    /// 1 to 100 generations, in the order of their receipts.
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
    /// Units that this generation uses, above zero.
    pub units: u32,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// SHA-256 of the output, as stated by the platform.
    pub output_digest: Digest,
}

/// Receipts of a batch, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchReceipts {
    /// One receipt for each generation.
    pub receipts: Vec<ReceiptParts>,
}

impl BatchRequest {
    /// Maximum number of generations in a batch.
    pub const MAX_GENERATIONS: usize = 100;
}

impl GenerationRequest {
    /// Returns the generation without its voucher.
    pub fn generation(&self) -> BatchedGeneration {
        BatchedGeneration {
            license: self.license,
            units: self.units,
            request_digest: self.request_digest,
            output_digest: self.output_digest,
        }
    }
}
