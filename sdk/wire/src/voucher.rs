//! JSON form of a signed voucher.
//!
//! A voucher's key follows from the channel and is not in its JSON. A deserialized voucher has the
//! zero key, with which no signature verifies, until the receiver sets the channel's.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use solana_pubkey::Pubkey;

use super::{Address, Amount, Digest, SignatureHex};
use motif_interface::voucher::{SignedVoucher, Voucher};

/// A signed voucher, field by field, so that a voucher for something else can be told from a
/// bad signature.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct VoucherParts {
    /// Cluster tag.
    cluster: Digest,
    /// Channel that pays.
    channel: Address,
    /// Slot of the channel's opening.
    opened_slot: u64,
    /// Number of the statement.
    statement: u64,
    /// Prices and fees since the channel opened, this generation's included.
    cumulative: Amount,
    /// SHA-256 of the statement's entries, this generation's units included.
    statement_digest: Digest,
    /// Last unix second in which the voucher can settle.
    expires_at: i64,
    /// Signature by the channel's voucher key.
    signature: SignatureHex,
}

/// Serializes a voucher.
pub fn serialize<S: Serializer>(signed: &SignedVoucher, serializer: S) -> Result<S::Ok, S::Error> {
    VoucherParts::from(signed).serialize(serializer)
}

/// Deserializes a voucher, with the zero key.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedVoucher, D::Error> {
    VoucherParts::deserialize(deserializer).map(SignedVoucher::from)
}

/// JSON form of an optional voucher.
pub mod option {
    use super::*;

    /// Serializes a voucher, or `null`.
    pub fn serialize<S: Serializer>(
        signed: &Option<SignedVoucher>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        signed.as_ref().map(VoucherParts::from).serialize(serializer)
    }

    /// Deserializes a voucher, with the zero key, or `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SignedVoucher>, D::Error> {
        Ok(Option::<VoucherParts>::deserialize(deserializer)?.map(SignedVoucher::from))
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

impl From<VoucherParts> for SignedVoucher {
    fn from(parts: VoucherParts) -> Self {
        let voucher = Voucher {
            cluster: parts.cluster.0,
            channel: parts.channel.0,
            opened_slot: parts.opened_slot,
            statement: parts.statement,
            cumulative: parts.cumulative.0,
            statement_digest: parts.statement_digest.0,
            expires_at: parts.expires_at,
        };
        Self { voucher, key: Pubkey::default(), signature: parts.signature.0 }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use serde_json::{from_value, json, to_value};

    use super::*;
    use crate::GenerationRequest;

    fn request() -> GenerationRequest {
        let voucher = Voucher {
            cluster: [1; 32],
            channel: Pubkey::new_from_array([2; 32]),
            opened_slot: 3,
            statement: 4,
            cumulative: u64::MAX,
            statement_digest: [6; 32],
            expires_at: 7,
        };
        GenerationRequest {
            voucher: SignedVoucher::sign(voucher, &SigningKey::from_bytes(&[9; 32])),
            license: 0,
            units: 1,
            request_digest: Digest([1; 32]),
            output_digest: Digest([2; 32]),
        }
    }

    #[test]
    fn voucher_is_written_field_by_field() {
        let signed = request().voucher;
        let expected = json!({
            "cluster": "01".repeat(32),
            "channel": "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR",
            "opened_slot": 3,
            "statement": 4,
            "cumulative": "18446744073709551615",
            "statement_digest": "06".repeat(32),
            "expires_at": 7,
            "signature": hex::encode(signed.signature),
        });
        assert_eq!(to_value(request()).unwrap()["voucher"], expected);
    }

    #[test]
    fn read_voucher_verifies_with_key_only() {
        let read: GenerationRequest = from_value(to_value(request()).unwrap()).unwrap();
        assert!(!read.voucher.verifies());
        let signed = request().voucher;
        let read = SignedVoucher { key: signed.key, ..read.voucher };
        assert_eq!(read, signed);
        assert!(read.verifies());
    }

    #[test]
    fn unknown_voucher_field_is_rejected() {
        let mut json = to_value(request()).unwrap();
        json["voucher"]["key"] = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR".into();
        assert!(from_value::<GenerationRequest>(json).is_err());
    }
}
