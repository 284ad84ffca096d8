use std::collections::VecDeque;

use axum::body::{Body, BodyDataStream, Bytes};
use futures::StreamExt;

use crate::{body_budget::BodyShare, error::PaywallError, metered::Counted};

/// Cuts a body into parts of `count` items; the last one may have fewer.
///
/// Reads no further than the requested part, so that a pause applies backpressure to the server.
pub struct Parts {
    body: BodyDataStream,
    counted: Counted,
    /// Number of items per part.
    count: u64,
    max_bytes: usize,
    buffered: VecDeque<u8>,
    /// Number of scanned bytes, and of items that end in them.
    scanned: (usize, u64),
    is_read: bool,
    /// Share of the buffered bytes and of the last part in the budget of bodies.
    share: BodyShare,
    last_part_bytes: usize,
}

impl Parts {
    /// Creates the parts of a body; none may be longer than `max_bytes`.
    pub fn new(
        body: Body,
        counted: Counted,
        count: u64,
        max_bytes: usize,
        share: BodyShare,
    ) -> Self {
        Self {
            body: body.into_data_stream(),
            counted,
            count,
            max_bytes,
            buffered: VecDeque::new(),
            scanned: (0, 0),
            is_read: false,
            share,
            last_part_bytes: 0,
        }
    }

    /// Returns the next part with its number of items, or `None` after the last. The caller has
    /// dropped the earlier part.
    ///
    /// # Errors
    /// [`PaywallError::UpstreamFailed`], [`PaywallError::AnswerTooLarge`], [`PaywallError::Full`].
    pub async fn next(&mut self) -> Result<Option<(Bytes, u64)>, PaywallError> {
        self.share.release(std::mem::take(&mut self.last_part_bytes));
        loop {
            if let Some(end) = self.end() {
                let part: Vec<u8> = self.buffered.drain(..end).collect();
                return self.checked(part, self.count);
            }
            if self.is_read {
                let rest: Vec<u8> = self.buffered.drain(..).collect();
                let count = self.counted.count(&rest);
                return if rest.is_empty() { Ok(None) } else { self.checked(rest, count) };
            }
            if self.buffered.len() > self.max_bytes {
                return Err(PaywallError::AnswerTooLarge(self.max_bytes));
            }
            match self.body.next().await {
                Some(Ok(chunk)) => {
                    self.share.add(chunk.len()).map_err(|_| PaywallError::Full)?;
                    self.buffered.extend(chunk);
                }
                Some(Err(_)) => {
                    return Err(PaywallError::UpstreamFailed("its answer is incomplete".into()));
                }
                None => self.is_read = true,
            }
        }
    }

    /// Returns the end of the part if it is buffered. Scans each byte once.
    fn end(&mut self) -> Option<usize> {
        let (place, ended) = &mut self.scanned;
        let bytes = self.buffered.make_contiguous();
        while *place < bytes.len() {
            *ended += u64::from(self.counted.ends(bytes, *place));
            *place += 1;
            if *ended == self.count {
                let end = *place;
                self.scanned = (0, 0);
                return Some(end);
            }
        }
        None
    }

    fn checked(&mut self, part: Vec<u8>, count: u64) -> Result<Option<(Bytes, u64)>, PaywallError> {
        if part.len() > self.max_bytes {
            return Err(PaywallError::AnswerTooLarge(self.max_bytes));
        }
        self.last_part_bytes = part.len();
        Ok(Some((part.into(), count)))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::body_budget::BodyBudget;

    fn parts(chunks: &[&'static str], counted: Counted, count: u64, most: usize) -> Parts {
        let chunks = chunks.iter().map(|chunk| Ok::<_, std::io::Error>(*chunk));
        let body = Body::from_stream(stream::iter(chunks.collect::<Vec<_>>()));
        Parts::new(body, counted, count, most, BodyBudget::new(1 << 20).share())
    }

    async fn all(mut parts: Parts) -> Vec<(String, u64)> {
        let mut all = Vec::new();
        while let Some((part, count)) = parts.next().await.unwrap() {
            all.push((String::from_utf8(part.to_vec()).unwrap(), count));
        }
        all
    }

    #[tokio::test]
    async fn parts_are_independent_of_chunks() {
        let expected = [("a\nb\n".to_owned(), 2), ("c\nd\n".to_owned(), 2), ("e".to_owned(), 1)];
        for chunks in [
            &["a\nb\nc\nd\ne"][..],
            &["a", "\n", "b\nc", "\nd\n", "e"],
            &["a\nb\n", "c\nd\n", "e"],
            &["", "a\nb\nc\n", "", "d\ne", ""],
        ] {
            assert_eq!(all(parts(chunks, Counted::Lines, 2, 100)).await, expected, "{chunks:?}");
        }
    }

    #[tokio::test]
    async fn empty_body_has_no_parts() {
        assert!(all(parts(&[], Counted::Bytes, 2, 100)).await.is_empty());
        assert!(all(parts(&["", ""], Counted::Lines, 2, 100)).await.is_empty());
    }

    #[tokio::test]
    async fn endless_part_is_refused() {
        let mut endless = parts(&["aaaaa"; 100], Counted::Lines, 1, 20);
        let refused = endless.next().await;
        assert!(matches!(refused, Err(PaywallError::AnswerTooLarge(20))));
        assert!(endless.buffered.len() <= 30);
    }
}
