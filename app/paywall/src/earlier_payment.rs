//! Answers that were paid for earlier: parts of streams, and answers of a channel that another process has
//! taken over. The payment is in the shared store, the answer in this process's folder.

use axum::response::Response;
use motif_sdk::{
    channel::{Channel, Moment},
    gateway::{IdempotencyKey, PayerAction, hold_details, hold_id, part_id, wire::AskToPay},
    receipt::SignedReceipt,
    voucher::SignedVoucher,
};

use crate::{
    engine::AnswerKey, error::PaywallError, payment_due::Sender, paywall::Paywall, spool::Answer,
};

impl Paywall {
    /// Returns a part of a stream that was paid for: to the payer, who signs the stream's request again.
    ///
    /// # Errors
    /// [`PaywallError::UnknownAnswer`] if it was not paid for; [`PaywallError::Gone`] if it is no longer
    /// stored; [`PaywallError::HoldMismatch`]; those of the engine.
    pub(crate) async fn paid_part(
        &self,
        (ask, channel): (&AskToPay, &Channel),
        key: &IdempotencyKey,
        request_digest: &[u8; 32],
        part: u32,
    ) -> Result<Response, PaywallError> {
        self.verify_ask((ask, channel), key, request_digest)?;
        let id = part_id(&hold_id(&ask.channel.0, channel.opened_slot, key), part);
        let Some(answer) = self.spool().find(&id) else {
            let paid = AnswerKey { channel: ask.channel.0, id, part };
            let receipt = self.engine().receipt(paid).await?;
            return Err(receipt.map_or(PaywallError::UnknownAnswer, |_| PaywallError::Gone));
        };
        if answer.request_digest.0 != *request_digest {
            return Err(PaywallError::HoldMismatch);
        }
        let receipt = self.receipt(&answer).await?.ok_or(PaywallError::UnknownAnswer)?;
        self.paid_response(&answer, &receipt).await
    }

    /// Verifies that the payer of a channel signed a request recently.
    fn verify_ask(
        &self,
        (ask, channel): (&AskToPay, &Channel),
        key: &IdempotencyKey,
        request_digest: &[u8; 32],
    ) -> Result<(), PaywallError> {
        let details = hold_details(key, ask.license, ask.units, request_digest, ask.expires_at);
        let (address, action) = (ask.channel.0, PayerAction::Hold(details));
        Ok(self.engine().verify_payer(address, channel, action, &ask.proof)?)
    }

    /// Returns an answer that was generated and paid for here. Returns `refused` for all other
    /// requests, which the channel's new holder serves.
    pub(crate) async fn retry_after_move(
        &self,
        ask: &AskToPay,
        key: &IdempotencyKey,
        request_digest: &[u8; 32],
        refused: PaywallError,
    ) -> Result<Response, PaywallError> {
        if !refused.is_moved() {
            return Err(refused);
        }
        let address = ask.channel.0;
        let channel = self.engine().recorded_channel(address).await?;
        let id = hold_id(&address, channel.opened_slot, key);
        let Some(answer) = self.spool().find(&id) else { return Err(refused) };
        self.verify_ask((ask, &channel), key, request_digest)?;
        match self.receipt(&answer).await? {
            Some(receipt) if answer.request_digest.0 == *request_digest => {
                self.paid_response(&answer, &receipt).await
            }
            Some(_) | None => Err(refused),
        }
    }

    /// Returns the receipt of an answer that was paid for here, if the payer's key signed the
    /// voucher and its sender may have the answer.
    pub(crate) async fn receipt_before_move(
        &self,
        answer: &Answer,
        (sender, voucher): (Sender, &SignedVoucher),
        refused: PaywallError,
    ) -> Result<SignedReceipt, PaywallError> {
        let channel = self.engine().recorded_channel(answer.channel.0).await?;
        if !is_signed_by_payer(voucher, answer, &channel, self.engine().now()) {
            return Err(PaywallError::VoucherSignature);
        }
        let receipt = self.receipt(answer).await?;
        receipt.filter(|receipt| sender.may_have(receipt, voucher)).ok_or(refused)
    }
}

fn is_signed_by_payer(
    voucher: &SignedVoucher,
    answer: &Answer,
    channel: &Channel,
    now: i64,
) -> bool {
    let key = *channel.voucher_key_at(Moment::running(now));
    let signed = SignedVoucher { key, ..*voucher };
    signed.voucher.channel == answer.channel.0
        && signed.voucher.opened_slot == channel.opened_slot
        && signed.voucher.cluster == channel.cluster
        && signed.verifies()
}
