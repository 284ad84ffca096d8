//! Receipts of x402's extension `offer-receipt`: JSON web signatures (RFC 7515) with EdDSA.
//!
//! The input of the signature begins with base64url of `{"alg":"EdDSA",`, which no message of a transaction
//! does.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_interface::{Pubkey, payments::ReceiptKeys};
use serde::{Deserialize, Serialize};

use crate::{Address, sale::TransactionSignature};

/// Signed receipt of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsReceipt {
    /// What is signed.
    pub payload: JwsPayload,
    input: String,
    signature: [u8; 64],
}

/// Content of a [`JwsReceipt`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JwsPayload {
    /// Version of the layout, 1.
    pub version: u8,
    /// CAIP-2 identifier of the network.
    pub network: String,
    /// URL of the request.
    pub resource_url: String,
    /// Key that paid.
    pub payer: Address,
    /// Unix seconds.
    pub issued_at: i64,
    /// Signature of the payment's transaction.
    pub transaction: TransactionSignature,
}

/// Error returned when a text is no JSON web signature of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON web signature of a receipt")]
pub struct InvalidJws;

impl JwsPayload {
    /// Maximum size of the input that a signer takes, bytes.
    pub const MAX_INPUT: usize = 4_096;

    /// Returns the bytes to sign with a key, which is named as a `did:key`: clients resolve it offline.
    pub fn input(&self, key: &Pubkey) -> String {
        let did = did_key(key);
        let fragment = did.trim_start_matches("did:key:");
        // The order of the fields is what the signer recognizes.
        let header = format!("{{\"alg\":\"EdDSA\",\"kid\":\"{did}#{fragment}\"}}");
        // These are texts and numbers: writing them does not fail.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{}", encode(header.as_bytes()), encode(&payload))
    }
}

impl JwsReceipt {
    /// Returns the text of a receipt, from the input and its signature.
    pub fn text(input: &str, signature: &[u8; 64]) -> String {
        format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Parses a receipt.
    ///
    /// # Errors
    /// [`InvalidJws`].
    pub fn from_text(text: &str) -> Result<Self, InvalidJws> {
        let (input, signature) = text.trim().rsplit_once('.').ok_or(InvalidJws)?;
        let (_, payload) = input.split_once('.').ok_or(InvalidJws)?;
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidJws);
        let payload = serde_json::from_slice(&decode(payload)?).map_err(|_| InvalidJws)?;
        let signature = decode(signature)?.try_into().map_err(|_| InvalidJws)?;
        Ok(Self { payload, input: input.to_owned(), signature })
    }

    /// Returns whether the receipt key of the time of issue signed the receipt.
    pub fn verifies_with(&self, keys: &ReceiptKeys) -> bool {
        keys.at(self.payload.issued_at).is_some_and(|key| self.verifies(key))
    }

    /// Returns whether the signature of a key is valid.
    pub fn verifies(&self, key: &Pubkey) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(key.as_array()) else { return false };
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(self.input.as_bytes(), &signature).is_ok()
    }
}

/// Returns an Ed25519 key as a `did:key`: `z` and the base58 of the multicodec ED 01 and the key.
fn did_key(key: &Pubkey) -> String {
    let bytes = [&[0xED, 0x01][..], key.as_ref()].concat();
    format!("did:key:z{}", bs58::encode(bytes).into_string())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn signed() -> (String, Pubkey) {
        let signer = SigningKey::from_bytes(&[7; 32]);
        let key = Pubkey::new_from_array(signer.verifying_key().to_bytes());
        let payload = JwsPayload {
            version: 1,
            network: "solana:x".to_owned(),
            resource_url: "https://gw.example/pictures".to_owned(),
            payer: Address(Pubkey::new_from_array([1; 32])),
            issued_at: 5,
            transaction: TransactionSignature([2; 64]),
        };
        let input = payload.input(&key);
        let signature = signer.sign(input.as_bytes()).to_bytes();
        (JwsReceipt::text(&input, &signature), key)
    }

    #[test]
    fn signature_covers_header_and_payload() {
        let (text, key) = signed();
        assert!(text.starts_with("eyJhbGciOiJFZERTQSIs"));
        assert!(JwsReceipt::from_text(&text).unwrap().verifies(&key));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = JwsReceipt::from_text(std::str::from_utf8(&changed).unwrap());
            // The last character has two bits that no byte contains.
            let is_same = changed
                .as_ref()
                .is_ok_and(|changed| changed == &JwsReceipt::from_text(&text).unwrap());
            assert!(is_same || !changed.is_ok_and(|changed| changed.verifies(&key)), "{place}");
        }
    }

    #[test]
    fn did_key_begins_with_its_codec() {
        // The first example of the did:key specification for Ed25519.
        let key: Pubkey = "B12NYF8RrR3h41TDCTJojY59usg3mbtbjnFs7Eud1Y6u".parse().unwrap();
        assert_eq!(did_key(&key), "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH");
    }
}
