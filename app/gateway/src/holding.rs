//! Two steps instead of one: room is held, then captured with what was really used, or released.

use motif_sdk::{
    Pubkey,
    gateway::{
        IdempotencyKey, PayerAction, hold_details, hold_id,
        wire::{
            Address, Digest, GenerationRequest, HoldFacts, HoldRequest, HoldState, ReleaseRequest,
        },
    },
    receipt::SignedReceipt,
};

use crate::{
    Gateway,
    desk::Desk,
    keys::Caller,
    ledger::{Hold, HoldId, Item},
    problem::ApiError,
    settlement::asked_by_payer,
    store::{Change, StoredHold},
};

/// The longest time a hold may last: held room is nobody else's meanwhile.
const MOST_SECONDS: i64 = 3_600;

impl Gateway {
    /// Keeps room for a generation, because the payer asks. Idempotent by its key.
    ///
    /// # Errors
    /// Every [`ApiError`] of a generation that is about license, caps, balance or budget;
    /// [`ApiError::NotByPayer`], [`ApiError::RequestStale`], [`ApiError::HoldTooLong`].
    pub async fn hold(
        &self,
        address: Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
    ) -> Result<HoldFacts, ApiError> {
        let desk = self.desk(&address).await?;
        let HoldRequest { license, units, request_digest, expires_at, proof } = *request;
        let details = hold_details(key, license, units, &request_digest.0, expires_at);
        asked_by_payer(&desk, PayerAction::Hold(details), &proof)?;
        self.admission().channel(&address, 1)?;
        let now = self.now();
        if expires_at > now.saturating_add(MOST_SECONDS) {
            return Err(ApiError::HoldTooLong(MOST_SECONDS));
        }
        self.check_sight(&desk)?;
        let id = hold_id(&address, desk.opened_slot, key);
        let hold =
            Hold { item: Item { license, units }, request_digest: request_digest.0, expires_at };
        if let Some(earlier) = self.stored_hold(&desk, &id).await? {
            let is_same = earlier.hold == hold;
            let earlier = is_same.then(|| facts(&desk, id, &earlier));
            return earlier.ok_or(ApiError::IdempotencyKeyReused);
        }
        let written = {
            let mut book = desk.book();
            match book.ledger.hold(&id).copied() {
                // Somebody else asked for it at the same time.
                Some(known) if known == hold => self.store().writer().write(Change::Barrier),
                Some(_) => return Err(ApiError::IdempotencyKeyReused),
                None => {
                    book.ledger.place(id, hold, now).map_err(ApiError::refused)?;
                    let change = Change::HoldPlaced { channel_id: desk.id(), id, hold };
                    self.store().writer().write_channel(desk.lease, change)
                }
            }
        };
        self.on_disk(&desk, written).await?;
        Ok(facts(&desk, id, &StoredHold { hold, state: HoldState::Open }))
    }

    /// Pays for a generation that room was held for: what it really used, up to that.
    /// Idempotent, as [`Gateway::accept`].
    ///
    /// # Errors
    /// Every [`ApiError`] of a generation; [`crate::ledger::Refusal::UnknownHold`] when it was
    /// captured by another request, was released or has expired; [`ApiError::HoldMismatch`].
    pub async fn capture(
        &self,
        id: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, ApiError> {
        let address = request.voucher.channel.0;
        let held = self.desk(&address).await?.book().ledger.hold(&id).copied();
        if held.is_some_and(|held| held.request_digest != request.request_digest.0) {
            return Err(ApiError::HoldMismatch);
        }
        self.accept_held(address, id, request, caller).await
    }

    /// Gives a hold up, because the payer asks; nothing is paid. Safe to repeat.
    ///
    /// # Errors
    /// [`ApiError::UnknownHold`], [`ApiError::HoldCaptured`], [`ApiError::NotByPayer`].
    pub async fn release(
        &self,
        id: HoldId,
        request: &ReleaseRequest,
    ) -> Result<HoldFacts, ApiError> {
        let desk = self.desk(&request.channel.0).await?;
        asked_by_payer(&desk, PayerAction::Release(id), &request.proof)?;
        let written = {
            let mut book = desk.book();
            let released = book.ledger.release(&id);
            released.map(|_| {
                self.store().writer().write_channel(desk.lease, Change::HoldReleased { id })
            })
        };
        if let Some(written) = written {
            self.on_disk(&desk, written).await?;
        }
        let stored = self.stored_hold(&desk, &id).await?.ok_or(ApiError::UnknownHold)?;
        match stored.state {
            HoldState::Captured => Err(ApiError::HoldCaptured),
            // Open in the store and not in the ledger: it has expired, which is as good.
            HoldState::Open | HoldState::Released => {
                let released = StoredHold { state: HoldState::Released, ..stored };
                Ok(facts(&desk, id, &released))
            }
        }
    }

    /// Gives a hold up because what it was for has failed; nothing is paid. One that was
    /// captured stays so. Until that is on disk, the worst is room that stays kept.
    pub(crate) async fn abandon(&self, address: &Pubkey, id: HoldId) {
        let Ok(desk) = self.desk(address).await else { return };
        let written = {
            let mut book = desk.book();
            let released = book.ledger.release(&id);
            released.map(|_| {
                self.store().writer().write_channel(desk.lease, Change::HoldReleased { id })
            })
        };
        if let Some(written) = written {
            // A store that has failed says so to whoever pays next.
            drop(self.on_disk(&desk, written).await);
        }
    }

    /// A hold as it is on disk, after everything that was queued before.
    async fn stored_hold(&self, desk: &Desk, id: &HoldId) -> Result<Option<StoredHold>, ApiError> {
        self.store().writer().flush().await?;
        Ok(self.store().queries().hold(desk.id(), id).await?)
    }
}

fn facts(desk: &Desk, id: HoldId, stored: &StoredHold) -> HoldFacts {
    let Hold { item, request_digest, expires_at } = stored.hold;
    HoldFacts {
        hold: Digest(id),
        channel: Address(desk.address),
        license: item.license,
        units: item.units,
        request_digest: Digest(request_digest),
        expires_at,
        state: stored.state,
    }
}
