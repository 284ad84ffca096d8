//! Sales: answers that are paid by a plain token transfer to a till, whose memo commits to a
//! [`SaleAcceptance`].

use std::{fmt, str::FromStr};

use ed25519_dalek::VerifyingKey;
use motif_interface::{
    Pubkey,
    acceptance::SaleAcceptance,
    payments::{ReceiptKeys, TillShare, TillShares},
};
use serde::{Deserialize, Serialize, de};

use crate::{Address, Digest, ParseHeaderError, ParseScalarError, SignatureHex, Use, paywall};

/// What a payment buys: with the request, the amount, the mint and the recipient of the payment, all
/// that a [`SaleAcceptance`] has, except the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleOffer {
    /// Work of the till.
    pub work: Address,
    /// Parts of the work in the till.
    pub parts: u32,
    /// Authority of the till's operator; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Address>,
    /// Parts of the operator; 0 without one.
    pub operator_parts: u32,
    /// Number of the work's terms.
    pub terms: u32,
    /// Digest of the terms.
    pub digest: Digest,
    /// Licensed use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Units of the use.
    pub units: u32,
    /// Last unix second in which the payment lands.
    pub not_after: i64,
    /// Distinguishes equal purchases.
    pub nonce: Nonce,
}

/// State of a payment to a till.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaleState {
    /// It may still land.
    Sent,
    /// It has paid.
    Landed,
    /// It was rejected in simulation, or failed on chain.
    Failed,
    /// Its blockhash has expired.
    Expired,
}

/// Number that distinguishes equal purchases: 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nonce(pub u64);

/// Signature of a transaction, base58.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionSignature(pub [u8; 64]);

/// Operator's signed record of a sale.
///
/// The signed bytes, 453: domain (13), acceptance (272), seller (32), payer (32), signature of the transaction
/// (64), output digest (32), issued at (8, little-endian).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleReceipt {
    /// Signature of the payment's transaction.
    pub transaction: TransactionSignature,
    /// Authority of the till's operator; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Address>,
    /// Parts of the operator; 0 without one.
    pub operator_parts: u32,
    /// Works of the till.
    pub works: Vec<SoldWork>,
    /// Bytes that the payment's memo commits to, hex.
    #[serde(with = "acceptance")]
    pub acceptance: SaleAcceptance,
    /// Authority of the operator that sold the answer.
    pub seller: Address,
    /// Key that paid.
    pub payer: Address,
    /// SHA-256 of the answer's body; zeros if the answer was not made yet.
    pub output_digest: Digest,
    /// Time of the payment's end by the gateway's clock, unix seconds.
    pub issued_at: i64,
    /// Ed25519 signature by the seller's receipt key of the time of issue.
    pub signature: SignatureHex,
}

/// Work of a till that was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldWork {
    /// The work.
    pub work: Address,
    /// Its parts in the till.
    pub parts: u32,
    /// Number of its accepted terms.
    pub terms: u32,
}

impl SaleReceipt {
    /// 0xFF, `motif-sale`, a zero, and the version of this layout.
    pub const DOMAIN: [u8; 13] = *b"\xFFmotif-sale\x00\x01";
    /// Bytes that the seller signs.
    pub const SIZE: usize = 453;
    /// Name of the header that carries the receipt.
    pub const HEADER: &'static str = "motif-receipt";

    /// Creates a receipt without a signature.
    pub fn unsigned(
        (shares, terms): (&TillShares, &[u32]),
        acceptance: SaleAcceptance,
        (seller, payer): (Pubkey, Pubkey),
        transaction: [u8; 64],
        output_digest: [u8; 32],
        issued_at: i64,
    ) -> Self {
        let works = shares.works.iter().zip(terms);
        Self {
            transaction: TransactionSignature(transaction),
            operator: (shares.operator_parts > 0).then_some(Address(shares.operator)),
            operator_parts: shares.operator_parts,
            works: works
                .map(|(share, terms)| SoldWork {
                    work: Address(share.work),
                    parts: share.parts,
                    terms: *terms,
                })
                .collect(),
            acceptance,
            seller: Address(seller),
            payer: Address(payer),
            output_digest: Digest(output_digest),
            issued_at,
            signature: SignatureHex([0; 64]),
        }
    }

    /// Returns the bytes that the seller signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let fields: [&[u8]; 7] = [
            &Self::DOMAIN,
            &self.acceptance.to_bytes(),
            self.seller.0.as_ref(),
            self.payer.0.as_ref(),
            &self.transaction.0,
            &self.output_digest.0,
            &self.issued_at.to_le_bytes(),
        ];
        fields.concat()
    }

    /// Returns whether the seller's receipt key of the time of issue signed the receipt.
    pub fn verifies_with(&self, keys: &ReceiptKeys) -> bool {
        keys.at(self.issued_at).is_some_and(|key| self.verifies(key))
    }

    /// Returns whether the signature of the receipt key `key` is valid.
    pub fn verifies(&self, key: &Pubkey) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(key.as_array()) else { return false };
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature.0);
        key.verify_strict(&self.signed_bytes(), &signature).is_ok()
    }

    /// Returns the shares of the till, which the acceptance's address proves.
    pub fn shares(&self) -> TillShares {
        let works = self.works.iter();
        TillShares {
            operator: self.operator.map_or_else(Pubkey::default, |operator| operator.0),
            operator_parts: self.operator_parts,
            works: works.map(|sold| TillShare { work: sold.work.0, parts: sold.parts }).collect(),
        }
    }

    /// Returns the value of the header.
    pub fn to_header(&self) -> String {
        paywall::to_header(self)
    }

    /// Parses the value of the header.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        paywall::from_answer(text)
    }
}

mod acceptance {
    //! Serializes an acceptance as the hex of its bytes.

    use motif_interface::acceptance::SaleAcceptance;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        acceptance: &SaleAcceptance,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(acceptance.to_bytes()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SaleAcceptance, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text).ok().filter(|bytes| text.len() == 2 * bytes.len());
        let acceptance = bytes.and_then(|bytes| SaleAcceptance::from_bytes(&bytes));
        acceptance.ok_or_else(|| Error::custom("expected the bytes of an acceptance in hex"))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for Nonce {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let nonce = u64::from_str_radix(text, 16).ok().filter(|_| digits);
        nonce.map(Self).ok_or(ParseScalarError("16 hexadecimal digits"))
    }
}

impl fmt::Display for TransactionSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; five8::BASE58_ENCODED_64_MAX_LEN];
        let length = five8::encode_64(&self.0, &mut digits);
        let digits = std::str::from_utf8(&digits[..usize::from(length)]);
        formatter.write_str(digits.unwrap_or_default()) // digits are ASCII
    }
}

impl FromStr for TransactionSignature {
    type Err = ParseScalarError;

    fn from_str(text: &str) -> Result<Self, ParseScalarError> {
        let mut bytes = [0; 64];
        let read = five8::decode_64(text, &mut bytes);
        read.map_err(|_| ParseScalarError("a base58 signature"))?;
        Ok(Self(bytes))
    }
}

/// Serializes a type with its displayed text.
macro_rules! as_text {
    ($($scalar:ty),*) => {$(
        impl Serialize for $scalar {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $scalar {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Nonce, TransactionSignature);

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use motif_interface::licensing::Use;

    use super::*;

    fn receipt() -> SaleReceipt {
        let work = Pubkey::new_from_array([3; 32]);
        let operator = Pubkey::new_from_array([10; 32]);
        let works = vec![TillShare { work, parts: 50 }];
        let shares = TillShares::new(works, Some((operator, 1)));
        let acceptance = SaleAcceptance {
            cluster: [1; 32],
            till: Pubkey::new_from_array([2; 32]),
            subject: work.to_bytes(),
            mint: Pubkey::new_from_array([4; 32]),
            terms_number: 5,
            terms_digest: [6; 32],
            licensed_use: Use::Generate,
            units: 7,
            amount: 8,
            request_digest: [9; 32],
            operator,
            not_after: 11,
            nonce: 12,
        };
        let payer = Pubkey::new_from_array([13; 32]);
        let receipt = SaleReceipt::unsigned(
            (&shares, &[5]),
            acceptance,
            (operator, payer),
            [14; 64],
            [15; 32],
            16,
        );
        let signature = SigningKey::from_bytes(&[17; 32]).sign(&receipt.signed_bytes());
        SaleReceipt { signature: SignatureHex(signature.to_bytes()), ..receipt }
    }

    fn key() -> Pubkey {
        Pubkey::new_from_array(SigningKey::from_bytes(&[17; 32]).verifying_key().to_bytes())
    }

    #[test]
    fn signed_bytes_have_the_layout() {
        let bytes = receipt().signed_bytes();
        assert_eq!(bytes.len(), SaleReceipt::SIZE);
        assert_eq!(bytes[13..285], receipt().acceptance.to_bytes());
        assert_eq!(bytes[285..317], [10; 32]);
        assert_eq!(bytes[317..349], [13; 32]);
        assert_eq!(bytes[349..413], [14; 64]);
        assert_eq!(bytes[413..445], [15; 32]);
        assert_eq!(bytes[445..], 16_i64.to_le_bytes());
    }

    #[test]
    fn changed_receipt_does_not_verify() {
        assert!(receipt().verifies(&key()));
        let refuse = |change: fn(&mut SaleReceipt)| {
            let mut changed = receipt();
            change(&mut changed);
            assert!(!changed.verifies(&key()));
        };
        refuse(|receipt| receipt.transaction.0[0] ^= 1);
        refuse(|receipt| receipt.acceptance.nonce += 1);
        refuse(|receipt| receipt.seller = receipt.payer);
        refuse(|receipt| receipt.payer = receipt.seller);
        refuse(|receipt| receipt.output_digest.0[31] ^= 1);
        refuse(|receipt| receipt.issued_at += 1);
        refuse(|receipt| receipt.signature.0[5] ^= 1);
    }

    #[test]
    fn receipt_round_trips_through_header() {
        let header = receipt().to_header();
        assert_eq!(SaleReceipt::from_header(&header).unwrap(), receipt());
        assert!(header.len() < 2_200, "{} bytes", header.len());
        assert_eq!(receipt().shares().check(), Ok(()));
    }

    #[test]
    fn nonce_has_sixteen_digits() {
        assert_eq!(Nonce(255).to_string(), "00000000000000ff");
        assert_eq!("00000000000000fF".parse(), Ok(Nonce(255)));
        for wrong in ["", "ff", "+0000000000000ff", "0x000000000000ff", "00000000000000ff0"] {
            assert!(wrong.parse::<Nonce>().is_err(), "{wrong}");
        }
    }
}
