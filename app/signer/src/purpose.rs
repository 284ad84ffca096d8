use std::time::Duration;

use motif_interface::receipt::{Receipt, bundle::BundlePath};
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// Purpose of a signature. In text: `settle`, `receipt`, `fee-payer`, `authority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Purpose {
    /// Transaction that settles a statement.
    Settle,
    /// Receipt, or root of a bundle of receipts.
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

    /// Returns whether a key signs these bytes for this purpose: receipts and their roots, or else
    /// the message of a transaction. Receipts and vouchers begin with 0xFF, transactions never do.
    pub fn allows(self, bytes: &[u8]) -> bool {
        match self {
            Self::Receipt => {
                let is = |domain: &[u8], length| bytes.starts_with(domain) && bytes.len() == length;
                is(&Receipt::DOMAIN, Receipt::SIZE) || is(&BundlePath::DOMAIN, 48)
            }
            Self::Settle | Self::FeePayer | Self::Authority => {
                bytes.first().is_some_and(|first| *first != 0xFF)
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
