//! Who may read a channel's state, receipts and usage.

use axum::http::HeaderMap;
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{PayerAction, wire::ReaderProof},
};

use crate::{clock, error::GatewayError, keys::Caller, payer_request::is_signed_by_payer};

/// Maximum difference between a reader's clock and this machine's, seconds.
const MAX_SKEW_SECONDS: i64 = 300;

/// Right to read a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelReader {
    /// The channel's payer, which is also shown its vouchers' signatures.
    Payer,
    /// Holder of an API key that is bound to the channel, or of an operator's.
    KeyHolder,
}

impl ChannelReader {
    /// Returns the right of a request to read a channel, or `None` without a proof for this channel
    /// and a key that is bound to it.
    ///
    /// # Errors
    /// [`GatewayError::NotByPayer`] if another key than the payer's signed the proof;
    /// [`GatewayError::RequestStale`] if the proof has expired.
    pub fn of(
        headers: &HeaderMap,
        caller: &Caller,
        address: &Pubkey,
        channel: &Channel,
    ) -> Result<Option<Self>, GatewayError> {
        let text = headers.get(ReaderProof::HEADER).and_then(|value| value.to_str().ok());
        let proof = text.and_then(|text| ReaderProof::from_header(text).ok());
        if let Some(proof) = proof.filter(|proof| proof.channel.0 == *address) {
            verify(address, channel, &proof)?;
            return Ok(Some(Self::Payer));
        }
        let is_bound = caller.0.as_ref().is_some_and(|key| key.may_read(address));
        Ok(is_bound.then_some(Self::KeyHolder))
    }
}

fn verify(address: &Pubkey, channel: &Channel, proof: &ReaderProof) -> Result<(), GatewayError> {
    let ReaderProof { expires_at, proof, .. } = proof;
    let (now, issued_at) = (clock::system_now(), proof.issued_at);
    let late = now.saturating_sub(*expires_at);
    let ahead = issued_at.saturating_sub(now).saturating_sub(MAX_SKEW_SECONDS);
    let too_long = expires_at.saturating_sub(issued_at).saturating_sub(ReaderProof::MAX_SECONDS);
    if late > 0 {
        return Err(GatewayError::RequestStale { late, now });
    }
    if ahead.max(too_long) > 0 {
        let late = ahead.max(too_long).saturating_neg();
        return Err(GatewayError::RequestStale { late, now });
    }
    let is_signed = is_signed_by_payer(address, channel, PayerAction::Read(*expires_at), proof);
    if is_signed { Ok(()) } else { Err(GatewayError::NotByPayer) }
}
