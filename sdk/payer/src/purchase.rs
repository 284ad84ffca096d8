//! Purchases from behind a paywall: what a payer signs for, and what it accepts as the answer.

use motif_interface::receipt::SignedReceipt;
use motif_wire::{
    Address, AskToPay, BatchedGeneration, Captured, Digest, Due, HoldFacts, HoldState, PayerProof,
    ReceiptParts,
};
use solana_pubkey::Pubkey;
use solana_sha256_hasher::hash;

use crate::{
    IdempotencyKey,
    error::{PayerError, untrusted},
    request::{hold_details, hold_id, part_id},
};

/// Name of the header with the API key, which paywalls without open access require.
pub const API_KEY_HEADER: &str = "motif-api-key";

/// Purchase of an answer or a stream from behind a paywall, or a hold at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Index of the license that pays.
    pub license: u16,
    /// Number of units of the answer, or of each part of a stream.
    pub units: PaidUnits,
    /// Idempotency key.
    pub key: IdempotencyKey,
    /// SHA-256 that binds the payment to the request.
    pub request_digest: [u8; 32],
    /// Last unix second in which the answer can be paid.
    pub expires_at: i64,
}

/// Number of units of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaidUnits {
    /// Exact number, known in advance.
    Exactly(u32),
    /// Maximum number, paid once the real number is known.
    AtMost(u32),
}

impl PaidUnits {
    /// Returns the maximum number.
    pub fn max(self) -> u32 {
        match self {
            Self::Exactly(units) | Self::AtMost(units) => units,
        }
    }

    fn allow(self, units: u32) -> bool {
        match self {
            Self::Exactly(exact) => units == exact,
            Self::AtMost(max) => (1..=max).contains(&units),
        }
    }
}

impl Purchase {
    /// Returns the digest that the payer signs to hold the price: [`hold_details`].
    pub fn details(&self) -> [u8; 32] {
        let Self { license, units, key, request_digest, expires_at } = self;
        hold_details(key, *license, units.max(), request_digest, *expires_at)
    }

    /// Returns the name of the answer, or of a part of a stream, on a channel opened in `opened_slot`.
    /// The name of part 0 is also that of the hold.
    pub fn name(&self, channel: &Pubkey, opened_slot: u64, part: u32) -> [u8; 32] {
        part_id(&hold_id(channel, opened_slot, &self.key), part)
    }

    /// Creates the first request for the answer. `proof` signs [`Purchase::details`].
    pub fn ask(&self, channel: &Pubkey, proof: PayerProof) -> AskToPay {
        AskToPay {
            channel: Address(*channel),
            license: self.license,
            units: self.units.max(),
            expires_at: self.expires_at,
            proof,
            voucher: None,
        }
    }

    /// Returns the generation that pays for a ready answer or part, whose name is `name`.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`] if the payment is due for anything else, such as an earlier part, another
    /// license, or more units than were requested.
    pub fn pay_due(
        &self,
        name: &[u8; 32],
        part: u32,
        due: &Due,
    ) -> Result<BatchedGeneration, PayerError> {
        if due.part != part || due.answer.0 != *name {
            return Err(untrusted("payment is due for another answer or part"));
        }
        let fits = self.units.allow(due.units)
            && due.license == self.license
            && due.request_digest.0 == self.request_digest;
        if !fits {
            return Err(untrusted("payment is due for another request"));
        }
        let (request_digest, output_digest) = (self.request_digest, due.output_digest.0);
        let one = BatchedGeneration::new(due.license, due.units, request_digest, output_digest);
        Ok(one.capturing(match part {
            0 => Captured::Hold(due.answer),
            _ => Captured::Part(due.answer),
        }))
    }

    /// Checks that a gateway's answer is the open hold of this name.
    ///
    /// # Errors
    /// [`PayerError::Untrusted`].
    pub fn check_hold(&self, name: &[u8; 32], facts: &HoldFacts) -> Result<(), PayerError> {
        let is_open = facts.hold == Digest(*name) && facts.state == HoldState::Open;
        if is_open { Ok(()) } else { Err(untrusted("the hold is for another request")) }
    }
}

/// Parses the header `motif-receipt` of a paid answer.
///
/// # Errors
/// [`PayerError::Untrusted`].
pub fn receipt_in(header: Option<&str>) -> Result<ReceiptParts, PayerError> {
    let header = header.ok_or_else(|| untrusted("the answer has no receipt"))?;
    ReceiptParts::from_header(header).map_err(|error| untrusted(error.to_string()))
}

/// Checks that an answer carries the verified receipt `paid` in its header `motif-receipt`.
///
/// # Errors
/// [`PayerError::Untrusted`].
pub fn check_receipt(paid: &SignedReceipt, header: Option<&str>) -> Result<(), PayerError> {
    let own = receipt_in(header)? == ReceiptParts::from(paid);
    if own { Ok(()) } else { Err(untrusted("the answer's receipt is for another payment")) }
}

/// Checks that a body is the output of the verified receipt `paid`.
///
/// # Errors
/// [`PayerError::Untrusted`].
pub fn check_output(paid: &SignedReceipt, body: &[u8]) -> Result<(), PayerError> {
    let own = hash(body).to_bytes() == paid.receipt.output_digest;
    if own { Ok(()) } else { Err(untrusted("the answer is not the paid one")) }
}
