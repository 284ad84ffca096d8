use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, SignatureHex};
use motif_interface::voucher::{SignedVoucher, Voucher};

/// One generation to pay for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GenerationRequest {
    /// Pays for everything so far and for this.
    pub voucher: VoucherParts,
    /// Index of the license on the channel.
    pub license: u16,
    /// Units this generation uses, above zero.
    pub units: u32,
    /// SHA-256 of the request, as the platform states it.
    pub request_digest: Digest,
    /// SHA-256 of the output, as the platform states it.
    pub output_digest: Digest,
}

/// A signed voucher, field by field, so that a voucher for something else can be told from a
/// bad signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VoucherParts {
    /// The cluster's tag.
    pub cluster: Digest,
    /// The channel it pays from.
    pub channel: Address,
    /// Which incarnation of the channel's address.
    pub opened_slot: u64,
    /// The statement it pays for.
    pub statement: u64,
    /// Prices and fees since the channel opened, this generation's included.
    pub cumulative: Amount,
    /// SHA-256 of the statement's entries, this generation's units included.
    pub statement_digest: Digest,
    /// Last unix second in which it settles.
    pub expires_at: i64,
    /// By the channel's voucher key.
    pub signature: SignatureHex,
}

impl VoucherParts {
    /// The voucher as `key` would have signed it.
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
