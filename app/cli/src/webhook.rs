//! `motif webhook`: URLs to which a gateway sends a person's events.

use std::fmt;

use clap::{Args, Subcommand};
use motif_sdk::{
    gateway::wire::{CreatedWebhook, Delivery, EventKind, NewWebhook, Webhook},
    text::visible,
};
use serde::Serialize;

use crate::{
    error::CliError,
    output::{pairs, table},
    person::prove,
    session::Session,
    time::{utc, utc_or},
};

/// Commands of `motif webhook`.
#[derive(Subcommand)]
pub enum WebhookCommand {
    /// Add a webhook, and show the secret of its signatures once
    Add(AddArgs),
    /// List the keypair's webhooks
    List,
    /// Remove a webhook with its log
    Remove(IdArgs),
    /// Have an event sent to a webhook, to try it
    ///
    /// A success enables a webhook that was disabled after failures.
    Test(IdArgs),
    /// Show the last deliveries to a webhook
    Log(IdArgs),
}

/// Arguments of `motif webhook add`.
#[derive(Args)]
pub struct AddArgs {
    /// URL that begins with https://
    url: String,

    /// Kinds of events to send [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<EventKind>,
}

/// Webhook of a command.
#[derive(Args)]
pub struct IdArgs {
    /// Id of the webhook, as `motif webhook list` shows it
    id: String,
}

impl WebhookCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let gateway = session.gateway().await;
        let proof = prove(&gateway, session).await?;
        match self {
            Self::Add(AddArgs { url, kind }) => {
                let new = NewWebhook { url, kinds: kind };
                session.print(&AddOutput(gateway.add_webhook(&proof, &new).await?));
            }
            Self::List => {
                session.print(&ListOutput { webhooks: gateway.webhooks(&proof).await?.webhooks });
            }
            Self::Remove(IdArgs { id }) => {
                gateway.remove_webhook(&proof, &id).await?;
                session.print(&RemoveOutput { removed: id });
            }
            Self::Test(IdArgs { id }) => {
                session.print(&TestOutput(gateway.test_webhook(&proof, &id).await?));
            }
            Self::Log(IdArgs { id }) => {
                let deliveries = gateway.deliveries(&proof, &id).await?.deliveries;
                session.print(&LogOutput { deliveries });
            }
        }
        Ok(())
    }
}

/// Output of `motif webhook add`.
#[derive(Serialize)]
struct AddOutput(CreatedWebhook);

/// Output of `motif webhook list`.
#[derive(Serialize)]
struct ListOutput {
    webhooks: Vec<Webhook>,
}

/// Output of `motif webhook remove`.
#[derive(Serialize)]
struct RemoveOutput {
    removed: String,
}

/// Output of `motif webhook test`.
#[derive(Serialize)]
struct TestOutput(Delivery);

/// Output of `motif webhook log`.
#[derive(Serialize)]
struct LogOutput {
    deliveries: Vec<Delivery>,
}

impl fmt::Display for AddOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CreatedWebhook { webhook, secret } = &self.0;
        formatter.write_str(&pairs(&[
            ("webhook", &webhook.id),
            ("url", &visible(&webhook.url)),
            ("kinds", &kinds(webhook)),
            ("secret", secret),
            ("", &"keep the secret: it is not shown again"),
        ]))
    }
}

impl fmt::Display for ListOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.webhooks.iter().map(|webhook| {
            let state = match (webhook.disabled_at, webhook.failing_since) {
                (Some(at), _) => format!("disabled {}", utc(at)),
                (None, Some(since)) => format!("failing since {}", utc(since)),
                (None, None) => "enabled".to_owned(),
            };
            [webhook.id.clone(), visible(&webhook.url).to_string(), kinds(webhook), state]
        });
        formatter.write_str(&table(["id", "url", "kinds", "state"], &[], rows))
    }
}

impl fmt::Display for RemoveOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&pairs(&[("removed", &self.removed)]))
    }
}

impl fmt::Display for TestOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str(&pairs(&[("event", &self.0.event), ("outcome", &"see `motif webhook log`")]))
    }
}

impl fmt::Display for LogOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.deliveries.iter().map(|delivery| {
            let status = delivery.status.map_or("-".to_owned(), |status| status.to_string());
            let error = delivery.error.as_deref().map(|error| visible(error).to_string());
            [
                utc_or(delivery.tried_at, "-"),
                delivery.kind.to_string(),
                delivery.tries.to_string(),
                status,
                error.unwrap_or_default(),
                utc_or(delivery.next_try_at, "-"),
                delivery.event.to_string(),
            ]
        });
        let header = ["last try", "kind", "tries", "status", "error", "next try", "event"];
        formatter.write_str(&table(header, &[2, 3], rows))
    }
}

fn kinds(webhook: &Webhook) -> String {
    let kinds: Vec<_> = webhook.kinds.iter().map(ToString::to_string).collect();
    if kinds.is_empty() { "all".to_owned() } else { kinds.join(", ") }
}
