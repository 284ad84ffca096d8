use std::{collections::HashSet, sync::Arc};

use motif_sdk::Pubkey;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::places::Places;
use crate::{
    config::EventsConfig,
    error::GatewayError,
    keys::DigestKey,
    store::{EventLog, Store, StoreError, Webhooks},
};

/// Streams of events and webhooks of persons.
pub struct EventHub {
    pub(super) config: Option<EventsConfig>,
    pub(super) log: EventLog,
    pub(super) webhooks: Webhooks,
    /// Key from which the secrets of webhooks are derived.
    pub(super) secret_key: [u8; 32],
    /// Number of the newest event.
    pub(super) newest: watch::Sender<i64>,
    /// Places of the open streams.
    pub(super) places: Mutex<Places>,
    /// Persons with a part on chain, as it was last read.
    pub(super) known: RwLock<HashSet<Pubkey>>,
    /// Ends all streams.
    pub(super) closing: CancellationToken,
}

impl EventHub {
    const SECRETS: &str = "motif gateway 2026-11 secrets of webhooks";

    /// Creates the events of a store; `None` tells none.
    pub fn new(config: Option<EventsConfig>, store: &Store, key: &DigestKey) -> Arc<Self> {
        Arc::new(Self {
            config,
            log: store.event_log().clone(),
            webhooks: store.webhooks().clone(),
            secret_key: key.derived(Self::SECRETS),
            newest: watch::Sender::new(0),
            places: Mutex::default(),
            known: RwLock::default(),
            closing: CancellationToken::new(),
        })
    }

    /// Returns the configuration.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`] if no events are told.
    pub(super) fn config(&self) -> Result<&EventsConfig, GatewayError> {
        self.config.as_ref().ok_or(GatewayError::NotFound)
    }

    /// Wakes streams and webhooks if this process or another one has told events.
    pub(super) async fn refresh(&self) -> Result<(), StoreError> {
        let newest = self.log.newest().await?;
        self.newest.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        Ok(())
    }
}
