//! Channels on a store that several processes share: each is one process's at a time.

mod idling;

use std::{sync::Arc, time::Duration};

use motif_sdk::{Pubkey, channel::Channel};
use opentelemetry::trace::SpanKind;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{
    Gateway,
    desk::Desk,
    keys::Caller,
    ledger::Ledger,
    problem::ApiError,
    store::{ChannelId, Lease, Leases, StoreError},
    traces::step,
};
use idling::Idling;

/// For how many leases' time nobody has wanted anything of a channel that is left to others, and
/// how many of them are at once: whoever takes one reads its books.
const IDLE_LEASES: u32 = 6;
const GIVEN_UP_AT_ONCE: usize = 8;

impl Gateway {
    /// The desk of a channel. On a shared store a channel that no process serves is taken on.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`], [`ApiError::HeldElsewhere`], [`ApiError::ChannelMoving`],
    /// [`ApiError::StoreFailed`].
    pub async fn desk(&self, address: &Pubkey) -> Result<Arc<Desk>, ApiError> {
        let leases = self.store().leases();
        if let Some(desk) = self.known_desk(address) {
            // What is known here may be old where nobody could renew it.
            let lapsed = leases.is_some_and(Leases::have_expired);
            return if lapsed { Err(ApiError::ChannelMoving) } else { Ok(desk) };
        }
        if leases.is_none() {
            return Err(ApiError::UnknownChannel(*address));
        }
        // Rare, and large: no request for a channel that is served carries it along.
        let taking_on = async {
            let known = self.store().queries().newest_channel(&address.to_bytes()).await?;
            self.take_on(address, known.ok_or(ApiError::UnknownChannel(*address))?).await
        };
        Box::pin(taking_on).await
    }

    /// A channel as it was last recorded, whoever holds it.
    ///
    /// # Errors
    /// [`ApiError::UnknownChannel`], [`ApiError::StoreFailed`].
    pub(crate) async fn recorded_channel(
        &self,
        address: &Pubkey,
    ) -> Result<(ChannelId, Channel), ApiError> {
        let known = self.store().queries().newest_channel(&address.to_bytes()).await?;
        let id = known.ok_or(ApiError::UnknownChannel(*address))?;
        let recorded = self.store().queries().recorded(id).await?;
        Ok((id, recorded.account.channel))
    }

    /// Which statement of a channel is open, as far as that is recorded, whoever holds it.
    ///
    /// # Errors
    /// As [`Gateway::recorded_channel`].
    pub(crate) async fn recorded_open(
        &self,
        address: &Pubkey,
    ) -> Result<(ChannelId, u64), ApiError> {
        let (id, channel) = self.recorded_channel(address).await?;
        Ok((id, self.open_of(id, &channel).await?))
    }

    /// As [`Gateway::recorded_open`], of a channel as the chain has it.
    pub(crate) async fn open_of(&self, id: ChannelId, channel: &Channel) -> Result<u64, ApiError> {
        let cut = self.store().reports().books(id, 0, 0).await?.statements;
        let next = cut.last_key_value().map_or(0, |(number, _)| number + 1);
        Ok(next.max(channel.statements.length))
    }

    /// Opens the desk of a channel that the store has.
    ///
    /// # Errors
    /// [`ApiError::HeldElsewhere`], [`ApiError::StoreFailed`].
    pub(crate) async fn take_on(
        &self,
        address: &Pubkey,
        id: ChannelId,
    ) -> Result<Arc<Desk>, ApiError> {
        let _turn = self.seating().lock().await;
        if let Some(desk) = self.known_desk(address).filter(|desk| desk.lease.channel_id == id) {
            return Ok(desk); // somebody else asked at the same time
        }
        let lease = match self.store().leases() {
            None => Lease { channel_id: id, epoch: 0 },
            Some(leases) => leases.acquire(id).await?.map_err(|held| {
                let (channel, url) = (*address, held.url);
                ApiError::HeldElsewhere { channel, url }
            })?,
        };
        Ok(self.seat(lease).await?)
    }

    /// Reads a channel's books anew, as they are on disk now, and goes on from there.
    async fn seat(&self, lease: Lease) -> Result<Arc<Desk>, StoreError> {
        let channel = self.store().recovery().channel(lease.channel_id).await?;
        let margins = self.config().margins();
        let (address, account) = (channel.address, channel.account);
        let mut ledger = Ledger::restore(address, account, margins, channel.cut, channel.open);
        ledger.set_budget(channel.budget);
        ledger.restore_holds(channel.holds);
        let desk = Arc::new(Desk::new(lease, ledger, channel.keys));
        self.open_desk(desk.clone());
        Ok(desk)
    }

    /// Opens the desks of all channels that this process can have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn open_desks(&self) -> Result<(), StoreError> {
        if self.store().leases().is_some() {
            return self.keep_leases().await.map(drop);
        }
        for id in self.store().queries().newest_channels().await? {
            self.seat(Lease { channel_id: id, epoch: 0 }).await?;
        }
        Ok(())
    }

    /// Renews this process's leases, closes the desks whose lease is lost, takes on what no
    /// process holds any more, and takes over what others did with API keys. Returns how many
    /// channels are this process's portion.
    ///
    /// # Errors
    /// [`StoreError`]. A channel whose books cannot be read keeps no other from being served.
    pub(crate) async fn keep_leases(&self) -> Result<usize, StoreError> {
        let Some(leases) = self.store().leases() else { return Ok(usize::MAX) };
        let portion = loop {
            let turn = self.seating().lock().await;
            let mut held = leases.renew().await?;
            for desk in self.desks() {
                match held.get(&desk.lease.channel_id) {
                    Some(lease) if *lease == desk.lease => {
                        held.remove(&desk.lease.channel_id);
                    }
                    _ => self.close_desk(&desk),
                }
            }
            for lease in held.into_values() {
                if let Err(error) = self.seat(lease).await {
                    let channel = lease.channel_id.0;
                    tracing::error!(channel, %error, "a channel's books cannot be read");
                }
            }
            drop(turn);
            // Others may have room, and are given time to take what is theirs; what nobody takes
            // must not be left.
            let portion = leases.announce().await?;
            let room = portion.saturating_sub(self.desks().len());
            let taken = match room {
                0 => leases.acquire_free(usize::MAX, leases.duration()).await?,
                room => leases.acquire_free(room, Duration::ZERO).await?,
            };
            if taken.is_empty() {
                break portion;
            }
        };
        self.refresh_keys().await?;
        Ok(portion)
    }

    /// Does that again and again, three times in a lease's time, and leaves to others what is
    /// more than this process's portion of the channels. Never ends.
    pub(crate) async fn go_on_keeping_leases(self) {
        let Some(leases) = self.store().leases() else { return };
        let mut idling = Idling::default();
        // Whatever a round takes, the next one begins in time; this process has just had one.
        let pause = leases.duration() / 3;
        let mut rounds = interval_at(Instant::now() + pause, pause);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let given_way = match self.keep_leases().await {
                Ok(portion) => self.give_way(leases, &mut idling, portion).await,
                Err(error) => Err(error),
            };
            if let Err(error) = given_way {
                tracing::warn!(%error, "leases were not renewed");
            }
        }
    }

    /// Leaves some channels to others, of which nobody has wanted anything for long, where this
    /// process has more than its portion.
    async fn give_way(
        &self,
        leases: &Leases,
        idling: &mut Idling,
        portion: usize,
    ) -> Result<(), StoreError> {
        let idle = idling.look(&self.desks(), leases.duration() * IDLE_LEASES, self.now());
        let more = self.desks().len().saturating_sub(portion);
        for desk in idle.into_iter().take(more.min(GIVEN_UP_AT_ONCE)) {
            let _turn = self.seating().lock().await;
            // Nobody settles it now, and whoever wants to finds it gone.
            let Ok(_settling) = desk.settling.try_lock() else { continue };
            self.close_desk(&desk);
            self.store().writer().flush().await?;
            leases.release(desk.lease).await?;
            tracing::info!(channel = %desk.address, "left to another process");
        }
        Ok(())
    }

    /// Takes over which API keys other processes have made and revoked.
    pub(crate) async fn refresh_keys(&self) -> Result<(), StoreError> {
        self.keyring().refresh(self.store().queries().api_keys().await?);
        Ok(())
    }

    /// Whoever holds the API key of this token, if it may still be used, and as often.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`], [`ApiError::RateLimited`], [`ApiError::StoreFailed`].
    pub(crate) async fn holder_of(&self, token: &str) -> Result<Caller, ApiError> {
        if !self.keyring().knows(token) {
            self.look_for_keys().await?;
        }
        let key = self.keyring().find(token, self.now())?;
        self.admission().key(key.id())?;
        Ok(Caller(Some(key)))
    }

    /// Looks whether another process has made the key that somebody names, at most once a
    /// second: whoever invents keys must not keep the store busy.
    async fn look_for_keys(&self) -> Result<(), ApiError> {
        if self.store().leases().is_some() && self.keyring().may_look() {
            self.refresh_keys().await?;
        }
        Ok(())
    }

    /// Waits until what was thought of at a desk is on disk. Where it is not, because the
    /// channel is not this process's any more or because others have spent a key's budget, the
    /// desk is closed: its ledger is ahead of the disk.
    pub(crate) async fn on_disk<T>(
        &self,
        desk: &Desk,
        written: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ApiError> {
        let written = step("commit", SpanKind::Internal, written).await;
        if matches!(written, Err(StoreError::LeaseLost | StoreError::KeyBudget { .. })) {
            self.close_desk(desk);
        }
        Ok(written?)
    }
}
