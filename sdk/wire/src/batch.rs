use motif_interface::voucher::SignedVoucher;
use serde::{Deserialize, Serialize};

use super::{Digest, GenerationRequest, ReceiptParts, voucher};

/// Request to pay for several generations with one voucher, all or none.
///
/// A blended generation, which uses several licenses, is a batch whose generations name the
/// same request and output. A generation can capture a hold or pay for a part of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// Voucher that covers all earlier generations and these.
    #[serde(with = "voucher")]
    #[cfg_attr(feature = "openapi", schema(value_type = voucher::VoucherParts))]
    pub voucher: SignedVoucher,
    /// 1 to 1,000 generations, in the order of their receipts.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1_000))]
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
    /// What was reserved or generated for this payment; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub captures: Option<Captured>,
}

/// Hold or part of a stream that a generation pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Captured {
    /// Name of a hold: of a generation, of an answer behind a paywall, or of a stream's first part.
    Hold(Digest),
    /// Name of a later part of a stream.
    Part(Digest),
}

/// Item of a batch that the gateway refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemProblem {
    /// Position in the batch, from 0.
    pub item: u32,
    /// Slug of the problem type.
    #[serde(rename = "type")]
    pub slug: String,
    /// Description of the problem and of the expected value.
    pub detail: String,
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
    pub const MAX_GENERATIONS: usize = 1_000;
    /// Maximum length of the JSON, bytes.
    pub const MAX_BYTES: usize = 384 << 10;
}

impl BatchedGeneration {
    /// Creates a generation for which nothing was reserved.
    pub const fn new(
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        output_digest: [u8; 32],
    ) -> Self {
        let (request_digest, output_digest) = (Digest(request_digest), Digest(output_digest));
        Self { license, units, request_digest, output_digest, captures: None }
    }

    /// Sets what the generation captures. Default: nothing.
    #[must_use]
    pub const fn capturing(self, captures: Captured) -> Self {
        Self { captures: Some(captures), ..self }
    }
}

impl GenerationRequest {
    /// Returns the generation without its voucher.
    pub fn generation(&self) -> BatchedGeneration {
        BatchedGeneration {
            license: self.license,
            units: self.units,
            request_digest: self.request_digest,
            output_digest: self.output_digest,
            captures: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn captured_hold_is_written_by_name() {
        let plain = BatchedGeneration::new(1, 2, [3; 32], [4; 32]);
        let digest = |byte: &str| byte.repeat(32);
        let mut expected = json!({
            "license": 1, "units": 2, "request_digest": digest("03"), "output_digest": digest("04"),
        });
        assert_eq!(to_value(plain).unwrap(), expected);
        for (captured, name) in
            [(Captured::Hold(Digest([5; 32])), "hold"), (Captured::Part(Digest([5; 32])), "part")]
        {
            expected["captures"] = json!({ name: digest("05") });
            let captured = plain.capturing(captured);
            assert_eq!(to_value(captured).unwrap(), expected);
            assert_eq!(from_value::<BatchedGeneration>(expected.clone()).unwrap(), captured);
        }
        expected["captures"] = json!({ "hold": digest("05"), "part": digest("05") });
        assert!(from_value::<BatchedGeneration>(expected).is_err());
    }
}
