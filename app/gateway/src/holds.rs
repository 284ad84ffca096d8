//! Holds: units are reserved first, then captured with the units used, or released.

use std::sync::Arc;

use axum::http::HeaderMap;
use motif_paywall::ReleaseListener;
use motif_sdk::{
    Pubkey,
    gateway::{
        IdempotencyKey, PayerAction, hold_details, hold_id,
        wire::{
            Address, Captured, Digest, GenerationRequest, HoldFacts, HoldRequest, HoldState,
            ReaderProof, ReleaseRequest,
        },
    },
    receipt::SignedReceipt,
};
use parking_lot::RwLock;

use crate::{
    admission::Admission,
    channel::ChannelHandle,
    channel_reader::ChannelReader,
    channel_registry::ChannelRegistry,
    cluster::Cluster,
    error::GatewayError,
    keys::{Caller, KeyId},
    ledger::{Hold, HoldId, Item},
    metering::{Metering, capture_key},
    payer_request::verify_payer,
    settlement::SettlementPolicy,
    store::{Change, StoredHold},
};

/// Maximum duration of a hold. Held units are unavailable for other generations.
const MAX_SECONDS: i64 = 3_600;

/// Adds, captures and releases holds.
pub struct Holds {
    pub(crate) channels: Arc<ChannelRegistry>,
    pub(crate) metering: Arc<Metering>,
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) policy: Arc<SettlementPolicy>,
    pub(crate) listeners: RwLock<Vec<ReleaseListener>>,
}

impl Holds {
    /// Adds a listener, which is called with each hold that is released before the release is
    /// acknowledged.
    pub fn on_release(&self, listener: ReleaseListener) {
        self.listeners.write().push(listener);
    }

    /// Returns whether a channel of this process has a hold that can be captured.
    pub async fn is_held(&self, address: &Pubkey, id: &HoldId) -> bool {
        let Ok(channel) = self.channels.get(address).await else { return false };
        let now = self.cluster.now();
        channel.lock().ledger.hold(id).is_some_and(|hold| hold.expires_at >= now)
    }

    /// Adds a hold for a generation, on the payer's signed request. Idempotent by its key.
    ///
    /// # Errors
    /// Every [`GatewayError`] of a generation that concerns license, caps, balance or budget;
    /// [`GatewayError::NotByPayer`], [`GatewayError::RequestStale`],
    /// [`GatewayError::HoldTooLong`].
    pub async fn add(
        &self,
        address: Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
        caller: &Caller,
    ) -> Result<HoldFacts, GatewayError> {
        let channel = self.channels.get(&address).await?;
        let HoldRequest { license, units, request_digest, expires_at, proof } = *request;
        let details = hold_details(key, license, units, &request_digest.0, expires_at);
        verify_payer(&address, &channel.account(), PayerAction::Hold(details), &proof)?;
        self.admission.channel(&address, 1)?;
        let now = self.cluster.now();
        if expires_at > now.saturating_add(MAX_SECONDS) {
            return Err(GatewayError::HoldTooLong(MAX_SECONDS));
        }
        self.policy.wake_channel(&channel).await;
        self.policy.check_settleable(&channel)?;
        let id = hold_id(&address, channel.opened_slot, key);
        let hold =
            Hold { item: Item { license, units }, request_digest: request_digest.0, expires_at };
        let lock = channel.hold_locks.lock(id).await;
        if let Some(earlier) = self.stored_hold(&channel, &id).await? {
            let is_same = earlier.hold == hold;
            let earlier = is_same.then(|| facts(&channel, id, &earlier.hold, earlier.state));
            return earlier.ok_or(GatewayError::IdempotencyKeyReused);
        }
        let written = {
            let mut locked = channel.lock();
            locked.ledger.add_hold(id, hold, now).map_err(GatewayError::rejected)?;
            let api_key = caller.0.as_ref().map(|key| key.id());
            let change = Change::HoldPlaced { channel_id: channel.id(), id, hold, api_key };
            self.channels.store().writer().write_channel(channel.lease, change)
        };
        // The next request under the lock flushes first and finds the hold in the store.
        drop(lock);
        self.channels.commit(&channel, written).await?;
        Ok(facts(&channel, id, &hold, HoldState::Open))
    }

    /// Takes payment for the units used, up to those held, and ends the hold. Idempotent, as
    /// [`Metering::pay`].
    ///
    /// # Errors
    /// Every [`GatewayError`] of a generation; [`crate::ledger::LedgerError::UnknownHold`] if
    /// another request captured the hold, or it was released or has expired.
    pub async fn capture(
        &self,
        id: HoldId,
        request: GenerationRequest,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        let address = request.voucher.voucher.channel;
        self.metering.capture(address, id, request, caller).await
    }

    /// Releases a hold on the payer's signed request. Nothing is charged. Idempotent.
    ///
    /// # Errors
    /// [`GatewayError::UnknownHold`], [`GatewayError::HoldCaptured`],
    /// [`GatewayError::NotByPayer`].
    pub async fn release(
        &self,
        id: HoldId,
        request: &ReleaseRequest,
    ) -> Result<HoldFacts, GatewayError> {
        let channel = self.channels.get(&request.channel.0).await?;
        let (account, action) = (channel.account(), PayerAction::Release(id));
        verify_payer(&channel.address, &account, action, &request.proof)?;
        // The hold is not added between the ledger's and the store's answer.
        let _lock = channel.hold_locks.lock(id).await;
        self.write_release(&channel, id).await?;
        let stored = self.stored_hold(&channel, &id).await?.ok_or(GatewayError::UnknownHold)?;
        match stored.state {
            HoldState::Captured => Err(GatewayError::HoldCaptured),
            // An expired hold may be open in the store and gone from the ledger.
            HoldState::Open | HoldState::Released => {
                Ok(facts(&channel, id, &stored.hold, HoldState::Released))
            }
        }
    }

    /// Returns the receipt of a captured hold, equal to the one that its capture was answered with: to a
    /// reader of the channel, or to the API key that placed or captured the hold. Available until a day
    /// after the hold's end, whichever process holds the channel.
    ///
    /// # Errors
    /// [`GatewayError::NotByPayer`] to others; [`GatewayError::UnknownHold`],
    /// [`GatewayError::HoldNotCaptured`].
    pub(crate) async fn receipt(
        &self,
        address: &Pubkey,
        id: &HoldId,
        headers: &HeaderMap,
        caller: &Caller,
    ) -> Result<SignedReceipt, GatewayError> {
        let key = caller.0.as_ref().map(|key| key.id());
        if key.is_none() && !headers.contains_key(ReaderProof::HEADER) {
            return Err(GatewayError::NotByPayer);
        }
        let (channel_id, account) = self.channels.recorded(address).await?;
        let reader = ChannelReader::of(headers, caller, address, &account)?;
        let store = self.channels.store();
        store.writer().flush().await?;
        let hold = store.queries().hold(channel_id, id).await?;
        let is_key = |other: Option<KeyId>| key.is_some() && other == key;
        let may_read = reader.is_some() || hold.is_some_and(|hold| is_key(hold.api_key));
        let captured = match hold.and_then(|hold| hold.statement) {
            Some(statement) => {
                let key = capture_key(Captured::Hold(Digest(*id)));
                store.lookup().by_key(channel_id, statement, &key).await?.into_iter().next()
            }
            None => None,
        };
        match captured {
            Some(captured) if may_read || is_key(captured.api_key) => Ok(captured.receipt),
            None if may_read && hold.is_some() => Err(GatewayError::HoldNotCaptured),
            None if may_read => Err(GatewayError::UnknownHold),
            Some(_) | None => Err(GatewayError::NotByPayer),
        }
    }

    /// Releases a hold whose generation failed. Nothing is charged. A captured hold stays
    /// captured. If the release is not stored, the hold reserves units until it expires.
    pub(crate) async fn abandon(&self, address: &Pubkey, id: HoldId) {
        let Ok(channel) = self.channels.get(address).await else { return };
        // A failed store rejects the next payment.
        drop(self.write_release(&channel, id).await);
    }

    async fn write_release(&self, channel: &ChannelHandle, id: HoldId) -> Result<(), GatewayError> {
        let written = {
            let mut locked = channel.lock();
            let released = locked.ledger.release_hold(&id);
            let change = Change::HoldReleased { id };
            released.map(|_| self.channels.store().writer().write_channel(channel.lease, change))
        };
        if let Some(written) = written {
            self.channels.commit(channel, written).await?;
            self.listeners.read().iter().for_each(|listener| listener(id));
        }
        Ok(())
    }

    /// Returns a hold from the store, after all queued changes.
    async fn stored_hold(
        &self,
        channel: &ChannelHandle,
        id: &HoldId,
    ) -> Result<Option<StoredHold>, GatewayError> {
        let store = self.channels.store();
        store.writer().flush().await?;
        Ok(store.queries().hold(channel.id(), id).await?)
    }
}

fn facts(channel: &ChannelHandle, id: HoldId, hold: &Hold, state: HoldState) -> HoldFacts {
    let Hold { item, request_digest, expires_at } = *hold;
    HoldFacts {
        hold: Digest(id),
        channel: Address(channel.address),
        license: item.license,
        units: item.units,
        request_digest: Digest(request_digest),
        expires_at,
        state,
    }
}
