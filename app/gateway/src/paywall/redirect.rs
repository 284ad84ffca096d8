//! What was paid for before another process took the channel: the payment is in the store that
//! both share, the bytes are in this one's folder.

use axum::response::Response;
use motif_sdk::{
    channel::Channel,
    gateway::{
        IdempotencyKey, PayerAction, hold_details, hold_id,
        wire::{AskToPay, VoucherParts},
    },
    receipt::SignedReceipt,
};

use super::{Paywall, spool::Answer};
use crate::{error::GatewayError, payer_request::verify_payer};

impl Paywall {
    /// Answers a request for something that was made and paid for here. Everything else is the
    /// holder's, and refused as it was.
    pub(super) async fn retry_of_moved(
        &self,
        ask: &AskToPay,
        key: &IdempotencyKey,
        request_digest: &[u8; 32],
        refused: GatewayError,
    ) -> Result<Response, GatewayError> {
        if !refused.is_moved() {
            return Err(refused);
        }
        let address = ask.channel.0;
        let (_, channel) = self.app().channels.recorded(&address).await?;
        let id = hold_id(&address, channel.opened_slot, key);
        let Some(answer) = self.spool().find(&id) else { return Err(refused) };
        let details = hold_details(key, ask.license, ask.units, request_digest, ask.expires_at);
        verify_payer(&address, &channel, PayerAction::Hold(details), &ask.proof)?;
        match self.receipt(&answer).await? {
            Some(receipt) if answer.request_digest.0 == *request_digest => {
                self.handed_over(&answer, &receipt).await
            }
            Some(_) | None => Err(refused),
        }
    }

    /// The receipt of an answer that was paid for here, for whoever proves with a voucher to be
    /// its payer.
    pub(super) async fn paid_before_it_moved(
        &self,
        answer: &Answer,
        voucher: &VoucherParts,
        refused: GatewayError,
    ) -> Result<SignedReceipt, GatewayError> {
        let (_, channel) = self.app().channels.recorded(&answer.channel.0).await?;
        if !is_payers(voucher, answer, &channel, self.app().cluster.now()) {
            return Err(GatewayError::VoucherSignature);
        }
        self.receipt(answer).await?.ok_or(refused)
    }
}

fn is_payers(voucher: &VoucherParts, answer: &Answer, channel: &Channel, now: i64) -> bool {
    voucher.channel == answer.channel
        && voucher.opened_slot == channel.opened_slot
        && voucher.cluster.0 == channel.cluster
        && voucher.signed_by(*channel.voucher_key_at(now)).verifies()
}
