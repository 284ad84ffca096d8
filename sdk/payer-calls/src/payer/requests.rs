//! Requests that the payer's or the voucher key signs.

use motif_frame::{Answer, Call, CallError, arguments};
use motif_json::object;
use motif_payer::request::{PayerAction, PayerRequest};
use motif_wire::{Address, Digest, PayerProof, ReaderProof};
use serde::Deserialize;

use crate::{Payers, paywall::PurchaseParts};

/// Action that a payer requests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionParts {
    Settle,
    Close,
    Hold(PurchaseParts),
    Release(Digest),
    Read(i64),
}

impl ActionParts {
    fn action(self) -> Result<PayerAction, CallError> {
        Ok(match self {
            Self::Settle => PayerAction::Settle,
            Self::Close => PayerAction::Close,
            Self::Hold(purchase) => PayerAction::Hold(purchase.purchase()?.details()),
            Self::Release(hold) => PayerAction::Release(hold.0),
            Self::Read(expires_at) => PayerAction::Read(expires_at),
        })
    }
}

/// Returns the bytes that a key of the channel signs.
pub fn request(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, action: ActionParts, issued_at: i64 });
    let action = action.action()?;
    let machine = payers.machine(payer)?;
    let channel = machine.channel();
    let (cluster, opened_slot) = (channel.cluster, channel.opened_slot);
    let channel = machine.address();
    let request = PayerRequest { action, cluster, channel, opened_slot, issued_at };
    Ok(Answer::of(&object! { "message": hex::encode(request.to_bytes()) }))
}

/// Returns the header with which a channel's payer reads it.
pub fn reader_header(payers: &mut Payers, call: Call) -> Result<Answer, CallError> {
    arguments!(call, { payer: u32, expires_at: i64, proof: PayerProof });
    let channel = Address(payers.machine(payer)?.address());
    let header = ReaderProof { channel, expires_at, proof }.to_header();
    Ok(Answer::of(&object! { "header": header }))
}
