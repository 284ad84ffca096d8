use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        PayerAction, PayerRequest, SignedPayerRequest,
        wire::{Closing, PayerProof, SettlementReport},
    },
};

use crate::{Gateway, clock, desk::Desk, problem::ApiError};

/// How far a payer's clock may be from this one. Within this time a request can be repeated by
/// whoever overheard it, and does then what the payer has asked for.
const MAX_SKEW_SECONDS: u64 = 300;

impl Gateway {
    /// As [`Gateway::settle`], for whoever proves to be the payer.
    ///
    /// # Errors
    /// [`ApiError::NotByPayer`], [`ApiError::RequestStale`], [`ApiError::RateLimited`];
    /// otherwise as [`Gateway::settle`].
    pub async fn settle_for_payer(
        &self,
        address: Pubkey,
        proof: &PayerProof,
    ) -> Result<Vec<SettlementReport>, ApiError> {
        let desk = self.desk(&address).await?;
        asked_by_payer(&desk, PayerAction::Settle, proof)?;
        self.admission().settlement(&address)?;
        self.settle(address).await
    }

    /// As [`Gateway::close`], for whoever proves to be the payer.
    ///
    /// # Errors
    /// As [`Gateway::settle_for_payer`] and [`Gateway::close`].
    pub async fn close_for_payer(
        &self,
        address: Pubkey,
        proof: &PayerProof,
    ) -> Result<Closing, ApiError> {
        let desk = self.desk(&address).await?;
        asked_by_payer(&desk, PayerAction::Close, proof)?;
        self.admission().settlement(&address)?;
        self.close(address).await
    }
}

/// Whether the channel's payer or its voucher key has asked for this, just now.
///
/// # Errors
/// [`ApiError::NotByPayer`], [`ApiError::RequestStale`].
pub fn asked_by_payer(
    desk: &Desk,
    action: PayerAction,
    proof: &PayerProof,
) -> Result<(), ApiError> {
    proves_payer(&desk.address, &desk.channel(), action, proof)
}

/// As [`asked_by_payer`], of a channel that need not be served here.
///
/// # Errors
/// As [`asked_by_payer`].
pub fn proves_payer(
    address: &Pubkey,
    channel: &Channel,
    action: PayerAction,
    proof: &PayerProof,
) -> Result<(), ApiError> {
    let (signer, issued_at) = (proof.signer.0, proof.issued_at);
    let request = PayerRequest { issued_at, ..PayerRequest::new(action, address, channel) };
    let signed = SignedPayerRequest { request, signer, signature: proof.signature.0 };
    let may = [channel.payer, *channel.voucher_key_at(clock::here())].contains(&signer);
    if !may || !signed.verifies() {
        return Err(ApiError::NotByPayer);
    }
    let now = clock::here();
    if now.abs_diff(issued_at) > MAX_SKEW_SECONDS {
        return Err(ApiError::RequestStale { issued_at, now });
    }
    Ok(())
}
