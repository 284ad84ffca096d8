use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, SignatureHex};
use motif_interface::voucher::{SignedVoucher, Voucher};

/// Request to pay for one generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerationRequest {
    /// Voucher that covers all earlier generations and this one.
    pub voucher: VoucherParts,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units that this generation uses, above zero.
    pub units: u32,
    /// SHA-256 of the request, as stated by the platform.
    pub request_digest: Digest,
    /// SHA-256 of the output, as stated by the platform.
    pub output_digest: Digest,
}

/// A signed voucher, field by field, so that a voucher for something else can be told from a
/// bad signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VoucherParts {
    /// Cluster tag.
    pub cluster: Digest,
    /// Channel that pays.
    pub channel: Address,
    /// Slot of the channel's opening.
    pub opened_slot: u64,
    /// Number of the statement.
    pub statement: u64,
    /// Prices and fees since the channel opened, this generation's included.
    pub cumulative: Amount,
    /// SHA-256 of the statement's entries, this generation's units included.
    pub statement_digest: Digest,
    /// Last unix second in which the voucher can settle.
    pub expires_at: i64,
    /// Signature by the channel's voucher key.
    pub signature: SignatureHex,
}

impl VoucherParts {
    /// Returns the voucher as signed by `key`, without verifying the signature.
    pub fn signed_by(&self, key: Pubkey) -> SignedVoucher {
        let voucher = Voucher {
            cluster: self.cluster.0,
            channel: self.channel.0,
            opened_slot: self.opened_slot,
            statement: self.statement,
            cumulative: self.cumulative.0,
            statement_digest: self.statement_digest.0,
            expires_at: self.expires_at,
        };
        SignedVoucher { voucher, key, signature: self.signature.0 }
    }
}

impl From<&SignedVoucher> for VoucherParts {
    fn from(signed: &SignedVoucher) -> Self {
        let voucher = &signed.voucher;
        Self {
            cluster: Digest(voucher.cluster),
            channel: Address(voucher.channel),
            opened_slot: voucher.opened_slot,
            statement: voucher.statement,
            cumulative: Amount(voucher.cumulative),
            statement_digest: Digest(voucher.statement_digest),
            expires_at: voucher.expires_at,
            signature: SignatureHex(signed.signature),
        }
    }
}
