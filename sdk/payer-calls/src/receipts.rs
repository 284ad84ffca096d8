//! Receipts, their proofs, and digests of requests.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_interface::{
    channel::ChannelAccount,
    receipt::{
        SignedReceipt,
        proof::{ProofError, ReceiptProof},
    },
};
use motif_json::{Foreign, object};
use motif_payer::request::paid_request_digest;
use motif_wire::{Address, Digest, ReceiptParts, ReceiptProofParts};

use crate::{
    Calls, Payers, accounts,
    parts::{ReceiptKeyParts, data, receipt_keys},
};

pub(crate) const CALLS: Calls = &[
    ("receipt.digest", digest),
    ("receipt.read", read),
    ("receipt.verify", verify),
    ("proof.verify", prove),
    ("request.digest", request_digest),
];

fn digest(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { receipt: Foreign<ReceiptParts> });
    let receipt = SignedReceipt::from(&receipt.0).receipt;
    let (digest, bytes) = (Digest(receipt.digest()), hex::encode(receipt.to_bytes()));
    Ok(Answer::of(&object! { "digest": digest, "bytes": bytes }))
}

fn read(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { header: String });
    let receipt = ReceiptParts::from_header(&header).map_err(CallError::invalid_input)?;
    Ok(Answer::of(&object! { "receipt": receipt }))
}

fn verify(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { receipt: Foreign<ReceiptParts>, keys: Vec<ReceiptKeyParts> });
    let signed = SignedReceipt::from(&receipt.0);
    if !signed.verifies_with(&receipt_keys(&keys)) {
        return Err(unsigned());
    }
    Ok(Answer::of(&object! { "digest": Digest(signed.receipt.digest()) }))
}

fn prove(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, {
        proof: Foreign<ReceiptProofParts>,
        address: Address,
        channel: String,
        keys: Vec<ReceiptKeyParts>,
    });
    let account = ChannelAccount::from_bytes(&data(&channel, "channel")?);
    let account = account.ok_or_else(|| accounts::invalid("a channel"))?;
    let proof = ReceiptProof::from(&proof.0);
    proof.verify(&address.0, &account.channel, &receipt_keys(&keys)).map_err(|error| {
        let reason = match error {
            ProofError::Signature => "signature",
            ProofError::Mismatch => "mismatch",
            ProofError::WithoutReceipts => "without-receipts",
            ProofError::NotInStatement => "not-in-statement",
            ProofError::NotSettled => "not-settled",
        };
        CallError::new("proof-invalid", error).with("reason", &reason)
    })?;
    Ok(Answer::empty())
}

/// Error of a receipt without a valid signature.
pub fn unsigned() -> CallError {
    let message = "the operator's receipt key of the time of issue did not sign the receipt";
    CallError::new("receipt-invalid", message)
}

fn request_digest(_: &mut Payers, call: Call) -> Result<Answer, CallError> {
    let body = call.raw;
    arguments!(call, { method: String, target: String });
    let digest = Digest(paid_request_digest(&method, &target, body));
    Ok(Answer::of(&object! { "digest": digest }))
}
