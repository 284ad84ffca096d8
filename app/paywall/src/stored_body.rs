use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read},
};

use axum::body::{Body, Bytes};
use futures::stream;
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

/// Body of a stored answer, read from its file as the client takes it.
#[derive(Debug)]
pub struct StoredBody {
    pub(crate) file: BufReader<File>,
    /// Bytes left to read.
    pub(crate) left: u64,
    /// One response at a time has an answer's body.
    pub(crate) turn: OwnedSemaphorePermit,
    pub(crate) at_end: AtEnd,
}

/// Called when the body was read to its end.
pub(crate) struct AtEnd(pub(crate) Box<dyn FnOnce() + Send + Sync>);

impl AtEnd {
    /// Adds a call after the present one.
    pub(crate) fn add(&mut self, call: Box<dyn FnOnce() + Send + Sync>) {
        let first = std::mem::replace(&mut self.0, Box::new(|| ()));
        self.0 = Box::new(move || {
            first();
            call();
        });
    }
}

impl fmt::Debug for AtEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AtEnd")
    }
}

impl StoredBody {
    const CHUNK_BYTES: u64 = 64 * 1_024;

    /// Returns the length in bytes.
    pub fn length(&self) -> u64 {
        self.left
    }

    /// Returns the body of a response.
    pub fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(Some(self), async |stored| {
            let stored = stored.filter(|stored| stored.left > 0)?;
            match spawn_blocking(|| stored.read_chunk()).await {
                Ok(Ok((chunk, stored))) => Some((Ok(chunk), stored)),
                Ok(Err(error)) => Some((Err(error), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        }))
    }

    /// Reads the next chunk. Returns the rest of the body, unless this was the last chunk.
    fn read_chunk(mut self) -> io::Result<(Bytes, Option<Self>)> {
        let length = self.left.min(Self::CHUNK_BYTES);
        let mut chunk = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact(&mut chunk)?;
        self.left -= length;
        if self.left > 0 {
            return Ok((chunk.into(), Some(self)));
        }
        (self.at_end.0)();
        drop(self.turn);
        Ok((chunk.into(), None))
    }
}
