use std::time::Duration;

use motif_interface::{
    Pubkey,
    receipt::{Receipt, bundle::BundlePath},
};
use motif_wire::{jws::JwsPayload, sale::SaleReceipt};
use serde::{Deserialize, Serialize};
use solana_message::VersionedMessage;
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

    /// Returns whether `key` signs these bytes for this purpose: receipts, their roots and JSON web
    /// signatures, or else the message of a transaction that needs its signature, as that of the first
    /// account if it pays the fee. Receipts and vouchers begin with 0xFF, transactions never do.
    pub fn allows(self, key: &Pubkey, bytes: &[u8]) -> bool {
        match self {
            Self::Receipt => {
                let is = |domain: &[u8], length| bytes.starts_with(domain) && bytes.len() == length;
                let is_jws = bytes.starts_with(Self::JWS) && bytes.len() <= JwsPayload::MAX_INPUT;
                is(&Receipt::DOMAIN, Receipt::SIZE)
                    || is(&BundlePath::DOMAIN, 48)
                    || is(&SaleReceipt::DOMAIN, SaleReceipt::SIZE)
                    || is_jws
            }
            Self::Settle | Self::Authority => signers(bytes).contains(key),
            Self::FeePayer => signers(bytes).first() == Some(key),
        }
    }
}

/// Returns the accounts that must sign a transaction's message; none for bytes that are no message.
fn signers(bytes: &[u8]) -> Vec<Pubkey> {
    let message = wincode::deserialize::<VersionedMessage>(bytes).ok();
    let message = message.filter(|message| message.sanitize().is_ok());
    let Some(message) = message.filter(|message| message.serialize() == bytes) else {
        return Vec::new();
    };
    let count = usize::from(message.header().num_required_signatures);
    message.static_account_keys().iter().take(count).copied().collect()
}

#[cfg(test)]
mod tests {
    use solana_instruction::{AccountMeta, Instruction};
    use solana_message::Message;

    use super::*;

    const KEY: Pubkey = Pubkey::new_from_array([1; 32]);
    const PAYER: Pubkey = Pubkey::new_from_array([2; 32]);
    const OTHER: Pubkey = Pubkey::new_from_array([3; 32]);

    /// Message that `PAYER` pays for, `KEY` signs, and `OTHER` is named in.
    fn message() -> Message {
        let accounts = vec![AccountMeta::new(KEY, true), AccountMeta::new(OTHER, false)];
        let instruction = Instruction { program_id: OTHER, accounts, data: vec![7] };
        Message::new(&[instruction], Some(&PAYER))
    }

    #[test]
    fn receipt_key_signs_no_transaction() {
        let transaction = message().serialize();
        let root = [&BundlePath::DOMAIN[..], &[7; 32]].concat();
        let receipt = [&Receipt::DOMAIN[..], &[7; Receipt::SIZE - 16]].concat();
        for purpose in [Purpose::Settle, Purpose::FeePayer, Purpose::Authority] {
            for other in [&root[..], &receipt, &[]] {
                assert!(!purpose.allows(&KEY, other));
            }
        }
        assert!(Purpose::Receipt.allows(&KEY, &root) && Purpose::Receipt.allows(&KEY, &receipt));
        let sale = [&SaleReceipt::DOMAIN[..], &[7; SaleReceipt::SIZE - 13]].concat();
        let jws = b"eyJhbGciOiJFZERTQSIsImtpZCI6ImRpZDprZXk6eiJ9.e30";
        for statement in [&sale[..], jws] {
            assert!(Purpose::Receipt.allows(&KEY, statement));
            assert!(!Purpose::FeePayer.allows(&KEY, statement));
            assert!(!Purpose::Settle.allows(&KEY, statement));
        }
        assert!(!Purpose::Receipt.allows(&KEY, &sale[..452]));
        assert!(!Purpose::Receipt.allows(&KEY, &jws[1..]));
        let voucher = [&b"\xFFmotif-voucher\x00\x01"[..], &[7; 182]].concat();
        for other in [&transaction[..], &root[..47], &receipt[..48], &voucher, &[]] {
            assert!(!Purpose::Receipt.allows(&KEY, other));
        }
    }

    #[test]
    fn key_signs_transactions_that_need_it() {
        let legacy = VersionedMessage::Legacy(message()).serialize();
        for purpose in [Purpose::Settle, Purpose::Authority] {
            assert!(purpose.allows(&KEY, &legacy) && purpose.allows(&PAYER, &legacy));
            assert!(!purpose.allows(&OTHER, &legacy), "it signs nothing");
        }
        assert!(Purpose::FeePayer.allows(&PAYER, &legacy));
        assert!(!Purpose::FeePayer.allows(&KEY, &legacy), "it pays nothing");
        let longer = [&legacy[..], &[0]].concat();
        let shorter = &legacy[..legacy.len() - 1];
        let mut unknown = legacy.clone();
        unknown.insert(0, 0x82);
        for bytes in [&b"hello world, sign in please"[..], &[1], &longer, shorter, &unknown] {
            assert!(!Purpose::Settle.allows(&KEY, bytes), "{bytes:?}");
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
