use super::{PayerSession, Way, now};
use crate::{
    gateway::{
        GatewayError, IdempotencyKey, PayerAction, hold_details, hold_id,
        wire::{Address, BatchedGeneration, Digest, HoldRequest, HoldState, ReleaseRequest},
    },
    receipt::SignedReceipt,
};

/// Hold for a generation whose units are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldGeneration {
    /// Name of the hold.
    pub hold: [u8; 32],
    /// Index of the license.
    pub license: u16,
    /// Maximum units.
    pub units: u32,
    /// SHA-256 of the request.
    pub request_digest: [u8; 32],
    /// Last unix second in which the hold can be captured.
    pub expires_at: i64,
}

impl PayerSession {
    /// Holds funds for a generation of at most `units` for `seconds`. Nothing is paid.
    ///
    /// # Errors
    /// As [`PayerSession::generate`]; no voucher is signed.
    pub async fn hold(
        &self,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        seconds: u32,
    ) -> Result<HeldGeneration, GatewayError> {
        let key = IdempotencyKey::random();
        let expires_at = now().saturating_add(i64::from(seconds));
        let details = hold_details(&key, license, units, &request_digest, expires_at);
        let proof = self.proof(PayerAction::Hold(details))?;
        let request_digest = Digest(request_digest);
        let request = HoldRequest { license, units, request_digest, expires_at, proof };
        let facts = self.gateway.hold(&self.address, &key, &request).await?;
        let hold = hold_id(&self.address, self.channel.opened_slot, &key);
        if facts.hold.0 != hold || facts.state != HoldState::Open {
            return Err(GatewayError::Untrusted("the hold is for another request".into()));
        }
        Ok(HeldGeneration { hold, license, units, request_digest: request_digest.0, expires_at })
    }

    /// Pays for the units that a held generation used.
    ///
    /// # Errors
    /// As [`PayerSession::generate`].
    pub async fn capture(
        &mut self,
        held: &HeldGeneration,
        units: u32,
        output_digest: [u8; 32],
    ) -> Result<SignedReceipt, GatewayError> {
        let generation = BatchedGeneration {
            license: held.license,
            units,
            request_digest: Digest(held.request_digest),
            output_digest: Digest(output_digest),
            captures: None,
        };
        let receipts = self.pay(Way::Captured(held.hold), vec![generation]).await?;
        receipts.first().copied().ok_or(GatewayError::Unanswered)
    }

    /// Releases a hold without payment. Repeating is safe.
    ///
    /// # Errors
    /// [`GatewayError::Refused`] if it was captured; [`GatewayError::Unreachable`].
    pub async fn release(&self, held: &HeldGeneration) -> Result<(), GatewayError> {
        let proof = self.proof(PayerAction::Release(held.hold))?;
        let request = ReleaseRequest { channel: Address(self.address), proof };
        self.gateway.release(&held.hold, &request).await.map(|_| ())
    }
}
