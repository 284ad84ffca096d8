use std::time::Duration;

use motif_interface::receipt::{Receipt, bundle::BundlePath};
use motif_wire::sale::SaleReceipt;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// Purpose of a signature. In text: `settle`, `receipt`, `fee-payer`, `authority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Purpose {
    /// Transaction that settles a statement.
    Settle,
    /// Receipt, root of a bundle of receipts, or JSON web signature about a sale.
    Receipt,
    /// Transaction, as the account that pays its fee.
    FeePayer,
    /// Transaction of the operator's authority.
    Authority,
}

impl Purpose {
    /// Number of purposes.
    pub(crate) const COUNT: usize = 4;

    /// Returns the time within which a signer must answer. Receipts are signed while generations
    /// wait; a transaction's blockhash is valid for about a minute.
    pub fn deadline(self) -> Duration {
        match self {
            Self::Receipt => Duration::from_secs(2),
            Self::Settle | Self::FeePayer | Self::Authority => Duration::from_secs(45),
        }
    }

    /// Beginning of the input of a JSON web signature: base64url of `{"alg":"EdDSA",`. No message of a
    /// transaction begins with it: of its 101 signers 121 would be read-only.
    const JWS: &[u8] = b"eyJhbGciOiJFZERTQSIs";
    /// Maximum size of the input of a JSON web signature, bytes.
    const MAX_JWS: usize = 4_096;

    /// Returns whether a key signs these bytes for this purpose: receipts, their roots and JSON web
    /// signatures, or else the message of a transaction. Receipts and vouchers begin with 0xFF,
    /// transactions never do.
    pub fn allows(self, bytes: &[u8]) -> bool {
        match self {
            Self::Receipt => {
                let is = |domain: &[u8], length| bytes.starts_with(domain) && bytes.len() == length;
                let is_jws = bytes.starts_with(Self::JWS) && bytes.len() <= Self::MAX_JWS;
                is(&Receipt::DOMAIN, Receipt::SIZE)
                    || is(&BundlePath::DOMAIN, 48)
                    || is(&SaleReceipt::DOMAIN, SaleReceipt::SIZE)
                    || is_jws
            }
            Self::Settle | Self::FeePayer | Self::Authority => {
                bytes.first().is_some_and(|first| *first != 0xFF) && !bytes.starts_with(Self::JWS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipt_key_signs_no_transaction() {
        let transaction = [1, 0, 1, 2];
        let root = [&BundlePath::DOMAIN[..], &[7; 32]].concat();
        let receipt = [&Receipt::DOMAIN[..], &[7; Receipt::SIZE - 16]].concat();
        for purpose in [Purpose::Settle, Purpose::FeePayer, Purpose::Authority] {
            assert!(purpose.allows(&transaction));
            assert!(!purpose.allows(&root) && !purpose.allows(&receipt) && !purpose.allows(&[]));
        }
        assert!(Purpose::Receipt.allows(&root) && Purpose::Receipt.allows(&receipt));
        let sale = [&SaleReceipt::DOMAIN[..], &[7; SaleReceipt::SIZE - 13]].concat();
        let jws = b"eyJhbGciOiJFZERTQSIsImtpZCI6ImRpZDprZXk6eiJ9.e30";
        for statement in [&sale[..], jws] {
            assert!(Purpose::Receipt.allows(statement));
            assert!(!Purpose::FeePayer.allows(statement) && !Purpose::Settle.allows(statement));
        }
        assert!(!Purpose::Receipt.allows(&sale[..452]));
        assert!(!Purpose::Receipt.allows(&jws[1..]));
        let voucher = [&b"\xFFmotif-voucher\x00\x01"[..], &[7; 182]].concat();
        for other in [&transaction[..], &root[..47], &receipt[..48], &voucher, &[]] {
            assert!(!Purpose::Receipt.allows(other));
        }
    }

    #[test]
    fn purpose_word_roundtrips() {
        for purpose in [Purpose::Settle, Purpose::Receipt, Purpose::FeePayer, Purpose::Authority] {
            assert_eq!(purpose.to_string().parse(), Ok(purpose));
            let json = serde_json::to_string(&purpose).unwrap();
            assert_eq!(json, format!("\"{purpose}\""));
            assert!((purpose as usize) < Purpose::COUNT);
        }
    }
}
