use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use solana_pubkey::Pubkey;

use super::{
    GatewayClient, GatewayError,
    error::untrusted,
    wire::{
        CreatedWebhook, Delivery, DeliveryList, Digest, Event, NewWebhook, PersonProof, Problem,
        WebhookList,
    },
};

/// Maximum time of a stream; a gateway ends it sooner.
const MAX_TIME: Duration = Duration::from_secs(86_400);
/// Maximum length of an event, bytes.
const MAX_EVENT_BYTES: usize = 64 << 10;
const LAST_EVENT_ID: &str = "last-event-id";

/// Events as they happen.
pub struct EventReader {
    url: String,
    response: Response,
    /// Bytes of events that have not ended.
    buffered: Vec<u8>,
    last: Option<Digest>,
}

impl EventReader {
    /// Returns the id after which another stream continues without a gap.
    pub fn last(&self) -> Option<&Digest> {
        self.last.as_ref()
    }

    /// Returns the next event; `None` when the gateway ends the stream.
    ///
    /// # Errors
    /// [`GatewayError::Unreachable`], [`GatewayError::Untrusted`].
    pub async fn next(&mut self) -> Result<Option<Event>, GatewayError> {
        loop {
            if let Some(end) = self.buffered.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.buffered.drain(..end + 2).collect();
                let Sent { id, event } = read_sent(&event)?;
                self.last = id.or(self.last);
                match event {
                    Some(event) => return Ok(Some(event)),
                    None => continue, // a comment, or an id alone
                }
            }
            if self.buffered.len() > MAX_EVENT_BYTES {
                return Err(untrusted("an event is too long"));
            }
            let chunk = self.response.chunk().await;
            match chunk.map_err(|source| GatewayError::unreachable(&self.url, source))? {
                Some(chunk) => self.buffered.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }
}

/// What a gateway has sent.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    id: Option<Digest>,
    event: Option<Event>,
}

fn read_sent(text: &[u8]) -> Result<Sent, GatewayError> {
    let text = str::from_utf8(text).map_err(|_| untrusted("an event is not UTF-8"))?;
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    let unreadable = |error| untrusted(&format!("an event is unreadable: {error}"));
    let id = field("id:").and_then(|id| id.parse().ok());
    let event = field("data:").map(Event::from_json).transpose().map_err(unreadable)?;
    Ok(Sent { id, event })
}

impl GatewayClient {
    /// Returns the events of a person that happen from now on; after the event `last`, if it is given.
    /// An id that the gateway does not keep begins with the oldest event.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn person_events(
        &self,
        proof: &PersonProof,
        last: Option<&Digest>,
    ) -> Result<EventReader, GatewayError> {
        let path = format!("people/{}/events", proof.address);
        let request = self.builder(Method::GET, &path);
        self.follow(request.header(PersonProof::HEADER, proof.to_header()), last).await
    }

    /// Returns the events of a channel, as [`GatewayClient::person_events`] does, to its
    /// [`GatewayClient::reader`] or the holder of an API key that is bound to the channel.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn channel_events(
        &self,
        channel: &Pubkey,
        last: Option<&Digest>,
    ) -> Result<EventReader, GatewayError> {
        let request = self.builder(Method::GET, &format!("channels/{channel}/events"));
        self.follow(self.with_reader(request)?, last).await
    }

    async fn follow(
        &self,
        request: RequestBuilder,
        last: Option<&Digest>,
    ) -> Result<EventReader, GatewayError> {
        let request = match last {
            Some(last) => request.header(LAST_EVENT_ID, last.to_string()),
            None => request,
        };
        let unreachable = |source| GatewayError::unreachable(self.url(), source);
        let response = request.timeout(MAX_TIME).send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            let problem = response.bytes().await.map_err(unreachable)?;
            let problem = serde_json::from_slice::<Problem>(&problem).map_err(|error| {
                untrusted(&format!("status {status} with an unreadable body: {error}"))
            })?;
            return Err(GatewayError::Refused(Box::new(problem)));
        }
        Ok(EventReader {
            url: self.url().to_owned(),
            response,
            buffered: Vec::new(),
            last: last.copied(),
        })
    }

    /// Adds a webhook of a person. Its secret is shown once. The request is sent once.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn add_webhook(
        &self,
        proof: &PersonProof,
        new: &NewWebhook,
    ) -> Result<CreatedWebhook, GatewayError> {
        let path = format!("people/{}/webhooks", proof.address);
        let request = self.builder(Method::POST, &path).json(new);
        self.once(request.header(PersonProof::HEADER, proof.to_header())).await
    }

    /// Returns the webhooks of a person.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn webhooks(&self, proof: &PersonProof) -> Result<WebhookList, GatewayError> {
        self.of_webhook(Method::GET, proof, "").await
    }

    /// Removes a webhook of a person with its log.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn remove_webhook(&self, proof: &PersonProof, id: &str) -> Result<(), GatewayError> {
        let removed: serde_json::Value =
            self.of_webhook(Method::DELETE, proof, &format!("/{id}")).await?;
        drop(removed);
        Ok(())
    }

    /// Has an event sent to a webhook of a person, to try it.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn test_webhook(
        &self,
        proof: &PersonProof,
        id: &str,
    ) -> Result<Delivery, GatewayError> {
        self.of_webhook(Method::POST, proof, &format!("/{id}/test")).await
    }

    /// Returns the last deliveries to a webhook of a person, newest event first.
    ///
    /// # Errors
    /// As [`GatewayClient::operator`].
    pub async fn deliveries(
        &self,
        proof: &PersonProof,
        id: &str,
    ) -> Result<DeliveryList, GatewayError> {
        self.of_webhook(Method::GET, proof, &format!("/{id}/deliveries")).await
    }

    async fn of_webhook<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        proof: &PersonProof,
        rest: &str,
    ) -> Result<T, GatewayError> {
        let path = format!("people/{}/webhooks{rest}", proof.address);
        let request = self.builder(method, &path);
        self.once(request.header(PersonProof::HEADER, proof.to_header())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_events() {
        assert_eq!(read_sent(b":\n\n").unwrap(), Sent { id: None, event: None });
        let id = "01".repeat(32);
        let alone = Sent { id: Some(Digest([1; 32])), event: None };
        assert_eq!(read_sent(format!("id: {id}\n\n").as_bytes()).unwrap(), alone);
        let event = format!("{{\"id\":\"{id}\",\"at\":5,\"kind\":\"paid\"}}");
        let text = format!("id: {id}\nevent: paid\ndata: {event}\n\n");
        assert_eq!(read_sent(text.as_bytes()).unwrap().event.unwrap().at, 5);
        assert!(read_sent(b"data: {}\n\n").is_err());
    }
}
