//! Tokens of the Open License Protocol: the receipt of a sale as a credential for the licensed work.
//!
//! A token is a JSON web token with EdDSA, signed by the operator's receipt key of the time of issue, whose
//! address is the header's `kid`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use motif_sdk::{
    Pubkey,
    gateway::wire::{
        Address, Digest, Use,
        sale::{SaleReceipt, TransactionSignature},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Sales;
use crate::error::GatewayError;

/// What a token states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LicenseClaims {
    /// URL of the paywall that sold the answer.
    pub iss: String,
    /// Key that paid.
    pub sub: Address,
    /// The licensed work.
    pub aud: Address,
    /// Signature of the payment's transaction.
    #[schema(value_type = String)]
    pub jti: TransactionSignature,
    /// Time of issue, unix seconds.
    pub iat: i64,
    /// Unix second from which the token is not valid.
    pub exp: i64,
    /// Number of the accepted terms.
    pub terms: u32,
    /// Digest of the terms.
    pub digest: Digest,
    /// Licensed use.
    #[serde(rename = "use")]
    pub licensed_use: Use,
    /// Units of the use.
    pub units: u32,
    /// SHA-256 of the paid request.
    pub request: Digest,
}

/// Why a receipt buys no token, in the words of OAuth 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the names of the standard's errors")]
pub(crate) enum TokenRefusal {
    /// The receipt is not one of this operator for this payer.
    InvalidClient,
    /// The sale is too old.
    InvalidGrant,
    /// The receipt is for another work.
    InvalidTarget,
}

/// Error returned when no token is issued.
pub(crate) enum LicenseError {
    /// The receipt does not buy it.
    Refused(TokenRefusal),
    /// Another reason.
    Gateway(GatewayError),
}

impl From<TokenRefusal> for LicenseError {
    fn from(refusal: TokenRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<GatewayError> for LicenseError {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

impl LicenseClaims {
    /// Time from a sale for which its tokens are valid, seconds.
    const SECONDS: i64 = 3_600;

    /// Returns the claims of a receipt for a token that is issued at a time.
    fn of(receipt: &SaleReceipt, iss: &str, iat: i64) -> Self {
        let acceptance = &receipt.acceptance;
        Self {
            iss: iss.to_owned(),
            sub: receipt.payer,
            // Tills of sales have one work.
            aud: Address(Pubkey::new_from_array(acceptance.subject)),
            jti: receipt.transaction,
            iat,
            exp: receipt.issued_at.saturating_add(Self::SECONDS),
            terms: acceptance.terms_number,
            digest: Digest(acceptance.terms_digest),
            licensed_use: acceptance.licensed_use,
            units: acceptance.units,
            request: Digest(acceptance.request_digest),
        }
    }

    /// Returns whether a token with these claims is valid at a time.
    fn is_current(&self, now: i64) -> bool {
        // The end is bounded by the time of issue, so that a replaced key signs no later tokens.
        let latest = self.iat.saturating_add(Self::SECONDS);
        self.exp <= latest && now < self.exp
    }
}

impl Sales {
    /// Issues a token for a work to the payer of a receipt.
    ///
    /// # Errors
    /// [`LicenseError`].
    pub(crate) async fn issue_license(
        &self,
        payer: &str,
        receipt: &SaleReceipt,
        work: &str,
    ) -> Result<(String, LicenseClaims), LicenseError> {
        let key = self.keys.receipt_key_at(receipt.issued_at);
        let is_ours = receipt.seller.0 == self.config.operator && receipt.verifies(&key);
        if !is_ours || receipt.payer.to_string() != payer {
            return Err(TokenRefusal::InvalidClient.into());
        }
        let now = self.cluster.now();
        let claims = LicenseClaims::of(receipt, &self.sales.paywall.public_url, now);
        if claims.aud.to_string() != work {
            return Err(TokenRefusal::InvalidTarget.into());
        }
        if !claims.is_current(now) {
            return Err(TokenRefusal::InvalidGrant.into());
        }
        let key = self.keys.receipt_key_at(now);
        let payload = serde_json::to_vec(&claims).map_err(GatewayError::internal)?;
        let input = format!("{}.{}", header(&key), BASE64_URL_SAFE_NO_PAD.encode(payload));
        let signed = self.keys.sign_receipts(&[input.as_bytes()], now).await;
        let (signer, signatures) = signed.map_err(GatewayError::from)?;
        let signature = signatures.first().filter(|_| signer == key);
        let rotated = || GatewayError::internal("the receipt key was replaced while it signed");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.ok_or_else(rotated)?);
        Ok((format!("{input}.{signature}"), claims))
    }

    /// Returns the claims of a token of this operator that is valid now.
    pub fn license(&self, token: &str) -> Option<LicenseClaims> {
        let (input, signature) = token.rsplit_once('.')?;
        let (head, payload) = input.split_once('.')?;
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
        let claims: LicenseClaims = serde_json::from_slice(&payload).ok()?;
        let key = self.keys.receipt_key_at(claims.iat);
        // The key follows from the time of issue: what the header states is compared, never used.
        if head != header(&key) || !claims.is_current(self.cluster.now()) {
            return None;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        let key = VerifyingKey::from_bytes(key.as_array()).ok()?;
        key.verify_strict(input.as_bytes(), &signature).ok()?;
        Some(claims)
    }
}

/// Returns the header of a token. The order of the fields is what signers recognize.
fn header(key: &Pubkey) -> String {
    let header = format!("{{\"alg\":\"EdDSA\",\"typ\":\"olp+jwt\",\"kid\":\"{key}\"}}");
    BASE64_URL_SAFE_NO_PAD.encode(header)
}
