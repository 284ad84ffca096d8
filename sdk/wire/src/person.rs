//! Proof that a person reads what a gateway knows about the person's works.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use solana_pubkey::Pubkey;

use super::{
    Address, SignatureHex,
    paywall::{ParseHeaderError, from_header, to_header},
};

/// Signature of a wallet, in the header `motif-person` as base64url of JSON: it shows usage and
/// unsettled earnings of the person's works. One proof serves all requests until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PersonProof {
    /// Wallet.
    pub address: Address,
    /// Last unix second in which the proof is valid, at most a day after it was signed.
    pub expires_at: i64,
    /// The wallet's signature of [`PersonProof::message`].
    pub signature: SignatureHex,
}

impl PersonProof {
    /// Name of the header.
    pub const HEADER: &'static str = "motif-person";
    /// Maximum validity, seconds.
    pub const MAX_SECONDS: i64 = 86_400;

    /// Returns the text that the wallet signs, for the gateway of an operator.
    pub fn message(operator: &Pubkey, person: &Pubkey, expires_at: i64) -> String {
        format!(
            "Motif: show what my works earn\ngateway: {operator}\nperson: {person}\nuntil: {expires_at}"
        )
    }

    /// Whether the wallet signed for the gateway of this operator.
    pub fn verifies(&self, operator: &Pubkey) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(self.address.0.as_array()) else { return false };
        let message = Self::message(operator, &self.address.0, self.expires_at);
        let signature = Signature::from_bytes(&self.signature.0);
        key.verify_strict(message.as_bytes(), &signature).is_ok()
    }

    /// Returns the header's value.
    pub fn to_header(&self) -> String {
        to_header(self)
    }

    /// Parses the header's value.
    ///
    /// # Errors
    /// [`ParseHeaderError`].
    pub fn from_header(text: &str) -> Result<Self, ParseHeaderError> {
        from_header(text)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    #[test]
    fn proof_is_bound_to_gateway_and_end() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let person = Pubkey::new_from_array(key.verifying_key().to_bytes());
        let operator = Pubkey::new_from_array([8; 32]);
        let message = PersonProof::message(&operator, &person, 5);
        assert!(message.ends_with("\nuntil: 5"), "{message}");
        let signature = SignatureHex(key.sign(message.as_bytes()).to_bytes());
        let proof = PersonProof { address: Address(person), expires_at: 5, signature };
        assert!(proof.verifies(&operator) && !proof.verifies(&person));
        assert!(!PersonProof { expires_at: 6, ..proof }.verifies(&operator));
        assert_eq!(PersonProof::from_header(&proof.to_header()).unwrap(), proof);
    }
}
