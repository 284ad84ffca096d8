use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// Minimum number of bytes that a client takes while a write waits for it.
const MIN_BYTES: usize = 16 * 1_024;

/// Stream that ends with [`io::ErrorKind::TimedOut`] if its peer reads too slowly: less than 16 KiB
/// in the time that writes wait for it. Time without anything to write does not count.
pub struct PacedStream<S> {
    stream: S,
    within: Duration,
    /// Time that writes have waited, and bytes written meanwhile.
    waited: Duration,
    written: usize,
    waiting: Option<Waiting>,
}

/// Write that waits for the peer.
struct Waiting {
    since: Instant,
    deadline: Pin<Box<Sleep>>,
}

impl<S: AsyncWrite + Unpin> PacedStream<S> {
    /// Wraps a stream whose peer takes at least 16 KiB `within` this time.
    pub fn new(stream: S, within: Duration) -> Self {
        Self { stream, within, waited: Duration::ZERO, written: 0, waiting: None }
    }

    /// Counts the result of a write.
    fn pace(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(result) => {
                if let Some(waiting) = self.waiting.take() {
                    self.waited += waiting.since.elapsed();
                }
                self.written += result.as_ref().copied().unwrap_or(0);
                if self.written >= MIN_BYTES {
                    (self.waited, self.written) = (Duration::ZERO, 0);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let left = self.within.saturating_sub(self.waited);
                let waiting = self.waiting.get_or_insert_with(|| {
                    let since = Instant::now();
                    Waiting { since, deadline: Box::pin(sleep_until(since + left)) }
                });
                match waiting.deadline.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.pace(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.pace(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn peer_that_does_not_read_is_cut_off() {
        let (stream, _peer) = duplex(64);
        let mut stream = PacedStream::new(stream, WITHIN);
        let refused = stream.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn slow_reader_is_disconnected() {
        let (stream, mut peer) = duplex(64);
        let mut stream = PacedStream::new(stream, WITHIN);
        let reading = async {
            let mut byte = [0];
            while peer.read(&mut byte).await.is_ok_and(|read| read > 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let writing = async { stream.write_all(&[0; 100_000]).await.unwrap_err().kind() };
        tokio::select! {
            kind = writing => assert_eq!(kind, io::ErrorKind::TimedOut),
            () = reading => panic!("the stream ended first"),
        }
    }

    #[tokio::test]
    async fn pause_without_output_is_allowed() {
        let (stream, mut peer) = duplex(64);
        let mut stream = PacedStream::new(stream, WITHIN);
        for _ in 0..3 {
            stream.write_all(&[0; 10]).await.unwrap();
            let mut bytes = [0; 10];
            peer.read_exact(&mut bytes).await.unwrap();
            tokio::time::sleep(WITHIN * 2).await;
        }
    }
}
