use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use motif_sdk::gateway::WebhookSecret;
use rand::Rng;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect::Policy};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{hub::EventHub, webhooks::text};
use crate::{
    clock::system_now,
    config::EventsConfig,
    store::{DeliveryOutcome, DueDelivery, StoreError, WebhookId},
    webhook_address::{InvalidUrl, PublicResolver, check_url, is_not_public},
};

/// Maximum time of a try.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Time after which another process may try a delivery that this one has taken, seconds.
const TAKEN_SECONDS: i64 = 60;
/// Maximum number of tries of a delivery.
const TRIES: u32 = 8;
/// Factor of the time between two tries, and its maximum.
const FACTOR: u32 = 6;
const MAX_PAUSE: Duration = Duration::from_secs(6 * 3_600);
/// Deliveries in progress.
const AT_ONCE: usize = 64;
/// Deliveries in progress to one host: a slow receiver does not delay others.
const AT_ONCE_TO_HOST: usize = 4;
/// Interval of the looks for due deliveries.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Maximum length of an error in the log, characters.
const MAX_ERROR: usize = 200;
const SECONDS_PER_DAY: i64 = 86_400;

/// Background job that sends events to webhooks. A delivery is sent at least once: its header
/// `webhook-id` tells repetitions apart.
pub struct WebhookSender {
    events: Arc<EventHub>,
    sending: JoinSet<WebhookId>,
    /// Webhooks with a try in progress, and their hosts.
    busy: HashMap<WebhookId, String>,
}

/// Sends one event.
struct Try {
    events: Arc<EventHub>,
    config: EventsConfig,
    client: Client,
    due: DueDelivery,
}

impl WebhookSender {
    /// Creates the job.
    pub fn new(events: Arc<EventHub>) -> Self {
        Self { events, sending: JoinSet::new(), busy: HashMap::new() }
    }

    /// Runs until `stop` is cancelled. Tries in progress are finished.
    pub async fn run(mut self, stop: CancellationToken) {
        let Some(config) = self.events.config.clone() else { return };
        let client = match client(&config) {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "webhooks are not sent"),
        };
        let mut newest = self.events.newest.subscribe();
        loop {
            newest.borrow_and_update();
            if let Err(error) = self.start_due(&config, &client).await {
                tracing::warn!(%error, "events are sent to webhooks later");
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(sent) = self.sending.join_next() => self.end(sent.ok()),
                _ = newest.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            while let Some(sent) = self.sending.try_join_next() {
                self.end(sent.ok());
            }
        }
        while self.sending.join_next().await.is_some() {}
    }

    fn end(&mut self, webhook: Option<WebhookId>) {
        match webhook {
            Some(webhook) => drop(self.busy.remove(&webhook)),
            None => self.busy.clear(), // a panic; the store keeps one process from sending twice
        }
    }

    async fn start_due(
        &mut self,
        config: &EventsConfig,
        client: &Client,
    ) -> Result<(), StoreError> {
        if self.sending.len() >= AT_ONCE {
            return Ok(());
        }
        let now = system_now();
        let mut due = self.events.webhooks.due(now).await?;
        // Receivers that have answered come before those that are tried again.
        due.sort_by_key(|due| due.tries > 0);
        for due in due {
            if self.sending.len() >= AT_ONCE {
                break;
            }
            let host = host(&due.url);
            let to_host = self.busy.values().filter(|busy| **busy == host).count();
            let is_free = !self.busy.contains_key(&due.webhook) && to_host < AT_ONCE_TO_HOST;
            if is_free && self.events.webhooks.take(&due, now, now + TAKEN_SECONDS).await? {
                self.busy.insert(due.webhook, host);
                let (events, client) = (self.events.clone(), client.clone());
                let one = Try { events, config: config.clone(), client, due };
                self.sending.spawn(one.run());
            }
        }
        Ok(())
    }
}

/// Returns the host of a URL; the URL itself if it has none.
fn host(url: &str) -> String {
    let parsed = reqwest::Url::parse(url).ok();
    let host = parsed.and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| url.to_owned())
}

impl Try {
    async fn run(self) -> WebhookId {
        let sent = self.send().await;
        let now = system_now();
        let (status, error) = match sent {
            Ok(status) if status.is_success() => (Some(status), None),
            Ok(status) => {
                (Some(status), Some(format!("the answer has status {}", status.as_u16())))
            }
            Err(error) => (None, Some(error.chars().take(MAX_ERROR).collect())),
        };
        let is_gone = status == Some(StatusCode::GONE);
        let has_failed = error.is_some();
        let tried = self.due.tries.saturating_add(1);
        let is_retried = has_failed && !is_gone && tried < TRIES;
        let failing = i64::from(self.config.failing_days).saturating_mul(SECONDS_PER_DAY);
        let outcome = DeliveryOutcome {
            status: status.map(|status| status.as_u16()),
            error,
            next_at: is_retried.then(|| now.saturating_add(pause(self.config.first_retry, tried))),
            disable_before: (!is_gone).then(|| now.saturating_sub(failing)),
        };
        match self.events.webhooks.finish(&self.due, now, &outcome).await {
            Ok(true) => tracing::info!(webhook = text(&self.due.webhook), "a webhook was disabled"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the outcome of a delivery was not stored"),
        }
        self.due.webhook
    }

    /// Sends the event, signed at the present time. The answer's body is not read.
    async fn send(&self) -> Result<StatusCode, String> {
        let url = check_url(&self.due.url, self.config.allow_private);
        let url = url.map_err(|error| error.to_string())?;
        let (id, body) = (self.due.event.id.to_string(), self.due.event.to_json());
        let timestamp = system_now();
        let signature = self.events.secret(&self.due.webhook).sign(&id, timestamp, body.as_bytes());
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(WebhookSecret::ID, id)
            .header(WebhookSecret::TIMESTAMP, timestamp)
            .header(WebhookSecret::SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(answer) => Ok(answer.status()),
            Err(error) if error.is_timeout() => Err("no answer in 10 seconds".to_owned()),
            Err(error) if is_not_public(&error) => Err(InvalidUrl::NotPublic.to_string()),
            Err(error) => Err(innermost(&error)),
        }
    }
}

fn client(config: &EventsConfig) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("motif-gateway/", env!("CARGO_PKG_VERSION")))
        .timeout(ANSWER_WITHIN)
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .https_only(!config.allow_private)
        .dns_resolver(Arc::new(PublicResolver { allows_private: config.allow_private }))
        .build()
}

/// Returns the seconds until the next try, a fifth more or less at random.
fn pause(first: Duration, tried: u32) -> i64 {
    let factor = FACTOR.saturating_pow(tried.saturating_sub(1));
    let pause = first.saturating_mul(factor).min(MAX_PAUSE);
    let pause = pause.mul_f64(rand::rng().random_range(0.8..1.2));
    i64::try_from(pause.as_secs()).unwrap_or(i64::MAX)
}

/// Returns the innermost cause of reqwest's "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_six_hours() {
        let first = Duration::from_secs(5);
        let expected = [5, 30, 180, 1_080, 6_480, 21_600, 21_600];
        for (tried, seconds) in (1..TRIES).zip(expected) {
            for _ in 0..100 {
                let pause = pause(first, tried);
                assert!(
                    (seconds * 8 / 10 - 1..=seconds * 12 / 10).contains(&pause),
                    "{tried} {pause}"
                );
            }
        }
    }
}
