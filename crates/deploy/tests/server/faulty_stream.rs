//! TCP stream that can be broken on request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Maximum number of bytes that are written before the connection is closed.
#[derive(Clone)]
pub(crate) struct WriteLimit(Arc<AtomicUsize>);

impl WriteLimit {
    pub(crate) fn set(&self, n_bytes: usize) {
        self.0.store(n_bytes, Ordering::SeqCst);
    }
}

/// Connection to a client, with a write limit.
pub(crate) struct FaultyStream {
    stream: TcpStream,
    write_limit: WriteLimit,
}

impl FaultyStream {
    pub(crate) fn new(stream: TcpStream) -> (Self, WriteLimit) {
        let write_limit = WriteLimit(Arc::new(AtomicUsize::new(usize::MAX)));
        (Self { stream, write_limit: write_limit.clone() }, write_limit)
    }
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.write_limit.0.load(Ordering::SeqCst);
        if allowed == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let bytes = &bytes[..bytes.len().min(allowed)];
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if allowed < usize::MAX
            && let Poll::Ready(Ok(n)) = written
        {
            self.write_limit.set(allowed - n);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for FaultyStream {
    /// Closes the connection, with a reset if the limit is 0.
    fn drop(&mut self) {
        if self.write_limit.0.load(Ordering::SeqCst) == 0 {
            let _ = self.stream.set_zero_linger();
        }
    }
}
