use motif_sdk::{
    Pubkey,
    channel::{Channel, Moment},
    gateway::{PayerAction, PayerRequest, SignedPayerRequest, wire::PayerProof},
};

use crate::{clock, error::GatewayError};

/// Maximum difference between a payer's clock and this machine's. A request can be replayed
/// within this time, and then repeats what the payer requested.
const MAX_SKEW_SECONDS: i64 = 300;

/// Verifies that the channel's payer or its voucher key signed a request recently.
///
/// # Errors
/// [`GatewayError::NotByPayer`], [`GatewayError::RequestStale`].
pub fn verify_payer(
    address: &Pubkey,
    channel: &Channel,
    action: PayerAction,
    proof: &PayerProof,
) -> Result<(), GatewayError> {
    let (issued_at, now) = (proof.issued_at, clock::system_now());
    if !is_signed_by_payer(address, channel, action, proof) {
        return Err(GatewayError::NotByPayer);
    }
    let age = now.saturating_sub(issued_at);
    let beyond = age.saturating_abs() - MAX_SKEW_SECONDS;
    if beyond > 0 {
        return Err(GatewayError::RequestStale { late: beyond * age.signum(), now });
    }
    Ok(())
}

/// Returns whether the channel's payer or its voucher key signed a request at any time.
pub fn is_signed_by_payer(
    address: &Pubkey,
    channel: &Channel,
    action: PayerAction,
    proof: &PayerProof,
) -> bool {
    let (signer, issued_at) = (proof.signer.0, proof.issued_at);
    let request = PayerRequest { issued_at, ..PayerRequest::new(action, address, channel) };
    let signed = SignedPayerRequest { request, signer, signature: proof.signature.0 };
    let voucher_key = channel.voucher_key_at(Moment::running(clock::system_now()));
    [channel.payer, *voucher_key].contains(&signer) && signed.verifies()
}
