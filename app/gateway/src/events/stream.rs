use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{self, KeepAlive, Sse},
};
use futures::stream;
use motif_sdk::{
    Pubkey,
    gateway::wire::{Digest, Event},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{hub::EventHub, places::Place};
use crate::{
    admission::{ClientAddress, network},
    error::GatewayError,
};

/// Interval of keep-alive comments.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Maximum time of a stream: its client then proves again who it is.
const MAX_TIME: Duration = Duration::from_secs(900);
/// Events that are read at once.
const PAGE: u32 = 100;

/// Whose events a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsOf {
    /// Of a person, which may have no part on chain.
    Person(Pubkey),
    /// Of a channel on chain.
    Channel(Pubkey),
}

/// Stream of a reader's events. A client that does not read makes the gateway read nothing more, and
/// its connection ends by the limit of writes.
struct EventStream {
    events: Arc<EventHub>,
    reader: [u8; 32],
    /// Id of the newest event at the beginning, which is sent without data: a client that loses its
    /// connection before the first event continues after it.
    begin: Option<Digest>,
    /// Number of the last event that was read.
    after: i64,
    page: VecDeque<(i64, Event)>,
    newest: watch::Receiver<i64>,
    /// Number of its place.
    place: u64,
    /// Cancelled when another stream takes the place, and when the gateway stops.
    ends: CancellationToken,
    ends_at: Instant,
}

impl EventHub {
    /// Returns events after the one with the id `last`, and those that happen. An id that is
    /// not kept begins with the oldest one that is.
    ///
    /// # Errors
    /// [`GatewayError::NotFound`] if no events are told, [`GatewayError::TooManyStreams`],
    /// [`GatewayError::StreamsFull`], [`GatewayError::StoreFailed`].
    pub async fn stream(
        self: &Arc<Self>,
        of: EventsOf,
        client: ClientAddress,
        last: Option<Digest>,
    ) -> Result<Response, GatewayError> {
        let mut stream = self.open(of, client)?;
        let reader = stream.reader;
        match last {
            Some(Digest(id)) => {
                stream.after = self.log.number(&reader, &id).await?.unwrap_or(0);
            }
            None => {
                let (after, id) = self.log.newest_of(&reader).await?.unwrap_or_default();
                (stream.after, stream.begin) = (after, Some(Digest(id)));
            }
        }
        let stream = stream::unfold(stream, async |mut stream| {
            let sent = sse::Event::default();
            let sent = match stream.begin.take() {
                Some(begin) => sent.id(begin.to_string()),
                None => {
                    let event = stream.next().await?;
                    let sent = sent.id(event.id.to_string()).event(event.kind.to_string());
                    sent.data(event.to_json())
                }
            };
            Some((Ok::<_, Infallible>(sent), stream))
        });
        let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
        Ok(Sse::new(stream).keep_alive(keep_alive).into_response())
    }

    /// Takes a place for a stream.
    fn open(
        self: &Arc<Self>,
        of: EventsOf,
        client: ClientAddress,
    ) -> Result<EventStream, GatewayError> {
        let most = self.config()?.streams;
        let ends = self.closing.child_token();
        let (reader, is_stranger) = match of {
            EventsOf::Person(person) => (person.to_bytes(), !self.known.read().contains(&person)),
            EventsOf::Channel(channel) => (channel.to_bytes(), false),
        };
        let place = Place { reader, network: network(client.0), is_stranger, ends: ends.clone() };
        let place = self.places.lock().take(most, place)?;
        Ok(EventStream {
            events: self.clone(),
            reader,
            begin: None,
            after: 0,
            page: VecDeque::new(),
            newest: self.newest.subscribe(),
            place,
            ends,
            ends_at: Instant::now() + MAX_TIME,
        })
    }
}

impl EventStream {
    /// Returns the next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.ends.is_cancelled() {
                return None;
            }
            if let Some((number, event)) = self.page.pop_front() {
                self.after = number;
                return Some(event);
            }
            // Before the read, so that what is told meanwhile wakes the stream.
            self.newest.borrow_and_update();
            match self.events.log.page(&self.reader, self.after, PAGE).await {
                Ok(page) => self.page = page.into(),
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ended");
                    return None;
                }
            }
            if !self.page.is_empty() {
                continue;
            }
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                () = self.ends.cancelled() => return None,
                () = sleep_until(self.ends_at) => return None,
            }
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.events.places.lock().leave(self.place);
    }
}
