use motif_payer::{Purchase, now};

use super::Payer;
use crate::{
    gateway::{
        GatewayError, IdempotencyKey, PaidUnits, PayerAction,
        wire::{Address, BatchedGeneration, Captured, Digest, HoldRequest, ReleaseRequest},
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

impl Payer {
    /// Holds funds for a generation of at most `units` for `seconds`. Nothing is paid, and budgets count
    /// captures only.
    ///
    /// # Errors
    /// As [`Payer::generate`]; no voucher is signed.
    pub async fn hold(
        &self,
        license: u16,
        units: u32,
        request_digest: [u8; 32],
        seconds: u32,
    ) -> Result<HeldGeneration, GatewayError> {
        self.check(license)?;
        let key = IdempotencyKey::random();
        let expires_at = now().saturating_add(i64::from(seconds));
        let most_units = PaidUnits::AtMost(units);
        let purchase = Purchase { license, units: most_units, key, request_digest, expires_at };
        let proof = self.proof(PayerAction::Hold(purchase.details()))?;
        let digest = Digest(request_digest);
        let request = HoldRequest { license, units, request_digest: digest, expires_at, proof };
        let facts = self.gateway().hold(&self.channel(), &purchase.key, &request).await?;
        let hold = self.name(&purchase, 0);
        purchase.check_hold(&hold, &facts)?;
        Ok(HeldGeneration { hold, license, units, request_digest, expires_at })
    }

    /// Pays for the units that a held generation used.
    ///
    /// # Errors
    /// As [`Payer::generate`].
    pub async fn capture(
        &self,
        held: &HeldGeneration,
        units: u32,
        output_digest: [u8; 32],
    ) -> Result<SignedReceipt, GatewayError> {
        let one = BatchedGeneration::new(held.license, units, held.request_digest, output_digest);
        let one = one.capturing(Captured::Hold(Digest(held.hold)));
        Ok(self.pay_one(one).await?.0)
    }

    /// Releases a hold without payment. Repeating is safe.
    ///
    /// # Errors
    /// [`GatewayError::Refused`] if it was captured; [`GatewayError::Unreachable`].
    pub async fn release(&self, held: &HeldGeneration) -> Result<(), GatewayError> {
        let proof = self.proof(PayerAction::Release(held.hold))?;
        let request = ReleaseRequest { channel: Address(self.channel()), proof };
        self.gateway().release(&held.hold, &request).await.map(|_| ())
    }

    /// Returns the name of a purchase's answer, or of a part of it.
    pub(super) fn name(&self, purchase: &Purchase, part: u32) -> [u8; 32] {
        let slot = self.machine().channel().opened_slot;
        purchase.name(&self.channel(), slot, part)
    }
}
