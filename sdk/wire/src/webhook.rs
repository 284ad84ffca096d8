//! Webhooks of a person.

use serde::{Deserialize, Serialize};

use super::{Digest, EventKind};

/// Webhook to register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// `https` URL of at most 512 bytes, without user name and password, at a public address.
    #[cfg_attr(feature = "openapi", schema(max_length = 512))]
    pub url: String,
    /// Kinds of events; empty for all.
    #[serde(default)]
    pub kinds: Vec<EventKind>,
}

/// Webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Webhook {
    /// Identifier: 32 hexadecimal digits.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// Kinds of events; empty for all.
    pub kinds: Vec<EventKind>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix second of the first of the failures since the last success; `null` without one.
    pub failing_since: Option<i64>,
    /// Unix second in which it was disabled after failures; `null` while it is enabled.
    pub disabled_at: Option<i64>,
}

/// Registered webhook with its secret, which is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// Secret of its signatures: `whsec_` and standard base64.
    pub secret: String,
}

/// Webhooks of a person, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// At most 5.
    pub webhooks: Vec<Webhook>,
}

/// Delivery of an event to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// The event's id, which is the header `webhook-id`.
    pub event: Digest,
    /// The event's kind.
    pub kind: EventKind,
    /// Number of tries so far.
    pub tries: u32,
    /// Unix second of the last try; `null` before the first.
    pub tried_at: Option<i64>,
    /// HTTP status of the last try; `null` without an answer.
    pub status: Option<u16>,
    /// Why the last try failed; `null` if it succeeded.
    pub error: Option<String>,
    /// Unix second of the next try; `null` after the end.
    pub next_try_at: Option<i64>,
}

/// Log of a webhook, newest event first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryList {
    /// The last 100.
    pub deliveries: Vec<Delivery>,
}

impl NewWebhook {
    /// Maximum length of a URL, bytes.
    pub const MAX_URL_BYTES: usize = 512;
}

impl std::fmt::Debug for CreatedWebhook {
    /// Omits the secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CreatedWebhook")
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}
