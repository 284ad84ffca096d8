//! Answers that were paid for before another process took over the channel. The payment is in
//! the shared store, the answer in this process's folder.

use axum::response::Response;
use motif_sdk::{
    channel::{Channel, Moment},
    gateway::{
        IdempotencyKey, PayerAction, hold_details, hold_id,
        wire::{AskToPay, VoucherParts},
    },
    receipt::SignedReceipt,
};

use super::{Paywall, spool::Answer};
use crate::{error::GatewayError, payer_request::verify_payer};

impl Paywall {
    /// Returns an answer that was generated and paid for here. Returns `refused` for all other
    /// requests, which the channel's new holder serves.
    pub(super) async fn retry_after_move(
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
                self.paid_response(&answer, &receipt).await
            }
            Some(_) | None => Err(refused),
        }
    }

    /// Returns the receipt of an answer that was paid for here, if the payer's key signed the
    /// voucher.
    pub(super) async fn receipt_before_move(
        &self,
        answer: &Answer,
        voucher: &VoucherParts,
        refused: GatewayError,
    ) -> Result<SignedReceipt, GatewayError> {
        let (_, channel) = self.app().channels.recorded(&answer.channel.0).await?;
        if !is_signed_by_payer(voucher, answer, &channel, self.app().cluster.now()) {
            return Err(GatewayError::VoucherSignature);
        }
        self.receipt(answer).await?.ok_or(refused)
    }
}

fn is_signed_by_payer(
    voucher: &VoucherParts,
    answer: &Answer,
    channel: &Channel,
    now: i64,
) -> bool {
    voucher.channel == answer.channel
        && voucher.opened_slot == channel.opened_slot
        && voucher.cluster.0 == channel.cluster
        && voucher.signed_by(*channel.voucher_key_at(Moment::running(now))).verifies()
}
