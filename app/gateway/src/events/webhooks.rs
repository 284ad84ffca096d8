use motif_sdk::{
    Pubkey,
    gateway::{
        WebhookSecret,
        wire::{
            CreatedWebhook, Delivery, DeliveryList, Event, EventKind, NewWebhook, Webhook,
            WebhookList,
        },
    },
};
use rand::RngCore;

use super::{hub::EventHub, id::id};
use crate::{
    clock::system_now,
    error::GatewayError,
    store::{StoredDelivery, StoredWebhook, WebhookId},
    webhook_address::check_url,
};

/// Maximum number of webhooks of a person.
const PER_PERSON: i64 = 5;
/// Maximum number of deliveries that wait when a test is added.
const WAITING_TESTS: i64 = 5;

impl EventHub {
    /// Adds a webhook of a person. Its secret is not stored.
    ///
    /// # Errors
    /// [`GatewayError::InvalidWebhook`], [`GatewayError::TooManyWebhooks`], [`GatewayError::NotFound`] if
    /// no events are told, [`GatewayError::StoreFailed`].
    pub async fn add_webhook(
        &self,
        person: &Pubkey,
        new: &NewWebhook,
    ) -> Result<CreatedWebhook, GatewayError> {
        let config = self.config()?;
        let url =
            check_url(&new.url, config.allow_private).map_err(GatewayError::InvalidWebhook)?;
        let mut id = WebhookId::default();
        rand::rng().fill_bytes(&mut id);
        let kinds = new.kinds.iter().fold(0, |bits, kind| bits | kind.bit());
        let stored = StoredWebhook {
            id,
            person: person.to_bytes(),
            url: url.to_string(),
            kinds: if new.kinds.is_empty() { i64::MAX } else { kinds },
            created_at: system_now(),
            failing_since: None,
            disabled_at: None,
        };
        if !self.webhooks.add(&stored, PER_PERSON, i64::from(config.webhooks)).await? {
            return Err(GatewayError::TooManyWebhooks);
        }
        let secret = self.secret(&id).to_string();
        Ok(CreatedWebhook { webhook: webhook(&stored), secret })
    }

    /// Returns the webhooks of a person.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`] if no events are told, [`GatewayError::StoreFailed`].
    pub async fn webhooks(&self, person: &Pubkey) -> Result<WebhookList, GatewayError> {
        self.config()?;
        let stored = self.webhooks.of(person.as_array()).await?;
        Ok(WebhookList { webhooks: stored.iter().map(webhook).collect() })
    }

    /// Removes a webhook of a person.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWebhook`]; as [`EventHub::webhooks`].
    pub async fn remove_webhook(&self, person: &Pubkey, id: &str) -> Result<(), GatewayError> {
        let id = self.own(person, id).await?;
        Ok(self.webhooks.remove(&id).await?)
    }

    /// Sends an event to a webhook of a person, to try it.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWebhook`], [`GatewayError::WebhookBusy`]; as [`EventHub::webhooks`].
    pub async fn test_webhook(
        &self,
        person: &Pubkey,
        text: &str,
    ) -> Result<Delivery, GatewayError> {
        let webhook = self.own(person, text).await?;
        let mut nonce = [0; 16];
        rand::rng().fill_bytes(&mut nonce);
        let now = system_now();
        let event = Event::new(id("test", &[&webhook, &nonce]), now, EventKind::Test);
        if !self.webhooks.send(&webhook, now, &event, WAITING_TESTS).await? {
            return Err(GatewayError::WebhookBusy);
        }
        self.refresh().await?;
        Ok(Delivery {
            event: event.id,
            kind: event.kind,
            tries: 0,
            tried_at: None,
            status: None,
            error: None,
            next_try_at: Some(now),
        })
    }

    /// Returns the log of a webhook of a person.
    ///
    /// # Errors
    /// [`GatewayError::UnknownWebhook`]; as [`EventHub::webhooks`].
    pub async fn deliveries(
        &self,
        person: &Pubkey,
        id: &str,
    ) -> Result<DeliveryList, GatewayError> {
        let id = self.own(person, id).await?;
        let delivery = |stored: StoredDelivery| Delivery {
            event: stored.event.id,
            kind: stored.event.kind,
            tries: stored.tries,
            tried_at: stored.tried_at,
            status: stored.status,
            error: stored.error,
            next_try_at: stored.next_at,
        };
        let log = self.webhooks.log(&id).await?;
        Ok(DeliveryList { deliveries: log.into_iter().map(delivery).collect() })
    }

    /// Returns the secret of a webhook.
    pub(super) fn secret(&self, id: &WebhookId) -> WebhookSecret {
        WebhookSecret::new(*blake3::keyed_hash(&self.secret_key, id).as_bytes())
    }

    async fn own(&self, person: &Pubkey, id: &str) -> Result<WebhookId, GatewayError> {
        self.config()?;
        let stored = self.webhooks.of(person.as_array()).await?;
        let own = stored.iter().find(|stored| text(&stored.id) == id);
        own.map(|stored| stored.id).ok_or(GatewayError::UnknownWebhook)
    }
}

/// Returns the form of an id that clients see.
pub fn text(id: &WebhookId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn webhook(stored: &StoredWebhook) -> Webhook {
    let takes_all = stored.kinds == i64::MAX;
    let taken = EventKind::ALL.iter().filter(|kind| !takes_all && stored.kinds & kind.bit() != 0);
    Webhook {
        id: text(&stored.id),
        url: stored.url.clone(),
        kinds: taken.copied().collect(),
        created_at: stored.created_at,
        failing_since: stored.failing_since,
        disabled_at: stored.disabled_at,
    }
}
