use motif_interface::voucher::SignedVoucher;
use serde::{Deserialize, Serialize};

use super::{Digest, voucher};

/// Request to pay for one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerationRequest {
    /// Voucher that covers all earlier generations and this one.
    #[serde(with = "voucher")]
    #[cfg_attr(feature = "openapi", schema(value_type = voucher::VoucherParts))]
    pub voucher: SignedVoucher,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units that this generation uses, above zero.
    pub units: u32,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// SHA-256 of the output, as stated by the platform.
    pub output_digest: Digest,
}
