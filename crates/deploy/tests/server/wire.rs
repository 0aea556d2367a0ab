//! A socket that can be told to break.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Number of bytes that still reach the client before the connection is closed.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    pub(crate) fn limit(&self, n_bytes: usize) {
        self.0.store(n_bytes, Ordering::SeqCst);
    }
}

/// The server's end of a connection.
pub(crate) struct Wire {
    stream: TcpStream,
    allowance: Allowance,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> (Self, Allowance) {
        let allowance = Allowance(Arc::new(AtomicUsize::new(usize::MAX)));
        (Self { stream, allowance: allowance.clone() }, allowance)
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.allowance.0.load(Ordering::SeqCst);
        if allowed == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let bytes = &bytes[..bytes.len().min(allowed)];
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if allowed < usize::MAX
            && let Poll::Ready(Ok(n)) = written
        {
            self.allowance.limit(allowed - n);
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

impl Drop for Wire {
    /// Closes the connection: with a reset if no byte is allowed, else after the allowed part of the response.
    fn drop(&mut self) {
        if self.allowance.0.load(Ordering::SeqCst) == 0 {
            let _ = self.stream.set_zero_linger();
        }
    }
}
